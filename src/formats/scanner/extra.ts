/** The column `extra` of formats that are no JSON: what fits no column, as one JSON object. */
import { putText } from './columns';
import { ensureMemory, scratchEnd, takeScratch } from './text';

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const COMMA: u8 = 0x2c;
const COLON: u8 = 0x3a;
const OPEN_OBJECT: u8 = 0x7b;
const CLOSE_OBJECT: u8 = 0x7d;
const LETTER_U: u8 = 0x75;
const SPACE: u8 = 0x20;
/** Bytes from here on take two in UTF-8. */
const LATIN1_FROM: u8 = 0x80;
const ZERO: u8 = 0x30;
/** `\u001f` for one byte. */
const ESCAPED_BYTES: usize = 6;
/** Quotes around name and text, colon and comma. */
const FRAME_BYTES: usize = 6;

/** Where the object begins at the scratch's end, and where it goes on. */
let start: usize = 0;
let to: usize = 0;

export function beginExtra(): void {
  start = scratchEnd;
  to = start;
}

/** Appends a member. The name needs no escapes; the text is UTF-8. */
export function putExtra(name: string, text: usize, length: usize): void {
  beginMember(name, length);
  for (let at = text; at < text + length; at++) to = putEscaped(load<u8>(at), to);
  store<u8>(to++, QUOTE);
}

/** Appends a member whose text has one character for each byte, U+0000 to U+00FF. */
export function putExtraBytes(name: string, bytes: usize, length: usize): void {
  beginMember(name, length);
  for (let at = bytes; at < bytes + length; at++) {
    const byte = load<u8>(at);
    if (byte < LATIN1_FROM) to = putEscaped(byte, to);
    else {
      store<u8>(to, 0xc0 | (byte >> 6));
      store<u8>(to + 1, LATIN1_FROM | (byte & 0x3f));
      to += 2;
    }
  }
  store<u8>(to++, QUOTE);
}

/** Name and opening quote, and room for so many bytes of text. */
function beginMember(name: string, length: usize): void {
  ensureMemory(to + <usize>name.length + length * ESCAPED_BYTES + FRAME_BYTES);
  store<u8>(to, to == start ? OPEN_OBJECT : COMMA);
  store<u8>(to + 1, QUOTE);
  to += 2;
  for (let at = 0; at < name.length; at++) store<u8>(to++, <u8>name.charCodeAt(at));
  store<u8>(to, QUOTE);
  store<u8>(to + 1, COLON);
  store<u8>(to + 2, QUOTE);
  to += 3;
}

function putEscaped(byte: u8, to: usize): usize {
  if (byte >= SPACE && byte != QUOTE && byte != BACKSLASH) {
    store<u8>(to, byte);
    return to + 1;
  }
  store<u8>(to, BACKSLASH);
  if (byte >= SPACE) {
    store<u8>(to + 1, byte);
    return to + 2;
  }
  store<u8>(to + 1, LETTER_U);
  store<u8>(to + 2, ZERO);
  store<u8>(to + 3, ZERO);
  store<u8>(to + 4, ZERO + (byte >> 4));
  const low: u8 = byte & 0x0f;
  store<u8>(to + 5, low < 10 ? ZERO + low : 0x57 + low);
  return to + ESCAPED_BYTES;
}

/** Puts the object, if it has members. */
export function endExtra(column: i32): void {
  if (to == start) return;
  store<u8>(to++, CLOSE_OBJECT);
  takeScratch(to - start);
  putText(column, start, to - start);
}
