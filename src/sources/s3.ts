/** A bucket of S3, or the part of it below a prefix, as a source. */
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { AppError } from '../errors.ts';
import type { AwsOptions, ListingCosts, Source } from '../source.ts';
import { isBucketName } from './bucket-name.ts';
import { awsError, createS3Client } from './s3-client.ts';
import { type Location, S3Listing } from './s3-listing.ts';
import { openingRequest } from './s3-retry.ts';

/** Throws `usage-invalid`. */
export function parseS3Url(url: string): Location {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/su.exec(url);
  const [, bucket = '', prefix = ''] = match ?? [];
  if (!isBucketName(bucket)) {
    throw new AppError('usage-invalid', `cannot read '${url}': expected s3://bucket or s3://bucket/prefix`, {
      hint: 'Names of buckets have 3 to 63 lower-case letters, digits, dots and hyphens.',
    });
  }
  return { bucket, prefix };
}

/**
 * Asks for one key, so that what cannot work is told at once. Throws `usage-invalid`, `aws-credentials`, `source-missing` where there is no such bucket or
 * nothing below the prefix, and `source-unreadable`.
 */
export async function openS3Source(url: string, options: AwsOptions, warn: (message: string) => void): Promise<Source> {
  const { bucket, prefix } = parseS3Url(url);
  const requestPayer = options.requestPayer ?? false;
  const client = await createS3Client(options);
  try {
    const { KeyCount: found = 0 } = await openingRequest(() =>
      client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          MaxKeys: 1,
          ...(requestPayer && { RequestPayer: 'requester' as const }),
        }),
      ),
    );
    if (found === 0) {
      throw new AppError('source-missing', `nothing lies under ${url}`, {
        hint: `Check the spelling: \`aws s3 ls s3://${bucket}/\` shows what there is.`,
      });
    }
  } catch (error) {
    client.destroy();
    throw awsError(error, `list ${url}`);
  }
  const costs: { -readonly [name in keyof ListingCosts]: number } = {
    listRequests: 1,
    headRequests: 0,
    keysListed: 0,
    foldersPruned: 0,
    keysPruned: 0,
  };
  return {
    name: url,
    paths: [],
    list: (scope, signal) =>
      new S3Listing({ client, bucket, prefix, requestPayer, warn }, scope, signal, costs).files(),
    costs: () => costs,
    close: () => {
      client.destroy();
      return Promise.resolve();
    },
  };
}
