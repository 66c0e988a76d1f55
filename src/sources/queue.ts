/** A queue of SQS: opened by name, URL or ARN; receives messages, keeps them invisible to others, and deletes them. */
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { awsReason, clientConfig } from '../aws.ts';
import { AppError } from '../errors.ts';
import type { AwsOptions } from '../source.ts';
import { awsError } from './s3-client.ts';

/** Of SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html. */
export const BATCH_MAX = 10;
/** A server that only speaks the language of AWS has no regions. */
const LOCAL_REGION = 'us-east-1';

export interface Message {
  readonly id: string;
  readonly receipt: string;
  readonly body: string;
  /** MD5 of the body, in hex. */
  readonly md5: string;
  /** How often it has been received, this time included. */
  readonly receives: number;
}

/** A message that an operation on several did not reach, and whether asking again may help. */
export interface Refused {
  readonly message: Message;
  readonly reason: string;
  readonly final: boolean;
}

export interface Queue {
  /** `sqs://name`. */
  readonly name: string;
  /** At most BATCH_MAX. They are invisible to other receivers for so long. Waits for the first one up to `waitSeconds`. */
  receive(waitSeconds: number, visibleAfterSeconds: number, signal: AbortSignal): Promise<readonly Message[]>;
  /** At most BATCH_MAX. */
  hide(messages: readonly Message[], visibleAfterSeconds: number): Promise<readonly Refused[]>;
  /** At most BATCH_MAX. */
  delete(messages: readonly Message[]): Promise<readonly Refused[]>;
  close(): void;
}

interface Address {
  readonly name: string;
  readonly account: string | null;
  readonly region: string | null;
  readonly url: string | null;
}

const NAME = /^[A-Za-z0-9_-]{1,80}(?:\.fifo)?$/;
const ARN = /^arn:aws[a-z-]*:sqs:([a-z0-9-]+):(\d{12}):([^:/]+)$/;
/** `sqs.<region>.amazonaws.com`, or as it was before: `<region>.queue.amazonaws.com`. */
const HOST_REGION = /^(?:sqs(?:-fips)?\.([a-z0-9-]+)\.|([a-z0-9-]+)\.queue\.)amazonaws\./;

/** `sqs://name`, `sqs://arn:aws:sqs:region:account:name`, `sqs://https://host/account/name`, or the last without `https://`. Throws `usage-invalid`. */
export function parseQueueUrl(text: string): Address {
  const place = text.replace(/^sqs:\/\//, '');
  const [, arnRegion, arnAccount, arnName = ''] = ARN.exec(place) ?? [];
  if (NAME.test(arnName)) return { name: arnName, account: arnAccount ?? null, region: arnRegion ?? null, url: null };
  if (NAME.test(place)) return { name: place, account: null, region: null, url: null };
  const [, scheme = 'https://', host = '', account, name = ''] =
    /^(https?:\/\/)?([^/?#@\s]+)\/(?:(\d{12}|queue)\/)?([^/?#]+)$/.exec(place) ?? [];
  if (NAME.test(name)) {
    const match = HOST_REGION.exec(host);
    return {
      name,
      account: account === undefined || account === 'queue' ? null : account,
      region: match?.[1] ?? match?.[2] ?? null,
      url: `${scheme}${place.replace(/^https?:\/\//, '')}`,
    };
  }
  throw new AppError('usage-invalid', `cannot read '${text}': expected the name, URL or ARN of a queue`, {
    hint: 'For example sqs://cloudtrail-logs, or sqs://https://sqs.eu-central-1.amazonaws.com/111122223333/cloudtrail-logs.',
  });
}

/** Asks for the queue, so that what cannot work is told at once. Throws `usage-invalid`, `aws-credentials`, `source-missing`, `source-unreadable`. */
export async function openQueue(text: string, aws: AwsOptions): Promise<Queue> {
  const address = parseQueueUrl(text);
  const client = await createClient(text, address, aws);
  try {
    return queueAt(client, `sqs://${address.name}`, await urlOf(client, address));
  } catch (error) {
    client.destroy();
    throw queueError(error, `open ${text}`);
  }
}

async function createClient(text: string, address: Address, aws: AwsOptions): Promise<SQSClient> {
  const endpoint = aws.endpointUrl ?? process.env['AWS_ENDPOINT_URL_SQS'] ?? process.env['AWS_ENDPOINT_URL'];
  const region = address.region ?? aws.region;
  const config = {
    ...clientConfig({ ...aws, ...(region !== null && region !== undefined && { region }) }),
    ...(aws.profile !== undefined && { profile: aws.profile }),
    // Behind an endpoint of one's own the address in a queue's URL may not be reachable.
    useQueueUrlAsEndpoint: endpoint === undefined,
  };
  const client = new SQSClient(config);
  try {
    await client.config.region();
    return client;
  } catch (cause) {
    client.destroy();
    if (endpoint !== undefined) return new SQSClient({ ...config, region: LOCAL_REGION });
    throw new AppError(
      'usage-invalid',
      `cannot open ${text}: no region is named, and a queue is known in its own only`,
      {
        hint: 'Name --aws-region, set AWS_REGION, or name the queue by its ARN or URL.',
        cause,
      },
    );
  }
}

async function urlOf(client: SQSClient, { name, account, url }: Address): Promise<string> {
  try {
    const { QueueUrl: found } = await client.send(
      new GetQueueUrlCommand({ QueueName: name, ...(account !== null && { QueueOwnerAWSAccountId: account }) }),
    );
    return url ?? found ?? name;
  } catch (error) {
    // A policy need not allow to ask for what is known.
    if (url !== null && isDenied(error)) return url;
    throw error;
  }
}

function queueAt(client: SQSClient, name: string, QueueUrl: string): Queue {
  const refusals = (
    messages: readonly Message[],
    failed: readonly {
      readonly Id?: string | undefined;
      readonly Code?: string | undefined;
      readonly SenderFault?: boolean | undefined;
    }[] = [],
  ): Refused[] =>
    failed.flatMap(({ Id, Code = '', SenderFault = false }) => {
      const message = messages[Number(Id)];
      return message === undefined ? [] : [{ message, reason: Code, final: SenderFault }];
    });
  return {
    name,
    receive: async (waitSeconds, visibleAfterSeconds, signal) => {
      const { Messages: messages = [] } = await client.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: BATCH_MAX,
          WaitTimeSeconds: waitSeconds,
          VisibilityTimeout: visibleAfterSeconds,
          MessageSystemAttributeNames: ['ApproximateReceiveCount'],
        }),
        { abortSignal: signal },
      );
      return messages.map((one) => ({
        id: one.MessageId ?? '',
        receipt: one.ReceiptHandle ?? '',
        body: one.Body ?? '',
        md5: one.MD5OfBody ?? '',
        receives: Number(one.Attributes?.ApproximateReceiveCount ?? 1),
      }));
    },
    hide: async (messages, VisibilityTimeout) => {
      const { Failed } = await client.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl,
          Entries: messages.map(({ receipt }, at) => ({ Id: String(at), ReceiptHandle: receipt, VisibilityTimeout })),
        }),
      );
      return refusals(messages, Failed);
    },
    delete: async (messages) => {
      const { Failed } = await client.send(
        new DeleteMessageBatchCommand({
          QueueUrl,
          Entries: messages.map(({ receipt }, at) => ({ Id: String(at), ReceiptHandle: receipt })),
        }),
      );
      return refusals(messages, Failed);
    },
    close: () => client.destroy(),
  };
}

export function isDenied(error: unknown): boolean {
  const { name, status } = awsReason(error);
  return status === 403 || /^(?:AccessDenied|AccessDeniedException|KmsAccessDenied)$/.test(name);
}

/** What a failed request to a queue means for a person. `doing`: `receive from sqs://queue`. */
export function queueError(error: unknown, doing: string): AppError {
  if (error instanceof AppError) return error;
  const { name, message } = awsReason(error);
  if (/QueueDoesNotExist|NonExistentQueue/.test(name)) {
    return new AppError('source-missing', `cannot ${doing}: there is no such queue in this region and account`, {
      hint: 'Check the spelling and --aws-region, or name the queue by its ARN; `aws sqs list-queues` shows what there is.',
      cause: error,
    });
  }
  const known = awsError(error, doing);
  if (known.code === 'aws-credentials' || !isDenied(error)) return known;
  const isKey = name.startsWith('Kms') || /kms/i.test(message);
  return new AppError('source-unreadable', `cannot ${doing}: access denied (${message})`, {
    hint: isKey
      ? 'Allow kms:Decrypt on the key of the queue.'
      : 'Allow sqs:GetQueueUrl, sqs:ReceiveMessage, sqs:DeleteMessage and sqs:ChangeMessageVisibility on the queue.',
    cause: error,
  });
}
