/** What a message of a queue says: which objects were created, or that it carries a record itself. Anyone who may send to the queue wrote it. */
import type { KeyHint } from '../source.ts';
import { isBucketName } from './bucket-name.ts';

/** An object of S3 that a message says was created. */
export interface CreatedObject {
  readonly bucket: string;
  readonly key: string;
  /** Null where the message does not tell. */
  readonly sizeBytes: number | null;
  /** In quotes, as S3 lists it; null where the message does not tell. */
  readonly etag: string | null;
}

/**
 * `objects`: maybe none, where the message tells of a test, a removal or something else that is no new object. `record`: the body holds a record in an
 * envelope. `unknown`: nobody may say that what it stands for has been stored.
 */
export type MessageContent =
  | { readonly type: 'objects'; readonly objects: readonly CreatedObject[] }
  | { readonly type: 'record'; readonly hint: KeyHint }
  | { readonly type: 'unknown'; readonly reason: string };

/** The largest message of SQS: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html. */
export const BODY_BYTES_MAX = 1024 * 1024;
/** SNS to SNS to SQS is as deep as it gets. */
const DEPTH_MAX = 4;
/** Of a text of the message that is repeated to a person. */
const QUOTED_MAX = 80;
/** In UTF-8: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html. */
const KEY_BYTES_MAX = 1024;
const ETAG = /^"?([A-Za-z0-9+/=_-]{1,128})"?$/;

const NOTHING: MessageContent = { type: 'objects', objects: [] };

type Json = Readonly<Record<string, unknown>>;

/** Never throws. */
export function readMessage(body: string): MessageContent {
  if (Buffer.byteLength(body) > BODY_BYTES_MAX) return unknown(`it is larger than ${BODY_BYTES_MAX} bytes`);
  return readText(body, 0);
}

function readText(text: string, depth: number): MessageContent {
  // What CloudTrail sends when a topic is named to it.
  if (depth > 0 && text.startsWith('CloudTrail validation message')) return NOTHING;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return unknown(text === '' ? 'it is empty' : 'it is not JSON');
  }
  if (!isObject(value)) return unknown('it is not a JSON object');
  if (Object.hasOwn(value, 'detail-type')) return readEventBridge(value);
  if (Object.hasOwn(value, 'TopicArn')) return readSns(value, depth);
  if (Object.hasOwn(value, 's3ObjectKey')) return readTrailNotice(value);
  if (value['Event'] === 's3:TestEvent') return NOTHING;
  if (Array.isArray(value['Records'])) return readS3Records(value['Records']);
  // What a rule of EventBridge sends that hands on the detail alone.
  if (Object.hasOwn(value, 'eventVersion'))
    return readTrailRecord(value, value['recipientAccountId'], value['awsRegion']);
  return unknown(`it has none of the shapes of a notification, but the keys ${quoted(Object.keys(value).join(', '))}`);
}

/** https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html. With raw delivery there is no such envelope. */
function readSns(value: Json, depth: number): MessageContent {
  const { Type: type, Message: message } = value;
  if (type !== 'Notification') return unknown(`it is of SNS, and of the type ${quoted(type)}`);
  if (typeof message !== 'string') return unknown('it is of SNS without a Message');
  if (depth >= DEPTH_MAX) return unknown(`it has more than ${DEPTH_MAX} envelopes`);
  return readText(message, depth + 1);
}

/** Keys are URL-encoded, a space is `+`: https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html. */
function readS3Records(records: readonly unknown[]): MessageContent {
  if (records.length === 0) return unknown('it has no Records');
  const objects: CreatedObject[] = [];
  for (const record of records) {
    const { eventName } = isObject(record) ? record : {};
    const s3 = isObject(record) && isObject(record['s3']) ? record['s3'] : null;
    if (s3 === null || typeof eventName !== 'string')
      return unknown('one of its Records is no notification of S3: it has no s3 or no eventName');
    if (!eventName.replace(/^s3:/, '').startsWith('ObjectCreated:')) continue;
    const object = isObject(s3['object']) ? s3['object'] : {};
    const created = createdObject(s3['bucket'], decodeKey(object['key']), object['size'], object['eTag']);
    if (typeof created === 'string') return unknown(created);
    objects.push(created);
  }
  return { type: 'objects', objects };
}

/**
 * Keys are as they are, not URL-encoded: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html. CloudTrail's records are those of
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html.
 */
function readEventBridge(value: Json): MessageContent {
  const { 'detail-type': type, source, detail } = value;
  if (typeof type !== 'string' || !isObject(detail)) return unknown('it is of EventBridge without a detail');
  if (type.endsWith(' via CloudTrail')) return readTrailRecord(detail, value['account'], value['region']);
  if (source === 'aws.s3' && type === 'Object Created') {
    const object = isObject(detail['object']) ? detail['object'] : {};
    const created = createdObject(detail['bucket'], object['key'], object['size'], object['etag']);
    return typeof created === 'string' ? unknown(created) : { type: 'objects', objects: [created] };
  }
  if (source === 'aws.s3' && type.startsWith('Object ')) return NOTHING;
  return unknown(`it is an event of EventBridge that is no log: ${quoted(type)}`);
}

function readTrailRecord(record: Json, account: unknown, region: unknown): MessageContent {
  const { eventCategory, eventName, eventSource, eventTime } = record;
  if (typeof eventSource !== 'string' || (typeof eventName !== 'string' && eventCategory !== 'Insight'))
    return unknown('it is of CloudTrail without an eventName or an eventSource');
  const day = typeof eventTime === 'string' ? /^\d{4}-\d{2}-\d{2}(?=T)/.exec(eventTime)?.[0] : undefined;
  return {
    type: 'record',
    hint: {
      service: eventCategory === 'Insight' ? 'CloudTrail-Insight' : 'CloudTrail',
      account: typeof account === 'string' && /^\d{12}$/.test(account) ? account : null,
      region: typeof region === 'string' && /^[a-z0-9-]{1,30}$/.test(region) ? region : null,
      day: day !== undefined && !Number.isNaN(Date.parse(day)) ? day : null,
    },
  };
}

/** What a trail itself tells its topic of: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html. */
function readTrailNotice({ s3Bucket, s3ObjectKey }: Json): MessageContent {
  if (!Array.isArray(s3ObjectKey) || s3ObjectKey.length === 0)
    return unknown('it is a notice of CloudTrail without keys');
  const objects: CreatedObject[] = [];
  for (const key of s3ObjectKey) {
    const created = createdObject({ name: s3Bucket }, key, null, null);
    if (typeof created === 'string') return unknown(created);
    objects.push(created);
  }
  return { type: 'objects', objects };
}

/** Or the reason why it cannot be one. */
function createdObject(bucket: unknown, key: unknown, size: unknown, etag: unknown): CreatedObject | string {
  const name = isObject(bucket) ? bucket['name'] : null;
  if (typeof name !== 'string' || !isBucketName(name)) return `it names no bucket, but ${quoted(name)}`;
  if (typeof key !== 'string' || key === '' || Buffer.byteLength(key) > KEY_BYTES_MAX || /\p{Surrogate}/u.test(key))
    return `it names no key in ${name}, but ${quoted(key)}`;
  const mark = typeof etag === 'string' ? ETAG.exec(etag)?.[1] : undefined;
  return {
    bucket: name,
    key,
    sizeBytes: typeof size === 'number' && Number.isSafeInteger(size) && size >= 0 ? size : null,
    etag: mark === undefined ? null : `"${mark}"`,
  };
}

function decodeKey(key: unknown): string | null {
  if (typeof key !== 'string') return null;
  try {
    return decodeURIComponent(key.replaceAll('+', ' '));
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknown(reason: string): MessageContent {
  return { type: 'unknown', reason };
}

function quoted(value: unknown): string {
  const text = JSON.stringify(typeof value === 'string' ? value.slice(0, QUOTED_MAX) : typeof value);
  return typeof value === 'string' && value.length > QUOTED_MAX ? `${text}…` : text;
}
