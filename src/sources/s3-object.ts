/** Reads an object of S3 as a stream that goes on where it broke off. */
import { Readable } from 'node:stream';
import { GetObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { AppError } from '../errors.ts';
import { parseKey } from '../keys.ts';
import type { LogFile } from '../source.ts';
import { awsError } from './s3-client.ts';
import { mayRetry } from './s3-retry.ts';

export interface S3Object {
  readonly bucket: string;
  readonly key: string;
  /** In quotes, as S3 lists it. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly requestPayer: boolean;
}

/** A body without a byte for so long is given up. */
const SILENCE_MS = 20_000;

/** An object as a log file; `from` as in parseKey(). */
export function objectFile(client: S3Client, object: S3Object, from = 0): LogFile {
  return {
    key: `s3://${object.bucket}/${object.key}`,
    sizeBytes: object.sizeBytes,
    version: object.etag,
    hint: parseKey(object.key, from),
    content: { type: 'object', open: (signal) => Promise.resolve(openObject(client, object, signal)) },
  };
}

/** Fails with an AppError that says what to do. */
function openObject(client: S3Client, object: S3Object, signal: AbortSignal): Readable {
  return Readable.from(bytesOf(client, object, signal), { objectMode: false, highWaterMark: 256 * 1024 });
}

async function* bytesOf(client: S3Client, object: S3Object, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const { bucket, key, etag, sizeBytes } = object;
  const doing = `read s3://${bucket}/${key}`;
  let at = 0;
  for (let failures = 0; ; ) {
    try {
      const { Body, ContentRange } = await client.send(
        new GetObjectCommand({
          Bucket: bucket,
          Key: key,
          IfMatch: etag,
          ...(at > 0 && { Range: `bytes=${at}-` }),
          ...(object.requestPayer && { RequestPayer: 'requester' as const }),
        }),
        { abortSignal: signal },
      );
      if (at > 0 && ContentRange?.startsWith(`bytes ${at}-`) !== true)
        throw new Error(`asked for bytes from ${at}, the server sent ${ContentRange ?? 'others'}`);
      for await (const chunk of unlessSilent(Body as Readable)) {
        at += chunk.length;
        failures = 0;
        yield chunk;
      }
      if (at === sizeBytes) return;
      if (at > sizeBytes)
        throw new AppError('source-unreadable', `cannot ${doing}: it holds more than the ${sizeBytes} bytes listed`, {
          hint: 'Run the same command again.',
        });
      throw new Error(`the body ended after ${at} of ${sizeBytes} bytes`);
    } catch (error) {
      if (signal.aborted) throw new AppError('interrupted', `stopped reading s3://${bucket}/${key}`);
      if (!(await mayRetry(error, ++failures, signal))) throw awsError(error, doing);
    }
  }
}

/** Ends a body that is silent for too long with an error. */
async function* unlessSilent(body: Readable): AsyncGenerator<Uint8Array> {
  const giveUp = (): void => {
    body.destroy(new Error(`no byte came for ${SILENCE_MS / 1000} seconds`));
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
