/** Escapes of JSON strings: decoding them, rewriting unpaired surrogates. */
import { BACKSLASH, hexUnit } from './json';
import { ensureMemory, scratchEnd } from './text';

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
