/** Watching: what goes first where there is more to do than time. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { Schedule } from '../../src/pipeline/schedule.ts';
import { Watch, type WatchHunter } from '../../src/pipeline/watch.ts';
import { type LocalStore, openStore } from '../../src/store/store.ts';

let folder = '';
let store: LocalStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'watch-'));
  store = await openStore(join(folder, 'store'), { create: true });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

/** Finds nothing, in so long. */
const hunterThatTakes = (ms: number): WatchHunter => ({
  keys: [],
  huntNew: () => sleep(ms, { alerts: [], notes: [] }),
  huntWindow: () => sleep(ms, { alerts: [], notes: [] }),
});

test('schedules are kept while new data comes faster than it is hunted', async () => {
  const ending = new AbortController();
  const watch = new Watch({
    store,
    storeId: store.id(),
    clock: systemClock,
    log: () => undefined,
    random: Math.random,
    sinks: [],
    notifySinceMs: null,
    hunts: [
      { id: 'all', schedule: null, task: { type: 'detectors', hunter: hunterThatTakes(50), windowMs: null } },
      {
        id: 'longer-than-its-pause',
        schedule: new Schedule('* * * * * *', 'UTC'),
        task: { type: 'detectors', hunter: hunterThatTakes(1500), windowMs: null },
      },
      {
        id: 'every-second',
        schedule: new Schedule('* * * * * *', 'UTC'),
        task: { type: 'detectors', hunter: hunterThatTakes(5), windowMs: 60_000 },
      },
    ],
    ingest: async (onCommit, signal) => {
      while (!signal.aborted) {
        await onCommit();
        await sleep(10);
      }
      return {
        files: { listed: 0, known: 0, done: 0, damaged: 0, failed: 0, copies: 0, digests: 0, insights: 0 },
        records: { in: 0, stored: 0, duplicate: 0, rejected: 0, id_conflicts: 0, without_time: 0 },
        redacted: 0,
        compressedBytes: 0,
        uncompressedBytes: 0,
        warnings: [],
        problems: [],
        problemsTotal: 0,
        seqBefore: 0,
        seqAfter: 0,
        span: null,
        interrupted: true,
        elapsedMs: 0,
      };
    },
    prune: async () => undefined,
    attend: async () => undefined,
  });
  const watching = watch.run(ending.signal);
  const states = async (): Promise<string[]> =>
    (await store.watching.runs({ hunt: 'every-second', limit: 100 })).map(({ state }) => state);
  await expect.poll(async () => (await states()).length, { timeout: 120_000 }).toBeGreaterThan(2);
  ending.abort();
  await watching;
  expect(new Set(await states())).toEqual(new Set(['done']));
});
