/** Text: decoding escapes, rewriting unpaired surrogates, checking UTF-8, comparing. */
import { BACKSLASH, hexUnit } from './json';
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

/** Decodes the string content [start, end) to the scratch's end and returns its length there. */
export function unescape(start: usize, end: usize): usize {
  ensureMemory(scratchEnd + (end - start));
  const backslashes = i8x16.splat(BACKSLASH);
  let to = scratchEnd;
  let at = start;
  while (at < end) {
    const bytes = v128.load(at);
    v128.store(to, bytes);
    const stops = i8x16.bitmask(i8x16.eq(bytes, backslashes));
    const plain = min<usize>(stops == 0 ? 16 : ctz(stops), end - at);
    at += plain;
    to += plain;
    if (at < end && load<u8>(at) == BACKSLASH) {
      const letter = load<u8>(at + 1);
      if (letter == 0x75) {
        let code = hexUnit(at + 2);
        at += 6;
        if ((code & 0xf800) == 0xd800) {
          if (code < 0xdc00 && isLowSurrogate(at, end)) {
            code = 0x10000 + ((code & 0x3ff) << 10) + (hexUnit(at + 2) & 0x3ff);
            at += 6;
          } else code = 0xfffd;
        }
        to = encode(code, to);
      } else {
        store<u8>(to++, plainEscape(letter));
        at += 2;
      }
    }
  }
  return to - scratchEnd;
}

function isLowSurrogate(at: usize, end: usize): bool {
  return at + 6 <= end && load<u8>(at) == BACKSLASH && load<u8>(at + 1) == 0x75 && (hexUnit(at + 2) & 0xfc00) == 0xdc00;
}

function plainEscape(letter: u8): u8 {
  if (letter == 0x6e) return 0x0a;
  if (letter == 0x74) return 0x09;
  if (letter == 0x72) return 0x0d;
  if (letter == 0x62) return 0x08;
  if (letter == 0x66) return 0x0c;
  return letter;
}

/** Writes a code point as UTF-8 and returns the byte after it. */
function encode(code: i32, to: usize): usize {
  if (code < 0x80) {
    store<u8>(to, <u8>code);
    return to + 1;
  }
  if (code < 0x800) {
    store<u8>(to, <u8>(0xc0 | (code >> 6)));
    store<u8>(to + 1, <u8>(0x80 | (code & 0x3f)));
    return to + 2;
  }
  if (code < 0x10000) {
    store<u8>(to, <u8>(0xe0 | (code >> 12)));
    store<u8>(to + 1, <u8>(0x80 | ((code >> 6) & 0x3f)));
    store<u8>(to + 2, <u8>(0x80 | (code & 0x3f)));
    return to + 3;
  }
  store<u8>(to, <u8>(0xf0 | (code >> 18)));
  store<u8>(to + 1, <u8>(0x80 | ((code >> 12) & 0x3f)));
  store<u8>(to + 2, <u8>(0x80 | ((code >> 6) & 0x3f)));
  store<u8>(to + 3, <u8>(0x80 | (code & 0x3f)));
  return to + 4;
}

// Bytes of `fffd`, the digits of the replacement character.
const DIGITS_FFFD: u32 = 0x64666666;

/** Rewrites each unpaired `\udXXX` of the valid JSON text [start, end) to `\ufffd`. A backslash occurs only in strings there. */
export function rewriteLoneSurrogates(start: usize, end: usize): void {
  let at = start;
  while (at < end) {
    if (load<u8>(at) != BACKSLASH) at++;
    else if (load<u8>(at + 1) != 0x75) at += 2;
    else {
      const unit = hexUnit(at + 2);
      if ((unit & 0xf800) != 0xd800) at += 6;
      else if (unit < 0xdc00 && isLowSurrogate(at + 6, end)) at += 12;
      else {
        store<u32>(at + 2, DIGITS_FFFD);
        at += 6;
      }
    }
  }
}

/** Whether [at, end) is UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF, nothing cut. */
export function isUtf8(at: usize, end: usize): bool {
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
    if (following == 0 || at + following >= end) return false;
    const second = <i32>load<u8>(at + 1);
    const lowest = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const highest = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (second < lowest || second > highest) return false;
    for (let i: usize = 2; i <= following; i++) {
      if ((load<u8>(at + i) & 0xc0) != 0x80) return false;
    }
    at += following + 1;
  }
  return true;
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
