/** Results of CloudTrail Lake through the whole ingest: each event once, as it was delivered, and every row of them counted. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ingestInto } from '../support/ingest.ts';
import { query } from '../support/stores.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-lake-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const call = (id: number): string =>
  JSON.stringify({
    eventVersion: '1.11',
    userIdentity: { type: 'IAMUser', userName: 'a "quoted", name' },
    eventID: `11111111-1111-4111-8111-${String(id).padStart(12, '0')}`,
    eventTime: '2026-03-01T10:00:00Z',
    eventSource: 'ec2.amazonaws.com',
    eventName: 'RunInstances',
    requestParameters: { userData: 'one\ntwo, "three"', id },
    recipientAccountId: '111122223333',
  });
const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const row = (id: number, json = call(id)): string =>
  `${quoted(String(id))},${quoted('{type=IAMUser, arn=null}')},${quoted(json)}\n`;
const HEADER = '"eventID","userIdentity","eventJson"\n';

test('each event is what a log file would have given', async () => {
  const count = 5000;
  const ids = Array.from({ length: count }, (_, id) => id);
  writeFileSync(join(folder, 'result_1.csv.gz'), gzipSync(HEADER + ids.map((id) => row(id)).join('')));
  writeFileSync(join(folder, 'trail.json'), `{"Records":[${ids.map(call).join(',')}]}`);
  const [lake, trail] = [join(folder, 'lake.store'), join(folder, 'trail.store')];
  expect((await ingestInto(lake, [join(folder, 'result_1.csv.gz')])).records).toMatchObject({
    in: count,
    stored: count,
  });
  await ingestInto(trail, [join(folder, 'trail.json')]);
  const sums = 'SELECT count(*), bit_xor(hash(COLUMNS(* EXCLUDE (log_file, record_no)))) FROM events';
  expect(await query(lake, sums)).toEqual(await query(trail, sums));
  expect((await ingestInto(lake, [join(folder, 'trail.json')])).records).toMatchObject({ in: count, duplicate: count });
});

test('rows that hold no event cost only themselves; a file that was cut ends with one reject', async () => {
  const text = `${HEADER}${row(1)}${row(2, '')}${row(3, '{"configurationItem":1}')}no row\n${row(4)}`;
  writeFileSync(join(folder, 'result_1.csv'), text);
  const whole = gzipSync(text + Array.from({ length: 300 }, (_, id) => row(id + 10)).join(''));
  writeFileSync(join(folder, 'result_2.csv.gz'), whole.subarray(0, whole.length - 200));
  const store = join(folder, 'store');
  const first = await ingestInto(store, [join(folder, 'result_1.csv')]);
  expect(first.records).toMatchObject({ in: 5, stored: 2, rejected: 3 });
  const { records, files } = await ingestInto(store, [join(folder, 'result_2.csv.gz')]);
  expect(records.in).toBe(records.stored + records.duplicate + records.rejected);
  expect(records).toMatchObject({ duplicate: 2, rejected: 4 });
  expect(files.damaged).toBe(1);
});

test('a result without the column is told of once', async () => {
  writeFileSync(join(folder, 'result_1.csv'), `"eventID","n"\n${'"x","1"\n'.repeat(100)}`);
  expect((await ingestInto(join(folder, 'store'), [folder])).records).toMatchObject({ in: 1, rejected: 1 });
});
