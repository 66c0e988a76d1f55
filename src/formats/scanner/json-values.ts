/** Values of JSON text for who looks into it without a table: where they end, which members an object has, what a string holds. This file is what the JavaScript side sees of it. */
import { unescape } from './escapes';
import { CLOSE_OBJECT, COLON, COMMA, fail, hasEscapes, QUOTE, REJECT_JSON_INVALID, skipSpace, stringEnd, valueEnd } from './json';
import { CONTEXT_RECORD } from './json-layout';
import { findEscapedKey, findKey } from './keys';
import { clearScratch } from './text';

export { failedAt, failure, MAX_DEPTH, memberValue, REJECT_JSON_INVALID, REJECT_NESTED_TOO_DEEP, skipSpace, valueEnd } from './json';
export { hashBack, hashFirst, hashLast, hashMiddle, KEY_BYTES, keyInfos, keyTable, keyTexts } from './json-layout';
export { scratchBase } from './layout';
export { ensureMemory, PADDING } from './text';

/** First address that its own tables leave free. */
export function freeAddress(): usize {
  return __heap_base;
}

/** Keys that can be told apart, and one that stands for all others. */
export const MAX_KEYS: i32 = 64;
/** By number of key, where the value of the first member of that name begins and where it ends: two u32, 0 where there is none or where it is not whole. */
export const members: usize = memory.data(64 * 8, 8);
/** Members of the object that objectEnd() passed last. */
export let memberCount: i32 = 0;

/** The byte after the object at `start`, or 0. Its members are noted as far as they go, also when it is broken or cut. */
export function objectEnd(start: usize): usize {
  memory.fill(members, 0, <usize>(MAX_KEYS << 3));
  memberCount = 0;
  let at = skipSpace(start + 1);
  if (load<u8>(at) == CLOSE_OBJECT) return at + 1;
  while (true) {
    if (load<u8>(at) != QUOTE) return fail(at, REJECT_JSON_INVALID);
    const name = at + 1;
    at = stringEnd(name);
    if (at == 0) return 0;
    const key = hasEscapes ? escapedKey(name, at) : findKey(CONTEXT_RECORD, name, at);
    at = skipSpace(at + 1);
    if (load<u8>(at) != COLON) return fail(at, REJECT_JSON_INVALID);
    at = skipSpace(at + 1);
    memberCount++;
    const member = members + (<usize>key << 3);
    const isFirst = load<u32>(member) == 0;
    if (isFirst) store<u32>(member, <u32>at);
    at = valueEnd(at, 1);
    if (at == 0) return 0;
    if (isFirst) store<u32>(member + 4, <u32>at);
    at = skipSpace(at);
    const next = load<u8>(at);
    if (next == CLOSE_OBJECT) return at + 1;
    if (next != COMMA) return fail(at, REJECT_JSON_INVALID);
    at = skipSpace(at + 1);
  }
}

function escapedKey(start: usize, end: usize): i32 {
  clearScratch();
  return findEscapedKey(CONTEXT_RECORD, start, end);
}

/** Decodes what the string [start, end) holds to `scratchBase`; returns its length there. The quotes are not in it. */
export function decodeText(start: usize, end: usize): usize {
  clearScratch();
  return unescape(start, end);
}
