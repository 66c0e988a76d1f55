import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { decode } from './decode.ts';
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
