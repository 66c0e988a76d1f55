/** The buckets of an account: which of them log their requests, where to, and whether anything lies there. */
import {
  GetBucketEncryptionCommand,
  GetBucketLoggingCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  type S3Client,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { awsReason } from '../aws.ts';
import type { Questions } from './questions.ts';

export interface AccessLog {
  readonly of: string;
  readonly bucket: string;
  readonly prefix: string;
}

/** One request each: more of them are not asked about, and that is said. */
const BUCKETS_MAX = 1000;
const REQUESTS_MAX = 8;

export async function findAccessLogs(
  client: S3Client,
  questions: Questions,
): Promise<{ readonly logs: readonly AccessLog[]; readonly areAll: boolean }> {
  const listed = await questions.ask('list the buckets (s3:ListAllMyBuckets)', () =>
    client.send(new ListBucketsCommand({})),
  );
  const names = (listed?.Buckets ?? []).flatMap(({ Name: name }) => (name === undefined ? [] : [name]));
  if (names.length > BUCKETS_MAX)
    questions.remarks.push(`${names.length} buckets: only the first ${BUCKETS_MAX} were asked whether they log`);
  const limit = pLimit(REQUESTS_MAX);
  const found = await Promise.all(
    names.slice(0, BUCKETS_MAX).map((of) =>
      limit(async () => {
        const answer = await questions.ask(`ask where the bucket ${of} logs (s3:GetBucketLogging)`, () =>
          client.send(new GetBucketLoggingCommand({ Bucket: of })),
        );
        return answer === null ? null : { of, to: answer.LoggingEnabled };
      }),
    ),
  );
  const asked = found.filter((answer) => answer !== null);
  return {
    logs: asked.flatMap(({ of, to: { TargetBucket: bucket, TargetPrefix: prefix = '' } = {} }) =>
      bucket === undefined ? [] : [{ of, bucket, prefix }],
    ),
    areAll: listed !== null && asked.length === names.length,
  };
}

/** Null where that may not be asked. */
export async function isFilled(
  client: S3Client,
  bucket: string,
  prefix: string,
  questions: Questions,
): Promise<boolean | null> {
  const answer = await questions.ask(`look into s3://${bucket}/${prefix} (s3:ListBucket)`, () =>
    client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 })),
  );
  return answer === null ? null : (answer.KeyCount ?? 0) > 0;
}

/** What servers without a default of their own say of a bucket that nobody set one for. */
const UNENCRYPTED = 'ServerSideEncryptionConfigurationNotFoundError';

/** ARN of the key that a bucket encrypts with what comes without one, as web ACLs deliver; null where it takes no permission of its own. */
export async function bucketKey(client: S3Client, bucket: string, questions: Questions): Promise<string | null> {
  const rules = await questions.ask(`ask what the bucket ${bucket} encrypts with (s3:GetEncryptionConfiguration)`, () =>
    client.send(new GetBucketEncryptionCommand({ Bucket: bucket })).then(
      (answer) => answer.ServerSideEncryptionConfiguration?.Rules ?? [],
      (error: unknown) => {
        if (awsReason(error).name === UNENCRYPTED) return [];
        throw error;
      },
    ),
  );
  const [key] = (rules ?? []).flatMap((rule) => rule.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID ?? []);
  if (key === undefined || /^arn:[^:]+:kms:[^:]*:[^:]*:key\//u.test(key)) return key ?? null;
  questions.remarks.push(
    `the bucket ${bucket} encrypts with the key ${key}: a policy names keys by their ARN, so add kms:Decrypt on it yourself`,
  );
  return null;
}

/** Folders of organisations below `AWSLogs/`. */
export async function organizationFolders(
  client: S3Client,
  bucket: string,
  prefix: string,
  questions: Questions,
): Promise<readonly string[]> {
  const answer = await questions.ask(`look into s3://${bucket}/${prefix} (s3:ListBucket)`, () =>
    client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: `${prefix}o-`, Delimiter: '/' })),
  );
  return (answer?.CommonPrefixes ?? []).flatMap(({ Prefix: folder }) => (folder === undefined ? [] : [folder]));
}
