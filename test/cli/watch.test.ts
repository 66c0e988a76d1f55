/** `trailhound watch` as people run it: by cron, as a service, with a config that changes, with wrong input. */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MAIN, newFolder, trailhound } from './run.ts';

/** A test runs the command a dozen times. */
vi.setConfig({ testTimeout: 240_000 });

let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = newFolder();
  mkdirSync(join(folder, 'logs'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

const path = (name: string): string => join(folder, name);
const run = (...args: string[]) => trailhound(args, { cwd: folder });
const config = (text: string): void => writeFileSync(path('trailhound.yaml'), text);
const messages = (name = 'alerts.jsonl'): Record<string, unknown>[] =>
  existsSync(path(name))
    ? readFileSync(path(name), 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    : [];

let records = 0;
/** A log file with one call of root that stops a trail. */
function drop(name: string, time: Date): void {
  const record = {
    eventVersion: '1.09',
    userIdentity: {
      type: 'Root',
      principalId: '111122223333',
      arn: 'arn:aws:iam::111122223333:root',
      accountId: '111122223333',
    },
    eventTime: time.toISOString().replace(/[.]\d+/u, ''),
    eventSource: 'cloudtrail.amazonaws.com',
    eventName: 'StopLogging',
    awsRegion: 'us-east-1',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-cli/2.15',
    requestParameters: { name: 'main' },
    responseElements: null,
    eventID: `00000000-0000-4000-8000-${String(++records).padStart(12, '0')}`,
    readOnly: false,
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: '111122223333',
  };
  writeFileSync(path(`logs/${name}`), gzipSync(JSON.stringify({ Records: [record] })));
}

const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);

async function until(what: string, isSo: () => boolean | Promise<boolean>, seconds = 120): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

interface Service {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  stderr(): string;
}

function service(...args: string[]): Service {
  const child = spawn(process.execPath, [MAIN, 'watch', ...args], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString('utf8');
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, ended, stderr: () => stderr };
}

const FILE_SINK = 'sinks: [{ id: out, type: file, path: alerts.jsonl }]\n';

describe('one turn', () => {
  test('delivers what happened since somebody watches, once, and tells of the past in one message', async () => {
    config(`sources: [./logs]\n${FILE_SINK}`);
    drop('past.json.gz', minutesAgo(60 * 24 * 400));
    const first = await run('watch', '--once');
    expect(first.status, first.stderr).toBe(0);
    expect(messages()).toMatchObject([{ kind: 'past' }]);
    expect(messages()[0]?.['text']).toMatch(/told of in this message only/u);
    expect((await run('watch', '--once')).status).toBe(0);
    expect(messages()).toHaveLength(1);
    drop('now.json.gz', new Date(Date.now() + 60_000));
    expect((await run('watch', '--once')).status).toBe(0);
    const alerts = messages().slice(1);
    expect(alerts.length).toBeGreaterThan(0);
    expect(new Set(alerts.map(({ kind }) => kind))).toEqual(new Set(['alert']));
    expect(new Set(alerts.map(({ key }) => key)).size).toBe(alerts.length);
    expect((await run('watch', '--once')).status).toBe(0);
    expect(messages()).toHaveLength(1 + alerts.length);
    const known = JSON.parse((await run('alerts', 'list', '--output', 'json')).stdout) as unknown[];
    expect(known.length).toBeGreaterThan(alerts.length);
  });

  test('ends with 3 while a destination takes nothing, keeps the messages, and delivers them later', async () => {
    const taken: string[] = [];
    let isDown = true;
    const server = createServer((request, response) => {
      if (!isDown) taken.push(String(request.headers['idempotency-key']));
      request.resume();
      response.writeHead(isDown ? 503 : 204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = server.address() as AddressInfo;
      config(
        `sources: [./logs]\nwatch: { notify_since: 30d }\nhunts: [{ id: trail, detectors: [trail-logging-stopped] }]\n` +
          `sinks: [{ id: hook, type: webhook, url: "http://127.0.0.1:${port}/", allow_private: true }]\n`,
      );
      drop('one.json.gz', minutesAgo(10));
      const down = await run('watch', '--once');
      expect(down.status, down.stderr).toBe(3);
      expect(down.stderr).toMatch(/not delivered yet: sink=hook/u);
      isDown = false;
      await until('the pause is over', async () => (await run('watch', '--once')).status === 0);
      expect(taken).toHaveLength(1);
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });

  test('asks a question on schedule and delivers its answer; what is due while nobody watches is made up for once', async () => {
    config(
      'sources: [./logs]\n' +
        'hunts:\n  - { id: trail, detectors: [trail-logging-stopped], schedule: "* * * * *", window: 1h }\n' +
        '  - { id: hourly, query: activity-per-hour, schedule: "* * * * * *", window: 1d }\n' +
        FILE_SINK,
    );
    drop('one.json.gz', minutesAgo(5));
    expect((await run('watch', '--once')).status).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const second = await run('watch', '--once');
    expect(second.status, second.stderr).toBe(0);
    const reports = messages().filter(({ kind }) => kind === 'report');
    expect(reports.length).toBeGreaterThan(0);
    const runs = JSON.parse(
      (await run('sql', '--output', 'json', 'SELECT hunt, state, found FROM hunt_run')).stdout,
    ) as Record<string, unknown>[];
    expect(runs.filter(({ hunt }) => hunt === 'hourly').every(({ state }) => state === 'done')).toBe(true);
  });
});

test('a source that is named by a link is known by what came from it', async () => {
  symlinkSync(path('logs'), path('link'));
  config('sources: [./link]\n');
  drop('one.json.gz', minutesAgo(5));
  expect((await run('watch', '--once')).status).toBe(0);
  const counted = await run('sql', '--output', 'csv', 'SELECT files FROM source_state');
  expect(counted.stdout, counted.stderr).toBe('files\n1\n');
});

describe('a service', () => {
  test('delivers what lands within half a minute, is alone on its store, reads its config again, and ends with 0', async () => {
    config(
      `sources: [./logs]\nwatch: { poll: 1s }\nhunts: [{ id: trail, detectors: [trail-logging-stopped] }]\n${FILE_SINK}`,
    );
    const one = service('--log-format', 'json');
    await until('it watches', () => one.stderr().includes('"watching"'));
    const other = await run('watch');
    expect([other.status, other.stderr]).toEqual([
      3,
      expect.stringContaining(`cannot watch the store: process ${one.child.pid} watches it already`),
    ]);
    const cron = await run('watch', '--once');
    expect([cron.status, cron.stderr]).toEqual([0, expect.stringContaining('another watch is at work')]);
    drop('one.json.gz', new Date());
    await until('the alert is there', () => messages().length === 1, 60);
    // Readers, hunts by hand and decisions need not wait for it.
    const [status, hunt] = await Promise.all([run('status', '--output', 'json'), run('hunt')]);
    expect([status.status, hunt.status]).toEqual([0, 0]);

    appendFileSync(path('trailhound.yaml'), 'no_such_key: 1\n');
    one.child.kill('SIGHUP');
    await until('it refuses the config', () => one.stderr().includes('cannot be used'));
    config(
      `sources: [./logs]\nwatch: { poll: 1s }\nhunts: [{ id: trail, detectors: [trail-logging-stopped] }]\n` +
        'sinks: [{ id: out, type: file, path: second.jsonl }]\n',
    );
    one.child.kill('SIGHUP');
    await until('it reads it', () => one.stderr().includes('was read again'));
    drop('two.json.gz', new Date());
    await until('the alert is in the other file', () => messages('second.jsonl').length === 1, 60);

    const began = Date.now();
    one.child.kill('SIGTERM');
    expect(await one.ended).toBe(0);
    expect(Date.now() - began).toBeLessThan(30_000);
    for (const line of one.stderr().trim().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ time: expect.any(String) });
  });

  test('serves its health and its figures on loopback', async () => {
    config('sources: [./logs]\nwatch: { poll: 1s, listen: "127.0.0.1:0" }\n');
    drop('one.json.gz', new Date());
    const one = service('--log-format', 'json');
    let address = '';
    await until('it listens', () => {
      address = /"address":"([^"]+)"/u.exec(one.stderr())?.[1] ?? '';
      return address !== '';
    });
    await until('it has read the file', async () =>
      (await (await fetch(`http://${address}/metrics`)).text()).includes('trailhound_records_total{what="stored"} 1'),
    );
    const health = await fetch(`http://${address}/healthz`);
    expect([health.status, await health.json()]).toEqual([
      200,
      { healthy: true, caught_up: expect.any(Boolean), problems: [] },
    ]);
    expect((await fetch(`http://${address}/`)).status).toBe(404);
    expect((await fetch(`http://${address}/metrics`, { method: 'POST' })).status).toBe(405);
    one.child.kill('SIGINT');
    expect(await one.ended).toBe(130);
  });
});

describe('a config that cannot be used', () => {
  test.each([
    ['hunts: [{ id: a, schedule: "61 * * * *" }]', '1:18: hunts.0.schedule: cannot read the schedule'],
    ['hunts: [{ id: a, window: 1h }]', 'hunts.0.window: a window needs a schedule'],
    ['hunts: [{ id: a }, { id: a }]', "hunts.1.id: there are two with the id 'a'"],
    ['hunts: [{ id: a, detectors: [root-login] }]', "no detector has the id 'root-login'"],
    ['hunts: [{ id: a, query: logins }]', 'hunts.0.query: a question needs a schedule'],
    ['hunts: [{ id: a, query: logins, schedule: "@daily", sinks: [x] }]', "there is no destination 'x'"],
    ['sinks: [{ id: a, type: slak }]', "sinks.0.type: there is no destination of the type 'slak'"],
    ['sinks: [{ id: a, type: slack, webhook: "https://hooks.example/T0" }]', 'expected env:NAME or file:path'],
    [
      'sinks: [{ id: a, type: slack, webhook: env:NOT_SET_ANYWHERE }]',
      'NOT_SET_ANYWHERE of the environment is not set',
    ],
    ['sinks: [{ id: a, type: stdout, rate_limit: many }]', 'expected messages per time, such as 30/1m'],
    ['watch: { listen: "0.0.0.0:9464" }', 'expected an address of loopback'],
    ['watch: { all_quiet: often }', "watch.all_quiet: cannot read the schedule 'often'"],
  ])('%s', async (text, message) => {
    config(`${text}\nsources: [./logs]\n`);
    const { status, stderr } = await run('watch', '--once');
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(existsSync(path('.trailhound'))).toBe(false);
  });

  test('nor a source that is not there: it is told, and ends with 3', async () => {
    config('sources: [./elsewhere, ./logs]\n');
    drop('one.json.gz', minutesAgo(5));
    const { status, stderr } = await run('watch', '--once');
    expect([status, stderr]).toEqual([3, expect.stringContaining('elsewhere')]);
    // The others need not wait for it.
    expect((await run('sql', '--output', 'csv', 'SELECT count(*) AS n FROM cloudtrail')).stdout).toBe('n\n1\n');
  });

  test('is told by config check, and shown with its defaults', async () => {
    config(`sources: [./logs]\n${FILE_SINK}`);
    expect(await run('config', 'check')).toMatchObject({ status: 0, stderr: expect.stringContaining('1 destination') });
    const shown = JSON.parse((await run('config', 'show', '--output', 'json')).stdout) as Record<string, unknown>;
    expect(shown).toMatchObject({ watch: { poll: '10s' }, sinks: [{ id: 'out', updates: true }] });
    config('hunts: [{ id: a, window: 1h }]\n');
    expect(await run('config', 'check')).toMatchObject({ status: 2 });
    cpSync(path('trailhound.yaml'), path('other.yaml'));
    rmSync(path('trailhound.yaml'));
    expect(await run('config', 'check')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('there is no trailhound.yaml'),
    });
  });
});

describe('destinations', () => {
  test('are listed, tried, and sent again what was given up', async () => {
    config(
      `sources: [./logs]\nwatch: { notify_since: 30d }\nhunts: [{ id: trail, detectors: [trail-logging-stopped] }]\nsinks: [{ id: cmd, type: exec, command: [/bin/sh, -c, "exit 9"] }]\n`,
    );
    expect(await run('sink', 'list', '--output', 'json')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('"cmd"'),
    });
    expect(await run('sink', 'test', 'cmd')).toMatchObject({
      status: 3,
      stderr: expect.stringContaining('cmd (exec) did not take the message'),
    });
    expect(await run('sink', 'test', 'cmd', '--dry-run')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('trailhound says hello'),
    });
    expect(await run('sink', 'test', 'cmt')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("Did you mean 'cmd'?"),
    });
    drop('one.json.gz', minutesAgo(5));
    expect((await run('watch', '--once')).status).toBe(0);
    const dead = JSON.parse((await run('sink', 'deliveries', '--state', 'dead', '--output', 'json')).stdout) as {
      id: number;
    }[];
    expect(dead).toHaveLength(1);
    expect(await run('sink', 'resend', '77')).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('were not given up'),
    });
    expect(await run('sink', 'resend', String(dead[0]?.id))).toMatchObject({ status: 0 });
    config(
      `sources: [./logs]\nhunts: [{ id: trail, detectors: [trail-logging-stopped] }]\nsinks: [{ id: cmd, type: exec, command: [/bin/sh, -c, "cat > got.json"] }]\n`,
    );
    expect((await run('watch', '--once')).status).toBe(0);
    expect(JSON.parse(readFileSync(path('got.json'), 'utf8'))).toMatchObject({ kind: 'alert' });
  });
});
