/** Segments of lines against plain SQL: numbers as inputs of derivations, derived booleans, identities of several columns. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PRELUDE } from '../../src/backends/prelude.ts';
import { s3AccessFormat } from '../../src/formats/s3-access.ts';
import { s3AccessTable } from '../../src/formats/s3-access-table.ts';
import { identityQuery } from '../../src/store/identity.ts';
import { createSegmentWriter } from '../../src/store/segment-writer.ts';
import { derivedColumns, rawColumns } from '../../src/table.ts';
import { FILE, LIMITS, type Row, rowsOf } from '../formats/decode.ts';
import { line } from '../formats/s3-access-generate.ts';

let dir: string;
let files: string;
let decoded: readonly Row[];
let connection: DuckDBConnection;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'trailhound-segments-'));
  connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  for (const statement of PRELUDE) await connection.run(statement);
  const decoder = await s3AccessFormat.createDecoder(LIMITS);
  const lines = fc.sample(line, { numRuns: 6000, seed: 5 });
  decoder.begin(FILE);
  decoder.push(Buffer.from(lines.join('\n')), true);
  decoder.end();
  const batch = decoder.batch();
  decoded = rowsOf(batch, s3AccessTable);
  // A thread that fills two tables has two writers: neither may disturb the other.
  for (const name of ['first', 'second']) {
    const writer = await createSegmentWriter({ table: s3AccessTable, stagingDir: dir, name, prelude: PRELUDE });
    const { segments, synced } = await writer.write(batch, Promise.resolve(new Uint8Array(batch.rows)));
    await synced;
    await writer.close();
    files = `[${segments.map(({ path }) => `'${path}'`).join(', ')}]`;
  }
});

afterAll(() => {
  connection.closeSync();
  rmSync(dir, { recursive: true, force: true });
});

const all = async (sql: string): Promise<readonly Record<string, unknown>[]> =>
  (await connection.runAndReadAll(sql)).getRowObjectsJS();

test('raw columns are stored as decoded', async () => {
  expect(decoded.length).toBeGreaterThan(5000);
  const raw = rawColumns(s3AccessTable);
  const select = raw.map(({ name, type }) => (type === 'TIMESTAMP' ? `epoch_us(${name}) AS ${name}` : name)).join(', ');
  const stored = await all(`SELECT ${select} FROM read_parquet(${files}) ORDER BY record_no`);
  const plain = (row: Readonly<Record<string, unknown>>) =>
    raw.map(({ name, type }) => {
      const value = row[name] ?? null;
      return [name, value !== null && (type === 'BIGINT' || type === 'TIMESTAMP') ? Number(value) : value];
    });
  expect(stored.map(plain)).toEqual(decoded.map(plain));
});

test('derived columns are what SQL derives row by row', async () => {
  const derived = derivedColumns(s3AccessTable);
  const names = derived.map(({ name }) => name).join(', ');
  const stored = `SELECT record_no, ${names} FROM read_parquet(${files})`;
  const again = `SELECT record_no, ${derived.map(({ name, derive }) => `${derive} AS ${name}`).join(', ')} FROM (SELECT * EXCLUDE (${names}) FROM read_parquet(${files}))`;
  expect(await all(`(${stored} EXCEPT ALL ${again}) UNION ALL (${again} EXCEPT ALL ${stored})`)).toEqual([]);
  const [counts] = await all(
    `SELECT count(DISTINCT outcome)::INTEGER AS outcomes, count_if(is_anonymous)::INTEGER AS anonymous, count_if(NOT is_anonymous)::INTEGER AS known FROM read_parquet(${files})`,
  );
  expect(counts?.['outcomes']).toBe(2);
  expect(Math.min(Number(counts?.['anonymous']), Number(counts?.['known']))).toBeGreaterThan(100);
});

test('identities are what the store computes from the segments', async () => {
  const stored = await all(
    `SELECT CAST(id AS VARCHAR) AS id, CAST(facts AS VARCHAR) AS facts FROM (${identityQuery(s3AccessTable, files)}) ORDER BY 1, 2`,
  );
  const expected = decoded
    .filter((row) => row['has_identity'] === true)
    .map(({ identity }) => {
      const bytes = Buffer.from(String(identity), 'hex');
      const id = ((bytes.readBigUInt64LE(8) << 64n) | bytes.readBigUInt64LE(0)).toString(16).padStart(32, '0');
      return {
        id: id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
        facts: String(bytes.readBigUInt64LE(16)),
      };
    });
  const order = (one: Readonly<Record<string, unknown>>): string => JSON.stringify([one['id'], one['facts']]);
  expect(expected.length).toBeGreaterThan(2000);
  expect(stored.map(order).toSorted()).toEqual(expected.map(order).toSorted());
});
