/** One record: validates it and fills a row with what its keys hold, in one pass. */
import {
  clearRow,
  hasValue,
  putBoolean,
  putInteger,
  putLong,
  putText,
  rows,
  SLOT_BYTES,
  slotLength,
  slotText,
  valueAt,
} from './columns';
import { beginRowTexts, enterRowTexts } from './dictionary';
import { putIdentity } from './identity';
import {
  CLOSE_OBJECT,
  clearLoneSurrogate,
  COLON,
  COMMA,
  fail,
  hasEscapes,
  hasLoneSurrogate,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  REJECT_JSON_INVALID,
  skipSpace,
  stringEnd,
  valueEnd,
} from './json';
import { findEscapedKey, findKey, keyInfo } from './keys';
import {
  CONTEXT_RECORD,
  deliveredDay,
  eventCategoryColumn,
  eventDays,
  eventSourceColumn,
  eventTimeColumn,
  eventTypeColumn,
  extraColumn,
  FLAG_IDENTIFIES,
  KIND_BOOLEAN,
  KIND_DIGEST,
  KIND_EVENT_TIME,
  KIND_INSIGHT,
  KIND_JSON,
  KIND_OBJECT,
  KIND_RECORDS,
  KIND_TEXT,
  latestTime,
  logFile,
  logFileColumn,
  NO_COLUMN,
  recordLimit,
  recordNoColumn,
} from './layout';
import { ensureMemory, isUtf8, rewriteLoneSurrogates, sameText, scratchEnd, takeScratch, unescape } from './text';
import { EARLIEST_TIME, MICROS_PER_DAY, NO_TIME, readTime } from './time';

// Failures of readRecord() that are none: the object turned out to be something else.
export const FOUND_RECORDS: i32 = -1;
export const FOUND_DIGEST: i32 = -2;

// Verdicts of acceptRecord() beside the reasons for a reject.
export const ACCEPTED: i32 = 0;
export const IS_INSIGHT: i32 = -3;

export const REJECT_INVALID_UTF8: i32 = 3;
export const REJECT_NOT_CLOUDTRAIL_RECORD: i32 = 4;
export const REJECT_RECORDS_NOT_ARRAY: i32 = 5;

/** A record with any of CloudTrail's own keys, broken or whole, was seen in this file. */
export let seenCloudtrail: bool = false;

export function forgetFile(): void {
  seenCloudtrail = false;
}

/** By number of key: the serial number of the last record that had it. */
const lastRecordWithKey: usize = memory.data(256 * 4, 4);
let serial: u32 = 0;

/**
 * Members of the record that have no column, as runs of text: pairs of start and end. Members that follow each other share a run, and a run ends only at a
 * known key's first occurrence: so there are at most as many runs as known keys, and one more.
 */
const extraRuns: usize = memory.data(257 * 8, 4);
let extraRunCount: i32 = 0;
/** Whether the member before this one has a column, so that a new run begins. */
let runIsOpen: bool = false;

// What the current record showed.
let recordStart: usize = 0;
let isDocument: bool = false;
let isIdentified: bool = false;
let isInsight: bool = false;
let isRecordsNotArray: bool = false;
let isRewritten: bool = false;

/** The byte after the object at `start`, whose members now fill the row; or 0. At the top of a document it may be the document itself. */
export function readRecord(start: usize, atTop: bool): usize {
  serial++;
  beginRowTexts();
  extraRunCount = 0;
  runIsOpen = false;
  recordStart = start;
  isDocument = atTop;
  isIdentified = false;
  isInsight = false;
  isRecordsNotArray = false;
  isRewritten = false;
  clearLoneSurrogate();
  return readObject(start, CONTEXT_RECORD, 1);
}

/** Judges the record [start, end) that readRecord() passed, and completes its row if it is one. */
export function acceptRecord(start: usize, end: usize, checkUtf8: bool, recordNo: i32): i32 {
  if (isRecordsNotArray) return REJECT_RECORDS_NOT_ARRAY;
  if (isInsight || columnIs(eventCategoryColumn, INSIGHT_CATEGORY, 7) || columnIs(eventTypeColumn, INSIGHT_TYPE, 20))
    return IS_INSIGHT;
  // S3 tells of new log files in records of the same shape, from `aws:s3`.
  if (!isIdentified || columnStartsWith(eventSourceColumn, AWS_COLON, 4)) return REJECT_NOT_CLOUDTRAIL_RECORD;
  if (checkUtf8 && !isUtf8(start, end)) return REJECT_INVALID_UTF8;
  if (hasLoneSurrogate) {
    rewriteLoneSurrogates(start, end);
    clearRow();
    readRecord(start, isDocument);
    isRewritten = true;
  }
  putExtra();
  putIdentity();
  putLong(logFileColumn, logFile);
  putInteger(recordNoColumn, recordNo);
  const day = hasValue(eventTimeColumn) ? <i32>(load<i64>(valueAt(eventTimeColumn, 8)) / MICROS_PER_DAY) : deliveredDay;
  store<i32>(eventDays + ((<usize>rows) << 2), day);
  enterRowTexts();
  return ACCEPTED;
}

// Padded to 32 bytes: sameText() reads in steps of 16.
const INSIGHT_CATEGORY: usize = memory.data<u8>([73, 110, 115, 105, 103, 104, 116, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const INSIGHT_TYPE: usize = memory.data<u8>([
  65, 119, 115, 67, 108, 111, 117, 100, 84, 114, 97, 105, 108, 73, 110, 115, 105, 103, 104, 116, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0,
]);
const AWS_COLON: usize = memory.data<u8>([97, 119, 115, 58, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);

function columnStartsWith(column: i32, text: usize, length: usize): bool {
  if (!hasValue(column)) return false;
  const slot = valueAt(column, SLOT_BYTES);
  return slotLength(slot) >= length && sameText(slotText(slot), text, length);
}

function columnIs(column: i32, text: usize, length: usize): bool {
  return (
    hasValue(column) && slotLength(valueAt(column, SLOT_BYTES)) == length && columnStartsWith(column, text, length)
  );
}

function readObject(start: usize, context: i32, depth: i32): usize {
  let at = skipSpace(start + 1);
  if (load<u8>(at) == CLOSE_OBJECT) return at + 1;
  while (true) {
    if (load<u8>(at) != QUOTE) return fail(at, REJECT_JSON_INVALID);
    const member = at;
    at = stringEnd(at + 1);
    if (at == 0) return 0;
    const key = hasEscapes ? findEscapedKey(context, member + 1, at) : findKey(context, member + 1, at);
    at = skipSpace(at + 1);
    if (load<u8>(at) != COLON) return fail(at, REJECT_JSON_INVALID);
    at = skipSpace(at + 1);
    at = key == 0 ? extraMember(member, at, context, depth) : readField(key, member, at, context, depth);
    if (at == 0) return 0;
    at = skipSpace(at);
    const next = load<u8>(at);
    if (next == CLOSE_OBJECT) return at + 1;
    if (next != COMMA) return fail(at, REJECT_JSON_INVALID);
    at = skipSpace(at + 1);
  }
}

/** Passes a value that has no column. A nested object keeps it in its own raw text; the record itself in `extra`. */
function extraMember(member: usize, value: usize, context: i32, depth: i32): usize {
  const end = valueEnd(value, depth);
  if (end != 0 && context == CONTEXT_RECORD) {
    if (!runIsOpen) {
      runIsOpen = true;
      store<u32>(extraRuns + ((<usize>extraRunCount) << 3), <u32>member);
      extraRunCount++;
    }
    store<u32>(extraRuns + ((<usize>extraRunCount) << 3) - 4, <u32>end);
  }
  return end;
}

/** Passes the value of a known key and fills its column. */
function readField(key: i32, member: usize, value: usize, context: i32, depth: i32): usize {
  const info = keyInfo(key);
  const kind = <i32>info.kind;
  if (info.flags != 0) {
    // What lies beyond the largest record is at hand only if the slices were large.
    if (value - recordStart <= recordLimit) seenCloudtrail = true;
    if (info.flags & FLAG_IDENTIFIES) isIdentified = true;
  }
  if (kind >= KIND_RECORDS) {
    if (kind == KIND_INSIGHT) isInsight = true;
    else if (isDocument) {
      if (kind == KIND_DIGEST) return fail(value, FOUND_DIGEST);
      if (load<u8>(value) == OPEN_ARRAY) return fail(value, FOUND_RECORDS);
      isRecordsNotArray = true;
    }
    return extraMember(member, value, context, depth);
  }
  const last = lastRecordWithKey + ((<usize>key) << 2);
  if (load<u32>(last) == serial) return extraMember(member, value, context, depth);
  store<u32>(last, serial);
  if (context == CONTEXT_RECORD) runIsOpen = false;

  const byte = load<u8>(value);
  // Only null begins with an n.
  if (byte == 0x6e) return valueEnd(value, depth);
  const column = <i32>info.column;
  if (kind == KIND_TEXT) {
    if (byte != QUOTE) {
      const end = valueEnd(value, depth);
      if (end != 0) putText(column, value, end - value);
      return end;
    }
    const close = stringEnd(value + 1);
    if (close == 0) return 0;
    const length = readContent(value + 1, close);
    putText(column, content, length);
    // A long text stays where it was decoded.
    if (content == scratchEnd) takeScratch(length);
    return close + 1;
  }
  if (kind == KIND_JSON || kind == KIND_OBJECT) {
    const end =
      kind == KIND_OBJECT && byte == OPEN_OBJECT
        ? readObject(value, <i32>info.context, depth + 1)
        : valueEnd(value, depth);
    if (end != 0 && column != NO_COLUMN) putText(column, value, end - value);
    return end;
  }
  const isRead = kind == KIND_BOOLEAN ? readBoolean(column, value, byte) : readTimestamp(column, value, byte, kind);
  return isRead ? valueEnd(value, depth) : extraMember(member, value, context, depth);
}

/** Where the content of the string that readContent() took last is: in the text itself, or decoded at the scratch's end. */
let content: usize = 0;

/** Takes the string content [start, end) that stringEnd() just passed, and returns its length. */
function readContent(start: usize, end: usize): usize {
  content = start;
  if (!hasEscapes) return end - start;
  const length = unescape(start, end);
  content = scratchEnd;
  return length;
}

// Little-endian words of the literals, in lower case.
const WORD_TRUE: u32 = 0x65757274;
const WORD_FALS: u32 = 0x736c6166;
const LETTER_E: u8 = 0x65;
/** Turns letters to lower case, and nothing else into one. */
const TO_LOWER: u32 = 0x20202020;

/** true, false, or either as a string in any case. */
function readBoolean(column: i32, value: usize, byte: u8): bool {
  let text = value;
  let length: usize = byte == 0x74 ? 4 : byte == 0x66 ? 5 : 0;
  if (byte == QUOTE) {
    const close = stringEnd(value + 1);
    if (close == 0) return false;
    length = readContent(value + 1, close);
    text = content;
  }
  const word = load<u32>(text) | TO_LOWER;
  const isTrue = length == 4 && word == WORD_TRUE;
  const isFalse = length == 5 && word == WORD_FALS && (load<u8>(text + 4) | 0x20) == LETTER_E;
  if (isTrue || isFalse) putBoolean(column, isTrue);
  return isTrue || isFalse;
}

function readTimestamp(column: i32, value: usize, byte: u8, kind: i32): bool {
  if (byte != QUOTE) return false;
  const close = stringEnd(value + 1);
  if (close == 0) return false;
  const length = readContent(value + 1, close);
  const time = readTime(content, length);
  if (time == NO_TIME || (kind == KIND_EVENT_TIME && (time < EARLIEST_TIME || time > latestTime))) return false;
  putLong(column, time);
  return true;
}

/** Text of the member that tells of a rewritten record; the same length is reserved for it in every `extra`. */
const REWRITTEN: usize = memory.data<u8>([
  34, 116, 114, 97, 105, 108, 104, 111, 117, 110, 100, 95, 114, 101, 119, 114, 105, 116, 116, 101, 110, 34, 58, 34, 108,
  111, 110, 101, 32, 115, 117, 114, 114, 111, 103, 97, 116, 101, 34,
]);
const REWRITTEN_BYTES: usize = 39;

/** Joins the runs of members without a column into one object. */
function putExtra(): void {
  if (extraRunCount == 0 && !isRewritten) return;
  let bytes = REWRITTEN_BYTES + 3;
  for (let run = 0; run < extraRunCount; run++) bytes += runEnd(run) - runStart(run) + 1;
  ensureMemory(scratchEnd + bytes);
  const start = scratchEnd;
  let to = start;
  for (let run = 0; run < extraRunCount; run++) {
    store<u8>(to++, run == 0 ? OPEN_OBJECT : COMMA);
    const length = runEnd(run) - runStart(run);
    memory.copy(to, runStart(run), length);
    to += length;
  }
  if (isRewritten) {
    store<u8>(to++, extraRunCount == 0 ? OPEN_OBJECT : COMMA);
    memory.copy(to, REWRITTEN, REWRITTEN_BYTES);
    to += REWRITTEN_BYTES;
  }
  store<u8>(to++, CLOSE_OBJECT);
  takeScratch(to - start);
  putText(extraColumn, start, to - start);
}

function runStart(run: i32): usize {
  return load<u32>(extraRuns + ((<usize>run) << 3));
}

function runEnd(run: i32): usize {
  return load<u32>(extraRuns + ((<usize>run) << 3) + 4);
}
