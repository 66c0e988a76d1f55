/** A file of envelopes through the whole ingest: each record in the table of its format, and every one of them counted. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TABLES } from '../../src/cli/wire.ts';
import { startWorkerThread } from '../../src/cli/worker-thread.ts';
import { ingest, startThreads } from '../../src/pipeline/ingest.ts';
import type { Message, Queue } from '../../src/sources/queue.ts';
import { queueSource } from '../../src/sources/sqs.ts';
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

/** What is in the store: rows of each table, and the rejects. */
async function contentsOf(store: string): Promise<{ tables: unknown; rejects: unknown; balanced: boolean }> {
  const opened = await openStore(store);
  const { balanced, tables } = await opened.status();
  const rejects = await opened.rejects({ limit: 100 });
  await opened.close();
  return {
    balanced,
    tables: tables.map(({ name, rows }) => [name, rows]),
    rejects: rejects.map(({ reason, offset, text }) => [reason, offset, text]),
  };
}

const event = (detail: string): string => `{"detail-type":"AWS API Call via CloudTrail","detail":${detail}}`;

test('a broken line is one reject with its place and text; so is a digest, and what only looks like a record', async () => {
  const notice = '{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put","s3":{}}';
  const digest = '{"awsAccountId":"111122223333","digestStartTime":"2026-03-01T10:00:00Z","digestS3Object":"x"}';
  const broken = event(call(1)).replace('"eventName"', '"eventName');
  const lines = [
    event(call(0)),
    broken,
    event(call(2)),
    event(notice),
    event(digest),
    event(call(3)),
    event('{"eventID":1}'),
  ];
  const offsetOf = (line: string): number => lines.slice(0, lines.indexOf(line)).join('\n').length + 1;
  writeFileSync(join(folder, 'events.json'), lines.join('\n'));
  const store = join(folder, 'store');
  const { records } = await ingestInto(store, [join(folder, 'events.json')]);
  expect(records).toMatchObject({ in: 7, stored: 4, duplicate: 0, rejected: 3 });
  expect(await contentsOf(store)).toEqual({
    balanced: true,
    tables: [['cloudtrail', 4]],
    rejects: [
      ['json-invalid', offsetOf(broken), broken],
      ['not-cloudtrail-record', offsetOf(event(notice)), notice],
      ['not-cloudtrail-record', offsetOf(event(digest)), digest],
    ],
  });
});

test('what a file is does not depend on where its slices end', async () => {
  const lines = [event('{"state":"running"}'), event(call(0)), event(call(1)), 'nonsense', event(call(2))].join('\n');
  const slices = Array.from({ length: Math.ceil(lines.length / 7) }, (_, at) =>
    Buffer.from(lines.slice(at * 7, at * 7 + 7)),
  );
  const store = join(folder, 'store');
  const { records } = await ingestInto(store, ['-'], { stdin: Readable.from(slices) });
  expect(records).toMatchObject({ in: 5, stored: 3, rejected: 2 });
});

test('lines that begin with a time are envelopes only where something of ours follows it', async () => {
  const elb =
    '2015-05-13T23:39:43.945958Z my-loadbalancer 192.168.131.39:2817 10.0.0.1:80 0.000073 0.001048 0.000057 200 200 0 29 "GET http://www.example.com:80/ HTTP/1.1" "curl/7.38.0" - -\n';
  const rds =
    '2022-02-18T06:02:22.837877Z\t  116 Query\tSELECT 1\n2022-02-18T06:02:23.837877Z 117 Connect\tadmin@192.0.2.1\n';
  const app = '2026-03-01T10:00:00.000Z {"level":"info","message":"hello"}\n';
  writeFileSync(join(folder, 'elb.log'), elb.repeat(2000));
  writeFileSync(join(folder, 'rds.log'), rds.repeat(2000));
  writeFileSync(join(folder, 'app.log'), app.repeat(2000));
  writeFileSync(join(folder, 'trail.log'), `${elb}${app}2026-03-01T10:00:00.000Z ${call(0)}\n`);
  const store = join(folder, 'store');
  const { records } = await ingestInto(store, [folder]);
  expect(records).toMatchObject({ in: 6, stored: 1, rejected: 5 });
  const { rejects } = await contentsOf(store);
  expect((rejects as [string, number, string][]).map(([reason]) => reason).toSorted()).toEqual([
    'envelope-foreign',
    'envelope-foreign',
    'not-cloudtrail',
    'not-cloudtrail',
    'not-cloudtrail',
  ]);
});

test('of a file that was cut inside an envelope, the cut is one reject', async () => {
  const noise = (id: number): string =>
    Buffer.from(Array.from({ length: 600 }, (_, at) => (id * 7919 + at * at * 104_729) & 0xff)).toString('base64');
  const lines = Array.from({ length: 300 }, (_, id) => event(call(id).replace('{', `{"noise":"${noise(id)}",`)));
  const whole = gzipSync(lines.join('\n'));
  writeFileSync(join(folder, 'cut.json.gz'), whole.subarray(0, whole.length >> 1));
  const store = join(folder, 'store');
  const { records, files } = await ingestInto(store, [join(folder, 'cut.json.gz')]);
  expect([files.damaged, records.rejected, records.in]).toEqual([1, 1, records.stored + 1]);
  expect(records.stored).toBeGreaterThan(50);
});

test('events that a queue carries are stored, whatever stands around them, and a broken one is a reject', async () => {
  const sns = (message: string): string =>
    JSON.stringify({
      Type: 'Notification',
      MessageId: 'm',
      TopicArn: 'arn:aws:sns:eu-west-1:111122223333:t',
      Message: message,
    });
  const insight = JSON.stringify({
    eventVersion: '1.11',
    eventID: '22222222-2222-4222-8222-222222222222',
    eventTime: '2026-03-01T10:00:00Z',
    eventType: 'AwsCloudTrailInsight',
    eventCategory: 'Insight',
    eventSource: 'ec2.amazonaws.com',
    recipientAccountId: '111122223333',
    insightDetails: {
      state: 'Start',
      eventSource: 'ec2.amazonaws.com',
      eventName: 'RunInstances',
      insightType: 'ApiCallRateInsight',
    },
  });
  const bodies = [
    event(call(0)),
    sns(event(call(1))),
    sns(sns(event(call(2)))),
    call(3),
    event(call(0)),
    event(insight),
  ];
  const waiting: Message[] = bodies.map((body, at) => ({
    id: `m${at}`,
    body,
    receipt: `r${at}`,
    md5: `${at}`,
    receives: 1,
  }));
  const deleted: string[] = [];
  const queue: Queue = {
    name: 'sqs://records',
    receive: () => Promise.resolve(waiting.splice(0, 10)),
    hide: () => Promise.resolve([]),
    delete: (messages) => {
      deleted.push(...messages.map(({ id }) => id));
      return Promise.resolve([]);
    },
    close: () => undefined,
  };
  const source = queueSource(queue.name, queue, {}, { once: true, reconcileDays: null, roots: [] }, () => undefined);
  const store = await openStore(join(folder, 'store'), { create: true });
  const { records, problems } = await ingest(
    {
      dir: store.dir,
      openWriter: () => store.openWriter(TABLES),
      threads: startThreads((worker) => startWorkerThread({ ...worker, stagingDir: join(store.dir, 'staging') }), {}),
    },
    { sources: [source], scope: {}, signal: new AbortController().signal },
  );
  await source.close();
  await store.close();
  expect([problems, records, deleted.toSorted()]).toEqual([
    [],
    { in: 6, stored: 5, duplicate: 1, rejected: 0, id_conflicts: 0, without_time: 0 },
    bodies.map((_, at) => `m${at}`),
  ]);
  expect((await contentsOf(join(folder, 'store'))).tables).toEqual([
    ['cloudtrail', 4],
    ['cloudtrail_insight', 1],
  ]);
});
