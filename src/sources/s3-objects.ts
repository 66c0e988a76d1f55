/** Objects of S3 that are known by name: each is asked for by itself, in whatever bucket it lies. */
import { awsReason } from '../aws.ts';
import { AppError } from '../errors.ts';
import type { AwsOptions, ListingCosts, ListingProblem, LogFile } from '../source.ts';
import { awsError, createS3Client } from './s3-client.ts';
import { askedObject } from './s3-object.ts';

export interface S3Objects {
  /** The object as a list of its bucket would tell it, or why it cannot be read. Throws what no other object would fare better with. */
  ask(bucket: string, key: string, signal: AbortSignal): Promise<LogFile | ListingProblem>;
  readonly costs: ListingCosts;
  close(): void;
}

const NOT_FOUND = 404;

/** Which of both is not there, the answer to such a request does not tell. */
const missing = (url: string, cause: unknown): AppError =>
  new AppError('source-missing', `cannot read ${url}: there is no such object, or no such bucket`, {
    hint: 'Check the spelling: upper and lower case count. A lifecycle rule may have removed it.',
    cause,
  });

/** Throws `aws-credentials` for a profile that is not there. */
export async function openS3Objects(options: AwsOptions): Promise<S3Objects> {
  const client = await createS3Client(options);
  const requestPayer = options.requestPayer ?? false;
  const costs = { listRequests: 0, headRequests: 0, keysListed: 0, foldersPruned: 0, keysPruned: 0 };
  return {
    async ask(bucket, key, signal) {
      costs.headRequests++;
      const url = `s3://${bucket}/${key}`;
      try {
        return await askedObject(client, { bucket, key, requestPayer }, signal);
      } catch (cause) {
        if (signal.aborted) throw new AppError('interrupted', `stopped asking for ${url}`);
        const error = awsReason(cause).status === NOT_FOUND ? missing(url, cause) : awsError(cause, `read ${url}`);
        if (error.code === 'aws-credentials' || error.code === 'usage-invalid') throw error;
        return { key: url, error };
      }
    },
    costs,
    close: () => client.destroy(),
  };
}
