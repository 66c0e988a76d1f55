/** The envelopes that records arrive in, by the members that give them away, and where their payload is. */
import type { JsonValues, Range } from './json-values.ts';

/**
 * `raw`: an object. `text`: what a string holds. `base64`: what a string encodes. `each`: an array of further values. `log-events`: an array of objects whose
 * `message` is a text. `query-results`: an array of rows, each an array of fields with a name and a value.
 */
type How = 'raw' | 'text' | 'base64' | 'each' | 'log-events' | 'query-results';

interface Shape {
  /** The member that holds the payload. */
  readonly key: string;
  /** One of these stands beside it; none when its name says enough. */
  readonly beside: readonly string[];
  readonly how: How;
}

/**
 * The first one that fits is it. EventBridge: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html. CloudWatch Logs:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html. Kinesis, SNS and SQS as Lambda hands them over:
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html. SNS: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html.
 * LookupEvents: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html. `_raw` is what log shippers make of a line.
 */
const SHAPES: readonly Shape[] = [
  { key: 'Records', beside: [], how: 'each' },
  { key: 'detail', beside: ['detail-type'], how: 'raw' },
  { key: 'logEvents', beside: ['messageType', 'logGroup'], how: 'log-events' },
  { key: 'awslogs', beside: [], how: 'raw' },
  { key: 'kinesis', beside: ['eventSource', 'eventID', 'eventSourceARN'], how: 'raw' },
  { key: 'Sns', beside: [], how: 'raw' },
  { key: 'body', beside: ['messageId', 'receiptHandle', 'eventSourceARN'], how: 'text' },
  { key: 'Body', beside: ['MessageId', 'ReceiptHandle'], how: 'text' },
  { key: 'Message', beside: ['TopicArn', 'MessageId', 'Type'], how: 'text' },
  { key: 'CloudTrailEvent', beside: [], how: 'text' },
  { key: '_raw', beside: [], how: 'text' },
  { key: 'result', beside: ['preview', 'offset', 'lastrow'], how: 'raw' },
  { key: 'message', beside: ['logStreamName', 'ingestionTime', 'eventId', 'timestamp', 'id'], how: 'text' },
  { key: 'Data', beside: ['SequenceNumber', 'PartitionKey'], how: 'base64' },
  { key: 'records', beside: [], how: 'each' },
  { key: 'Events', beside: [], how: 'each' },
  { key: 'Messages', beside: [], how: 'each' },
  { key: 'events', beside: [], how: 'each' },
  { key: 'results', beside: [], how: 'query-results' },
  // A record of Kinesis or Firehose.
  {
    key: 'data',
    beside: [
      'recordId',
      'approximateArrivalTimestamp',
      'partitionKey',
      'sequenceNumber',
      'kinesisSchemaVersion',
      'kinesisRecordMetadata',
    ],
    how: 'base64',
  },
];
/** What the Lambda that CloudWatch Logs calls is given: nothing stands beside the data. */
const ALONE = 'data';
/** CloudTrail's own frame as well. */
const FRAME_OF_RECORDS = 'Records';

const OPENING = { raw: 0x7b, text: 0x22, base64: 0x22, each: 0x5b, 'log-events': 0x5b, 'query-results': 0x5b } as const;

/** Every key that tells something of an envelope; JsonValues must know them. */
export const ENVELOPE_KEYS: readonly string[] = [
  ...new Set([...SHAPES.flatMap(({ key, beside }) => [key, ...beside]), 'field', 'value']),
];

/** Names of members that are an object which holds a record. */
export const PAYLOAD_OBJECTS: ReadonlySet<string> = new Set(
  SHAPES.filter(({ how }) => how === 'raw').map(({ key }) => key),
);

/** The number of a key in JsonValues. */
const numberOf = (key: string): number => ENVELOPE_KEYS.indexOf(key) + 1;

const CANDIDATES = SHAPES.map(({ key, beside, how }) => ({
  key: numberOf(key),
  beside: beside.map(numberOf),
  how,
  opening: OPENING[how],
  isAlone: key === ALONE,
  isFrameOfRecords: key === FRAME_OF_RECORDS,
}));
export const MESSAGE_KEY = numberOf('message');
export const FIELD_KEY = numberOf('field');
export const VALUE_KEY = numberOf('value');

/** Where a payload lies; its end is 0 when it is not whole. */
export interface Payload extends Range {
  readonly how: How;
  /** It is the list `Records`, which files of CloudTrail have, too. */
  readonly isFrameOfRecords: boolean;
}

/** The payload of the object that objectEnd() passed last; null when that is no envelope. */
export function payloadOf(values: JsonValues): Payload | null {
  for (const { key, beside, how, opening, isAlone, isFrameOfRecords } of CANDIDATES) {
    const start = values.memberStart(key);
    if (start === 0 || values.bytes[start] !== opening) continue;
    const isGivenAway =
      beside.length === 0 ||
      (isAlone && values.memberCount === 1) ||
      beside.some((other) => values.memberStart(other) !== 0);
    if (isGivenAway) return { how, start, end: values.memberEndOf(key), isFrameOfRecords };
  }
  return null;
}

/** Of the object that objectEnd() passed last, the string under this key; null when there is none. */
export function stringUnder(values: JsonValues, key: number): Range | null {
  const start = values.memberStart(key);
  return start !== 0 && values.bytes[start] === OPENING.text ? { start, end: values.memberEndOf(key) } : null;
}
