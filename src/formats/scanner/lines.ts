/**
 * The lines of a log file that arrives in slices: each is a record, and nothing but a line end ends one. What is decided follows from the file's bytes alone, never
 * from where a slice ends.
 */
import { endRow, rows } from './columns';
import { maxRows, recordLimit, scratchBase, textBase } from './layout';
import { beginsLikeRecord, failedAt, splitLine } from './s3-access-line';
import { beginLine, putAsDelivered, putLine } from './s3-access-row';
import { isUtf8, PADDING, replaceInvalidUtf8 } from './text';

export const REJECT_RECORD_TOO_LARGE: i32 = 14;
export const REJECT_NUL_BYTE: i32 = 15;
export const REJECT_TRUNCATED: i32 = 16;

/** What scan() answers: everything was decoded or waits for more bytes, or the next line needs a row that the window does not have. */
export const SCANNED_ALL: i32 = 0;
export const WINDOW_FULL: i32 = 1;

/** A reject, or a line that is not UTF-8, keeps this many bytes of its text. */
export const REJECT_TEXT_BYTES: i32 = 65_536;

const LINE_FEED: u8 = 0x0a;
const CARRIAGE_RETURN: u8 = 0x0d;
const SPACE: u8 = 0x20;

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

const AT_START: i32 = 0;
const IN_LINES: i32 = 1;
/** In a line that is too large to keep. */
const IN_GIANT: i32 = 2;

let state: i32 = AT_START;
/** Where the line begins that is not decoded yet. */
let cursor: usize = 0;
/** No line ends between the cursor and here. */
let searchedTo: usize = 0;
/** End of the bytes at hand. */
let end: usize = 0;
/** File offset = address + shift. Moving bytes changes the shift. */
let shift: f64 = 0;
let nextRecordNo: i32 = 0;

/** Rows of the file in all windows so far, not only this one. */
export let fileRows: i32 = 0;
/** A line of the file is a record of this format, or begins as one. */
export let seenOwn: bool = false;

// Bytes at hand that may not be UTF-8.
let suspectFrom: usize = 0;
let suspectEnd: usize = 0;

/** First bytes of a line that is too large, and how many they are so far. */
const giantHead: usize = memory.data(65_536, 16);
let giantHeadBytes: i32 = 0;
let giantOffset: f64 = 0;

export function openText(): void {
  cursor = textBase;
  searchedTo = textBase;
  end = textBase;
}

export function beginFile(): void {
  cursor = end;
  searchedTo = end;
  shift = -(<f64>end);
  state = AT_START;
  nextRecordNo = 0;
  fileRows = 0;
  seenOwn = false;
  suspectFrom = 0;
  suspectEnd = 0;
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
}

/** A move this far from full leaves a slice room. */
const LITTLE_ROOM: usize = 1 << 20;

/**
 * Moves the bytes that are not decoded to the start of the text. Only while no row of the window points into it; and only where at least as many bytes were
 * decoded, or room is short: so that moving stays linear too.
 */
export function reclaim(): void {
  const distance = cursor - textBase;
  if (distance == 0 || (distance < end - cursor && inputRoom() >= LITTLE_ROOM)) return;
  memory.copy(textBase, cursor, end - cursor);
  shift += <f64>distance;
  cursor -= distance;
  searchedTo -= distance;
  end -= distance;
  suspectFrom = movedDown(suspectFrom, distance);
  suspectEnd = movedDown(suspectEnd, distance);
}

function movedDown(address: usize, distance: usize): usize {
  return address < textBase + distance ? textBase : address - distance;
}

function offsetOf(address: usize): f64 {
  return <f64>address + shift;
}

/** Decodes what is at hand. `last`: no more bytes will come, and the file's last line may lack its end; unless the file is cut. */
export function scan(last: bool, isCut: bool): i32 {
  if (state == AT_START) {
    if (end - cursor < 3 && !last) return SCANNED_ALL;
    skipByteOrderMark();
    state = IN_LINES;
  }
  while (true) {
    const lineEnd = lineEndAt(searchedTo);
    const isWhole = lineEnd < end;
    searchedTo = lineEnd;
    if (state == IN_GIANT) {
      if (isWhole || last) endGiant(lineEnd);
      else return dropGiant();
    } else if (lineEnd - cursor > recordLimit) beginGiant();
    else if (!isWhole && (!last || cursor == end)) return SCANNED_ALL;
    else if (rows == maxRows) return WINDOW_FULL;
    else {
      if (isWhole || !isCut) takeLine(lineEnd);
      else reject(cursor, lineEnd, REJECT_TRUNCATED, lineEnd);
      nextLine(lineEnd);
    }
  }
}

/** EF BB BF */
function skipByteOrderMark(): void {
  if (end - cursor < 3 || load<u8>(cursor) != 0xef || load<u8>(cursor + 1) != 0xbb || load<u8>(cursor + 2) != 0xbf)
    return;
  cursor += 3;
  searchedTo = cursor;
}

/** The first line feed at or after `at`, or the end. */
function lineEndAt(at: usize): usize {
  const feeds = i8x16.splat(LINE_FEED);
  for (; at < end; at += 16) {
    const stops = i8x16.bitmask(i8x16.eq(v128.load(at), feeds));
    if (stops != 0) return min<usize>(at + ctz(stops), end);
  }
  return end;
}

function nextLine(lineEnd: usize): void {
  cursor = min(lineEnd + 1, end);
  searchedTo = cursor;
}

/** The line from the cursor to its end: a row, a reject, or nothing when it is empty. */
function takeLine(lineEnd: usize): void {
  const start = cursor;
  let last = lineEnd;
  if (last > start && load<u8>(last - 1) == CARRIAGE_RETURN) last--;
  if (last == start) return;
  while (last > start && load<u8>(last - 1) == SPACE) last--;
  if (!seenOwn) seenOwn = beginsLikeRecord(start, last);
  const nul = nulAt(start, last);
  if (nul != last) return reject(start, lineEnd, REJECT_NUL_BYTE, nul);
  const verdict = splitLine(start, last);
  if (verdict != 0) return reject(start, lineEnd, verdict, failedAt);
  seenOwn = true;
  beginLine();
  if (start < suspectEnd && lineEnd > suspectFrom && !isUtf8(start, last)) {
    putAsDelivered(start, min<usize>(last - start, REJECT_TEXT_BYTES));
    replaceInvalidUtf8(start, last);
  }
  putLine(nextRecordNo);
  endRow();
  fileRows++;
  nextRecordNo++;
}

/** The first NUL in [at, last), or `last`. */
function nulAt(at: usize, last: usize): usize {
  for (; at + 16 <= last; at += 16) if (!i8x16.all_true(v128.load(at))) break;
  while (at < last && load<u8>(at) != 0) at++;
  return at;
}

function reject(start: usize, lineEnd: usize, reason: i32, error: usize): void {
  const length = lineEnd - start;
  const errorByte = error < lineEnd ? <i32>load<u8>(error) : -1;
  const textLength = <i32>min<usize>(length, REJECT_TEXT_BYTES);
  hostReject(nextRecordNo++, offsetOf(start), <f64>length, reason, offsetOf(error), errorByte, start, textLength);
}

function beginGiant(): void {
  if (!seenOwn) seenOwn = beginsLikeRecord(cursor, cursor + recordLimit);
  giantOffset = offsetOf(cursor);
  giantHeadBytes = 0;
  state = IN_GIANT;
}

function keepHead(to: usize): void {
  const bytes = <i32>min<usize>(to - cursor, REJECT_TEXT_BYTES - giantHeadBytes);
  memory.copy(giantHead + giantHeadBytes, cursor, bytes);
  giantHeadBytes += bytes;
}

/** Lets go of the bytes at hand, which are the midst of a line that is too large. */
function dropGiant(): i32 {
  keepHead(end);
  shift += <f64>(end - cursor);
  end = cursor;
  searchedTo = cursor;
  suspectFrom = cursor;
  suspectEnd = cursor;
  return SCANNED_ALL;
}

function endGiant(lineEnd: usize): void {
  keepHead(lineEnd);
  const length = offsetOf(lineEnd) - giantOffset;
  const limit = giantOffset + <f64>recordLimit;
  hostReject(nextRecordNo++, giantOffset, length, REJECT_RECORD_TOO_LARGE, limit, -1, giantHead, giantHeadBytes);
  state = IN_LINES;
  nextLine(lineEnd);
}
