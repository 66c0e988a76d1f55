/** The envelopes that records arrive in, by the members that give them away, and where their payload is. */
import { elementsOf, isArray, isObject, type Member, membersOf, type Slice, textOf } from './json-slices.ts';

/** `raw`: the slice itself. `text`: what a string holds. `base64`: what a string encodes. `each`: an array of further values. */
type How = 'raw' | 'text' | 'base64' | 'each' | 'log-events' | 'query-results';

interface Shape {
  /** The member that holds the payload. */
  readonly key: string;
  /** One of these stands beside it; none when its name says enough. */
  readonly beside: readonly string[];
  readonly how: How;
}

/**
 * EventBridge: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html. CloudWatch Logs:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html. Kinesis, SNS and SQS as Lambda hands them over:
 * https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html. SNS: https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html.
 * LookupEvents: https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Event.html. `_raw` is what log shippers make of a line.
 */
const SHAPES: readonly Shape[] = [
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
];
/** Inside a record of Kinesis or Firehose, or of the Lambda that CloudWatch Logs calls. */
const DATA: Shape = { key: 'data', beside: [], how: 'base64' };
const DATA_BESIDE: ReadonlySet<string> = new Set([
  'recordId',
  'approximateArrivalTimestamp',
  'partitionKey',
  'sequenceNumber',
  'kinesisSchemaVersion',
  'kinesisRecordMetadata',
]);
/** `Records` is CloudTrail's own frame as well: it is an envelope when its first element is one. */
const RECORDS = 'Records';

export interface Payload {
  readonly how: 'raw' | 'text' | 'base64';
  readonly slice: Slice;
}

/** The payloads of the envelope at `at`; null when the object is none. */
export function payloadsOf(bytes: Buffer, at: number): Iterable<Payload> | null {
  const members = new Map<string, Member>();
  for (const member of membersOf(bytes, at)) if (!members.has(member.key)) members.set(member.key, member);
  const records = members.get(RECORDS);
  if (records !== undefined) return isFrameOfEnvelopes(bytes, records) ? each(bytes, records) : null;
  for (const shape of SHAPES) {
    const member = members.get(shape.key);
    if (member === undefined || (shape.beside.length > 0 && !shape.beside.some((key) => members.has(key)))) continue;
    const payloads = payloadsAt(bytes, shape, member);
    if (payloads !== null) return payloads;
  }
  const data = members.get(DATA.key);
  const isData = data !== undefined && (members.size === 1 || [...members.keys()].some((key) => DATA_BESIDE.has(key)));
  return isData ? payloadsAt(bytes, DATA, data) : null;
}

function payloadsAt(bytes: Buffer, { how }: Shape, member: Member): Iterable<Payload> | null {
  switch (how) {
    case 'raw':
      return isObject(bytes, member.start) ? [{ how, slice: member }] : null;
    case 'text':
    case 'base64':
      return textOf(bytes, member) === null ? null : [{ how, slice: member }];
    case 'each':
      return isArray(bytes, member.start) ? each(bytes, member) : null;
    case 'log-events':
      return isArray(bytes, member.start) ? logEvents(bytes, member) : null;
    case 'query-results':
      return isArray(bytes, member.start) ? queryResults(bytes, member) : null;
  }
}

function isFrameOfEnvelopes(bytes: Buffer, { start }: Slice): boolean {
  if (!isArray(bytes, start)) return false;
  for (const element of elementsOf(bytes, start))
    return isObject(bytes, element.start) && payloadsOf(bytes, element.start) !== null;
  return false;
}

function* each(bytes: Buffer, { start }: Slice): Generator<Payload, void> {
  for (const slice of elementsOf(bytes, start)) yield { how: 'raw', slice };
}

/** `[{ id, timestamp, message }]` */
function* logEvents(bytes: Buffer, { start }: Slice): Generator<Payload, void> {
  for (const element of elementsOf(bytes, start)) {
    let message: Member | null = null;
    if (isObject(bytes, element.start))
      for (const member of membersOf(bytes, element.start)) if (member.key === 'message') message = member;
    yield message === null ? { how: 'raw', slice: element } : { how: 'text', slice: message };
  }
}

/** `[[{ field: '@message', value: '…' }, …]]`, as Logs Insights answers. */
function* queryResults(bytes: Buffer, { start }: Slice): Generator<Payload, void> {
  for (const row of elementsOf(bytes, start)) {
    let value: Slice | null = null;
    if (isArray(bytes, row.start)) {
      for (const cell of elementsOf(bytes, row.start)) {
        const members = new Map<string, Member>();
        if (isObject(bytes, cell.start))
          for (const member of membersOf(bytes, cell.start)) members.set(member.key, member);
        const field = members.get('field');
        if (field !== undefined && textOf(bytes, field)?.toString() === '@message')
          value = members.get('value') ?? null;
      }
    }
    yield value === null ? { how: 'raw', slice: row } : { how: 'text', slice: value };
  }
}
