/** `athena compact` as a user does it: the built command line against moto's S3 and an Athena on loopback, which reads log files there and writes Parquet there. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Alert } from '../../src/alert.ts';
import { CREDENTIALS } from '../sources/s3-support.ts';
import { ARCHIVE_BUCKET, type Archive, writeArchive } from '../support/athena-archive.ts';
import { type AthenaServer, startAthena } from '../support/athena-server.ts';
import { type FilledMoto, motoMissing, startFilledMoto } from '../support/moto.ts';
import { MAIN, newFolder, type Outcome, trailhound } from './run.ts';

const cwd = newFolder();
const FIRST = '2026-03-02';
const LAST = '2026-03-08';
const WINDOW = ['--from', FIRST, '--to', '2026-03-09'];
const TARGET = `s3://${ARCHIVE_BUCKET}/compacted`;
const COMPACT = ['athena', 'compact', TARGET, ...WINDOW, '--table', 'cloudtrail', '--output', 'json'];

let archive: Archive;
let server: AthenaServer;
let moto: FilledMoto;
let s3: S3Client;
let env: Record<string, string>;

type Figures = Readonly<Record<string, number | string>>;

const run = (...args: string[]): Promise<Outcome> => trailhound(args, { cwd, env });
const figuresOf = ({ stdout }: Outcome): readonly Figures[] => JSON.parse(stdout);

async function keys(prefix: string): Promise<readonly string[]> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket: ARCHIVE_BUCKET, Prefix: prefix }));
  return Contents.map(({ Key: key = '' }) => key);
}
const dayOf = (day: string): string => day.replaceAll('-', '/');
const dataOf = (day: string): Promise<readonly string[]> => keys(`compacted/data/cloudtrail/${dayOf(day)}/`);
async function textOf(key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: ARCHIVE_BUCKET, Key: key }));
  return (await Body?.transformToString()) ?? '';
}
const listOf = async (day: string): Promise<readonly string[]> =>
  (await textOf(`compacted/cloudtrail/${dayOf(day)}/symlink.txt`)).trim().split('\n');
/** All that readers see, by the key of each list. */
async function lists(): Promise<Readonly<Record<string, string>>> {
  const names = (await keys('compacted/cloudtrail/')).filter((key) => key.endsWith('symlink.txt'));
  return Object.fromEntries(await Promise.all(names.map(async (key) => [key, await textOf(key)] as const)));
}
async function aLogFile(day: string): Promise<string> {
  const all = await keys('AWSLogs/o-exampleorgid/444455556666/CloudTrail/');
  const found = all.find((key) => key.includes(`/${dayOf(day)}/`));
  if (found === undefined) throw new Error(`there is no log file of ${day}`);
  return found;
}
/** A log file is delivered. */
async function deliver(key: string, bytes: Uint8Array): Promise<void> {
  mkdirSync(dirname(join(archive.dir, key)), { recursive: true });
  writeFileSync(join(archive.dir, key), bytes);
  await s3.send(new PutObjectCommand({ Bucket: ARCHIVE_BUCKET, Key: key, Body: bytes }));
  await server.reread();
}
const stops = () => server.requests.filter(({ operation }) => operation === 'StopQueryExecution');
const unloads = (): readonly string[] => server.statements().filter((text) => text.startsWith('UNLOAD'));

beforeAll(async () => {
  if (motoMissing !== null) return;
  archive = writeArchive();
  moto = await startFilledMoto(archive.dir, ARCHIVE_BUCKET);
  const url = `http://127.0.0.1:${moto.port}`;
  server = await startAthena({ buckets: { [ARCHIVE_BUCKET]: archive.dir }, s3Url: url });
  s3 = new S3Client({
    endpoint: url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  env = {
    ...Object.fromEntries(
      Object.entries(CREDENTIALS).filter((entry): entry is [string, string] => entry[1] !== undefined),
    ),
    AWS_REGION: 'us-east-1',
    AWS_ENDPOINT_URL_S3: url,
    AWS_ENDPOINT_URL_ATHENA: server.url,
  };
  const made = await run('athena', 'setup', `s3://${ARCHIVE_BUCKET}/AWSLogs/`, '--apply');
  expect(made.status, made.stderr).toBe(0);
}, 180_000);
afterEach(() => {
  if (server !== undefined) server.faults.length = 0;
});
afterAll(async () => {
  s3?.destroy();
  await moto?.close();
  await server?.close();
  archive?.close();
  rmSync(cwd, { recursive: true, force: true });
});

describe.skipIf(motoMissing !== null)('athena compact', () => {
  test('tells what it would read and cost, and does nothing', async () => {
    const before = server.statements().length;
    const { status, stdout, stderr } = await run(...COMPACT, '--dry-run');
    expect(status, stderr).toBe(0);
    const [row] = JSON.parse(stdout) as Figures[];
    // A statement for each day, and one that counts them.
    expect(row).toMatchObject({ table: 'cloudtrail', days: 7, compacted_days: 7, statements: 8, rows: 0 });
    expect(stderr).toMatch(/^7 days would be compacted: to read \S+ [kM]B in 8 statements, for about \$0\.0004$/mu);
    expect(server.statements().length).toBe(before);
    expect(await keys('compacted/')).toEqual([]);
  });

  test('a statement that fails leaves the day as it was, and the next run completes it', async () => {
    server.faults.push({ on: 'unload', reason: 'Query exhausted resources at this scale factor', category: 2 });
    const failed = await run(...COMPACT);
    expect(failed).toMatchObject({ status: 3, stderr: expect.stringMatching(/exhausted resources/u) });
    const listed = Object.keys(await lists());
    expect(listed.length).toBeLessThan(7);
    const there = await keys('compacted/data/');
    const done = await run(...COMPACT);
    expect(done.status, done.stderr).toBe(0);
    expect(figuresOf(done)[0]).toMatchObject({ unchanged_days: listed.length, compacted_days: 7 - listed.length });
    // Nothing of the statement that failed is left: two files a day, and the note.
    expect((await keys('compacted/data/')).length).toBe(7 * 3);
    expect((await keys('compacted/data/')).filter((key) => there.includes(key)).length).toBe(listed.length * 3);
  }, 120_000);

  test('its sums are those of the store of the same log files', async () => {
    const ingested = await run('ingest', join(archive.dir, 'AWSLogs'), '--store', join(cwd, 'local'));
    expect(ingested.status, ingested.stderr).toBe(0);
    const local = ['--store', join(cwd, 'local'), '--output', 'json'];
    const stored = await run('sql', 'SELECT count(*) AS n FROM cloudtrail', ...local);
    const delivered = await run(
      'sql',
      "SELECT count(*) AS n, 'delivered' AS what FROM cloudtrail",
      '--backend',
      'athena',
      ...WINDOW,
      '--output',
      'json',
    );
    const { stdout, stderr, status } = await run('athena', 'compact', `${TARGET}-all`, ...WINDOW, '--output', 'json');
    expect(status, stderr).toBe(0);
    const [cloudtrail, ...others] = JSON.parse(stdout) as Figures[];
    expect(cloudtrail?.['rows']).toBe(JSON.parse(stored.stdout)[0].n);
    expect(cloudtrail?.['rows']).toBe(JSON.parse(delivered.stdout)[0].n);
    // The log files of an account came twice.
    expect(cloudtrail?.['duplicates']).toBeGreaterThan(0);
    expect(cloudtrail?.['records']).toBe(Number(cloudtrail?.['rows']) + Number(cloudtrail?.['duplicates']));
    expect(others.map(({ table }) => table)).toEqual(['waf', 'cloudtrail_insight']);
    expect(stderr).toMatch(/^Athena: \d+ statements, \S+ [kM]B scanned, about \$0\.\d+$/mu);
  }, 180_000);

  test('a second time there is nothing to do, and nothing is paid for', async () => {
    const before = server.statements().length;
    const seen = await lists();
    const again = await run(...COMPACT);
    expect(again.status, again.stderr).toBe(0);
    expect(figuresOf(again)[0]).toMatchObject({
      unchanged_days: 7,
      compacted_days: 0,
      statements: 0,
      removed_files: 0,
    });
    expect(server.statements().length).toBe(before);
    expect(await lists()).toEqual(seen);
  });

  test('a hunt over it finds what a hunt over the log files finds', async () => {
    const made = await run('athena', 'setup', TARGET, '--database', 'compacted', '--apply');
    expect(made.status, made.stderr).toBe(0);
    const args = ['hunt', '--backend', 'athena', '--from', FIRST, '--to', '2026-03-09', '--output', 'json'];
    const tables = await run(
      'sql',
      'SELECT count(*) AS n FROM cloudtrail',
      ...args.slice(1),
      '--database',
      'compacted',
    );
    expect(JSON.parse(tables.stdout)[0].n).toBeGreaterThan(1000);
    const logs = await run(...args, '--store', join(cwd, 'logs'));
    const compacted = await run(...args, '--store', join(cwd, 'compacted'), '--database', 'compacted');
    expect(compacted.status, compacted.stderr).toBe(0);
    const alertsOf = ({ stdout }: Outcome): Alert[] => JSON.parse(stdout);
    const ofTrail = alertsOf(logs).filter(({ detector }) => !detector.startsWith('waf-'));
    expect(ofTrail.length).toBeGreaterThan(30);
    expect(alertsOf(compacted)).toEqual(ofTrail);
  }, 300_000);

  test('only the days of a log file that came late are compacted again; their former files stay for who reads them', async () => {
    const source = await aLogFile('2026-03-04');
    const [record] = JSON.parse(gunzipSync(readFileSync(join(archive.dir, source))).toString('utf8')).Records;
    const id = '00000000-0000-4000-8000-0000000000a';
    const late = ['2026-03-04T23:59:59Z', '2026-03-02T00:00:00Z'].map((eventTime, at) => ({
      ...record,
      eventTime,
      eventID: `${id}${at}`,
    }));
    const name = source.replace('2026/03/04', '2026/03/06').replace('.json.gz', 'late.json.gz');
    await deliver(name, gzipSync(JSON.stringify({ Records: late })));
    const [former, rows] = [await listOf('2026-03-04'), figuresOf(await run(...COMPACT, '--dry-run'))[0]];
    // Of the three days whose files are looked for in that folder.
    expect(rows).toMatchObject({ unchanged_days: 4, compacted_days: 3 });
    const before = server.statements().length;
    const done = await run(...COMPACT);
    expect(figuresOf(done)[0]).toMatchObject({ unchanged_days: 4, compacted_days: 3, removed_files: 0 });
    expect(done.stderr).toMatch(/^warning: 1 record of cloudtrail came so long after its event that no day has it$/mu);
    expect(server.statements().length).toBe(before + 4);
    expect((await dataOf('2026-03-04')).length).toBe(2 + 2 + 1);
    for (const url of former) expect(await keys(url.replace(`s3://${ARCHIVE_BUCKET}/`, ''))).toHaveLength(1);
    const after = await run(...COMPACT);
    expect(figuresOf(after)[0]).toMatchObject({ unchanged_days: 7, removed_files: 6 });
    expect((await dataOf('2026-03-04')).length).toBe(2 + 1);
  }, 120_000);

  test('rows that are not there are missed, and the day stays as it was', async () => {
    const seen = await lists();
    const source = await aLogFile('2026-03-08');
    await deliver(source.replace('.json.gz', 'copy.json.gz'), readFileSync(join(archive.dir, source)));
    const half = { on: 'unload', where: 'hash(event_id) % 2 = 0' } as const;
    server.faults.push(half, half, half);
    const differs = await run(...COMPACT);
    expect(differs.status).toBe(3);
    expect(differs.stderr).toMatch(
      /cloudtrail of 2026-03-08 was left as it was: \d+ rows were written, expected \d+, as many as its log files have events/u,
    );
    expect(figuresOf(differs)[0]).toMatchObject({ failed_days: 3, compacted_days: 0 });
    expect(await lists()).toEqual(seen);
    const done = await run(...COMPACT);
    expect(figuresOf(done)[0]).toMatchObject({ failed_days: 0, compacted_days: 3 });
  }, 120_000);

  test('log files that are gone take nothing away', async () => {
    const seen = await lists();
    const gone = (await keys('AWSLogs/o-exampleorgid/444455556666/CloudTrail/')).filter((key) =>
      key.includes('/2026/03/02/'),
    );
    expect(gone.length).toBeGreaterThan(0);
    for (const key of gone) {
      rmSync(join(archive.dir, key));
      await s3.send(new DeleteObjectCommand({ Bucket: ARCHIVE_BUCKET, Key: key }));
    }
    await server.reread();
    const before = server.statements().length;
    expect(figuresOf(await run(...COMPACT))[0]).toMatchObject({ unchanged_days: 7, failed_days: 0 });
    expect(server.statements().length).toBe(before);
    expect(await lists()).toEqual(seen);
  }, 60_000);

  test('Ctrl-C stops the statement on the server', async () => {
    const place = `${TARGET}-stopped`;
    server.faults.push({ on: 'run', slowMs: 1 }, { on: 'run', slowMs: 60_000 });
    const [known, stopped] = [unloads().length, stops().length];
    const child = spawn(
      process.execPath,
      [MAIN, 'athena', 'compact', place, '--from', LAST, '--to', '2026-03-09', '--table', 'cloudtrail'],
      {
        cwd,
        env: { ...process.env, ...env },
      },
    );
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    for (let waits = 0; waits < 1000 && unloads().length === known; waits += 1) await sleep(50);
    await sleep(300);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(stops().length).toBe(stopped + 1);
    expect(await keys('compacted-stopped/cloudtrail/2026/')).toEqual([]);
  }, 120_000);

  test('--max-scan refuses before, by the sizes of the log files', async () => {
    const before = server.statements().length;
    const refused = await run(
      'athena',
      'compact',
      `${TARGET}-limited`,
      ...WINDOW,
      '--table',
      'cloudtrail',
      '--max-scan',
      '10kB',
    );
    expect(refused).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/would scan about \S+ [kM]B, and --max-scan leaves 10\.0 kB: it is not run/u),
    });
    expect(server.statements().length).toBe(before);
  });

  test.each([
    [['athena', 'compact', TARGET], /--backend athena needs --from|needs --from/u],
    [['athena', 'compact', './folder', ...WINDOW], /cannot compact to '\.\/folder': expected s3:\/\/bucket\/prefix/u],
    [
      ['athena', 'compact', TARGET, ...WINDOW, '--table', 'trails'],
      /cannot compact the table 'trails': expected one of cloudtrail/u,
    ],
    [['athena', 'compact', TARGET, ...WINDOW, '--table', 's3_access'], /the table s3_access is not set up on Athena/u],
    [['athena', 'compact', TARGET, '--from', '1h', '--to', 'now'], /this day of UTC is not over/u],
    [
      ['athena', 'compact', `s3://${ARCHIVE_BUCKET}/AWSLogs/compacted`, ...WINDOW, '--table', 'cloudtrail'],
      /cannot compact cloudtrail to s3:\/\/example-logs\/AWSLogs\/compacted\/: its log files lie in s3:\/\/example-logs\/AWSLogs\//u,
    ],
    [
      ['athena', 'compact', TARGET, ...WINDOW, '--database', 'compacted'],
      /the database compacted has no tables of log files/u,
    ],
  ])('%j is refused', async (args, message) => {
    expect(await run(...args)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(message) });
  });
});
