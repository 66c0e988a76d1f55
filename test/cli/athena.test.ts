/** A bucket hunted where it lies, as a user does it: the built command line against an S3 and an Athena on loopback. */
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Alert } from '../../src/alert.ts';
import { CREDENTIALS } from '../sources/s3-support.ts';
import { ARCHIVE_BUCKET, type Archive, writeArchive } from '../support/athena-archive.ts';
import { type AthenaServer, startAthena } from '../support/athena-server.ts';
import { objectsIn, type S3Peer, startS3Peer } from '../support/s3-peer.ts';
import { MAIN, newFolder, type Outcome, trailhound } from './run.ts';

const cwd = newFolder();
const WINDOW = ['--from', '2026-03-01', '--to', '2026-03-10'];
const ATHENA = ['--backend', 'athena', ...WINDOW];
const SOURCE = `s3://${ARCHIVE_BUCKET}/AWSLogs/`;

let archive: Archive;
let server: AthenaServer;
let peer: S3Peer;
let env: Record<string, string>;

const run = (...args: string[]): Promise<Outcome> => trailhound(args, { cwd, env });
const alertsOf = ({ stdout }: Outcome): Alert[] => JSON.parse(stdout);
const lines = (text: string): string[] => text.trim().split('\n');

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
});
afterEach(() => {
  server.faults.length = 0;
});
afterAll(async () => {
  await peer.close();
  await server.close();
  archive.close();
  rmSync(cwd, { recursive: true, force: true });
});

describe('before anything is set up', () => {
  test('a hunt says what to do', async () => {
    expect(await run('hunt', ...ATHENA)).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/the database trailhound has no tables of trailhound\n.*trailhound athena setup/u),
    });
  });

  test('what has to be made is printed, and is not made', async () => {
    const { status, stdout, stderr } = await run('athena', 'setup', SOURCE);
    expect({ status, stderr: lines(stderr) }).toEqual({
      status: 0,
      stderr: [
        expect.stringMatching(/^cloudtrail: s3:\/\/example-logs\/AWSLogs\/, 1 account, \d+ regions$/u),
        expect.stringMatching(/^cloudtrail: s3:\/\/example-logs\/AWSLogs\/o-exampleorgid\/, 2 accounts, \d+ regions$/u),
        expect.stringMatching(/^cloudtrail_insight: /u),
        'waf: s3://example-logs/AWSLogs/, 1 source',
        '12 tables and views to make: add --apply, or run these statements yourself',
      ],
    });
    expect(stdout.match(/^CREATE \S+ \S+/gmu)).toEqual([
      'CREATE DATABASE IF',
      'CREATE EXTERNAL TABLE',
      'CREATE EXTERNAL TABLE',
      'CREATE OR REPLACE',
      'CREATE OR REPLACE',
      'CREATE OR REPLACE',
      'CREATE EXTERNAL TABLE',
      'CREATE OR REPLACE',
      'CREATE OR REPLACE',
      'CREATE EXTERNAL TABLE',
      'CREATE OR REPLACE',
      'CREATE OR REPLACE',
    ]);
    expect(server.statements()).toEqual([]);
    expect((await run('athena', 'setup', SOURCE, '--ddl')).stdout).toBe(stdout);
  });
});

describe('set up', () => {
  beforeAll(async () => {
    const made = await run('athena', 'setup', SOURCE, '--apply');
    expect(made.status, made.stderr).toBe(0);
    expect(made.stderr).toMatch(/12 tables and views made/u);
  }, 120_000);

  test('a second time there is nothing to do', async () => {
    const { status, stdout, stderr } = await run('athena', 'setup', SOURCE, '--apply');
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toMatch(/^All is as it should be\.$/mu);
  });

  test('another selection of accounts is told as a difference', async () => {
    const { stderr, stdout } = await run('athena', 'setup', `${SOURCE}o-exampleorgid/`, '--account', '444455556666');
    expect(stderr).toMatch(/^ {2}- projection\.account\.values: 111122223333$/mu);
    expect(stdout).toMatch(/^DROP TABLE `trailhound`\.`cloudtrail_raw/mu);
  });

  test('a hunt finds the alerts that a hunt over the store finds, with the same ids, evidence and texts', async () => {
    const local = ['--store', join(cwd, 'local')];
    await run('ingest', join(archive.dir, 'AWSLogs'), ...local);
    const here = await run('hunt', ...WINDOW, ...local, '--output', 'json');
    const there = await run('hunt', ...ATHENA, '--store', join(cwd, 'there'), '--output', 'json');
    expect(there.status, there.stderr).toBe(0);
    expect(alertsOf(here).length).toBeGreaterThan(30);
    expect(alertsOf(there)).toEqual(alertsOf(here));
    expect(there.stderr).toMatch(/^Athena: \d+ statements, \S+ [kMG]?B scanned, about \$\d/mu);
    expect(there.stderr).toMatch(/^\d+ detectors of s3_access left out: it is not set up on Athena$/mu);
    const again = await run(
      'hunt',
      ...ATHENA,
      '--store',
      join(cwd, 'there'),
      '--output',
      'json',
      '--fail-on',
      'critical',
    );
    expect(again.status).toBe(1);
    expect(new Set(alertsOf(again).map((alert) => alert.new))).toEqual(new Set([false]));
    expect(again.stderr).toMatch(/answered from an earlier result/u);
  }, 300_000);

  test('the lines of a list are found as over the store', async () => {
    const list = join(cwd, 'iocs.txt');
    writeFileSync(list, '203.0.113.0/24\nAKIAIOSFODNN7EXAMPLE\n');
    const args = ['hunt', '--list', list, '--output', 'json', ...WINDOW];
    const here = await run(...args, '--store', join(cwd, 'local'));
    const there = await run(...args, '--backend', 'athena', '--store', join(cwd, 'there'));
    expect(there.status, there.stderr).toBe(0);
    expect(alertsOf(here).length).toBeGreaterThan(0);
    expect(alertsOf(there)).toEqual(alertsOf(here));
  }, 120_000);

  test('a statement is answered as by the store', async () => {
    const statement = 'SELECT event_source, count(*) AS n FROM cloudtrail GROUP BY 1 ORDER BY 2 DESC, 1';
    const there = await run('sql', statement, ...ATHENA, '--output', 'csv');
    const here = await run('sql', statement, '--portable', '--store', join(cwd, 'local'), '--output', 'csv');
    expect(there.status, there.stderr).toBe(0);
    expect(there.stdout).toBe(here.stdout);
  });

  test('a statement for CloudTrail Lake is answered as by the store', async () => {
    const statement =
      "SELECT eventName, userIdentity.type, element_at(requestParameters, 'bucketName') AS bucket, count(*) AS n FROM lake WHERE eventTime >= '2026-03-03 00:00:00' GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3";
    const there = await run('sql', statement, ...ATHENA, '--output', 'csv');
    const here = await run('sql', statement, '--portable', '--store', join(cwd, 'local'), '--output', 'csv');
    expect(there.status, there.stderr).toBe(0);
    expect(there.stdout).toBe(here.stdout);
    expect(lines(there.stdout).length).toBeGreaterThan(50);
    const nested = 'SELECT eventId, userIdentity, resources, responseElements FROM lake ORDER BY eventId';
    const [far, near] = [
      await run('sql', nested, ...ATHENA, '--output', 'json'),
      await run('sql', nested, '--portable', '--store', join(cwd, 'local'), '--output', 'json'),
    ];
    expect(far.status, far.stderr).toBe(0);
    expect(JSON.parse(far.stdout).length).toBe(JSON.parse(near.stdout).length);
    const identity = (text: string): unknown => JSON.parse(text)[0].useridentity ?? JSON.parse(text)[0].userIdentity;
    expect(identity(far.stdout)).toEqual(identity(near.stdout));
  });

  test('a question takes its window from its parameters, or the other way round', async () => {
    const here = await run('query', 'run', 'logins', '--store', join(cwd, 'local'), '--output', 'csv');
    const byOptions = await run('query', 'run', 'logins', ...ATHENA, '--output', 'csv');
    const byParameters = await run(
      'query',
      'run',
      'logins',
      '--backend',
      'athena',
      '--param',
      'from=2026-03-01',
      '--param',
      'to=2026-03-10',
      '--output',
      'csv',
    );
    expect(byOptions.status, byOptions.stderr).toBe(0);
    expect(byOptions.stdout).toBe(here.stdout);
    expect(byParameters.stdout).toBe(here.stdout);
    expect(lines(here.stdout).length).toBeGreaterThan(2);
  });

  test('what it would cost is told from a list of the log files, and nothing is run', async () => {
    const before = server.statements().length;
    const { status, stdout, stderr } = await run('athena', 'estimate', ...WINDOW, '--output', 'json');
    expect(status, stderr).toBe(0);
    const [cloudtrail] = JSON.parse(stdout) as Record<string, number | string>[];
    expect(cloudtrail).toMatchObject({ table: 'cloudtrail', days: 11, bytes_uncertain: 0 });
    expect(cloudtrail?.['bytes']).toBeGreaterThan(100_000);
    expect(cloudtrail?.['partitions']).toBe(cloudtrail?.['folders_listed']);
    expect(stderr).toMatch(/To read each table once is about \S+ [kM]B, for about \$0\.\d+/u);
    expect(server.statements().length).toBe(before);
  });

  test('--dry-run tells statements, partitions and price, and what fusing detectors saves', async () => {
    const before = server.statements().length;
    const { status, stdout, stderr } = await run('hunt', ...ATHENA, '--dry-run', '--output', 'json');
    expect(status, stderr).toBe(0);
    const rows = JSON.parse(stdout) as Record<string, number | string>[];
    expect(rows[0]).toMatchObject({ table: 'cloudtrail', scans: 1, days: 11 });
    expect(Math.max(...rows.map((row) => Number(row['text_bytes'])))).toBeLessThanOrEqual(262_144);
    const [, together] = /^Together: (\d+) statements/mu.exec(stderr) ?? [];
    const [, apart] = /^One by one: (\d+) statements/mu.exec(stderr) ?? [];
    expect(Number(together)).toBeLessThan(Number(apart));
    const sql = await run('sql', 'SELECT count(*) AS n FROM cloudtrail', ...ATHENA, '--dry-run');
    expect(sql.stdout).toMatch(/day BETWEEN '2026\/03\/01' AND '2026\/03\/11'/u);
    expect(sql.stderr).toMatch(/^1 statement, 1 scans?, about \S+ [kM]B/mu);
    expect(server.statements().length).toBe(before);
  }, 120_000);

  test('the files behind a question become a store of their own, and a whole ingest adds the rest, each record once', async () => {
    const condition = "event_name = 'StopLogging' OR user_name = 'mallory' OR outcome = 'denied'";
    const asked = `SELECT DISTINCT source_path FROM cloudtrail WHERE ${condition}`;
    const named = await run('sql', asked, ...ATHENA, '--output', 'csv');
    expect(named.status, named.stderr).toBe(0);
    const [header, ...paths] = lines(named.stdout);
    expect([header, new Set(paths).size]).toEqual(['source_path', paths.length]);
    const keys = objectsIn(archive.dir).map(({ key }) => `s3://${ARCHIVE_BUCKET}/${key}`);
    expect(paths.length).toBeGreaterThan(3);
    expect(paths.filter((path) => !keys.includes(path))).toEqual([]);
    expect(paths.length).toBeLessThan(keys.length / 2);

    const slice = ['--store', join(cwd, 'slice')];
    const listed = peer.counts.list;
    const gone = `s3://${ARCHIVE_BUCKET}/AWSLogs/gone.json.gz`;
    const input = `${named.stdout}${gone}\n`;
    const part = await trailhound(['ingest', '--files-from', '-', ...slice, '--output', 'json'], { cwd, env, input });
    expect(part).toMatchObject({ status: 3, stderr: expect.stringMatching(`cannot read ${gone}: there is no such`) });
    expect(peer.counts.list).toBe(listed);
    // What was asked for is there, and with it all that stands in the same files.
    const question = `SELECT event_id, event_time, event_name, user_name FROM cloudtrail WHERE ${condition} ORDER BY 1, 2, 3, 4`;
    const local = await run('sql', question, '--portable', ...slice, '--output', 'csv');
    const there = await run('sql', question, ...ATHENA, '--output', 'csv');
    expect(local.stdout).toBe(there.stdout);
    expect(lines(local.stdout).length).toBeGreaterThan(5);
    const apart = ['--store', join(cwd, 'apart')];
    const files = paths.map((path) => path.replace(`s3://${ARCHIVE_BUCKET}`, archive.dir));
    expect((await run('ingest', ...files, ...apart)).status).toBe(0);
    const sums = 'SELECT count(*) AS n, bit_xor(hash(COLUMNS(* EXCLUDE (log_file, record_no)))) FROM cloudtrail';
    expect((await run('sql', sums, ...slice, '--output', 'csv')).stdout).toBe(
      (await run('sql', sums, ...apart, '--output', 'csv')).stdout,
    );

    const rest = await run('ingest', SOURCE, ...slice, '--output', 'json');
    const once = await run('ingest', SOURCE, '--store', join(cwd, 'whole'), '--output', 'json');
    const [first, second, whole] = [part, rest, once].map(({ stdout }) => JSON.parse(stdout));
    expect(second.files.known).toBe(paths.length);
    expect(first.records.stored + second.records.stored).toBe(whole.records.stored);
    expect((await run('sql', sums, ...slice, '--output', 'csv')).stdout).toBe(
      (await run('sql', sums, '--store', join(cwd, 'whole'), '--output', 'csv')).stdout,
    );
  }, 300_000);

  test('--max-scan refuses before, by what earlier statements scanned', async () => {
    await run('sql', 'SELECT count(*) AS once FROM cloudtrail', ...ATHENA);
    const before = server.statements().length;
    const refused = await run('sql', 'SELECT count(*) AS twice FROM cloudtrail', ...ATHENA, '--max-scan', '100kB');
    expect(refused).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/would scan about \S+ [kM]B, and --max-scan leaves 100 kB: it is not run/u),
    });
    expect(server.statements().length).toBe(before);
    expect((await run('sql', 'SELECT count(*) AS twice FROM cloudtrail', ...ATHENA, '--max-scan', '1GB')).status).toBe(
      0,
    );
  });

  test('--max-scan stops what scans more', async () => {
    server.faults.push({ on: 'run', slowMs: 30_000, scanEachLook: 400_000_000 });
    const stopped = await run('sql', 'SELECT count(*) AS stopped FROM cloudtrail', ...ATHENA, '--max-scan', '1GB');
    expect(stopped).toMatchObject({
      status: 3,
      stderr: expect.stringMatching(/stopped after 1\.20 GB: --max-scan allows 1\.00 GB/u),
    });
    expect(stopped.stderr).toMatch(/1\.20 GB scanned, about \$0\.0060/u);
  });

  test('Ctrl-C stops the statement on the server', async () => {
    server.faults.push({ on: 'run', slowMs: 60_000 });
    const before = server.requests.filter(({ operation }) => operation === 'StopQueryExecution').length;
    const child = spawn(process.execPath, [MAIN, 'sql', 'SELECT count(*) AS slow FROM cloudtrail', ...ATHENA], {
      cwd,
      env: { ...process.env, ...env },
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    for (let waits = 0; waits < 200 && !server.statements().some((sql) => sql.includes('AS slow')); waits += 1)
      await sleep(50);
    await sleep(300);
    child.kill('SIGINT');
    expect(await ended).toBe(130);
    expect(server.requests.filter(({ operation }) => operation === 'StopQueryExecution').length).toBe(before + 1);
  });

  test('the selftest passes, and says of what it saw nothing', async () => {
    const passed = await run('athena', 'selftest', '--from', '2026-03-04', '--to', '2026-03-07', '--output', 'csv');
    // The WAF logs are of another year.
    expect(passed.stderr, passed.stdout).toMatch(/^35 checks passed, 0 failed, 2 without anything to look at$/mu);
    expect(passed.stdout).toMatch(/^waf: columns and their types,unseen,/mu);
    expect(passed.stdout).toMatch(
      /^cloudtrail: the time of every record can be read,ok,"?\d+ records delivered, 0 without a time/mu,
    );
    expect(passed.status).toBe(0);
  }, 120_000);

  test('the selftest finds what is not as it should be', async () => {
    server.faults.push({ on: 'result', value: 'something else' });
    const failed = await run('athena', 'selftest', '--from', '2026-03-04', '--to', '2026-03-05', '--output', 'csv');
    expect(failed.status).toBe(3);
    expect(failed.stdout).toMatch(/^texts keep quotes and other scripts,failed,/mu);
    expect(failed.stderr).toMatch(/^\d+ checks passed, 1 failed/mu);
  }, 120_000);

  test.each([
    [['sql', 'SELECT count(*) FROM cloudtrail', '--backend', 'athena'], /--backend athena needs --from/u],
    [['sql', 'SELECT count(*) FROM cloudtrail', '--from', '1d'], /--from is for --backend athena only/u],
    [['hunt', '--dry-run'], /--dry-run is for --backend athena only/u],
    [['hunt', '--analyze', ...ATHENA], /--analyze is for the local store only/u],
    [['query', 'run', 'logins', '--max-scan', '5GB'], /--max-scan is for --backend athena only/u],
    [
      ['sql', 'SELECT extra FROM cloudtrail', ...ATHENA],
      /the column cloudtrail\.extra exists only in the local store/u,
    ],
    [['sql', 'SELECT source_path FROM cloudtrail'], /source_path/u],
    [
      ['ingest', '-', '--files-from', '-'],
      /cannot read both a list \(--files-from -\) and log files \(-\) from stdin/u,
    ],
    [['ingest', '--files-from', '-'], /the list - names no log file/u],
    [['sql', 'SELECT * FROM s3_access', ...ATHENA], /the table s3_access is not set up on Athena/u],
    [['hunt', 's3-log-bucket-anonymous', ...ATHENA], /no detector|is not set up/u],
    [['sql', 'SELECT 1 AS one', ...ATHENA, '--database', 'a.b'], /cannot use the database 'a\.b'/u],
    [['sql', 'SELECT 1 AS one', ...ATHENA, '--output-location', 'results'], /cannot use --output-location 'results'/u],
    [['sql', 'SELECT 1 AS one', ...ATHENA, '--max-scan', 'much'], /cannot use 'much' for --max-scan/u],
    [['athena', 'setup', 'logs'], /cannot read 'logs': expected s3:\/\/bucket/u],
    [['athena', 'setup', `s3://${ARCHIVE_BUCKET}/access/2019/`], /no logs were found below/u],
  ])('%j is refused', async (args, message) => {
    expect(await run(...args)).toMatchObject({ status: 2, stdout: '', stderr: expect.stringMatching(message) });
  });
});
