/** Compares the JSON scanner with JSON.parse and a format's oracle on one file: throws where they differ. */
import { deepStrictEqual, fail, ok } from 'node:assert/strict';
import type { Decoder } from '../../src/format.ts';
import { type Decoded, decodeSlices } from './decode.ts';
import { type Member, membersOf, type Oracle } from './oracle.ts';

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
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

/** Spaces between the members of such an object are no part of what it says. */
const comparable = (members: readonly Member[], { keptKeys }: Oracle): unknown[] =>
  members.map(({ key, raw }) => ({ key, raw: keptKeys.has(key) ? (membersOf(raw) ?? raw) : raw }));

function checkRow(decoded: Decoded, index: number, text: string, oracle: Oracle): void {
  const { extra, ...actual } = decoded.rows[index] ?? fail('there is no row');
  const expected = oracle.expectedRow(text, Number(actual['record_no']));
  deepStrictEqual(actual, expected.row);
  const members = extra === undefined ? [] : membersOf(String(extra));
  deepStrictEqual(comparable(members ?? fail('extra is no object'), oracle), comparable(expected.extra, oracle));
}

const hasFrameKey = (text: string, { frameKeys }: Oracle): boolean =>
  (membersOf(text) ?? []).some(({ key }) => frameKeys.includes(key));

/** The bytes as a file of their own: a record that JSON.parse reads is a row with the oracle's values, and what it refuses is rejected. */
export function checkAlone(decoder: Decoder, bytes: Uint8Array, oracle: Oracle): 'row' | 'reject' | 'neither' {
  const decoded = decodeSlices(decoder, [bytes]);
  const text = textOf(bytes);
  if (decoded.kind === 'digest' || (decoded.kind === 'insights' && decoded.rows.length === 0)) return 'neither';
  checkSums(decoded, bytes.length);
  const body = text?.replace(/^\ufeff/, '') ?? '';
  if (text !== null && parses(body)) {
    const record = body.trim();
    const members = membersOf(record);
    if (members === null || hasFrameKey(record, oracle)) return 'neither';
    if (oracle.isRecord(record)) {
      deepStrictEqual(decoded.rejects, []);
      deepStrictEqual(decoded.rows.length, 1);
      checkRow(decoded, 0, record, oracle);
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

/** The bytes between two records of a list: the neighbours are rows, whatever the bytes are. */
export function checkBetween(decoder: Decoder, bytes: Uint8Array, oracle: Oracle): void {
  const { frame, neighbour, idColumn } = oracle;
  const file = Buffer.concat([Buffer.from(`${frame[0]}${neighbour},`), bytes, Buffer.from(`,${neighbour}${frame[1]}`)]);
  const decoded = decodeSlices(decoder, [file]);
  checkSums(decoded, file.length);
  const text = textOf(bytes);
  deepStrictEqual(decoded.rows[0]?.[idColumn], 'neighbour');
  if (
    text !== null &&
    parses(text) &&
    membersOf(text.trim()) !== null &&
    oracle.isRecord(text.trim()) &&
    !hasFrameKey(text.trim(), oracle)
  ) {
    deepStrictEqual(decoded.rejects, []);
    deepStrictEqual(decoded.rows.length, 3);
    checkRow(decoded, 1, text.trim(), oracle);
  }
  const swallowed = decoded.rows.some(
    (row, index) =>
      index > 0 &&
      JSON.stringify(row, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner)).includes(
        'neighbour',
      ),
  );
  const rejected = decoded.rejects.some(({ text: reject }) => reject.includes('neighbour'));
  ok(decoded.rows.at(-1)?.[idColumn] === 'neighbour' || swallowed || rejected, 'the record after it vanished');
}
