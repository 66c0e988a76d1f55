/** The built command over queues of a server that speaks AWS's language: sums are exact and the queue is empty, whatever comes twice, late or never. */
import { type ChildProcess, spawn } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { MAIN, newFolder, type Outcome, trailhound } from '../cli/run.ts';
import { type AwsProxy, type Seen, startProxy } from '../support/aws-proxy.ts';
import { AWS_ENV, type Moto, motoMissing, startMoto } from '../support/moto.ts';

const ACCOUNT = '111122223333';
const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const PER_FILE = 3;

let moto: Moto;
let s3: S3Client;
let sqs: SQSClient;
let number = 0;
let bucket: string;
let queue: string;
let queueUrl: string;
let cwd: string;

const unless = describe.skipIf(motoMissing !== null);

beforeAll(async () => {
  if (motoMissing !== null) return;
  moto = await startMoto();
  const config = { endpoint: moto.url, region: AWS_ENV.AWS_REGION, credentials };
  s3 = new S3Client({ ...config, forcePathStyle: true });
  sqs = new SQSClient(config);
});
afterAll(async () => {
  if (motoMissing !== null) return;
  s3.destroy();
  sqs.destroy();
  await moto.stop();
});
beforeEach(async () => {
  if (motoMissing !== null) return;
  number++;
  bucket = `trail-logs-${number}`;
  queue = `logs-${number}`;
  cwd = newFolder();
  const place = { LocationConstraint: AWS_ENV.AWS_REGION };
  await s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: place }));
  queueUrl = (await sqs.send(new CreateQueueCommand({ QueueName: queue }))).QueueUrl ?? '';
});

const record = (id: number): object => ({
  eventVersion: '1.09',
  userIdentity: { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' },
  eventTime: new Date(Date.now() - 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z'),
  eventSource: 'sts.amazonaws.com',
  eventName: 'AssumeRole',
  awsRegion: 'eu-central-1',
  eventID: `00000000-0000-4000-8000-${String(number * 1_000_000 + id).padStart(12, '0')}`,
  eventType: 'AwsApiCall',
  recipientAccountId: ACCOUNT,
});
const logFile = (file: number): Buffer =>
  gzipSync(JSON.stringify({ Records: Array.from({ length: PER_FILE }, (_, at) => record(file * PER_FILE + at)) }));
const today = new Date().toISOString().slice(0, 10);
const keyOf = (file: number): string =>
  `AWSLogs/${ACCOUNT}/CloudTrail/eu-central-1/${today.replaceAll('-', '/')}/${ACCOUNT}_CloudTrail_eu-central-1_${today.replaceAll('-', '')}T0005Z_${String(file).padStart(16, 'x')}.json.gz`;

/** Returns the ETag without its quotes. */
async function put(key: string, content: Buffer | string): Promise<string> {
  const { ETag: etag = '' } = await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content }));
  return etag.replaceAll('"', '');
}

const send = (body: string): Promise<unknown> =>
  sqs.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: body }));

/** As S3 itself writes it. */
const notice = (key: string, size: number, etag: string, eventName = 'ObjectCreated:Put'): object => ({
  eventVersion: '2.1',
  eventSource: 'aws:s3',
  awsRegion: AWS_ENV.AWS_REGION,
  eventName,
  s3: {
    bucket: { name: bucket },
    object: { key: encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+'), size, eTag: etag },
  },
});
const body = (...records: readonly object[]): string => JSON.stringify({ Records: records });

/** Puts log files into the bucket, and returns what S3 would tell of each. */
async function putFiles(files: readonly number[]): Promise<object[]> {
  const notices: object[] = [];
  for (const file of files) {
    const content = logFile(file);
    notices.push(notice(keyOf(file), content.length, await put(keyOf(file), content)));
  }
  return notices;
}

const env = (url: string): Record<string, string> => ({ ...AWS_ENV, AWS_ENDPOINT_URL: url });

async function ingest(args: readonly string[], url: string): Promise<Outcome> {
  return trailhound(['ingest', ...args], { cwd, env: env(url) });
}

async function withProxy<T>(
  use: (proxy: AwsProxy) => Promise<T>,
  intercept: Parameters<typeof startProxy>[1] = () => null,
  answered?: Parameters<typeof startProxy>[2],
): Promise<T> {
  const proxy = await startProxy(moto.url, intercept, answered);
  try {
    return await use(proxy);
  } finally {
    await proxy.close();
  }
}

/** Messages that wait and that are hidden. */
async function left(url: string = queueUrl): Promise<readonly [number, number]> {
  const { Attributes: all = {} } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }),
  );
  return [Number(all['ApproximateNumberOfMessages']), Number(all['ApproximateNumberOfMessagesNotVisible'])];
}

interface Sums {
  readonly balanced: boolean;
  readonly records: {
    readonly in: number;
    readonly stored: number;
    readonly duplicate: number;
    readonly rejected: number;
  };
}

async function sums(): Promise<readonly [boolean, number, number, number]> {
  const { stdout } = await trailhound(['status', '--output', 'json'], { cwd });
  const { balanced, records } = JSON.parse(stdout) as Sums;
  return [balanced, records.stored, records.duplicate, records.rejected];
}

const reads = (proxy: AwsProxy): number => proxy.seen.filter(({ action }) => action.startsWith('GET /')).length;
const keysRead = (proxy: AwsProxy): string[] =>
  proxy.seen.flatMap(({ action }) => (action.startsWith('GET /') ? [action.replace(/\?.*$/, '')] : []));

unless('--once', () => {
  test('what S3 itself sends is stored, and the queue is empty behind it', async () => {
    await s3.send(
      new PutBucketNotificationConfigurationCommand({
        Bucket: bucket,
        NotificationConfiguration: {
          QueueConfigurations: [
            {
              QueueArn: `arn:aws:sqs:${AWS_ENV.AWS_REGION}:123456789012:${queue}`,
              Events: ['s3:ObjectCreated:*', 's3:ObjectRemoved:*'],
            },
          ],
        },
      }),
    );
    await putFiles([0, 1, 2]);
    const odd = ['odd/a b+c%d.json.gz', 'odd/ä😀.json.gz', 'odd//x.json.gz'];
    for (const [at, key] of odd.entries()) await put(key, logFile(10 + at));
    await put('AWSLogs/', '');
    await put(`AWSLogs/${ACCOUNT}/elasticloadbalancing/eu-central-1/2026/01/01/x.log.gz`, 'no log of ours');
    await put('gone', 'x');
    await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: 'gone' }));
    await withProxy(async (proxy) => {
      const { status, stderr } = await ingest([`sqs://${queue}`, '--once'], proxy.url);
      // What was removed before it could be read is the one thing that is missing.
      expect(stderr).toContain(`cannot read s3://${bucket}/gone: `);
      expect([status, await sums(), reads(proxy)]).toEqual([3, [true, 6 * PER_FILE, 0, 0], 7]);
    });
    expect(await left()).toEqual([0, 1]);
  });

  test('each shape that a notification comes in', async () => {
    const notices = await putFiles([0, 1, 2, 3, 4, 5]);
    const [first = {}, second = {}, third = {}, fourth = {}] = notices;
    const topic = (message: string): string =>
      JSON.stringify({
        Type: 'Notification',
        MessageId: 'm',
        TopicArn: 'arn:aws:sns:eu-central-1:111122223333:t',
        Message: message,
      });
    await send(body(first, second));
    await send(topic(body(third)));
    await send(topic(topic(body(fourth, notice('x', 1, 'aa', 'ObjectRemoved:Delete')))));
    const detail = { bucket: { name: bucket }, object: { key: keyOf(4), size: logFile(4).length } };
    await send(JSON.stringify({ version: '0', 'detail-type': 'Object Created', source: 'aws.s3', detail }));
    await send(topic(JSON.stringify({ s3Bucket: bucket, s3ObjectKey: [keyOf(5)] })));
    await send('{"Service":"Amazon S3","Event":"s3:TestEvent"}');
    await withProxy(async (proxy) => {
      const { status, stderr } = await ingest(
        [`sqs://arn:aws:sqs:${AWS_ENV.AWS_REGION}:123456789012:${queue}`, '--once'],
        proxy.url,
      );
      expect([status, await sums(), reads(proxy)]).toEqual([0, [true, 6 * PER_FILE, 0, 0], 6]);
      expect(stderr).toContain('6 files, 18 events, 0 rejects');
    });
    expect(await left()).toEqual([0, 0]);
  });

  test('duplicates and poison: each object is read once, and what cannot be understood stays', async () => {
    const notices = await putFiles([0, 1, 2, 3]);
    for (const one of [...notices.toReversed(), ...notices, ...notices]) await send(body(one));
    await send(body(...notices));
    for (const poison of ['hello', '{"a":1}', body({ eventName: 'ObjectCreated:Put' })]) await send(poison);
    await withProxy(async (proxy) => {
      const { status, stderr } = await ingest(
        [queueUrl.replace(/^http/, 'sqs://http').replace(moto.url, proxy.url), '--once'],
        proxy.url,
      );
      expect([status, await sums(), reads(proxy), await left()]).toEqual([3, [true, 4 * PER_FILE, 0, 0], 4, [0, 3]]);
      expect(stderr.match(/cannot use message \S+ of sqs:\/\/logs-\d+: /g)).toHaveLength(3);
    });
  });

  test('another run knows what an earlier one stored', async () => {
    const notices = await putFiles([0, 1]);
    for (const one of notices) await send(body(one));
    await withProxy(async (proxy) => {
      expect((await ingest([`sqs://${queue}`, '--once'], proxy.url)).status).toBe(0);
      for (const one of notices) await send(body(one));
      const { status, stderr } = await ingest([`sqs://${queue}`, '--once'], proxy.url);
      expect([status, reads(proxy), await sums(), await left()]).toEqual([0, 2, [true, 2 * PER_FILE, 0, 0], [0, 0]]);
      expect(stderr).toContain('2 files (2 known)');
    });
  });

  test('a file that cannot be read leaves its message, the others of the queue are deleted', async () => {
    const [first = {}, second = {}] = await putFiles([0, 1]);
    await send(body(first));
    await send(body(second, notice('AWSLogs/missing.json.gz', 5, 'aa')));
    await withProxy(async (proxy) => {
      const { status } = await ingest([`sqs://${queue}`, '--once'], proxy.url);
      expect([status, await sums(), await left()]).toEqual([3, [true, 2 * PER_FILE, 0, 0], [0, 1]]);
    });
  });

  test('a message that is older than its object is read as the object is now, when it comes again', async () => {
    await put(keyOf(0), logFile(0));
    await send(body(notice(keyOf(0), 3, '00000000000000000000000000000000')));
    await withProxy(
      async (proxy) => {
        expect((await ingest([`sqs://${queue}`, '--once'], proxy.url)).status).toBe(3);
        await proxy.idle();
        await makeVisible();
        expect((await ingest([`sqs://${queue}`, '--once'], proxy.url)).status).toBe(0);
      },
      undefined,
      remember,
    );
    expect([await sums(), await left()]).toEqual([
      [true, PER_FILE, 0, 0],
      [0, 0],
    ]);
  });

  test('messages that SQS does not delete at first are deleted', async () => {
    for (const one of await putFiles([0, 1, 2])) await send(body(one));
    let refusals = 0;
    await withProxy(
      async (proxy) => {
        expect((await ingest([`sqs://${queue}`, '--once'], proxy.url)).status).toBe(0);
        expect(proxy.count('SQS:DeleteMessageBatch')).toBeGreaterThanOrEqual(2);
      },
      ({ action, body: text }) => {
        if (action !== 'SQS:DeleteMessageBatch' || refusals++ > 0) return null;
        const { Entries: entries } = JSON.parse(text) as { Entries: { Id: string }[] };
        const failed = entries.map(({ Id }) => ({ Id, Code: 'InternalError', SenderFault: false }));
        return { status: 200, body: JSON.stringify({ Successful: [], Failed: failed }) };
      },
    );
    expect([await sums(), await left()]).toEqual([
      [true, 3 * PER_FILE, 0, 0],
      [0, 0],
    ]);
  });

  test('--reconcile finds what no message named, where messages and the command line say to look', async () => {
    const [first = {}] = await putFiles([0, 1, 2]);
    await send(body(first));
    await withProxy(async (proxy) => {
      const { status } = await ingest([`sqs://${queue}`, '--once', '--reconcile', '3'], proxy.url);
      expect([status, await sums(), await left()]).toEqual([0, [true, 3 * PER_FILE, 0, 0], [0, 0]]);
      expect(new Set(keysRead(proxy).filter((path) => path.includes('AWSLogs'))).size).toBe(3);
      await putFiles([3]);
      expect(
        (await ingest([`sqs://${queue}`, `s3://${bucket}/AWSLogs/`, '--once', '--reconcile', '3'], proxy.url)).status,
      ).toBe(0);
    });
    expect(await sums()).toEqual([true, 4 * PER_FILE, 0, 0]);
  });
});

/** Receipts of every message that was handed out, by the proxy. */
const receipts = new Set<string>();
function remember({ action }: Seen, answer: string): void {
  if (action !== 'SQS:ReceiveMessage') return;
  const { Messages: messages = [] } = JSON.parse(answer) as { Messages?: { ReceiptHandle: string }[] };
  for (const { ReceiptHandle: receipt } of messages) receipts.add(receipt);
}

/** As the time does that nobody wants to wait for. */
async function makeVisible(): Promise<void> {
  for (const ReceiptHandle of receipts) {
    // Deleted ones are refused.
    await sqs
      .send(new ChangeMessageVisibilityCommand({ QueueUrl: queueUrl, ReceiptHandle, VisibilityTimeout: 0 }))
      .catch(() => undefined);
  }
  receipts.clear();
}

unless('killed or told to end', () => {
  const start = (
    args: readonly string[],
    url: string,
  ): { child: ChildProcess; ended: Promise<number | null>; text(): string } => {
    const { PATH, HOME } = process.env;
    const child = spawn(process.execPath, [MAIN, 'ingest', ...args], {
      cwd,
      env: { PATH, HOME, ...env(url) },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      text += String(chunk);
    });
    const ended = new Promise<number | null>((resolve) => {
      child.once('close', (status) => resolve(status));
    });
    return { child, ended, text: () => text };
  };

  test('kill -9 between the commit and the deletion: the next run stores nothing twice and deletes', async () => {
    for (const one of await putFiles([0, 1, 2, 3, 4])) await send(body(one));
    let killed: ChildProcess | null = null;
    await withProxy(
      async (proxy) => {
        const { child, ended } = start([`sqs://${queue}`], proxy.url);
        killed = child;
        await ended;
        expect([await left(), await sums()]).toEqual([
          [0, 5],
          [true, 5 * PER_FILE, 0, 0],
        ]);
        await proxy.idle();
        await makeVisible();
      },
      ({ action }) => {
        if (action !== 'SQS:DeleteMessageBatch') return null;
        killed?.kill('SIGKILL');
        return 'drop';
      },
      remember,
    );
    await withProxy(async (proxy) => {
      expect((await ingest([`sqs://${queue}`, '--once'], proxy.url)).status).toBe(0);
      expect(reads(proxy)).toBe(0);
    });
    expect([await left(), await sums()]).toEqual([
      [0, 0],
      [true, 5 * PER_FILE, 0, 0],
    ]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('%s: what is in work is committed and deleted', async (signal) => {
    for (const one of await putFiles([0, 1, 2, 3])) await send(body(one));
    let child: ChildProcess | null = null;
    await withProxy(
      async (proxy) => {
        const run = start([`sqs://${queue}`], proxy.url);
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
    expect([await left(), await sums()]).toEqual([
      [0, 0],
      [true, 4 * PER_FILE, 0, 0],
    ]);
  });

  test('without --once it goes on, and commits as messages come', async () => {
    await withProxy(async (proxy) => {
      const { child, ended } = start([`sqs://${queue}`], proxy.url);
      for (const [at, one] of (await putFiles([0, 1, 2])).entries()) {
        await send(body(one));
        await expect.poll(async () => (await left()).join(), { timeout: 30_000, interval: 300 }).toBe('0,0');
        await expect.poll(async () => (await sums())[1], { timeout: 30_000, interval: 500 }).toBe((at + 1) * PER_FILE);
      }
      child.kill('SIGTERM');
      expect(await ended).toBe(130);
    });
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
    const { status, stderr } = await ingest(['sqs://nowhere', '--once'], moto.url);
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining('cannot open sqs://nowhere: there is no such queue in this region and account'),
    ]);
  });

  test('access denied', async () => {
    await withProxy(async (proxy) => {
      const { status, stderr } = await ingest([`sqs://${queue}`, '--once'], proxy.url);
      expect([status, stderr]).toEqual([
        3,
        expect.stringMatching(/access denied[^]*Allow sqs:GetQueueUrl, sqs:ReceiveMessage, sqs:DeleteMessage/),
      ]);
    }, denied);
  });

  test('messages that may be received and not deleted', async () => {
    for (const one of await putFiles([0])) await send(body(one));
    await withProxy(
      async (proxy) => {
        const { status, stderr } = await ingest([`sqs://${queue}`, '--once'], proxy.url);
        expect([status, stderr]).toEqual([
          3,
          expect.stringContaining(`cannot delete messages of sqs://${queue}: access denied`),
        ]);
      },
      (seen) => (seen.action === 'SQS:DeleteMessageBatch' ? denied(seen) : null),
    );
    expect([await sums(), await left()]).toEqual([
      [true, PER_FILE, 0, 0],
      [0, 1],
    ]);
  });

  test('no credentials', async () => {
    const { status, stderr } = await trailhound(['ingest', `sqs://${queue}`, '--once'], {
      cwd,
      env: { AWS_REGION: 'eu-central-1', AWS_ENDPOINT_URL: moto.url, AWS_EC2_METADATA_DISABLED: 'true', HOME: cwd },
    });
    expect([status, stderr]).toEqual([2, expect.stringContaining('AWS takes no credentials from here')]);
  });

  test('no answer', async () => {
    const { status, stderr } = await ingest(['sqs://logs', '--once'], 'http://127.0.0.1:9');
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
    const { status, stderr } = await ingest(args, moto.url);
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});

/** Poison may be looked at without being taken: the command never hides it for longer than others would. */
unless('a dead-letter queue', () => {
  test('gets poison by its redrive policy', async () => {
    const dead = (await sqs.send(new CreateQueueCommand({ QueueName: `${queue}-dead` }))).QueueUrl ?? '';
    const policy = {
      deadLetterTargetArn: `arn:aws:sqs:${AWS_ENV.AWS_REGION}:123456789012:${queue}-dead`,
      maxReceiveCount: 1,
    };
    const made = await sqs.send(
      new CreateQueueCommand({ QueueName: `${queue}-redriven`, Attributes: { RedrivePolicy: JSON.stringify(policy) } }),
    );
    queueUrl = made.QueueUrl ?? '';
    await send('hello');
    await withProxy(
      async (proxy) => {
        expect((await ingest([`sqs://${queue}-redriven`, '--once'], proxy.url)).status).toBe(3);
        await proxy.idle();
        await makeVisible();
        expect((await ingest([`sqs://${queue}-redriven`, '--once'], proxy.url)).status).toBe(0);
      },
      undefined,
      remember,
    );
    const { Messages: messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: dead }));
    expect(messages.map(({ Body }) => Body)).toEqual(['hello']);
  });
});
