/** The JSON scanner: bytes of log files in, columns out. This file is what the JavaScript side sees of it. */
import { rows } from './columns';
import { openText, reclaim } from './document';
import { clearWindow, openWindow } from './window';

export {
  beginFile,
  fileRows,
  framesSeen,
  inputAddress,
  inputRoom,
  isDigest,
  isUnwrapped,
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
export { MAX_DEPTH, REJECT_JSON_INVALID, REJECT_NESTED_TOO_DEEP } from './json';
export * from './json-layout';
export { REJECT_INVALID_UTF8, REJECT_NOT_RECORD, REJECT_RECORDS_NOT_ARRAY, seenOwn } from './record';
export * from './window';

/** Call once, when the layout is set. */
export function prepare(): void {
  openWindow();
  openText();
}

/** An empty window; bytes that are not decoded yet stay. */
export function resetWindow(): void {
  clearWindow();
  reclaim();
}

/** Moves what is left of the text down if no row needs what lies before it. */
export function makeRoom(): void {
  if (rows == 0) reclaim();
}
