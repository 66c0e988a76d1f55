/** A topic of SNS: text for people, or JSON for programs, with attributes for filter policies. */
import { z } from 'zod';
import { cut, json } from '../printable.ts';
import type { Message, Sink } from '../sink.ts';
import { arnRegion, attributesOf, awsConfig, awsOptions, fifoOf, sending } from './aws.ts';
import { messageJson } from './json.ts';
import { sinkType } from './kind.ts';
import { text } from './options.ts';
import { cutBytes, headline, plainText } from './text.ts';

/** https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: 256 KiB with the attributes, which take less than the difference. */
const BODY_MAX_BYTES = 250_000;
const SUBJECT_MAX = 100;

const options = z.strictObject(
  {
    topic: text
      .regex(/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+$/u, 'expected the ARN of a topic')
      .describe('ARN of the topic.'),
    format: z
      .enum(['text', 'json'], "expected 'text' or 'json'")
      .describe('What the message is: text for people, or JSON for programs.')
      .default('text'),
    ...awsOptions,
  },
  'expected a mapping',
);

export const sns = sinkType(options, async (given, context): Promise<Sink> => {
  const { topic, format } = given;
  const { SNSClient, PublishCommand } = await import('@aws-sdk/client-sns');
  const client = new SNSClient(await awsConfig(given, context, arnRegion(topic)));
  const inputOf = (message: Message) => ({
    TopicArn: topic,
    Subject: subjectOf(message),
    Message:
      format === 'json'
        ? messageJson(message, BODY_MAX_BYTES)
        : cutBytes(plainText(message, BODY_MAX_BYTES), BODY_MAX_BYTES),
    MessageAttributes: attributesOf(message),
    ...fifoOf(topic, message),
  });
  return {
    deliver: async (message, signal) => {
      await sending(`publish to ${topic}`, signal, () =>
        client.send(new PublishCommand(inputOf(message)), { abortSignal: signal }),
      );
      return null;
    },
    render: (message) => json(inputOf(message), 2),
    close: async () => client.destroy(),
  };
});

/** ASCII, no control character, not beginning with a space, below 100 characters. */
function subjectOf(message: Message): string {
  return cut(`[trailhound] ${headline(message)}`, SUBJECT_MAX)
    .replaceAll('…', '.')
    .replaceAll(/[^\u0020-\u007e]/gu, '?');
}
