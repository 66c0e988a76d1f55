/** S3 access logs from end to end: each request once, however often it is delivered, and nothing of a line that was cut. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { s3AccessTable } from '../../src/formats/s3-access-table.ts';
import { openStore } from '../../src/store/store.ts';
import { ingestInto } from '../support/ingest.ts';

const OWNER = '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be';
const REQUESTS = 500;
const KEY = 'logs/2026-01-01-00-12-34-0123456789ABCDE';

const line = (id: string, operation: string, key: string, status: number): string =>
  `${OWNER} b [01/Jan/2026:00:00:38 +0000] 192.0.2.3 - ${id} ${operation} ${key} "GET /${key} HTTP/1.1" ${status} - 113 113 7 - "-" "an agent" - aGk= - TLS_AES_128_GCM_SHA256 - b.s3.amazonaws.com TLSv1.3 - Yes -`;
/** Text that hardly compresses: then half of the file's bytes are about half of its lines. */
const noise = (i: number): string =>
  Buffer.from(Array.from({ length: 90 }, (_, j) => (i * 7919 + j * j * 104_729) & 0xff)).toString('hex');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-s3-access-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function query(store: string, sql: string): Promise<unknown[][]> {
  const opened = await openStore(store);
  const files = (await opened.segments(s3AccessTable)).map(({ path }) => `'${path}'`).join(', ');
  await opened.close();
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  const rows = (await connection.runAndReadAll(sql.replace('s3_access', `read_parquet([${files}])`))).getRows();
  connection.closeSync();
  return rows;
}

test('a request that is delivered twice is stored once; objects of one batch delete are requests of their own', async () => {
  const source = join(folder, 'twice');
  mkdirSync(join(source, 'logs'), { recursive: true });
  const gets = Array.from({ length: REQUESTS }, (_, i) => line(`GET${i}`, 'REST.GET.OBJECT', `k${i}`, 200));
  const deletes = Array.from({ length: 20 }, (_, i) => line('BATCH', 'BATCH.DELETE.OBJECT', `k${i}`, 204));
  const forged = line('GET7', 'REST.GET.OBJECT', 'k7', 403);
  writeFileSync(join(source, `${KEY}1`), [...gets, ...deletes].join('\n'));
  writeFileSync(join(source, `${KEY}2`), [...gets.toReversed(), forged, 'x', ...deletes].join('\r\n'));
  const store = join(folder, 'twice.store');
  const { records } = await ingestInto(store, [source]);
  expect(records).toMatchObject({
    in: 2 * (REQUESTS + 20) + 2,
    duplicate: REQUESTS + 20,
    rejected: 1,
    id_conflicts: 1,
  });
  expect(await query(store, 'SELECT count(*)::INTEGER, count(DISTINCT request_id)::INTEGER FROM s3_access')).toEqual([
    [REQUESTS + 21, REQUESTS + 1],
  ]);
  expect(
    await query(store, "SELECT outcome, principal, is_anonymous FROM s3_access WHERE request_id = 'GET7' ORDER BY 1"),
  ).toEqual([
    ['denied', 'anonymous', true],
    ['success', 'anonymous', true],
  ]);
});

test('of a file that was cut, the whole lines are stored and the last one is a reject; a later whole copy adds what is missing', async () => {
  const source = join(folder, 'cut');
  mkdirSync(join(source, 'logs'), { recursive: true });
  const lines = Array.from({ length: REQUESTS }, (_, i) => line(`CUT${i}`, 'REST.GET.OBJECT', noise(i), 200));
  const whole = gzipSync(`${lines.join('\n')}\n`);
  writeFileSync(join(source, `${KEY}3`), whole.subarray(0, whole.length >> 1));
  const store = join(folder, 'cut.store');
  const first = await ingestInto(store, [source]);
  expect(first.records.rejected).toBe(1);
  const [[before] = []] = await query(store, 'SELECT count(*)::INTEGER FROM s3_access');
  expect(Number(before)).toBeGreaterThan(50);
  expect(Number(before)).toBeLessThan(REQUESTS);
  expect(first.records.in).toBe(Number(before) + 1);
  writeFileSync(join(source, `${KEY}4`), whole);
  await ingestInto(store, [source]);
  expect(
    await query(
      store,
      "SELECT count(*)::INTEGER, count_if(host_header = 'b.s3.amazonaws.com' AND acl_required)::INTEGER FROM s3_access",
    ),
  ).toEqual([[REQUESTS, REQUESTS]]);
});

test('a line that is not UTF-8 is a record like any other, and kept as delivered unless something of it is redacted', async () => {
  const source = join(folder, 'bytes');
  mkdirSync(join(source, 'logs'), { recursive: true });
  const broken = Buffer.from(
    line('RAW1', 'REST.GET.OBJECT', 'secret', 200).replace('an agent', 'an\xffagent'),
    'latin1',
  );
  writeFileSync(
    join(source, `${KEY}5`),
    Buffer.concat([broken, Buffer.from(`\n${line('RAW2', 'REST.GET.OBJECT', 'k', 200)}\n`)]),
  );
  const answer = "SELECT user_agent, extra->>'line_latin1' FROM s3_access ORDER BY request_id";
  const [whole, redacted] = [join(folder, 'bytes.store'), join(folder, 'redacted.store')];
  expect((await ingestInto(whole, [source])).records).toMatchObject({ in: 2, stored: 2, rejected: 0 });
  expect(await query(whole, answer)).toEqual([
    ['an?agent', broken.toString('latin1')],
    ['an agent', null],
  ]);
  await ingestInto(redacted, [source], { redact: [{ table: 's3_access', column: 'user_agent', path: [] }] });
  expect(await query(redacted, answer)).toEqual([
    [null, null],
    [null, null],
  ]);
});
