/** The outbox in the catalog: each key once, in order for each alert, and nothing forgotten. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { NewDelivery, Outcome } from '../../src/outbox.ts';
import { type LocalStore, openStore } from '../../src/store/store.ts';

const NOW = Date.parse('2026-02-01T00:00:00Z');

let folder: string;
let store: LocalStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-outbox-'));
  store = await openStore(join(folder, 'store'), { create: true });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const delivery = (sink: string, key: string, alertId: string | null = null): NewDelivery => ({
  sink,
  alertId,
  message: {
    key,
    kind: 'notice',
    title: `message ${key}`,
    text: "it's \u0000 \ud83d\ude00",
    severity: 'low',
    at: new Date(NOW).toISOString(),
    change: null,
    alerts: [],
    alertsTotal: 0,
    table: null,
  },
});

const outcome = (id: number, change: Partial<Outcome>): Outcome => ({
  id,
  state: 'delivered',
  attempts: 1,
  nextAtMs: null,
  error: null,
  reference: null,
  ...change,
});

test('keeps each key of a sink once, and moves on in the same transaction', async () => {
  await store.outbox.queue([delivery('a', 'k1'), delivery('b', 'k1')], 3);
  await store.outbox.queue([delivery('a', 'k1'), delivery('a', 'k2')], null);
  expect(await store.outbox.routedSeq()).toBe(3);
  expect((await store.outbox.due('a', NOW, 10)).map(({ message }) => message)).toEqual([
    delivery('a', 'k1').message,
    delivery('a', 'k2').message,
  ]);
  expect(await store.outbox.due('b', NOW, 10)).toHaveLength(1);
  expect(await store.outbox.due('a', NOW - 1, 10)).toEqual([]);
});

test('keeps the order of what is told about one alert, and lets others pass', async () => {
  await store.outbox.queue([delivery('a', 'x-1', 'x'), delivery('a', 'x-2', 'x'), delivery('a', 'y-1', 'y')], null);
  const [first, other] = await store.outbox.due('a', NOW, 10);
  expect([first?.message.key, other?.message.key]).toEqual(['x-1', 'y-1']);
  const later = NOW + 60_000;
  await store.outbox.settle(
    [outcome(first?.id ?? 0, { state: 'pending', nextAtMs: later, error: 'it is down' }), outcome(other?.id ?? 0, {})],
    NOW,
  );
  expect(await store.outbox.due('a', NOW + 1000, 10)).toEqual([]);
  expect(await store.outbox.nextDueMs('a')).toBe(NOW);
  expect((await store.outbox.due('a', later, 10)).map(({ message, attempts }) => [message.key, attempts])).toEqual([
    ['x-1', 1],
  ]);
  await store.outbox.settle([outcome(first?.id ?? 0, { attempts: 2, reference: 'thread-7' })], later);
  expect((await store.outbox.due('a', later, 10)).map(({ message, reference }) => [message.key, reference])).toEqual([
    ['x-2', 'thread-7'],
  ]);
  expect(await store.outbox.told(['x', 'z'])).toEqual(new Set(['a/x']));
});

test('groups many into one, gives up, and sends again when asked to', async () => {
  await store.outbox.queue([delivery('a', 'k1'), delivery('a', 'k2'), delivery('a', 'k3')], null);
  const [one, two, three] = await store.outbox.due('a', NOW, 10);
  await store.outbox.group([one?.id ?? 0, two?.id ?? 0], delivery('a', 'flood'));
  await store.outbox.settle([outcome(three?.id ?? 0, { state: 'dead', error: 'too large' })], NOW);
  expect((await store.outbox.due('a', NOW, 10)).map(({ message }) => message.key)).toEqual(['flood']);
  expect(await store.outbox.counts()).toEqual([
    { sink: 'a', state: 'dead', count: 1, oldest: '2026-02-01T00:00:00Z' },
    { sink: 'a', state: 'grouped', count: 2, oldest: '2026-02-01T00:00:00Z' },
    { sink: 'a', state: 'pending', count: 1, oldest: '2026-02-01T00:00:00Z' },
  ]);
  expect(await store.outbox.list({ states: ['dead'], limit: 5 })).toMatchObject([{ key: 'k3', error: 'too large' }]);
  expect(await store.outbox.resend({ sink: 'b' }, NOW)).toBe(0);
  expect(await store.outbox.resend({ ids: [three?.id ?? 0] }, NOW)).toBe(1);
  expect((await store.outbox.due('a', NOW, 10)).map(({ message }) => message.key)).toEqual(['k3', 'flood']);
});
