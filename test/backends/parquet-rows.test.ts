/** Rows of a Parquet file by its end, however long its footer is. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, expect, test } from 'vitest';
import { parquetRows } from '../../src/backends/parquet-rows.ts';

const dir = mkdtempSync(join(tmpdir(), 'trailhound-rows-'));
afterAll(() => rmSync(dir, { recursive: true }));

async function write(name: string, sql: string, options = ''): Promise<Buffer> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const file = join(dir, name);
  await connection.run(`COPY (${sql}) TO '${file}' (FORMAT parquet${options})`);
  connection.closeSync();
  instance.closeSync();
  return readFileSync(file);
}

/** The rows, and how many bytes were asked for each time. */
async function rowsOf(bytes: Uint8Array): Promise<readonly [rows: number, asked: readonly number[]]> {
  const asked: number[] = [];
  const readEnd = async (count: number): Promise<Uint8Array> => {
    asked.push(count);
    return bytes.subarray(Math.max(0, bytes.length - count));
  };
  return [await parquetRows(readEnd, { name: 's3://bucket/file', tempDirectory: dir }), asked];
}

test('of a file, of one without rows, and of one whose footer takes two requests', async () => {
  expect(await rowsOf(await write('some', 'SELECT range AS a FROM range(1000)'))).toEqual([1000, [65_536]]);
  expect(await rowsOf(await write('none', 'SELECT 1 AS a WHERE false'))).toEqual([0, [65_536]]);
  const columns = Array.from({ length: 200 }, (_, at) => `range AS a_column_with_a_long_name_${at}`).join(', ');
  const wide = await write('wide', `SELECT ${columns} FROM range(10000)`, ', ROW_GROUP_SIZE 2048');
  const [rows, [, second = 0]] = await rowsOf(wide);
  expect(rows).toBe(10_000);
  expect(second).toBeGreaterThan(65_536);
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['a text', Buffer.from('no Parquet file at all')],
  ['a footer that is longer than the file', Buffer.from('PAR1\u00ff\u00ff\u0000\u0000PAR1', 'latin1')],
  ['a footer that says nothing', Buffer.from('PAR1\u0004\u0000\u0000\u0000\u0004\u0000\u0000\u0000PAR1', 'latin1')],
])('%s is refused with its name', async (_, bytes) => {
  await expect(rowsOf(bytes)).rejects.toThrow(/^cannot read s3:\/\/bucket\/file: expected a Parquet file/u);
});
