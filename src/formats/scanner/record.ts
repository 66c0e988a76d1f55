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
import { rewriteLoneSurrogates, unescape } from './escapes';
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
import {
  asideMarks,
  CONTEXT_RECORD,
  contextCount,
  contextKeys,
  FLAG_OWN,
  KEY_BYTES,
  KIND_BOOLEAN,
  KIND_DIGEST,
  KIND_EVENT_MILLIS,
  KIND_EVENT_TIME,
  KIND_INTEGER,
  KIND_JSON,
  KIND_MARK,
  KIND_OBJECT,
  KIND_RECORDS,
  KIND_TEXT,
  keptContexts,
  keyTexts,
  neededMarks,
  NO_COLUMN,
  refusedMarks,
  TEXT_TEST_BYTES,
  testCount,
  textTests,
} from './json-layout';
import { findEscapedKey, findKey, keyInfo } from './keys';
import {
  deliveredDay,
  eventDays,
  eventTimeColumn,
  extraColumn,
  latestTime,
  logFile,
  logFileColumn,
  recordLimit,
  recordNoColumn,
} from './layout';
import { ensureMemory, isUtf8, sameText, scratchEnd, takeScratch } from './text';
import { EARLIEST_TIME, MICROS_PER_DAY, NO_TIME, readTime } from './time';

// Failures of readRecord() that are none: the object turned out to be something else.
export const FOUND_RECORDS: i32 = -1;
export const FOUND_DIGEST: i32 = -2;

// Verdicts of acceptRecord() beside the reasons for a reject.
export const ACCEPTED: i32 = 0;
/** A record of another table. */
export const SET_ASIDE: i32 = -3;

export const REJECT_INVALID_UTF8: i32 = 3;
export const REJECT_NOT_RECORD: i32 = 4;
export const REJECT_RECORDS_NOT_ARRAY: i32 = 5;

/** A record with any of the format's own keys, broken or whole, was seen in this file. */
export let seenOwn: bool = false;

export function forgetFile(): void {
  seenOwn = false;
}

/** By number of key: the serial number of the last record that had it. */
const lastRecordWithKey: usize = memory.data(256 * 4, 4);
let serial: u32 = 0;

/**
 * Members that have neither a column nor an object around them that has one, as runs of text: start, end and context, each a u32. Members that follow each other
 * share a run, which ends at the first occurrence of a known key or with the object: there are at most two runs for each known key, and one more.
 */
const extraRuns: usize = memory.data(512 * 12, 4);
let extraRunCount: i32 = 0;
/** Context of the run that the next member may lengthen, or -1. */
let openContext: i32 = -1;
/** One bit for each context that has a run. */
let extraContexts: u32 = 0;

// What the current record showed.
let recordStart: usize = 0;
let isDocument: bool = false;
let marks: u32 = 0;
let isRecordsNotArray: bool = false;
let isRewritten: bool = false;

/** The byte after the object at `start`, whose members now fill the row; or 0. At the top of a document it may be the document itself. */
export function readRecord(start: usize, atTop: bool): usize {
  serial++;
  beginRowTexts();
  extraRunCount = 0;
  openContext = -1;
  extraContexts = 0;
  recordStart = start;
  isDocument = atTop;
  marks = 0;
  isRecordsNotArray = false;
  isRewritten = false;
  clearLoneSurrogate();
  return readObject(start, CONTEXT_RECORD, 1);
}

/** Judges the record [start, end) that readRecord() passed, and completes its row if it is one. */
export function acceptRecord(start: usize, end: usize, checkUtf8: bool, recordNo: i32): i32 {
  if (isRecordsNotArray) return REJECT_RECORDS_NOT_ARRAY;
  for (let test = 0; test < testCount; test++) marks |= marksOf(test);
  if (marks & asideMarks) return SET_ASIDE;
  if ((marks & neededMarks) != neededMarks || (marks & refusedMarks) != 0) return REJECT_NOT_RECORD;
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

/** The text that a column must have or begin with, and the marks that this gives. */
@unmanaged
class TextTest {
  column: u8;
  isPrefix: u8;
  length: u16;
  marks: u32;
}

function marksOf(test: i32): u32 {
  const at = textTests + <usize>(test * TEXT_TEST_BYTES);
  const info = changetype<TextTest>(at);
  if (!hasValue(info.column)) return 0;
  const slot = valueAt(info.column, SLOT_BYTES);
  const length = slotLength(slot);
  if (info.isPrefix ? length < info.length : length != info.length) return 0;
  return sameText(slotText(slot), at + 16, info.length) ? info.marks : 0;
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

/** Passes a value that has no column. An object with a column keeps it in its own raw text; otherwise `extra` does. */
function extraMember(member: usize, value: usize, context: i32, depth: i32): usize {
  const end = valueEnd(value, depth);
  if (end != 0 && ((keptContexts >> context) & 1) != 0) {
    if (openContext != context) {
      openContext = context;
      extraContexts |= 1 << context;
      const run = extraRuns + <usize>extraRunCount * 12;
      store<u32>(run, <u32>member);
      store<u32>(run + 8, context);
      extraRunCount++;
    }
    store<u32>(extraRuns + <usize>extraRunCount * 12 - 8, <u32>end);
  }
  return end;
}

/** Passes the value of a known key and fills its column. */
function readField(key: i32, member: usize, value: usize, context: i32, depth: i32): usize {
  const info = keyInfo(key);
  const kind = <i32>info.kind;
  if (info.flags != 0) {
    // What lies beyond the largest record is at hand only if the slices were large.
    if ((info.flags & FLAG_OWN) != 0 && value - recordStart <= recordLimit) seenOwn = true;
    marks |= info.flags;
  }
  if (kind >= KIND_RECORDS) {
    if (isDocument && kind != KIND_MARK) {
      if (kind == KIND_DIGEST) return fail(value, FOUND_DIGEST);
      if (load<u8>(value) == OPEN_ARRAY) return fail(value, FOUND_RECORDS);
      isRecordsNotArray = true;
    }
    return extraMember(member, value, context, depth);
  }
  const last = lastRecordWithKey + ((<usize>key) << 2);
  if (load<u32>(last) == serial) return extraMember(member, value, context, depth);
  store<u32>(last, serial);
  openContext = -1;

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
    if (column == NO_COLUMN && byte != OPEN_OBJECT) return extraMember(member, value, context, depth);
    const end =
      kind == KIND_OBJECT && byte == OPEN_OBJECT
        ? readObject(value, <i32>info.context, depth + 1)
        : valueEnd(value, depth);
    if (end != 0 && column != NO_COLUMN) putText(column, value, end - value);
    return end;
  }
  const isRead =
    kind == KIND_BOOLEAN
      ? readBoolean(column, value, byte)
      : kind >= KIND_EVENT_MILLIS
        ? readInteger(column, value, kind)
        : readTimestamp(column, value, byte, kind);
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

const MINUS: u8 = 0x2d;
const POINT: u8 = 0x2e;
const MICROS_PER_MILLI: i64 = 1000;

/** A number without fraction or exponent that the column can hold. */
function readInteger(column: i32, value: usize, kind: i32): bool {
  const isNegative = load<u8>(value) == MINUS;
  let at = isNegative ? value + 1 : value;
  const digits = at;
  let magnitude: u64 = 0;
  for (; <u32>load<u8>(at) - 0x30 < 10; at++) {
    // Whatever follows, another digit would be too much.
    if (magnitude > <u64>i64.MAX_VALUE / 10) return false;
    magnitude = magnitude * 10 + (load<u8>(at) - 0x30);
  }
  const next = load<u8>(at);
  if (at == digits || next == POINT || (next | 0x20) == LETTER_E) return false;
  if (magnitude > <u64>i64.MAX_VALUE + (isNegative ? 1 : 0)) return false;
  const number = isNegative ? -(<i64>magnitude) : <i64>magnitude;
  if (kind == KIND_INTEGER) {
    if (number < i32.MIN_VALUE || number > i32.MAX_VALUE) return false;
    putInteger(column, <i32>number);
    return true;
  }
  if (kind == KIND_EVENT_MILLIS) {
    if (number < EARLIEST_TIME / MICROS_PER_MILLI || number > latestTime / MICROS_PER_MILLI) return false;
    putLong(column, number * MICROS_PER_MILLI);
    return true;
  }
  putLong(column, number);
  return true;
}

/** Text of the member that tells of a rewritten record; the same length is reserved for it in every `extra`. */
const REWRITTEN: usize = memory.data<u8>([
  34, 116, 114, 97, 105, 108, 104, 111, 117, 110, 100, 95, 114, 101, 119, 114, 105, 116, 116, 101, 110, 34, 58, 34, 108,
  111, 110, 101, 32, 115, 117, 114, 114, 111, 103, 97, 116, 101, 34,
]);
const REWRITTEN_BYTES: usize = 39;

/** Joins the runs of members without a column into one object; those of a nested object into one of its name inside. */
function putExtra(): void {
  if (extraRunCount == 0 && !isRewritten) return;
  let bytes = REWRITTEN_BYTES + 3;
  for (let run = 0; run < extraRunCount; run++) bytes += runEnd(run) - runStart(run) + 1;
  // Quotes, colon, braces and comma of a nested object.
  if (extraContexts > 1) bytes += <usize>contextCount * (<usize>KEY_BYTES + 6);
  ensureMemory(scratchEnd + bytes);
  const start = scratchEnd;
  let to = start;
  store<u8>(to++, OPEN_OBJECT);
  to = putRuns(CONTEXT_RECORD, to);
  for (let context = CONTEXT_RECORD + 1; extraContexts >> context != 0; context++) {
    if (((extraContexts >> context) & 1) == 0) continue;
    to = putComma(start, to);
    const key = <i32>load<u8>(contextKeys + context);
    const length = <usize>keyInfo(key).length;
    store<u8>(to++, QUOTE);
    memory.copy(to, keyTexts + <usize>(key * KEY_BYTES), length);
    to += length;
    store<u8>(to++, QUOTE);
    store<u8>(to++, COLON);
    store<u8>(to++, OPEN_OBJECT);
    to = putRuns(context, to);
    store<u8>(to++, CLOSE_OBJECT);
  }
  if (isRewritten) {
    to = putComma(start, to);
    memory.copy(to, REWRITTEN, REWRITTEN_BYTES);
    to += REWRITTEN_BYTES;
  }
  store<u8>(to++, CLOSE_OBJECT);
  takeScratch(to - start);
  putText(extraColumn, start, to - start);
}

/** A comma, unless nothing is before it in the object that began at `start`. */
function putComma(start: usize, to: usize): usize {
  if (to == start + 1) return to;
  store<u8>(to, COMMA);
  return to + 1;
}

function putRuns(context: i32, to: usize): usize {
  let isFirst = true;
  for (let run = 0; run < extraRunCount; run++) {
    if (<i32>load<u32>(extraRuns + <usize>run * 12 + 8) != context) continue;
    if (!isFirst) store<u8>(to++, COMMA);
    isFirst = false;
    const length = runEnd(run) - runStart(run);
    memory.copy(to, runStart(run), length);
    to += length;
  }
  return to;
}

function runStart(run: i32): usize {
  return load<u32>(extraRuns + <usize>run * 12);
}

function runEnd(run: i32): usize {
  return load<u32>(extraRuns + <usize>run * 12 + 4);
}
