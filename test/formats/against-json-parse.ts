/** Compares the scanner with JSON.parse and the oracle on one file: throws where they differ. */
import { deepStrictEqual, fail, ok } from 'node:assert/strict';
import type { Decoder } from '../../src/format.ts';
import { type Decoded, decodeSlices } from './decode.ts';
import { expectedRow, isRecord, membersOf } from './oracle.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Keys that make an object at the top of a file something else than a record. */
const FRAME_KEYS = new Set(['Records', 'digestStartTime', 'digestS3Object', 'insightDetails']);

function parses(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function textOf(bytes: Uint8Array): string | null {
  try {
    return strict.decode(bytes);
  } catch {
    return null;
  }
}

/** Rows and rejects make up the records; rejects lie in order, in the file, and apart. */
export function checkSums(decoded: Decoded, size: number): void {
  deepStrictEqual(decoded.recordsIn, decoded.rows.length + decoded.rejects.length);
  let end = 0;
  for (const { offset, length, text } of decoded.rejects) {
    ok(
      offset >= end && length >= 0 && offset + length <= size,
      `a reject at ${offset} of ${length} bytes after one that ends at ${end}`,
    );
    deepStrictEqual(text.length, Math.min(length, 65_536));
    end = offset + length;
  }
}

function checkRow(decoded: Decoded, index: number, text: string): void {
  const { extra, ...actual } = decoded.rows[index] ?? fail('there is no row');
  const expected = expectedRow(text, Number(actual['record_no']));
  deepStrictEqual(actual, expected.row);
  deepStrictEqual(extra === undefined ? [] : membersOf(String(extra)), expected.extra);
}

/** The bytes as a file of their own: a record that JSON.parse reads is a row with the oracle's values, and what it refuses is rejected. */
export function checkAlone(decoder: Decoder, bytes: Uint8Array): 'row' | 'reject' | 'neither' {
  const decoded = decodeSlices(decoder, [bytes]);
  const text = textOf(bytes);
  if (decoded.kind === 'digest' || decoded.kind === 'insights') return 'neither';
  checkSums(decoded, bytes.length);
  const body = text?.replace(/^\ufeff/, '') ?? '';
  if (text !== null && parses(body)) {
    const record = body.trim();
    const members = membersOf(record);
    if (members === null || members.some(({ key }) => FRAME_KEYS.has(key))) return 'neither';
    if (isRecord(record)) {
      deepStrictEqual(decoded.rejects, []);
      deepStrictEqual(decoded.rows.length, 1);
      checkRow(decoded, 0, record);
      return 'row';
    }
    deepStrictEqual(decoded.rows, []);
    deepStrictEqual(decoded.rejects.length, 1);
    return 'reject';
  }
  // Several values after each other are no JSON, but a file may hold them; and a list forgives a comma.
  if (decoded.rejects.length === 0) {
    ok(text !== null, 'bytes that are no UTF-8 were taken');
    ok(body.trim() !== '', 'an empty file was taken');
    ok(
      decoded.rows.length > 1 || /^\s*\[/.test(body) || /"(?:R|\\u0052)/.test(body) || /,\s*$/.test(body),
      `what JSON.parse refuses was taken: ${body}`,
    );
  }
  return 'reject';
}

const NEIGHBOUR = '{"eventVersion":"1.08","eventID":"neighbour","userAgent":"a text of some length"}';

/** The bytes between two records of a list: the neighbours are rows, whatever the bytes are. */
export function checkBetween(decoder: Decoder, bytes: Uint8Array): void {
  const file = Buffer.concat([Buffer.from(`{"Records":[${NEIGHBOUR},`), bytes, Buffer.from(`,${NEIGHBOUR}]}`)]);
  const decoded = decodeSlices(decoder, [file]);
  checkSums(decoded, file.length);
  const text = textOf(bytes);
  deepStrictEqual(decoded.rows[0]?.['event_id'], 'neighbour');
  if (
    text !== null &&
    parses(text) &&
    membersOf(text.trim()) !== null &&
    isRecord(text.trim()) &&
    !hasFrameKey(text.trim())
  ) {
    deepStrictEqual(decoded.rejects, []);
    deepStrictEqual(decoded.rows.length, 3);
    checkRow(decoded, 1, text.trim());
  }
  const swallowed = decoded.rows.some(
    (row, index) =>
      index > 0 &&
      JSON.stringify(row, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)).includes(
        'neighbour',
      ),
  );
  const rejected = decoded.rejects.some(({ text: reject }) => reject.includes('neighbour'));
  ok(decoded.rows.at(-1)?.['event_id'] === 'neighbour' || swallowed || rejected, 'the record after it vanished');
}

const hasFrameKey = (text: string): boolean => (membersOf(text) ?? []).some(({ key }) => FRAME_KEYS.has(key));
