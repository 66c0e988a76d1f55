/** The client for S3, with the credentials, region and endpoint that the AWS CLI would use, and what its errors mean. */
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { awsReason, clientConfig, unansweredError } from '../aws.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { AwsOptions } from '../source.ts';

/** Where nobody names a region: buckets are found from any. */
const DEFAULT_REGION = 'us-east-1';

export async function createS3Client(options: AwsOptions): Promise<S3Client> {
  const endpoint = options.endpointUrl ?? process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'];
  const config: S3ClientConfig = {
    ...clientConfig(options),
    followRegionRedirects: true,
    // Servers that speak S3's language rarely have a name for each bucket.
    forcePathStyle: endpoint !== undefined,
    // Building the chain of a command anew for each request costs as much as signing it.
    cacheMiddleware: true,
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestChecksumCalculation: 'WHEN_REQUIRED',
  };
  const client = new S3Client({ ...(options.profile !== undefined && { profile: options.profile }), ...config });
  if (await hasRegion(client)) return client;
  client.destroy();
  return new S3Client({ ...config, region: DEFAULT_REGION });
}

async function hasRegion(client: S3Client): Promise<boolean> {
  try {
    await client.config.region();
    return true;
  } catch {
    return false;
  }
}

/** What a failed request means for a person. `doing`: `list s3://bucket/prefix`. */
export function awsError(error: unknown, doing: string, code: ErrorCode = 'source-unreadable'): AppError {
  if (error instanceof AppError) return error;
  const { name, status, message } = awsReason(error);
  const make = (why: string, hint: string, as: ErrorCode = code): AppError =>
    new AppError(as, `cannot ${doing}: ${why}`, { hint, cause: error });
  const unanswered = unansweredError(error, doing, code);
  if (unanswered !== null) return unanswered;
  if (name === 'NoSuchBucket') return make('there is no such bucket', 'Check the spelling.', 'source-missing');
  if (name === 'NoSuchKey' || name === 'NotFound' || status === 404)
    return make('the object is gone since it was listed', 'Run the same command again.');
  if (name === 'PreconditionFailed' || status === 412)
    return make('the object was replaced while it was read', 'Run the same command again: it reads the new one.');
  if (name === 'InvalidObjectState')
    return make(
      'the object is archived (Glacier) and must be restored first',
      'Restore it (`aws s3api restore-object`), then run the same command again.',
    );
  if (status === 403 && /kms/iu.test(message))
    return make(
      `the key that it is encrypted with may not be used (${message})`,
      'Allow kms:Decrypt on that key, in its key policy as well.',
    );
  if (status === 403 || name === 'AccessDenied' || name === 'Forbidden')
    return make(
      `access denied (${message})`,
      'Allow s3:ListBucket on the bucket and s3:GetObject on its objects; buckets of other organisations may want --request-payer.',
    );
  if (name === 'SlowDown' || status === 503) return make('S3 asks to slow down', 'Run the same command again later.');
  return make(`${name}: ${message}`, 'Run the same command again; what was read is kept.');
}
