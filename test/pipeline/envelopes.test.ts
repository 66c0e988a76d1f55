/** A file of envelopes through the whole ingest: each record in the table of its format, and every one of them counted. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TABLES } from '../../src/cli/wire.ts';
import { openStore } from '../../src/store/store.ts';
import { ingestInto } from '../support/ingest.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-envelopes-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const call = (id: number): string =>
  JSON.stringify({
    eventVersion: '1.11',
    eventID: `11111111-1111-4111-8111-${String(id).padStart(12, '0')}`,
    eventTime: '2026-03-01T10:00:00Z',
    eventSource: 'ec2.amazonaws.com',
    eventName: 'RunInstances',
    recipientAccountId: '111122223333',
  });
const request = (id: number): string =>
  JSON.stringify({
    timestamp: Date.UTC(2026, 2, 1, 10),
    formatVersion: 1,
    webaclId: 'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/x',
    action: 'BLOCK',
    httpRequest: { clientIp: '192.0.2.1', uri: '/', requestId: `1-${id}` },
  });
const line = (id: number): string =>
  `79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be logs [01/Mar/2026:10:00:00 +0000] 192.0.2.3 - EXAMPLE${String(id).padStart(9, '0')} REST.GET.OBJECT k "GET /k HTTP/1.1" 200 - 1 1 1 1 "-" "x" -`;
const subscription = (messages: readonly string[]): string =>
  JSON.stringify({
    messageType: 'DATA_MESSAGE',
    logGroup: 'aws-waf-logs-shop',
    logEvents: messages.map((message, id) => ({ id: String(id), timestamp: 1, message })),
  });

test('records of several formats in one file go to their tables', async () => {
  const count = 3000;
  const messages = Array.from({ length: count }, (_, id) => [call, request, line][id % 3]?.(id) ?? '');
  const envelopes = Array.from({ length: count / 50 }, (_, at) => subscription(messages.slice(at * 50, at * 50 + 50)));
  writeFileSync(join(folder, 'whatever.txt'), `${envelopes.join('\n')}\n{"detail-type":"EC2 state","detail":{}}\n`);
  writeFileSync(join(folder, 'again.txt'), `{"detail-type":"AWS API Call via CloudTrail","detail":${call(0)}}\n`);
  const store = join(folder, 'store');
  const { records, files } = await ingestInto(store, [join(folder, 'whatever.txt'), join(folder, 'again.txt')]);
  expect([files.done, records]).toEqual([
    2,
    { in: count + 2, stored: count, duplicate: 1, rejected: 1, id_conflicts: 0, without_time: 0 },
  ]);
  const opened = await openStore(store);
  const status = await opened.status();
  expect([status.balanced, status.tables.map(({ name, rows }) => [name, rows])]).toEqual([
    true,
    [
      ['cloudtrail', count / 3],
      ['s3_access', count / 3],
      ['waf', count / 3],
    ],
  ]);
  // Every segment of every table can be read.
  expect((await opened.check(TABLES)).problems).toEqual([]);
  const [reject] = await opened.rejects({ limit: 10 });
  expect(reject).toMatchObject({ reason: 'envelope-foreign', offset: envelopes.join('\n').length + 1 });
  await opened.close();
});
