/** Text: the memory of decoded ones, checking UTF-8, comparing. */
import { scratchBase } from './layout';

/** Bytes that may be read or written past a text by 16-byte instructions. */
export const PADDING: usize = 64;
const PAGE_BITS: usize = 16;

/** End of the strings decoded into this window. */
export let scratchEnd: usize = 0;

export function clearScratch(): void {
  scratchEnd = scratchBase;
}

export function takeScratch(bytes: usize): void {
  scratchEnd += bytes;
}

/** Makes memory up to `address` and its padding exist. The host laid memory out so that its end is never reached: failing means that the system has none. */
export function ensureMemory(address: usize): void {
  const pages = <i32>((address + PADDING + 0xffff) >> PAGE_BITS) - memory.size();
  // Growing by a sixteenth at least keeps the number of growths small.
  if (pages > 0 && memory.grow(max(pages, memory.size() >> 4)) < 0 && memory.grow(pages) < 0) unreachable();
}

/** Whether [at, end) is UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF, nothing cut. */
export function isUtf8(at: usize, end: usize): bool {
  return utf8End(at, end) == end;
}

const QUESTION_MARK: u8 = 0x3f;

/** Puts a question mark in place of each byte that is not part of a UTF-8 character. */
export function replaceInvalidUtf8(at: usize, end: usize): void {
  for (at = utf8End(at, end); at < end; at = utf8End(at + 1, end)) store<u8>(at, QUESTION_MARK);
}

/** The first byte in [at, end) that is not part of a UTF-8 character, or the end. */
function utf8End(at: usize, end: usize): usize {
  while (at < end) {
    if (at + 16 <= end && i8x16.bitmask(v128.load(at)) == 0) {
      at += 16;
      continue;
    }
    const lead = <i32>load<u8>(at);
    if (lead < 0x80) {
      at++;
      continue;
    }
    const following: usize =
      lead >= 0xc2 && lead < 0xe0 ? 1 : lead >= 0xe0 && lead < 0xf0 ? 2 : lead >= 0xf0 && lead < 0xf5 ? 3 : 0;
    if (following == 0 || at + following >= end) return at;
    const second = <i32>load<u8>(at + 1);
    const lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (second < lowest || second > highest) return at;
    for (let i: usize = 2; i <= following; i++) {
      if ((load<u8>(at + i) & 0xc0) != 0x80) return at;
    }
    at += following + 1;
  }
  return end;
}

/** Whether two texts of the same length are equal; reads past them within their padding. */
export function sameText(one: usize, other: usize, length: usize): bool {
  while (length > 16) {
    if (i8x16.bitmask(i8x16.eq(v128.load(one), v128.load(other))) != 0xffff) return false;
    one += 16;
    other += 16;
    length -= 16;
  }
  // Bytes past the end count as equal.
  const equal = i8x16.bitmask(i8x16.eq(v128.load(one), v128.load(other))) | ((<i32>0xffff) << (<i32>length));
  return (equal & 0xffff) == 0xffff;
}
