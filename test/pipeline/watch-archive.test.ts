/** Watching an archive: schedules, failures and what becomes of them, on a clock that a test moves. The hunter is one that only notes down what it judges. */
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppError } from '../../src/errors.ts';
import type { LogFields } from '../../src/log.ts';
import { Schedule } from '../../src/pipeline/schedule.ts';
import { type TurnResult, Watch, type WatchArchiveHunter } from '../../src/pipeline/watch.ts';
import { type LocalStore, openStore } from '../../src/store/store.ts';
import { DAY_MS, formatTime, HOUR_MS, type Window } from '../../src/time.ts';
import { FakeClock } from '../support/clock.ts';

let folder = '';
let store: LocalStore;
let clock: FakeClock;
let judged: string[] = [];
let errors: string[] = [];
/** What a window ends with instead of being judged. */
let fate: (window: Window) => AppError | 'hang' | null = () => null;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'watch-archive-'));
  store = await openStore(join(folder, 'store'), { create: true });
  clock = new FakeClock('2026-03-01T10:00:00Z');
  [judged, errors, fate] = [[], [], () => null];
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const span = ({ fromMs, toMs }: Window): string => `${formatTime(fromMs)}/${formatTime(toMs)}`.replaceAll(':00Z', '');

const hunter: WatchArchiveHunter = {
  keys: [{ detector: 'trail-logging-stopped', version: 1, parametersHash: 'x' }],
  run: async (tally, signal, use) => {
    tally.scannedBytes = 0;
    await use(async (window) => {
      tally.scannedBytes = (tally.scannedBytes ?? 0) + 1000;
      const end = fate(window);
      if (end === 'hang') {
        if (!signal.aborted) await once(signal, 'abort');
        throw new AppError('interrupted', 'the statement was interrupted');
      }
      if (end !== null) throw end;
      judged.push(span(window));
      return { alerts: [], notes: [] };
    });
  },
};

function newWatch(windowMs: number | null = null, notifySinceMs: number | null = null): Watch {
  return new Watch({
    store,
    storeId: store.id(),
    clock,
    log: (level, event, fields?: LogFields) => {
      if (level === 'error') errors.push(`${event}: ${String(fields?.['error'])}`);
    },
    random: () => 0,
    sinks: [],
    notifySinceMs,
    hunts: [
      {
        id: 'daily',
        schedule: new Schedule('0 2 * * *', 'UTC'),
        task: { type: 'archive', hunter, windowMs, backMs: 2 * DAY_MS },
      },
    ],
    ingest: null,
    prune: async () => undefined,
    attend: async () => undefined,
  });
}

const turn = (watch = newWatch()): Promise<TurnResult> => watch.turn(new AbortController().signal);
const to = (time: string): void => clock.advance(Date.parse(time) - clock.nowMs());
const runs = async () =>
  (await store.watching.runs({ limit: 100 })).map(({ dueAtMs, state, scannedBytes }) => [
    formatTime(dueAtMs),
    state,
    scannedBytes,
  ]);

test('a run comes at its time, judges from the one before with what may have come late, and is told of', async () => {
  await turn();
  expect(judged).toEqual([]);
  to('2026-03-02T02:00:00Z');
  await turn();
  await turn();
  to('2026-03-03T02:10:00Z');
  await turn();
  expect(judged).toEqual(['2026-02-27T10:00/2026-03-02T02:00', '2026-02-28T02:00/2026-03-03T02:00']);
  expect(await runs()).toEqual([
    ['2026-03-03T02:00:00Z', 'done', 1000],
    ['2026-03-02T02:00:00Z', 'done', 1000],
  ]);
});

test('what was missed in a week is made up for in one run, without a limit in one piece', async () => {
  await turn();
  to('2026-03-09T12:00:00Z');
  await turn();
  expect(judged).toEqual(['2026-02-27T10:00/2026-03-09T02:00']);
});

test('what failed is tried again at the next time and not before, the newest first, and fails whoever watches until then', async () => {
  await turn();
  fate = () => new AppError('scan-limit', 'the limit is reached');
  to('2026-03-08T02:00:00Z');
  expect((await turn()).failing).toEqual(
    new Map([['hunt daily', '1 of 1 stretches of time could not be judged, and stay due: the limit is reached']]),
  );
  fate = () => null;
  clock.advance(HOUR_MS);
  // Another process, with nothing due: it is still not well.
  expect((await turn(newWatch())).failing.size).toBe(1);
  expect(judged).toEqual([]);
  fate = ({ toMs }) => (toMs < Date.parse('2026-03-03T12:00Z') ? new AppError('query-failed', 'damaged') : null);
  to('2026-03-09T02:00:00Z');
  expect((await turn()).failing.get('hunt daily')).toMatch(/^2 of 4 stretches of time could not be judged/u);
  expect(judged).toEqual(['2026-03-06T00:00/2026-03-09T02:00', '2026-03-03T00:00/2026-03-06T00:00']);
  fate = () => null;
  to('2026-03-10T02:00:00Z');
  expect((await turn()).failing.size).toBe(0);
  expect((await turn(newWatch())).failing.size).toBe(0);
  expect((await runs()).map(([, state]) => state)).toEqual(['done', 'failed', 'failed']);
});

test('a run that is interrupted is no run, and what it has not judged is judged at once by the next', async () => {
  await turn();
  to('2026-04-20T02:00:00Z');
  const ending = new AbortController();
  fate = ({ toMs }) => (toMs < clock.nowMs() ? 'hang' : null);
  const running = newWatch().turn(ending.signal);
  await expect.poll(() => judged.length, { timeout: 30_000 }).toBe(1);
  ending.abort();
  expect((await running).failing.size).toBe(0);
  expect(await runs()).toEqual([]);
  fate = () => null;
  clock.advance(60_000);
  await turn();
  expect(judged).toEqual(['2026-03-21T00:00/2026-04-20T02:00', '2026-02-27T10:00/2026-03-21T00:00']);
  expect(await runs()).toEqual([['2026-04-20T02:00:00Z', 'done', 1000]]);
});

test('with notify_since the first run reaches back to it; it has caught up when that was judged', async () => {
  const watch = newWatch(null, Date.parse('2026-01-15T00:00:00Z'));
  await turn(watch);
  expect(watch.report.caughtUp).toBe(false);
  to('2026-03-02T02:00:00Z');
  const next = newWatch(null, Date.parse('2026-01-15T00:00:00Z'));
  await turn(next);
  expect(judged).toEqual(['2026-01-31T00:00/2026-03-02T02:00', '2026-01-15T00:00/2026-01-31T00:00']);
  expect(next.report.caughtUp).toBe(true);
});

test('as a service it looks at its schedules, and ends within a moment while a statement runs', async () => {
  const ending = new AbortController();
  fate = () => 'hang';
  const watch = newWatch(6 * HOUR_MS);
  const watching = watch.run(ending.signal);
  await expect.poll(() => watch.report.lastLookMs, { timeout: 30_000 }).not.toBeNull();
  to('2026-03-02T02:00:00Z');
  await expect
    .poll(
      async () => {
        // Where it looked just before the clock was moved, it sleeps once more.
        clock.advance(60_000);
        return (await store.watching.get('backlog:daily'))?.includes('"waits":false');
      },
      { timeout: 30_000 },
    )
    .toBe(true);
  ending.abort();
  await watching;
  expect([judged, errors, await runs()]).toEqual([[], [], []]);
});
