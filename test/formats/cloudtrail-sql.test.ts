import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBDataChunk, DuckDBInstance, UUID } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { rawColumns } from '../../src/table.ts';
import { decode, decoderOf, FILE } from './decode.ts';
import { defined, recordText } from './generate.ts';
import { comparable, sqlRows } from './sql-oracle.ts';

let connection: DuckDBConnection;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-sql-'));
  connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run("SET TimeZone = 'UTC'");
});

afterAll(() => {
  connection.closeSync();
  rmSync(folder, { recursive: true, force: true });
});

it('gives the rows and identities that pure SQL gives', async () => {
  const records = fc.sample(recordText, { numRuns: 20_000, seed: 1 }).filter(defined);
  expect(records.length).toBeGreaterThan(200);
  const content = `{"Records":[${records.join(',')}]}`;
  const file = join(folder, 'records.json');
  writeFileSync(file, content);
  const decoded = await decode(content);
  expect(decoded.rejects).toEqual([]);
  const expected = await sqlRows(connection, file);
  expect(decoded.rows.map(comparable)).toEqual(expected.map(comparable));
});

it('lays out UUIDs as DuckDB does', async () => {
  const ids = [
    '00000000-0000-0000-0000-000000000001',
    '0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9',
    'ffffffff-ffff-ffff-ffff-fffffffffffe',
  ];
  const decoder = await decoderOf();
  decoder.begin(FILE);
  decoder.push(Buffer.from(ids.map((id) => `{"eventID":"${id}"}`).join('\n')), true);
  decoder.end();
  const { columns, memory } = decoder.batch();
  const buffer = columns[rawColumns(cloudtrailTable).findIndex(({ name }) => name === 'event_id')];
  const chunk = DuckDBDataChunk.create([UUID], ids.length);
  duckdb.copy_data_to_vector(
    duckdb.data_chunk_get_vector(chunk.chunk, 0),
    0,
    memory,
    buffer?.data ?? 0,
    ids.length * 16,
  );
  decoder.reset();
  expect(chunk.getColumnVector(0).toArray().map(String)).toEqual(ids);
});
