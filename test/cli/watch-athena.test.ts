/** A bucket watched where it lies, as a user does it: the built command line against an S3 and an Athena on loopback. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Alert } from '../../src/alert.ts';
import { DAY_MS } from '../../src/time.ts';
import { CREDENTIALS } from '../sources/s3-support.ts';
import { ARCHIVE_BUCKET, type Archive, writeArchive } from '../support/athena-archive.ts';
import { type AthenaServer, startAthena } from '../support/athena-server.ts';
import { objectsIn, type S3Peer, startS3Peer } from '../support/s3-peer.ts';
import { MAIN, newFolder, type Outcome, trailhound } from './run.ts';

vi.setConfig({ testTimeout: 1_200_000 });

const root = newFolder();
const SINCE = '2026-02-20';
/** Before each time of a schedule, so that it reaches back to the logs. */
const WINDOW = `${Math.ceil((Date.now() - Date.parse(SINCE)) / DAY_MS) + 1}d`;
const OFTEN = '"* * * * * *"';
const SOME = '[trail-logging-stopped, root-console-login, denied-call-spike]';

let archive: Archive;
let server: AthenaServer;
let peer: S3Peer;
let env: Record<string, string>;
const children: ChildProcess[] = [];

beforeAll(async () => {
  archive = writeArchive();
  server = await startAthena({ buckets: { [ARCHIVE_BUCKET]: archive.dir } });
  peer = await startS3Peer({ bucket: ARCHIVE_BUCKET, objects: objectsIn(archive.dir) });
  env = {
    ...Object.fromEntries(
      Object.entries(CREDENTIALS).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_S3: peer.url,
    AWS_ENDPOINT_URL_ATHENA: server.url,
  };
  const made = await trailhound(['athena', 'setup', `s3://${ARCHIVE_BUCKET}/AWSLogs/`, '--apply'], { cwd: root, env });
  expect(made.status, made.stderr).toBe(0);
}, 600_000);
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  server.faults.length = 0;
});
afterAll(async () => {
  await peer.close();
  await server.close();
  archive.close();
  rmSync(root, { recursive: true, force: true, maxRetries: 3 });
});

interface Place {
  readonly cwd: string;
  config(text: string): void;
  run(...args: string[]): Promise<Outcome>;
  messages(): { readonly key: string; readonly kind: string; readonly alerts: readonly Alert[] }[];
  runs(): Promise<readonly Record<string, unknown>[]>;
}

let places = 0;
function newPlace(): Place {
  const cwd = join(root, `place-${++places}`);
  mkdirSync(cwd);
  const run = (...args: string[]): Promise<Outcome> => trailhound(args, { cwd, env });
  return {
    cwd,
    run,
    config: (text) => writeFileSync(join(cwd, 'trailhound.yaml'), `backend: athena\n${text}`),
    messages: () =>
      existsSync(join(cwd, 'alerts.jsonl'))
        ? readFileSync(join(cwd, 'alerts.jsonl'), 'utf8')
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line) as ReturnType<Place['messages']>[number])
        : [],
    runs: async () =>
      JSON.parse(
        (await run('sql', '--backend', 'duckdb', '--output', 'json', 'SELECT * FROM hunt_run')).stdout,
      ) as Record<string, unknown>[],
  };
}

/** A place whose watch has begun, and where something is due from now on: its schedule was none that ever comes. */
async function begun(text: string): Promise<Place> {
  const place = newPlace();
  place.config(text.replace(OFTEN, '"0 0 30 2 *"'));
  const first = await place.run('watch', '--once');
  expect([first.status, await place.runs()], first.stderr).toEqual([0, []]);
  place.config(text);
  await sleep(1100);
  return place;
}

const setup = (detectors: string, more = ''): string =>
  `watch: { notify_since: ${SINCE} }\n` +
  `hunts: [{ id: archive, ${detectors}schedule: ${OFTEN}, window: ${WINDOW} }]\n` +
  `sinks: [{ id: out, type: file, path: alerts.jsonl, min_severity: informational }]\n${more}`;

/** What one hunt over the same log files finds in a store. */
async function huntedHere(...which: string[]): Promise<readonly Alert[]> {
  const store = ['--store', join(root, 'here')];
  const config = ['--config', join(root, 'none.yaml')];
  writeFileSync(join(root, 'none.yaml'), '');
  const cwd = { cwd: root, env };
  await trailhound(['ingest', join(archive.dir, 'AWSLogs'), ...store, ...config], cwd);
  const hunted = await trailhound(['hunt', ...which, '--from', SINCE, ...store, ...config, '--output', 'json'], cwd);
  return JSON.parse(hunted.stdout) as Alert[];
}

const byId = (alerts: readonly Alert[]): readonly unknown[] =>
  alerts.map((alert) => ({ ...alert, new: false })).toSorted((a, b) => (a.id < b.id ? -1 : 1));

const KILLS = 3;

/** `kills`: messages that were on their way then may come again, under the same keys. */
function expectToldOnce(place: Place, alerts: readonly Alert[], kills = 0): void {
  const all = place.messages().filter(({ kind }) => kind === 'alert');
  const told = [...new Map(all.map((message) => [message.key, message])).values()];
  expect(all.length - told.length).toBeLessThanOrEqual(kills * alerts.length);
  expect(told.flatMap((message) => message.alerts.map(({ id }) => id)).toSorted()).toEqual(
    alerts.map(({ id }) => id).toSorted(),
  );
}

test('a schedule over Athena finds what one hunt over a store finds, and tells of each alert once', async () => {
  const place = await begun(setup('min_severity: high, '));
  const turn = await place.run('watch', '--once', '--log-format', 'json');
  expect(turn.status, turn.stderr).toBe(0);
  const here = await huntedHere('--min-severity', 'high');
  expect(here.length).toBeGreaterThan(20);
  const there = await place.run('alerts', 'list', '--output', 'json');
  expect(byId(JSON.parse(there.stdout))).toEqual(byId(here));
  expectToldOnce(place, here);
  expect(turn.stderr).toMatch(
    /"event":"Athena was asked","hunt":"archive","statements":\d+,"reused":0,"scanned":"[\d.]+ [kM]B","dollars":/u,
  );
  expect(turn.stderr).toMatch(/detectors of s3_access left out: it is not set up on Athena/u);
  const [run] = await place.runs();
  expect(run).toMatchObject({ hunt: 'archive', state: 'done', found: here.length, fresh: here.length, error: null });
  expect(Number(run?.['scanned_bytes'])).toBeGreaterThan(100_000);
  expect((await place.run('status')).stdout).toMatch(
    /^Hunt archive +done at .* found, .* new, [\d.]+ [kM]B scanned on Athena$/mu,
  );
});

test('a service that is killed in the middle of statements tells of each alert once, and ends by SIGTERM with the statement stopped', async () => {
  const place = newPlace();
  place.config(setup(`detectors: ${SOME}, `).replace('watch: { ', 'watch: { listen: "127.0.0.1:0", '));
  const start = (): { readonly child: ChildProcess; readonly ended: Promise<number | null>; stderr(): string } => {
    const child = spawn(process.execPath, [MAIN, 'watch', '--log-format', 'json'], {
      cwd: place.cwd,
      env: { ...process.env, ...env, NO_COLOR: '1' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(child);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    return { child, ended: new Promise((resolve) => child.once('close', resolve)), stderr: () => stderr };
  };
  for (let kills = 0; kills < KILLS; kills += 1) {
    const before = server.statements().length;
    const one = start();
    // From its first statement to somewhere behind its second one.
    await expect.poll(() => server.statements().length, { timeout: 120_000, interval: 20 }).toBeGreaterThan(before);
    await sleep(Math.random() * 1000);
    one.child.kill('SIGKILL');
    await one.ended;
  }
  const last = start();
  await expect
    .poll(async () => (await place.runs()).some(({ state }) => state === 'done'), { timeout: 240_000, interval: 1000 })
    .toBe(true);
  const here = await huntedHere('trail-logging-stopped', 'root-console-login', 'denied-call-spike');
  expect(here.length).toBeGreaterThan(2);
  await expect.poll(() => place.messages().length, { timeout: 120_000 }).toBeGreaterThanOrEqual(here.length);
  const address = /"address":"([^"]+)"/u.exec(last.stderr())?.[1] ?? '';
  const health = await fetch(`http://${address}/healthz`);
  expect([health.status, await health.json()]).toEqual([200, { healthy: true, caught_up: true, problems: [] }]);
  // The one before it may have been through with its run when it was killed: then this one scans when the next is due.
  await expect
    .poll(async () => (await fetch(`http://${address}/metrics`)).text(), { timeout: 120_000, interval: 500 })
    .toMatch(/^trailhound_athena_scanned_bytes_total [1-9]\d+$/mu);
  server.faults.push({ on: 'run', slowMs: 600_000 }, { on: 'run', slowMs: 600_000 });
  await expect.poll(() => server.faults.length, { timeout: 120_000 }).toBeLessThan(2);
  const stops = (): number => server.requests.filter(({ operation }) => operation === 'StopQueryExecution').length;
  const before = stops();
  last.child.kill('SIGTERM');
  expect(await last.ended, last.stderr()).toBe(0);
  // As many as ran at that moment.
  expect(stops()).toBeGreaterThan(before);
  expectToldOnce(place, here, KILLS);
  expect((await place.runs()).filter(({ state }) => state !== 'done')).toEqual([]);
});

test('a statement that fails is a failure of its run, and the next one makes up for it', async () => {
  const place = await begun(setup(`detectors: ${SOME}, `));
  server.faults.push({ on: 'run', state: 'FAILED', reason: 'HIVE_CURSOR_ERROR: a file is damaged', category: 3 });
  const failed = await place.run('watch', '--once');
  expect([failed.status, failed.stderr]).toEqual([3, expect.stringContaining('a file is damaged')]);
  expect(await place.runs()).toMatchObject([{ state: 'failed', error: expect.stringContaining('a file is damaged') }]);
  const again = await place.run('watch', '--once');
  expect(again.status, again.stderr).toBe(0);
  expect(new Set((await place.runs()).map(({ state }) => state))).toEqual(new Set(['failed', 'done']));
  expectToldOnce(place, await huntedHere('trail-logging-stopped', 'root-console-login', 'denied-call-spike'));
});

test('a run ends at its limit, and loses nothing: with more of it the next one makes up for it', async () => {
  const limited = (limit: string): string => setup(`detectors: ${SOME}, `, `athena: { max_scan: ${limit} }\n`);
  const place = await begun(limited('1kB'));
  const refused = await place.run('watch', '--once');
  expect([refused.status, refused.stderr]).toEqual([3, expect.stringContaining('--max-scan')]);
  expect(await place.runs()).toMatchObject([{ state: 'failed', error: expect.stringContaining('stay due') }]);
  // The command line goes before the config.
  const done = await place.run('watch', '--once', '--max-scan', '1GB');
  expect(done.status, done.stderr).toBe(0);
  expectToldOnce(place, await huntedHere('trail-logging-stopped', 'root-console-login', 'denied-call-spike'));
});

test('a question is asked on Athena and its answer delivered', async () => {
  const place = await begun(
    `hunts: [{ id: weekly, query: logins, schedule: ${OFTEN}, parameters: { from: ${SINCE} } }]\n` +
      'sinks: [{ id: out, type: file, path: alerts.jsonl }]\n',
  );
  const turn = await place.run('watch', '--once');
  expect(turn.status, turn.stderr).toBe(0);
  const asked = await place.run('query', 'run', 'logins', '--from', SINCE, '--to', 'now', '--output', 'json');
  const rows = JSON.parse(asked.stdout) as unknown[];
  expect(rows.length).toBeGreaterThan(2);
  expect(place.messages()).toMatchObject([{ kind: 'report', table: { total: rows.length } }]);
  expect(await place.runs()).toMatchObject([{ hunt: 'weekly', state: 'done', found: rows.length }]);
});

test.each([
  ['sources: [./logs]', '2:1: sources: with backend: athena a watch hunts over the bucket, and ingests nothing'],
  ['hunts: [{ id: a, query: logins, schedule: "@daily" }]', 'hunts.0.query: on Athena a question needs a window'],
  ['athena: { database: "a b" }', "cannot use the database 'a b'"],
])('%s is refused', async (text, message) => {
  const place = newPlace();
  place.config(`${text}\n`);
  const { status, stderr } = await place.run('watch', '--once');
  expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  expect(existsSync(join(place.cwd, '.trailhound'))).toBe(false);
});

test('sources are told of by config check, which other commands may have a use for', async () => {
  const place = newPlace();
  place.config('sources: [./logs]\n');
  expect(await place.run('config', 'check')).toMatchObject({
    status: 0,
    stderr: expect.stringContaining('refuses sources beside backend: athena'),
  });
});

test('a config without schedules is fine: its hunts run once a day', async () => {
  const place = newPlace();
  place.config('hunts: [{ id: severe, min_severity: high }]\n');
  expect(await place.run('config', 'check')).toMatchObject({ status: 0, stderr: expect.stringContaining('1 hunt') });
  const options = ['--log-format', 'json'];
  const turn = await place.run('watch', '--once', ...options);
  expect(turn.status, turn.stderr).toBe(0);
});
