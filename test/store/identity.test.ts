/** What a decoder gives as a row's identity and derived columns is what SQL finds in the segment of it, for every table. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PRELUDE } from '../../src/backends/prelude.ts';
import { identityQuery } from '../../src/store/identity.ts';
import { createSegmentWriter } from '../../src/store/segment-writer.ts';
import { derivedColumns } from '../../src/table.ts';
import { decoderOf, FILE, LIMITS, rowsOf } from '../formats/decode.ts';
import { recordTextOf } from '../formats/generate.ts';
import { cloudtrailOracle, insightOracle, wafOracle } from '../formats/oracle.ts';

let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'trailhound-identity-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it.each([cloudtrailOracle, insightOracle, wafOracle])('of $format.name', async (oracle) => {
  const { table } = oracle.format;
  const records = fc.sample(recordTextOf(oracle), { numRuns: 3000, seed: 7 }).filter((text) => oracle.isRecord(text));
  const decoder = await decoderOf(LIMITS, oracle.format);
  decoder.begin(FILE);
  decoder.push(Buffer.from(oracle.frame.join([...records, oracle.neighbour].join(','))), true);
  decoder.end();
  const batch = decoder.batch();
  const expected = rowsOf(batch, table).flatMap((row) =>
    row['has_identity'] === true ? [String(row['identity'])] : [],
  );
  expect(expected.length).toBeGreaterThan(200);

  const writer = await createSegmentWriter({ table, stagingDir: dir, name: table.name, prelude: PRELUDE });
  const { segments, synced } = await writer.write(batch, Promise.resolve(new Uint8Array(batch.rows)));
  await synced;
  await writer.close();
  decoder.reset();

  const files = `[${segments.map(({ path }) => `'${path}'`).join(', ')}]`;
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const statement of PRELUDE) await connection.run(statement);
  const found = await connection.runAndReadAll(
    `SELECT CAST(id AS VARCHAR), CAST(facts AS VARCHAR) FROM (${identityQuery(table, files)})`,
  );
  const identities = found.getRows().map(([id, facts]) => {
    if (typeof id !== 'string' || typeof facts !== 'string') throw new Error('an identity is no text');
    const digits = Buffer.from(id.replaceAll('-', ''), 'hex');
    const bytes = Buffer.alloc(24);
    bytes.writeBigUInt64LE(digits.readBigUInt64BE(8), 0);
    bytes.writeBigUInt64LE(digits.readBigUInt64BE(0), 8);
    bytes.writeBigUInt64LE(BigInt(facts), 16);
    return bytes.toString('hex');
  });
  expect(identities.toSorted()).toEqual(expected.toSorted());

  const derived = derivedColumns(table);
  const names = derived.map(({ name }) => name).join(', ');
  const stored = `SELECT record_no, ${names} FROM read_parquet(${files})`;
  const again = `SELECT record_no, ${derived.map(({ name, derive }) => `${derive} AS ${name}`).join(', ')} FROM (SELECT * EXCLUDE (${names}) FROM read_parquet(${files}))`;
  const different = await connection.runAndReadAll(
    `(${stored} EXCEPT ALL ${again}) UNION ALL (${again} EXCEPT ALL ${stored})`,
  );
  expect(different.getRowObjectsJson()).toEqual([]);
  connection.closeSync();
  instance.closeSync();
});
