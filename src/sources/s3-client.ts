/** The client for S3, with the credentials, region and endpoint that the AWS CLI would use, and what its errors mean. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { AppError, type ErrorCode } from '../errors.ts';
import type { AwsOptions } from '../source.ts';
import { checkProfile } from './aws-profile.ts';
import { learnFrom } from './s3-get.ts';

const SOCKETS_MAX = 96;
const CONNECT_MS = 10_000;
/** Without a byte for so long, a connection is given up. */
const SILENCE_MS = 30_000;
/** Tries of one request by clients of other services. What S3 is asked is repeated in one place, s3-retry.ts: each would multiply the other. */
const ATTEMPTS = 5;
/** Where nobody names a region: buckets are found from any. */
const DEFAULT_REGION = 'us-east-1';

type CommonConfig = Pick<S3ClientConfig, 'region' | 'endpoint' | 'credentials' | 'maxAttempts' | 'requestHandler'>;

/** What clients of every service are made with. Throws `aws-credentials` for a profile that is not there. */
export function clientConfig(options: AwsOptions): CommonConfig {
  const { profile, region, endpointUrl, roleArn, externalId } = options;
  checkProfile(profile);
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
    maxAttempts: 1,
    followRegionRedirects: true,
    // Servers that speak S3's language rarely have a name for each bucket.
    forcePathStyle: endpoint !== undefined,
    // Building the chain of a command anew for each request costs as much as signing it.
    cacheMiddleware: true,
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestChecksumCalculation: 'WHEN_REQUIRED',
  };
  const client = new S3Client({ ...(options.profile !== undefined && { profile: options.profile }), ...config });
  if (await hasRegion(client)) return learning(client);
  client.destroy();
  return learning(new S3Client({ ...config, region: DEFAULT_REGION }));
}

function learning(client: S3Client): S3Client {
  learnFrom(client);
  return client;
}

async function hasRegion(client: S3Client): Promise<boolean> {
  try {
    await client.config.region();
    return true;
  } catch {
    return false;
  }
}

/** What a client threw, as far as it tells. */
export interface AwsReason {
  readonly name: string;
  /** 0 where there was no answer. */
  readonly status: number;
  readonly message: string;
  /** The clock of this machine was wrong, and the next request will be signed with the right time. */
  readonly clockSkewCorrected: boolean;
  /** 0 where the server asks for no pause. */
  readonly retryAfterMs: number;
}

export function awsReason(error: unknown): AwsReason {
  const silent = { status: 0, clockSkewCorrected: false, retryAfterMs: 0 };
  if (!(error instanceof Error)) return { ...silent, name: '', message: String(error) };
  const { $metadata: metadata, $response: response, code } = error as Error & ClientError;
  // Node throws an AggregateError where none of a host's addresses answers; the client calls a reset a TimeoutError.
  const isNodes = /^(?:Error|AggregateError|TimeoutError)$/u.test(error.name);
  return {
    name: isNodes && typeof code === 'string' ? code : error.name,
    status: metadata?.httpStatusCode ?? 0,
    message: error.message,
    clockSkewCorrected: metadata?.clockSkewCorrected === true,
    retryAfterMs: retryAfterMs(response?.headers?.['retry-after']),
  };
}

/** What the client and Node add to their errors. */
interface ClientError {
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
}

/** Seconds or a date: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after. */
function retryAfterMs(header: string | undefined): number {
  if (header === undefined) return 0;
  const ms = /^\d+(?:\.\d+)?$/u.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return ms > 0 ? ms : 0;
}

const CREDENTIAL_ERRORS =
  /^(?:CredentialsProviderError|TokenProviderError|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|ExpiredTokenException|InvalidToken|InvalidClientTokenId|UnrecognizedClientException|AuthFailure)$/;
export const isCredentialError = (name: string): boolean => CREDENTIAL_ERRORS.test(name);
const UNREACHABLE = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ECONNRESET|ETIMEDOUT|TimeoutError)$/;

/** What a failed request means for a person. `doing`: `list s3://bucket/prefix`. */
export function awsError(error: unknown, doing: string, code: ErrorCode = 'source-unreadable'): AppError {
  if (error instanceof AppError) return error;
  const { name, status, message } = awsReason(error);
  const make = (why: string, hint: string, as: ErrorCode = code): AppError =>
    new AppError(as, `cannot ${doing}: ${why}`, { hint, cause: error });
  if (isCredentialError(name)) {
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
