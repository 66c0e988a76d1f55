/** The folders of a bucket, and how much lies in them, by lists of keys alone. */
import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { AppError } from '../errors.ts';
import type { AwsOptions, Folders } from '../source.ts';
import { awsError, createS3Client } from './s3-client.ts';
import { mayRetry } from './s3-retry.ts';

/** Pages of keys without a folder among them. */
const LOOK_PAGES_MAX = 100;

const decoderOf =
  (encoding: string | undefined) =>
  (text: string): string =>
    encoding === 'url' ? decodeURIComponent(text.replaceAll('+', ' ')) : text;

export async function openFolders(options: AwsOptions): Promise<Folders> {
  const client = await createS3Client(options);
  let requests = 0;

  async function page(
    bucket: string,
    prefix: string,
    more: { readonly delimiter?: boolean; readonly after?: string | undefined; readonly token: string | undefined },
    signal: AbortSignal,
  ): Promise<ListObjectsV2CommandOutput> {
    const command = new ListObjectsV2Command({
      Bucket: bucket,
      Prefix: prefix,
      EncodingType: 'url',
      ...(more.delimiter && { Delimiter: '/' }),
      ...(more.after !== undefined && { StartAfter: more.after }),
      ...(more.token !== undefined && { ContinuationToken: more.token }),
      ...(options.requestPayer && { RequestPayer: 'requester' as const }),
    });
    for (let failures = 0; ; ) {
      requests++;
      try {
        return await client.send(command, { abortSignal: signal });
      } catch (error) {
        if (await mayRetry(error, ++failures, signal)) continue;
        if (signal.aborted) throw new AppError('interrupted', `stopped listing s3://${bucket}/${prefix}`);
        throw awsError(error, `list s3://${bucket}/${prefix}`);
      }
    }
  }

  async function* pages(
    bucket: string,
    prefix: string,
    which: { readonly delimiter?: boolean; readonly after?: string | undefined },
    signal: AbortSignal,
  ): AsyncGenerator<ListObjectsV2CommandOutput, void, undefined> {
    let token: string | undefined;
    do {
      const one = await page(bucket, prefix, { ...which, token }, signal);
      yield one;
      token = one.NextContinuationToken;
    } while (token !== undefined);
  }

  return {
    async look(bucket, prefix, signal) {
      const folders: string[] = [];
      let keys: readonly string[] | null = null;
      let count = 0;
      for await (const { CommonPrefixes = [], Contents = [], EncodingType: encoding } of pages(
        bucket,
        prefix,
        { delimiter: true },
        signal,
      )) {
        const decode = decoderOf(encoding);
        keys ??= Contents.map(({ Key: key = '' }) => decode(key));
        for (const { Prefix: folder = '' } of CommonPrefixes) folders.push(decode(folder).slice(prefix.length, -1));
        // A folder full of files has no end, and its first keys say what they are.
        if (folders.length === 0 && ++count >= LOOK_PAGES_MAX) break;
      }
      return { folders, keys: keys ?? [] };
    },
    async measure(bucket, prefix, signal) {
      let [objects, bytes] = [0, 0];
      for await (const { Contents = [] } of pages(bucket, prefix, {}, signal)) {
        objects += Contents.length;
        bytes += Contents.reduce((sum, { Size: size = 0 }) => sum + size, 0);
      }
      return { objects, bytes };
    },
    async *objects(bucket, prefix, { after, signal }) {
      for await (const { Contents = [], EncodingType: encoding } of pages(bucket, prefix, { after }, signal)) {
        const decode = decoderOf(encoding);
        for (const { Key: key = '', Size: sizeBytes = 0, ETag: etag = '' } of Contents)
          yield { key: decode(key), sizeBytes, etag };
      }
    },
    requests: () => requests,
    close: () => client.destroy(),
  };
}
