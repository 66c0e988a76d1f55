/** Dictionaries: for string columns whose values repeat, each distinct value once and its number for each row. Rows are entered while their text is in the cache. */
import { columnInfo, INLINE_BYTES, rows, SLOT_BYTES, slotLength, slotText } from './columns';
import { columnCount, dictionaryInfos } from './layout';
import { sameText } from './text';

/** Beyond this many distinct values a dictionary saves too little. */
export const MAX_ENTRIES: i32 = 5120;
/** Places of a hash table: at least twice the entries, so that runs of taken places stay short. */
export const PLACES: i32 = 16384;
/** Values after which a column is judged; fewer rows are not worth a dictionary. */
const JUDGED_VALUES: i32 = 512;
/** A column is given up when more than one of this many values is new. */
const NEW_SHARE: i32 = 4;
/** A longer search means texts that were made to collide. */
const MAX_PROBES: i32 = 64;

/** Of a string column: places for its dictionary, or 0 for other columns; and how far it is. */
@unmanaged
export class Dictionary {
  /** u16 a row. */
  codes: usize;
  /** String slots. */
  entries: usize;
  /** For each place of the hash table the number of an entry plus 1, or 0. */
  places: usize;
  size: i32;
  values: i32;
  isGivenUp: u32;
}

/** Columns that got a text in the row being filled. */
const textColumns: usize = memory.data(256);
let textColumnCount: i32 = 0;

// @ts-ignore: decorator
@inline
export function dictionaryOf(column: i32): Dictionary {
  return changetype<Dictionary>(dictionaryInfos + ((<usize>column) << 5));
}

export function clearDictionaries(): void {
  for (let column = 0; column < columnCount; column++) {
    const dictionary = dictionaryOf(column);
    if (!dictionary.codes) continue;
    if (dictionary.size > 0) memory.fill(dictionary.places, 0, PLACES << 1);
    dictionary.size = 0;
    dictionary.values = 0;
    dictionary.isGivenUp = 0;
  }
}

export function beginRowTexts(): void {
  textColumnCount = 0;
}

// @ts-ignore: decorator
@inline
export function noteText(column: i32): void {
  store<u8>(textColumns + textColumnCount++, <u8>column);
}

/** Enters the texts of the row being filled, which is complete now: what a rejected record left would not stay in memory. */
export function enterRowTexts(): void {
  for (let i = 0; i < textColumnCount; i++) {
    const column = <i32>load<u8>(textColumns + i);
    const dictionary = dictionaryOf(column);
    if (!dictionary.isGivenUp && !enter(dictionary, columnInfo(column).data + <usize>rows * SLOT_BYTES))
      dictionary.isGivenUp = 1;
  }
}

/** False when the column is not worth a dictionary. */
function enter(dictionary: Dictionary, slot: usize): bool {
  const values = ++dictionary.values;
  let place = hash(slot) & (PLACES - 1);
  for (let probe = 0; probe < MAX_PROBES; probe++) {
    const number = <i32>load<u16>(dictionary.places + ((<usize>place) << 1));
    if (number == 0) {
      const size = dictionary.size;
      if (size == MAX_ENTRIES || (values >= JUDGED_VALUES && size * NEW_SHARE > values)) return false;
      store<u16>(dictionary.places + ((<usize>place) << 1), <u16>(size + 1));
      memory.copy(dictionary.entries + <usize>size * SLOT_BYTES, slot, SLOT_BYTES);
      store<u16>(dictionary.codes + ((<usize>rows) << 1), <u16>size);
      dictionary.size = size + 1;
      return true;
    }
    if (sameSlot(dictionary.entries + <usize>(number - 1) * SLOT_BYTES, slot)) {
      store<u16>(dictionary.codes + ((<usize>rows) << 1), <u16>(number - 1));
      return true;
    }
    place = (place + 1) & (PLACES - 1);
  }
  return false;
}

/** All of the text: identities and parameters differ in a few bytes anywhere. Equality is decided by sameSlot(). */
function hash(slot: usize): i32 {
  const length = slotLength(slot);
  if (length <= INLINE_BYTES) return mixed(load<u64>(slot + 4) ^ rotl<u64>(load<u32>(slot + 12), 29), length);
  const text = slotText(slot);
  // Two chains, which the processor follows side by side; the last 16 bytes overlap with those before.
  let one: u64 = load<u64>(text);
  let other: u64 = load<u64>(text + length - 8);
  for (let at: usize = 8; at + 16 <= length; at += 16) {
    one = (rotl<u64>(one, 23) ^ load<u64>(text + at)) * GOLDEN;
    other = (rotl<u64>(other, 23) ^ load<u64>(text + at + 8)) * GOLDEN;
  }
  if (length > 16) one ^= rotl<u64>(load<u64>(text + length - 16), 31);
  return mixed(one ^ rotl<u64>(other, 37), length);
}

/** The golden ratio: multiplying by it spreads the bits upwards. */
const GOLDEN: u64 = 0x9e3779b97f4a7c15;

function mixed(bits: u64, length: usize): i32 {
  return <i32>(((bits ^ (bits >> 32) ^ length) * GOLDEN) >> 40);
}

// @ts-ignore: decorator
@inline
function sameSlot(one: usize, other: usize): bool {
  // Length and first four bytes.
  if (load<u64>(one) != load<u64>(other)) return false;
  const length = slotLength(one);
  return length <= INLINE_BYTES
    ? load<u64>(one + 8) == load<u64>(other + 8)
    : sameText(slotText(one), slotText(other), length);
}

/** Entries of the column's dictionary over the rows so far; 0 when it has none worth using. */
export function dictionarySize(column: i32): i32 {
  const dictionary = dictionaryOf(column);
  const size = dictionary.size;
  return dictionary.isGivenUp || dictionary.values < JUDGED_VALUES || size * NEW_SHARE > dictionary.values ? 0 : size;
}
