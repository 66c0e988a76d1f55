/** Records in envelopes: every chain of envelopes gives them back byte for byte, however the bytes are sliced. */
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Piece, UnwrappedRecords } from '../../src/envelope.ts';
import { createEnvelopes, loadEnvelopeValues } from '../../src/formats/envelopes.ts';

const MIB = 1024 * 1024;
const CALL =
  '{"eventVersion":"1.11","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","note":"\\u00e9 \\"x\\" }]{ 1.10"}';
const WAF =
  '{"timestamp":1700000000000,"formatVersion":1,"webaclId":"arn:aws:wafv2:a","httpRequest":{"uri":"/a?b=\\\\"}}';
const ACCESS =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be bucket [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - 3E57427F3EXAMPLE REST.GET.OBJECT k "GET /k HTTP/1.1" 200 - 1 1 1 1 "-" "x" -';

const formatOf = (record: Uint8Array): string | null => {
  const text = Buffer.from(record).toString();
  if (text.startsWith('{"eventVersion')) return 'cloudtrail';
  if (text.startsWith('{"timestamp')) return 'waf';
  return /^[0-9a-f]{64} /.test(text) ? 's3_access' : null;
};

const values = await loadEnvelopeValues();

interface Seen {
  readonly records: readonly string[];
  readonly rejects: readonly string[];
}

/** Null when the bytes are not taken for envelopes. */
function unwrap(content: string | Uint8Array, cuts: readonly number[] = [], recordBytes = MIB): Seen | null {
  const bytes = Buffer.from(content as string);
  const unwrapper = createEnvelopes({ recordBytes, values }).open(bytes, formatOf);
  if (unwrapper === null) return null;
  const records: string[] = [];
  const rejects: string[] = [];
  const keep = (piece: Piece): void => {
    if ('reason' in piece) rejects.push(piece.reason);
    else records.push(...textsOf(piece));
  };
  let at = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    for (const piece of unwrapper.push(bytes.subarray(at, Math.min(cut, bytes.length)), false)) keep(piece);
    at = Math.max(at, Math.min(cut, bytes.length));
  }
  for (const piece of unwrapper.push(bytes.subarray(at), true)) keep(piece);
  return { records: byFormat(records), rejects };
}

/** Records of several formats have no common order. */
const byFormat = (records: readonly string[]): string[] => {
  const nameOf = (record: string): string => formatOf(Buffer.from(record)) ?? '';
  return records.toSorted((one, other) => nameOf(one).localeCompare(nameOf(other)));
};

const textsOf = ({ bytes, starts }: UnwrappedRecords): string[] =>
  starts.map((start, at) =>
    Buffer.from(bytes)
      .subarray(start, (starts[at + 1] ?? bytes.length) - 1)
      .toString(),
  );

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const gzip64 = (text: string): string => gzipSync(text).toString('base64');
const isJson = (text: string): boolean => text.startsWith('{');

/** Envelopes that hold any text, and those that hold JSON as it is. */
const AROUND_TEXT: Readonly<Record<string, (inner: string) => string>> = {
  sqs: (inner) => JSON.stringify({ Records: [{ messageId: '1', body: inner, eventSource: 'aws:sqs' }] }),
  'sqs receive': (inner) => JSON.stringify({ Messages: [{ MessageId: '1', ReceiptHandle: 'r', Body: inner }] }),
  sns: (inner) => JSON.stringify({ Type: 'Notification', MessageId: '1', TopicArn: 't', Message: inner }),
  'sns of lambda': (inner) =>
    JSON.stringify({ Records: [{ EventSource: 'aws:sns', Sns: { Type: 'Notification', Message: inner } }] }),
  kinesis: (inner) =>
    JSON.stringify({ Records: [{ kinesis: { partitionKey: 'p', data: base64(inner) }, eventSource: 'aws:kinesis' }] }),
  firehose: (inner) => JSON.stringify({ deliveryStreamArn: 'd', records: [{ recordId: '1', data: base64(inner) }] }),
  'logs subscription': (inner) =>
    JSON.stringify({
      messageType: 'DATA_MESSAGE',
      logGroup: 'g',
      logEvents: [{ id: '1', timestamp: 1, message: inner }],
    }),
  'logs subscription of lambda': (inner) =>
    JSON.stringify({
      awslogs: {
        data: gzip64(
          JSON.stringify({ messageType: 'DATA_MESSAGE', logGroup: 'g', logEvents: [{ id: '1', message: inner }] }),
        ),
      },
    }),
  'filter-log-events': (inner) =>
    JSON.stringify({ events: [{ logStreamName: 's', message: inner, ingestionTime: 1 }], searchedLogStreams: [] }),
  'logs insights': (inner) =>
    JSON.stringify({
      results: [
        [
          { field: '@timestamp', value: 'x' },
          { field: '@message', value: inner },
        ],
      ],
      status: 'Complete',
    }),
  _raw: (inner) => JSON.stringify({ _raw: inner, host: 'h' }),
  'result._raw': (inner) => JSON.stringify({ preview: false, result: { _raw: inner } }),
};
const AROUND_JSON: Readonly<Record<string, (inner: string) => string>> = {
  eventbridge: (inner) =>
    `{"version":"0","detail-type":"AWS API Call via CloudTrail", "detail" : ${inner} ,"region":"x"}`,
  'lookup-events': (inner) => JSON.stringify({ Events: [{ EventId: '1', CloudTrailEvent: inner }] }),
};

describe('an envelope', () => {
  test.each(Object.entries(AROUND_TEXT))('%s gives any record', (_, wrap) => {
    for (const record of [CALL, WAF, ACCESS]) expect(unwrap(wrap(record))).toEqual({ records: [record], rejects: [] });
  });
  test.each(Object.entries(AROUND_JSON))('%s gives a JSON record', (_, wrap) => {
    expect(unwrap(wrap(CALL))).toEqual({ records: [CALL], rejects: [] });
  });

  test('of a chain is taken off, one after the other, wherever the bytes are cut', () => {
    const around = { ...AROUND_TEXT, ...AROUND_JSON };
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(CALL, WAF, ACCESS), { minLength: 1, maxLength: 4 }),
        fc.array(fc.constantFrom(...Object.keys(around)), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('\n', '', ' \r\n', ',\n'),
        fc.array(fc.nat(4000), { maxLength: 6 }),
        (records, chain, between, cuts) => {
          const wrapped = records.map((record) =>
            chain.reduce((inner, name) => {
              const wrap = isJson(inner) ? around[name] : (AROUND_TEXT[name] ?? AROUND_TEXT['sns']);
              return wrap?.(inner) ?? inner;
            }, record),
          );
          expect(unwrap(wrapped.join(between), cuts)).toEqual({ records: byFormat(records), rejects: [] });
          expect(unwrap(`[${wrapped.join(',')}]`, cuts)).toEqual({ records: byFormat(records), rejects: [] });
        },
      ),
      { numRuns: 300 },
    );
  });

  test('of an exported log stream is its time', () => {
    const lines = [CALL, ACCESS, WAF].map((record) => `2024-05-07T10:00:00.123Z ${record}\n`).join('');
    for (const cuts of [[], [1], [30, 31, 400]])
      expect(unwrap(lines, cuts)).toEqual({ records: [CALL, ACCESS, WAF], rejects: [] });
  });

  test('may be base64 and gzip by itself', () => {
    expect(unwrap(`${gzip64(`${CALL}\n${WAF}\n`)}\n`)).toEqual({ records: [CALL, WAF], rejects: [] });
  });
});

describe('files of a format itself are none', () => {
  test.each([
    `{"Records":[${CALL}]}`,
    `{ "Records" : [ ${CALL} ] }`,
    `[${CALL}]`,
    CALL,
    `${WAF}\n${WAF}`,
    ACCESS,
    '{"awsAccountId":"111122223333","digestStartTime":"x"}',
    '',
    ' ',
    '{"Records":[]}',
    '{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","s3":{}}]}',
    '\ufeff{"Records":[{"eventVersion":"1.08"}]}',
    '{"Records":null}',
  ])('%s', (content) => {
    expect(unwrap(content)).toBeNull();
  });
});

describe('what is no record of ours', () => {
  const event = (detail: string): string => `{"detail-type":"x","detail":${detail}}`;
  test.each([
    ['another event', event('{"state":"running"}'), ['envelope-foreign']],
    [
      'a control message',
      '{"messageType":"CONTROL_MESSAGE","logGroup":"","logEvents":[{"id":"","message":"CWL CONTROL MESSAGE"}]}',
      ['envelope-foreign'],
    ],
    ['an empty one', '{"messageType":"DATA_MESSAGE","logGroup":"g","logEvents":[]}', ['envelope-empty']],
    [
      'data that is no gzip',
      `{"awslogs":{"data":"${Buffer.from([0x1f, 0x8b, 1, 2]).toString('base64')}"}}`,
      ['envelope-unreadable'],
    ],
    ['a file that ends inside', event('{"a":1}').slice(0, -3), ['envelope-truncated']],
    ['an array that is no JSON', `[${event('{"a":1}')} } ]`, ['envelope-foreign', 'envelope-foreign']],
  ])('%s is a reject', (_, content, rejects) => {
    expect(unwrap(content)).toEqual({ records: [], rejects });
  });

  test('costs no neighbour', () => {
    expect(unwrap(`${event('{"a":1}')}\n${event(CALL)}\nnonsense\n${event(CALL)}`)).toEqual({
      records: [CALL, CALL],
      rejects: ['envelope-foreign', 'envelope-foreign'],
    });
  });

  test('and is larger than a record may be is let go up to the next line', () => {
    const content = `${event(CALL)}\n${event(`{"a":"${'x'.repeat(5000)}"}`)}\n${event(CALL)}\n`;
    expect(unwrap(content, [300, 900, 2000, 4000], 1000)).toEqual({
      records: [CALL, CALL],
      rejects: ['record-too-large'],
    });
  });

  test('ends at a depth', () => {
    let content = CALL;
    for (let depth = 0; depth < 30; depth++) content = event(content);
    expect(unwrap(content)).toEqual({ records: [], rejects: ['envelope-too-deep'] });
  });

  test('never throws, whatever the bytes, and takes linear time', () => {
    const seeds = Object.values(AROUND_TEXT).map((wrap) => wrap(CALL));
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 8 }),
        fc.array(fc.nat(2000), { maxLength: 3 }),
        (seed, changes, cuts) => {
          const bytes = Buffer.from(`${seed}\n${seed}`);
          for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
          unwrap(bytes, cuts);
        },
      ),
      { numRuns: 2000 },
    );
    for (const hostile of ['[', '{"a":', '"', '\\', '{"detail-type":"x","detail":[', '[[{"message":"']) {
      const started = performance.now();
      unwrap(`{"detail-type":"x","detail":{}}\n${hostile.repeat(200_000)}`, [MIB / 2], 16 * MIB);
      expect(performance.now() - started).toBeLessThan(5000);
    }
  });
});
