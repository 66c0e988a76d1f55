/** What the sinks on AWS share: how their clients are made, what a failure is about, and what a message tells of itself beside its body. */
import { shown } from '../printable.ts';
import { DeliveryError, type Message } from '../sink.ts';
import type { AwsOptions } from '../source.ts';
import type { SinkContext } from './kind.ts';
import { text } from './options.ts';
import { quoted } from './text.ts';

/** Waiting and trying again is the pipeline's, which knows about the other messages too. */
const ATTEMPTS = 1;

/** Options of all of them; what is left out is as `aws:` of the config says. */
export const awsOptions = {
  region: text.describe('Region, where no ARN or URL tells it.').optional(),
  profile: text.describe("A profile of the AWS CLI's files.").optional(),
  role_arn: text.describe('A role to assume first.').optional(),
  external_id: text.describe('What the trust policy of that role asks for.').optional(),
};

interface Given {
  readonly region?: string | undefined;
  readonly profile?: string | undefined;
  readonly role_arn?: string | undefined;
  readonly external_id?: string | undefined;
}

/** `region` is the one that the destination's ARN or URL tells. */
export async function awsConfig(given: Given, { aws }: SinkContext, region?: string) {
  const named = {
    region: region ?? given.region,
    profile: given.profile,
    roleArn: given.role_arn,
    externalId: given.external_id,
  };
  const options: AwsOptions = {
    ...aws,
    ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined)),
  };
  const { clientConfig } = await import('../aws.ts');
  return {
    ...clientConfig(options),
    ...(options.profile !== undefined && { profile: options.profile }),
    maxAttempts: ATTEMPTS,
  };
}

/** The region in an ARN, or undefined. */
export function arnRegion(arn: string): string | undefined {
  return /^arn:[^:]*:[^:]*:([a-z0-9-]+):/u.exec(arn)?.[1];
}

/** Answers of 400 that are not about the message: https://docs.aws.amazon.com/general/latest/gr/api-retries.html and each service's list of common errors. */
const DESTINATION_ERRORS =
  /Throttl|TooManyRequests|LimitExceeded|RequestExpired|AccessDenied|Authorization|NotAuthorized|InvalidAccess|NotFound|NonExistentQueue|DoesNotExist|InvalidAddress|KMS|Kms|EndpointDisabled|OptIn|Subscription|InternalFailure|InternalError|ServiceUnavailable|InvalidSecurity/u;

async function awsFailure(error: unknown, doing: string): Promise<DeliveryError> {
  const { awsReason, isCredentialError } = await import('../aws.ts');
  const { name, status, message, retryAfterMs } = awsReason(error);
  const isMessage =
    status >= 400 &&
    status < 500 &&
    ![401, 403, 404, 429].includes(status) &&
    !isCredentialError(name) &&
    !DESTINATION_ERRORS.test(name);
  return new DeliveryError(isMessage ? 'message' : 'sink', `cannot ${doing}: ${quoted(`${name}: ${message}`)}`, {
    retryAfterMs,
  });
}

/** An entry that was refused while the request as a whole was taken. */
export function entryFailure(code: string | undefined, message: string | undefined, doing: string): DeliveryError {
  const name = code ?? 'no reason given';
  return new DeliveryError(
    DESTINATION_ERRORS.test(name) ? 'sink' : 'message',
    `cannot ${doing}: ${quoted(`${name}: ${message ?? ''}`)}`,
  );
}

/** Sends by a client; ends with the reason of `signal` when that is aborted. */
export async function sending<T>(doing: string, signal: AbortSignal, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    signal.throwIfAborted();
    throw await awsFailure(error, doing);
  }
}

export interface Attribute {
  readonly DataType: 'String' | 'String.Array';
  readonly StringValue: string;
}

/** Far below what SNS and SQS take, and more than any id has. */
const ATTRIBUTE_MAX = 128;
/** One text, or a JSON list of them; none when nothing is known. */
function attribute(values: readonly string[]): Attribute | null {
  const texts = [...new Set(values)].map((value) => shown(value, ATTRIBUTE_MAX)).filter((value) => value !== '');
  const [first] = texts;
  if (first === undefined) return null;
  return texts.length === 1
    ? { DataType: 'String', StringValue: first }
    : { DataType: 'String.Array', StringValue: JSON.stringify(texts) };
}

/** What filter policies of SNS and receivers of SQS may look at: https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html */
export function attributesOf({ kind, change, severity, alerts }: Message): Record<string, Attribute> {
  const all = {
    kind: attribute([kind]),
    change: attribute(change === null ? [] : [change]),
    severity: attribute([severity]),
    detector: attribute(alerts.map(({ detector }) => detector)),
    account: attribute(alerts.flatMap(({ accounts }) => accounts).slice(0, 20)),
  };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, Attribute] => entry[1] !== null));
}

/** A queue or topic whose name ends in `.fifo` keeps the order of messages about one alert, and takes none twice within five minutes. */
export function fifoOf(
  name: string,
  { key, alerts, alertsTotal }: Message,
): { MessageGroupId: string; MessageDeduplicationId: string } | null {
  if (!name.endsWith('.fifo')) return null;
  const [alert] = alerts;
  return { MessageGroupId: alert !== undefined && alertsTotal === 1 ? alert.id : key, MessageDeduplicationId: key };
}
