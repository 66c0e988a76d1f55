/** The CloudTrail scanner: bytes of log files in, columns out. This file is what the JavaScript side sees of it. */
import { clearRows, rows } from './columns';
import { openText, reclaim } from './document';
import { scratchBase } from './layout';
import { clearScratch, ensureMemory } from './text';

export { rows } from './columns';
export { dictionarySize, MAX_ENTRIES, PLACES } from './dictionary';
export {
  beginFile,
  fileRows,
  framesSeen,
  inputAddress,
  inputRoom,
  isDigest,
  REJECT_RECORD_NOT_OBJECT,
  REJECT_RECORD_TOO_LARGE,
  REJECT_TEXT_BYTES,
  REJECT_TRAILING_GARBAGE,
  REJECT_TRUNCATED,
  scan,
  takeInput,
  topValues,
  WINDOW_FULL,
} from './document';
export { beginGroups, GROUP_PLACES, MAX_GROUPS, splitGroups } from './groups';
export { MAX_DEPTH, REJECT_JSON_INVALID, REJECT_NESTED_TOO_DEEP } from './json';
export * from './layout';
export { packedAt, packedBytes, packedTexts, packRepeated, packTexts } from './pack';
export { REJECT_INVALID_UTF8, REJECT_NOT_CLOUDTRAIL_RECORD, REJECT_RECORDS_NOT_ARRAY, seenCloudtrail } from './record';

/** First address that the scanner's own tables leave free. */
export function freeAddress(): usize {
  return __heap_base;
}

/** Call once, when the layout is set: makes memory exist up to the scratch and empties the window. */
export function prepare(): void {
  ensureMemory(scratchBase);
  clearScratch();
  clearRows();
  openText();
}

/** An empty window; bytes that are not decoded yet stay. */
export function resetWindow(): void {
  clearRows();
  clearScratch();
  reclaim();
}

/** Moves what is left of the text down if no row needs what lies before it. */
export function makeRoom(): void {
  if (rows == 0) reclaim();
}
