/** Gathers the texts of a column one behind the other, as they are stored. */
import { columnInfo, hasBit, SLOT_BYTES, slotLength, slotText } from './columns';
import { packBytes, packLengths, packRoom, packRows } from './layout';

// What the last packTexts() gathered: where the texts lie, how many bytes and how many texts they are.
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
    if (length >= LONG_TEXT) memory.copy(to, text, length);
    else for (let byte: usize = 0; byte < length; byte += STEP) v128.store(to + byte, v128.load(text + byte));
    to += length;
  }
  packedBytes = to - packBytes;
  return at;
}
