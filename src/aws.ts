/** How AWS is reached, whatever the service: the configuration of its clients, and what they throw when nothing of AWS answers. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { checkProfile } from './aws-profile.ts';
import { AppError, type ErrorCode } from './errors.ts';
import { retryAfterMs } from './retry-after.ts';
import type { AwsOptions } from './source.ts';

const SOCKETS_MAX = 96;
const CONNECT_MS = 10_000;
/** Without a byte for so long, a connection is given up. */
const SILENCE_MS = 30_000;
/** Tries of one request by clients of services other than S3: what S3 is asked is repeated in one place, sources/s3-retry.ts. */
const ATTEMPTS = 5;

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

const CREDENTIAL_ERRORS =
  /^(?:CredentialsProviderError|TokenProviderError|InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|ExpiredTokenException|InvalidToken|InvalidClientTokenId|UnrecognizedClientException|AuthFailure)$/;
export const isCredentialError = (name: string): boolean => CREDENTIAL_ERRORS.test(name);
const UNREACHABLE = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ECONNRESET|ETIMEDOUT|TimeoutError)$/;

/** The client itself says so, before it asks anybody. */
const NO_REGION = /^Region is missing$/u;

/** Null where AWS did answer: then the service says what it means. `doing`: `list s3://bucket/prefix`. */
export function unansweredError(error: unknown, doing: string, code: ErrorCode): AppError | null {
  const { name, message } = awsReason(error);
  if (isCredentialError(name)) {
    return new AppError(
      'aws-credentials',
      `cannot ${doing}: AWS takes no credentials from here (${name}: ${message})`,
      {
        hint: 'Log in as the AWS CLI would (`aws sts get-caller-identity` must work), or name --aws-profile.',
        cause: error,
      },
    );
  }
  if (NO_REGION.test(message)) {
    return new AppError('usage-invalid', `cannot ${doing}: no Region is named`, {
      hint: 'Name one with --aws-region, with region under aws: in the config, or with AWS_REGION.',
      cause: error,
    });
  }
  if (!UNREACHABLE.test(name)) return null;
  return new AppError(code, `cannot ${doing}: no answer (${name})`, {
    hint: 'Check the network, --endpoint-url and --aws-region.',
    cause: error,
  });
}
