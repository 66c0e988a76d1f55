/** The beginning of a file as text, for formats that tell their files by it. */
import { REJECT_TEXT_BYTES } from '../format.ts';

/** One character a byte, without the byte order mark; null when no JSON object or list begins there. */
export function jsonHead(head: Uint8Array): string | null {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, REJECT_TEXT_BYTES))
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '');
  return /^\s*[[{]/.test(text) ? text : null;
}
