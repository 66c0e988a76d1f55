/** Strict JSON (RFC 8259) over bytes in memory: where a value ends, or where and why it is none. */

export const QUOTE: u8 = 0x22;
export const BACKSLASH: u8 = 0x5c;
export const COMMA: u8 = 0x2c;
export const COLON: u8 = 0x3a;
export const OPEN_OBJECT: u8 = 0x7b;
export const CLOSE_OBJECT: u8 = 0x7d;
export const OPEN_ARRAY: u8 = 0x5b;
export const CLOSE_ARRAY: u8 = 0x5d;
const SPACE: u8 = 0x20;
const TAB: u8 = 0x09;
const LINE_FEED: u8 = 0x0a;
const CARRIAGE_RETURN: u8 = 0x0d;
const MINUS: u8 = 0x2d;
const PLUS: u8 = 0x2b;
const POINT: u8 = 0x2e;
const ZERO: u8 = 0x30;

// Little-endian words of the literals.
const WORD_TRUE: u32 = 0x65757274;
const WORD_ALSE: u32 = 0x65736c61;
const WORD_NULL: u32 = 0x6c6c756e;

/** Levels of objects and arrays in a record. Real records have at most a dozen; readers downstream recurse, and their stacks end. */
export const MAX_DEPTH: i32 = 1000;

export const REJECT_JSON_INVALID: i32 = 1;
export const REJECT_NESTED_TOO_DEEP: i32 = 2;

/** Why and where the last failed function failed. At or after the end of the input it means: not enough bytes to tell. */
export let failure: i32 = 0;
export let failedAt: usize = 0;

/** Every function here returns 0 for failure: no text begins there. */
export function fail(at: usize, reason: i32): usize {
  failedAt = at;
  failure = reason;
  return 0;
}

/** Whether the string that stringEnd() passed last has escapes. */
export let hasEscapes: bool = false;
/** Whether an unpaired surrogate escape was passed since this was last cleared. */
export let hasLoneSurrogate: bool = false;

export function clearLoneSurrogate(): void {
  hasLoneSurrogate = false;
}

/** The input ends with NULs, which no function here passes: none of them needs to look where the end is. */
// @ts-ignore: decorator
@inline
export function skipSpace(at: usize): usize {
  return load<u8>(at) > SPACE ? at : skipManySpaces(at);
}

function skipManySpaces(at: usize): usize {
  while (true) {
    const byte = load<u8>(at);
    if (byte != SPACE && byte != LINE_FEED && byte != CARRIAGE_RETURN && byte != TAB) return at;
    at++;
  }
}

/** Position of the closing quote; `at` is just after the opening one. */
export function stringEnd(at: usize): usize {
  const quotes = i8x16.splat(QUOTE);
  const backslashes = i8x16.splat(BACKSLASH);
  const spaces = i8x16.splat(SPACE);
  hasEscapes = false;
  while (true) {
    const bytes = v128.load(at);
    const stops = i8x16.bitmask(
      v128.or(v128.or(i8x16.eq(bytes, quotes), i8x16.eq(bytes, backslashes)), i8x16.lt_u(bytes, spaces)),
    );
    if (stops == 0) {
      at += 16;
      continue;
    }
    at += ctz(stops);
    const byte = load<u8>(at);
    if (byte == QUOTE) return at;
    if (byte != BACKSLASH) return fail(at, REJECT_JSON_INVALID);
    hasEscapes = true;
    at = escapeEnd(at);
    if (at == 0) return 0;
  }
}

/** The byte after an escape; `at` is its backslash. A pair of surrogates is one escape. */
function escapeEnd(at: usize): usize {
  const letter = load<u8>(at + 1);
  if (letter == 0x75) {
    const unit = hexUnit(at + 2);
    if (unit < 0) return 0;
    if ((unit & 0xf800) != 0xd800) return at + 6;
    if (unit < 0xdc00 && load<u8>(at + 6) == BACKSLASH && load<u8>(at + 7) == 0x75) {
      const second = hexUnit(at + 8);
      if (second < 0) return 0;
      if ((second & 0xfc00) == 0xdc00) return at + 12;
    }
    hasLoneSurrogate = true;
    return at + 6;
  }
  // " \ / b f n r t
  if (
    letter == QUOTE ||
    letter == BACKSLASH ||
    letter == 0x2f ||
    letter == 0x62 ||
    letter == 0x66 ||
    letter == 0x6e ||
    letter == 0x72 ||
    letter == 0x74
  ) {
    return at + 2;
  }
  return fail(at + 1, REJECT_JSON_INVALID);
}

/** The four hex digits at `at` as a number, or -1. */
export function hexUnit(at: usize): i32 {
  let unit = 0;
  for (let i: usize = 0; i < 4; i++) {
    const byte = <i32>load<u8>(at + i);
    const folded = byte | 0x20;
    if (byte >= 0x30 && byte <= 0x39) unit = (unit << 4) | (byte - 0x30);
    else if (folded >= 0x61 && folded <= 0x66) unit = (unit << 4) | (folded - 0x57);
    else {
      fail(at + i, REJECT_JSON_INVALID);
      return -1;
    }
  }
  return unit;
}

// @ts-ignore: decorator
@inline
function isDigit(byte: u8): bool {
  return <u32>byte - ZERO < 10;
}

function digitsEnd(at: usize): usize {
  if (!isDigit(load<u8>(at))) return fail(at, REJECT_JSON_INVALID);
  do at++;
  while (isDigit(load<u8>(at)));
  return at;
}

function numberEnd(at: usize): usize {
  if (load<u8>(at) == MINUS) at++;
  if (load<u8>(at) == ZERO) at++;
  else at = digitsEnd(at);
  if (at != 0 && load<u8>(at) == POINT) at = digitsEnd(at + 1);
  if (at != 0 && (load<u8>(at) | 0x20) == 0x65) {
    at++;
    if (load<u8>(at) == PLUS || load<u8>(at) == MINUS) at++;
    at = digitsEnd(at);
  }
  return at;
}

/** `word` holds the four bytes at `at`, or it fails at the first byte that differs: only that tells a wrong literal from one cut short. */
function wordEnd(at: usize, word: u32): usize {
  const difference = load<u32>(at) ^ word;
  return difference == 0 ? at + 4 : fail(at + (ctz(difference) >> 3), REJECT_JSON_INVALID);
}

/** The byte after a number, `true`, `false` or `null`. */
// @ts-ignore: decorator
@inline
function scalarEnd(at: usize): usize {
  const byte = load<u8>(at);
  if (byte == 0x6e) return wordEnd(at, WORD_NULL);
  if (byte == 0x74) return wordEnd(at, WORD_TRUE);
  if (byte == 0x66) return wordEnd(at + 1, WORD_ALSE);
  return numberEnd(at);
}

/** The first byte of a member's value; `at` is where its key must begin. */
export function memberValue(at: usize): usize {
  if (load<u8>(at) != QUOTE) return fail(at, REJECT_JSON_INVALID);
  at = stringEnd(at + 1);
  if (at == 0) return 0;
  at = skipSpace(at + 1);
  if (load<u8>(at) != COLON) return fail(at, REJECT_JSON_INVALID);
  return skipSpace(at + 1);
}

/** One byte for each level that is open: 1 for an object, 0 for an array. */
const levels: usize = memory.data(1024);

/** The byte after the value that begins at `at`, `depth` levels inside the record. */
export function valueEnd(at: usize, depth: i32): usize {
  const outside = depth;
  let inObject: u8 = 0;
  while (true) {
    const byte = load<u8>(at);
    if (byte == QUOTE) {
      at = stringEnd(at + 1);
      if (at == 0) return 0;
      at++;
    } else if (byte == OPEN_OBJECT || byte == OPEN_ARRAY) {
      if (depth >= MAX_DEPTH) return fail(at, REJECT_NESTED_TOO_DEEP);
      const isObject: u8 = byte == OPEN_OBJECT ? 1 : 0;
      at = skipSpace(at + 1);
      // The closing bracket is two after the opening one, for both kinds.
      if (load<u8>(at) == byte + 2) at++;
      else {
        store<u8>(levels + depth, inObject);
        depth++;
        inObject = isObject;
        if (isObject) {
          at = memberValue(at);
          if (at == 0) return 0;
        }
        continue;
      }
    } else {
      at = scalarEnd(at);
      if (at == 0) return 0;
    }

    // A value ended just before `at`; close what ends with it.
    while (true) {
      if (depth == outside) return at;
      at = skipSpace(at);
      const next = load<u8>(at);
      if (next == COMMA) {
        at = skipSpace(at + 1);
        if (inObject) {
          at = memberValue(at);
          if (at == 0) return 0;
        }
        break;
      }
      if (next != (inObject ? CLOSE_OBJECT : CLOSE_ARRAY)) return fail(at, REJECT_JSON_INVALID);
      at++;
      depth--;
      inObject = load<u8>(levels + depth);
    }
  }
}
