/** Segments against plain SQL: whatever way a column travels, what is stored is what its definition says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PRELUDE } from '../../src/backends/prelude.ts';
import type { Batch } from '../../src/format.ts';
import { cloudtrailFormat } from '../../src/formats/cloudtrail.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { DUPLICATE, type SegmentWriter, type StagedSegment } from '../../src/ingest.ts';
import { createSegmentWriter } from '../../src/store/segment-writer.ts';
import { derivedColumns, rawColumns } from '../../src/table.ts';
import { rowsOf as decodedRows, type Row } from '../formats/decode.ts';

import { dice } from '../formats/generate.ts';

const roll = dice(7);
const pick = <T>(...values: readonly T[]): T => values[roll(values.length)] as T;
const maybe = <T>(value: T): T | undefined => (roll(3) === 0 ? undefined : value);
const MINUTE = 60_000;

/** A record in which everything that something is derived from varies; `spread` says how many different callers there are. */
function record(i: number, spread: number, start: number) {
  const session = `session-${roll(spread)}`;
  return {
    eventID: roll(20) === 0 ? maybe(`id-${i}`) : `00000000-0000-4000-8000-${String(i).padStart(12, '0')}`,
    requestID: maybe(pick(`REQ${i}`, `00000000-0000-4000-9000-${String(i).padStart(12, '0')}`)),
    eventTime: roll(50) === 0 ? 'never' : `${new Date(start + i * MINUTE).toISOString().slice(0, 19)}Z`,
    eventName: pick('ConsoleLogin', 'ListFunctions20150331', 'updateDomainContact', 'RunInstances', undefined),
    eventSource: 'ec2.amazonaws.com',
    awsRegion: pick('us-east-1', 'cn-north-1', 'us-gov-west-1'),
    recipientAccountId: '111122223333',
    userIdentity: maybe({
      type: pick('AssumedRole', 'IAMUser', 'Root', 'AWSService', 'SAMLUser'),
      principalId: maybe(`AROA:${session}`),
      arn: maybe(pick(`arn:aws:sts::111122223333:assumed-role/role-${roll(9)}/${session}`, '')),
      accountId: maybe('111122223333'),
      userName: maybe(pick('HIDDEN_DUE_TO_SECURITY_REASONS', `user-${roll(spread)}`)),
      invokedBy: maybe('ec2.amazonaws.com'),
      onBehalfOf: maybe({ userId: `u-${roll(9)}` }),
      sessionContext: maybe({
        sessionIssuer: { arn: maybe(`arn:aws:iam::111122223333:role/aws-service-role/${roll(5)}`) },
      }),
    }),
    sourceIPAddress: maybe(pick('203.0.113.7', `2001:db8::${roll(999)}`, 'AWS Internal', '999.1.1.1')),
    errorCode: maybe(pick('AccessDenied', 'Client.UnauthorizedOperation', 'Throttling', '', 'nul\u0000in it')),
    errorMessage: maybe(pick('no', '', `message ${i}`)),
    responseElements: maybe({ ConsoleLogin: pick<string | number>('Success', 'Failure', 17) }),
    requestParameters: { number: i, text: pick('é😀', '\u0000', 'plain') },
    resources: maybe([{ ARN: `arn:aws:s3:::bucket/${i}` }, { arn: pick('arn:1', undefined) }]),
  };
}

let dir: string;
let writer: SegmentWriter;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'trailhound-segments-'));
  writer = await createSegmentWriter({ table: cloudtrailTable, stagingDir: dir, name: 'test', prelude: PRELUDE });
});
afterAll(async () => {
  await writer.close();
  rmSync(dir, { recursive: true, force: true });
});

async function write(
  records: readonly unknown[],
  verdictsOf = (batch: Batch) => new Uint8Array(batch.rows),
): Promise<readonly StagedSegment[]> {
  const decoder = await cloudtrailFormat.createDecoder({ recordBytes: 8 << 20, windowBytes: 64 << 20 });
  decoder.begin({ logFile: 1, deliveredDay: 20_500, ingestedAtMs: Date.UTC(2026, 5, 1) });
  decoder.push(Buffer.from(JSON.stringify({ Records: records })), true);
  expect(decoder.end().rejects).toEqual([]);
  const batch = decoder.batch();
  const { segments, synced } = await writer.write(batch, Promise.resolve(verdictsOf(batch)));
  await synced;
  return segments;
}

async function rowsOf(sql: string): Promise<readonly Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const statement of PRELUDE) await connection.run(statement);
  const rows = (await connection.runAndReadAll(sql)).getRowObjectsJson();
  connection.closeSync();
  instance.closeSync();
  return rows;
}

/** Stored rows whose derived columns differ from what SQL derives from their raw ones, row by row. */
function differences(segments: readonly StagedSegment[]): Promise<readonly Record<string, unknown>[]> {
  const derived = derivedColumns(cloudtrailTable);
  const names = derived.map(({ name }) => name);
  const files = segments.map(({ path }) => `'${path}'`).join(', ');
  const stored = `SELECT record_no, ${names.join(', ')} FROM read_parquet([${files}])`;
  const again = `SELECT record_no, ${derived.map(({ name, derive }) => `${derive} AS ${name}`).join(', ')} FROM (SELECT * EXCLUDE (${names.join(', ')}) FROM read_parquet([${files}]))`;
  return rowsOf(`(${stored} EXCEPT ALL ${again}) UNION ALL (${again} EXCEPT ALL ${stored})`);
}

const DAY = Date.UTC(2026, 1, 3);
const CASES = [
  { title: 'a window of one day', count: 1400, spread: 40, start: DAY },
  { title: 'a window that spans days', count: 6000, spread: 60, start: DAY + 23 * 60 * MINUTE },
  { title: 'callers that never repeat', count: 3000, spread: 1_000_000, start: DAY },
  { title: 'a few rows', count: 9, spread: 3, start: DAY },
];

describe('derived columns', () => {
  test.each(CASES)('are what SQL derives row by row: $title', async ({ count, spread, start }) => {
    const segments = await write(Array.from({ length: count }, (_, i) => record(i, spread, start)));
    expect(segments.reduce((sum, { rows }) => sum + rows, 0)).toBe(count);
    expect(await differences(segments)).toEqual([]);
  });
});

test('lists may hold more different items than numbers of 16 bits tell apart', async () => {
  const resources = (i: number) => [
    ...Array.from({ length: 60 }, (_, j) => ({ ARN: `arn:${(i * 37 + j * 1777) % 70_000}` })),
    {},
  ];
  const segments = await write(
    Array.from({ length: 3000 }, (_, i) => ({ ...record(i, 9, DAY), resources: resources(i) })),
  );
  const files = segments.map(({ path }) => `'${path}'`).join(', ');
  const [row] = await rowsOf(
    `SELECT count(DISTINCT arn)::INTEGER AS arns FROM (SELECT unnest(resource_arns) AS arn FROM read_parquet([${files}]))`,
  );
  expect(row?.['arns']).toBeGreaterThan(65_536);
  expect(await differences(segments)).toEqual([]);
});

describe('raw columns', () => {
  test.each(CASES)('hold the record’s own values: $title', async ({ count, spread, start }) => {
    const records = Array.from({ length: count }, (_, i) => record(i, spread, start));
    const segments = await write(records);
    const files = segments.map(({ path }) => `'${path}'`).join(', ');
    const rows = await rowsOf(
      `SELECT event_id, request_id, event_name_raw, aws_region, user_type, principal_id, user_arn, user_name, source_address, error_code, error_message, console_login, request_parameters FROM read_parquet([${files}]) ORDER BY record_no`,
    );
    const text = (value: string | number | undefined): string | null => (value === undefined ? null : `${value}`);
    expect(rows).toEqual(
      records.map((one) => ({
        event_id: text(one.eventID),
        request_id: text(one.requestID),
        event_name_raw: text(one.eventName),
        aws_region: text(one.awsRegion),
        user_type: text(one.userIdentity?.type),
        principal_id: text(one.userIdentity?.principalId),
        user_arn: text(one.userIdentity?.arn),
        user_name: text(one.userIdentity?.userName),
        source_address: text(one.sourceIPAddress),
        error_code: text(one.errorCode),
        error_message: text(one.errorMessage),
        console_login: text(one.responseElements?.ConsoleLogin),
        request_parameters: JSON.stringify(one.requestParameters),
      })),
    );
  });
});

describe('all raw columns', () => {
  const giant = `${'x'.repeat(3_000_000)}é`;
  const CREATED = [
    '0001-01-01T00:00:00Z',
    '1969-12-31T23:59:59.999999Z',
    '2026-02-03T04:05:06Z',
    '9999-12-31T23:59:59Z',
  ];
  /** Whatever may stand in a column: nothing, one value for all, few, many, huge ones. */
  const odd = (i: number) => ({
    ...record(i, 30, DAY + 23 * 60 * MINUTE),
    readOnly: maybe(pick(true, false)),
    managementEvent: true,
    additionalEventData: i % 1000 === 7 ? { giant } : maybe({ [`key-${i}`]: 'v'.repeat(roll(400)) }),
    eventVersion: '1.11',
    userAgent: `agent ${i % 700} ${'-'.repeat(i % 90)}`,
    vpcEndpointId: i > 900 ? `vpce-${i % 5}` : undefined,
    unknownField: i % 97 === 0 ? [i, giant.slice(0, i)] : undefined,
    userIdentity: {
      type: 'AssumedRole',
      arn:
        i % 900 === 3 ? `arn:aws:iam::111122223333:user/${giant}` : maybe(`arn:aws:sts::1:assumed-role/r/${roll(9)}`),
      sessionContext: {
        attributes: { creationDate: pick(...CREATED), mfaAuthenticated: pick('true', 'false', 'odd') },
      },
    },
  });
  const raw = rawColumns(cloudtrailTable);

  test.each([
    ['all rows', () => 0],
    ['every other row', (row: number) => (row % 2 === 0 ? 0 : DUPLICATE)],
    ['rows here and there', () => (roll(3) === 0 ? 0 : DUPLICATE)],
    ['runs of rows', (row: number) => (Math.floor(row / 300) % 2 === 0 ? 0 : DUPLICATE)],
    ['one row', (row: number) => (row === 1100 ? 0 : DUPLICATE)],
  ])('are stored as decoded: %s', async (_title, verdictOf) => {
    const records = Array.from({ length: 2500 }, (_, i) => odd(i));
    let decoded: readonly Row[] = [];
    const segments = await write(records, (batch) => {
      const verdicts = Uint8Array.from({ length: batch.rows }, (_, row) => verdictOf(row));
      decoded = decodedRows(batch).filter((_, row) => verdicts[row] !== DUPLICATE);
      return verdicts;
    });
    const files = segments.map(({ path }) => `'${path}'`).join(', ');
    const select = raw
      .map(({ name, type }) => (type === 'TIMESTAMP' ? `epoch_us(${name}) AS ${name}` : name))
      .join(', ');
    const stored = await rowsOf(`SELECT ${select} FROM read_parquet([${files}]) ORDER BY record_no`);
    const plain = (value: unknown) =>
      typeof value === 'bigint' || typeof value === 'number' ? `${value}` : (value ?? null);
    const names = raw.map(({ name }) => name);
    expect(stored.length).toBe(decoded.length);
    for (const [at, row] of decoded.entries()) {
      const of = (one: Readonly<Record<string, unknown>>) => names.map((name) => [name, plain(one[name])]);
      expect(of(stored[at] ?? {})).toEqual(of(row));
    }
    expect(await differences(segments)).toEqual([]);
    const statistics = await rowsOf(
      `SELECT path_in_schema AS name, sum(stats_null_count)::INTEGER AS nulls FROM parquet_metadata([${files}]) GROUP BY 1`,
    );
    const nulls = new Map(statistics.map(({ name, nulls: count }) => [name, count]));
    for (const name of names)
      expect([name, nulls.get(name)]).toEqual([name, decoded.filter((row) => row[name] === undefined).length]);
  });
});
