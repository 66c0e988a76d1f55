/** A bucket of log files and a queue that tells of them, on a server of S3 and SQS; and the built command, run over them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  GetQueueAttributesCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { MAIN, newFolder, type Outcome, trailhound } from '../cli/run.ts';
import { type AwsProxy, type Intercept, type Seen, startProxy } from './aws-proxy.ts';
import { AWS_ENV, type Moto, startMoto } from './moto.ts';

export const ACCOUNT = '111122223333';
/** The one that moto puts everything into. */
export const QUEUE_ARN = `arn:aws:sqs:${AWS_ENV.AWS_REGION}:123456789012`;
/** Records of a log file. */
export const PER_FILE = 3;

export interface Server {
  readonly moto: Moto;
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  close(): Promise<void>;
}

export async function startServer(): Promise<Server> {
  const moto = await startMoto();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const config = { endpoint: moto.url, region: AWS_ENV.AWS_REGION, credentials };
  const s3 = new S3Client({ ...config, forcePathStyle: true });
  const sqs = new SQSClient(config);
  return {
    moto,
    s3,
    sqs,
    close: () => {
      s3.destroy();
      sqs.destroy();
      return moto.stop();
    },
  };
}

let trails = 0;

export class TrailQueue {
  readonly server: Server;
  readonly bucket: string;
  readonly name: string;
  readonly url: string;
  readonly cwd = newFolder();
  readonly #number: number;
  /** Of every message that a proxy saw handed out. */
  readonly #receipts = new Set<string>();

  private constructor(server: Server, number: number, bucket: string, name: string, url: string) {
    this.server = server;
    this.#number = number;
    this.bucket = bucket;
    this.name = name;
    this.url = url;
  }

  static async create(server: Server, attributes: Readonly<Record<string, string>> = {}): Promise<TrailQueue> {
    const number = ++trails;
    const [bucket, name] = [`trail-logs-${number}`, `logs-${number}`];
    const place = { LocationConstraint: AWS_ENV.AWS_REGION };
    await server.s3.send(new CreateBucketCommand({ Bucket: bucket, CreateBucketConfiguration: place }));
    const { QueueUrl: url = '' } = await server.sqs.send(
      new CreateQueueCommand({ QueueName: name, Attributes: attributes }),
    );
    return new TrailQueue(server, number, bucket, name, url);
  }

  record(id: number): object {
    return {
      eventVersion: '1.09',
      userIdentity: { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' },
      eventTime: new Date(Date.now() - 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z'),
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      awsRegion: AWS_ENV.AWS_REGION,
      eventID: `00000000-0000-4000-8000-${String(this.#number * 1_000_000 + id).padStart(12, '0')}`,
      eventType: 'AwsApiCall',
      recipientAccountId: ACCOUNT,
    };
  }

  logFile(file: number): Buffer {
    const records = Array.from({ length: PER_FILE }, (_, at) => this.record(file * PER_FILE + at));
    return gzipSync(JSON.stringify({ Records: records }));
  }

  /** Returns the ETag without its quotes. */
  async put(key: string, content: Buffer | string): Promise<string> {
    const { ETag: etag = '' } = await this.server.s3.send(
      new PutObjectCommand({ Bucket: this.bucket, Key: key, Body: content }),
    );
    return etag.replaceAll('"', '');
  }

  /** Puts log files, and returns what S3 would tell of each. */
  async putFiles(files: readonly number[]): Promise<object[]> {
    const notices: object[] = [];
    for (const file of files) {
      const content = this.logFile(file);
      notices.push(this.notice(keyOf(file), content.length, await this.put(keyOf(file), content)));
    }
    return notices;
  }

  /** As S3 writes it. */
  notice(key: string, size: number, eTag: string, eventName = 'ObjectCreated:Put'): object {
    const encoded = encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+');
    return {
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: AWS_ENV.AWS_REGION,
      eventName,
      s3: { bucket: { name: this.bucket }, object: { key: encoded, size, eTag } },
    };
  }

  async send(message: string | readonly object[]): Promise<void> {
    const text = typeof message === 'string' ? message : JSON.stringify({ Records: message });
    await this.server.sqs.send(new SendMessageCommand({ QueueUrl: this.url, MessageBody: text }));
  }

  /** Messages that wait, and that are hidden. */
  async left(): Promise<readonly [number, number]> {
    const { Attributes: all = {} } = await this.server.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: this.url, AttributeNames: ['All'] }),
    );
    return [Number(all['ApproximateNumberOfMessages']), Number(all['ApproximateNumberOfMessagesNotVisible'])];
  }

  async withProxy<T>(use: (proxy: AwsProxy) => Promise<T>, intercept?: Intercept): Promise<T> {
    const proxy = await startProxy(this.server.moto.url, intercept, (seen, answer) => this.#remember(seen, answer));
    try {
      return await use(proxy);
    } finally {
      await proxy.close();
    }
  }

  #remember({ action }: Seen, answer: string): void {
    if (action !== 'SQS:ReceiveMessage') return;
    const { Messages: messages = [] } = JSON.parse(answer) as { Messages?: { ReceiptHandle: string }[] };
    for (const { ReceiptHandle: receipt } of messages) this.#receipts.add(receipt);
  }

  /** Does what time would do to messages that were handed out and not deleted. */
  async makeVisible(proxy: AwsProxy): Promise<void> {
    await proxy.idle();
    for (const ReceiptHandle of this.#receipts) {
      // Those of deleted ones are refused.
      await this.server.sqs
        .send(new ChangeMessageVisibilityCommand({ QueueUrl: this.url, ReceiptHandle, VisibilityTimeout: 0 }))
        .catch(() => undefined);
    }
    this.#receipts.clear();
  }

  ingest(args: readonly string[], endpoint: string): Promise<Outcome> {
    return trailhound(['ingest', ...args], { cwd: this.cwd, env: { ...AWS_ENV, AWS_ENDPOINT_URL: endpoint } });
  }

  /** Starts it without waiting for its end. */
  start(args: readonly string[], endpoint: string): Started {
    const { PATH, HOME } = process.env;
    const env = { PATH, HOME, ...AWS_ENV, AWS_ENDPOINT_URL: endpoint };
    const child = spawn(process.execPath, [MAIN, 'ingest', ...args], {
      cwd: this.cwd,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    child.stderr.on('data', (chunk: Buffer) => {
      text += String(chunk);
    });
    const ended = new Promise<number | null>((resolve) => {
      child.once('close', (status) => resolve(status));
    });
    return { child, ended, text: () => text };
  }

  /** Is the store balanced? And records stored, duplicate, rejected. */
  async sums(): Promise<readonly [boolean, number, number, number]> {
    const { stdout } = await trailhound(['status', '--output', 'json'], { cwd: this.cwd });
    const { balanced, records } = JSON.parse(stdout) as {
      readonly balanced: boolean;
      readonly records: { readonly stored: number; readonly duplicate: number; readonly rejected: number };
    };
    return [balanced, records.stored, records.duplicate, records.rejected];
  }
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  text(): string;
}

/** Of a log file that was delivered today. */
export function keyOf(file: number): string {
  const [year, month, day] = new Date().toISOString().slice(0, 10).split('-');
  const name = `${ACCOUNT}_CloudTrail_${AWS_ENV.AWS_REGION}_${year}${month}${day}T0005Z_${String(file).padStart(16, 'x')}.json.gz`;
  return `AWSLogs/${ACCOUNT}/CloudTrail/${AWS_ENV.AWS_REGION}/${year}/${month}/${day}/${name}`;
}

/** How often objects were read. */
export function reads(proxy: AwsProxy): number {
  return proxy.seen.filter(({ action }) => /^GET \/[^/]+\/[^?]/.test(action)).length;
}
