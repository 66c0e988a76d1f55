/** A watch over an archive on Athena, on a clock that is moved while log files land: in the end the alerts of one hunt over all of it in a store, also after days in which nobody watched. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../src/cli/wire.ts';
import { DAY_MS, HOUR_MS } from '../../src/time.ts';
import { CREDENTIALS } from '../sources/s3-support.ts';
import { DATABASE, openSession, setUp } from '../support/athena.ts';
import { type AthenaServer, startAthena } from '../support/athena-server.ts';
import { FakeClock } from '../support/clock.ts';
import { objectsIn, type S3Peer, startS3Peer } from '../support/s3-peer.ts';
import { land, timeline } from '../support/timeline.ts';
import { allDetectors, factsOf, huntWhole, ingestBucket, told, watchTurn } from '../support/watching.ts';

const BUCKET = 'example-logs';
const FROM_MS = Date.parse('2026-06-01T00:00:00Z');
const DAYS = 8;
/** From here on somebody watches. */
const WATCHED_MS = FROM_MS + 2 * DAY_MS + 9 * HOUR_MS;
const DOWNTIME = [FROM_MS + 4 * DAY_MS, FROM_MS + 6.2 * DAY_MS] as const;

let folder: string;
let server: AthenaServer;
let peer: S3Peer;
const former = { ...process.env };
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-athena-clock-'));
  mkdirSync(join(folder, 'bucket'));
  server = await startAthena({ buckets: { [BUCKET]: join(folder, 'bucket') } });
});
afterEach(async () => {
  process.env = { ...former };
  await server.close();
  await peer.close();
  rmSync(folder, { recursive: true, force: true });
});

test(`${DAYS} days of daily runs with downtime and failures give the alerts of one hunt over a store, each told of once`, {
  timeout: 3_600_000,
}, async () => {
  // The seed has one incident of each kind, and log files that come a day late.
  const files = timeline(FROM_MS, DAYS, 7);
  for (const file of files.slice(0, 10)) land(join(folder, 'bucket'), file);
  peer = await startS3Peer({ bucket: BUCKET, objects: objectsIn(join(folder, 'bucket')) });
  const credentials = Object.entries(CREDENTIALS).filter(([, value]) => value !== undefined);
  Object.assign(process.env, Object.fromEntries(credentials), {
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_S3: peer.url,
    AWS_ENDPOINT_URL_ATHENA: server.url,
  });
  const { session, close } = openSession(server);
  await setUp(session, peer.url, BUCKET, ['AWSLogs/']);
  close();

  // What one hunt finds, by those detectors of which each is a statement or more.
  const clock = new FakeClock(WATCHED_MS);
  for (const file of files) land(join(folder, 'whole/bucket'), file);
  const whole = await ingestBucket(join(folder, 'whole'), join(folder, 'whole/store'));
  const laterMs = FROM_MS + (DAYS + 3) * DAY_MS;
  const bounds = { fromMs: WATCHED_MS, toMs: laterMs };
  const found = await huntWhole(whole, new FakeClock(laterMs), join(folder, 'spill'), bounds);
  const firing = new Set(found.map(({ detector }) => detector));
  const detectors = (await allDetectors()).filter(({ id }) => firing.has(id) || id === 'region-first-used');
  expect(firing.size).toBeGreaterThan(2);

  const store = await openStore(join(folder, 'store'), { create: true });
  const statementsOf = async (): Promise<number> => {
    const before = server.statements().length;
    await watchTurn(folder, store, clock, {
      log: () => undefined,
      athena: {
        aws: {},
        place: { database: DATABASE, catalog: 'AwsDataCatalog', workgroup: 'primary', outputLocation: 's3://results/' },
        maxScanBytes: null,
        latenessMs: null,
      },
      hunts: [
        {
          id: 'daily',
          schedule: { expression: '0 2 * * *', timeZone: 'Europe/Berlin' },
          windowMs: null,
          task: { type: 'detectors', detectors, named: [], parameters: {}, latenessMs: null },
        },
      ],
    });
    return server.statements().length - before;
  };
  let landed = 0;
  for (; clock.nowMs() < laterMs; clock.advance(12 * HOUR_MS)) {
    const now = clock.nowMs();
    if (now >= DOWNTIME[0] && now < DOWNTIME[1]) continue;
    for (; landed < files.length && (files[landed]?.atMs ?? 0) <= now; landed += 1)
      land(join(folder, 'bucket'), files[landed] as (typeof files)[number]);
    await server.reread();
    // The first run after the downtime fails half-way.
    if (now - DOWNTIME[1] < 12 * HOUR_MS && now >= DOWNTIME[1])
      server.faults.push({ on: 'GetQueryResults', error: 'AccessDeniedException', status: 400 });
    await statementsOf();
  }
  await statementsOf();
  // Nothing is due, nothing is asked.
  expect(await statementsOf()).toBe(0);

  const live = await store.alerts({});
  const watched = live.filter(({ window }) => Date.parse(window.to) > WATCHED_MS);
  expect(factsOf(watched)).toEqual(factsOf(found));
  const runs = await store.watching.runs({ limit: 100 });
  expect(runs.filter(({ state }) => state === 'failed').length).toBe(1);
  const messages = told(folder);
  expect(new Set(messages.map(({ key }) => key)).size).toBe(messages.length);
  const first = messages.filter(({ kind, change }) => kind === 'alert' && change === 'new');
  expect(first.map(({ alerts }) => alerts[0]?.id ?? '').toSorted()).toEqual(
    live
      .filter(({ last_seen, status }) => Date.parse(last_seen) >= WATCHED_MS && status === 'open')
      .map(({ id }) => id)
      .toSorted(),
  );
  expect(messages.filter(({ kind }) => kind === 'past').length).toBeLessThan(2);
});
