import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import type { DecodeLimits } from '../../src/format.ts';
import { cloudtrailFormat } from '../../src/formats/cloudtrail.ts';
import { createEnvelopes, loadEnvelopeValues } from '../../src/formats/envelopes.ts';
import { readWhole } from '../../src/payload.ts';
import { rawColumns } from '../../src/table.ts';
import {
  DELIVERED_DAY,
  type Decoded,
  decode,
  decoderOf,
  decodeSlices,
  FILE,
  INGESTED_AT_MS,
  LIMITS,
  LOG_FILE,
  type Row,
  slicesOf,
  without,
} from './decode.ts';

const SAMPLES = fileURLToPath(new URL('../../sample-logs', import.meta.url));
const KIB = 1024;
const MIB = KIB * KIB;

/** A record with everything that the text of a case does not say. */
const record = (name: string): string => `{"eventVersion":"1.08","eventName":"${name}"}`;
const A = record('A');
const B = record('B');
const C = record('C');
const wrapAll = (records: readonly string[]): string => `{"Records":[${records.join(',')}]}`;
const wrap = (...records: string[]): string => wrapAll(records);

const names = (decoded: Decoded): string[] => decoded.rows.map((row) => String(row['event_name_raw']));
/** Names of the rows and `reason<text>` of the rejects, in the order of the file. */
function outline(decoded: Decoded): string {
  const rows = decoded.rows.map(
    (row) => [Number(row['record_no']), String(row['event_name_raw'] ?? row['event_id'] ?? '?')] as const,
  );
  const rejects = decoded.rejects.map(({ recordNo, reason, text, length }) => {
    const shown = text.length > SHOWN_TEXT || length !== text.length ? `${text.slice(0, SHOWN_TEXT)}… ${length}` : text;
    return [recordNo, `${reason}<${shown}>`] as const;
  });
  return [...rows, ...rejects]
    .sort(([one], [other]) => one - other)
    .map(([, text]) => text)
    .join(' ');
}
const SHOWN_TEXT = 90;

interface FrameCase {
  readonly title: string;
  readonly content: string | Uint8Array;
  readonly outline: string;
  readonly kind: Decoded['kind'];
  readonly limits?: DecodeLimits;
}

const bytes = (...parts: (string | number[])[]): Uint8Array =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));
const SMALL: DecodeLimits = { recordBytes: 1000, windowBytes: MIB };

const FRAMES: readonly FrameCase[] = [
  { title: 'a document', content: wrap(A, B), outline: 'A B', kind: 'log' },
  {
    title: 'a pretty-printed document',
    content: JSON.stringify(JSON.parse(wrap(A, B)), null, 2),
    outline: 'A B',
    kind: 'log',
  },
  {
    title: 'keys before and after Records',
    content: `{"a":{"Records":[1]},"b":"]","Records":[${A}],"c":[{}],"d":1}`,
    outline: 'A',
    kind: 'log',
  },
  { title: 'Records twice in a document', content: `{"Records":[${A}],"Records":[${B}]}`, outline: 'A B', kind: 'log' },
  { title: 'a bare list', content: `[${A},${B}]`, outline: 'A B', kind: 'log' },
  { title: 'a single record', content: A, outline: 'A', kind: 'log' },
  { title: 'one record a line', content: `${A}\n${B}\r\n${C}\n`, outline: 'A B C', kind: 'log' },
  { title: 'records with nothing between them', content: `${A}${B}`, outline: 'A B', kind: 'log' },
  { title: 'records with commas between them', content: `${A},\n${B}`, outline: 'A B', kind: 'log' },
  { title: 'one document a line', content: `${wrap(A, B)}\n${wrap(C)}`, outline: 'A B C', kind: 'log' },
  { title: 'documents, lists and records mixed', content: `${wrap(A)} [${B}] ${C}`, outline: 'A B C', kind: 'log' },
  { title: 'a byte order mark', content: bytes([0xef, 0xbb, 0xbf], wrap(A)), outline: 'A', kind: 'log' },
  { title: 'an escaped key', content: '{"Re\\u0063ords":[{"event\\u004eame":"A"}]}', outline: 'A', kind: 'log' },
  { title: 'an empty list of records', content: '{"Records":[]}', outline: '', kind: 'empty' },
  { title: 'an empty list', content: ' [ ] ', outline: '', kind: 'empty' },
  { title: 'no byte', content: '', outline: 'empty-file<>', kind: 'empty' },
  { title: 'white space alone', content: ' \n\n', outline: 'empty-file< \n\n>', kind: 'empty' },
  {
    title: 'a byte order mark alone',
    content: Uint8Array.of(0xef, 0xbb, 0xbf),
    outline: 'empty-file<ï»¿>',
    kind: 'empty',
  },

  {
    title: 'a digest',
    content: '{"awsAccountId":"1","digestStartTime":"x","logFiles":[{}]}',
    outline: '',
    kind: 'digest',
  },
  {
    title: 'a digest cut short',
    content: '{"awsAccountId":"1","digestS3Object":"x","logFi',
    outline: '',
    kind: 'digest',
  },
  {
    title: 'Insights by their details',
    content: wrap('{"eventID":"1","insightDetails":{"state":"Start"}}', '{"eventID":"2","insightDetails":{}}'),
    outline: '',
    kind: 'insights',
  },
  {
    title: 'Insights by category',
    content: wrap('{"eventID":"1","eventCategory":"Insight"}'),
    outline: '',
    kind: 'insights',
  },
  {
    title: 'Insights by type',
    content: wrap('{"eventID":"1","eventType":"AwsCloudTrailInsight"}'),
    outline: '',
    kind: 'insights',
  },
  {
    title: 'Insights among log events',
    content: wrap(
      '{"eventID":"1","insightDetails":{}}',
      '{"eventID":"2","insightDetails":{}}',
      A,
      '{"eventID":"3","insightDetails":{}}',
    ),
    outline:
      'insights-record<{"eventID":"1","insightDetails":{}}… 71> A insights-record<{"eventID":"3","insightDetails":{}}>',
    kind: 'log',
  },
  {
    title: 'text',
    content: 'h2 2024-01-01T00:00:00Z app/x "GET {}"\nnext\n',
    outline: 'not-cloudtrail<h2 2024-01-01T00:00:00Z app/x "GET {}"\nnext\n>',
    kind: 'other',
  },
  {
    title: 'an AWS Config snapshot',
    content: '{"fileVersion":"1.0","configurationItems":[{"awsRegion":"x"}]}',
    outline: 'not-cloudtrail<{"fileVersion":"1.0","configurationItems":[{"awsRegion":"x"}]}>',
    kind: 'other',
  },
  {
    title: 'lines of another log',
    content: '{"timestamp":1}\n{"timestamp":2}\n',
    outline: 'not-cloudtrail<{"timestamp":1}\n{"timestamp":2}\n>',
    kind: 'other',
  },
  { title: 'a list of other things', content: '[{"a":1},2]', outline: 'not-cloudtrail<[{"a":1},2]>', kind: 'other' },
  { title: 'a number', content: '17', outline: 'not-cloudtrail<17>', kind: 'other' },
  {
    title: 'an S3 notification',
    content: wrap('{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put"}'),
    outline: 'not-cloudtrail-record<{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put"}>',
    kind: 'other',
  },
  {
    title: 'other lines before records',
    content: `{"a":1}\n${A}`,
    outline: 'not-cloudtrail-record<{"a":1}> A',
    kind: 'log',
  },

  {
    title: 'items that are no objects',
    content: wrap('1', '"x"', 'null', '[{}]', A, 'true'),
    outline:
      'record-not-object<1> record-not-object<"x"> record-not-object<null> record-not-object<[{}]> A record-not-object<true>',
    kind: 'log',
  },
  {
    title: 'objects without the keys of a record',
    content: wrap('{}', '{"eventTime":"x"}', A),
    outline: 'not-cloudtrail-record<{}> not-cloudtrail-record<{"eventTime":"x"}> A',
    kind: 'log',
  },
  {
    title: 'Records that is an object',
    content: '{"eventName":"x","Records":{"a":1}}',
    outline: 'records-not-array<{"eventName":"x","Records":{"a":1}}>',
    kind: 'other',
  },
  {
    title: 'Records that is null',
    content: `{"Records":null}\n${A}`,
    outline: 'records-not-array<{"Records":null}> A',
    kind: 'log',
  },
  { title: 'a comma too many', content: `{"Records":[${A},]}`, outline: 'A', kind: 'log' },
  { title: 'a comma too few', content: `{"Records":[${A}${B}]}`, outline: 'A B', kind: 'log' },

  {
    title: 'a broken record that is balanced',
    content: wrap(A, '{"eventVersion":1 x}', B),
    outline: 'A json-invalid<{"eventVersion":1 x}> B',
    kind: 'log',
  },
  {
    title: 'a broken record at the end',
    content: wrap(A, '{"eventVersion":01}'),
    outline: 'A json-invalid<{"eventVersion":01}>',
    kind: 'log',
  },
  {
    title: 'a brace too few',
    content: wrap(A, '{"userIdentity":{"type":"x"', B, C),
    outline: 'A json-invalid<{"userIdentity":{"type":"x"> B C',
    kind: 'log',
  },
  {
    title: 'a brace too many',
    content: wrap(A, '{"eventName":"X"}}', B),
    outline: 'A X json-invalid<}> B',
    kind: 'log',
  },
  {
    title: 'a quote too few',
    content: wrap(A, '{"eventVersion":"1,"eventName":"X"}', B, C),
    outline: 'A json-invalid<{"eventVersion":"1,"eventName":"X"}> B C',
    kind: 'log',
  },
  {
    title: 'bytes lost within a string',
    content: wrap(A, `{"eventVersion":"1","userAgent":"aws-cl${B}`, C),
    outline: 'A json-invalid<{"eventVersion":"1","userAgent":"aws-cl> B C',
    kind: 'log',
  },
  {
    title: 'bytes lost within a list',
    content: wrap(A, `{"eventVersion":"1","resources":[["x",${B}`, C),
    outline: 'A json-invalid<{"eventVersion":"1","resources":[["x"> B C',
    kind: 'log',
  },
  {
    title: 'a broken record before sorted keys',
    content: wrap('{"awsRegion":}', '{"awsRegion":"x","eventName":"S"}'),
    outline: 'json-invalid<{"awsRegion":}> S',
    kind: 'log',
  },
  {
    title: 'a broken line',
    content: `${A}\n{"eventVersion":"1","eventNa\n{"eventTime":"x","eventName":"N"}\n`,
    outline: 'A json-invalid<{"eventVersion":"1","eventNa> N',
    kind: 'log',
  },
  { title: 'garbage between lines', content: `${A}\ngarbage\n${B}`, outline: 'A json-invalid<garbage> B', kind: 'log' },
  {
    title: 'a document cut short before another one',
    content: `{"Records":[${A},{"eventVers\n{"Records":[${B}]}`,
    outline: 'A json-invalid<{"eventVers\n{"Records":[> B',
    kind: 'log',
  },
  {
    title: 'a control character in a string',
    content: wrap('{"eventName":"a\tb"}', A),
    outline: 'json-invalid<{"eventName":"a	b"}> A',
    kind: 'log',
  },
  {
    title: 'an unknown escape',
    content: wrap('{"eventName":"\\x"}', A),
    outline: 'json-invalid<{"eventName":"\\x"}> A',
    kind: 'log',
  },
  {
    title: 'a brace in a string of a broken record',
    content: wrap('{"eventName":"}","x":tru}', A),
    outline: 'json-invalid<{"eventName":"}","x":tru}> A',
    kind: 'log',
  },
  {
    title: 'a record cut short',
    content: `{"Records":[${A},{"eventVersion":"1","eve`,
    outline: 'A truncated<{"eventVersion":"1","eve>',
    kind: 'log',
  },
  { title: 'a file cut after a record', content: `{"Records":[${A}`, outline: 'A truncated<>', kind: 'log' },
  { title: 'a file cut after a comma', content: `{"Records":[${A},`, outline: 'A truncated<>', kind: 'log' },
  { title: 'a file cut before its last brace', content: `{"Records":[${A}]`, outline: 'A truncated<>', kind: 'log' },
  {
    title: 'a lone record cut short',
    content: '{"eventVersion":"1.0","userId',
    outline: 'truncated<{"eventVersion":"1.0","userId>',
    kind: 'log',
  },
  { title: 'NULs after the document', content: `${wrap(A)}\0\0\0`, outline: 'A trailing-garbage<\0\0\0>', kind: 'log' },
  {
    title: 'text after the document',
    content: `${wrap(A)}\nBye {now}`,
    outline: 'A trailing-garbage<Bye {now}>',
    kind: 'log',
  },
  {
    title: 'a beginning that was lost',
    content: `d":"x"},${A},${B}]}`,
    outline: 'json-invalid<d":"x"}> A B trailing-garbage<]}>',
    kind: 'log',
  },

  {
    title: 'invalid UTF-8 in one record',
    content: bytes('{"Records":[', A, ',{"eventName":"', [0xff], '"},', B, ']}'),
    outline: 'A invalid-utf8<{"eventName":"ÿ"}> B',
    kind: 'log',
  },
  {
    title: 'an overlong form',
    content: bytes('{"Records":[{"eventName":"', [0xc0, 0xaf], '"},', B, ']}'),
    outline: 'invalid-utf8<{"eventName":"À¯"}> B',
    kind: 'log',
  },
  {
    title: 'a surrogate as UTF-8',
    content: bytes('{"Records":[{"eventName":"', [0xed, 0xa0, 0x80], '"}]}'),
    outline: 'invalid-utf8<{"eventName":"í "}>',
    kind: 'log',
  },
  {
    title: 'a character cut by its quote',
    content: bytes('{"Records":[{"eventName":"', [0xe2, 0x82], '"},', B, ']}'),
    outline: 'invalid-utf8<{"eventName":"â"}> B',
    kind: 'log',
  },
  {
    title: 'as deep as allowed',
    content: wrap(`{"eventName":"D","x":${'['.repeat(999)}${']'.repeat(999)}}`),
    outline: 'D',
    kind: 'log',
  },
  {
    title: 'one level too deep',
    content: wrap(`{"eventName":"D","x":${'['.repeat(1000)}${']'.repeat(1000)}}`, A),
    outline:
      'nested-too-deep<{"eventName":"D","x":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[… 2022> A',
    kind: 'log',
  },
  {
    title: 'a record as large as allowed',
    content: wrap(`{"eventName":"L","x":"${'y'.repeat(1000 - 24)}"}`, A),
    outline: 'L A',
    kind: 'log',
    limits: SMALL,
  },
  {
    title: 'a record too large by a byte',
    content: wrap(`{"eventName":"L","x":"${'y'.repeat(1001 - 24)}"}`, A),
    outline:
      'record-too-large<{"eventName":"L","x":"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy… 1001> A',
    kind: 'log',
    limits: SMALL,
  },
  {
    title: 'a large record with braces in strings',
    content: wrap(`{"eventName":"L","x":["${'}{\\"'.repeat(500)}",{}]}`, A),
    outline:
      'record-too-large<{"eventName":"L","x":["}{\\"}{\\"}{\\"}{\\"}{\\"}{\\"}{\\"}{\\"}{\\"}{\\"}{\\"}{\\"}{\\"}{\\"}{\\"}{\\"}{\\… 2029> A',
    kind: 'log',
    limits: SMALL,
  },
  {
    title: 'a large record that never ends',
    content: `{"Records":[{"eventName":"L","x":["${'y'.repeat(2000)}`,
    outline:
      'record-too-large<{"eventName":"L","x":["yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy… 2023>',
    kind: 'log',
    limits: SMALL,
  },
  {
    title: 'a list that never ends before large neighbours',
    content: wrap('{"eventName":"L","x":["y"', ...Array.from({ length: 40 }, () => A)),
    outline: `record-too-large<{"eventName":"L","x":["y"> ${'A '.repeat(40).trim()}`,
    kind: 'log',
    limits: SMALL,
  },
];

describe('framing', () => {
  for (const { title, content, outline: expected, kind, limits } of FRAMES) {
    it(`reads ${title}`, async () => {
      const decoded = await decode(content, limits);
      expect({ outline: outline(decoded), kind: decoded.kind }).toEqual({ outline: expected, kind });
      expect(decoded.recordsIn).toBe(decoded.rows.length + decoded.rejects.length);
      const text = Buffer.from(content as string).toString('latin1');
      for (const reject of decoded.rejects) expect(text.startsWith(reject.text, reject.offset)).toBe(true);
    });
  }

  test('every case gives the same rows and rejects however it is sliced', async () => {
    let seed = 1;
    const random = (): number => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed;
    };
    for (const { title, content, limits } of FRAMES) {
      const whole = await decode(content, limits);
      const decoder = await decoderOf(limits ?? LIMITS);
      const input = typeof content === 'string' ? Buffer.from(content) : content;
      const ways: [string, () => number][] = [
        ['one byte', () => 1],
        ['seven bytes', () => 7],
        ['any size', () => random() % 97],
      ];
      for (const [how, sizes] of ways) {
        const sliced = decodeSlices(decoder, slicesOf(input, sizes));
        expect({ title, how, ...sliced }).toEqual({ title, how, ...whole });
      }
    }
  });
});

interface ValueCase {
  readonly title: string;
  readonly record: string;
  /** Columns that the record must give, and no others than these and `event_id`. */
  readonly row: Row;
}

const T = 1_704_164_645_000_000n;
const timed = (text: string): string => `{"eventID":"1","eventTime":${text}}`;

const VALUES: readonly ValueCase[] = [
  {
    title: 'text as it is',
    record: '{"eventID":"1","userAgent":"[aws-cli/2.15 é 😀]"}',
    row: { user_agent: '[aws-cli/2.15 é 😀]' },
  },
  {
    title: 'escapes decoded in text',
    record: '{"eventID":"1","userAgent":"a\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00 and more than twelve"}',
    row: { user_agent: 'a"\\/\b\f\n\r\té😀 and more than twelve' },
  },
  {
    title: 'an empty text',
    record: '{"eventID":"1","userIdentity":{"accessKeyId":""}}',
    row: { access_key_id: '', user_identity: '{"accessKeyId":""}' },
  },
  {
    title: 'texts of 12 and 13 bytes',
    record: '{"eventID":"1","awsRegion":"abcdefghijkl","userAgent":"abcdefghijklm"}',
    row: { aws_region: 'abcdefghijkl', user_agent: 'abcdefghijklm' },
  },
  {
    title: 'null as no value',
    record: '{"eventID":"1","userAgent":null,"responseElements":null,"eventTime":null,"readOnly":null}',
    row: {},
  },
  {
    title: 'other types in a text column as their JSON',
    record: '{"eventID":"1","errorCode":1.50,"errorMessage":{"a": [1]},"awsRegion":true}',
    row: { error_code: '1.50', error_message: '{"a": [1]}', aws_region: 'true' },
  },
  {
    title: 'JSON byte for byte',
    record: '{"eventID":"1","requestParameters": {"b" : 1.10,"a":"\\u0026","b":[ ]} }',
    row: { request_parameters: '{"b" : 1.10,"a":"\\u0026","b":[ ]}' },
  },
  {
    title: 'JSON that is no object',
    record: '{"eventID":"1","requestParameters":"text","resources":7,"userIdentity":[1]}',
    row: { request_parameters: '"text"', resources: '7', user_identity: '[1]' },
  },
  {
    title: 'nested fields, with unknown ones kept in the raw text',
    record:
      '{"eventID":"1","userIdentity":{"type":"T","new":1,"onBehalfOf":{"userId":"u"},"invokedByDelegate":{"accountId":"a"},"sessionContext":{"sessionIssuer":{"arn":"i"},"attributes":{"mfaAuthenticated":"true"}}},"tlsDetails":{"tlsVersion":"v","keyExchange":"k"}}',
    row: {
      user_type: 'T',
      on_behalf_of_user_id: 'u',
      invoked_by_delegate_account_id: 'a',
      session_issuer_arn: 'i',
      mfa: true,
      tls_version: 'v',
      tls_key_exchange: 'k',
      user_identity:
        '{"type":"T","new":1,"onBehalfOf":{"userId":"u"},"invokedByDelegate":{"accountId":"a"},"sessionContext":{"sessionIssuer":{"arn":"i"},"attributes":{"mfaAuthenticated":"true"}}}',
      tls_details: '{"tlsVersion":"v","keyExchange":"k"}',
    },
  },
  {
    title: 'objects on the way that are none',
    record: '{"eventID":"1","userIdentity":{"sessionContext":"x","onBehalfOf":[{"userId":"u"}]}}',
    row: { user_identity: '{"sessionContext":"x","onBehalfOf":[{"userId":"u"}]}' },
  },
  {
    title: 'unknown keys in extra, byte for byte',
    record: '{"eventID":"1", "new" : {"a": 1.0 },"eventName":"N","other":[ ] , "more":"\\u0041"}',
    row: { event_name_raw: 'N', extra: '{"new" : {"a": 1.0 },"other":[ ] , "more":"\\u0041"}' },
  },
  {
    title: 'the first of repeated keys, later ones in extra',
    record:
      '{"eventID":"1","eventName":"N","eventName":"M","userIdentity":{"type":"T","type":"U"},"userIdentity":{"type":"V"}}',
    row: {
      event_name_raw: 'N',
      user_type: 'T',
      user_identity: '{"type":"T","type":"U"}',
      extra: '{"eventName":"M","userIdentity":{"type":"V"}}',
    },
  },
  {
    title: 'a null first of repeated keys',
    record: '{"eventID":"1","eventName":null,"eventName":"M"}',
    row: { extra: '{"eventName":"M"}' },
  },
  {
    title: 'keys as JSON.parse sees them',
    record: '{"eventID":"1","event\\u004eame":"N","userIdentity":{"\\u0074ype":"T"}}',
    row: { event_name_raw: 'N', user_type: 'T', user_identity: '{"\\u0074ype":"T"}' },
  },
  { title: 'an empty key', record: '{"eventID":"1","":1}', row: { extra: '{"":1}' } },
  {
    title: 'booleans and their texts',
    record: '{"eventID":"1","readOnly":true,"managementEvent":"False","sessionCredentialFromConsole":"TRUE"}',
    row: { read_only: true, management_event: false, session_from_console: true },
  },
  {
    title: 'what is no boolean in extra',
    record: '{"eventID":"1","readOnly":1,"managementEvent":"yes","sessionCredentialFromConsole":"true "}',
    row: { extra: '{"readOnly":1,"managementEvent":"yes","sessionCredentialFromConsole":"true "}' },
  },
  {
    title: 'unpaired surrogates replaced, and told',
    record:
      '{"eventID":"1","userAgent":"a\\ud83dz","requestParameters":{"k\\udc00":"\\ud83d\\ude00\\uD83D"},"x":"\\ud800"}',
    row: {
      user_agent: 'a\ufffdz',
      request_parameters: '{"k\\ufffd":"\\ud83d\\ude00\\ufffd"}',
      extra: '{"x":"\\ufffd","trailhound_rewritten":"lone surrogate"}',
    },
  },
  {
    title: 'a short JSON text with an unpaired surrogate',
    record: '{"eventID":"1","requestParameters":"\\udfff"}',
    row: { request_parameters: '"\\ufffd"', extra: '{"trailhound_rewritten":"lone surrogate"}' },
  },
  { title: 'a NUL in text', record: '{"eventID":"1","userAgent":"a\\u0000b"}', row: { user_agent: 'a\0b' } },
  {
    title: 'a request id that is a UUID, and one that is not',
    record:
      '{"eventID":"1","requestID":"0a1B2c3d-0000-1111-2222-333344445555","sharedEventID":"0a1b2c3d-0000-1111-2222-33334444555f"}',
    row: {
      request_id: '0a1B2c3d-0000-1111-2222-333344445555',
      shared_event_id: '0a1b2c3d-0000-1111-2222-33334444555f',
    },
  },
  { title: 'numbers as ids', record: '{"eventID":"1","requestID":17}', row: { request_id: '17' } },

  { title: 'a time in UTC', record: timed('"2024-01-02T03:04:05Z"'), row: { event_time: T } },
  {
    title: 'a time with a fraction',
    record: timed('"2024-01-02T03:04:05.1234567Z"'),
    row: { event_time: T + 123_456n },
  },
  { title: 'a time with a zone', record: timed('"2024-01-02T05:04:05+02:00"'), row: { event_time: T } },
  { title: 'a time with a zone without a colon', record: timed('"2024-01-01T21:34:05-0530"'), row: { event_time: T } },
  { title: 'a time with escapes', record: timed('"2024\\u002d01-02T03:04:05Z"'), row: { event_time: T } },
  { title: 'a leap day', record: timed('"2024-02-29T00:00:00Z"'), row: { event_time: 1_709_164_800_000_000n } },
  {
    title: 'a moment before the last allowed',
    record: timed(`"${new Date(INGESTED_AT_MS + 86_400_000).toISOString()}"`),
    row: { event_time: BigInt(INGESTED_AT_MS + 86_400_000) * 1000n },
  },
  ...[
    '"2023-02-29T00:00:00Z"',
    '"2024-01-02T24:00:00Z"',
    '"2024-01-02T03:04:60Z"',
    '"2024-01-02T03:04:05"',
    '"2024-01-02 03:04:05Z"',
    '"2024-01-02T03:04:05.Z"',
    '"2024-01-02T03:04:05z"',
    '"2024-01-02T03:04:05+24:00"',
    '"2024-01-02T03:04:05+02:0"',
    '"2024-01-02T03:04:05+02:00Z"',
    '"2024-1-02T03:04:05Z"',
    '"2024-13-02T03:04:05Z"',
    '"2012-12-31T23:59:59Z"',
    '"2099-01-01T00:00:00Z"',
    '"infinity"',
    '""',
    '1704164645',
    '{"t":1}',
  ].map((text) => ({ title: `no time in ${text}`, record: timed(text), row: { extra: `{"eventTime":${text}}` } })),
  {
    title: 'a session of any time',
    record:
      '{"eventID":"1","userIdentity":{"sessionContext":{"attributes":{"creationDate":"1970-01-01T00:00:01Z","mfaAuthenticated":"maybe"}}}}',
    row: {
      session_created: 1_000_000n,
      user_identity:
        '{"sessionContext":{"attributes":{"creationDate":"1970-01-01T00:00:01Z","mfaAuthenticated":"maybe"}}}',
    },
  },
  {
    title: 'a session of no time',
    record: '{"eventID":"1","userIdentity":{"sessionContext":{"attributes":{"creationDate":"20131102T010628Z"}}}}',
    row: { user_identity: '{"sessionContext":{"attributes":{"creationDate":"20131102T010628Z"}}}' },
  },
];

describe('values', () => {
  for (const { title, record: text, row } of VALUES) {
    it(`takes ${title}`, async () => {
      const decoded = await decode(wrap(text));
      const [actual = {}] = decoded.rows;
      const own = { event_id: '1', log_file: LOG_FILE, record_no: 0 };
      expect(without(actual, 'event_day', 'identity', 'has_identity')).toEqual({ ...row, ...own });
      expect(actual['event_day']).toBe(
        row['event_time'] === undefined ? DELIVERED_DAY : Number((row['event_time'] as bigint) / 86_400_000_000n),
      );
    });
  }

  it('gives no identity to a record whose id is absent, null or empty', async () => {
    const decoded = await decode(
      wrap(
        '{"eventName":"N"}',
        '{"eventName":"N","eventID":null}',
        '{"eventName":"N","eventID":""}',
        '{"eventID":"x"}',
      ),
    );
    expect(decoded.rows.map((row) => row['has_identity'])).toEqual([false, false, false, true]);
  });

  it('leaves nothing of a rejected record in the row after it', async () => {
    const rejected =
      '{"eventVersion":"1.09","eventID":"x","userAgent":"u","readOnly":true,"eventTime":"2024-01-02T03:04:05Z","zzz":1,"resources":[}';
    const { rows } = await decode(wrap(rejected, A));
    const [alone] = (await decode(wrap(A))).rows;
    expect(rows).toEqual([{ ...alone, record_no: 1 }]);
  });
});

describe('rejects', () => {
  it('tells what is wrong in words', async () => {
    const decoded = await decode(wrap('{"eventVersion":1 x}', '3', A) + '\0');
    expect(decoded.details).toEqual([
      "no JSON goes on with 'x' (0x78) at byte 30 of the file",
      'an item of the list of records is no object',
      'what follows the last value begins with 0x00 at byte 76 of the file',
    ]);
  });

  it('keeps the first 64 KiB of the text and the whole length', async () => {
    const broken = `{"eventVersion":"${'x'.repeat(200_000)}" "}`;
    const { rejects } = await decode(wrap(broken, A));
    expect(rejects).toEqual([
      { recordNo: 0, offset: 12, length: broken.length, reason: 'json-invalid', text: broken.slice(0, 65_536) },
    ]);
  });

  it('makes one reject of a file with many values of another kind', async () => {
    const content = '{"timestamp":1}\n'.repeat(50_000);
    const decoder = await decoderOf();
    const decoded = decodeSlices(
      decoder,
      slicesOf(Buffer.from(content), () => 10_000),
    );
    expect(decoded.rejects).toEqual([
      { recordNo: 0, offset: 0, length: content.length, reason: 'not-cloudtrail', text: content.slice(0, 65_536) },
    ]);
    expect(decoded.recordsIn).toBe(1);
  });

  it('keeps what came before the first record as one reject when it was much', async () => {
    const foreign = '{"timestamp":1}\n'.repeat(5000);
    const decoded = decodeSlices(
      await decoderOf(),
      slicesOf(Buffer.from(foreign + A), () => 10_000),
    );
    expect(decoded.rejects.map(({ offset, reason }) => ({ offset, reason }))[0]).toEqual({
      offset: 0,
      reason: 'not-cloudtrail',
    });
    expect({ names: names(decoded), recordsIn: decoded.recordsIn }).toEqual({
      names: ['A'],
      recordsIn: decoded.rejects.length + 1,
    });
  });
});

describe('windows', () => {
  it('goes on in the next window when the rows are full', async () => {
    const count = 50_000;
    const content = Buffer.from(wrapAll(Array.from({ length: count }, (_, i) => record(`N${i}`))));
    const decoded = decodeSlices(await decoderOf(), [content]);
    expect({
      rows: decoded.rows.length,
      recordsIn: decoded.recordsIn,
      last: decoded.rows.at(-1)?.['event_name_raw'],
      no: decoded.rows.at(-1)?.['record_no'],
    }).toEqual({
      rows: count,
      recordsIn: count,
      last: `N${count - 1}`,
      no: count - 1,
    });
    expect(new Set(decoded.rows.map((row) => row['event_name_raw'])).size).toBe(count);
  });

  it('reads a file far larger than the window', async () => {
    const limits: DecodeLimits = { recordBytes: 100 * KIB, windowBytes: MIB };
    const text = `{"eventName":"N","requestParameters":"${'é'.repeat(20_000)}"}`;
    const decoder = await decoderOf(limits);
    const slices = Array.from({ length: 400 }, (_, i) => Buffer.from(`${i === 0 ? '{"Records":[' : ','}${text}`));
    const decoded = decodeSlices(decoder, [...slices, Buffer.from(']}')]);
    expect({ rows: decoded.rows.length, rejects: decoded.rejects.length }).toEqual({ rows: 400, rejects: 0 });
  });

  it('keeps several files in one window', async () => {
    const decoder = await decoderOf();
    for (let file = 0; file < 3; file++) {
      decoder.begin({ ...FILE, logFile: file });
      expect(decoder.push(Buffer.from(wrap(A, B)), true)).toBe('more');
      expect(decoder.end()).toEqual({ kind: 'log', recordsIn: 2, rejects: [] });
    }
    expect(decoder.batch().rows).toBe(6);
    decoder.reset();
    expect({ rows: decoder.batch().rows, room: decoder.roomBytes() >= MIB }).toEqual({ rows: 0, room: true });
  });

  it('has room for a slice whatever the incomplete record', async () => {
    const limits: DecodeLimits = { recordBytes: 4 * MIB, windowBytes: MIB };
    const decoder = await decoderOf(limits);
    const slice = Buffer.alloc(MIB, 'x');
    decoder.begin(FILE);
    decoder.push(Buffer.from('{"Records":[{"eventName":"'), false);
    for (let i = 0; i < 12; i++) {
      expect(decoder.roomBytes()).toBeGreaterThanOrEqual(MIB);
      decoder.push(slice, false);
    }
    decoder.push(Buffer.from(`"},${A}]}`), true);
    expect(decoder.batch().rows).toBe(1);
    expect(decoder.end().rejects.map(({ reason, length }) => ({ reason, length }))).toEqual([
      { reason: 'record-too-large', length: 12 * MIB + 16 },
    ]);
    decoder.reset();
  });

  it('finds dictionaries where values repeat, and none where they do not', async () => {
    const content = wrap(
      ...Array.from(
        { length: 5000 },
        (_, i) =>
          `{"eventName":"N","userAgent":"agent with a long name ${i % 300}","requestParameters":{"number":"${i} of many"},"awsRegion":"us-east-1","errorCode":"AccessDeniedException"}`,
      ),
    );
    const decoder = await decoderOf();
    decoder.begin(FILE);
    decoder.push(Buffer.from(content), true);
    decoder.end();
    const batch = decoder.batch();
    batch.select(Int32Array.from({ length: batch.rows }, (_, row) => row));
    const sizes = Object.fromEntries(
      rawColumns(cloudtrailFormat.table).flatMap(({ name }, i) =>
        batch.columns[i]?.repeats ? [[name, batch.packRepeated(i).size]] : [],
      ),
    );
    decoder.reset();
    expect(sizes).toEqual({ event_name_raw: 1, aws_region: 1, user_agent: 300, error_code: 1 });
  });

  it('tells apart long texts that differ in one byte anywhere', async () => {
    const text = (i: number): string => '-'.repeat(i % 200).padEnd(300, `${i % 200},`);
    const content = wrap(
      ...Array.from({ length: 2000 }, (_, i) => `{"eventName":"N","userIdentity":{"type":"${text(i)}"}}`),
    );
    const decoder = await decoderOf();
    decoder.begin(FILE);
    decoder.push(Buffer.from(content), true);
    decoder.end();
    const batch = decoder.batch();
    const at = rawColumns(cloudtrailFormat.table).findIndex(({ name }) => name === 'user_identity');
    batch.select(Int32Array.from({ length: batch.rows }, (_, row) => row));
    expect(batch.packRepeated(at).size).toBe(200);
    decoder.reset();
  });

  it('groups rows by several columns, values and their absence alike', async () => {
    const records = Array.from({ length: 6000 }, (_, i) => ({
      eventName: `Name${i % 7}`,
      ...(i % 3 === 0 ? {} : { awsRegion: `region-${i % 5}` }),
      ...(i % 11 === 0 ? { errorCode: '' } : {}),
      ...(i % 4 === 0 ? {} : { readOnly: i % 4 === 1 }),
      userAgent: `agent ${i} of many`,
    }));
    const decoder = await decoderOf();
    decoder.begin(FILE);
    decoder.push(Buffer.from(wrap(...records.map((one) => JSON.stringify(one)))), true);
    decoder.end();
    const batch = decoder.batch();
    const columnOf = (wanted: string): number =>
      rawColumns(cloudtrailFormat.table).findIndex(({ name }) => name === wanted);
    const groups = batch.groups(
      ['event_name_raw', 'aws_region', 'error_code', 'error_message', 'read_only'].map(columnOf),
    );
    const keys = records.map(({ eventName, awsRegion, errorCode, readOnly }) =>
      JSON.stringify([eventName, awsRegion, errorCode, readOnly]),
    );
    const distinct = [...new Set(keys)];
    expect([...(groups?.firstRows ?? [])].map((row) => keys[row])).toEqual(distinct);
    expect([...(groups?.numbers ?? [])].map((number) => distinct[number])).toEqual(keys);
    expect(batch.groups(['event_name_raw', 'user_agent'].map(columnOf))).toBeNull();
    expect(batch.groups(['event_name_raw', 'record_no'].map(columnOf))).toBeNull();
    decoder.reset();
  });

  it('refuses limits that it cannot keep', async () => {
    await expect(cloudtrailFormat.createDecoder({ recordBytes: 0, windowBytes: MIB })).rejects.toThrow(
      'cannot decode with recordBytes = 0: expected a whole number of bytes, at least 1',
    );
    await expect(cloudtrailFormat.createDecoder({ recordBytes: 3 * 1024 ** 3, windowBytes: MIB })).rejects.toThrow(
      /a scanner addresses 4 GiB in all/,
    );
  });
});

describe('input that is made to be slow', () => {
  const CASES: Record<string, Buffer> = {
    'ten megabytes of braces': Buffer.alloc(10 * MIB, '{'),
    'ten megabytes of brackets': Buffer.alloc(10 * MIB, '['),
    'ten megabytes of quotes': Buffer.alloc(10 * MIB, '"'),
    'ten megabytes of backslashes': Buffer.alloc(10 * MIB, '\\'),
    'ten megabytes of [{': Buffer.alloc(10 * MIB, '[{'),
    'ten megabytes of NULs': Buffer.alloc(10 * MIB),
    'ten megabytes of white space': Buffer.alloc(10 * MIB, ' '),
    'brackets within a record': Buffer.from(`{"Records":[{"eventName":"N","x":${'['.repeat(10 * MIB)}`),
    'records that begin in records': Buffer.from('{"eventVersion":['.repeat(600_000)),
    'records that begin in lists': Buffer.from(
      `{"Records":[${'{"eventVersion":1,"a":['.repeat(900)}${'{"eventVersion":1},'.repeat(400_000)}`,
    ),
    'a million unknown keys': Buffer.from(`{"Records":[{"eventName":"N"${',"a":1'.repeat(1_000_000)}}]}`),
    'a million broken records': Buffer.from(wrapAll(Array.from({ length: 1_000_000 }, () => '{"eventVersion":}'))),
  };
  for (const [title, content] of Object.entries(CASES)) {
    it(`takes linear time for ${title}`, async () => {
      const decoder = await decoderOf();
      const seconds: number[] = [];
      for (const size of [content.length >> 2, content.length]) {
        const started = process.cpuUsage();
        const decoded = decodeSlices(
          decoder,
          slicesOf(content.subarray(0, size), () => MIB),
        );
        expect(decoded.recordsIn).toBe(decoded.rows.length + decoded.rejects.length);
        const used = process.cpuUsage(started);
        seconds.push((used.user + used.system) / 1e6);
      }
      // Four times the bytes: sixteen times the time would be quadratic. Short times are noise.
      const [quarter = 0, whole = 0] = seconds;
      expect(whole).toBeLessThan(Math.max(8 * quarter, 3));
    });
  }
});

describe('sniff', () => {
  const LOG_KEY =
    'AWSLogs/111122223333/CloudTrail/us-east-1/2026/01/01/111122223333_CloudTrail_us-east-1_20260101T0000Z_x.json.gz';
  const CASES: readonly [string, string, string, 'content' | 'key' | null][] = [
    ['a document', wrap(A), 'x.bin', 'content'],
    ['the head of a document', '{"Records":[{"ev', 'x', 'content'],
    ['a record after a byte order mark', `\ufeff${A}`, 'x', 'content'],
    ['a digest', '{"awsAccountId":"1","digestStartTime":"x"', 'x', 'content'],
    ['other JSON', '{"webaclId":"x"}', 'waf.json', null],
    ['text', 'h2 2024', 'elb.log', null],
    ['nothing, under the key of a log file', '', LOG_KEY, 'key'],
    ['garbage, under the key of a log file', '\0\0', LOG_KEY, 'key'],
    ['nothing, under another key', '', 'AWSLogs/1/WAFLogs/x.gz', null],
  ];
  it.each(CASES)('judges %s', (_, head, key, expected) => {
    expect(cloudtrailFormat.sniff(Buffer.from(head), key)).toBe(expected);
  });

  const DELIVERED = '{"Records":[{"eventVersion":"1.11","userIdentity":{"type":"AWSService"},"eventName":"x"}]}';
  const BEGINNINGS: readonly [string, string, boolean][] = [
    ['what AWS delivers', DELIVERED, true],
    ['the head of it', DELIVERED.slice(0, 60), true],
    ['a document before another one in the next line', `${DELIVERED}\n{"Type":"Notification","Message":"{}"}`, false],
    ['a pretty document', JSON.stringify(JSON.parse(DELIVERED), null, 2), false],
    ['a record without a document', DELIVERED.slice('{"Records":['.length, -2), false],
    ['an Insights event', '{"Records":[{"eventVersion":"1.08","eventTime":"x","insightDetails":{}}]}', false],
    ['a notification of S3', '{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","userIdentity":{}}]}', false],
    ['messages that Lambda hands over', '{"Records":[{"messageId":"x","body":"{}"}]}', false],
    ['nothing', '', false],
  ];
  it.each(BEGINNINGS)('knows at a glance that it is as delivered, or not: %s', (_, head, expected) => {
    expect(cloudtrailFormat.isAsDelivered?.(Buffer.from(head))).toBe(expected);
  });

  it('what is as delivered is what a closer look says', async () => {
    const envelopes = createEnvelopes({ recordBytes: 1_000_000, values: await loadEnvelopeValues() });
    const logs = readdirSync(SAMPLES, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.json.gz'))
      .map((name) =>
        readWhole({
          path: join(SAMPLES, name),
          start: 0,
          length: statSync(join(SAMPLES, name)).size,
          method: 'stored',
        }),
      )
      .flatMap((payload) =>
        payload !== null && cloudtrailFormat.isAsDelivered?.(payload.bytes) ? [payload.bytes] : [],
      );
    expect(logs.length).toBeGreaterThan(100);
    const isOther = logs.filter(
      (log) => cloudtrailFormat.sniff(log, '') !== 'content' || envelopes.open(log, () => 'cloudtrail') !== null,
    );
    expect(isOther).toEqual([]);
  });
});
