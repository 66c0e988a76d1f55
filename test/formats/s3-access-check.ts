/** Compares the scanner with the simple reader. */
import { deepStrictEqual, ok } from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { type Decoder, REJECT_TEXT_BYTES } from '../../src/format.ts';
import { DAY_MS } from '../../src/time.ts';
import { decodeSlices, INGESTED_AT_MS, type Row, without } from './decode.ts';
import { readRow } from './s3-access-reader.ts';

const OWN_NAMES = ['log_file', 'record_no', 'event_day', 'identity', 'has_identity'];

/** The columns of the line itself, with `extra` as plain JSON writes it. */
export function ofLine(row: Row): Row {
  const { extra, ...columns } = without(row, ...OWN_NAMES);
  return extra === undefined ? columns : { ...columns, extra: JSON.stringify(JSON.parse(String(extra))) };
}

function readLine(line: Buffer): Row | null {
  const row = readRow(withoutInvalidUtf8(line), INGESTED_AT_MS + DAY_MS);
  if (row === null || isUtf8(line)) return row;
  const asDelivered = line.toString('latin1').replace(/\r$/, '').replace(/ +$/, '').slice(0, REJECT_TEXT_BYTES);
  const extra = typeof row['extra'] === 'string' ? JSON.parse(row['extra']) : {};
  return { ...row, extra: JSON.stringify({ line_latin1: asDelivered, ...extra }) };
}

/** A question mark for each byte that is not part of a character. */
function withoutInvalidUtf8(line: Buffer): string {
  const parts: string[] = [];
  for (let at = 0; at < line.length; ) {
    const length = [1, 2, 3, 4].find((bytes) => at + bytes <= line.length && isUtf8(line.subarray(at, at + bytes)));
    parts.push(length === undefined ? '?' : line.toString('utf8', at, at + length));
    at += length ?? 1;
  }
  return parts.join('');
}

/** The bytes of a line or of several, between two good ones: each line is a row, a reject, or empty, and the neighbours are rows. */
export function checkLines(decoder: Decoder, bytes: Uint8Array, neighbour: string): { rows: number; rejects: number } {
  const file = Buffer.concat([Buffer.from(`${neighbour}\n`), bytes, Buffer.from(`\n${neighbour}`)]);
  const decoded = decodeSlices(decoder, [file]);
  const lines = file
    .toString('latin1')
    .split('\n')
    .map((text) => Buffer.from(text, 'latin1'));
  const records = lines.filter((line) => line.length > 0 && line.toString('latin1') !== '\r');
  deepStrictEqual(decoded.recordsIn, records.length);
  deepStrictEqual(decoded.rows.length + decoded.rejects.length, records.length);
  const rows = new Map(decoded.rows.map((row) => [row['record_no'], row]));
  const rejects = new Map(decoded.rejects.map((reject) => [reject.recordNo, reject]));
  for (const [recordNo, line] of records.entries()) {
    const expected = readLine(line);
    const row = rows.get(recordNo);
    if (expected !== null) deepStrictEqual(row && ofLine(row), expected, line.toString());
    else deepStrictEqual(rejects.get(recordNo)?.text, line.toString('latin1'));
  }
  ok(rows.has(0) && rows.has(records.length - 1), 'a neighbour was lost');
  return { rows: decoded.rows.length - 2, rejects: decoded.rejects.length };
}
