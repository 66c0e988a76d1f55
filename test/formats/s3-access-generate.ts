/** S3 access lines for property tests: real shapes, hostile texts in what clients write, and bytes that were lines. */
import fc from 'fast-check';

const OWNER = '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be';

/** A record that is in order. */
export const NEIGHBOUR = `${OWNER} b [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - ID REST.GET.OBJECT k "GET /b/k" 200 - - - - - "-" "n" -`;

/** Texts that look like what surrounds them. */
const HOSTILE = [
  '"',
  '" "',
  '" ',
  ' "',
  '\\"',
  '\\',
  '-',
  '"-"',
  ' - ',
  '" - ',
  '[',
  '" 200 - 113 - 7 - "',
  '" 403 AccessDenied 243 - 8 - "-" "x" -',
  '" - aGk= SigV4 ECDHE AuthHeader h TLSv1.2 - - us-east-1',
  '" - aGk= SigV4 ECDHE AuthHeader h TLSv1.2 - - us-east-1 "',
  ' - aGk= SigV4 ECDHE AuthHeader h TLSv1.2 - -',
  'é😀',
  '%2522',
  '\u0001',
  '\t',
];
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ maxLength: 6 })), { maxLength: 6 })
  .map((parts) => parts.join('').replaceAll(/[\n\r\0]/g, '_'));
const word = (...usual: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: hostile });
const count = fc.oneof(
  fc.constantFrom('-', '0', '113', '4406583', '*', '-5', '999999999999999999', '9999999999999999999'),
  fc.nat().map(String),
);
const quoted = (text: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ weight: 1, arbitrary: fc.constant('-') }, { weight: 9, arbitrary: text.map((inner) => `"${inner}"`) });

/** What clients cannot write, each field by itself. */
export const BEFORE_URI = [
  fc.constantFrom(OWNER, 'owner', '-'),
  fc.constantFrom('amzn-s3-demo-bucket1', 'b'),
  fc.constantFrom(
    '[06/Feb/2019:00:00:38 +0000]',
    '[29/Feb/2024:23:59:59 -0130]',
    '[30/Feb/2024:00:00:00 +0000]',
    '[01/Jan/2005:00:00:00 +0000]',
    '[]',
    '[-]',
    '[never]',
  ),
  fc.constantFrom('192.0.2.3', '2001:db8::1', '-'),
  fc.constantFrom(OWNER, '-', 'arn:aws:sts::123456789012:assumed-role/role/session', 'AmazonS3', 'Anonymous'),
  fc.constantFrom('3E57427F3EXAMPLE', '-'),
  fc.constantFrom('REST.GET.OBJECT', 'BATCH.DELETE.OBJECT', 'S3.EXPIRE.OBJECT', 'REST.COPY.OBJECT_GET'),
  fc.constantFrom('-', 'photos/2019/08/puppy.jpg', 'a%2520b', '%25C3%25A9', 'é', '*', '"'),
] as const;
export const STATUS_TO_TIMES = [
  fc.constantFrom('200', '403', '-', '*'),
  fc.constantFrom('-', 'AccessDenied'),
  count,
  count,
  count,
  count,
] as const;
export const AFTER_AGENT = [
  fc.constantFrom('-', '3HL4kqtJvjVBH40Nrjfkd'),
  fc.constantFrom('s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234=', '-'),
  fc.constantFrom('SigV4', 'SigV2', '-'),
  fc.constantFrom('ECDHE-RSA-AES128-GCM-SHA256', '-'),
  fc.constantFrom('AuthHeader', 'QueryString', '-'),
  fc.constantFrom('amzn-s3-demo-bucket1.s3.us-west-1.amazonaws.com', '-'),
  fc.constantFrom('TLSv1.2', 'TLSV1.1', '-'),
  fc.constantFrom('-', 'arn:aws:s3:us-west-1:123456789012:accesspoint/example-AP'),
  fc.constantFrom('-', 'Yes'),
  fc.constantFrom('-', 'us-east-1'),
] as const;

/** A line of any generation, whose client's texts are hostile, and sometimes others too. */
export const line: fc.Arbitrary<string> = fc
  .tuple(
    fc.tuple(...BEFORE_URI),
    quoted(word('GET /b?versioning HTTP/1.1', 'GET /" HTTP/1.1', 'PUT /b/a%20b')),
    fc.tuple(...STATUS_TO_TIMES),
    quoted(word('-', 'https://example.com/"q"', '')),
    quoted(word('-', 'S3Console/0.4', 'aws-cli/2.33.2 md/awscrt#0.29.1 ua/2.1')),
    fc.tuple(...AFTER_AGENT),
    fc.nat(AFTER_AGENT.length),
    fc.oneof({ weight: 4, arbitrary: fc.constant('') }, { weight: 1, arbitrary: hostile.map((text) => ` ${text}`) }),
    fc.constantFrom('', '', '', ' ', '\r'),
  )
  .map(([before, uri, status, referrer, agent, after, fields, further, end]) =>
    [...before, uri, ...status, referrer, agent, ...after.slice(0, fields)].join(' ').concat(further, end),
  );

/** Texts of clients whose true ends can be told: a URI has no spaces of its own, a referrer nothing that looks like the border after it. */
export const uriText: fc.Arbitrary<string> = hostile.map((text) => `GET /${text.replaceAll(' ', '+')} HTTP/1.1`);
export const agentText: fc.Arbitrary<string> = hostile;
export const referrerText: fc.Arbitrary<string> = hostile.filter((text) => !`${text}"`.includes('" "'));
