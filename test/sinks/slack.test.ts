/** Slack by webhook and by token, against a server that answers as Slack does. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { checkSinkOptions } from '../../src/sinks/open.ts';
import { type HttpPeer, startHttpPeer } from '../support/http-peer.ts';
import { ALERT, alertMessage, REPORT } from '../support/messages.ts';
import { open, outcome } from '../support/sinks.ts';

let peer: HttpPeer;
beforeAll(async () => {
  peer = await startHttpPeer();
  process.env['TRAILHOUND_TEST_SLACK'] = `${peer.url}/services/T0/B0/secret`;
  process.env['TRAILHOUND_TEST_TOKEN'] = 'xoxb-very-secret';
});
afterAll(() => peer.close());
afterEach(() => {
  peer.received.length = 0;
  peer.answer = (response) => response.end('ok');
});

const byWebhook = () => open('slack', { webhook: 'env:TRAILHOUND_TEST_SLACK', allow_private: true });
const byToken = () =>
  open('slack', {
    token: 'env:TRAILHOUND_TEST_TOKEN',
    channel: 'C123',
    endpoint: `${peer.url}/api/`,
    allow_private: true,
  });
const says = (answer: object) => {
  peer.answer = (response) => response.end(JSON.stringify(answer));
};
const posted = () => peer.received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
const signal = new AbortController().signal;

test('by webhook: blocks of plain text, and a line for the notification', async () => {
  expect(
    await (await byWebhook()).deliver(alertMessage({ title: '<!channel> *now* & https://evil.example' }), signal),
  ).toBe(null);
  expect(peer.received[0]?.url).toBe('/services/T0/B0/secret');
  const [payload] = posted();
  expect(payload).toMatchObject({ mrkdwn: false, parse: 'none', link_names: false, unfurl_links: false });
  expect(payload?.['text']).not.toMatch(/[<>*]\w|@\w|:\/\//);
  expect(payload?.['blocks']).toEqual([
    {
      type: 'header',
      text: { type: 'plain_text', text: 'critical: <!channel> *now* & https://evil.example', emoji: false },
    },
    {
      type: 'rich_text',
      elements: [
        {
          type: 'rich_text_section',
          elements: [
            ['Severity', 'critical'],
            ['Time', '2026-03-02T10:00:00Z to 2026-03-02T10:05:00.250Z'],
            ['Who', 'user/dora 111122223333'],
            ['What', ALERT.summary],
            ['Where from', '198.51.100.7 +1 eu-central-1'],
            ['Account', '111122223333'],
            ['Events', '3'],
            ['Detector', 'trail-logging-stopped'],
            ['Alert', ALERT.id],
          ].flatMap(([name, value]) => [
            { type: 'text', text: `${name}: `, style: { bold: true } },
            { type: 'text', text: `${value}\n` },
          ]),
        },
      ],
    },
    {
      type: 'rich_text',
      elements: [
        { type: 'rich_text_section', elements: [{ type: 'text', text: `trailhound alerts show ${ALERT.id}` }] },
      ],
    },
  ]);
});

test('by token: one thread for an alert', async () => {
  says({ ok: true, channel: 'C123', ts: '1700000000.000100' });
  const sink = await byToken();
  const reference = await sink.deliver(alertMessage(), signal);
  expect(reference).toBe('C123:1700000000.000100');
  says({ ok: true, channel: 'C123', ts: '1700000000.000200' });
  expect(await sink.deliver(alertMessage({ status: 'closed' }, { change: 'closed', reference }), signal)).toBe(
    reference,
  );
  expect(peer.received.map(({ url, headers }) => [url, headers.authorization])).toEqual(
    [1, 2].map(() => ['/api/chat.postMessage', 'Bearer xoxb-very-secret']),
  );
  expect(posted().map(({ channel, thread_ts }) => [channel, thread_ts])).toEqual([
    ['C123', undefined],
    ['C123', '1700000000.000100'],
  ]);
});

describe('what Slack refuses', () => {
  test.each([
    ['invalid_blocks', 'message'],
    ['msg_too_long', 'message'],
    ['invalid_auth', 'sink'],
    ['channel_not_found', 'sink'],
    ['not_in_channel', 'sink'],
    ['is_archived', 'sink'],
    ['ratelimited', 'sink'],
  ])('%s is about the %s', async (error, about) => {
    says({ ok: false, error });
    expect(await outcome(await byToken(), alertMessage())).toBe(`${about}: cannot post to Slack: ${error}`);
  });

  test('a page instead of JSON', async () => {
    peer.answer = (response) => response.end('<html>maintenance</html>');
    expect(await outcome(await byToken(), alertMessage())).toBe(
      'sink: cannot post to Slack: the answer is no JSON: <html>maintenance</html>',
    );
  });

  test('too many requests', async () => {
    peer.answer = (response) => response.writeHead(429, { 'retry-after': '30' }).end();
    expect(await outcome(await byToken(), alertMessage())).toMatch(
      /^sink: cannot POST to \S+: status 429 \(after 30000 ms\)$/,
    );
  });

  test('a webhook that was removed', async () => {
    peer.answer = (response) => response.writeHead(404).end('no_service');
    expect(await outcome(await byWebhook(), alertMessage())).toMatch(/^sink: .*status 404: no_service$/);
  });
});

test('many alerts: the first in full, and how many there are', async () => {
  const alerts = Array.from({ length: 20 }, (_, at) => ({
    ...ALERT,
    id: `${at}`.padStart(32, '0'),
    summary: 'x'.repeat(5000),
  }));
  const text = (await byWebhook()).render(alertMessage({}, { kind: 'alerts', change: null, alerts, alertsTotal: 977 }));
  expect(text).toContain('957 more alerts: trailhound alerts list');
  expect(text.length).toBeLessThan(13_000);
});

test('a report is preformatted and cut at a row', async () => {
  const columns = [{ name: 'key', type: 'VARCHAR' }];
  const rows = Array.from({ length: 900 }, (_, at) => [`\`\`\`value ${at}`]);
  const { blocks } = JSON.parse((await byWebhook()).render({ ...REPORT, table: { columns, rows, total: 1000 } })) as {
    blocks: { elements?: { type: string; elements: { text: string }[] }[] }[];
  };
  const text =
    blocks.flatMap(({ elements = [] }) => elements).find(({ type }) => type === 'rich_text_preformatted')?.elements[0]
      ?.text ?? '';
  const lines = text.split('\n');
  expect(text.length).toBeLessThanOrEqual(3000);
  expect([lines[0], lines[1], lines.at(-1)]).toEqual(['key', '```value 0', `${1000 - (lines.length - 2)} more rows`]);
});

test.each([
  [{}, ['webhook: expected either webhook, or token and channel']],
  [{ webhook: 'env:A', token: 'env:B', channel: 'C' }, ['webhook: expected either webhook, or token and channel']],
  [{ token: 'env:B' }, ['channel: expected token and channel together']],
  [
    { webhook: 'https://hooks.slack.com/services/x' },
    ['webhook: expected env:NAME or file:path: the secret itself does not stand in a config'],
  ],
  [{ webhook: 'env:A', endpoint: 'http://slack.example' }, ['endpoint: expected an https:// URL']],
])('%j is refused', (options, problems) => {
  expect(checkSinkOptions('slack', options).map(({ path, message }) => `${path.join('.')}: ${message}`)).toEqual(
    problems,
  );
});

test('a secret URL that is none is refused without being shown', async () => {
  process.env['TRAILHOUND_TEST_WRONG'] = 'hooks.slack.com/very-secret';
  await expect(open('slack', { webhook: 'env:TRAILHOUND_TEST_WRONG' })).rejects.toThrow(
    'sink soc: cannot use the URL in env:TRAILHOUND_TEST_WRONG: expected an https:// URL',
  );
});
