/** Gathers the long texts of a column one behind the other, so that they change hands as one. */
import { INLINE_BYTES, SLOT_BYTES, slotLength, slotText } from './columns';
import { packBytes, packRoom, packSlots } from './layout';

/** What packTexts() gives when the texts do not fit into the room. */
export const PACK_TOO_LARGE: u32 = 0xffffffff;

/**
 * Copies the slots of `count` rows from `first` on to packSlots, and their long texts to packBytes; in the copies a long text's address counts from the
 * beginning of packBytes. Slots without a value become empty. Returns how many bytes the texts have.
 */
export function packTexts(slots: usize, validity: usize, first: i32, count: i32): u32 {
  let used: usize = 0;
  let packed = packSlots;
  for (let row = <usize>first; row < <usize>(first + count); row++) {
    const slot = slots + row * SLOT_BYTES;
    if (((<u32>load<u8>(validity + (row >> 3)) >> (<u32>row & 7)) & 1) == 0) {
      v128.store(packed, i64x2.splat(0));
    } else {
      v128.store(packed, v128.load(slot));
      const length = slotLength(slot);
      if (length > INLINE_BYTES) {
        if (used + length > packRoom) return PACK_TOO_LARGE;
        memory.copy(packBytes + used, slotText(slot), length);
        store<u64>(packed + 8, used);
        used += length;
      }
    }
    packed += SLOT_BYTES;
  }
  return <u32>used;
}

/** Makes the addresses of the packed long texts count from `base`. */
export function rebaseTexts(count: i32, base: u64): void {
  let packed = packSlots;
  for (let row = 0; row < count; row++) {
    if (slotLength(packed) > INLINE_BYTES) store<u64>(packed + 8, load<u64>(packed + 8) + base);
    packed += SLOT_BYTES;
  }
}
