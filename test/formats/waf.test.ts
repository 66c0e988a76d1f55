import { readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import type { DecodeLimits } from '../../src/format.ts';
import { wafFormat } from '../../src/formats/waf.ts';
import {
  type Decoded,
  decode,
  decoderOf,
  decodeSlices,
  LIMITS,
  LOG_FILE,
  type Row,
  slicesOf,
  without,
} from './decode.ts';
import { membersOf, wafOracle } from './oracle.ts';

const decodeWaf = (content: string | Uint8Array, limits: DecodeLimits = LIMITS): Promise<Decoded> =>
  decode(content, limits, wafFormat);

const ARN = 'arn:aws:wafv2:us-east-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555';
const MILLIS = 1_576_280_412_771;

/** A record with everything that the text of a case does not say. */
const record = (id: string): string =>
  `{"timestamp":${MILLIS},"formatVersion":1,"webaclId":"w","httpRequest":{"requestId":"${id}"}}`;
const A = record('A');
const B = record('B');
const CLOUDTRAIL = '{"eventVersion":"1.08","eventName":"PutLoggingConfiguration","webaclId":"w","httpRequest":{}}';

/** Request ids of the rows and `reason<text>` of the rejects, in the order of the file. */
function outline({ rows, rejects }: Decoded): string {
  return [
    ...rows.map((row) => [Number(row['record_no']), String(row['request_id'] ?? '?')] as const),
    ...rejects.map(({ recordNo, reason, text }) => [recordNo, `${reason}<${text}>`] as const),
  ]
    .sort(([one], [other]) => one - other)
    .map(([, text]) => text)
    .join(' ');
}

interface FrameCase {
  readonly title: string;
  readonly content: string;
  readonly outline: string;
  readonly kind: Decoded['kind'];
}

const FRAMES: readonly FrameCase[] = [
  { title: 'one record a line', content: `${A}\n${B}\n`, outline: 'A B', kind: 'log' },
  { title: 'records with nothing between them, as Firehose writes them', content: A + B, outline: 'A B', kind: 'log' },
  { title: 'a list', content: `[${A},${B}]`, outline: 'A B', kind: 'log' },
  { title: 'a single record', content: A, outline: 'A', kind: 'log' },
  {
    title: 'pretty-printed records',
    content: [A, B].map((text) => JSON.stringify(JSON.parse(text), null, 2)).join('\n'),
    outline: 'A B',
    kind: 'log',
  },
  { title: 'a byte order mark', content: `\ufeff${A}`, outline: 'A', kind: 'log' },
  { title: 'an empty list', content: '[]', outline: '', kind: 'empty' },
  { title: 'no byte', content: '', outline: 'empty-file<>', kind: 'empty' },
  { title: 'text', content: 'no log {}', outline: 'not-waf<no log {}>', kind: 'other' },
  {
    title: 'a log of CloudTrail',
    content: '{"Records":[{"eventVersion":"1.08","eventName":"N"}]}',
    outline: 'not-waf<{"Records":[{"eventVersion":"1.08","eventName":"N"}]}>',
    kind: 'other',
  },
  {
    title: 'lines of another log',
    content: '{"timestamp":1,"httpRequest":{}}\n{"timestamp":2}\n',
    outline: 'not-waf<{"timestamp":1,"httpRequest":{}}\n{"timestamp":2}\n>',
    kind: 'other',
  },
  {
    title: 'a record of CloudTrail among others',
    content: `${A}\n${CLOUDTRAIL}\n${B}`,
    outline: `A not-waf-record<${CLOUDTRAIL}> B`,
    kind: 'log',
  },
  {
    title: 'objects that lack a key of a record',
    content: `{"webaclId":"w"}\n${A}\n{"httpRequest":{}}`,
    outline: 'not-waf-record<{"webaclId":"w"}> A not-waf-record<{"httpRequest":{}}>',
    kind: 'log',
  },
  {
    title: 'a broken line',
    content: `${A}\n{"timestamp":1,"webaclId":"w","httpRequest":{"uri":"/a\n${B}\n`,
    outline: 'A json-invalid<{"timestamp":1,"webaclId":"w","httpRequest":{"uri":"/a> B',
    kind: 'log',
  },
  {
    title: 'bytes lost before a record that follows at once',
    content: `${A}{"timestamp":1,"webaclId":"w","httpRequest":{"uri":"/${B}`,
    outline: 'A json-invalid<{"timestamp":1,"webaclId":"w","httpRequest":{"uri":"/> B',
    kind: 'log',
  },
  {
    title: 'a file that was cut',
    content: `${A}\n{"timestamp":1,"webac`,
    outline: 'A truncated<{"timestamp":1,"webac>',
    kind: 'log',
  },
];

describe('framing', () => {
  for (const { title, content, outline: expected, kind } of FRAMES) {
    it(`reads ${title}`, async () => {
      const decoded = await decodeWaf(content);
      expect({ outline: outline(decoded), kind: decoded.kind }).toEqual({ outline: expected, kind });
      expect(decoded.recordsIn).toBe(decoded.rows.length + decoded.rejects.length);
    });
  }

  test('every case gives the same rows and rejects however it is sliced', async () => {
    const decoder = await decoderOf(LIMITS, wafFormat);
    for (const { title, content } of FRAMES) {
      const whole = await decodeWaf(content);
      for (const size of [1, 7, 50]) {
        const sliced = decodeSlices(
          decoder,
          slicesOf(Buffer.from(content), () => size),
        );
        expect({ title, size, ...sliced }).toEqual({ title, size, ...whole });
      }
    }
  });
});

interface ValueCase {
  readonly title: string;
  /** Members of a record beside `webaclId`, which is `w`. */
  readonly members: string;
  readonly row: Row;
}

const EMPTY_REQUEST = '"httpRequest":{}';
const timed = (text: string): string => `"timestamp":${text},${EMPTY_REQUEST}`;

const VALUES: readonly ValueCase[] = [
  { title: 'a time in milliseconds', members: timed(String(MILLIS)), row: { event_time: BigInt(MILLIS) * 1000n } },
  { title: 'the first time allowed', members: timed('1356998400000'), row: { event_time: 1_356_998_400_000_000n } },
  ...['1356998399999', '9999999999999', '1576280412771.5', '1.5e12', '"1576280412771"', '-1', '{}', '1e400'].map(
    (text) => ({ title: `no time in ${text}`, members: timed(text), row: { extra: `{"timestamp":${text}}` } }),
  ),
  {
    title: 'whole numbers',
    members: `"responseCodeSent":429,"clientAsn":4294967295,"forwardedAsn":16509,"requestBodySize":9223372036854775807,"requestBodySizeInspectedByWAF":-0,${EMPTY_REQUEST}`,
    row: {
      response_code_sent: 429,
      client_asn: 4_294_967_295,
      forwarded_asn: 16_509,
      request_body_size: Number(9_223_372_036_854_775_807n),
      request_body_size_inspected: 0,
    },
  },
  {
    title: 'what no column of whole numbers can hold in extra',
    members: `"responseCodeSent":2147483648,"clientAsn":16509.0,"forwardedAsn":"16509","requestBodySize":9223372036854775808,"requestBodySizeInspectedByWAF":true,${EMPTY_REQUEST}`,
    row: {
      extra:
        '{"responseCodeSent":2147483648,"clientAsn":16509.0,"forwardedAsn":"16509","requestBodySize":9223372036854775808,"requestBodySizeInspectedByWAF":true}',
    },
  },
  {
    title: 'unknown members of the request in extra, under its name',
    members: '"new":1,"httpRequest":{"uri":"/","port": 443,"tls":{"a":[1]},"args":"","more":null},"newer":2',
    row: { uri: '/', args: '', extra: '{"new":1,"newer":2,"httpRequest":{"port": 443,"tls":{"a":[1]},"more":null}}' },
  },
  {
    title: 'nothing but unknown members of the request',
    members: '"httpRequest":{"port":443}',
    row: { extra: '{"httpRequest":{"port":443}}' },
  },
  {
    title: 'a repeated member of the request, and a repeated request',
    members: '"httpRequest":{"uri":"/a","uri":"/b"},"httpRequest":{"uri":"/c"}',
    row: { uri: '/a', extra: '{"httpRequest":{"uri":"/c"},"httpRequest":{"uri":"/b"}}' },
  },
  { title: 'a request that is none', members: '"httpRequest":["/"]', row: { extra: '{"httpRequest":["/"]}' } },
  { title: 'a request that is null', members: '"httpRequest":null', row: {} },
  {
    title: 'unpaired surrogates in a header',
    members: '"httpRequest":{"headers":[{"name":"x","value":"\\ud800"}],"y":"\\udfff"}',
    row: {
      headers: '[{"name":"x","value":"\\ufffd"}]',
      extra: '{"httpRequest":{"y":"\\ufffd"},"trailhound_rewritten":"lone surrogate"}',
    },
  },
];

describe('values', () => {
  for (const { title, members, row } of VALUES) {
    it(`takes ${title}`, async () => {
      const { rows, rejects } = await decodeWaf(`{"webaclId":"w",${members}}`);
      expect(rejects).toEqual([]);
      const [actual = {}] = rows;
      const own = { log_file: LOG_FILE, record_no: 0, web_acl_id: 'w' };
      expect(without(actual, 'event_day', 'identity', 'has_identity')).toEqual({ ...row, ...own });
    });
  }

  /** Each field of https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html, with values as its examples have them. */
  it('puts each documented field into its column', async () => {
    const text = `{"timestamp":${MILLIS},"formatVersion":1,"webaclId":"${ARN}","terminatingRuleId":"RateBasedRule","terminatingRuleType":"RATE_BASED","action":"BLOCK",
      "terminatingRuleMatchDetails":[{"conditionType":"SQL_INJECTION","sensitivityLevel":"HIGH","location":"HEADER","matchedData":["10","AND","1"]}],
      "httpSourceName":"ALB","httpSourceId":"111122223333-app/shop/1a2b","cfDistributionTenantId":"dt_1",
      "ruleGroupList":[{"ruleGroupId":"AWS#AWSManagedRulesCommonRuleSet","terminatingRule":null,"nonTerminatingMatchingRules":[],"excludedRules":null,"customerConfig":null}],
      "rateBasedRuleList":[{"rateBasedRuleId":"r","rateBasedRuleName":"RateBasedRule","limitKey":"CUSTOMKEYS","maxRateAllowed":100,"evaluationWindowSec":"120","customValues":[{"key":"HEADER","name":"hoppy","value":"ella"}]}],
      "nonTerminatingMatchingRules":[{"ruleId":"count","action":"COUNT","ruleMatchDetails":[]}],
      "requestHeadersInserted":[{"name":"x-amzn-waf-x","value":"1"}],"responseCodeSent":429,
      "httpRequest":{"clientIp":"203.0.113.7","country":"FR","headers":[{"name":"Host","value":"example.com"}],"uri":"/CanaryTest","args":"a=b","httpVersion":"HTTP/1.1","httpMethod":"GET","requestId":"Ed0AiHF_CGYF-DA=","fragment":"section2","scheme":"https","host":"example.com"},
      "labels":[{"name":"awswaf:clientip:geo:country:FR"}],"captchaResponse":{"responseCode":405,"failureReason":"TOKEN_MISSING"},"challengeResponse":{"responseCode":0,"solveTimestamp":1665000000},
      "ja3Fingerprint":"b32309a26951912be7dba376398abc3b","ja4Fingerprint":"t13d1516h2_8daaf6152771_e5627efa2ab1","clientAsn":16509,"forwardedAsn":64500,
      "oversizeFields":["REQUEST_BODY"],"requestBodySize":70000,"requestBodySizeInspectedByWAF":8192}`;
    const { rows } = await decodeWaf(text);
    expect(rows.map((row) => without(row, 'event_day', 'identity', 'has_identity'))).toEqual([
      {
        log_file: LOG_FILE,
        record_no: 0,
        event_time: BigInt(MILLIS) * 1000n,
        format_version: '1',
        web_acl_id: ARN,
        terminating_rule_id: 'RateBasedRule',
        terminating_rule_type: 'RATE_BASED',
        action: 'BLOCK',
        terminating_rule_match_details:
          '[{"conditionType":"SQL_INJECTION","sensitivityLevel":"HIGH","location":"HEADER","matchedData":["10","AND","1"]}]',
        http_source_name: 'ALB',
        http_source_id: '111122223333-app/shop/1a2b',
        cf_distribution_tenant_id: 'dt_1',
        rule_group_list:
          '[{"ruleGroupId":"AWS#AWSManagedRulesCommonRuleSet","terminatingRule":null,"nonTerminatingMatchingRules":[],"excludedRules":null,"customerConfig":null}]',
        rate_based_rule_list:
          '[{"rateBasedRuleId":"r","rateBasedRuleName":"RateBasedRule","limitKey":"CUSTOMKEYS","maxRateAllowed":100,"evaluationWindowSec":"120","customValues":[{"key":"HEADER","name":"hoppy","value":"ella"}]}]',
        non_terminating_matching_rules: '[{"ruleId":"count","action":"COUNT","ruleMatchDetails":[]}]',
        request_headers_inserted: '[{"name":"x-amzn-waf-x","value":"1"}]',
        response_code_sent: 429,
        client_ip: '203.0.113.7',
        country: 'FR',
        headers: '[{"name":"Host","value":"example.com"}]',
        uri: '/CanaryTest',
        args: 'a=b',
        http_version: 'HTTP/1.1',
        http_method: 'GET',
        request_id: 'Ed0AiHF_CGYF-DA=',
        fragment: 'section2',
        scheme: 'https',
        host: 'example.com',
        label_list: '[{"name":"awswaf:clientip:geo:country:FR"}]',
        captcha_response: '{"responseCode":405,"failureReason":"TOKEN_MISSING"}',
        challenge_response: '{"responseCode":0,"solveTimestamp":1665000000}',
        ja3_fingerprint: 'b32309a26951912be7dba376398abc3b',
        ja4_fingerprint: 't13d1516h2_8daaf6152771_e5627efa2ab1',
        client_asn: 16_509,
        forwarded_asn: 64_500,
        oversize_field_list: '["REQUEST_BODY"]',
        request_body_size: 70_000,
        request_body_size_inspected: 8192,
      },
    ]);
  });

  it('gives real records the values that JSON.parse gives', async () => {
    const content = readFileSync(new URL('fixtures/waf.ndjson', import.meta.url), 'utf8');
    const lines = content.trim().split('\n');
    const { rows, rejects } = await decodeWaf(content);
    expect({ rows: rows.length, rejects }).toEqual({ rows: 5, rejects: [] });
    for (const [index, { extra, ...row }] of rows.entries()) {
      const expected = wafOracle.expectedRow(lines[index] ?? '', index);
      expect(row).toEqual(expected.row);
      expect(extra === undefined ? [] : membersOf(String(extra))).toEqual(expected.extra);
    }
  });
});

describe('identity', () => {
  const of = async (...texts: readonly string[]): Promise<readonly unknown[]> =>
    (await decodeWaf(texts.join('\n'))).rows.map((row) => [row['has_identity'], String(row['identity'])]);

  it('is absent without a request id', async () => {
    const texts = ['{}', '{"requestId":null}', '{"requestId":""}'].map(
      (request) => `{"webaclId":"w","httpRequest":${request}}`,
    );
    const flags = (await decodeWaf(texts.join('\n'))).rows.map((row) => row['has_identity']);
    expect(flags).toEqual([false, false, false]);
  });

  it('is that of a record delivered twice', async () => {
    const [one, other] = await of(A, A);
    expect(other).toEqual(one);
  });

  it.each([
    ['the request id', '"requestId":"A"', '"requestId":"C"', 'id'],
    ['the time', `"timestamp":${MILLIS}`, `"timestamp":${MILLIS + 1}`, 'id'],
    ['the web ACL', '"webaclId":"w"', '"webaclId":"v"', 'id'],
    ['the protected resource', '"formatVersion":1', '"httpSourceId":"r"', 'id'],
    ['the address', '"requestId":"A"', '"requestId":"A","clientIp":"192.0.2.1"', 'facts'],
    ['the action', '"formatVersion":1', '"action":"BLOCK"', 'facts'],
  ])('tells records apart by %s', async (_, from, to, part) => {
    const [one = [], other = []] = (await of(A, A.replace(from, to))) as readonly (readonly string[])[];
    const idOf = (identity = ''): string => identity.slice(0, 32);
    const factsOf = (identity = ''): string => identity.slice(32);
    expect({ id: idOf(one[1]) === idOf(other[1]), facts: factsOf(one[1]) === factsOf(other[1]) }).toEqual({
      id: part === 'facts',
      facts: part === 'id',
    });
  });
});

describe('sniff', () => {
  const KEY =
    'AWSLogs/111122223333/WAFLogs/us-east-1/shop/2026/01/01/00/05/111122223333_waflogs_us-east-1_shop_20260101T0005Z_a1b2c3d4.log.gz';
  const CASES: readonly [string, string, string, 'content' | 'key' | null][] = [
    ['a record', A, 'x', 'content'],
    ['the head of a record', A.slice(0, 60), 'x', 'content'],
    ['a list after a byte order mark', `\ufeff[${A}]`, 'x', 'content'],
    ['a log of CloudTrail under the key of a WAF log', '{"Records":[{"eventVersion":"1.08"', KEY, 'key'],
    ['nothing, under the key of a log file', '', KEY, 'key'],
    ['nothing, in the bucket of a web ACL', '', 's3://aws-waf-logs-shop/x.gz', 'key'],
    ['nothing, from a stream of a web ACL', '', 'waf/2026/01/01/00/aws-waf-logs-shop-1-2026-01-01-00-05-00-x', 'key'],
    ['nothing, under another key', '', 'AWSLogs/1/CloudTrail/x.gz', null],
    ['text that names a web ACL', 'log "webaclId": x', 'x', null],
  ];
  it.each(CASES)('judges %s', (_, head, key, expected) => {
    expect(wafFormat.sniff(Buffer.from(head), key)).toBe(expected);
  });
});
