/** Reads an object of S3 as a stream that goes on where it broke off. */
import { Readable } from 'node:stream';
import { HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { AppError } from '../errors.ts';
import { parseKey } from '../keys.ts';
import type { LogFile } from '../source.ts';
import { awsError } from './s3-client.ts';
import { getObject, type S3Object } from './s3-get.ts';
import { mayRetry } from './s3-retry.ts';

/** A body without a byte for so long is given up. */
const SILENCE_MS = 20_000;
const SILENT = `no byte came for ${SILENCE_MS / 1000} seconds`;

/** An object as a log file; `from` as in parseKey(). */
export function objectFile(client: S3Client, object: S3Object, from = 0): LogFile {
  return {
    key: `s3://${object.bucket}/${object.key}`,
    sizeBytes: object.sizeBytes,
    version: object.etag,
    hint: parseKey(object.key, from),
    content: {
      type: 'object',
      open: (signal) => Promise.resolve(openObject(client, object, signal)),
      read: (signal) => readObject(client, object, signal),
    },
  };
}

/** An object that was not listed, asked for its size and ETag: the ledger knows it by what a list would have said. Fails with what the client fails with. */
export async function askedObject(
  client: S3Client,
  { bucket, key, requestPayer }: Pick<S3Object, 'bucket' | 'key' | 'requestPayer'>,
  signal: AbortSignal,
): Promise<LogFile> {
  const command = new HeadObjectCommand({
    Bucket: bucket,
    Key: key,
    ...(requestPayer && { RequestPayer: 'requester' as const }),
  });
  for (let failures = 0; ; ) {
    try {
      const { ContentLength: sizeBytes = 0, ETag: etag = '' } = await client.send(command, { abortSignal: signal });
      return objectFile(client, { bucket, key, etag, sizeBytes, requestPayer });
    } catch (error) {
      if (!(await mayRetry(error, ++failures, signal))) throw error;
    }
  }
}

/** Fails with an AppError that says what to do. */
function openObject(client: S3Client, object: S3Object, signal: AbortSignal): Readable {
  return Readable.from(bytesOf(client, object, signal), { objectMode: false, highWaterMark: 256 * 1024 });
}

async function* bytesOf(client: S3Client, object: S3Object, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reading = new Reading(client, object, signal);
  while (!reading.isWhole) {
    try {
      for await (const chunk of unlessSilent(await reading.body())) {
        reading.took(chunk.length);
        yield chunk;
      }
      reading.ended();
    } catch (error) {
      await reading.tryAgain(error);
    }
  }
}

/** All of an object that fits into memory: without a stream in between, which costs as much as the request. */
async function readObject(client: S3Client, object: S3Object, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  const reading = new Reading(client, object, signal);
  const bytes = new Uint8Array(object.sizeBytes);
  while (!reading.isWhole) {
    try {
      await collect(await reading.body(), (chunk) => {
        if (reading.at + chunk.length <= bytes.length) bytes.set(chunk, reading.at);
        reading.took(chunk.length);
      });
      reading.ended();
    } catch (error) {
      await reading.tryAgain(error);
    }
  }
  return bytes;
}

function collect(body: Readable, take: (chunk: Uint8Array) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      body.destroy(new Error(SILENT));
    };
    let timer = setTimeout(giveUp, SILENCE_MS);
    body.on('data', (chunk: Uint8Array) => {
      timer.refresh();
      take(chunk);
    });
    body.once('end', () => {
      clearTimeout(timer);
      resolve();
    });
    body.once('close', () => {
      clearTimeout(timer);
      reject(new Error('the connection was closed'));
    });
    body.once('error', reject);
  });
}

/** How far an object has been read, over as many requests as that takes. */
class Reading {
  readonly #client: S3Client;
  readonly #object: S3Object;
  readonly #signal: AbortSignal;
  readonly #doing: string;
  #failures = 0;
  at = 0;
  isWhole = false;

  constructor(client: S3Client, object: S3Object, signal: AbortSignal) {
    this.#client = client;
    this.#object = object;
    this.#signal = signal;
    this.#doing = `read s3://${object.bucket}/${object.key}`;
    endWith(client, signal);
  }

  /** What is still to be read. */
  async body(): Promise<Readable> {
    const { body, contentRange } = await getObject(this.#client, this.#object, this.at);
    if (this.at > 0 && contentRange?.startsWith(`bytes ${this.at}-`) !== true)
      throw new Error(`asked for bytes from ${this.at}, the server sent ${contentRange ?? 'others'}`);
    return body;
  }

  took(bytes: number): void {
    this.at += bytes;
    this.#failures = 0;
  }

  /** A body is over. Throws when that was too early or too late. */
  ended(): void {
    const { sizeBytes } = this.#object;
    if (this.at > sizeBytes) {
      throw new AppError(
        'source-unreadable',
        `cannot ${this.#doing}: it holds more than the ${sizeBytes} bytes listed`,
        {
          hint: 'Run the same command again.',
        },
      );
    }
    if (this.at < sizeBytes) throw new Error(`the body ended after ${this.at} of ${sizeBytes} bytes`);
    this.isWhole = true;
  }

  /** Waits before the next request. Throws an AppError when there is to be none. */
  async tryAgain(error: unknown): Promise<void> {
    const { bucket, key } = this.#object;
    if (this.#signal.aborted) throw new AppError('interrupted', `stopped reading s3://${bucket}/${key}`);
    if (!(await mayRetry(error, ++this.#failures, this.#signal))) throw awsError(error, this.#doing);
  }
}

/** Signals at which a client was told to end its connections: a signal of its own for each request would make the client build its chain of steps each time. */
const endings = new WeakMap<S3Client, AbortSignal>();

function endWith(client: S3Client, signal: AbortSignal): void {
  if (endings.get(client) === signal) return;
  endings.set(client, signal);
  signal.addEventListener('abort', () => client.destroy(), { once: true });
}

/** Ends a body that is silent for too long with an error. */
async function* unlessSilent(body: Readable): AsyncGenerator<Uint8Array> {
  const giveUp = (): void => {
    body.destroy(new Error(SILENT));
  };
  let timer = setTimeout(giveUp, SILENCE_MS);
  try {
    for await (const chunk of body) {
      clearTimeout(timer);
      yield chunk as Uint8Array;
      timer = setTimeout(giveUp, SILENCE_MS);
    }
  } finally {
    clearTimeout(timer);
  }
}
