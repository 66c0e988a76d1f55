/**
 * The document around the records: finds each record of a file that arrives in slices, and what stands for none. Each byte ends up in a record, in a reject or
 * in the frame. What is decided follows from the file's bytes alone, never from where a slice ends.
 */
import { clearRow, endRow, rows } from './columns';
import {
  BACKSLASH,
  CLOSE_ARRAY,
  CLOSE_OBJECT,
  COLON,
  COMMA,
  failedAt,
  failure,
  memberValue,
  OPEN_ARRAY,
  OPEN_OBJECT,
  QUOTE,
  REJECT_JSON_INVALID,
  skipSpace,
  stringEnd,
  valueEnd,
} from './json';
import { findKey, keyInfo } from './keys';
import { CONTEXT_RECORD, FLAG_BEGINS, KEY_BYTES, KIND_RECORDS } from './json-layout';
import { maxRows, recordLimit, scratchBase, textBase } from './layout';
import { ACCEPTED, acceptRecord, forgetFile, FOUND_DIGEST, readRecord, SET_ASIDE } from './record';
import { PADDING } from './text';

export const REJECT_TRUNCATED: i32 = 6;
export const REJECT_TRAILING_GARBAGE: i32 = 7;
export const REJECT_RECORD_NOT_OBJECT: i32 = 8;
export const REJECT_RECORD_TOO_LARGE: i32 = 9;

/** What scan() answers: everything was decoded or waits for more bytes, or the next record needs a row that the window does not have. */
export const SCANNED_ALL: i32 = 0;
export const WINDOW_FULL: i32 = 1;
/** A step that leads to another one. */
const GO_ON: i32 = 2;

/** A reject keeps this many bytes of its text. */
export const REJECT_TEXT_BYTES: i32 = 65_536;

@external('host', 'reject')
declare function hostReject(
  recordNo: i32,
  offset: f64,
  length: f64,
  reason: i32,
  errorOffset: f64,
  errorByte: i32,
  text: usize,
  textLength: i32,
): void;

@external('host', 'setAside')
declare function hostSetAside(recordNo: i32, offset: f64, length: f64, text: usize, textLength: i32): void;

// Where in the document the cursor is.
const AT_START: i32 = 0;
const BETWEEN_VALUES: i32 = 1;
const BEFORE_ELEMENT: i32 = 2;
const AFTER_ELEMENT: i32 = 3;
const AFTER_ARRAY: i32 = 4;
const IN_BROKEN: i32 = 5;
const DRAINING: i32 = 6;

let state: i32 = AT_START;
/** Whether the array being read is the `Records` of an object, or stands alone. */
let arrayHasFrame: bool = false;
/** All before it is decoded. */
let cursor: usize = 0;
/** End of the bytes at hand. NULs follow. */
let end: usize = 0;
/** No more bytes will come. */
let isLast: bool = false;
/** File offset = address + shift. Moving bytes changes the shift. */
let shift: f64 = 0;
/** A record that was incomplete is tried again when the bytes reach this address: at twice its size, so that trying stays linear. */
let retryAt: usize = 0;
let nextRecordNo: i32 = 0;
/** Values at the top of the file so far. */
export let topValues: i32 = 0;

/** Rows of the file in all windows so far, not only this one. */
export let fileRows: i32 = 0;
/** Documents `{"Records": […]}` so far. */
export let framesSeen: i32 = 0;
export let isDigest: bool = false;
/** The file is records that came out of envelopes: no object is a document around records, and none a digest. */
export let isUnwrapped: bool = false;

// Bytes at hand that may not be UTF-8.
let suspectFrom: usize = 0;
let suspectEnd: usize = 0;

export function openText(): void {
  cursor = textBase;
  end = textBase;
}

export function beginFile(): void {
  cursor = end;
  shift = -(<f64>end);
  state = AT_START;
  arrayHasFrame = false;
  retryAt = 0;
  nextRecordNo = 0;
  topValues = 0;
  fileRows = 0;
  framesSeen = 0;
  isDigest = false;
  suspectFrom = 0;
  suspectEnd = 0;
  rescanned = 0;
  forgetFile();
}

/** Where the next bytes are to be written. */
export function inputAddress(): usize {
  return end;
}

/** How many there is room for. */
export function inputRoom(): usize {
  return scratchBase - PADDING - end;
}

/** Takes the bytes that were written. */
export function takeInput(bytes: usize, isUtf8: bool): void {
  if (!isUtf8) {
    if (suspectEnd <= cursor) suspectFrom = end;
    suspectEnd = end + bytes;
  }
  end += bytes;
  endWithNuls();
}

function endWithNuls(): void {
  v128.store(end, i64x2.splat(0));
  v128.store(end + 16, i64x2.splat(0));
}

/** A move this far from full leaves a slice room. */
const LITTLE_ROOM: usize = 1 << 20;

/**
 * Moves the bytes that are not decoded to the start of the text. Only while no row of the window points into it; and only where at least as many bytes were
 * decoded, or room is short: so that moving stays linear too.
 */
export function reclaim(): void {
  const keep = state == IN_BROKEN ? brokenStart : cursor;
  if (keep - textBase >= end - keep || inputRoom() < LITTLE_ROOM) moveDown(keep, textBase);
}

/** Moves the bytes from `from` on down to `to`, and every address with them. */
function moveDown(from: usize, to: usize): void {
  const distance = from - to;
  if (distance == 0) return;
  memory.copy(to, from, end - from);
  shift += <f64>distance;
  cursor = movedDown(cursor, distance, to);
  retryAt = movedDown(retryAt, distance, to);
  brokenStart = movedDown(brokenStart, distance, to);
  scanAt = movedDown(scanAt, distance, to);
  markersFrom = movedDown(markersFrom, distance, to);
  errorAt = movedDown(errorAt, distance, to);
  suspectFrom = movedDown(suspectFrom, distance, to);
  suspectEnd = movedDown(suspectEnd, distance, to);
  end -= distance;
  endWithNuls();
}

function movedDown(address: usize, distance: usize, lowest: usize): usize {
  return address < lowest + distance ? lowest : address - distance;
}

function offsetOf(address: usize): f64 {
  return <f64>address + shift;
}

/** Decodes what is at hand. */
export function scan(last: bool): i32 {
  isLast = last;
  if (!last && end < retryAt) return SCANNED_ALL;
  retryAt = 0;
  let step = GO_ON;
  while (step == GO_ON) step = scanStep();
  if (last && step == SCANNED_ALL) finishFile();
  return step;
}

function scanStep(): i32 {
  if (state == BEFORE_ELEMENT) return scanElement();
  if (state == AFTER_ELEMENT) return scanAfterElement();
  if (state == BETWEEN_VALUES) return scanTop();
  if (state == AFTER_ARRAY) return scanAfterArray();
  if (state == IN_BROKEN) return scanBroken();
  if (state == DRAINING) return drain();
  return scanByteOrderMark();
}

/** A file that ends inside an array or its frame was cut, even if no record was. */
function finishFile(): void {
  if (state != BEFORE_ELEMENT && state != AFTER_ELEMENT && state != AFTER_ARRAY) return;
  reject(cursor, end, REJECT_TRUNCATED, end);
  cursor = end;
  state = BETWEEN_VALUES;
}

function scanByteOrderMark(): i32 {
  if (cursor == end) return SCANNED_ALL;
  // EF BB BF
  if (load<u8>(cursor) == 0xef) {
    if (end - cursor < 3 && !isLast) return SCANNED_ALL;
    if (load<u8>(cursor + 1) == 0xbb && load<u8>(cursor + 2) == 0xbf) cursor += 3;
  }
  state = BETWEEN_VALUES;
  return GO_ON;
}

/** Between the values of a file: documents, arrays, records, one or many, with or without line ends or commas between them. */
function scanTop(): i32 {
  cursor = skipSpace(cursor);
  if (cursor >= end) return SCANNED_ALL;
  const byte = load<u8>(cursor);
  if (byte == OPEN_OBJECT) return scanRecord(true);
  if (byte == OPEN_ARRAY) {
    topValues++;
    arrayHasFrame = false;
    state = BEFORE_ELEMENT;
    cursor++;
    return GO_ON;
  }
  if (byte == COMMA && topValues > 0) {
    cursor++;
    return GO_ON;
  }
  return breakAt(cursor, topValues > 0 ? REJECT_TRAILING_GARBAGE : REJECT_JSON_INVALID, cursor);
}

function scanElement(): i32 {
  cursor = skipSpace(cursor);
  if (cursor >= end) return SCANNED_ALL;
  const byte = load<u8>(cursor);
  if (byte == OPEN_OBJECT) return scanRecord(false);
  // After a comma it is an error in the frame, which costs no record.
  if (byte == CLOSE_ARRAY) return closeArray();
  const after = valueEnd(cursor, 1);
  // A number that ends with the bytes at hand may go on.
  if (after == 0 ? failedAt >= end : after >= end && !isLast) return incomplete(cursor);
  if (after == 0) return breakAt(cursor, failure, failedAt);
  if (after - cursor > recordLimit) return breakAt(cursor, REJECT_RECORD_TOO_LARGE, cursor + recordLimit);
  reject(cursor, after, REJECT_RECORD_NOT_OBJECT, cursor);
  cursor = after;
  state = AFTER_ELEMENT;
  return GO_ON;
}

function scanAfterElement(): i32 {
  cursor = skipSpace(cursor);
  if (cursor >= end) return SCANNED_ALL;
  const byte = load<u8>(cursor);
  if (byte == CLOSE_ARRAY) return closeArray();
  if (byte == COMMA) cursor++;
  // A comma that is missing between two records costs neither.
  else if (byte != OPEN_OBJECT) return breakAt(cursor, REJECT_JSON_INVALID, cursor);
  state = BEFORE_ELEMENT;
  return GO_ON;
}

function closeArray(): i32 {
  cursor++;
  state = arrayHasFrame ? AFTER_ARRAY : BETWEEN_VALUES;
  return GO_ON;
}

/** After `Records`, inside the object that holds it: further members are frame. */
function scanAfterArray(): i32 {
  cursor = skipSpace(cursor);
  if (cursor >= end) return SCANNED_ALL;
  const byte = load<u8>(cursor);
  if (byte == CLOSE_OBJECT) {
    cursor++;
    state = BETWEEN_VALUES;
    return GO_ON;
  }
  if (byte != COMMA) return breakAt(cursor, REJECT_JSON_INVALID, cursor);
  const member = skipSpace(cursor + 1);
  const value = memberValue(member);
  if (value != 0 && load<u8>(value) == OPEN_ARRAY) {
    const key = findKey(CONTEXT_RECORD, member + 1, stringEnd(member + 1));
    if (key != 0 && keyInfo(key).kind == <u8>KIND_RECORDS) {
      cursor = value + 1;
      state = BEFORE_ELEMENT;
      return GO_ON;
    }
  }
  const after: usize = value == 0 ? 0 : valueEnd(value, 1);
  if (after == 0 ? failedAt >= end : after >= end && !isLast) return incomplete(cursor);
  if (after == 0) return breakAt(cursor, failure, failedAt);
  if (after - cursor > recordLimit) return breakAt(cursor, REJECT_RECORD_TOO_LARGE, cursor + recordLimit);
  cursor = after;
  return GO_ON;
}

/** The object at the cursor: a record, or at the top of the file perhaps the document that holds the records. */
function scanRecord(atTop: bool): i32 {
  if (rows == maxRows) return WINDOW_FULL;
  const start = cursor;
  const after = readRecord(start, atTop && !isUnwrapped);
  if (after == 0 && failure < 0 && failedAt - start <= recordLimit) {
    clearRow();
    topValues++;
    if (failure == FOUND_DIGEST) {
      isDigest = true;
      state = DRAINING;
      return GO_ON;
    }
    framesSeen++;
    arrayHasFrame = true;
    state = BEFORE_ELEMENT;
    cursor = failedAt + 1;
    return GO_ON;
  }
  if (after == 0) {
    clearRow();
    if (failure > 0 && failedAt >= end) return incomplete(start);
    if (failedAt - start > recordLimit) return breakAt(start, REJECT_RECORD_TOO_LARGE, start + recordLimit);
    return breakAt(start, failure, failedAt);
  }
  if (after - start > recordLimit) {
    clearRow();
    return breakAt(start, REJECT_RECORD_TOO_LARGE, start + recordLimit);
  }
  if (atTop) topValues++;
  const verdict = acceptRecord(start, after, start < suspectEnd && after > suspectFrom, nextRecordNo);
  cursor = after;
  state = atTop ? BETWEEN_VALUES : AFTER_ELEMENT;
  if (verdict == ACCEPTED) {
    endRow();
    fileRows++;
    nextRecordNo++;
    return GO_ON;
  }
  clearRow();
  if (verdict == SET_ASIDE) {
    const length = after - start;
    hostSetAside(nextRecordNo++, offsetOf(start), <f64>length, start, <i32>min<usize>(length, REJECT_TEXT_BYTES));
  } else reject(start, after, verdict, start);
  return GO_ON;
}

// @ts-ignore: decorator
@inline
function incomplete(start: usize): i32 {
  const size = end - start;
  if (size > recordLimit) return breakAt(start, REJECT_RECORD_TOO_LARGE, start + recordLimit);
  if (isLast) return breakAt(start, REJECT_TRUNCATED, end);
  retryAt = start + min<usize>(2 * size, recordLimit + 1);
  return SCANNED_ALL;
}

/** A digest holds no records: its bytes are let go as they come. */
function drain(): i32 {
  shift += <f64>(end - cursor);
  end = cursor;
  endWithNuls();
  return SCANNED_ALL;
}

function reject(start: usize, after: usize, reason: i32, error: usize): void {
  const length = after - start;
  const errorByte = error < end ? <i32>load<u8>(error) : -1;
  hostReject(
    nextRecordNo++,
    offsetOf(start),
    <f64>length,
    reason,
    offsetOf(error),
    errorByte,
    start,
    <i32>min<usize>(length, REJECT_TEXT_BYTES),
  );
}

// What is broken: from where on nothing can be told until the next record.

let brokenStart: usize = 0;
let brokenOffset: f64 = 0;
let brokenReason: i32 = 0;
/** The state that the broken bytes were found in. */
let brokenIn: i32 = 0;
/** Where decoding failed: bytes before it would be decoded again if a record began there. */
let errorAt: usize = 0;
let errorOffset: f64 = 0;
let errorByte: i32 = 0;
/** How far it was searched, and the open levels and strings there. */
let scanAt: usize = 0;
let openLevels: i32 = 0;
let inString: bool = false;
/** No record begins before this. */
let markersFrom: usize = 0;
/** First bytes of a broken stretch that is too long to keep. */
const brokenHead: usize = memory.data(65_536, 16);
let hasBrokenHead: bool = false;
/** Bytes of the file that were decoded more than once, because records were found inside what had failed. */
let rescanned: f64 = 0;

/** How often over a file may be decoded again; beyond that, records inside what failed are given up, so that no input takes more than linear time. */
const MAX_RESCANS: f64 = 4;
const FREE_RESCAN_BYTES: f64 = 1_048_576;

function breakAt(start: usize, reason: i32, error: usize): i32 {
  brokenStart = start;
  brokenOffset = offsetOf(start);
  brokenReason = reason;
  brokenIn = state;
  errorAt = error;
  errorOffset = offsetOf(error);
  errorByte = error < end ? <i32>load<u8>(error) : -1;
  scanAt = start;
  openLevels = 0;
  inString = false;
  markersFrom = start + 1;
  hasBrokenHead = false;
  state = IN_BROKEN;
  return GO_ON;
}

/** A broken stretch longer than this is not kept whole. */
const KEPT_BROKEN_BYTES: usize = 131_072;
/** What recordBegins() may look back at. */
const LOOK_BEHIND: usize = 160;

/**
 * Searches the end of the broken stretch: before the next record that begins, or after the bracket that closes what began, whichever comes first; else the end
 * of the file.
 */
function scanBroken(): i32 {
  // Only what begins with a bracket can be closed by one.
  const closes =
    brokenReason != REJECT_TRAILING_GARBAGE &&
    (hasBrokenHead || isOpening(load<u8>(brokenStart)) || brokenIn == AFTER_ARRAY);
  while (true) {
    const at = nextStructural(scanAt);
    if (at >= end) {
      scanAt = max(scanAt, end);
      return isLast ? endBroken(end, BETWEEN_VALUES) : waitInBroken();
    }
    const byte = load<u8>(at);
    if (byte == BACKSLASH) {
      if (inString && at + 1 >= end && !isLast) {
        scanAt = at;
        return waitInBroken();
      }
      scanAt = at + (inString ? 2 : 1);
      continue;
    }
    if (byte == QUOTE) {
      inString = !inString;
      scanAt = at + 1;
      continue;
    }
    if (byte == OPEN_OBJECT && at >= markersFrom) {
      const begins = recordBegins(at);
      if (begins == NOT_YET_KNOWN) {
        scanAt = at;
        return waitInBroken();
      }
      if (begins == YES && mayRescan(at)) {
        if (brokenReason == REJECT_TRAILING_GARBAGE) brokenReason = REJECT_JSON_INVALID;
        endBroken(separatorStart(at), isInArray() ? BEFORE_ELEMENT : BETWEEN_VALUES);
        cursor = at;
        return GO_ON;
      }
    }
    scanAt = at + 1;
    if (inString) continue;
    if (isOpening(byte)) openLevels++;
    else if (openLevels > 0 && --openLevels == 0 && closes) {
      return endBroken(at + 1, isInArray() ? AFTER_ELEMENT : brokenIn == AFTER_ARRAY ? AFTER_ARRAY : BETWEEN_VALUES);
    }
  }
}

// @ts-ignore: decorator
@inline
function isOpening(byte: u8): bool {
  return byte == OPEN_OBJECT || byte == OPEN_ARRAY;
}

function isInArray(): bool {
  return brokenIn == BEFORE_ELEMENT || brokenIn == AFTER_ELEMENT;
}

/** First bracket, quote or backslash at or after `at`; some address at or after the end when there is none. */
function nextStructural(at: usize): usize {
  const fold = i8x16.splat(0x20);
  while (at < end) {
    const bytes = v128.load(at);
    // Square and curly brackets differ in one bit.
    const folded = v128.or(bytes, fold);
    const brackets = v128.or(i8x16.eq(folded, i8x16.splat(OPEN_OBJECT)), i8x16.eq(folded, i8x16.splat(CLOSE_OBJECT)));
    const others = v128.or(i8x16.eq(bytes, i8x16.splat(QUOTE)), i8x16.eq(bytes, i8x16.splat(BACKSLASH)));
    const stops = i8x16.bitmask(v128.or(brackets, others));
    if (stops != 0) return at + ctz(stops);
    at += 16;
  }
  return at;
}

/** More bytes are needed. A long stretch is let go but for its head and what recordBegins() may look back at. */
function waitInBroken(): i32 {
  if (scanAt - brokenStart > KEPT_BROKEN_BYTES) {
    if (!hasBrokenHead) memory.copy(brokenHead, brokenStart, REJECT_TEXT_BYTES);
    hasBrokenHead = true;
    const start = brokenStart;
    moveDown(min(scanAt, end) - LOOK_BEHIND, start);
    brokenStart = start;
  }
  return SCANNED_ALL;
}

function endBroken(after: usize, nextState: i32): i32 {
  const length = offsetOf(after) - brokenOffset;
  const text = hasBrokenHead ? brokenHead : brokenStart;
  hostReject(
    nextRecordNo++,
    brokenOffset,
    length,
    brokenReason,
    errorOffset,
    errorByte,
    text,
    <i32>min<f64>(length, <f64>REJECT_TEXT_BYTES),
  );
  if (brokenIn == BETWEEN_VALUES) topValues++;
  cursor = after;
  state = nextState;
  return GO_ON;
}

/** Whether decoding again from `at` to the error is within what a file is granted. */
function mayRescan(at: usize): bool {
  if (at >= errorAt) return true;
  const bytes = <f64>(errorAt - at);
  if (rescanned + bytes > MAX_RESCANS * errorOffset + FREE_RESCAN_BYTES) return false;
  rescanned += bytes;
  return true;
}

const NO: i32 = 0;
const YES: i32 = 1;
const NOT_YET_KNOWN: i32 = 2;
/** Spaces between the tokens of a record's beginning; pretty-printed ones have a line end and an indent. */
const MAX_SPACES: usize = 64;

/**
 * Whether a record begins with the brace at `at`, in the midst of what is broken: `{"eventVersion":`, or any other key of a record where the record before is
 * closed or the line begins, or between documents `{"Records":[`.
 */
function recordBegins(at: usize): i32 {
  const unknown = isLast ? NO : NOT_YET_KNOWN;
  let to = skipFewSpaces(at + 1);
  if (to >= end) return unknown;
  if (load<u8>(to) != QUOTE) return NO;
  const key = ++to;
  while (to < end && to - key <= <usize>KEY_BYTES && load<u8>(to) != QUOTE) to++;
  if (to >= end) return unknown;
  const number = load<u8>(to) == QUOTE ? findKey(CONTEXT_RECORD, key, to) : 0;
  if (number == 0) return NO;
  to = skipFewSpaces(to + 1);
  if (to >= end) return unknown;
  if (load<u8>(to) != COLON) return NO;

  const info = keyInfo(number);
  if (info.flags & FLAG_BEGINS) return YES;
  // A large record is probably whole, and then what looks like records is inside it.
  if (brokenReason == REJECT_RECORD_TOO_LARGE) return NO;
  if (info.kind == <u8>KIND_RECORDS) {
    if (isInArray()) return NO;
    to = skipFewSpaces(to + 1);
    if (to >= end) return unknown;
    return load<u8>(to) == OPEN_ARRAY ? YES : NO;
  }
  return info.kind < <u8>KIND_RECORDS && followsRecord(at) ? YES : NO;
}

function skipFewSpaces(at: usize): usize {
  const limit = at + MAX_SPACES;
  while (at < limit && isSpace(load<u8>(at))) at++;
  return at;
}

// @ts-ignore: decorator
@inline
function isSpace(byte: u8): bool {
  return byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09;
}

/** The last byte before `at` that is no space, but not before the broken stretch, and not far away. */
function lastBefore(at: usize): usize {
  const limit = max(brokenStart, at - MAX_SPACES);
  while (at > limit && isSpace(load<u8>(at - 1))) at--;
  return at > limit ? at - 1 : 0;
}

function followsRecord(at: usize): bool {
  if (at > brokenStart && load<u8>(at - 1) == 0x0a) return true;
  let before = lastBefore(at);
  if (before != 0 && load<u8>(before) == COMMA) before = lastBefore(before);
  return before != 0 && load<u8>(before) == CLOSE_OBJECT;
}

/** The comma before the next record, and spaces around it, are frame. */
function separatorStart(at: usize): usize {
  let before = lastBefore(at);
  if (before != 0 && load<u8>(before) == COMMA) before = lastBefore(before);
  return before == 0 ? at : before + 1;
}
