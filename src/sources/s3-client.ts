/** The client for S3, with the credentials, region and endpoint that the AWS CLI would use, and what its errors mean. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { AppError, type ErrorCode } from '../errors.ts';
import type { AwsOptions } from '../source.ts';

const SOCKETS_MAX = 96;
const CONNECT_MS = 10_000;
/** Without a byte for so long, a connection is given up. */
const SILENCE_MS = 30_000;
/** Tries of one request by the client; reading a body is tried again by openObject(). */
const ATTEMPTS = 5;
/** Where nobody names a region: buckets are found from any. */
const DEFAULT_REGION = 'us-east-1';

type CommonConfig = Pick<S3ClientConfig, 'region' | 'endpoint' | 'credentials' | 'maxAttempts' | 'requestHandler'>;

/** What clients of every service are made with. */
export function clientConfig(options: AwsOptions): CommonConfig {
  const { profile, region, endpointUrl, roleArn, externalId } = options;
  const chain = fromNodeProviderChain({ ...(profile !== undefined && { profile }) });
  const credentials =
    roleArn === undefined
      ? chain
      : fromTemporaryCredentials({
          masterCredentials: chain,
          params: {
            RoleArn: roleArn,
            RoleSessionName: 'trailhound',
            ...(externalId !== undefined && { ExternalId: externalId }),
          },
          ...(region !== undefined && { clientConfig: { region } }),
        });
  return {
    credentials,
    maxAttempts: ATTEMPTS,
    ...(region !== undefined && { region }),
    ...(endpointUrl !== undefined && { endpoint: endpointUrl }),
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      requestTimeout: SILENCE_MS,
      throwOnRequestTimeout: true,
      socketTimeout: SILENCE_MS,
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets: SOCKETS_MAX }),
      httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS_MAX }),
    },
  };
}

/** It says which versions of Node later versions of the client will need: nothing that a person could act upon here. */
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';

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

/** Name and HTTP status of what a client threw. */
export function awsReason(error: unknown): {
  readonly name: string;
  readonly status: number;
  readonly message: string;
} {
  if (!(error instanceof Error)) return { name: '', status: 0, message: String(error) };
  const metadata = Reflect.get(error, '$metadata') as { readonly httpStatusCode?: number } | undefined;
  const code = Reflect.get(error, 'code') as unknown;
  // Node throws an AggregateError where none of a host's addresses answers; the client calls a reset a TimeoutError.
  const isNodes = /^(?:Error|AggregateError|TimeoutError)$/u.test(error.name);
  const name = isNodes && typeof code === 'string' ? code : error.name;
  return { name, status: metadata?.httpStatusCode ?? 0, message: error.message };
}

const CREDENTIAL_ERRORS =
  /^(?:CredentialsProviderError|TokenProviderError|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|ExpiredTokenException|InvalidToken|InvalidClientTokenId|UnrecognizedClientException|AuthFailure)$/;
const UNREACHABLE = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ECONNRESET|ETIMEDOUT|TimeoutError)$/;

/** What a failed request means for a person. `doing`: `list s3://bucket/prefix`. */
export function awsError(error: unknown, doing: string, code: ErrorCode = 'source-unreadable'): AppError {
  if (error instanceof AppError) return error;
  const { name, status, message } = awsReason(error);
  const make = (why: string, hint: string, as: ErrorCode = code): AppError =>
    new AppError(as, `cannot ${doing}: ${why}`, { hint, cause: error });
  if (CREDENTIAL_ERRORS.test(name)) {
    return make(
      `AWS takes no credentials from here (${name}: ${message})`,
      'Log in as the AWS CLI would (`aws sts get-caller-identity` must work), or name --aws-profile.',
      'aws-credentials',
    );
  }
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
  if (UNREACHABLE.test(name)) return make(`no answer (${name})`, 'Check the network, --endpoint-url and --aws-region.');
  return make(`${name}: ${message}`, 'Run the same command again; what was read is kept.');
}
