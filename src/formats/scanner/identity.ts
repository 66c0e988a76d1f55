/** The identity of a record: its event id as 128 bits, and a short name of the facts beside it. */
import { SLOT_BYTES, hasValue, rows, slotLength, slotText, valueAt } from './columns';
import {
  accountIdColumn,
  eventIdColumn,
  eventNameColumn,
  eventSourceColumn,
  eventTimeColumn,
  identities,
  identityFlags,
} from './layout';
import { md5, wordA, wordB, wordC, wordD } from './md5';
import { ensureMemory, scratchEnd } from './text';

const UUID_LENGTH: usize = 36;
const DASH: u8 = 0x2d;
/** Unit separator (ASCII): it stands between the facts. */
const SEPARATOR: u8 = 0x1f;
/** Digits of the largest time in microseconds. */
const TIME_DIGITS: usize = 20;
const IDENTITY_BYTES: usize = 24;

let uuidHigh: u64 = 0;
let uuidLow: u64 = 0;

/** Reads a UUID in canonical lower case into uuidHigh and uuidLow; false when the text is none. */
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
  uuidHigh = bswap<u64>(i64x2.extract_lane(bytes, 0));
  uuidLow = bswap<u64>(i64x2.extract_lane(bytes, 1));
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
  let hasIdentity: u8 = 0;
  store<u64>(at, 0);
  store<u64>(at + 8, 0);
  const length = textLength(eventIdColumn);
  if (length > 0) {
    const id = slotText(valueAt(eventIdColumn, SLOT_BYTES));
    if (!readUuid(id, length)) {
      md5(id, length);
      // The digest's bytes in order are the UUID's hexadecimal digits in order, as in CAST(md5(event_id) AS UUID).
      uuidLow = bswap<u64>(<u64>wordC | ((<u64>wordD) << 32));
      uuidHigh = bswap<u64>(<u64>wordA | ((<u64>wordB) << 32));
    }
    store<u64>(at, uuidLow);
    store<u64>(at + 8, uuidHigh);
    hasIdentity = 1;
  }
  store<u8>(identityFlags + rows, hasIdentity);

  const facts = scratchEnd;
  ensureMemory(
    facts + TIME_DIGITS + textLength(eventSourceColumn) + textLength(eventNameColumn) + textLength(accountIdColumn),
  );
  let to = hasValue(eventTimeColumn) ? writeDecimal(load<u64>(valueAt(eventTimeColumn, 8)), facts) : facts;
  to = writeText(eventSourceColumn, to);
  to = writeText(eventNameColumn, to);
  to = writeText(accountIdColumn, to);
  md5(facts, to - facts);
  // The last eight bytes of the digest, least significant first: DuckDB's md5_number_lower().
  store<u64>(at + 16, <u64>wordC | ((<u64>wordD) << 32));
}

function textLength(column: i32): usize {
  return hasValue(column) ? slotLength(valueAt(column, SLOT_BYTES)) : 0;
}

/** Appends the separator and the column's text, which is empty where it has no value. */
function writeText(column: i32, to: usize): usize {
  store<u8>(to, SEPARATOR);
  const length = textLength(column);
  if (length > 0) memory.copy(to + 1, slotText(valueAt(column, SLOT_BYTES)), length);
  return to + 1 + length;
}

function writeDecimal(value: u64, to: usize): usize {
  let digits: usize = 1;
  for (let rest = value / 10; rest != 0; rest /= 10) digits++;
  for (let at = to + digits; at > to; value /= 10) store<u8>(--at, <u8>(0x30 + (value % 10)));
  return to + digits;
}
