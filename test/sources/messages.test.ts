/** What messages say, told by real ones and by everything else that somebody may send. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BODY_BYTES_MAX, type MessageContent, readMessage } from '../../src/sources/messages.ts';

const fixture = (name: string): string => readFileSync(`test/fixtures/messages/${name}.json`, 'utf8');
/** The body of the message that a Lambda function was handed. */
const bodyOf = (name: string): string =>
  (JSON.parse(fixture(name)) as { Records: { body: string }[] }).Records[0]?.body ?? '';
const NOTHING: MessageContent = { type: 'objects', objects: [] };
const object = (bucket: string, key: string, sizeBytes: number | null, etag: string | null): MessageContent => ({
  type: 'objects',
  objects: [{ bucket, key, sizeBytes, etag }],
});
const sns = (message: unknown): string =>
  JSON.stringify({
    Type: 'Notification',
    MessageId: 'm',
    TopicArn: 'arn:aws:sns:eu-west-1:111122223333:t',
    Message: message,
  });
const created = (key: unknown, rest: object = {}): string =>
  JSON.stringify({
    Records: [
      {
        eventSource: 'aws:s3',
        eventName: 'ObjectCreated:Put',
        s3: { bucket: { name: 'logs' }, object: { key, size: 7, eTag: 'aa', ...rest } },
      },
    ],
  });

describe('real messages', () => {
  const B21 = 'b21b84d653bb07b05b1e6b33684dc11b';
  test.each<[string, MessageContent]>([
    ['powertools-python/s3Event', object('lambda-artifacts-deafc19498e3f2df', B21, 1305107, `"${B21}"`)],
    [
      'powertools-python/s3EventDecodedKey',
      object('sourcebucket', 'Happy Face.jpg', 1024, '"d41d8cd98f00b204e9800998ecf8427e"'),
    ],
    ['powertools-python/s3EventDeleteObject', NOTHING],
    ['powertools-python/s3EventGlacier', object('lambda-artifacts-deafc19498e3f2df', B21, 1305107, `"${B21}"`)],
    [
      'powertools-python/s3EventBridgeNotificationObjectCreatedEvent',
      object('example-bucket', 'IMG_m7fzo3.jpg', 184662, '"4e68adba0abe2dc8653dc3354e14c01d"'),
    ],
    ['powertools-python/s3EventBridgeNotificationObjectDeletedEvent', NOTHING],
    ['powertools-python/s3EventBridgeNotificationObjectExpiredEvent', NOTHING],
    ['powertools-python/s3EventBridgeNotificationObjectRestoreCompletedEvent', NOTHING],
    ['aws-lambda-go/s3-event', object('sourcebucket', 'Happy Face.jpg', 1024, '"d41d8cd98f00b204e9800998ecf8427e"')],
    [
      'aws-lambda-go/s3-event-with-decoded',
      object('sourcebucket', 'Happy Face.jpg', 1024, '"d41d8cd98f00b204e9800998ecf8427e"'),
    ],
    ['aws-lambda-go/s3-lifecycle-event', NOTHING],
    ['aws-lambda-go/s3-replication-event', NOTHING],
    ['aws-lambda-go/s3-restore-event', NOTHING],
    [
      'custodian/event-cloud-trail-create-bucket',
      {
        type: 'record',
        hint: { service: 'CloudTrail', account: '619193117841', region: 'us-west-2', day: '2016-06-04' },
      },
    ],
    [
      'custodian/event-cloud-trail-run-instances',
      {
        type: 'record',
        hint: { service: 'CloudTrail', account: '619193117841', region: 'us-west-1', day: '2016-05-21' },
      },
    ],
    [
      'custodian/event-scheduled',
      { type: 'unknown', reason: 'it is an event of EventBridge that is no log: "Scheduled Event"' },
    ],
    [
      'custodian/event-instance-state',
      {
        type: 'unknown',
        reason: 'it is an event of EventBridge that is no log: "EC2 Instance State-change Notification"',
      },
    ],
    [
      'custodian/sqs-discover',
      { type: 'unknown', reason: 'it is an event of EventBridge that is no log: "Config Configuration Item Change"' },
    ],
  ])('%s', (name, content) => {
    expect(readMessage(fixture(name))).toEqual(content);
  });

  test('as Lambda was handed them by a queue', () => {
    expect(readMessage(bodyOf('powertools-python/s3SqsEvent'))).toEqual(
      object('xxx', 'test.pdf', 104681, '"2e3ad1e983318bbd8e73b080e2997980"'),
    );
    expect(readMessage(bodyOf('powertools-python/snsSqsEvent'))).toEqual({
      type: 'unknown',
      reason: 'it has none of the shapes of a notification, but the keys "message, username"',
    });
  });
});

describe('shapes', () => {
  test('through SNS, and through two topics', () => {
    const direct = readMessage(created('a'));
    expect([readMessage(sns(created('a'))), readMessage(sns(sns(created('a'))))]).toEqual([direct, direct]);
    expect(direct).toEqual(object('logs', 'a', 7, '"aa"'));
  });

  test.each([
    ['red+flower.jpg', 'red flower.jpg'],
    ['a%2Bb%25c', 'a+b%c'],
    ['AWSLogs/111122223333/x', 'AWSLogs/111122223333/x'],
    ['%C3%A4%F0%9F%98%80', 'ä😀'],
    ['line%0Afeed', 'line\nfeed'],
    ['a%2F%2Fb', 'a//b'],
  ])('the key %j of a notification is decoded, the one of EventBridge is not', (written, key) => {
    const bridge = JSON.stringify({
      'detail-type': 'Object Created',
      source: 'aws.s3',
      detail: { bucket: { name: 'logs' }, object: { key: written, size: 7, etag: 'aa' } },
    });
    expect([readMessage(created(written)), readMessage(bridge)]).toEqual([
      object('logs', key, 7, '"aa"'),
      object('logs', written, 7, '"aa"'),
    ]);
  });

  test('several Records in one message, of which some are removals', () => {
    const [put] = (JSON.parse(created('a')) as { Records: object[] }).Records;
    const gone = { ...put, eventName: 'ObjectRemoved:Delete' };
    const second = (JSON.parse(created('b')) as { Records: object[] }).Records[0];
    expect(readMessage(JSON.stringify({ Records: [put, gone, second] }))).toEqual({
      type: 'objects',
      objects: ['a', 'b'].map((key) => ({ bucket: 'logs', key, sizeBytes: 7, etag: '"aa"' })),
    });
  });

  test('what a trail tells its topic', () => {
    const notice = { s3Bucket: 'logs', s3ObjectKey: ['AWSLogs/1', 'AWSLogs/2+3'] };
    expect(readMessage(sns(JSON.stringify(notice)))).toEqual({
      type: 'objects',
      objects: notice.s3ObjectKey.map((key) => ({ bucket: 'logs', key, sizeBytes: null, etag: null })),
    });
    expect(readMessage(sns('CloudTrail validation message.'))).toEqual(NOTHING);
  });

  test('a size or an ETag that cannot be one is asked for', () => {
    for (const rest of [
      { size: -1, eTag: 'a"b' },
      { size: 1.5, eTag: 5 },
      { size: '7', eTag: '' },
      { size: undefined, eTag: undefined },
    ])
      expect(readMessage(created('a', rest))).toEqual(object('logs', 'a', null, null));
  });

  test('a test of the notification', () => {
    expect(readMessage('{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"logs"}')).toEqual(NOTHING);
  });

  test('a record of an Insight, which has no eventName', () => {
    const detail = {
      eventVersion: '1.09',
      eventCategory: 'Insight',
      eventSource: 'ec2.amazonaws.com',
      eventTime: '2026-03-01T10:00:00Z',
    };
    expect(
      readMessage(JSON.stringify({ 'detail-type': 'AWS Insight via CloudTrail', source: 'aws.cloudtrail', detail })),
    ).toEqual({
      type: 'record',
      hint: { service: 'CloudTrail-Insight', account: null, region: null, day: '2026-03-01' },
    });
  });
});

test.each<[string, string]>([
  ['', 'it is empty'],
  ['hello', 'it is not JSON'],
  ['{"Records":[', 'it is not JSON'],
  ['[]', 'it is not a JSON object'],
  ['null', 'it is not a JSON object'],
  ['{}', 'it has none of the shapes of a notification, but the keys ""'],
  ['{"Records":[]}', 'it has no Records'],
  [
    '{"Records":[{"eventName":"ObjectCreated:Put"}]}',
    'one of its Records is no notification of S3: it has no s3 or no eventName',
  ],
  ['{"Records":[5]}', 'one of its Records is no notification of S3: it has no s3 or no eventName'],
  [created('a%ZZ'), 'it names no key in logs, but "object"'],
  [created(''), 'it names no key in logs, but ""'],
  [created('x'.repeat(1025)), `it names no key in logs, but "${'x'.repeat(80)}"…`],
  [created('a').replace('"logs"', '"../x"'), 'it names no bucket, but "../x"'],
  [created('a').replace('"logs"', '"arn:aws:s3:::x"'), 'it names no bucket, but "arn:aws:s3:::x"'],
  [sns(5), 'it is of SNS without a Message'],
  [sns(sns(sns(sns(sns(created('a')))))), 'it has more than 4 envelopes'],
  [
    '{"Type":"SubscriptionConfirmation","TopicArn":"t","Message":"m"}',
    'it is of SNS, and of the type "SubscriptionConfirmation"',
  ],
  ['{"detail-type":"Object Created","source":"aws.s3"}', 'it is of EventBridge without a detail'],
  [
    '{"detail-type":"AWS API Call via CloudTrail","detail":{}}',
    'it is of CloudTrail without an eventName or an eventSource',
  ],
  [
    '{"detail-type":"Object Created","source":"me","detail":{}}',
    'it is an event of EventBridge that is no log: "Object Created"',
  ],
  [JSON.stringify({ a: 'x'.repeat(BODY_BYTES_MAX) }), 'it is larger than 1048576 bytes'],
])('nobody may say that what %.60s stands for is stored', (body, reason) => {
  expect(readMessage(body)).toEqual({ type: 'unknown', reason });
});

test('whatever comes, it is read without an error, and an object has a bucket and a key that can be asked for', () => {
  const shapes = fc.constantFrom(
    created('a%20b'),
    sns(created('c')),
    fixture('powertools-python/s3EventBridgeNotificationObjectCreatedEvent'),
    fixture('custodian/event-cloud-trail-create-bucket'),
  );
  const mutated = fc
    .tuple(shapes, fc.array(fc.tuple(fc.nat(), fc.string({ unit: 'binary', maxLength: 4 }))))
    .map(([text, edits]) =>
      edits.reduce((body, [at, put]) => {
        const place = at % (body.length + 1);
        return body.slice(0, place) + put + body.slice(place + put.length);
      }, text),
    );
  const keyed = fc.string({ unit: 'binary' }).map((key) => created(key));
  fc.assert(
    fc.property(fc.oneof(mutated, keyed, fc.json(), fc.string({ unit: 'binary' })), (body) => {
      const content = readMessage(body);
      if (content.type !== 'objects') return;
      for (const { bucket, key, sizeBytes } of content.objects) {
        expect(bucket).toMatch(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/);
        expect(key).not.toBe('');
        expect(() => encodeURIComponent(key)).not.toThrow();
        expect(sizeBytes === null || sizeBytes >= 0).toBe(true);
      }
    }),
    { numRuns: 5000 },
  );
});
