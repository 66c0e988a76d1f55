/** Where values lie in JSON text, found without reading them: raw slices stay byte for byte what they were. */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;
const COLON = 0x3a;

export interface Slice {
  readonly start: number;
  readonly end: number;
}

export interface Member extends Slice {
  readonly key: string;
}

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** The next byte that is no white space. */
export function skipSpace(bytes: Buffer, at: number): number {
  while (isSpace(bytes[at])) at++;
  return at;
}

export const isObject = (bytes: Buffer, at: number): boolean => bytes[at] === OPEN_OBJECT;
export const isArray = (bytes: Buffer, at: number): boolean => bytes[at] === OPEN_ARRAY;
const isString = (bytes: Buffer, at: number): boolean => bytes[at] === QUOTE;
export const isComma = (bytes: Buffer, at: number): boolean => bytes[at] === COMMA;
export const isArrayEnd = (bytes: Buffer, at: number): boolean => bytes[at] === CLOSE_ARRAY;
export const isObjectEnd = (bytes: Buffer, at: number): boolean => bytes[at] === CLOSE_OBJECT;

/** The byte after the string that begins at `at`, or -1 when it does not end in these bytes. */
function stringEnd(bytes: Buffer, at: number): number {
  for (let quote = bytes.indexOf(QUOTE, at + 1); quote >= 0; quote = bytes.indexOf(QUOTE, quote + 1)) {
    let backslashes = 0;
    while (bytes[quote - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
  return -1;
}

/** The byte after the value that begins at `at`, or -1 when it does not end in these bytes. Brackets are counted, not matched. */
export function valueEnd(bytes: Buffer, at: number): number {
  const first = bytes[at];
  if (first === QUOTE) return stringEnd(bytes, at);
  if (first !== OPEN_OBJECT && first !== OPEN_ARRAY) {
    let end = at;
    while (end < bytes.length && !isValueEnd(bytes[end])) end++;
    return end < bytes.length ? end : -1;
  }
  let depth = 0;
  for (let index = at; index < bytes.length; index++) {
    const byte = bytes[index];
    if (byte === QUOTE) {
      const end = stringEnd(bytes, index);
      if (end < 0) return -1;
      index = end - 1;
    } else if (byte === OPEN_OBJECT || byte === OPEN_ARRAY) depth++;
    else if ((byte === CLOSE_OBJECT || byte === CLOSE_ARRAY) && --depth === 0) return index + 1;
  }
  return -1;
}

const isValueEnd = (byte: number | undefined): boolean =>
  isSpace(byte) || byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_ARRAY;

/** The members of the object at `at`, as far as these bytes hold them whole, and as far as they are JSON. */
export function* membersOf(bytes: Buffer, at: number): Generator<Member, void> {
  let index = skipSpace(bytes, at + 1);
  while (isString(bytes, index)) {
    const keyEnd = stringEnd(bytes, index);
    if (keyEnd < 0) return;
    const key = bytes.toString('latin1', index + 1, keyEnd - 1);
    const colon = skipSpace(bytes, keyEnd);
    if (bytes[colon] !== COLON) return;
    const start = skipSpace(bytes, colon + 1);
    const end = valueEnd(bytes, start);
    if (end < 0) return;
    yield { key, start, end };
    index = skipSpace(bytes, end);
    if (bytes[index] !== COMMA) return;
    index = skipSpace(bytes, index + 1);
  }
}

/** The elements of the array at `at`. What is no JSON, or is cut, is one element up to the end: nothing is left out. */
export function* elementsOf(bytes: Buffer, at: number): Generator<Slice, void> {
  let start = skipSpace(bytes, at + 1);
  while (start < bytes.length && bytes[start] !== CLOSE_ARRAY) {
    const end = valueEnd(bytes, start);
    if (end <= start) {
      yield { start, end: bytes.length };
      return;
    }
    yield { start, end };
    start = skipSpace(bytes, end);
    if (bytes[start] === COMMA) start = skipSpace(bytes, start + 1);
  }
}

/** What a string holds, an unpaired surrogate as U+FFFD; null when the slice is no string. */
export function textOf(bytes: Buffer, { start, end }: Slice): Buffer | null {
  if (!isString(bytes, start)) return null;
  if (bytes.indexOf(BACKSLASH, start) >= end || bytes.indexOf(BACKSLASH, start) < 0)
    return bytes.subarray(start + 1, end - 1);
  try {
    const text: unknown = JSON.parse(bytes.toString('utf8', start, end));
    return typeof text === 'string' ? Buffer.from(text, 'utf8') : null;
  } catch {
    return null;
  }
}
