/** A watch over a folder on a clock that a test moves: everything in it is real but the time. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Alert } from '../../src/alert.ts';
import { readConfig } from '../../src/cli/config.ts';
import { loadDetectors } from '../../src/cli/detectors.ts';
import { ingestInto, type LocalStore, openHunter, openSources, openStore, startThreads } from '../../src/cli/wire.ts';
import { type TurnResult, useWatch, type WatchSetup } from '../../src/cli/wire-watch.ts';
import type { Detector } from '../../src/detector.ts';
import { NO_CONTEXT } from '../../src/enrichment.ts';
import { DAY_MS, HOUR_MS, type Window } from '../../src/time.ts';
import type { FakeClock } from './clock.ts';
import { type LandingFile, land } from './timeline.ts';

export interface Told {
  readonly key: string;
  readonly kind: string;
  readonly change: string | null;
  readonly alerts: readonly Alert[];
  readonly alerts_total?: number;
}

export interface Simulation {
  readonly folder: string;
  readonly clock: FakeClock;
  readonly files: readonly LandingFile[];
  readonly everyMs: number;
  /** Nobody watches from the first of these to the second. */
  readonly downtime: readonly [number, number] | null;
  readonly untilMs: number;
}

export async function allDetectors(): Promise<readonly Detector[]> {
  return (await loadDetectors(await readConfig(undefined))).entries.map(({ detector }) => detector);
}

/** What was written to the destination. */
export function told(folder: string): readonly Told[] {
  const path = join(folder, 'told.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Told);
}

/** Turns of a watch, one after the other, while log files land. */
export async function simulate({ folder, clock, files, everyMs, downtime, untilMs }: Simulation): Promise<LocalStore> {
  const bucket = join(folder, 'bucket');
  mkdirSync(bucket, { recursive: true });
  const store = await openStore(join(folder, 'store'), { create: true });
  const detectors = await allDetectors();
  let landed = 0;
  const landUntil = (ms: number): void => {
    for (; landed < files.length && (files[landed]?.atMs ?? 0) <= ms; landed++)
      land(bucket, files[landed] as LandingFile);
  };
  while (clock.nowMs() < untilMs) {
    landUntil(clock.nowMs());
    const isDown = downtime !== null && clock.nowMs() >= downtime[0] && clock.nowMs() < downtime[1];
    if (!isDown) await turn(folder, store, detectors, clock);
    clock.advance(everyMs);
  }
  landUntil(Number.POSITIVE_INFINITY);
  // Every slot is complete now.
  clock.advance(2 * DAY_MS);
  await turn(folder, store, detectors, clock);
  return store;
}

function turn(
  folder: string,
  store: LocalStore,
  detectors: readonly Detector[],
  clock: FakeClock,
): Promise<TurnResult> {
  return watchTurn(folder, store, clock, {
    sources: [join(folder, 'bucket')],
    hunts: [
      {
        id: 'all',
        schedule: null,
        windowMs: null,
        task: { type: 'detectors', detectors, named: [], parameters: {}, latenessMs: null },
      },
    ],
  });
}

/** One turn, with a file as its only destination. An error that is logged is one. */
export function watchTurn(
  folder: string,
  store: LocalStore,
  clock: FakeClock,
  setup: Pick<WatchSetup, 'hunts'> & Partial<WatchSetup>,
): Promise<TurnResult> {
  return useWatch(
    {
      store,
      clock,
      log: (level, event, fields) => {
        if (level === 'error') throw new Error(`${event}: ${JSON.stringify(fields)}`);
      },
      aws: {},
      dir: folder,
      athena: null,
      sources: [],
      ingest: { scope: {}, format: null, redact: [], workers: 1 },
      reconcileDays: null,
      sinks: [
        {
          id: 'out',
          type: 'file',
          options: { path: 'told.jsonl' },
          minSeverity: 'informational',
          detectors: null,
          accounts: null,
          updates: true,
          notices: true,
          groupBy: 'none',
          rate: null,
          dryRun: false,
          giveUpAfterMs: HOUR_MS,
        },
      ],
      lists: new Map(),
      enrichment: NO_CONTEXT,
      overrides: [],
      suppressions: [],
      mask: undefined,
      pollMs: 1000,
      once: true,
      notifySinceMs: null,
      silence: false,
      quiet: null,
      heartbeatUrl: null,
      write: async () => undefined,
      prune: async () => undefined,
      ...setup,
    },
    (watch) => watch.turn(new AbortController().signal),
  );
}

/** Alerts of one hunt over all of a store, at a time. */
export async function huntWhole(
  store: LocalStore,
  clock: FakeClock,
  dir: string,
  bounds: Partial<Window> = {},
): Promise<readonly Alert[]> {
  mkdirSync(dir, { recursive: true });
  try {
    const options = { detectors: await allDetectors(), parameters: {}, lists: new Map(), suppressions: [] };
    const hunter = await openHunter(store, options, { dir, clock });
    return (await hunter.huntWindow(bounds)).alerts;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** All that has landed, in a store of its own. */
export async function ingestBucket(folder: string, dir: string): Promise<LocalStore> {
  const store = await openStore(dir, { create: true });
  const sources = await openSources([join(folder, 'bucket')], null, {
    aws: {},
    queue: { once: true, reconcileDays: null },
    warn: () => undefined,
  });
  const options = { scope: {}, format: null, redact: [], workers: 1 };
  const threads = await startThreads(dir, options);
  await ingestInto(store, threads, { ...options, sources, signal: new AbortController().signal });
  return store;
}

/** What two hunts have to agree on. */
export const factsOf = (alerts: readonly Alert[]): readonly string[] =>
  alerts
    .filter(({ status }) => status !== 'withdrawn')
    .map(({ id, detector, count, first_seen, last_seen, event_ids }) =>
      JSON.stringify([id, detector, count, first_seen, last_seen, event_ids]),
    )
    .toSorted();
