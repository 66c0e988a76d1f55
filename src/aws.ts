/** How AWS is reached, whatever the service: the configuration of its clients, and what they throw when nothing of AWS answers. */
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { fromNodeProviderChain, fromTemporaryCredentials } from '@aws-sdk/credential-providers';
import { AppError, type ErrorCode } from './errors.ts';
import type { AwsOptions } from './source.ts';

const SOCKETS_MAX = 96;
const CONNECT_MS = 10_000;
/** Without a byte for so long, a connection is given up. */
const SILENCE_MS = 30_000;
/** Tries of one request by the client; reading a body is tried again by openObject(). */
const ATTEMPTS = 5;

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

/** Null where AWS did answer: then the service says what it means. `doing`: `list s3://bucket/prefix`. */
export function unansweredError(error: unknown, doing: string, code: ErrorCode): AppError | null {
  const { name, message } = awsReason(error);
  if (CREDENTIAL_ERRORS.test(name)) {
    return new AppError(
      'aws-credentials',
      `cannot ${doing}: AWS takes no credentials from here (${name}: ${message})`,
      {
        hint: 'Log in as the AWS CLI would (`aws sts get-caller-identity` must work), or name --aws-profile.',
        cause: error,
      },
    );
  }
  if (!UNREACHABLE.test(name)) return null;
  return new AppError(code, `cannot ${doing}: no answer (${name})`, {
    hint: 'Check the network, --endpoint-url and --aws-region.',
    cause: error,
  });
}
