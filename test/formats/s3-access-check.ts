/** Compares the scanner with the simple reader. */
import { deepStrictEqual, ok } from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import type { Decoder } from '../../src/format.ts';
import { DAY_MS } from '../../src/time.ts';
import { decodeSlices, INGESTED_AT_MS, type Row, without } from './decode.ts';
import { readRow } from './s3-access-reader.ts';

const OWN_NAMES = ['log_file', 'record_no', 'event_day', 'identity', 'has_identity'];

/** The columns of the line itself, with `extra` as plain JSON writes it. */
export function ofLine(row: Row): Row {
  const { extra, ...columns } = without(row, ...OWN_NAMES);
  return extra === undefined ? columns : { ...columns, extra: JSON.stringify(JSON.parse(String(extra))) };
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
    const expected = isUtf8(line) ? readRow(line.toString(), INGESTED_AT_MS + DAY_MS) : null;
    const row = rows.get(recordNo);
    if (expected !== null) deepStrictEqual(row && ofLine(row), expected, line.toString());
    else deepStrictEqual(rejects.get(recordNo)?.text, line.toString('latin1'));
  }
  ok(rows.has(0) && rows.has(records.length - 1), 'a neighbour was lost');
  return { rows: decoded.rows.length - 2, rejects: decoded.rejects.length };
}
