/** The scanner of S3 server access logs: bytes of log files in, columns out. This file is what the JavaScript side sees of it. */
import { rows } from './columns';
import { openText, reclaim } from './lines';
import { clearWindow, openWindow } from './window';

export {
  beginFile,
  fileRows,
  inputAddress,
  inputRoom,
  REJECT_NUL_BYTE,
  REJECT_RECORD_TOO_LARGE,
  REJECT_TEXT_BYTES,
  REJECT_TRUNCATED,
  scan,
  seenOwn,
  takeInput,
  WINDOW_FULL,
} from './lines';
export { REJECT_S3_ACCESS_LINE_INVALID, REJECT_S3_ACCESS_LINE_TRUNCATED } from './s3-access-line';
export { firstFieldColumn } from './s3-access-row';
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
