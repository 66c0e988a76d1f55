/** The main job as a user runs it, over the sample logs: what is printed, what is kept, and what a second run says. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Alert } from '../../src/alert.ts';
import { MAIN, newFolder, type Outcome, trailhound } from './run.ts';

const SAMPLES = resolve('sample-logs');
const schemaOf = (name: string) =>
  z.fromJSONSchema(JSON.parse(readFileSync(`docs/reference/${name}.schema.json`, 'utf8')));

const cwd = newFolder();
const run = (...args: string[]) => trailhound(args, { cwd });
const alertsOf = ({ stdout }: Outcome): Alert[] => JSON.parse(stdout);

let first: Outcome;
let again: Outcome;

beforeAll(async () => {
  first = await run('scan', SAMPLES);
  again = await run('scan', SAMPLES, '--output', 'json');
});

afterAll(() => rmSync(cwd, { recursive: true }));

describe('a scan', () => {
  test('prints alerts on stdout and its closing lines on stderr', () => {
    expect(first.status, first.stderr).toBe(0);
    expect(first.stdout).toMatch(/^SEVERITY +TIME +WHO +WHAT +WHERE FROM +ALERT\n/);
    expect(first.stdout).toMatch(/^critical +2026-03-\d\dT\S+Z +user\/\S+ 111122223333 .* [0-9a-f]{10} +new$/m);
    expect(first.stderr).toMatch(/^\d+ files \(.*\), [\d,]+ events, .*\d rejects: see trailhound status --rejects$/m);
    expect(first.stderr).toMatch(/^(\d+) alerts, \1 new$/m);
  });

  test('warns of each kind of broken content once', () => {
    const warnings = first.stderr.split('\n').filter((line) => line.startsWith('warning: gzip-truncated'));
    expect(warnings).toHaveLength(1);
  });

  test('a second time prints the same alerts as known', () => {
    const alerts = alertsOf(again);
    const printed = first.stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => / ([0-9a-f]{10}) +new$/.exec(line)?.[1] ?? line);
    expect(alerts.map(({ id }) => id.slice(0, 10)).toSorted()).toEqual(printed.toSorted());
    expect(new Set(alerts.map((alert) => alert.new))).toEqual(new Set([false]));
    expect(again.stderr).toMatch(/^\d+ alerts, 0 new$/m);
  });

  test('prints alerts as the published schema says', () => {
    const schema = schemaOf('alert');
    for (const alert of alertsOf(again)) expect(schema.safeParse(alert).error).toBeUndefined();
    expect(schema.safeParse({ ...alertsOf(again)[0], more: 1 }).success).toBe(false);
  });

  test('prints the same alerts in every form', async () => {
    const ids = alertsOf(again).map(({ id }) => id);
    const lines = (await run('scan', SAMPLES, '--output', 'jsonl', '--quiet')).stdout.trim().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as Alert).id).toSorted()).toEqual(ids.toSorted());
    const csv = (await run('alerts', 'list', '--limit', '0', '--output', 'csv')).stdout.trim().split('\n');
    expect(
      csv
        .slice(1)
        .map((line) => line.slice(0, 32))
        .toSorted(),
    ).toEqual(ids.toSorted());
    const markdown = (await run('alerts', 'list', '--limit', '0', '--output', 'markdown')).stdout.trim().split('\n');
    expect(markdown).toHaveLength(ids.length + 2);
  });

  test('with --quiet says only warnings', async () => {
    const { stderr } = await run('scan', SAMPLES, '--quiet');
    expect(stderr.split('\n').filter((line) => line !== '' && !line.startsWith('warning: '))).toEqual([]);
  });

  test('with --fail-on ends with 1 for new and for known alerts alike', async () => {
    expect((await run('scan', SAMPLES, '--fail-on', 'critical')).status).toBe(1);
  });

  test('with --strict ends with 3 when something was rejected', async () => {
    const folder = join(cwd, 'broken');
    mkdirSync(folder);
    writeFileSync(join(folder, 'x.json'), '{"Records":[{"eventName":');
    expect((await run('scan', folder, '--store', 'other-store', '--strict')).status).toBe(3);
    rmSync(folder, { recursive: true });
  });

  test('over an empty folder says that there is nothing', async () => {
    const folder = join(cwd, 'empty');
    mkdirSync(folder);
    const { status, stdout, stderr } = await run('scan', folder, '--store', 'other-store');
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(stderr).toMatch(/^0 files, 0 events, 0 rejects$/m);
    expect(stderr).toMatch(/^0 alerts, 0 new$/m);
  });

  test('whose store would lie inside the source is refused, and nothing is written', async () => {
    const folder = join(cwd, 'evidence');
    mkdirSync(folder);
    const { status, stderr } = await trailhound(['scan', '.'], { cwd: folder });
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('it lies inside') });
    expect(existsSync(join(folder, '.trailhound'))).toBe(false);
  });

  test('with --dry-run tells what it would take, and writes nothing', async () => {
    const { status, stdout } = await run('scan', SAMPLES, '--store', 'none-yet', '--dry-run', '--output', 'json');
    expect({ status, forecast: JSON.parse(stdout) }).toMatchObject({
      status: 0,
      forecast: { known: 0, files: expect.any(Number) },
    });
    expect(existsSync(join(cwd, 'none-yet'))).toBe(false);
  });

  test('of stdin finds the same', async () => {
    const record = {
      eventVersion: '1.11',
      eventTime: '2026-03-02T00:00:00Z',
      eventSource: 'cloudtrail.amazonaws.com',
      eventName: 'StopLogging',
      awsRegion: 'eu-central-1',
      sourceIPAddress: '198.51.100.7',
      eventID: '0a1b2c3d-0000-4000-8000-000000000001',
      recipientAccountId: '111122223333',
      userIdentity: {
        type: 'IAMUser',
        arn: 'arn:aws:iam::111122223333:user/\u001b[2Jevil\u202e',
        accountId: '111122223333',
      },
      requestParameters: { name: '=cmd|calc' },
    };
    const input = gzipSync(JSON.stringify({ Records: [record] }));
    const { stdout, status } = await trailhound(['scan', '-', '--store', 'stdin-store'], { cwd, input });
    expect(status).toBe(0);
    expect(stdout).toContain('user/\\x1b[2Jevil\\u{202e}');
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  test('that is interrupted ends with 130, and the next one completes', async () => {
    const child = spawn(process.execPath, [MAIN, 'scan', SAMPLES, '--store', 'cut-short'], { cwd });
    const ended = new Promise((done) => child.on('close', done));
    // Whoever is not there yet to be interrupted is ended by the system.
    while (child.exitCode === null && !existsSync(join(cwd, 'cut-short', 'VERSION'))) await sleep(5);
    child.kill('SIGINT');
    const status = await ended;
    expect([0, 130]).toContain(status);
    const whole = await run('scan', SAMPLES, '--store', 'cut-short', '--output', 'json');
    expect(alertsOf(whole).map(({ id }) => id)).toEqual(alertsOf(again).map(({ id }) => id));
  });
});

describe('after a scan', () => {
  test('each planted attack is among the ten weightiest alerts', async () => {
    const weightiest = alertsOf(await run('alerts', 'list', '--sort', 'rank', '--limit', '10', '--output', 'json'));
    expect(weightiest).toHaveLength(10);
    const principals = weightiest.map(({ principal_arn }) => principal_arn);
    for (const attacker of [
      // A leaked key, and the user that was made with it.
      'arn:aws:iam::111122223333:user/ci-release',
      'arn:aws:iam::111122223333:user/support-temp',
      // Borrowed credentials.
      'arn:aws:iam::111122223333:user/richard_roe',
      // A shortcut.
      'arn:aws:iam::444455556666:root',
    ])
      expect(principals).toContain(attacker);
  });

  test('the status is as the published schema says, and balanced', async () => {
    const { stdout, status } = await run('status', '--output', 'json');
    const parsed: unknown = JSON.parse(stdout);
    expect(status).toBe(0);
    expect(schemaOf('status').safeParse(parsed).error).toBeUndefined();
    expect(parsed).toMatchObject({ balanced: true, writer: null });
  });

  test('the store is named by the option, else the environment, else the config, else it is ./.trailhound', async () => {
    const elsewhere = newFolder();
    const storeOf = async (args: readonly string[], env: Readonly<Record<string, string>>) =>
      (
        JSON.parse((await trailhound(['status', '--output', 'json', ...args], { cwd: elsewhere, env })).stdout) as {
          store: string;
        }
      ).store;
    const store = join(cwd, '.trailhound');
    expect(await storeOf(['--store', store], { TRAILHOUND_STORE: 'nowhere' })).toBe(store);
    writeFileSync(join(elsewhere, 'trailhound.yaml'), 'store: nowhere\n');
    expect(await storeOf([], { TRAILHOUND_STORE: store })).toBe(store);
    writeFileSync(join(elsewhere, 'trailhound.yaml'), `store: ${store}\n`);
    expect(await storeOf([], {})).toBe(store);
    rmSync(elsewhere, { recursive: true });
  });

  test('the rejects are listed with what they were', async () => {
    const { stdout } = await run('status', '--rejects', '--output', 'jsonl');
    const rejects = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { reason: string; text: string });
    expect(rejects.map(({ reason }) => reason)).toContain('gzip-truncated');
  });

  test('an alert is shown with a statement that gives its events', async () => {
    const alert = alertsOf(again).find(({ event_ids_total }) => event_ids_total > 1) as Alert;
    const { stdout } = await run('alerts', 'show', alert.id.slice(0, 8));
    expect(stdout).toContain(alert.id);
    const statement = /trailhound sql "(.*)"\n/.exec(stdout)?.[1] ?? '';
    const events = await run('sql', statement, '--output', 'json');
    expect((JSON.parse(events.stdout) as { event_id: string }[]).map(({ event_id }) => event_id)).toEqual(
      alert.event_ids,
    );
  });

  test('an alert that there is not, and a beginning that is too short, are named', async () => {
    expect(await run('alerts', 'show', 'ffffffff')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("'ffffffff'"),
    });
    expect(await run('alerts', 'show', 'a')).toMatchObject({ status: 2 });
  });

  test('alerts are listed by severity and detector', async () => {
    const critical = alertsOf(await run('alerts', 'list', '--min-severity', 'critical', '--output', 'json'));
    expect(critical.length).toBeGreaterThan(0);
    expect(new Set(critical.map(({ severity }) => severity))).toEqual(new Set(['critical']));
    const [{ detector } = { detector: '' }] = critical;
    const same = alertsOf(await run('alerts', 'list', '--detector', detector, '--output', 'json'));
    expect(new Set(same.map((alert) => alert.detector))).toEqual(new Set([detector]));
  });

  test('a hunt over the whole store finds what the scan found', async () => {
    const found = alertsOf(await run('hunt', '--output', 'json'));
    expect(found.map(({ id }) => id)).toEqual(alertsOf(again).map(({ id }) => id));
  });

  test('a hunt over a window finds only what touches it', async () => {
    const found = alertsOf(await run('hunt', '--from', '2026-03-07', '--to', '2026-03-08', '--output', 'json'));
    expect(found.length).toBeGreaterThan(0);
    for (const alert of found) expect(alert.last_seen >= '2026-03-07' && alert.first_seen < '2026-03-08').toBe(true);
  });

  test('a plan tells what is read, and how long each statement and each detector took', async () => {
    const args = ['hunt', 'calls-above-usual', 'denied-call-spike', 'region-first-used', '--from', '2026-03-07'];
    const plan = await run(...args, '--explain');
    expect(plan.status).toBe(0);
    expect(plan.stdout).toContain('\n-- reads event_time, account_id, principal, actor_type\n');
    expect(plan.stdout).not.toContain(' ms');
    rmSync(join(cwd, '.trailhound', 'counts'), { recursive: true });
    const { status, stdout } = await run(...args, '--analyze');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^-- counts for calls-above-usual, /mu);
    expect(stdout).toMatch(/^-- took [0-9.]+ ms$/mu);
    expect(stdout).toMatch(/^-- +[0-9.]+ ms {2}the history behind baselines$/mu);
    // What was counted is not counted again.
    expect((await run(...args, '--analyze')).stdout).not.toContain('-- counts for');
  });

  test('a list of indicators tells which occur, with whom and when', async () => {
    const { stdout: top } = await run(
      'sql',
      'SELECT source_ip, access_key_id FROM cloudtrail WHERE source_ip IS NOT NULL AND access_key_id IS NOT NULL ORDER BY event_time LIMIT 1',
      '--output',
      'json',
    );
    const [seen] = JSON.parse(top) as [{ source_ip: string; access_key_id: string }];
    writeFileSync(
      join(cwd, 'iocs.txt'),
      `# case 17\n${seen.source_ip}\n${seen.access_key_id}\n203.0.113.255\n192.88.99.0/24\narn:aws:iam::999999999999:user/nobody\nno-such-agent/1.0\n`,
    );
    const { status, stdout, stderr } = await run('hunt', '--list', 'iocs.txt', '--output', 'json');
    expect(status, stderr).toBe(0);
    const indicators = new Set((JSON.parse(stdout) as Alert[]).map(({ subject }) => subject['indicator']));
    expect(indicators).toEqual(new Set([seen.source_ip, seen.access_key_id]));
    expect(stderr).toMatch(/^2 indicators of 6 seen: /m);
    // Its detector is in no catalogue any more, as that of a retired one.
    expect(alertsOf(await run('alerts', 'list', '--detector', 'listed-indicator', '--output', 'json'))).not.toEqual([]);
    expect((await run('alerts', 'list', '--detector', 'listed-indicator', '--from', 'now')).status).toBe(0);
  });

  test('alerts of a detector that neither the catalogue nor the store knows are an error', async () => {
    const { status, stdout, stderr } = await run('alerts', 'list', '--detector', 'denied-call-spik');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain("no detector has the id 'denied-call-spik'. Did you mean 'denied-call-spike'?");
    expect((await run('alerts', 'list', '--detector', 'buckets-deleted-in-bulk', '--from', 'now')).status).toBe(0);
  });

  test('a statement that writes, reads a file or changes a setting is refused', async () => {
    for (const statement of [
      "COPY cloudtrail TO 'out.csv'",
      "SELECT * FROM read_text('/etc/passwd')",
      'SET threads = 1',
      'DROP VIEW cloudtrail',
      'SELECT 1; SELECT 2',
      "SELECT * FROM '/etc/passwd'",
    ]) {
      const { status, stdout } = await run('sql', statement);
      expect([statement, status, stdout]).toEqual([statement, 2, '']);
    }
  });

  test('SQL that claims to be portable and is not is refused with its place; without the claim it runs', async () => {
    const statement = "SELECT event_name\nFROM cloudtrail WHERE user_agent ILIKE 'x'";
    const { status, stdout, stderr } = await run('sql', '--portable', statement);
    expect({ status, stdout }, stderr).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(/line 2, column 34: ILIKE\nWrite lower\(x\) LIKE/);
    expect((await run('sql', statement)).status).toBe(0);
  });

  test('a result becomes a Parquet file that holds the same rows', async () => {
    const { status, stdout } = await run(
      'sql',
      'SELECT event_time, event_name, resource_arns, mfa FROM cloudtrail',
      '--output',
      'parquet',
      '--file',
      'events.parquet',
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
    expect(readFileSync(join(cwd, 'events.parquet')).subarray(0, 4).toString()).toBe('PAR1');
  });

  test('the init file for plain DuckDB names exactly the live segments', async () => {
    const { stdout } = await run('connect');
    const files = (
      JSON.parse((await run('store', 'info', '--files', '--output', 'json')).stdout) as { path: string }[]
    ).map(({ path }) => path);
    expect([...stdout.matchAll(/^ {2}'(.*)',?$/gm)].map((match) => match[1])).toEqual(files);
  });

  test('a suppression hides alerts, and its removal shows them again', async () => {
    const [{ detector } = { detector: '' }] = alertsOf(again);
    const added = await run('suppress', 'add', detector, '--reason', 'a test', '--until', '30d');
    expect(added.status, added.stderr).toBe(0);
    const shown = alertsOf(await run('hunt', '--output', 'json'));
    expect(shown.map((alert) => alert.detector)).not.toContain(detector);
    const [{ id } = { id: 0 }] = JSON.parse((await run('suppress', 'list', '--output', 'json')).stdout) as {
      id: number;
    }[];
    expect((await run('suppress', 'remove', String(id))).status).toBe(0);
    expect(alertsOf(await run('hunt', '--output', 'json')).map((alert) => alert.detector)).toContain(detector);
  });

  test('the store is whole, also after compaction', async () => {
    expect((await run('store', 'compact')).status).toBe(0);
    expect(await run('store', 'check')).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('agree with the catalog'),
    });
  });

  test('a store of a newer version is refused', async () => {
    const store = join(cwd, 'newer');
    await run('ingest', join(SAMPLES, 'AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/04'), '--store', store);
    writeFileSync(join(store, 'VERSION'), '999\n');
    expect(await run('status', '--store', store)).toMatchObject({ status: 2, stderr: expect.stringContaining('999') });
  });
});
