/** A queue of SQS: the message as JSON. */
import { z } from 'zod';
import { json } from '../printable.ts';
import type { Message, Sink } from '../sink.ts';
import { arnRegion, attributesOf, awsConfig, awsOptions, fifoOf, sending } from './aws.ts';
import { messageJson } from './json.ts';
import { sinkType } from './kind.ts';
import { text } from './options.ts';

/** Queues take 256 KiB or more, with the attributes, which take less than the difference: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html */
const BODY_MAX_BYTES = 250_000;
const NAME = /^[A-Za-z0-9_-]{1,80}(?:\.fifo)?$/u;
const ARN = /^arn:aws[a-z-]*:sqs:[a-z0-9-]+:(\d{12}):([^:/]+)$/u;
const URL = /^https?:\/\/[^/?#@\s]+\/[^?#\s]+$/u;
const URL_REGION = /^https:\/\/sqs(?:-fips)?\.([a-z0-9-]+)\.amazonaws\./u;

const options = z.strictObject(
  {
    queue: text
      .refine(
        (value) => NAME.test(value) || ARN.test(value) || URL.test(value),
        'expected the name, URL or ARN of a queue',
      )
      .describe('Name, URL or ARN of the queue.'),
    ...awsOptions,
  },
  'expected a mapping',
);

export const sqs = sinkType(options, async (given, context): Promise<Sink> => {
  const { queue } = given;
  const { SQSClient, SendMessageCommand, GetQueueUrlCommand } = await import('@aws-sdk/client-sqs');
  const region = arnRegion(queue) ?? URL_REGION.exec(queue)?.[1];
  // Behind an endpoint of one's own the address in a queue's URL may not be reachable.
  const ownEndpoint = context.aws.endpointUrl ?? process.env['AWS_ENDPOINT_URL_SQS'] ?? process.env['AWS_ENDPOINT_URL'];
  const client = new SQSClient({
    ...(await awsConfig(given, context, region)),
    useQueueUrlAsEndpoint: ownEndpoint === undefined,
  });
  let url = URL.test(queue) ? queue : null;
  const findUrl = async (signal: AbortSignal): Promise<string> => {
    const [, owner, name = queue] = ARN.exec(queue) ?? [];
    const wanted = { QueueName: name, ...(owner !== undefined && { QueueOwnerAWSAccountId: owner }) };
    const { QueueUrl: found = queue } = await client.send(new GetQueueUrlCommand(wanted), { abortSignal: signal });
    return found;
  };
  const inputOf = (message: Message) => ({
    QueueUrl: url ?? queue,
    MessageBody: messageJson(message, BODY_MAX_BYTES),
    MessageAttributes: attributesOf(message),
    ...fifoOf(queue, message),
  });
  return {
    deliver: async (message, signal) => {
      await sending(`send to the queue ${queue}`, signal, async () => {
        url ??= await findUrl(signal);
        return client.send(new SendMessageCommand(inputOf(message)), { abortSignal: signal });
      });
      return null;
    },
    render: (message) => json(inputOf(message), 2),
    close: async () => client.destroy(),
  };
});
