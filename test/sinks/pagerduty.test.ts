/** PagerDuty's events: an incident opens, is acknowledged and resolved with its alert. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AlertChange, Severity } from '../../src/alert.ts';
import { type HttpPeer, startHttpPeer } from '../support/http-peer.ts';
import { ALERT, alertMessage, plainMessage } from '../support/messages.ts';
import { open, outcome } from '../support/sinks.ts';

let peer: HttpPeer;
beforeAll(async () => {
  peer = await startHttpPeer();
  process.env['TRAILHOUND_TEST_ROUTING'] = '0123456789abcdef0123456789abcdee';
});
afterAll(() => peer.close());
afterEach(() => {
  peer.received.length = 0;
  peer.answer = (response) => response.writeHead(202).end('{"status":"success"}');
});

const openPagerduty = () =>
  open('pagerduty', {
    routing_key: 'env:TRAILHOUND_TEST_ROUTING',
    endpoint: `${peer.url}/v2/enqueue`,
    allow_private: true,
  });
const posted = () => JSON.parse(peer.received.at(-1)?.body ?? '') as Record<string, unknown>;

test('a new alert triggers', async () => {
  expect(await outcome(await openPagerduty(), alertMessage())).toBe('taken');
  expect(posted()).toEqual({
    routing_key: '0123456789abcdef0123456789abcdee',
    event_action: 'trigger',
    dedup_key: ALERT.id,
    client: 'trailhound',
    payload: {
      summary: 'critical: CloudTrail logging was stopped',
      source: '111122223333',
      severity: 'critical',
      timestamp: '2026-03-02T10:10:00Z',
      class: 'trail-logging-stopped',
      group: 'eu-central-1',
      custom_details: expect.objectContaining({ alerts: [ALERT] }) as unknown,
    },
  });
});

test.each<[AlertChange['change'], string]>([
  ['grown', 'trigger'],
  ['reopened', 'trigger'],
  ['acknowledged', 'acknowledge'],
  ['closed', 'resolve'],
  ['suppressed', 'resolve'],
  ['withdrawn', 'resolve'],
])('%s is %s of the same incident', async (change, action) => {
  await outcome(await openPagerduty(), alertMessage({}, { change }));
  expect([posted()['event_action'], posted()['dedup_key']]).toEqual([action, ALERT.id]);
});

test.each<[Severity, string]>([
  ['high', 'error'],
  ['medium', 'warning'],
  ['low', 'info'],
  ['informational', 'info'],
])('%s is %s', async (severity, expected) => {
  await outcome(await openPagerduty(), alertMessage({ severity }));
  expect(posted()['payload']).toMatchObject({ severity: expected });
});

test('what is about no single alert has its own key', async () => {
  await outcome(await openPagerduty(), plainMessage('notice'));
  expect(posted()).toMatchObject({
    event_action: 'trigger',
    dedup_key: 'notice-1',
    payload: { source: 'trailhound', class: 'notice' },
  });
});

test('an event stays below 512 KB', async () => {
  await outcome(await openPagerduty(), alertMessage({ summary: '"\u0007€'.repeat(400_000) }));
  expect(peer.received[0]?.body.length).toBeLessThan(512_000);
  expect(posted()).toMatchObject({ payload: { custom_details: { shortened: true } } });
});

describe('what PagerDuty refuses', () => {
  test.each([
    [400, '{"status":"invalid event","errors":["\'payload.summary\' is missing"]}', /^message: .*payload\.summary/],
    [400, '{"status":"invalid event","errors":["Invalid routing key"]}', /^sink: .*Invalid routing key/],
    [429, '{"status":"throttle exceeded"}', /^sink: .*throttle exceeded/],
    [500, '', /^sink: .*status 500$/],
  ])('%i %s', async (status, body, expected) => {
    peer.answer = (response) => response.writeHead(status).end(body);
    expect(await outcome(await openPagerduty(), alertMessage())).toMatch(expected);
  });
});

test('render shows no key', async () => {
  expect((await openPagerduty()).render(alertMessage())).toMatch(/"routing_key": "\*\*\*\*"/);
});
