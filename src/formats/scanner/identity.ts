/** The identity of a record: its id as 128 bits, and a short name of the facts beside it. Which columns they are the table says. */
import { SLOT_BYTES, hasValue, rows, slotLength, slotText, valueAt } from './columns';
import {
  factCount,
  idCount,
  IDENTITY_INTEGER,
  IDENTITY_TEXT,
  identities,
  identityColumns,
  identityFlags,
} from './layout';
import { md5, wordA, wordB, wordC, wordD } from './md5';
import { ensureMemory, scratchEnd } from './text';

const UUID_LENGTH: usize = 36;
const DASH: u8 = 0x2d;
/** Unit separator (ASCII): it stands between values. */
const SEPARATOR: u8 = 0x1f;
const MINUS: u8 = 0x2d;
/** Digits of the longest number, and its sign. */
const NUMBER_BYTES: usize = 20;
const IDENTITY_BYTES: usize = 24;

let idHigh: u64 = 0;
let idLow: u64 = 0;

/** Reads a UUID in canonical lower case into idHigh and idLow; false when the text is none. */
function readUuid(text: usize, length: usize): bool {
  if (length != UUID_LENGTH) return false;
  if (
    load<u8>(text + 8) != DASH ||
    load<u8>(text + 13) != DASH ||
    load<u8>(text + 18) != DASH ||
    load<u8>(text + 23) != DASH
  )
    return false;
  const start = v128.load(text);
  const middle = v128.load(text + 16);
  const end = v128.load32_zero(text + 32);
  // The hexadecimal digits without the dashes: 16 for each half.
  const high = i8x16.shuffle(start, middle, 0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16, 17);
  const low = i8x16.shuffle(middle, end, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19);
  const highDigits = i8x16.sub(high, i8x16.splat(0x30));
  const lowDigits = i8x16.sub(low, i8x16.splat(0x30));
  const highLetters = i8x16.sub(high, i8x16.splat(0x61));
  const lowLetters = i8x16.sub(low, i8x16.splat(0x61));
  const ten = i8x16.splat(10);
  const six = i8x16.splat(6);
  const highIsDigit = i8x16.lt_u(highDigits, ten);
  const lowIsDigit = i8x16.lt_u(lowDigits, ten);
  const valid = v128.and(
    v128.or(highIsDigit, i8x16.lt_u(highLetters, six)),
    v128.or(lowIsDigit, i8x16.lt_u(lowLetters, six)),
  );
  if (!i8x16.all_true(valid)) return false;
  const bytes = i8x16.narrow_i16x8_u(
    joinNibbles(v128.bitselect(highDigits, i8x16.add(highLetters, ten), highIsDigit)),
    joinNibbles(v128.bitselect(lowDigits, i8x16.add(lowLetters, ten), lowIsDigit)),
  );
  idHigh = bswap<u64>(i64x2.extract_lane(bytes, 0));
  idLow = bswap<u64>(i64x2.extract_lane(bytes, 1));
  return true;
}

/** Two nibbles a lane become one byte a lane: the first is the more significant. */
// @ts-ignore: decorator
@inline
function joinNibbles(nibbles: v128): v128 {
  return v128.and(v128.or(i16x8.shl(nibbles, 4), i16x8.shr_u(nibbles, 8)), i16x8.splat(0xff));
}

/** Writes the identity of the row being filled. */
export function putIdentity(): void {
  const at = identities + <usize>rows * IDENTITY_BYTES;
  const hasIdentity = readId();
  store<u64>(at, hasIdentity ? idLow : 0);
  store<u64>(at + 8, hasIdentity ? idHigh : 0);
  store<u8>(identityFlags + rows, hasIdentity ? 1 : 0);
  const facts = scratchEnd;
  md5(facts, writeValues(idCount, idCount + factCount) - facts);
  // The last eight bytes of the digest, least significant first: DuckDB's md5_number_lower().
  store<u64>(at + 16, <u64>wordC | ((<u64>wordD) << 32));
}

/** A lone id that is a UUID is its own 128 bits; any other id is the MD5 of its values. False when the first of them is absent or empty. */
function readId(): bool {
  const first = columnAt(0);
  if (!hasValue(first) || (kindAt(0) == IDENTITY_TEXT && textLength(first) == 0)) return false;
  if (idCount == 1 && kindAt(0) == IDENTITY_TEXT) {
    const id = slotText(valueAt(first, SLOT_BYTES));
    const length = textLength(first);
    if (readUuid(id, length)) return true;
    md5(id, length);
  } else {
    const text = scratchEnd;
    md5(text, writeValues(0, idCount) - text);
  }
  // The digest's bytes in order are the UUID's hexadecimal digits in order, as in CAST(md5(…) AS UUID).
  idLow = bswap<u64>(<u64>wordC | ((<u64>wordD) << 32));
  idHigh = bswap<u64>(<u64>wordA | ((<u64>wordB) << 32));
  return true;
}

// @ts-ignore: decorator
@inline
function columnAt(index: i32): i32 {
  return <i32>load<u8>(identityColumns + ((<usize>index) << 1));
}

// @ts-ignore: decorator
@inline
function kindAt(index: i32): i32 {
  return <i32>load<u8>(identityColumns + ((<usize>index) << 1) + 1);
}

function textLength(column: i32): usize {
  return hasValue(column) ? slotLength(valueAt(column, SLOT_BYTES)) : 0;
}

/** Writes the columns' values at the scratch's end, with separators between them and nothing for absent ones; returns where they end. */
function writeValues(from: i32, to: i32): usize {
  let bytes: usize = 0;
  for (let index = from; index < to; index++)
    bytes += 1 + (kindAt(index) == IDENTITY_TEXT ? textLength(columnAt(index)) : NUMBER_BYTES);
  ensureMemory(scratchEnd + bytes);
  let at = scratchEnd;
  for (let index = from; index < to; index++) {
    if (index > from) store<u8>(at++, SEPARATOR);
    const column = columnAt(index);
    if (!hasValue(column)) continue;
    const kind = kindAt(index);
    if (kind == IDENTITY_TEXT) {
      const length = textLength(column);
      memory.copy(at, slotText(valueAt(column, SLOT_BYTES)), length);
      at += length;
    } else
      at = writeDecimal(kind == IDENTITY_INTEGER ? <i64>load<i32>(valueAt(column, 4)) : load<i64>(valueAt(column, 8)), at);
  }
  return at;
}

function writeDecimal(value: i64, to: usize): usize {
  if (value < 0) store<u8>(to++, MINUS);
  let magnitude = value < 0 ? <u64>-value : <u64>value;
  let digits: usize = 1;
  for (let rest = magnitude / 10; rest != 0; rest /= 10) digits++;
  for (let at = to + digits; at > to; magnitude /= 10) store<u8>(--at, <u8>(0x30 + (magnitude % 10)));
  return to + digits;
}
