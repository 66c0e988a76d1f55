/** Baselines over a real store: what is counted once equals what is counted from scratch, whatever the order of files, with duplicates, late files, compaction and pruning in between. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Alert } from '../../src/alert.ts';
import { type Hunter, openHunter, TABLES } from '../../src/cli/wire.ts';
import { type Detector, type DetectorSpec, defineDetector } from '../../src/detector.ts';
import { AppError } from '../../src/errors.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { openStore } from '../../src/store/store.ts';
import type { Store } from '../../src/store.ts';
import { DAY_MS, HOUR_MS, type Window } from '../../src/time.ts';
import { ingestInto } from '../support/ingest.ts';

const START_MS = Date.UTC(2026, 2, 2);
const DAYS = 12;
const clock = { nowMs: () => START_MS + 1000 * DAY_MS } as Parameters<typeof openHunter>[2]['clock'];

const detector = (part: Partial<DetectorSpec>): Detector =>
  defineDetector({
    id: 'test-detector',
    title: 'Test',
    description: 'Test.',
    severity: 'low',
    severityReason: 'Test.',
    table: 'cloudtrail',
    attack: [],
    subject: ['principal'],
    summary: '{principal} {event_name}',
    falsePositives: [],
    blindSpots: [],
    examples: [],
    ...part,
  });
const detectors = [
  detector({
    id: 'first',
    when: { outcome: 'denied' },
    baseline: { firstSeen: ['event_name'], over: '5d' },
    slot: '6h',
  }),
  detector({
    id: 'habit',
    when: { outcome: 'denied' },
    baseline: { firstSeen: ['event_name'], per: ['principal'], habit: { days: 2, values: 2 }, over: '5d' },
    slot: '6h',
  }),
  detector({
    id: 'usual',
    when: { outcome: 'denied' },
    baseline: { timesUsual: 1.5, mads: 1, by: 'hour-of-week', atLeast: 2, over: '7d' },
    slot: '1d',
  }),
];

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'trailhound-baselines-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Call {
  readonly at: number;
  readonly user: string;
  readonly name: string;
  readonly isDenied: boolean;
  /** In which of the files. */
  readonly file: number;
  /** In a second one as well. */
  readonly again: number | null;
}

const FILES = 3;
const calls: fc.Arbitrary<Call[]> = fc.array(
  fc.record({
    at: fc.integer({ min: 0, max: DAYS * 24 * 3600 - 1 }),
    user: fc.constantFrom('ann', 'bob'),
    name: fc.constantFrom('GetA', 'GetB', 'GetC', 'GetD'),
    isDenied: fc.boolean(),
    file: fc.integer({ min: 0, max: FILES - 1 }),
    again: fc.option(fc.integer({ min: 0, max: FILES - 1 })),
  }),
  { minLength: 40, maxLength: 120, size: 'max' },
);

function recordOf(call: Call, index: number): unknown {
  return {
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: `AIDA${call.user}`,
      arn: `arn:aws:iam::111122223333:user/${call.user}`,
      accountId: '111122223333',
      userName: call.user,
    },
    eventTime: new Date(START_MS + call.at * 1000).toISOString().replace('.000Z', 'Z'),
    eventSource: 'ec2.amazonaws.com',
    eventName: call.name,
    awsRegion: 'us-east-1',
    sourceIPAddress: '192.0.2.44',
    userAgent: 'aws-cli/2.15.0',
    ...(call.isDenied && { errorCode: 'AccessDenied', errorMessage: 'no' }),
    requestParameters: null,
    responseElements: null,
    eventID: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    eventType: 'AwsApiCall',
    recipientAccountId: '111122223333',
  };
}

/** The log files of a stream. */
function writeFiles(name: string, stream: readonly Call[]): readonly string[] {
  const folder = join(dir, name);
  mkdirSync(folder, { recursive: true });
  return Array.from({ length: FILES }, (_, file) => {
    const path = join(folder, `${file}.json`);
    const records = stream.flatMap((call, index) =>
      call.file === file || call.again === file ? [recordOf(call, index)] : [],
    );
    writeFileSync(path, JSON.stringify({ Records: records }));
    return path;
  });
}

async function withHunter<T>(store: Store, use: (hunter: Hunter) => Promise<T>): Promise<T> {
  const temp = mkdtempSync(join(dir, 'temp-'));
  return use(
    await openHunter(store, { detectors, parameters: {}, lists: new Map(), suppressions: [] }, { dir: temp, clock }),
  );
}

const outline = (alerts: readonly Alert[]): unknown[] =>
  alerts
    .filter(({ status }) => status !== 'withdrawn')
    .map(({ id, count, first_seen, last_seen, event_ids }) => ({ id, count, first_seen, last_seen, event_ids }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));

const found = async (store: Store, window: Window): Promise<unknown[]> =>
  withHunter(store, async (hunter) => outline((await hunter.huntWindow(window)).alerts));

/** A store that cannot keep counts: every hunt reads the events. */
const withoutCounts = (store: Store): Store => ({
  ...store,
  slotCounts: {
    find: async (_, segments) => ({ files: [], missing: segments }),
    add: async () => {
      throw new AppError('store-unwritable', 'no');
    },
  },
});

const windows: readonly Window[] = [7, 11].map((day) => ({
  fromMs: START_MS + day * DAY_MS + 5 * HOUR_MS,
  toMs: START_MS + (day + 1) * DAY_MS,
}));
const countFiles = (storeDir: string): string[] =>
  readdirSync(join(storeDir, 'counts'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => join(storeDir, 'counts', name));

async function compact(store: Awaited<ReturnType<typeof openStore>>): Promise<void> {
  const writer = await store.openWriter(TABLES);
  try {
    await writer.compact({ full: true, signal: new AbortController().signal });
  } finally {
    await writer.close();
  }
}

describe('counts of the days before', () => {
  let run = 0;
  test('give what reading their events gives, whatever comes when', async () => {
    let alerts = 0;
    await fc.assert(
      fc.asyncProperty(
        calls,
        fc.shuffledSubarray([0, 1, 2], { minLength: FILES }),
        fc.integer({ min: 0, max: FILES - 1 }),
        async (stream, order, compactedAfter) => {
          const name = `run-${(run += 1)}`;
          const files = writeFiles(name, stream);
          const storeDir = join(dir, name, 'store');
          for (const [step, file] of order.entries()) {
            await ingestInto(storeDir, [files[file] ?? ''], { workers: 1 });
            const store = await openStore(storeDir);
            for (const window of windows)
              expect(await found(store, window)).toEqual(await found(withoutCounts(store), window));
            if (step === compactedAfter) await compact(store);
          }
          const store = await openStore(storeDir);
          const scratchDir = join(dir, name, 'scratch');
          await ingestInto(scratchDir, [...files], { workers: 1 });
          const scratch = await openStore(scratchDir);
          for (const window of windows) {
            const first = await found(store, window);
            alerts += first.length;
            expect(first).toEqual(await found(withoutCounts(scratch), window));
            // What was counted serves again.
            const before = countFiles(storeDir).length;
            expect(await found(store, window)).toEqual(first);
            expect(countFiles(storeDir)).toHaveLength(before);
          }
          expect((await store.check(TABLES)).problems).toEqual([]);
          // It is a cache.
          rmSync(join(storeDir, 'counts'), { recursive: true });
          for (const window of windows) expect(await found(store, window)).toEqual(await found(scratch, window));
        },
      ),
      // The first is the same in every run, lest chance bring none that anything is found in.
      {
        numRuns: 2,
        examples: fc.sample(fc.tuple(calls, fc.constant<number[]>([2, 0, 1]), fc.constant<number>(1)), {
          seed: 1,
          numRuns: 1,
        }),
      },
    );
    expect(alerts).toBeGreaterThan(0);
  });

  test('are counted anew where they are damaged or half-written, and check says so', async () => {
    const stream = Array.from(
      { length: 60 },
      (_, index): Call => ({
        at: Math.floor((index * DAYS * 24 * 3600) / 60),
        user: index % 3 === 0 ? 'ann' : 'bob',
        name: index > 55 ? 'GetNew' : 'GetA',
        isDenied: true,
        file: index % FILES,
        again: null,
      }),
    );
    const files = writeFiles('damaged', stream);
    const storeDir = join(dir, 'damaged', 'store');
    await ingestInto(storeDir, [...files], { workers: 1 });
    const store = await openStore(storeDir);
    const window: Window = { fromMs: START_MS + 11 * DAY_MS, toMs: START_MS + 12 * DAY_MS };
    const whole = await found(store, window);
    expect(whole.length).toBeGreaterThan(0);
    const [damaged = '', cut = '', bare = ''] = countFiles(storeDir);
    const bytes = readFileSync(damaged);
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
    writeFileSync(damaged, bytes);
    // As a killed run leaves them: a file of JSON that ends early, and counts without one.
    writeFileSync(cut.replace(/parquet$/u, 'json'), '{"keys":[');
    rmSync(bare.replace(/parquet$/u, 'json'));
    expect((await store.check(TABLES)).problems).toEqual([expect.stringContaining(damaged)]);
    const partial = `${bare}.partial`;
    writeFileSync(partial, 'PAR1');
    const old = new Date(Date.now() - DAY_MS);
    utimesSync(partial, old, old);
    expect(await found(store, window)).toEqual(whole);
    expect(await found(withoutCounts(store), window)).toEqual(whole);
    expect((await store.check(TABLES)).problems).toEqual([]);
    expect(existsSync(partial)).toBe(false);

    // What has left the store counts no more.
    await store.prune(cloudtrailTable, '2026-03-12');
    expect(await found(store, window)).toEqual(await found(withoutCounts(store), window));
  });
});
