/** What a webhook sends: its headers, its signature, and a body of one's own. */
import { createHmac } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { checkSinkOptions } from '../../src/sinks/open.ts';
import { type HttpPeer, startHttpPeer } from '../support/http-peer.ts';
import { ALERT, alertMessage, plainMessage, REPORT } from '../support/messages.ts';
import { open, outcome, tempDir } from '../support/sinks.ts';

let peer: HttpPeer;
beforeAll(async () => {
  peer = await startHttpPeer();
});
afterAll(() => peer.close());
afterEach(() => {
  peer.received.length = 0;
});

async function sent(options: object, message = alertMessage()) {
  const sink = await open('webhook', { url: `${peer.url}/hook`, allow_private: true, ...options });
  expect(await outcome(sink, message)).toBe('taken');
  const [request] = peer.received.splice(0);
  if (request === undefined) throw new Error('nothing was sent');
  return request;
}

test('the message as JSON, with its key', async () => {
  process.env['TRAILHOUND_TEST_AUTH'] = 'Splunk 00000000-1111';
  const options = { method: 'PUT', headers: { 'X-Team': 'soc', Authorization: 'env:TRAILHOUND_TEST_AUTH' } };
  const { method, url, headers, body } = await sent(options);
  expect([
    method,
    url,
    headers['content-type'],
    headers['idempotency-key'],
    headers['x-team'],
    headers.authorization,
  ]).toEqual(['PUT', '/hook', 'application/json', `${ALERT.id}-1`, 'soc', 'Splunk 00000000-1111']);
  expect(JSON.parse(body)).toEqual({
    schema: 1,
    key: `${ALERT.id}-1`,
    kind: 'alert',
    change: 'new',
    severity: 'critical',
    title: ALERT.title,
    text: ALERT.summary,
    at: '2026-03-02T10:10:00Z',
    alerts: [ALERT],
    alerts_total: 1,
    table: null,
  });
});

test('a secret that is not there is told before anything is sent', async () => {
  const opening = open('webhook', {
    url: peer.url,
    allow_private: true,
    headers: { Authorization: 'env:TRAILHOUND_TEST_NONE' },
  });
  await expect(opening).rejects.toMatchObject({
    code: 'config-invalid',
    message: 'the variable TRAILHOUND_TEST_NONE of the environment is not set',
  });
});

test('the signature covers the time and the body', async () => {
  const dir = tempDir();
  writeFileSync(join(dir, 'key'), 'a shared secret\n');
  const { headers, body } = await sent({ secret: `file:${join(dir, 'key')}` });
  const [, at = '', signature] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-trailhound-signature'])) ?? [];
  expect(signature).toBe(createHmac('sha256', 'a shared secret').update(`${at}.${body}`).digest('hex'));
  expect(Math.abs(Number(at) * 1000 - Date.now())).toBeLessThan(10_000);
});

describe('a body of one’s own', () => {
  test.each([
    [
      'a mapping',
      {
        t: '{{alert.title}}: {{ severity }}',
        n: '{{alert.count}}',
        of: ['{{alert.source_ips}}'],
        none: '{{alert.nothing}}',
        who: '{{alert.subject.principal}}',
      },
    ],
    [
      'JSON as text',
      '{"t":"{{alert.title}}: {{ severity }}","n":"{{alert.count}}","of":["{{alert.source_ips}}"],"none":"{{alert.nothing}}","who":"{{alert.subject.principal}}"}',
    ],
  ])('%s: values are values, whatever is in them', async (_name, body) => {
    const title = '","admin":true,"x":"\n{{alert.id}}\u0000';
    const { headers, body: got } = await sent({ body }, alertMessage({ title }));
    expect(headers['content-type']).toBe('application/json');
    expect(JSON.parse(got)).toEqual({
      t: `${title}: critical`,
      n: 3,
      of: [ALERT.source_ips],
      none: null,
      who: ALERT.principal_arn,
    });
  });

  test('text: one line for a value', async () => {
    const { headers, body } = await sent(
      { body: 'alert: {{alert.title}} {{alerts_total}} {{kind}}' },
      alertMessage({ title: 'a\nb\u001b[1m' }),
    );
    expect([headers['content-type'], body]).toEqual(['text/plain; charset=utf-8', 'alert: a\\nb\\x1b[1m 1 alert']);
  });

  test('a message without an alert leaves its placeholders empty', async () => {
    expect((await sent({ body: 'x{{alert.title}}x {{title}}' }, plainMessage('test'))).body).toBe('xx a test');
  });

  test('nothing of a prototype is a value', async () => {
    expect((await sent({ body: { a: '{{alert.constructor.name}}', b: '{{alert.__proto__}}' } })).body).toBe(
      '{"a":null,"b":null}',
    );
  });
});

test('a report has its table', async () => {
  expect(JSON.parse((await sent({}, REPORT)).body)).toMatchObject({
    kind: 'report',
    table: {
      total: 5,
      rows: [
        ['dora', 12],
        [expect.any(String), -3],
      ],
    },
  });
});

test('render shows no secret', async () => {
  process.env['TRAILHOUND_TEST_HOOK'] = `${peer.url}/secret-path`;
  process.env['TRAILHOUND_TEST_KEY'] = 'secret-key';
  const sink = await open('webhook', {
    url: 'env:TRAILHOUND_TEST_HOOK',
    secret: 'env:TRAILHOUND_TEST_KEY',
    allow_private: true,
  });
  const text = sink.render(alertMessage());
  expect(text).toContain('POST env:TRAILHOUND_TEST_HOOK\n');
  expect(text).not.toMatch(/secret-path|secret-key/);
});

test.each([
  [{}, 'url: missing'],
  [{ url: 'http://example.com' }, 'url: expected an https:// URL, or env:NAME or file:path'],
  [
    { url: 'https://u:p@example.com' },
    'url: expected an https:// URL without a user and a password in it, or env:NAME or file:path',
  ],
  [
    { url: 'https://example.com', secret: 'hunter2' },
    'secret: expected env:NAME or file:path: the secret itself does not stand in a config',
  ],
  [
    { url: 'https://example.com', secrets: 'env:A' },
    'secrets: unknown key: expected one of url, method, headers, secret, body, timeout, allow_private, ca',
  ],
  [{ url: 'https://example.com', method: 'GET' }, "method: expected 'POST', 'PUT' or 'PATCH'"],
  [
    { url: 'https://example.com', timeout: 'soon' },
    "timeout: cannot read the span 'soon': expected a number and a unit, such as 30m, 12h, 7d or 2w",
  ],
  [{ url: 'https://example.com', timeout: '2h' }, 'timeout: expected a span from 1s to 10m'],
  [{ url: 'https://example.com', headers: { 'a b': 'x' } }, 'headers.a b: expected the name of a header'],
  [
    { url: 'https://example.com', headers: { Host: 'x' } },
    'headers.Host: expected another header: this one is set by the request itself',
  ],
  [{ url: 'https://example.com', headers: { a: 'x\r\ny' } }, 'headers.a: expected printable ASCII'],
  [
    { url: 'https://example.com', body: '{"a":{{alert.count}}}' },
    'body: expected a text, a mapping or a list; a text that begins with { or [ must be JSON, with placeholders within its texts',
  ],
  [
    { url: 'https://example.com', body: 'x {{alrt.title}}' },
    'body: expected placeholders such as {{alert.title}} that begin with one of key, kind, change, severity, title, text, at, alert, alerts, alerts_total, table',
  ],
  [{ url: 'https://example.com', body: { '{{title}}': 1 } }, 'body: expected placeholders in values, not in names'],
  [
    { url: 'https://example.com', body: 7 },
    'body: expected a text, a mapping or a list; a text that begins with { or [ must be JSON, with placeholders within its texts',
  ],
])('%j is refused', (options, problem) => {
  expect(checkSinkOptions('webhook', options).map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual([
    problem,
  ]);
});
