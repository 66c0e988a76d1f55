/** Parquet files through the whole ingest: what was exported comes in again as it was, what others wrote becomes events, and every row is counted. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportStore, TABLES } from '../../src/cli/wire.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import type { IngestResult } from '../../src/ingest.ts';
import { openStore } from '../../src/store/store.ts';
import { recordTextOf } from '../formats/generate.ts';
import { insightOracle, cloudtrailOracle, wafOracle } from '../formats/oracle.ts';
import { ingestInto } from '../support/ingest.ts';
import { differences, query } from '../support/stores.ts';

const SAMPLES = 'sample-logs/AWSLogs';
const SAME = { onlyA: 0, onlyB: 0 };

let folder: string;
const at = (...names: readonly string[]): string => join(folder, ...names);
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-parquet-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Puts all tables of a store, or what a condition leaves of CloudTrail's, into a folder. */
async function exported(dir: string, where: string | null = null): Promise<string> {
  const target = mkdtempSync(at('export-'));
  const store = await openStore(dir);
  try {
    await exportStore(store, {
      target,
      aws: {},
      tables: where === null ? TABLES : [cloudtrailTable],
      window: {},
      where,
      dryRun: false,
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
  } finally {
    await store.close();
  }
  return join(target, 'data');
}

/** Runs SQL of DuckDB's own, in which `lines` is a relation of records, each as JSON. */
async function write(records: readonly string[], ...statements: readonly string[]): Promise<void> {
  const file = at('lines.ndjson');
  writeFileSync(file, records.map((record) => `${JSON.stringify({ record })}\n`).join(''));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run(`CREATE VIEW lines AS SELECT record FROM read_json('${file}', columns = {record: 'VARCHAR'})`);
    for (const statement of statements) await connection.run(statement);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

const isBalanced = ({ records }: IngestResult): boolean =>
  records.in === records.stored + records.duplicate + records.rejected;

describe('our own export', () => {
  test('comes in again as it was; the logs behind it are duplicates then, and the access logs are told as what they cannot be', async () => {
    const [first, second] = [at('first'), at('second')];
    const raw = await ingestInto(first, ['sample-logs']);
    const data = await exported(first);
    const back = await ingestInto(second, [data]);
    expect(isBalanced(back)).toBe(true);
    for (const table of TABLES.filter(({ name }) => name !== 's3_access')) {
      const { rows, ...rest } = await differences(first, second, { table });
      expect([table.name, rest]).toEqual([table.name, SAME]);
      expect(rows).toBeGreaterThan(0);
    }
    const lines = readdirSync(join(data, 's3_access'), { recursive: true }).filter((name) =>
      String(name).endsWith('.parquet'),
    );
    expect(back.warnings).toEqual([
      { reason: 'parquet-foreign', count: lines.length, example: expect.stringContaining('/s3_access/') },
    ]);
    expect(back.records.rejected).toBe(lines.length);
    expect(back.records.stored).toBe(raw.records.stored - (await rowsOf(first, 's3_access')));
    const again = await ingestInto(second, [join(SAMPLES, '111122223333/CloudTrail')]);
    expect(again.records).toMatchObject({ stored: 0, duplicate: again.records.in - again.records.rejected });
    expect((await ingestInto(second, [data])).files).toMatchObject({ known: back.files.listed, done: 0 });
  }, 240_000);

  test.each([cloudtrailOracle, insightOracle, wafOracle])(
    'comes in again as it was, whatever shape its records had: $format.name',
    async ({ format, ...oracle }) => {
      const [first, second] = [at(`${format.name}-first`), at(`${format.name}-second`)];
      const records = fc.sample(recordTextOf({ format, ...oracle }), { numRuns: 3000, seed: 27 });
      writeFileSync(at(`${format.name}.json`), records.join('\n'));
      const { records: sums } = await ingestInto(first, [at(`${format.name}.json`)]);
      expect(sums.stored).toBeGreaterThan(500);
      const back = await ingestInto(second, [await exported(first)]);
      expect(back.records).toMatchObject({ in: sums.stored, rejected: 0, duplicate: 0 });
      expect(await differences(first, second, { table: format.table })).toEqual({ ...SAME, rows: sums.stored });
    },
    240_000,
  );
});

async function rowsOf(dir: string, name: string): Promise<number> {
  const store = await openStore(dir);
  try {
    const { tables } = await store.status();
    return tables.find((table) => table.name === name)?.rows ?? 0;
  } finally {
    await store.close();
  }
}
