/** A prefix of a bucket as the target of an export. */
import { readFile } from 'node:fs/promises';
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { awsReason, unansweredError } from '../aws.ts';
import { openS3Client } from '../aws-s3.ts';
import { AppError } from '../errors.ts';
import type { AwsOptions } from '../source.ts';
import type { Target } from '../target.ts';

const LOCATION = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^'"\\]*))?$/u;

export async function openS3Target(name: string, aws: AwsOptions): Promise<Target> {
  const [, bucket, prefix = ''] = LOCATION.exec(name) ?? [];
  if (bucket === undefined)
    throw new AppError('usage-invalid', `cannot export to '${name}': expected s3://bucket/prefix`);
  const root = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`;
  const client = await openS3Client(aws);
  const doing = (verb: string, key: string): string => `${verb} s3://${bucket}/${root}${key}`;

  return {
    name,
    addressOf: (key) => `s3://${bucket}/${root}${key}`,
    async *list(from) {
      let token: string | undefined;
      do {
        const page = await ask(
          doing('list', from),
          client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${root}${from}`, ContinuationToken: token })),
        );
        for (const { Key, Size } of page.Contents ?? [])
          if (Key !== undefined) yield { key: Key.slice(root.length), sizeBytes: Size ?? 0 };
        token = page.NextContinuationToken;
      } while (token !== undefined);
    },
    readText: async (key) => {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: `${root}${key}` }));
        return (await Body?.transformToString()) ?? '';
      } catch (error) {
        if (awsReason(error).name === 'NoSuchKey') return null;
        throw unwritable(error, doing('read', key));
      }
    },
    readEnd: async (key, bytes) => {
      const { Body } = await ask(
        doing('read', key),
        client.send(new GetObjectCommand({ Bucket: bucket, Key: `${root}${key}`, Range: `bytes=-${bytes}` })),
      );
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    },
    writeText: async (key, text) => {
      await ask(
        doing('write', key),
        client.send(new PutObjectCommand({ Bucket: bucket, Key: `${root}${key}`, Body: text })),
      );
    },
    createText: async (key, text) => {
      try {
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: `${root}${key}`, Body: text, IfNoneMatch: '*' }));
        return true;
      } catch (error) {
        if (awsReason(error).status === 412) return false;
        throw unwritable(error, doing('write', key));
      }
    },
    writeFile: async (key, path) => {
      // In memory: the client can send it again, and S3 compares its checksum.
      const bytes = await readFile(path);
      await ask(
        doing('write', key),
        client.send(new PutObjectCommand({ Bucket: bucket, Key: `${root}${key}`, Body: bytes })),
      );
    },
    remove: async (key) => {
      await ask(doing('remove', key), client.send(new DeleteObjectCommand({ Bucket: bucket, Key: `${root}${key}` })));
    },
    close: () => client.destroy(),
  };
}

async function ask<T>(doing: string, answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw unwritable(error, doing);
  }
}

function unwritable(error: unknown, doing: string): AppError {
  const unanswered = unansweredError(error, doing, 'target-unwritable');
  if (unanswered !== null) return unanswered;
  const { name, status, message } = awsReason(error);
  const hint =
    name === 'NoSuchBucket'
      ? 'Check the spelling: an export makes no bucket.'
      : status === 403
        ? 'Allow s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject below the prefix.'
        : 'Run the same command again: what was exported is kept.';
  return new AppError('target-unwritable', `cannot ${doing}: ${name}: ${message}`, { hint, cause: error });
}
