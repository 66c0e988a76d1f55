/** Known keys: which number a key has in its context. */
import { unescape } from './escapes';
import { KEY_BYTES, hashBack, hashFirst, hashLast, hashMiddle, keyInfos, keyTable, keyTexts } from './json-layout';
import { sameText, scratchEnd } from './text';

/** What the JavaScript side says of a key: eight bytes. */
@unmanaged
export class KeyInfo {
  length: u8;
  kind: u8;
  column: u8;
  /** Context of the keys inside, for kind object. */
  context: u8;
  flags: u32;
}

/** Number of the key whose text is [start, end) in `context`, or 0 when it is unknown. */
export function findKey(context: i32, start: usize, end: usize): i32 {
  const length = end - start;
  if (length == 0 || length > <usize>KEY_BYTES) return 0;
  const middle = load<u8>(start + (length >= hashBack ? length - hashBack : 0));
  const hash = <u32>length + hashFirst * load<u8>(start) + hashLast * load<u8>(end - 1) + hashMiddle * middle;
  const key = <i32>load<u8>(keyTable + ((<usize>context) << 8) + (<usize>hash & 0xff));
  return key != 0 && keyInfo(key).length == <u8>length && sameText(keyTexts + <usize>(key * KEY_BYTES), start, length)
    ? key
    : 0;
}

/** The same for a key that is written with escapes. */
export function findEscapedKey(context: i32, start: usize, end: usize): i32 {
  const length = unescape(start, end);
  return findKey(context, scratchEnd, scratchEnd + length);
}

// @ts-ignore: decorator
@inline
export function keyInfo(key: i32): KeyInfo {
  return changetype<KeyInfo>(keyInfos + ((<usize>key) << 3));
}
