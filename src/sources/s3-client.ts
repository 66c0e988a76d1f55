/** The client for S3, with the credentials, region and endpoint that the AWS CLI would use, and what its errors mean. */
import type { S3Client } from '@aws-sdk/client-s3';
import { awsReason, unansweredError } from '../aws.ts';
import { openS3Client } from '../aws-s3.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import type { AwsOptions } from '../source.ts';
import { learnFrom } from './s3-get.ts';

/** Each request is sent once: s3-retry.ts has the policy. Throws `aws-credentials` for a profile that is not there. */
export async function createS3Client(options: AwsOptions): Promise<S3Client> {
  const client = await openS3Client(options, {
    maxAttempts: 1,
    // Building the chain of a command anew for each request costs as much as signing it.
    cacheMiddleware: true,
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestChecksumCalculation: 'WHEN_REQUIRED',
  });
  learnFrom(client);
  return client;
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
