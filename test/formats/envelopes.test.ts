/** Records in envelopes: every chain of envelopes gives them back byte for byte, however the bytes are sliced. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Piece, UnwrappedRecords } from '../../src/envelope.ts';
import { createEnvelopes, loadEnvelopeValues } from '../../src/formats/envelopes.ts';
import { AROUND_JSON, AROUND_TEXT, gzip64, WRAPS, wrapped } from './envelope-wraps.ts';

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

describe('an envelope', () => {
  test.each(Object.entries(AROUND_TEXT))('%s gives any record', (_, wrap) => {
    for (const record of [CALL, WAF, ACCESS]) expect(unwrap(wrap(record))).toEqual({ records: [record], rejects: [] });
  });
  test.each(Object.entries(AROUND_JSON))('%s gives a JSON record', (_, wrap) => {
    expect(unwrap(wrap(CALL))).toEqual({ records: [CALL], rejects: [] });
  });

  test('of a chain is taken off, one after the other, wherever the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(CALL, WAF, ACCESS), { minLength: 1, maxLength: 4 }),
        fc.array(fc.constantFrom(...Object.keys(WRAPS)), { minLength: 1, maxLength: 4 }),
        fc.constantFrom('\n', '', ' \r\n', ',\n'),
        fc.array(fc.nat(4000), { maxLength: 6 }),
        (records, chain, between, cuts) => {
          const messages = records.map((record) => wrapped(record, chain));
          expect(unwrap(messages.join(between), cuts)).toEqual({ records: byFormat(records), rejects: [] });
          expect(unwrap(`[${messages.join(',')}]`, cuts)).toEqual({ records: byFormat(records), rejects: [] });
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

  test('never throws, whatever the bytes', () => {
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
  });
});

describe('the work for four times the bytes is four times the work', () => {
  const BYTES = 300_000;
  const EVENT = '{"detail-type":"x","detail":{}}';
  const repeat =
    (text: string): ((bytes: number) => string) =>
    (bytes) =>
      text.repeat(bytes / text.length);
  const flat = `{"a":[\n${'{"b":1},\n'.repeat(300)}`;
  const hostile: Readonly<Record<string, (bytes: number) => string>> = {
    'lists that nothing closes': repeat('['),
    'such lists, a line each': repeat('[\n'),
    'objects that nothing closes': repeat('{"a":'),
    'such objects, a line each': repeat('{"a":[\n'),
    'long ones among them': repeat(flat),
    'frames that nothing closes': repeat('{"Records":['),
    'such frames, a line each': repeat('{"Records":[\n'),
    'frames in frames': (bytes) => `{"x":1,"Records":[`.repeat(bytes / 20),
    'strings that nothing closes': repeat('{"message":"'),
    'such strings, a line each': repeat('{"message":"\n'),
    'one string': repeat('x'),
    'quotes alone': repeat('"'),
    backslashes: (bytes) => `{"_raw":"${'\\'.repeat(bytes)}`,
    'a string of escapes': (bytes) => `{"_raw":"${'\\\\'.repeat(bytes / 2)}"}`,
    'brackets in a payload': (bytes) => JSON.stringify({ _raw: '{"a":['.repeat(bytes / 8) }),
    'lines of brackets in a payload': (bytes) => JSON.stringify({ _raw: '{"a":[\n'.repeat(bytes / 9) }),
    'what might be the next object': (bytes) => `{"a" ${'},{"a":[1,'.repeat(bytes / 10)}`,
    'members of a frame that go on': (bytes) => `{"Records":[${EVENT}]${',"a":1'.repeat(bytes / 6)}`,
    'spaces alone': repeat(' '),
    'closing brackets': repeat(']}'),
    'lines of text': repeat('2024-05-07T10:00:00.123Z hello\n'),
    'small messages without an end of line': repeat('{"_raw":"x"}'),
    'a list of small messages': (bytes) =>
      `{"logGroup":"","logEvents":[${Array(Math.floor(bytes / 16))
        .fill('{"message":"x"}')
        .join()}]}`,
  };

  const workOf = (text: string, slice: number): number => {
    const bytes = Buffer.from(`${EVENT}\n${text}`);
    const unwrapper = createEnvelopes({ recordBytes: 16 * MIB, values }).open(bytes, formatOf);
    if (unwrapper === null) throw new Error('it is not taken for envelopes');
    const before = values.passed;
    for (let at = 0; at < bytes.length; at += slice)
      for (const piece of unwrapper.push(bytes.subarray(at, at + slice), at + slice >= bytes.length)) void piece;
    return values.passed - before;
  };

  test.each(Object.entries(hostile))('%s', (_, make) => {
    for (const slice of [64 * 1024, 100 * MIB]) {
      const [once, fourTimes] = [workOf(make(BYTES), slice), workOf(make(4 * BYTES), slice)];
      expect(fourTimes / once).toBeLessThan(6);
    }
  });
});
