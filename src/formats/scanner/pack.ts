/** Gathers the values of a column's selected rows, as they are stored: texts one behind the other, or each text once and its number per row. */
import { columnInfo, hasBit, SLOT_BYTES, slotLength, slotText } from './columns';
import { dictionaryOf, MAX_ENTRIES } from './dictionary';
import { packBytes, packCodes, packLengths, packRoom, packRows } from './layout';
import { ensureMemory, scratchEnd } from './text';

// What was gathered last: where the texts lie, how many bytes and how many texts they are.
export let packedAt: usize = 0;
export let packedBytes: usize = 0;
export let packedTexts: i32 = 0;

/** The copies below write in steps of so many bytes, past the end of a text: the next one, or nobody, has what lies there. */
const STEP: usize = 16;
/** From here on a call of memory.copy() is worth its price. */
const LONG_TEXT: usize = 256;

/**
 * Gathers the texts of the rows in packRows from number `from` up to `count`, as many as there is room for; returns the number of the first row that is left. A
 * single text that is too large for the room stays where it is.
 */
export function packTexts(column: i32, from: i32, count: i32): i32 {
  const info = columnInfo(column);
  packedAt = packBytes;
  packedTexts = 0;
  let to = packBytes;
  const end = packBytes + packRoom;
  let at = from;
  for (; at < count; at++) {
    const row = <usize>load<i32>(packRows + ((<usize>at) << 2));
    if (!hasBit(info.validity, row)) continue;
    const slot = info.data + row * SLOT_BYTES;
    const length = slotLength(slot);
    const text = slotText(slot);
    if (length > end - to) {
      if (packedTexts > 0) break;
      packedAt = text;
      store<u32>(packLengths, <u32>length);
      packedTexts = 1;
      packedBytes = length;
      return at + 1;
    }
    store<u32>(packLengths + ((<usize>packedTexts) << 2), <u32>length);
    packedTexts++;
    copyText(to, text, length);
    to += length;
  }
  packedBytes = to - packBytes;
  return at;
}

/** For each entry of a dictionary the number that packRepeated() gave it plus 1, or 0. */
const newNumbers: usize = memory.data(MAX_ENTRIES * 2, 8);

/**
 * Gathers the values of the first `count` rows in packRows of a column with a dictionary: at packCodes the number of each, at packedAt the texts that occur in the
 * order of their numbers, each behind its length as a u32. Returns how many rows have a value.
 */
export function packRepeated(column: i32, count: i32): i32 {
  const validity = columnInfo(column).validity;
  const dictionary = dictionaryOf(column);
  let size: usize = 0;
  for (let entry = 0; entry < dictionary.size; entry++) size += 4 + slotLength(entryAt(dictionary.entries, entry));
  ensureMemory(scratchEnd + size);
  memory.fill(newNumbers, 0, (<usize>dictionary.size) << 1);
  packedAt = scratchEnd;
  packedTexts = 0;
  let to = packedAt;
  let code = packCodes;
  for (let at = 0; at < count; at++) {
    const row = <usize>load<i32>(packRows + ((<usize>at) << 2));
    if (!hasBit(validity, row)) continue;
    const entry = <i32>load<u16>(dictionary.codes + (row << 1));
    let number = <i32>load<u16>(newNumbers + ((<usize>entry) << 1));
    if (number == 0) {
      number = ++packedTexts;
      store<u16>(newNumbers + ((<usize>entry) << 1), <u16>number);
      const slot = entryAt(dictionary.entries, entry);
      const length = slotLength(slot);
      store<u32>(to, <u32>length);
      copyText(to + 4, slotText(slot), length);
      to += 4 + length;
    }
    store<u16>(code, <u16>(number - 1));
    code += 2;
  }
  packedBytes = to - packedAt;
  return <i32>((code - packCodes) >> 1);
}

function entryAt(entries: usize, entry: i32): usize {
  return entries + <usize>entry * SLOT_BYTES;
}

function copyText(to: usize, text: usize, length: usize): void {
  if (length >= LONG_TEXT) memory.copy(to, text, length);
  else for (let byte: usize = 0; byte < length; byte += STEP) v128.store(to + byte, v128.load(text + byte));
}
