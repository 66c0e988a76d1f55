/** What is masked, what is left, and that hostile text costs no more than its length. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createMask, defaultMask } from '../src/secrets.ts';

const KEY = 'AKIAIOSFODNN7EXAMPLE';
const TOKEN = `IQoJb3JpZ2luX2VjE${'aB3/+'.repeat(40)}=`;

describe('masked', () => {
  test.each([
    [
      'a presigned URL',
      `GET /b/k?X-Amz-Credential=${KEY}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=5ec3e7&X-Amz-Security-Token=5ec%2B3e7 HTTP/1.1`,
      'GET /b/k?X-Amz-Credential=AKIA****&X-Amz-Signature=****&X-Amz-Security-Token=**** HTTP/1.1',
    ],
    [
      'one of SigV2',
      '/k?AWSAccessKeyId=AKIA&Signature=5ec%3D&Expires=1',
      '/k?AWSAccessKeyId=AKIA&Signature=****&Expires=1',
    ],
    ['a URL inside of one', 'u=b%3Fx-amz-signature%3D5ec%26n%3D1&v=2', 'u=b%3Fx-amz-signature%3D****%26n%3D1&v=2'],
    [
      'a key that is encoded twice',
      'b%253Fx%252Damz%252Dsignature%253D5ec%2526n',
      'b%253Fx%252Damz%252Dsignature%253D****%2526n',
    ],
    [
      'credentials of a call',
      '{"credentials":{"accessKeyId":"ASIA1","sessionToken":"5e\\"c","secretAccessKey" : "5ec\\\\"},"x":"y"}',
      '{"credentials":{"accessKeyId":"ASIA1","sessionToken":"****","secretAccessKey" : "****"},"x":"y"}',
    ],
    [
      'JSON in JSON',
      '"{\\"sessionToken\\":\\"5\\\\\\"ec\\",\\"b\\":1}"',
      '"{\\"sessionToken\\":\\"****\\",\\"b\\":1}"',
    ],
    ['a record that breaks off', '{"masterUserPassword":"5ec', '{"masterUserPassword":"****'],
    ['XML', '<SessionToken>5ec</SessionToken><Expiration>', '<SessionToken>****</SessionToken><Expiration>'],
    ['lists', '{"Cookie":["a]=5ec",{"b":"5ec"}],"x":1}', '{"Cookie":[****],"x":1}'],
    [
      'headers of AWS WAF',
      '[{"name":"Host","value":"h"},{"name" : "cookie", "value":"a=5ec; b=\\"5ec\\""},{"name":"X-Api-Key","value":"5ec"}]',
      '[{"name":"Host","value":"h"},{"name" : "cookie", "value":"****"},{"name":"X-Api-Key","value":"****"}]',
    ],
    ['a header to the end of its line', 'Set-Cookie: a=5ec; b="5ec"\r\nHost: h', 'Set-Cookie: ****\r\nHost: h'],
    [
      'a header in a value',
      '{"error":"bad\\nAuthorization: AWS AKIA:5ec=","x":1}',
      '{"error":"bad\\nAuthorization: AWS ****","x":1}',
    ],
    [
      'a signature of version 4',
      `Authorization: AWS4-HMAC-SHA256 Credential=${KEY}/20260101/x, SignedHeaders=host, Signature=5ec`,
      'Authorization: AWS4-HMAC-SHA256 ****',
    ],
    [
      'the same without its header',
      `Credential=${KEY}/x, SignedHeaders=host, Signature=5ec`,
      'Credential=AKIA****, SignedHeaders=host, Signature=****',
    ],
    ['a session token without a name', `k/${TOKEN}.gz token ${TOKEN}`, `k/${TOKEN}.gz token ****`],
    ['a JSON web token', 'id eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.5ec', 'id ****'],
    ['what stands behind a scheme', 'tried Bearer abcdefghijklmnop.5ec, failed', 'tried Bearer ****, failed'],
  ])('%s', (_, text, masked) => {
    expect(defaultMask.text(text)).toBe(masked);
    expect(defaultMask.text(masked)).toBe(masked);
  });

  test('values by the name of their column, path or key', () => {
    expect(defaultMask.named('response_elements.credentials.sessionToken', '5ec')).toBe('****');
    expect(defaultMask.named('user_agent', 'curl/8')).toBe('curl/8');
    expect(
      defaultMask.value({
        id: 'x',
        count: 2n,
        subject: { 'request_parameters.password': '5ec', at: [{ cookie: ['5ec'] }] },
      }),
    ).toEqual({ id: 'x', count: 2n, subject: { 'request_parameters.password': '****', at: [{ cookie: ['****'] }] } });
  });

  test('further names, whole ones only', () => {
    const mask = createMask(['x-tenant-pin', 'pin']);
    expect(mask.text('x-tenant-pin: 123 spin=4&pin=5\\npin=6 %26pin%3D7')).toBe(
      'x-tenant-pin: **** spin=4&pin=****\\npin=**** %26pin%3D****',
    );
    expect(mask.named('headers.x-tenant-pin', '1')).toBe('****');
    expect(mask.named('spin', '1')).toBe('1');
  });
});

describe('left as it is', () => {
  test.each([
    '{"eventName":"GetSessionToken","eventSource":"sts.amazonaws.com"}',
    '{"passwordLastUsed":"2026-01-01","sessionTokens":"x","password":null,"newPassword":"HIDDEN_DUE_TO_SECURITY_REASONS"}',
    'arn:aws:iam::111122223333:user/x called UpdateLoginProfile: the password policy, secrets and tokens',
    'nextToken=abc&clientToken=def',
    '{"accessKeyId":"AKIAIOSFODNN7EXAMPLE","digestSignature":"0a1b"}',
    'arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-a1b2c3',
  ])('%s', (text) => {
    expect(defaultMask.text(text)).toBe(text);
  });
});

test('a planted secret never stays, whatever stands around it', () => {
  const noise = fc.array(
    fc.constantFrom(
      '"',
      '\\',
      '\\"',
      '\\\\',
      ':',
      '=',
      ',',
      ' ',
      '{',
      '[',
      '}',
      ']',
      '&',
      '%22',
      '\n',
      'cookie',
      'x',
      '<',
      '>',
      "'",
    ),
    { maxLength: 12 },
  );
  const planted = fc.constantFrom(
    '"sessionToken":"5ecret"',
    '\\"secretAccessKey\\":\\"5ecret\\"',
    '&X-Amz-Signature=5ecret&',
    '\nCookie: a=5ecret\n',
    '{"name":"authorization","value":"5ecret"}',
  );
  fc.assert(
    fc.property(noise, planted, noise, (before, secret, after) => {
      const masked = defaultMask.text(`${before.join('')} ${secret}${after.join('')}`);
      expect(masked).not.toContain('5ecret');
    }),
    { numRuns: 2000 },
  );
});

/** 2 MB took under 0.2 s; quadratic, they would take minutes. */
const LENGTH = 2_000_000;
const LIMIT_MS = 5000;

test.each([
  'cookie',
  'cookie:[',
  'cookie:"\\',
  'cookie:\\"',
  '[cookie:{',
  'cookie","value":"',
  'token=',
  'password=,',
  'cookie   ',
  '"',
  '\\',
  '%25',
  'cookie%25',
  'eyJ',
  'eyJaaaaaaaaa.',
  'IQoJ',
  'Bearer ',
  "'",
  'Authorization: ',
  '<sessionToken>',
])('hostile text costs no more than its length: %s', (piece) => {
  const text = piece.repeat(LENGTH / piece.length);
  const started = performance.now();
  defaultMask.text(text);
  expect(performance.now() - started).toBeLessThan(LIMIT_MS);
});
