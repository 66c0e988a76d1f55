/** Dictionaries: for columns whose values repeat, each distinct value once and a number for each row. */
import { columnInfo, INLINE_BYTES, rows, SLOT_BYTES, slotHasValue, slotLength, slotText } from './columns';
import { ensureMemory, sameText } from './text';

/** Beyond this many distinct values a dictionary saves too little. */
const MAX_ENTRIES: i32 = 4096;
/** Rows after which a column whose every fourth value is new is given up; fewer rows are not worth a dictionary. */
const MIN_ROWS: i32 = 512;
/** A column needs a long value in at least one of this many: short ones are in their slots already. */
const SHORT_SHARE: i32 = 8;
/** Places of the hash table: at least twice the entries, so that runs of taken places stay short. */
const PLACES: i32 = 16_384;

/** For each place the number of an entry plus 1, or 0. */
const places: usize = memory.data(16_384 * 2, 16);

/** Where the next dictionary goes. */
let freeAt: usize = 0;

export let dictionaryEntries: usize = 0;
export let dictionaryCodes: usize = 0;
export let dictionaryCodeBytes: i32 = 0;

/** Dictionaries of a window lie after its scratch, until the next bytes come. */
export function beginDictionaries(address: usize): void {
  freeAt = (address + 15) & ~15;
}

/** Builds the dictionary of a string column and returns the number of its entries; 0 when it is not worth one. */
export function buildDictionary(column: i32): i32 {
  if (rows < MIN_ROWS || isShort(column)) return 0;
  const info = columnInfo(column);
  const entries = freeAt;
  const codes = entries + <usize>MAX_ENTRIES * SLOT_BYTES;
  ensureMemory(codes + (<usize>rows << 1));
  memory.fill(places, 0, <usize>PLACES << 1);
  let size = 0;
  for (let row = 0; row < rows; row++) {
    let code = 0;
    if (slotHasValue(info.validity, row)) {
      const slot = info.data + <usize>row * SLOT_BYTES;
      let place = hash(slot) & (PLACES - 1);
      while (true) {
        const taken = <i32>load<u16>(places + (<usize>place << 1));
        if (taken == 0) {
          if (size == MAX_ENTRIES || (row >= MIN_ROWS && size * 4 > row)) return 0;
          store<u16>(places + (<usize>place << 1), <u16>(size + 1));
          memory.copy(entries + <usize>size * SLOT_BYTES, slot, SLOT_BYTES);
          code = size++;
          break;
        }
        if (sameSlot(entries + <usize>(taken - 1) * SLOT_BYTES, slot)) {
          code = taken - 1;
          break;
        }
        place = (place + 1) & (PLACES - 1);
      }
    }
    store<u16>(codes + (<usize>row << 1), <u16>code);
  }
  if (size == 0 || size * 4 > rows) return 0;
  dictionaryCodeBytes = size > 256 ? 2 : 1;
  if (dictionaryCodeBytes == 1) narrowCodes(codes);
  dictionaryEntries = entries;
  dictionaryCodes = codes;
  freeAt = (codes + <usize>rows * dictionaryCodeBytes + 15) & ~15;
  return size;
}

function narrowCodes(codes: usize): void {
  for (let row = 0; row < rows; row++) store<u8>(codes + row, load<u8>(codes + (<usize>row << 1)));
}

/** Whether nearly all values of the first rows fit their slots. */
function isShort(column: i32): bool {
  const info = columnInfo(column);
  let values = 0;
  let long = 0;
  for (let row = 0; row < rows; row++) {
    if (!slotHasValue(info.validity, row)) continue;
    values++;
    if (slotLength(info.data + <usize>row * SLOT_BYTES) > INLINE_BYTES) long++;
    if (values == MIN_ROWS) break;
  }
  return long * SHORT_SHARE <= values;
}

/** Both ends and the length tell most texts apart; equality is decided by sameSlot(). */
function hash(slot: usize): i32 {
  const length = slotLength(slot);
  let mixed: u64;
  if (length <= INLINE_BYTES) mixed = load<u64>(slot + 4) ^ (<u64>load<u32>(slot + 12) << 29);
  else {
    const text = slotText(slot);
    mixed = load<u64>(text) ^ rotl<u64>(load<u64>(text + length - 8), 27) ^ rotl<u64>(load<u64>(text + ((length - 8) >> 1)), 13);
  }
  // Multiplying by the golden ratio spreads the bits upwards.
  mixed = (mixed ^ length) * 0x9e3779b97f4a7c15;
  return <i32>(mixed >> 40);
}

function sameSlot(one: usize, other: usize): bool {
  // Length and first four bytes.
  if (load<u64>(one) != load<u64>(other)) return false;
  const length = slotLength(one);
  return length <= INLINE_BYTES ? load<u64>(one + 8) == load<u64>(other + 8) : sameText(slotText(one), slotText(other), length);
}
