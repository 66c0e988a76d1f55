/** The columns of the window: values of fixed width and string slots, one validity bit a row. */
import { clearDictionaries, noteText } from './dictionary';
import { columnCount, columnInfos, maxRows } from './layout';

/** Where a column's values and validity bits begin, and the bytes of a value: 16 those of a string slot. */
@unmanaged
export class ColumnInfo {
  data: usize;
  validity: usize;
  width: usize;
}

/** A string slot: u32 length, then the text itself up to this many bytes, or 4 bytes of it and its u64 address. */
export const INLINE_BYTES: usize = 12;
export const SLOT_BYTES: usize = 16;
const ADDRESS_OFFSET: usize = 8;

/** Thirty-two bytes, sixteen set: a load at 16 - n gives a mask of the first n bytes. */
const masks: usize = memory.data<u8>([
  255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0,
]);

/** Rows of the window so far; the row being filled is the one after them. */
export let rows: i32 = 0;

export function clearRows(): void {
  clearDictionaries();
  rows = 0;
  const validityBytes = <usize>maxRows >> 3;
  for (let column = 0; column < columnCount; column++) {
    memory.fill(columnInfo(column).validity, 0, validityBytes);
  }
}

export function endRow(): void {
  rows++;
}

// @ts-ignore: decorator
@inline
export function columnInfo(column: i32): ColumnInfo {
  return changetype<ColumnInfo>(columnInfos + ((<usize>column) << 4));
}

// @ts-ignore: decorator
@inline
function setBit(bits: usize, row: usize): void {
  const at = bits + (row >> 3);
  store<u8>(at, <u8>(<u32>load<u8>(at) | (1 << (<u32>row & 7))));
}

// @ts-ignore: decorator
@inline
export function hasBit(bits: usize, row: usize): bool {
  return ((<u32>load<u8>(bits + (row >> 3)) >> (<u32>row & 7)) & 1) != 0;
}

/** Fills a string slot. It may write up to 4 bytes past the slot, into the next one: slots are filled in order. */
// @ts-ignore: decorator
@inline
function putSlot(slot: usize, text: usize, length: usize): void {
  if (length <= INLINE_BYTES) {
    v128.store(slot + 4, v128.and(v128.load(text), v128.load(masks + 16 - length)));
    store<u32>(slot, <u32>length);
  } else {
    store<u32>(slot, <u32>length);
    store<u32>(slot + 4, load<u32>(text));
    store<u64>(slot + ADDRESS_OFFSET, text);
  }
}

export function putText(column: i32, text: usize, length: usize): void {
  const info = columnInfo(column);
  putSlot(info.data + ((<usize>rows) << 4), text, length);
  setBit(info.validity, rows);
  noteText(column);
}

export function putLong(column: i32, value: i64): void {
  const info = columnInfo(column);
  store<i64>(info.data + ((<usize>rows) << 3), value);
  setBit(info.validity, rows);
}

export function putInteger(column: i32, value: i32): void {
  const info = columnInfo(column);
  store<i32>(info.data + ((<usize>rows) << 2), value);
  setBit(info.validity, rows);
}

export function putBoolean(column: i32, value: bool): void {
  const info = columnInfo(column);
  store<u8>(info.data + rows, value ? 1 : 0);
  setBit(info.validity, rows);
}

/** Whether the row being filled has a value in this column. */
export function hasValue(column: i32): bool {
  return hasBit(columnInfo(column).validity, rows);
}

export function valueAt(column: i32, width: usize): usize {
  return columnInfo(column).data + <usize>rows * width;
}

// @ts-ignore: decorator
@inline
export function slotLength(slot: usize): usize {
  return load<u32>(slot);
}

/** Address of a slot's text. */
// @ts-ignore: decorator
@inline
export function slotText(slot: usize): usize {
  return slotLength(slot) <= INLINE_BYTES ? slot + 4 : <usize>load<u64>(slot + ADDRESS_OFFSET);
}

/** Takes back what the row being filled has. */
export function clearRow(): void {
  const byte = <usize>rows >> 3;
  const keep = <u8>~((<u32>1) << (<u32>rows & 7));
  for (let column = 0; column < columnCount; column++) {
    const bits = columnInfo(column).validity + byte;
    store<u8>(bits, load<u8>(bits) & keep);
  }
}
