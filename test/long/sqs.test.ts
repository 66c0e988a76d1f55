/** The built command over queues, at length: signals, faults, what comes again, and a dead-letter queue. */
import type { ChildProcess } from 'node:child_process';
import { DeleteObjectCommand, PutBucketNotificationConfigurationCommand } from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
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

unless('--once', () => {
  test('what S3 itself sends is stored, and the queue is empty behind it', async () => {
    await server.s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: trail.bucket,
        NotificationConfiguration: {
          QueueConfigurations: [
            {
              QueueArn: `${QUEUE_ARN}:${trail.name}`,
              Events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'],
            },
          ],
        },
      }),
    );
    await trail.putFiles([0, 1, 2]);
    const odd = ['odd/a b+c%d.json.gz', 'odd/ä😀.json.gz', 'odd//x.json.gz'];
    for (const [at, key] of odd.entries()) await trail.put(key, trail.logFile(10 + at));
    await trail.put('AWSLogs/', '');
    await trail.put(`AWSLogs/${ACCOUNT}/elasticloadbalancing/eu-central-1/2026/01/01/x.log.gz`, 'no log of ours');
    await trail.put('gone', 'x');
    await server.s3.send(new DeleteObjectCommand({ Bucket: trail.bucket, Key: 'gone' }));
    await trail.withProxy(async (proxy) => {
      const { status, stderr } = await trail.ingest([`sqs://${trail.name}`, '--once'], proxy.url);
      // What was removed before it could be read is the one thing that is missing.
      expect(stderr).toContain(`cannot read s3://${trail.bucket}/gone: `);
      expect([status, await trail.sums(), reads(proxy)]).toEqual([3, [true, 6 * PER_FILE, 0, 0], 7]);
    });
    expect(await trail.left()).toEqual([0, 1]);
  });

  test('another run knows what an earlier one stored', async () => {
    const notices = await trail.putFiles([0, 1]);
    for (const one of notices) await trail.send([one]);
    await trail.withProxy(async (proxy) => {
      expect((await trail.ingest([`sqs://${trail.name}`, '--once'], proxy.url)).status).toBe(0);
      for (const one of notices) await trail.send([one]);
      const { status, stderr } = await trail.ingest([`sqs://${trail.name}`, '--once'], proxy.url);
      expect([status, reads(proxy), await trail.sums(), await trail.left()]).toEqual([
        0,
        2,
        [true, 2 * PER_FILE, 0, 0],
        [0, 0],
      ]);
      expect(stderr).toContain('2 files (2 known)');
    });
  });

  test('a file that cannot be read leaves its message, the others of the queue are deleted', async () => {
    const [first = {}, second = {}] = await trail.putFiles([0, 1]);
    await trail.send([first]);
    await trail.send([second, trail.notice('AWSLogs/missing.json.gz', 5, 'aa')]);
    await trail.withProxy(async (proxy) => {
      const { status } = await trail.ingest([`sqs://${trail.name}`, '--once'], proxy.url);
      expect([status, await trail.sums(), await trail.left()]).toEqual([3, [true, 2 * PER_FILE, 0, 0], [0, 1]]);
    });
  });

  test('a message that is older than its object is read as the object is now, when it comes again', async () => {
    await trail.put(keyOf(0), trail.logFile(0));
    await trail.send([trail.notice(keyOf(0), 3, '0'.repeat(32))]);
    await trail.withProxy(async (proxy) => {
      expect((await trail.ingest([`sqs://${trail.name}`, '--once'], proxy.url)).status).toBe(3);
      await trail.makeVisible(proxy);
      expect((await trail.ingest([`sqs://${trail.name}`, '--once'], proxy.url)).status).toBe(0);
    });
    expect([await trail.sums(), await trail.left()]).toEqual([
      [true, PER_FILE, 0, 0],
      [0, 0],
    ]);
  });

  test('messages that SQS does not delete at first are deleted', async () => {
    for (const one of await trail.putFiles([0, 1, 2])) await trail.send([one]);
    let refusals = 0;
    await trail.withProxy(
      async (proxy) => {
        expect((await trail.ingest([`sqs://${trail.name}`, '--once'], proxy.url)).status).toBe(0);
        expect(proxy.count('SQS:DeleteMessageBatch')).toBeGreaterThanOrEqual(2);
      },
      ({ action, body: text }) => {
        if (action !== 'SQS:DeleteMessageBatch' || refusals++ > 0) return null;
        const { Entries: entries } = JSON.parse(text) as { Entries: { Id: string }[] };
        const failed = entries.map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false }));
        return { status: 200, body: JSON.stringify({ Successful: [], Failed: failed }) };
      },
    );
    expect([await trail.sums(), await trail.left()]).toEqual([
      [true, 3 * PER_FILE, 0, 0],
      [0, 0],
    ]);
  });
});

unless('told to end', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('%s: what is in work is committed and deleted', async (signal) => {
    for (const one of await trail.putFiles([0, 1, 2, 3])) await trail.send([one]);
    let child: ChildProcess | null = null;
    await trail.withProxy(
      async (proxy) => {
        const run = trail.start([`sqs://${trail.name}`], proxy.url);
        child = run.child;
        expect([await run.ended, run.text()]).toEqual([130, expect.stringContaining('4 files, 12 events, 0 rejects')]);
      },
      ({ action }) => {
        // All are listed before the first is read. A second signal would not wait.
        if (action.startsWith('GET /')) child?.kill(signal);
        if (action.startsWith('GET /')) child = null;
        return null;
      },
    );
    expect([await trail.left(), await trail.sums()]).toEqual([
      [0, 0],
      [true, 4 * PER_FILE, 0, 0],
    ]);
  });

  test('without --once it goes on, and commits as messages come', async () => {
    await trail.withProxy(async (proxy) => {
      const { child, ended } = trail.start([`sqs://${trail.name}`], proxy.url);
      for (const [at, one] of (await trail.putFiles([0, 1, 2])).entries()) {
        await trail.send([one]);
        await expect.poll(async () => (await trail.left()).join(), { timeout: 30_000, interval: 300 }).toBe('0,0');
        await expect
          .poll(async () => (await trail.sums())[1], { timeout: 30_000, interval: 500 })
          .toBe((at + 1) * PER_FILE);
      }
      child.kill('SIGTERM');
      expect(await ended).toBe(130);
    });
  });
});

unless('a dead-letter queue', () => {
  test('gets poison by its redrive policy', async () => {
    const dead = (await server.sqs.send(new CreateQueueCommand({ QueueName: `${trail.name}-dead` }))).QueueUrl ?? '';
    const policy = {
      deadLetterTargetArn: `${QUEUE_ARN}:${trail.name}-dead`,
      maxReceiveCount: 1,
    };
    trail = await TrailQueue.create(server, { RedrivePolicy: JSON.stringify(policy) });
    await trail.send('hello');
    await trail.withProxy(async (proxy) => {
      expect((await trail.ingest([`sqs://${trail.name}`, '--once'], proxy.url)).status).toBe(3);
      await trail.makeVisible(proxy);
      expect((await trail.ingest([`sqs://${trail.name}`, '--once'], proxy.url)).status).toBe(0);
    });
    const { Messages: messages = [] } = await server.sqs.send(new ReceiveMessageCommand({ QueueUrl: dead }));
    expect(messages.map(({ Body }) => Body)).toEqual(['hello']);
  });
});
