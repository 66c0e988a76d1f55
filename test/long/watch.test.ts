/**
 * `trailhound watch` at length: an ordinary stream of log files with planted incidents, destinations that fail by turns, kills and power cuts at random
 * moments, and other commands on the same store. Nothing is lost, nothing invented, nothing told twice.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Alert } from '../../src/alert.ts';
import { newFolder, type Outcome, trailhound } from '../cli/run.ts';
import { FAULTS, type Fault, FaultyWebhook, type Receipt } from '../support/faulty-webhook.ts';
import { LiveTraffic } from '../support/live-traffic.ts';
import { type MailPeer, startMailPeer } from '../support/mail.ts';
import { CuttableDisk, powerCutMissing } from '../support/power-cut.ts';
import { differences } from '../support/stores.ts';
import { WatchService } from '../support/watch-service.ts';

const MINUTE_MS = 60_000;
const SOAK_MS = Number(process.env['TRAILHOUND_SOAK_MINUTES'] ?? 3) * MINUTE_MS;
const KILLS = Number(process.env['TRAILHOUND_KILLS'] ?? 5);
const CUTS = Number(process.env['TRAILHOUND_POWER_CUTS'] ?? 5);
const CONTENTION_MS = Number(process.env['TRAILHOUND_CONTENTION_MINUTES'] ?? 1) * MINUTE_MS;
const FILES_PER_SECOND = 3;
const cutMissing = powerCutMissing();
if (cutMissing !== null) process.stderr.write(`SKIPPED: no power can be cut here: ${cutMissing}\n`);
/** What waits when the stream ends must be gone by then; a destination that failed long is left alone for a while. */
const DRAIN_MS = 5 * MINUTE_MS;

let folder: string;
const endings: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  folder = newFolder();
});
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
  if (process.env['TRAILHOUND_KEEP'] === undefined) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
const median = (values: readonly number[]): number =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  );
const seconds = (values: readonly number[]): string => {
  const sorted = values.toSorted((a, b) => a - b);
  return `p50 ${quantile(sorted, 0.5).toFixed(1)} s, p95 ${quantile(sorted, 0.95).toFixed(1)} s, max ${quantile(sorted, 1).toFixed(1)} s of ${sorted.length}`;
};

/** Ends when the wait is over or the signal is raised. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

async function until(what: string, isSo: () => Promise<boolean>, withinMs: number): Promise<void> {
  const endMs = Date.now() + withinMs;
  while (!(await isSo())) {
    if (Date.now() > endMs) throw new Error(`waited ${withinMs / 1000} s in vain: ${what}`);
    await sleep(2000);
  }
}

/** A destination as its receiver saw it: what came under each key, and how often something came again. */
interface Told {
  readonly sink: string;
  readonly keys: ReadonlySet<string>;
  readonly repeats: number;
}

function toldOf(sink: string, keys: readonly string[]): Told {
  const distinct = new Set(keys);
  return { sink, keys: distinct, repeats: keys.length - distinct.size };
}

/** Every destination of the soak, and what reached it. */
class Destinations {
  readonly steady = new FaultyWebhook();
  readonly flaky = new FaultyWebhook();
  readonly #archive: string;
  readonly #execLog = join(folder, 'exec.log');
  #mail: MailPeer | null = null;

  /** `archive`: the destination that is a file. */
  constructor(archive = join(folder, 'alerts.jsonl')) {
    this.#archive = archive;
  }

  async open(): Promise<this> {
    await this.steady.open();
    await this.flaky.open();
    let mails = 0;
    this.#mail = await startMailPeer({
      onMailFrom: (_, session, callback) => {
        // Greylisting: every fifth is asked to come again.
        const isLater = ++mails % 5 === 0;
        callback(isLater ? Object.assign(new Error('come again later'), { responseCode: 451 }) : null);
      },
    });
    endings.push(
      () => this.steady.close(),
      () => this.flaky.close(),
      async () => this.#mail?.close(),
    );
    return this;
  }

  get config(): string {
    const all = 'min_severity: informational';
    return [
      'sinks:',
      `  - { id: steady, type: webhook, url: "${this.steady.url}", allow_private: true, ${all} }`,
      `  - { id: flaky, type: webhook, url: "${this.flaky.url}", allow_private: true, timeout: 3s, ${all} }`,
      `  - { id: file, type: file, path: ${this.#archive}, ${all} }`,
      `  - { id: exec, type: exec, command: [/bin/sh, -c, 'echo "$TRAILHOUND_KEY" >> ${this.#execLog}'], ${all} }`,
      `  - { id: mail, type: email, host: 127.0.0.1, port: ${this.#mail?.port}, tls: none, from: a@example.com, to: [soc@example.com], ${all} }`,
      '',
    ].join('\n');
  }

  /** One fault after the other, with good times between them, until the signal is raised. */
  async misbehave(signal: AbortSignal): Promise<void> {
    for (let turn = 0; !signal.aborted; turn++) {
      await pause(2000 + Math.random() * 6000, signal);
      await this.flaky.fail(FAULTS[turn % FAULTS.length] as Fault);
      await pause(1000 + Math.random() * 7000, signal);
      await this.flaky.fail(null);
    }
  }

  /** Those that are told of each alert by itself. */
  told(): readonly Told[] {
    const lines = (path: string): string[] =>
      existsSync(path)
        ? readFileSync(path, 'utf8')
            .split('\n')
            .filter((line) => line !== '')
        : [];
    return [
      toldOf(
        'steady',
        this.steady.receipts.map(({ key }) => key),
      ),
      toldOf(
        'flaky',
        this.flaky.receipts.map(({ key }) => key),
      ),
      toldOf(
        'file',
        lines(this.#archive).map((line) => (JSON.parse(line) as { key: string }).key),
      ),
      toldOf('exec', lines(this.#execLog)),
    ];
  }

  /** Mails by their key, and how many alerts each tells of: many at once come as one. */
  mails(): { readonly told: Told; readonly alerts: number } {
    const keys: string[] = [];
    const counts = new Map<string, number>();
    for (const mail of this.#mail?.mails ?? []) {
      const text = mail.toString('latin1');
      const [, key = ''] = /^Message-ID: <([^@]+)@/imu.exec(text) ?? [];
      const [, many = '1'] = /^Subject: .*?(\d+) alerts at once/imu.exec(text) ?? [];
      keys.push(key);
      counts.set(key, Number(many));
    }
    return { told: toldOf('mail', keys), alerts: [...counts.values()].reduce((sum, count) => sum + count, 0) };
  }
}

/** What a watched folder, its store and its destinations are at the end of a run. */
class Soak {
  readonly logs = join(folder, 'logs');
  readonly traffic = new LiveTraffic(this.logs, join(folder, 'aside'), `soak ${Date.now()}`);
  readonly service: WatchService;
  readonly #storeDir: string;

  constructor(storeDir: string, { config }: { readonly config: string }) {
    this.#storeDir = storeDir;
    writeFileSync(
      join(folder, 'trailhound.yaml'),
      `store: ${storeDir}\nsources: [./logs]\nwatch: { poll: 1s, notify_since: 1d }\n${config}`,
    );
    this.service = new WatchService(folder, join(folder, 'watch.log'));
    endings.push(() => this.service.kill());
  }

  run(...args: string[]): Promise<Outcome> {
    return trailhound(args, { cwd: folder });
  }

  async json<T>(...args: string[]): Promise<T> {
    const { status, stdout, stderr } = await this.run(...args, '--output', 'json');
    expect([args, status, status === 0 ? '' : stderr]).toEqual([args, 0, '']);
    return JSON.parse(stdout) as T;
  }

  /** Everything that landed is in the store, and nothing waits for a destination. */
  async drained(): Promise<void> {
    const counted = async (): Promise<{ rows: number; pending: number; alerts: number }> => ({
      rows: (await this.json<{ records: { in: number } }>('status')).records.in,
      pending: (await this.json<unknown[]>('sink', 'deliveries', '--state', 'pending', '--limit', '10')).length,
      alerts: (await this.json<unknown[]>('alerts', 'list', '--limit', '0')).length,
    });
    let before = '';
    await until(
      'all is delivered',
      async () => {
        const now = await counted();
        const isSame = JSON.stringify(now) === before;
        before = JSON.stringify(now);
        if (now.pending > 0 || !isSame) return false;
        // A file that changed just now is looked at a little later.
        await sleep(5000);
        return JSON.stringify(await counted()) === before;
      },
      DRAIN_MS,
    );
  }

  /** The end of every proof: the same events and alerts as of one scan of the same files, told of once at each destination. */
  async expectWhole(destinations: Destinations): Promise<void> {
    const { service, traffic } = this;
    expect([service.surprises, await service.kill('SIGTERM')]).toEqual([[], 0]);
    expect(await this.run('store', 'check')).toMatchObject({ status: 0 });
    const status = await this.json<{ balanced: boolean; files: unknown; records: unknown }>('status');
    expect(status.balanced).toBe(true);
    const fresh = join(folder, 'fresh');
    const scan = await this.run('scan', 'logs', '--store', fresh);
    expect([0, 3], scan.stderr).toContain(scan.status);
    const differing = await differences(this.#storeDir, fresh);
    expect(differing).toMatchObject({ onlyA: 0, onlyB: 0 });

    const facts = async (...args: string[]): Promise<unknown[]> =>
      (await this.json<Alert[]>('alerts', 'list', '--status', 'all', '--limit', '0', ...args))
        .map(({ id, detector, status: state, count, first_seen: first, last_seen: last }) => [
          id,
          detector,
          state,
          count,
          first,
          last,
        ])
        .toSorted(([a], [b]) => String(a).localeCompare(String(b)));
    const alerts = await facts();
    expect(alerts).toEqual(await facts('--store', fresh));

    const bodies = new Map<string, string>();
    for (const { key, body } of [...destinations.steady.receipts, ...destinations.flaky.receipts]) {
      // Whoever got it again can drop it unread.
      expect(bodies.get(key) ?? body).toBe(body);
      bodies.set(key, body);
    }
    const told = destinations.told();
    const keys = told[0]?.keys ?? new Set<string>();
    for (const one of told) expect([one.sink, [...one.keys].toSorted()]).toEqual([one.sink, [...keys].toSorted()]);
    const mails = destinations.mails();
    expect(mails.alerts).toBe(keys.size);
    const messages = [...bodies.values()].map((body) => JSON.parse(body) as { change: string; alerts: Alert[] });
    const firsts = messages.filter(({ change }) => change === 'new').map(({ alerts: [alert] }) => alert?.id);
    expect(firsts.toSorted((a, b) => String(a).localeCompare(String(b)))).toEqual(
      alerts.map((fact) => (fact as string[])[0]),
    );

    for (const { detector, name } of traffic.plants) {
      const found = messages.filter(
        ({ change, alerts: [alert] }) =>
          change === 'new' && alert?.detector === detector && JSON.stringify(alert.subject).includes(name),
      ).length;
      // A burst over the border of two slots is two alerts.
      expect([name, detector, found >= 1 && found <= 2]).toEqual([name, detector, true]);
    }
    say(
      `files: ${JSON.stringify(traffic.landed)}; store: ${JSON.stringify(status.files)} ${JSON.stringify(status.records)}`,
    );
    say(
      `${traffic.plants.length} incidents planted, ${alerts.length} alerts, ${keys.size} messages to each destination; faults of the flaky one: ${JSON.stringify(destinations.flaky.failed)}`,
    );
    say(
      `repeats of a key: ${[...told, mails.told].map(({ sink, repeats }) => `${sink} ${repeats}`).join(', ')}; ${mails.told.keys.size} mails`,
    );
  }

  /** From landing to the first receipt at the destination that is always up, in seconds, of plants that had landed in this time. */
  latencies({ steady }: Destinations, fromMs: number, toMs: number): readonly number[] {
    const receipts = steady.receipts.map((receipt: Receipt) => ({
      atMs: receipt.atMs,
      alert: (JSON.parse(receipt.body) as { alerts: Alert[] }).alerts[0],
    }));
    return this.traffic.plants.flatMap(({ detector, name, landedAtMs }) => {
      if (landedAtMs === null || landedAtMs < fromMs || landedAtMs >= toMs) return [];
      const first = receipts.find(
        ({ alert }) => alert?.detector === detector && JSON.stringify(alert.subject).includes(name),
      );
      return first === undefined ? [] : [(first.atMs - landedAtMs) / 1000];
    });
  }
}

describe('watch', () => {
  test(`goes through ${KILLS} kills in the first half of a soak, and its memory does not grow in the second`, async () => {
    const destinations = await new Destinations().open();
    const soak = new Soak(join(folder, '.trailhound'), destinations);
    const { service, traffic } = soak;
    const startMs = Date.now();
    const calmMs = startMs + SOAK_MS / 2;
    const ending = new AbortController();
    service.start();
    const stream = traffic.run(FILES_PER_SECOND, ending.signal);
    const faults = destinations.misbehave(ending.signal);
    const moments = Array.from({ length: KILLS }, () => startMs + (Math.random() * SOAK_MS) / 2).toSorted(
      (a, b) => a - b,
    );
    for (const moment of moments) {
      await sleep(Math.max(0, moment - Date.now()));
      await service.kill();
      await sleep(Math.random() * 1000);
      service.start();
    }
    await sleep(Math.max(0, startMs + SOAK_MS - Date.now()));
    ending.abort();
    await Promise.all([stream, faults]);
    const calmSamples = service.samples.filter(({ atMs }) => atMs >= calmMs + SOAK_MS / 20).map(({ mb }) => mb);
    await soak.drained();
    await soak.expectWhole(destinations);

    const third = Math.floor(calmSamples.length / 3);
    const [first, last] = [median(calmSamples.slice(0, third)), median(calmSamples.slice(-third))];
    say(`kills: ${moments.length}; starts: ${service.starts}`);
    say(`latency while killed: ${seconds(soak.latencies(destinations, startMs, calmMs))}`);
    say(`latency undisturbed: ${seconds(soak.latencies(destinations, calmMs, Number.POSITIVE_INFINITY))}`);
    say(
      `memory undisturbed: first third ${first.toFixed(0)} MB, last third ${last.toFixed(0)} MB, most ${Math.max(...calmSamples).toFixed(0)} MB`,
    );
    expect(last).toBeLessThan(first * 1.3);
  });

  test.skipIf(cutMissing !== null)(
    'would notice a sync that is missing: a power cut keeps what was synced alone',
    () => {
      const disk = new CuttableDisk(folder, 16);
      endings.push(async () => disk.close());
      writeFileSync(join(disk.dir, 'synced'), 'here', { flush: true });
      writeFileSync(join(disk.dir, 'not-synced'), 'gone');
      disk.cut();
      disk.restart();
      expect(readdirSync(disk.dir).toSorted()).toEqual(['lost+found', 'synced']);
    },
  );

  test.skipIf(cutMissing !== null)(`goes through ${CUTS} power cuts`, async () => {
    const disk = new CuttableDisk(folder, 400);
    endings.push(async () => disk.close());
    const destinations = await new Destinations(join(disk.dir, 'alerts.jsonl')).open();
    const soak = new Soak(join(disk.dir, 'store'), destinations);
    const { service, traffic } = soak;
    const ending = new AbortController();
    const stream = traffic.run(FILES_PER_SECOND, ending.signal);
    const faults = destinations.misbehave(ending.signal);
    for (let cut = 0; cut < CUTS; cut++) {
      service.start();
      await sleep(1000 + Math.random() * 20_000);
      await service.kill('SIGKILL', () => disk.cut());
      // A command of the destination may still run.
      await until('the disk is let go', async () => canRestart(disk), MINUTE_MS);
    }
    service.start();
    ending.abort();
    await Promise.all([stream, faults]);
    await soak.drained();
    await soak.expectWhole(destinations);
    say(`power cuts: ${CUTS}; starts: ${service.starts}`);
  });

  test('shares its store with other commands, and misses no schedule', async () => {
    const hunts =
      'hunts:\n  - { id: all }\n  - { id: minutely, schedule: "* * * * *", window: 1h }\n' +
      'sinks: [{ id: file, type: file, path: alerts.jsonl }]\n';
    const soak = new Soak(join(folder, '.trailhound'), { config: hunts });
    const { service, traffic } = soak;
    service.start();
    await until('it watches', async () => service.log().some(({ event }) => event === 'watching'), MINUTE_MS);
    // Due times count from when the hunts were first looked at.
    await sleep(5000);
    const startMs = Date.now();
    const endMs = startMs + CONTENTION_MS;
    const ending = new AbortController();
    const stream = traffic.run(1, ending.signal);
    const runs = await Promise.all([
      repeated(soak, endMs, () => ['hunt']),
      repeated(soak, endMs, () => ['sql', '--output', 'json', 'SELECT count(*) AS events FROM cloudtrail']),
      repeated(soak, endMs, () => ['status', '--output', 'json']),
      repeated(soak, endMs, (turn, said) =>
        turn % 2 === 0
          ? ['suppress', 'add', '--where', `principal=*/nobody-${turn}`, '--reason', 'nobody is called so']
          : ['suppress', 'remove', /^Suppression (\d+)/u.exec(said)?.[1] ?? ''],
      ),
    ]);
    ending.abort();
    await stream;
    expect(runs.flatMap(({ failures }) => failures)).toEqual([]);
    await until(
      'the last minute was hunted',
      async () => (await minutesHunted(soak)).has(Math.floor(endMs / MINUTE_MS) * MINUTE_MS),
      2 * MINUTE_MS,
    );
    expect([service.surprises, await service.kill('SIGTERM')]).toEqual([[], 0]);
    expect(service.log().filter(({ level }) => level === 'error')).toEqual([]);
    const hunted = await minutesHunted(soak);
    const missed: number[] = [];
    for (let at = Math.ceil(startMs / MINUTE_MS) * MINUTE_MS; at <= endMs; at += MINUTE_MS)
      if (hunted.get(at) !== 'done') missed.push(at);
    expect(missed).toEqual([]);
    say(`contention: ${runs.map(({ name, times }) => `${times.length} x ${name} (${seconds(times)})`).join('; ')}`);
    say(`${hunted.size} minutes hunted`);
  });
});

function canRestart(disk: CuttableDisk): boolean {
  try {
    disk.restart();
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes('busy')) return false;
    throw error;
  }
}

interface Repeated {
  readonly name: string;
  /** Of each run, in seconds. */
  readonly times: readonly number[];
  readonly failures: readonly unknown[];
}

/** One run after the other until then, in an even number, so that what one begins another ends. `said`: on stderr by the run before. */
async function repeated(
  soak: Soak,
  endMs: number,
  argsOf: (turn: number, said: string) => readonly string[],
): Promise<Repeated> {
  const times: number[] = [];
  const failures: unknown[] = [];
  let name = '';
  let said = '';
  for (let turn = 0; Date.now() < endMs || turn % 2 === 1; turn++) {
    const args = argsOf(turn, said);
    [name = ''] = args;
    const started = performance.now();
    const { status, stderr } = await soak.run(...args);
    said = stderr;
    times.push((performance.now() - started) / 1000);
    if (status !== 0) failures.push([args, status, stderr]);
  }
  return { name, times, failures };
}

/** What became of each due time. */
async function minutesHunted(soak: Soak): Promise<ReadonlyMap<number, string>> {
  const rows = await soak.json<{ due_at: string; state: string }[]>(
    'sql',
    "SELECT due_at, state FROM hunt_run WHERE hunt = 'minutely' ORDER BY due_at",
  );
  return new Map(rows.map(({ due_at: dueAt, state }) => [Date.parse(dueAt), state]));
}
