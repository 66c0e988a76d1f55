/** The store folder: ledger, lease, alerts, versions, and several processes at once. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Alert, EVIDENCE_MAX } from '../../src/alert.ts';
import { PRELUDE } from '../../src/backends/prelude.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import type { CommitUnit } from '../../src/ingest.ts';
import { ranksOf } from '../../src/rank.ts';
import { Catalog } from '../../src/store/catalog.ts';
import { createSegmentWriter } from '../../src/store/segment-writer.ts';
import { type LocalStore, openStore } from '../../src/store/store.ts';
import { formatTime } from '../../src/time.ts';

let folder: string;
let store: LocalStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-store-'));
  store = await openStore(join(folder, 'store'), { create: true });
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const unit = (logFile: number, change: Partial<CommitUnit['files'][number]> = {}): CommitUnit => ({
  files: [
    {
      file: { key: `/logs/${logFile}.json.gz`, sizeBytes: 100, version: '1' },
      logFile,
      status: 'done',
      kind: 'log',
      sha256: String(logFile).padStart(64, '0'),
      copyOf: null,
      uncompressedBytes: 1000,
      records: { in: 2, stored: 0, duplicate: 2, rejected: 0, id_conflicts: 0, without_time: 0 },
      minTimeMs: 1_000,
      maxTimeMs: 2_000,
      rejectReasons: {},
      error: null,
      ...change,
    },
  ],
  segments: [],
  conflicts: [],
  rejectFiles: [],
});

const alert: Alert = {
  schema: 1,
  id: 'ab12'.repeat(8),
  detector: 'root-console-login',
  detector_version: 1,
  title: 'Root signed in',
  severity: 'critical',
  status: 'open',
  subject: { account_id: '111122223333', nothing: null },
  summary: "root o'signed in",
  count: 2,
  peak: null,
  first_seen: '2026-01-01T00:00:00Z',
  last_seen: '2026-01-01T00:00:00.500Z',
  window: { from: '2026-01-01T00:00:00Z', to: '2026-01-01T01:00:00Z' },
  account_id: '111122223333',
  region: null,
  accounts: ['111122223333', '444455556666'],
  regions: [],
  source_ips: ['198.51.100.7'],
  principal_arn: null,
  context: null,
  attack: [{ technique: 'T1078.004', version: 16 }],
  event_ids: ['e"1', 'é2'],
  event_ids_total: 2,
  parameters: { at_least: 3 },
  suppressed_by: null,
  new: true,
  coverage: null,
};

describe('the ledger', () => {
  test('knows a file by key, size and version, and a content by its SHA-256, once committed', async () => {
    const writer = await store.openWriter([cloudtrailTable]);
    expect(await writer.commit([unit(writer.takeLogFileIds(1))])).toBe(1);
    await writer.close();
    const next = await store.openWriter([cloudtrailTable]);
    const file = { key: '/logs/1.json.gz', sizeBytes: 100, version: '1' };
    expect(await next.known([{ ...file, version: '2' }, file, { ...file, sizeBytes: 101 }])).toEqual([
      null,
      { id: 1, minTimeMs: 1_000, maxTimeMs: 2_000 },
      null,
    ]);
    expect(await next.contents(['1'.padStart(64, '0'), 'f'.repeat(64)])).toEqual([
      { id: 1, records: 2, kind: 'log', minTimeMs: 1_000, maxTimeMs: 2_000 },
      null,
    ]);
    expect(next.takeLogFileIds(2)).toBe(2);
    await next.close();
  });

  test('asks for a failed file again and forgets the failure once it was read', async () => {
    const writer = await store.openWriter([cloudtrailTable]);
    const failed = {
      status: 'failed',
      sha256: null,
      error: 'gone',
      records: { in: 0, stored: 0, duplicate: 0, rejected: 0, id_conflicts: 0, without_time: 0 },
    } as const;
    await writer.commit([unit(1, failed)]);
    await writer.close();
    const next = await store.openWriter([cloudtrailTable]);
    expect(await next.known([{ key: '/logs/1.json.gz', sizeBytes: 100, version: '1' }])).toEqual([null]);
    expect((await store.status()).files).toEqual({ seen: 1, done: 0, damaged: 0, failed: 1 });
    await next.commit([unit(2, { file: { key: '/logs/1.json.gz', sizeBytes: 100, version: '1' } })]);
    expect((await store.status()).files).toEqual({ seen: 1, done: 1, damaged: 0, failed: 0 });
    await next.close();
  });

  test('keeps rejects byte for byte and shows them as text', async () => {
    const text = Buffer.from([0x61, 0xff, 0x27, 0x0a]);
    const segments = await createSegmentWriter({
      table: cloudtrailTable,
      stagingDir: join(store.dir, 'staging'),
      name: 'w0',
      prelude: PRELUDE,
    });
    const reject = { recordNo: 2, offset: 10, length: 4, reason: 'json-invalid', detail: 'no comma', text };
    const rejectFiles = [await segments.writeRejects([{ logFile: 1, reject }])];
    await segments.close();
    const writer = await store.openWriter([cloudtrailTable]);
    // Opening the writer swept the staging folder, as after a crash: stage again under the lease.
    expect(existsSync(rejectFiles[0] ?? '')).toBe(false);
    const again = await createSegmentWriter({
      table: cloudtrailTable,
      stagingDir: join(store.dir, 'staging'),
      name: 'w0',
      prelude: PRELUDE,
    });
    const staged = [await again.writeRejects([{ logFile: 1, reject }])];
    await again.close();
    const records = { in: 3, stored: 0, duplicate: 2, rejected: 1, id_conflicts: 0, without_time: 0 };
    await writer.commit([{ ...unit(1, { records, rejectReasons: { 'json-invalid': 1 } }), rejectFiles: staged }]);
    await writer.close();
    expect(await store.rejects({ limit: 10 })).toEqual([
      {
        logFileKey: '/logs/1.json.gz',
        recordNo: 2,
        offset: 10,
        length: 4,
        reason: 'json-invalid',
        detail: 'no comma',
        text: "a\uFFFD'\n",
      },
    ]);
    const status = await store.status();
    expect([status.records, status.balanced]).toEqual([records, true]);
    expect((await store.check([cloudtrailTable])).problems).toEqual([]);
  });
});

describe('the lease', () => {
  test('lets one writer in and names its process to the other', async () => {
    const writer = await store.openWriter([cloudtrailTable]);
    expect((await store.status()).writer).toEqual({ pid: process.pid });
    await expect(store.openWriter([cloudtrailTable])).rejects.toMatchObject({
      code: 'store-locked',
      message: expect.stringContaining(String(process.pid)),
    });
    await writer.close();
    expect((await store.status()).writer).toBeNull();
  });

  test('is asked for by pruning as well, which would undo a compaction that runs', async () => {
    const writer = await store.openWriter([cloudtrailTable]);
    await expect(store.prune(cloudtrailTable, '2027-01-01')).rejects.toMatchObject({ code: 'store-locked' });
    await writer.close();
    expect(await store.prune(cloudtrailTable, '2027-01-01')).toEqual({ segments: 0, rows: 0 });
    expect((await store.status()).writer).toBeNull();
  });
});

describe('alerts', () => {
  const key = { detector: 'root-console-login', version: 1, parametersHash: 'h' };

  test('are inserted once, refreshed, and keep what a person decided', async () => {
    const seqs = [{ key, seq: 4 }];
    expect(await store.recordHunt({ alerts: [alert], withdrawn: [], seqs })).toEqual({
      fresh: new Set([alert.id]),
      statuses: new Map([[alert.id, 'open']]),
    });
    expect(await store.alert('AB12')).toEqual({ ...alert, new: false });
    await store.setAlertStatus([alert.id], 'acknowledged', 'martha', 'known');
    expect(await store.recordHunt({ alerts: [{ ...alert, count: 3 }], withdrawn: [], seqs })).toEqual({
      fresh: new Set(),
      statuses: new Map([[alert.id, 'acknowledged']]),
    });
    expect((await store.alerts({}))[0]).toMatchObject({ count: 3, status: 'acknowledged' });
    expect(await store.huntSeqs([key, { ...key, version: 2 }])).toEqual([4, 0]);
  });

  test('are decided upon together, by beginnings of their ids, or not at all', async () => {
    const others = ['ab34', 'cd56', 'ef78'].map((part) => ({ ...alert, id: part.repeat(8) }));
    await store.recordHunt({ alerts: [alert, ...others], withdrawn: ['ef78'.repeat(8)], seqs: [] });
    const statuses = async () => (await store.alerts({})).map(({ status }) => status);
    const before = await statuses();
    await expect(store.setAlertStatus(['cd56', 'ffff', '0000'], 'closed', 'martha', null)).rejects.toMatchObject({
      code: 'alert-unknown',
      message: "cannot find the alert 'ffff': no id in the store begins with it; nor with 1 other of the ids given",
    });
    await expect(store.setAlertStatus(['cd56', 'ab'], 'closed', 'martha', null)).rejects.toMatchObject({
      message: "cannot find the alert 'ab': no id in the store begins with it",
    });
    expect(await statuses()).toEqual(before);
    await store.setAlertStatus(['AB34'], 'closed', 'martha', null);
    const ids = ['cd56', 'ab34', 'CD56CD', 'ef78', 'ab12'];
    const decided = await store.setAlertStatus(ids, 'closed', 'martha', null);
    expect(decided.map((one) => [one.alert.id.slice(0, 4), one.was, one.alert.status])).toEqual([
      ['cd56', 'open', 'closed'],
      ['ab34', 'closed', 'closed'],
      ['ef78', 'withdrawn', 'withdrawn'],
      ['ab12', 'open', 'closed'],
    ]);
    expect((await store.alertHistory('ab34'.repeat(8))).map(({ change }) => change)).toEqual(['new', 'closed']);
    expect((await store.outbox.changes(6, 10)).map((one) => one.alert.id.slice(0, 4))).toEqual(['cd56', 'ab12']);
  });

  test('that a suppression hides are counted by it, also after its removal, and its number is not given again', async () => {
    const suppression = { detector: null, where: { account_id: '111122223333' }, reason: 'r', owner: 'o', until: null };
    const first = await store.addSuppression(suppression);
    const hidden = { ...alert, status: 'suppressed', suppressed_by: String(first.id) } as const;
    const later = { ...hidden, id: 'cd56'.repeat(8), last_seen: '2026-01-02T00:00:00Z' };
    await store.recordHunt({ alerts: [hidden, later], withdrawn: [], seqs: [] });
    expect(await store.removeSuppression(first.id)).toBe(true);
    expect(await store.suppressionUses()).toEqual([
      { suppression: '1', alerts: 2, lastSeen: '2026-01-02T00:00:00Z', usedAt: expect.stringMatching(/^2\d{3}-/) },
    ]);
    expect(await store.alerts({ suppressedBy: '1' })).toHaveLength(2);
    expect(await store.addSuppression(suppression)).toMatchObject({
      id: 2,
      createdAt: expect.stringMatching(/^2\d{3}-/),
    });
    // A person's decision outlives the suppression, and it is no longer hidden by it.
    await store.setAlertStatus([alert.id], 'closed', 'martha', null);
    expect(await store.alerts({ suppressedBy: '1' })).toHaveLength(1);
  });

  test('are withdrawn when they no longer follow and open again when they do', async () => {
    await store.recordHunt({ alerts: [alert], withdrawn: [], seqs: [] });
    await store.recordHunt({ alerts: [], withdrawn: [alert.id], seqs: [] });
    expect(await store.alerts({ statuses: ['withdrawn'] })).toHaveLength(1);
    expect(await store.alerts({ statuses: ['open'] })).toHaveLength(0);
    await store.recordHunt({ alerts: [alert], withdrawn: [], seqs: [] });
    expect(
      await store.alerts({
        statuses: ['open'],
        minSeverity: 'critical',
        fromMs: Date.parse('2026-01-01T00:00:00.500Z'),
        toMs: Date.parse('2026-01-02'),
      }),
    ).toHaveLength(1);
  });

  test('that are closed and happen again are open again; every change that people are told of is noted down once', async () => {
    const found = (count: number, status: Alert['status'] = 'open') =>
      store.recordHunt({ alerts: [{ ...alert, count, status }], withdrawn: [], seqs: [] });
    await found(2);
    await found(3);
    await found(4);
    await found(5);
    await store.setAlertStatus([alert.id], 'closed', 'martha', 'a drill');
    await found(5);
    expect((await store.alert(alert.id)).status).toBe('closed');
    await found(6);
    expect((await store.alert(alert.id)).status).toBe('open');
    await found(6, 'suppressed');
    await found(7, 'suppressed');
    await found(7);
    await store.recordHunt({ alerts: [], withdrawn: [alert.id], seqs: [] });
    await store.recordHunt({ alerts: [], withdrawn: [alert.id], seqs: [] });
    await found(7);
    const history = await store.alertHistory(alert.id);
    expect(history.map(({ revision, change, count }) => [revision, change, count])).toEqual([
      [1, 'new', 2],
      [2, 'grown', 4],
      [3, 'closed', 5],
      [4, 'reopened', 6],
      [5, 'suppressed', 6],
      [6, 'new', 7],
      [7, 'withdrawn', 7],
      [8, 'reopened', 7],
    ]);
    expect(history[2]).toMatchObject({ by: 'martha', why: 'a drill' });
    expect((await store.outbox.changes(5, 2)).map(({ seq, change }) => [seq, change])).toEqual([
      [6, 'new'],
      [7, 'withdrawn'],
    ]);
  });

  describe('tens of thousands of one hunt', () => {
    const COUNT = 25_000;
    const idOf = (at: number): string => createHash('sha256').update(String(at)).digest('hex').slice(0, 32);
    /** Of a thousand principals, one every twenty seconds. */
    const many = (count: number): Alert[] =>
      Array.from({ length: count }, (_, at) => ({
        ...alert,
        id: idOf(at),
        event_ids: [...Array(EVIDENCE_MAX).keys()].map((event) => `${String(at).padStart(32, '0')}-${event}`),
        subject: { principal: `user-${at % 1000}` },
        first_seen: formatTime(Date.UTC(2026, 0, 1) + at * 20_000),
        last_seen: formatTime(Date.UTC(2026, 0, 1) + at * 20_000),
      }));

    test('are recorded, listed and decided upon', async () => {
      const alerts = many(COUNT);
      const ids = alerts.map(({ id }) => id);
      const { fresh, statuses } = await store.recordHunt({ alerts, withdrawn: [], seqs: [] });
      expect([fresh.size, statuses.size]).toEqual([COUNT, COUNT]);
      expect((await store.alerts({ limit: 2 })).map(({ id }) => id)).toEqual([idOf(COUNT - 1), idOf(COUNT - 2)]);
      expect(await store.alerts({ ids: ids.slice(0, 1) })).toEqual([{ ...alerts[0], new: false }]);
      const ranks = ranksOf(await store.alertOutlines());
      expect((await store.alerts({ sort: 'rank', limit: 3 })).map(({ id }) => id)).toEqual(
        ranks.slice(0, 3).map(({ alert_id }) => alert_id),
      );
      const decided = await store.setAlertStatus(
        ids.map((id) => id.slice(0, 20)),
        'closed',
        'martha',
        null,
      );
      expect(decided.map((one) => one.alert.id)).toEqual(ids);
      await store.recordHunt({ alerts: alerts.slice(0, 10), withdrawn: ids.slice(10), seqs: [] });
      const count = async (status: Alert['status']): Promise<number> =>
        (await store.alerts({ statuses: [status] })).length;
      expect([await count('closed'), await count('withdrawn')]).toEqual([10, COUNT - 10]);
      const last = await store.outbox.changes(3 * COUNT - 12, 10);
      expect(last.map(({ seq, change }) => [seq, change])).toEqual([
        [3 * COUNT - 11, 'withdrawn'],
        [3 * COUNT - 10, 'withdrawn'],
      ]);
    }, 120_000);

    test('are recorded all or none', async () => {
      const alerts = many(3000);
      const broken = { ...(alerts[0] as Alert), id: 'f'.repeat(32), first_seen: 'no time' };
      const seqs = [{ key, seq: 4 }];
      await expect(store.recordHunt({ alerts: [...alerts, broken], withdrawn: [], seqs })).rejects.toThrow(
        'Invalid time value',
      );
      expect(await store.alerts({ limit: 1 })).toEqual([]);
      expect(await store.outbox.changes(0, 1)).toEqual([]);
      expect(await store.huntSeqs([key])).toEqual([0]);
    }, 120_000);
  });

  test('are found by a unique beginning of their id only', async () => {
    await store.recordHunt({ alerts: [alert, { ...alert, id: `ab12${'cd34'.repeat(7)}` }], withdrawn: [], seqs: [] });
    for (const prefix of ['ab1', 'ab12', 'ffff', "' OR 1=1 --"])
      await expect(store.alert(prefix)).rejects.toMatchObject({ code: 'alert-unknown' });
    expect((await store.alert('ab12c')).id).toBe(`ab12${'cd34'.repeat(7)}`);
  });
});

describe('suppressions', () => {
  test('are kept in the store until they are removed', async () => {
    const added = await store.addSuppression({
      detector: null,
      where: { principal: '*scanner*' },
      reason: 'ours',
      owner: 'martha',
      until: '2027-01-01T00:00:00Z',
    });
    expect(await store.suppressions()).toEqual([added]);
    expect([await store.removeSuppression(added.id), await store.removeSuppression(added.id)]).toEqual([true, false]);
  });
});

describe('the folder', () => {
  test('is private to its owner', () => {
    expect(statSync(store.dir).mode & 0o777).toBe(0o700);
    for (const name of ['VERSION', 'catalog.duckdb']) expect(statSync(join(store.dir, name)).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['4\n', 'store-version', 'has version 4'],
    ['x', 'store-damaged', "'x'"],
  ])('with VERSION %j is refused', async (version, code, words) => {
    writeFileSync(join(store.dir, 'VERSION'), version);
    await expect(openStore(store.dir)).rejects.toMatchObject({ code, message: expect.stringContaining(words) });
  });

  test('of version 1 is brought up to this one, with its alerts', async () => {
    await store.recordHunt({ alerts: [alert], withdrawn: [], seqs: [] });
    const catalog = new Catalog(join(store.dir, 'catalog.duckdb'));
    await catalog.write(async (session) => {
      await session.run('ALTER TABLE suppression DROP COLUMN created_at');
      await session.run(`INSERT INTO suppression VALUES (1, 'root-console-login', '{}', 'a drill', 'martha', NULL)`);
      for (const column of ['suppressed_by', 'revision', 'told_count', 'context'])
        await session.run(`ALTER TABLE alert DROP COLUMN ${column}`);
      for (const table of ['alert_change', 'delivery', 'delivery_message', 'hunt_run', 'source_state', 'watch_state'])
        await session.run(`DROP TABLE ${table}`);
      await session.run('DROP TABLE notify_since');
    });
    writeFileSync(join(store.dir, 'VERSION'), '1\n');
    const opened = await openStore(store.dir);
    expect(await opened.alert(alert.id)).toEqual({ ...alert, new: false });
    await opened.recordHunt({ alerts: [{ ...alert, count: 4 }], withdrawn: [], seqs: [] });
    expect((await opened.alertHistory(alert.id)).map(({ revision, change }) => [revision, change])).toEqual([
      [1, 'grown'],
    ]);
    expect((await opened.suppressions()).map(({ id, createdAt }) => [id, createdAt])).toEqual([[1, undefined]]);
    expect(readFileSync(join(store.dir, 'VERSION'), 'utf8')).toBe('3\n');
  });

  test('of version 2 is brought up to this one, and keeps what is known from then on', async () => {
    await store.recordHunt({ alerts: [alert], withdrawn: [], seqs: [] });
    const catalog = new Catalog(join(store.dir, 'catalog.duckdb'));
    await catalog.write((session) => session.run('ALTER TABLE alert DROP COLUMN context'));
    writeFileSync(join(store.dir, 'VERSION'), '2\n');
    const opened = await openStore(store.dir);
    expect(await opened.alert(alert.id)).toEqual({ ...alert, new: false });
    const context = { addresses: { '192.0.2.1': { country: 'DE', asn: 64_496 } }, accounts: {} };
    await opened.recordHunt({ alerts: [{ ...alert, context }], withdrawn: [], seqs: [] });
    expect(await opened.alert(alert.id)).toEqual({ ...alert, context, new: false });
  });

  test.each(['/etc/passwd', '/etc/passwd/store', '/dev/null', '/proc/store'])(
    'that is to lie at %s, where no folder can be, is refused',
    async (dir) => {
      await expect(openStore(dir, { create: true })).rejects.toMatchObject({
        code: 'store-unwritable',
        message: `cannot create the store ${dir}: no folder can be made there`,
      });
    },
  );

  test.each(['catalog.duckdb', 'writer.lock'])('whose %s is not what it was is damaged, not a bug', async (name) => {
    await (await store.openWriter([cloudtrailTable])).close();
    rmSync(join(store.dir, `${name}.wal`), { force: true });
    writeFileSync(join(store.dir, name), 'x'.repeat(4000));
    await expect(store.openWriter([cloudtrailTable])).rejects.toMatchObject({
      code: 'store-damaged',
      message: expect.stringContaining(join(store.dir, name)),
    });
    await expect(store.status()).rejects.toMatchObject({ code: 'store-damaged' });
  });

  test('whose catalog is missing is damaged, and gets no empty one in its place', async () => {
    rmSync(join(store.dir, 'catalog.duckdb'));
    const uses = [() => store.status(), () => store.openWriter([cloudtrailTable]), () => store.suppressions()];
    for (const use of uses) await expect(use()).rejects.toMatchObject({ code: 'store-damaged' });
    expect(existsSync(join(store.dir, 'catalog.duckdb'))).toBe(false);
  });

  test('that was copied without its empty folders works as before', async () => {
    for (const name of ['staging', 'lake']) rmSync(join(store.dir, name), { recursive: true });
    const { file } = await store.snapshot('log_file');
    expect(existsSync(file ?? '')).toBe(true);
    for (const name of ['staging', 'lake']) rmSync(join(store.dir, name), { recursive: true, force: true });
    await (await store.openWriter([cloudtrailTable])).close();
  });

  test('must exist unless it is to be created', async () => {
    await expect(openStore(join(folder, 'none'))).rejects.toMatchObject({ code: 'store-missing' });
  });
});

describe('four processes at once', () => {
  const script = fileURLToPath(new URL('./catalog-process.ts', import.meta.url));
  const process_ = (task: string): Promise<number | null> =>
    new Promise((resolve) => {
      spawn(process.execPath, ['--import', 'tsx', script, store.dir, task], { stdio: 'inherit' }).once('exit', resolve);
    });

  test('commit, hunt and read without one lock error', async () => {
    expect(await Promise.all(['commit', 'hunt', 'status', 'segments'].map(process_))).toEqual([0, 0, 0, 0]);
    expect((await store.status()).files.done).toBe(30);
    expect(await store.alerts({})).toHaveLength(30);
  }, 120_000);
});
