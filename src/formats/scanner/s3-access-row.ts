/** Fills a row with the fields of a line. `-` says that a field is unknown or does not apply: it is no value. */
import { hasValue, putBoolean, putInteger, putLong, putText, rows, valueAt } from './columns';
import { beginRowTexts, enterRowTexts } from './dictionary';
import { beginExtra, endExtra, putExtra, putExtraBytes } from './extra';
import { putIdentity } from './identity';
import { deliveredDay, eventDays, eventTimeColumn, extraColumn, latestTime, logFile, logFileColumn, recordNoColumn } from './layout';
import { LOG_TIME_LENGTH, readLogTime } from './log-time';
import {
  ACL_REQUIRED,
  BYTES_SENT,
  fieldCount,
  fieldLength,
  fieldText,
  further,
  furtherEnd,
  HTTP_STATUS,
  TIME,
  TURN_AROUND_TIME,
} from './s3-access-line';
import { MICROS_PER_DAY, NO_TIME } from './time';

/** Number of the column of a line's first field; the others follow in their order. */
export let firstFieldColumn: i32 = 0;

/** 2006-01-01, the year of S3's first release: nothing is older. */
const EARLIEST_TIME: i64 = 13_149 * MICROS_PER_DAY;
const DASH: u8 = 0x2d;
// `Yes`, little-endian.
const WORD_YES: u32 = 0x736559;
const THREE_BYTES: u32 = 0xffffff;

export function beginLine(): void {
  beginRowTexts();
  beginExtra();
}

/** Keeps a line whose bytes are not UTF-8, each byte as the character of its number (Latin-1), so that none is lost. */
export function putAsDelivered(text: usize, length: usize): void {
  putExtraBytes('line_latin1', text, length);
}

/** Call after beginLine(). */
export function putLine(recordNo: i32): void {
  for (let field = 0; field < fieldCount; field++) {
    const text = fieldText(field);
    const length = fieldLength(field);
    const column = firstFieldColumn + field;
    const isAbsent = length == 1 && load<u8>(text) == DASH;
    if (field == ACL_REQUIRED) putAclRequired(column, text, length, isAbsent);
    else if (isAbsent) continue;
    else if (field == TIME) putTime(column, text, length);
    else if (field == HTTP_STATUS || (field >= BYTES_SENT && field <= TURN_AROUND_TIME)) putNumber(field, column, text, length);
    else putText(column, text, length);
  }
  if (further != 0) putExtra('further_fields', further, furtherEnd - further);
  endExtra(extraColumn);
  putIdentity();
  putLong(logFileColumn, logFile);
  putInteger(recordNoColumn, recordNo);
  const day = hasValue(eventTimeColumn) ? <i32>(load<i64>(valueAt(eventTimeColumn, 8)) / MICROS_PER_DAY) : deliveredDay;
  store<i32>(eventDays + ((<usize>rows) << 2), day);
  enterRowTexts();
}

function putTime(column: i32, text: usize, length: usize): void {
  const time = length == LOG_TIME_LENGTH ? readLogTime(text) : NO_TIME;
  if (time == NO_TIME || time < EARLIEST_TIME || time > latestTime) putExtra('event_time', text, length);
  else putLong(column, time);
}

/** AWS writes `Yes`, or `-` when no ACL was needed. */
function putAclRequired(column: i32, text: usize, length: usize, isAbsent: bool): void {
  const isYes = length == 3 && (load<u32>(text) & THREE_BYTES) == WORD_YES;
  if (isYes || isAbsent) putBoolean(column, isYes);
  else putExtra('acl_required', text, length);
}

/** So many digits always fit into 64 bits. */
const SAFE_DIGITS: usize = 18;

function putNumber(field: i32, column: i32, text: usize, length: usize): void {
  const isNegative = load<u8>(text) == DASH;
  let at = isNegative ? text + 1 : text;
  const end = text + length;
  if (end - at > SAFE_DIGITS) return putExtra(nameOf(field), text, length);
  let value: i64 = 0;
  for (; at < end; at++) {
    const digit = <u32>load<u8>(at) - 0x30;
    if (digit > 9) return putExtra(nameOf(field), text, length);
    value = value * 10 + digit;
  }
  if (field == HTTP_STATUS) putInteger(column, <i32>value);
  else putLong(column, isNegative ? -value : value);
}

/** Columns of numbers by their names. */
function nameOf(field: i32): string {
  if (field == HTTP_STATUS) return 'http_status';
  if (field == BYTES_SENT) return 'bytes_sent';
  if (field == BYTES_SENT + 1) return 'object_size';
  return field == TURN_AROUND_TIME ? 'turn_around_time_ms' : 'total_time_ms';
}
