/**
 * A watch on a clock that is moved: the same alerts as one hunt over everything, also after a time in which nobody watched, and what people were told.
 * Six days here; TRAILHOUND_WATCH_DAYS makes it more.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DAY_MS, HOUR_MS } from '../../src/time.ts';
import { FakeClock } from '../support/clock.ts';
import { timeline } from '../support/timeline.ts';
import { factsOf, huntWhole, ingestBucket, simulate, told } from '../support/watching.ts';

const DAYS = Number(process.env['TRAILHOUND_WATCH_DAYS'] ?? 6);
const EVERY_MS = Number(process.env['TRAILHOUND_WATCH_HOURS'] ?? 12) * HOUR_MS;
const FROM_MS = Date.parse('2026-06-01T00:00:00Z');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-clock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test(`${DAYS} days with downtime give the alerts of one hunt over everything, each told of once`, {
  timeout: 3_600_000,
}, async () => {
  const watchedFromMs = FROM_MS + 2 * DAY_MS;
  const clock = new FakeClock(watchedFromMs);
  const downtime = [FROM_MS + DAYS * 0.5 * DAY_MS, FROM_MS + (DAYS * 0.5 + Math.min(7, DAYS * 0.2)) * DAY_MS] as const;
  const store = await simulate({
    folder,
    clock,
    files: timeline(FROM_MS, DAYS, 7),
    everyMs: EVERY_MS,
    downtime,
    untilMs: FROM_MS + DAYS * DAY_MS,
  });
  const live = await store.alerts({});
  const whole = await ingestBucket(folder, join(folder, 'whole'));
  const replayed = await huntWhole(whole, clock, join(folder, 'spill'));
  expect(replayed.length).toBeGreaterThan(DAYS / 3);
  expect(factsOf(live)).toEqual(factsOf(replayed));

  const messages = told(folder);
  expect(new Set(messages.map(({ key }) => key)).size).toBe(messages.length);
  const first = messages
    .filter(({ kind, change }) => kind === 'alert' && change === 'new')
    .map(({ alerts }) => alerts[0]?.id);
  expect(new Set(first).size).toBe(first.length);
  const due = live.filter(({ last_seen }) => Date.parse(last_seen) >= watchedFromMs).map(({ id }) => id);
  for (const { id } of live.filter(({ status }) => status === 'open').filter(({ id: one }) => due.includes(one)))
    expect(first).toContain(id);
  for (const id of first) expect(due).toContain(id);
  const inDowntime = live.filter(
    ({ first_seen }) => Date.parse(first_seen) >= downtime[0] && Date.parse(first_seen) < downtime[1],
  );
  if (DAYS >= 30) expect(inDowntime.length).toBeGreaterThan(0);
});

test('a first watch over months of archive tells of the past in one message', { timeout: 600_000 }, async () => {
  const files = timeline(FROM_MS, 60, 11);
  const clock = new FakeClock(FROM_MS + 61 * DAY_MS);
  const store = await simulate({
    folder,
    clock,
    files,
    everyMs: DAY_MS,
    downtime: null,
    untilMs: FROM_MS + 62 * DAY_MS,
  });
  const alerts = await store.alerts({});
  expect(alerts.length).toBeGreaterThan(10);
  expect(told(folder).map(({ kind }) => kind)).toEqual(['past']);
});
