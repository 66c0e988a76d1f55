/** The S3 that the Athena on loopback writes to and reads exports from. */
import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';

export interface Buckets {
  /** Keys below `s3://bucket/prefix`. */
  list(location: string): Promise<readonly string[]>;
  put(url: string, file: string): Promise<void>;
  /** By day, local copies of the files that the lists of an export name. */
  lists(location: string): Promise<readonly { readonly day: string; readonly files: readonly string[] }[]>;
  close(): void;
}

const parts = (url: string): { readonly Bucket: string; readonly key: string } => {
  const [, Bucket = '', key = ''] = /^s3:\/\/([^/]+)\/(.*)$/u.exec(url) ?? [];
  return { Bucket, key };
};

export function openBuckets(endpoint: string, scratch: string): Buckets {
  const client = new S3Client({
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const list = async (location: string): Promise<readonly string[]> => {
    const { Bucket, key: Prefix } = parts(location);
    const { Contents = [], IsTruncated } = await client.send(new ListObjectsV2Command({ Bucket, Prefix }));
    if (IsTruncated === true) throw new Error(`more than a page lies below ${location}`);
    return Contents.map(({ Key: key = '' }) => key);
  };
  const get = async (url: string): Promise<Uint8Array> => {
    const { Bucket, key: Key } = parts(url);
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    return (await Body?.transformToByteArray()) ?? new Uint8Array();
  };
  return {
    list,
    put: async (url, file) => {
      const { Bucket, key: Key } = parts(url);
      await client.send(new PutObjectCommand({ Bucket, Key, Body: readFileSync(file) }));
    },
    lists: async (location) => {
      const { Bucket, key: prefix } = parts(location);
      const days: { day: string; files: string[] }[] = [];
      for (const key of await list(location)) {
        const [, day] = /^(\d{4}\/\d\d\/\d\d)\//u.exec(key.slice(prefix.length)) ?? [];
        // The marker lies above the days.
        if (day === undefined) continue;
        const files: string[] = [];
        for (const url of Buffer.from(await get(`s3://${Bucket}/${key}`))
          .toString()
          .trim()
          .split('\n')) {
          const file = join(scratch, `${randomUUID()}.parquet`);
          writeFileSync(file, await get(url));
          files.push(file);
        }
        days.push({ day, files });
      }
      return days;
    },
    close: () => client.destroy(),
  };
}
