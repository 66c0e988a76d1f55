/** The built command over queues of a server that speaks AWS's language: sums are exact and the queue is empty, whatever comes twice, late or never. */
import type { ChildProcess } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { trailhound } from '../cli/run.ts';
import type { Seen } from '../support/aws-proxy.ts';
import { motoMissing } from '../support/moto.ts';
import {
  ACCOUNT,
  keyOf,
  PER_FILE,
  QUEUE_ARN,
  reads,
  type Server,
  startServer,
  TrailQueue,
} from '../support/trail-queue.ts';

let server: Server;
let trail: TrailQueue;
const unless = motoMissing === null ? describe : describe.skip;

beforeAll(async () => {
  if (motoMissing === null) server = await startServer();
});
afterAll(async () => {
  if (motoMissing === null) await server.close();
});
beforeEach(async () => {
  if (motoMissing === null) trail = await TrailQueue.create(server);
});

const body = (...records: readonly object[]): string => JSON.stringify({ Records: records });

unless('--once', () => {
  test('each shape that a notification comes in', async () => {
    const notices = await trail.putFiles([0, 1, 2, 3, 4, 5]);
    const [first = {}, second = {}, third = {}, fourth = {}] = notices;
    const topic = (message: string): string =>
      JSON.stringify({
        Type: 'Notification',
        MessageId: 'm',
        TopicArn: 'arn:aws:sns:eu-central-1:111122223333:t',
        Message: message,
      });
    await trail.send([first, second]);
    await trail.send(topic(body(third)));
    await trail.send(topic(topic(body(fourth, trail.notice('x', 1, 'aa', 'ObjectRemoved:Delete')))));
    const detail = { bucket: { name: trail.bucket }, object: { key: keyOf(4), size: trail.logFile(4).length } };
    await trail.send(JSON.stringify({ version: '0', 'detail-type': 'Object Created', source: 'aws.s3', detail }));
    await trail.send(topic(JSON.stringify({ s3Bucket: trail.bucket, s3ObjectKey: [keyOf(5)] })));
    await trail.send('{"Service":"Amazon S3","Event":"s3:TestEvent"}');
    await trail.withProxy(async (proxy) => {
      const { status, stderr } = await trail.ingest([`sqs://${QUEUE_ARN}:${trail.name}`, '--once'], proxy.url);
      expect([status, await trail.sums(), reads(proxy)]).toEqual([0, [true, 6 * PER_FILE, 0, 0], 6]);
      expect(stderr).toContain('6 files, 18 events, 0 rejects');
    });
    expect(await trail.left()).toEqual([0, 0]);
  });

  test('duplicates and poison: each object is read once, and what cannot be understood stays', async () => {
    const notices = await trail.putFiles([0, 1, 2, 3]);
    for (const one of [...notices.toReversed(), ...notices, ...notices]) await trail.send([one]);
    await trail.send(notices);
    for (const poison of ['hello', '{"a":1}', body({ eventName: 'ObjectCreated:Put' })]) await trail.send(poison);
    await trail.withProxy(async (proxy) => {
      const { status, stderr } = await trail.ingest(
        [trail.url.replace(/^http/, 'sqs://http').replace(server.moto.url, proxy.url), '--once'],
        proxy.url,
      );
      expect([status, await trail.sums(), reads(proxy), await trail.left()]).toEqual([
        3,
        [true, 4 * PER_FILE, 0, 0],
        4,
        [0, 3],
      ]);
      expect(stderr.match(/cannot use message \S+ of sqs:\/\/logs-\d+: /g)).toHaveLength(3);
    });
  });

  test('--reconcile finds what no message named, where messages and the command line say to look', async () => {
    const [first = {}] = await trail.putFiles([0, 1, 2]);
    await trail.send([first]);
    await trail.withProxy(async (proxy) => {
      const { status } = await trail.ingest([`sqs://${trail.name}`, '--once', '--reconcile', '3'], proxy.url);
      expect([status, await trail.sums(), await trail.left()]).toEqual([0, [true, 3 * PER_FILE, 0, 0], [0, 0]]);
      expect(reads(proxy)).toBe(3);
      await trail.putFiles([3]);
      const both = [`sqs://${trail.name}`, `s3://${trail.bucket}/AWSLogs/`, '--once', '--reconcile', '3'];
      expect([(await trail.ingest(both, proxy.url)).status, reads(proxy)]).toEqual([0, 4]);
    });
    expect(await trail.sums()).toEqual([true, 4 * PER_FILE, 0, 0]);
  });
});

unless('killed', () => {
  test('kill -9 between the commit and the deletion: the next run stores nothing twice and deletes', async () => {
    for (const one of await trail.putFiles([0, 1, 2, 3, 4])) await trail.send([one]);
    let killed: ChildProcess | null = null;
    await trail.withProxy(
      async (proxy) => {
        const { child, ended } = trail.start([`sqs://${trail.name}`], proxy.url);
        killed = child;
        await ended;
        expect([await trail.left(), await trail.sums()]).toEqual([
          [0, 5],
          [true, 5 * PER_FILE, 0, 0],
        ]);
        await trail.makeVisible(proxy);
      },
      ({ action }) => {
        if (action !== 'SQS:DeleteMessageBatch') return null;
        killed?.kill('SIGKILL');
        return 'drop';
      },
    );
    await trail.withProxy(async (proxy) => {
      expect((await trail.ingest([`sqs://${trail.name}`, '--once'], proxy.url)).status).toBe(0);
      expect(reads(proxy)).toBe(0);
    });
    expect([await trail.left(), await trail.sums()]).toEqual([
      [0, 0],
      [true, 5 * PER_FILE, 0, 0],
    ]);
  });
});

unless('what cannot work is said at once', () => {
  const denied = ({ action }: Seen) =>
    action.startsWith('SQS:')
      ? {
          status: 403,
          body: '{"__type":"com.amazon.coral.service#AccessDeniedException","message":"User x is not authorized"}',
        }
      : null;

  test('no such queue', async () => {
    const { status, stderr } = await trail.ingest(['sqs://nowhere', '--once'], server.moto.url);
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining('cannot open sqs://nowhere: there is no such queue in this region and account'),
    ]);
  });

  test('access denied', async () => {
    await trail.withProxy(async (proxy) => {
      const { status, stderr } = await trail.ingest([`sqs://${trail.name}`, '--once'], proxy.url);
      expect([status, stderr]).toEqual([
        3,
        expect.stringMatching(/access denied[^]*Allow sqs:GetQueueUrl, sqs:ReceiveMessage, sqs:DeleteMessage/),
      ]);
    }, denied);
  });

  test('messages that may be received and not deleted', async () => {
    for (const one of await trail.putFiles([0])) await trail.send([one]);
    await trail.withProxy(
      async (proxy) => {
        const { status, stderr } = await trail.ingest([`sqs://${trail.name}`, '--once'], proxy.url);
        expect([status, stderr]).toEqual([
          3,
          expect.stringContaining(`cannot delete messages of sqs://${trail.name}: access denied`),
        ]);
      },
      (seen) => (seen.action === 'SQS:DeleteMessageBatch' ? denied(seen) : null),
    );
    expect([await trail.sums(), await trail.left()]).toEqual([
      [true, PER_FILE, 0, 0],
      [0, 1],
    ]);
  });

  test('no credentials', async () => {
    const { status, stderr } = await trailhound(['ingest', `sqs://${trail.name}`, '--once'], {
      cwd: trail.cwd,
      env: {
        AWS_REGION: 'eu-central-1',
        AWS_ENDPOINT_URL: server.moto.url,
        AWS_EC2_METADATA_DISABLED: 'true',
        HOME: trail.cwd,
      },
    });
    expect([status, stderr]).toEqual([2, expect.stringContaining('AWS takes no credentials from here')]);
  });

  test('no answer', async () => {
    const { status, stderr } = await trail.ingest(['sqs://logs', '--once'], 'http://127.0.0.1:9');
    expect([status, stderr]).toEqual([3, expect.stringContaining('cannot open sqs://logs: no answer (ECONNREFUSED)')]);
  });

  test.each([
    [['sqs://a b'], "cannot read 'sqs://a b': expected the name, URL or ARN of a queue"],
    [['sqs://logs', '--account', ACCOUNT], 'cannot use --account with sqs://logs: all messages of a queue are read'],
    [['sqs://logs', '--from', '7d'], 'cannot use --from with sqs://logs'],
    [['sqs://logs', '--dry-run'], 'cannot use --dry-run with sqs://logs'],
    [['.', '--reconcile', '3'], 'cannot use --reconcile: no source is a queue'],
    [['sqs://logs', '--reconcile', '0'], 'expected a number of days from 1 to 3660'],
  ])('%j', async (args, message) => {
    const { status, stderr } = await trail.ingest(args, server.moto.url);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
