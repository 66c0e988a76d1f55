/** The life of alerts as a user leads it: decided upon, told as incidents, suppressed, handed over. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { Alert } from '../../src/alert.ts';
import type { Incident } from '../../src/incident.ts';
import { suppressionLabel } from '../../src/pipeline/alerts.ts';
import { Catalog } from '../../src/store/catalog.ts';
import { openStore } from '../../src/store/store.ts';
import { newFolder, trailhound } from './run.ts';

const schemaOf = (name: string) =>
  z.fromJSONSchema(JSON.parse(readFileSync(`docs/reference/${name}.schema.json`, 'utf8')));

const cwd = newFolder();
const store = join(cwd, '.trailhound');
const run = (...args: string[]) => trailhound(args, { cwd, env: { USER: 'martha' } });
const fed = (input: string, ...args: string[]) => trailhound(args, { cwd, input });
const parsed = async <T>(...args: string[]): Promise<T> => {
  const { stdout, stderr } = await run(...args, '--output', 'json');
  expect(stdout, stderr).not.toBe('');
  return JSON.parse(stdout) as T;
};
const listed = (...args: string[]) => parsed<Alert[]>('alerts', 'list', '--status', 'all', ...args);
/** What a terminal or a page would obey, but for the line breaks of ours. */
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e]/;

let made = 0;
function record(minute: number, user: string, eventSource: string, eventName: string, change: object = {}): object {
  made += 1;
  return {
    eventVersion: '1.11',
    eventTime: new Date(Date.parse('2026-03-06T20:00:00Z') + minute * 60_000).toISOString(),
    eventSource,
    eventName,
    awsRegion: 'eu-central-1',
    sourceIPAddress: '198.51.100.7',
    eventID: `0a1b2c3d-0000-4000-8000-${String(made).padStart(12, '0')}`,
    recipientAccountId: '111122223333',
    userIdentity: {
      type: 'IAMUser',
      arn: `arn:aws:iam::111122223333:user/${user}`,
      accountId: '111122223333',
      userName: user,
    },
    ...change,
  };
}

const HOSTILE = '\u001b]0;owned\u0007mallory\u202e';
const records = [
  record(0, 'alice', 'iam.amazonaws.com', 'CreateAccessKey', {
    requestParameters: { userName: 'bob' },
    responseElements: { accessKey: { userName: 'bob', accessKeyId: 'AKIAIOSFODNN7EXAMPLE' } },
  }),
  record(9, 'alice', 'guardduty.amazonaws.com', 'DeleteDetector', { requestParameters: { detectorId: 'd' } }),
  record(14, 'alice', 'cloudtrail.amazonaws.com', 'StopLogging', {
    requestParameters: { name: '=HYPERLINK("http://x")' },
  }),
  record(20, HOSTILE, 'cloudtrail.amazonaws.com', 'StopLogging', { requestParameters: { name: '=cmd|calc' } }),
  record(21, HOSTILE, 'guardduty.amazonaws.com', 'DeleteDetector', { requestParameters: { detectorId: 'd' } }),
  record(2000, 'carol', 'cloudtrail.amazonaws.com', 'StopLogging', { requestParameters: { name: 'trail' } }),
];

/** One alert of each kind and caller. */
let idOf: (detector: string, caller: string) => string;

beforeAll(async () => {
  const { status, stderr } = await fed(JSON.stringify({ Records: records }), 'scan', '-');
  expect(status, stderr).toBe(0);
  const alerts = await listed();
  idOf = (detector, caller) => {
    const found = alerts.find((one) => one.detector === detector && one.principal_arn?.endsWith(caller));
    return found?.id ?? `no alert of ${detector} and ${caller}`;
  };
});

afterAll(() => rmSync(cwd, { recursive: true }));

describe('a decision', () => {
  test('is taken for several alerts at once, kept with who and why, and told once', async () => {
    const ids = [idOf('trail-logging-stopped', 'carol'), idOf('guardduty-disabled', 'alice')];
    const first = await run(
      'alerts',
      'close',
      ids[0] ?? '',
      (ids[1] ?? '').slice(0, 12),
      '--why',
      'a drill',
      '--by',
      'dora',
    );
    expect(first).toMatchObject({ status: 0, stderr: '2 alerts closed\n' });
    expect(first.stdout).toMatch(/^critical .* closed$/m);
    const again = await run('alerts', 'close', ids[0] ?? '', '--why', 'another reason');
    expect(again).toMatchObject({ status: 0, stderr: '0 alerts closed, 1 was closed before\n' });
    const shown = await parsed<{ status: string; history: object[] }>('alerts', 'show', ids[0] ?? '');
    expect(shown.status).toBe('closed');
    expect(shown.history).toMatchObject([
      { change: 'new', by: null, why: null, count: 1 },
      { change: 'closed', by: 'dora', why: 'a drill', count: 1 },
    ]);
    expect((await run('alerts', 'show', ids[0] ?? '')).stdout).toMatch(
      /^History\n {2}\S+Z {2}new \(1 event\)\n {2}\S+Z {2}closed by dora: a drill \(1 event\)\n/m,
    );
    expect(await run('alerts', 'reopen', ...ids)).toMatchObject({ status: 0, stderr: '2 alerts open again\n' });
    expect(await run('alerts', 'ack', ids[0] ?? '')).toMatchObject({ stderr: '1 alert acknowledged\n' });
    const history = (await parsed<{ history: object[] }>('alerts', 'show', ids[0] ?? '')).history;
    expect(history.slice(2)).toMatchObject([
      { change: 'reopened', by: 'martha', why: null },
      { change: 'acknowledged', by: 'martha', why: null },
    ]);
    await run('alerts', 'reopen', ids[0] ?? '');
  });

  test('takes its ids from stdin as a list prints them; an empty list is no mistake', async () => {
    const lines = (await run('alerts', 'list', '--detector', 'access-key-for-another-user', '--output', 'jsonl'))
      .stdout;
    const ids = lines.split('\n').flatMap((line) => (line === '' ? [] : [(JSON.parse(line) as Alert).id]));
    expect(ids).toHaveLength(1);
    const { status, stdout } = await fed(`\r\n${ids.join('\n')}\n`, 'alerts', 'ack', '-', '--output', 'jsonl');
    expect([status, (JSON.parse(stdout) as Alert).status]).toEqual([0, 'acknowledged']);
    expect(await fed('', 'alerts', 'close', '-')).toMatchObject({ status: 0, stderr: '0 alerts closed\n' });
    await run('alerts', 'reopen', ...ids);
  });

  test('is taken for none when one id is unknown', async () => {
    const before = await listed();
    const { status, stdout, stderr } = await run('alerts', 'close', idOf('trail-logging-stopped', 'carol'), 'ffffffff');
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain("cannot find the alert 'ffffffff'");
    expect(await listed()).toEqual(before);
  });

  test('needs an id', async () => {
    expect(await run('alerts', 'ack')).toMatchObject({ status: 2, stderr: expect.stringContaining("argument 'id'") });
  });

  test('leaves a withdrawn alert as it is, and says so', async () => {
    const id = idOf('trail-logging-stopped', 'carol');
    const opened = await openStore(store);
    const alert = await opened.alert(id);
    await opened.recordHunt({ alerts: [], withdrawn: [id], seqs: [] });
    expect(await run('alerts', 'close', id)).toMatchObject({
      status: 0,
      stderr: '0 alerts closed, 1 withdrawn, since later events show that there is nothing to decide\n',
    });
    expect((await opened.alert(id)).status).toBe('withdrawn');
    await opened.recordHunt({ alerts: [alert], withdrawn: [], seqs: [] });
    await opened.close();
  });
});

describe('a rank', () => {
  const RANKED =
    'SELECT r.alert_id, a.detector, r.points - r.severity - r.rarity - r.news - r.chain - r.told AS rest FROM alert_rank AS r JOIN alert AS a ON a.id = r.alert_id ORDER BY r.place';

  test('orders the list in every form, whatever is asked for, and stands in SQL', async () => {
    const rows = await parsed<{ alert_id: string; detector: string; rest: number }[]>('sql', RANKED);
    const ids = rows.map(({ alert_id }) => alert_id);
    expect(rows.every(({ rest }) => rest === 0)).toBe(true);
    expect((await listed('--sort', 'rank')).map(({ id }) => id)).toEqual(ids);
    expect((await listed('--sort', 'rank', '--limit', '2')).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    const stops = rows.filter(({ detector }) => detector === 'trail-logging-stopped').map(({ alert_id }) => alert_id);
    expect((await listed('--sort', 'rank', '--detector', 'trail-logging-stopped')).map(({ id }) => id)).toEqual(stops);
    const lines = async (output: string) =>
      (await run('alerts', 'list', '--status', 'all', '--sort', 'rank', '--output', output)).stdout.split('\n');
    const places = (printed: string[]) =>
      ids.map((id) => printed.findIndex((line) => line.includes(id.slice(0, 10)))).toSorted((a, b) => a - b);
    for (const output of ['table', 'jsonl', 'csv', 'markdown']) {
      const printed = await lines(output);
      expect(ids.map((id) => printed.findIndex((line) => line.includes(id.slice(0, 10))))).toEqual(places(printed));
    }
  });

  test('is told with its reasons', async () => {
    const id = idOf('trail-logging-stopped', 'alice');
    const { rank } = await parsed<{ rank: { place: number; of: number; points: number } }>('alerts', 'show', id);
    const place = (await listed('--sort', 'rank')).findIndex((alert) => alert.id === id) + 1;
    expect(rank).toMatchObject({ place, severity: 55, news: 10, of: (await listed()).length });
    expect((await run('alerts', 'show', id)).stdout).toMatch(
      new RegExp(
        `^Rank +${rank.place} of ${rank.of}: ${rank.points} points \\(severity 55, rare \\d+, new here 10`,
        'm',
      ),
    );
  });

  test('is no order that nobody knows', async () => {
    expect(await run('alerts', 'list', '--sort', 'weight')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('newest, rank'),
    });
  });
});

describe('incidents', () => {
  test('are what one principal did in order of time', async () => {
    const incidents = await parsed<Incident[]>('alerts', 'incidents');
    expect(z.array(schemaOf('incident')).safeParse(incidents).error).toBeUndefined();
    expect(incidents.map(({ story }) => story)).toEqual([
      'user/\\x1b]0;owned\\x07mallory\\u{202e} 111122223333 from 198.51.100.7: CloudTrail logging was stopped → GuardDuty was switched off (1 min, 2 alerts)',
      'user/alice 111122223333 from 198.51.100.7: An access key was made for another user → GuardDuty was switched off → CloudTrail logging was stopped (14 min, 3 alerts)',
    ]);
    expect(incidents[1]).toMatchObject({ severity: 'critical', status: 'open' });
  });

  test('are the same in every form, and for SQL', async () => {
    const ids = (await parsed<Incident[]>('alerts', 'incidents')).map(({ id }) => id);
    const of = async (output: string) => (await run('alerts', 'incidents', '--output', output)).stdout;
    for (const output of ['jsonl', 'csv', 'markdown']) for (const id of ids) expect(await of(output)).toContain(id);
    const table = await of('table');
    expect(table).toContain(`  ${ids[0]?.slice(0, 10)}  open\n    user/`);
    expect(table).not.toMatch(OBEYED);
    const sql =
      'SELECT i.id, a.status FROM incident AS i, unnest(i.alert_ids) AS own(alert_id) JOIN alert AS a ON a.id = own.alert_id ORDER BY i.last_seen DESC';
    expect((await parsed<{ id: string }[]>('sql', sql)).map(({ id }) => id)).toEqual([
      ids[0],
      ids[0],
      ids[1],
      ids[1],
      ids[1],
    ]);
  });

  test('are found by window, severity and status, and their alerts by their id', async () => {
    const stories = async (...args: string[]) => (await parsed<Incident[]>('alerts', 'incidents', ...args)).length;
    expect(await stories('--from', '2026-03-06T20:21', '--to', '2026-03-07')).toBe(1);
    expect(await stories('--to', '2026-03-06T20:00')).toBe(0);
    expect(await stories('--min-severity', 'critical')).toBe(2);
    expect(await stories('--status', 'closed')).toBe(0);
    const [, alice] = await parsed<Incident[]>('alerts', 'incidents');
    const own = await listed('--incident', alice?.id.slice(0, 8) ?? '');
    expect(own.map(({ id }) => id).toSorted()).toEqual(alice?.alert_ids.toSorted());
    expect(await run('alerts', 'list', '--incident', 'ffffffff')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("cannot find the incident 'ffffffff'"),
    });
  });

  test('are named by their alerts', async () => {
    const [, alice] = await parsed<Incident[]>('alerts', 'incidents');
    const shown = await parsed<object>('alerts', 'show', idOf('trail-logging-stopped', 'alice'));
    expect(shown).toMatchObject({ incident: { id: alice?.id, alerts: 3 }, suppression: null, deliveries: [] });
    expect(schemaOf('alert').safeParse(shown).error).toBeUndefined();
    expect(await parsed('alerts', 'show', idOf('trail-logging-stopped', 'carol'))).toMatchObject({ incident: null });
  });
});

describe('a suppression', () => {
  test('is listed with what it hides, shown with its alerts, and told by the alert; a decision outlives it', async () => {
    const config = join(cwd, 'other.yaml');
    writeFileSync(
      config,
      'suppress:\n  - { detector: root-console-login, reason: old, owner: dora, until: 2026-01-01 }\n  - { detector: guardduty-disabled, reason: ours, owner: dora }\n',
    );
    const [login, detectorOff] = ['root-console-login', 'guardduty-disabled'].map((detector) =>
      suppressionLabel({ id: 0, detector, where: {} }),
    );
    const withConfig = (...args: string[]) => run(...args, '--config', config);
    await run('suppress', 'add', 'trail-logging-stopped', '--where', 'principal=*/carol', '--reason', '=ours');
    expect((await withConfig('hunt')).stderr).toContain('3 suppressed');
    const { stdout, stderr } = await withConfig('suppress', 'list', '--output', 'json');
    expect(JSON.parse(stdout)).toMatchObject([
      { id: login, state: 'expired', alerts: 0, last_seen: null },
      { id: detectorOff, state: 'active', alerts: 2, last_seen: '2026-03-06T20:21:00Z' },
      { id: 1, state: 'active', alerts: 1, owner: 'martha' },
    ]);
    expect(stderr).toContain(`Ended, so that their alerts are new when they are found again: ${login}`);
    const expired = JSON.parse(
      (await withConfig('suppress', 'list', '--expired', '--output', 'json')).stdout,
    ) as object[];
    expect(expired).toHaveLength(1);
    // Wherever it stands in the config.
    const text = readFileSync(config, 'utf8');
    writeFileSync(
      config,
      text.replace(
        'suppress:\n',
        'suppress:\n  - { detector: trail-logging-stopped, where: { principal: nobody }, reason: x, owner: y }\n',
      ),
    );
    const moved = ['suppress', 'show', String(detectorOff), '--output', 'json'];
    expect(JSON.parse((await withConfig(...moved)).stdout)).toMatchObject({
      id: detectorOff,
      reason: 'ours',
      alerts: [{ detector: 'guardduty-disabled' }, { detector: 'guardduty-disabled' }],
    });
    const table = (await run('suppress', 'show', '1')).stdout;
    expect(table).toMatch(/^reason +=ours$/m);
    expect(table).toMatch(/^critical .*user\/carol .* suppressed$/m);
    expect(await run('suppress', 'show', '7')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("called '7'"),
    });
    expect(JSON.parse((await withConfig('status', '--output', 'json')).stdout)).toMatchObject({
      suppressions: { expired: [login], idle: [], active: [expect.stringMatching(/^config:/u), detectorOff, 1] },
    });
    expect((await withConfig('status')).stdout).toMatch(new RegExp(`^Suppressions +${login} ended$`, 'm'));

    const id = idOf('trail-logging-stopped', 'carol');
    expect(await parsed('alerts', 'show', id)).toMatchObject({
      status: 'suppressed',
      suppression: { id: 1, reason: '=ours' },
    });
    expect((await run('alerts', 'show', id)).stdout).toMatch(/^Suppression +1: =ours \(martha\)$/m);
    expect((await run('alerts', 'reopen', id)).stderr).toMatch(
      /^warning: suppression 1 hides the alert [0-9a-f]{10} again/m,
    );
    await run('suppress', 'remove', '1');
    expect((await run('hunt', '--output', 'json')).stderr).toContain('6 alerts, 0 new');
    expect(
      (
        await parsed<{ history: { change: string }[] }>('alerts', 'show', idOf('guardduty-disabled', 'alice'))
      ).history.slice(-2),
    ).toMatchObject([{ change: 'suppressed' }, { change: 'new' }]);
  });
});

test('a suppression that has hidden nothing in 90 days is told of', async () => {
  await run('ingest', '-', '--store', 'idle');
  await run('suppress', 'add', 'buckets-deleted-in-bulk', '--reason', 'a move', '--store', 'idle');
  await run('suppress', 'add', 'root-console-login', '--reason', 'a drill', '--store', 'idle');
  await new Catalog(join(cwd, 'idle', 'catalog.duckdb')).write((session) =>
    session.run('UPDATE suppression SET created_at = created_at - INTERVAL 91 DAY WHERE id = 1'),
  );
  const { stdout, stderr } = await run('suppress', 'list', '--output', 'json', '--store', 'idle');
  expect(JSON.parse(stdout)).toMatchObject([
    { id: 1, state: 'idle' },
    { id: 2, state: 'active' },
  ]);
  expect(stderr).toContain('warning: these suppressions have hidden nothing in 90 days: 1\n');
  expect((await run('status', '--store', 'idle')).stdout).toMatch(/^Suppressions +1 hid nothing in 90 days$/m);
});

describe('an export', () => {
  test('writes each alert in the form that was asked for, JSON lines unless another one was', async () => {
    const lines = async (...args: string[]) =>
      (await run('alerts', 'export', ...args)).stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    const alerts = await lines();
    const ids = alerts.map((alert) => String(alert['id']));
    expect(ids.toSorted()).toEqual((await listed()).map(({ id }) => id).toSorted());
    const schema = schemaOf('alert');
    for (const alert of alerts) expect(schema.safeParse(alert).error).toBeUndefined();
    expect(await lines('--output', 'jsonl')).toEqual(alerts);
    expect((await lines('--output', 'ocsf')).map((finding) => finding['finding_info'])).toMatchObject(
      ids.map((uid) => ({ uid })),
    );
    const asff = await lines('--output', 'asff', '--account', '111122223333', '--region', 'eu-central-1');
    expect(asff).toMatchObject(
      ids.map((id) => ({
        Id: `trailhound/${id}`,
        ProductArn: 'arn:aws:securityhub:eu-central-1:111122223333:product/111122223333/default',
      })),
    );
    expect(await lines('--min-severity', 'critical', '--status', 'open', '--from', '2026-03-07')).toHaveLength(1);
  });

  test('as CSV starts no formula and holds nothing that a terminal obeys; the answer to SQL is data', async () => {
    const { stdout } = await run('alerts', 'export', '--output', 'csv');
    expect(stdout).toContain('owned\\x07mallory\\u{202e}');
    expect(stdout).not.toMatch(OBEYED);
    const name = `SELECT request_parameters->>'$.name' AS name FROM cloudtrail WHERE event_name = 'StopLogging' ORDER BY event_time LIMIT 2`;
    expect((await run('sql', name, '--output', 'csv')).stdout).toBe('name\n"=HYPERLINK(""http://x"")"\n=cmd|calc\n');
    await run('suppress', 'add', 'root-console-login', '--reason', '=1+1');
    expect((await run('suppress', 'list', '--output', 'csv')).stdout).toContain(",'=1+1,");
  });

  test.each([
    [
      'a form that it does not write',
      ['alerts', 'export', '--output', 'table'],
      ['--output table', 'jsonl, csv, ocsf, asff'],
    ],
    [
      'a form that only it writes',
      ['alerts', 'list', '--output', 'ocsf'],
      ['--output ocsf', 'trailhound alerts export'],
    ],
    ['ASFF without the account', ['alerts', 'export', '--output', 'asff'], ['without --account', '111122223333']],
    [
      'ASFF without the region',
      ['alerts', 'export', '--output', 'asff', '--account', '111122223333'],
      ['without --region'],
    ],
    [
      'ASFF with a bad account',
      ['alerts', 'export', '--output', 'asff', '--account', '1', '--region', 'eu-central-1'],
      ["--account '1'", '12 digits'],
    ],
    ['the place of ASFF for another form', ['alerts', 'export', '--account', '111122223333'], ['--output asff only']],
  ])('refuses %s', async (_, args, texts) => {
    const { status, stdout, stderr } = await run(...args);
    expect({ status, stdout }, stderr).toEqual({ status: 2, stdout: '' });
    for (const text of texts) expect(stderr).toContain(text);
  });
});

test('deliveries, runs and sources are told by the alert and by the status', async () => {
  const opened = await openStore(store);
  const alert = await opened.alert(idOf('trail-logging-stopped', 'carol'));
  const at = '2026-03-08T00:00:00Z';
  const message = {
    kind: 'alert',
    text: '',
    severity: 'high',
    at,
    change: 'new',
    alerts: [],
    alertsTotal: 1,
    table: null,
  } as const;
  await opened.outbox.queue(
    ['slack', 'pager'].map((sink) => ({
      sink,
      alertId: alert.id,
      message: { ...message, key: `k-${sink}`, title: 'stopped\u001b[2J' },
    })),
    null,
  );
  const [dead] = await opened.outbox.due('pager', Date.parse(at), 1);
  await opened.outbox.settle(
    [{ id: dead?.id ?? 0, state: 'dead', attempts: 8, nextAtMs: null, error: 'refused\u202e', reference: null }],
    Date.parse('2026-03-08T01:00:00Z'),
  );
  const times = { dueAtMs: Date.parse(at), startedAtMs: Date.parse(at), endedAtMs: Date.parse(at) };
  await opened.watching.recordRun({
    hunt: 'nightly',
    ...times,
    state: 'done',
    found: 1,
    fresh: 1,
    error: null,
    scannedBytes: null,
  });
  await opened.watching.recordRun({
    hunt: 'nightly',
    ...times,
    dueAtMs: times.dueAtMs + 86_400_000,
    state: 'failed',
    found: 0,
    fresh: 0,
    error: 'no space',
    scannedBytes: 31_400_000_000,
  });
  await opened.watching.recordSource({
    source: 's3://logs/AWSLogs/',
    listedAtMs: Date.parse(at),
    arrivedAtMs: Date.parse(at),
    files: 4,
    usualGapMs: 300_000,
    silentSinceMs: Date.parse(at),
    error: null,
  });
  await opened.close();

  expect((await run('alerts', 'show', alert.id)).stdout).toContain(
    `Delivered\n  2026-03-08T01:00:00Z  pager: dead after 8 attempts: refused\\u{202e}\n  ${at}  slack: pending\n`,
  );
  const status = await parsed<object>('status');
  expect(schemaOf('status').safeParse(status).error).toBeUndefined();
  expect(status).toMatchObject({
    deliveries: [
      { sink: 'pager', state: 'dead', count: 1, oldest: at },
      { sink: 'slack', state: 'pending', count: 1, oldest: at },
    ],
    hunts: [{ hunt: 'nightly', state: 'failed', error: 'no space', scanned_bytes: 31_400_000_000 }],
    sources: [
      { source: 's3://logs/AWSLogs/', lag_seconds: expect.any(Number), usual_gap_seconds: 300, silent_since: at },
    ],
  });
  const { stdout } = await run('status');
  expect(stdout).toMatch(
    /^Sink pager +1 GIVEN UP since 2026-03-08T00:00:00Z: trailhound sql "SELECT \* FROM delivery/m,
  );
  expect(stdout).toMatch(/^Hunt nightly +failed at 2026-03-08T00:00:00Z: no space, 31\.4 GB scanned on Athena$/m);
  expect(stdout).toMatch(
    /^Source s3:\/\/logs\/AWSLogs\/ +4 new log files, last new log file [\d,]+ h \d+ min ago \(usually every 5 min 0 s\), SILENT since 2026-03-08T00:00:00Z$/m,
  );
  expect((await run('status', '--output', 'csv')).stdout).toContain('\ndeliveries.pager.dead,1\n');
});
