/** Compaction is all or nothing for each day: whatever ends a run, readers see a day as it was or as it is to be, and the next run completes it. */
import { randomUUID } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parquetRows } from '../../src/backends/parquet-rows.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { type CompactDeps, type CompactResult, compactTable } from '../../src/pipeline/compact.ts';
import type { Target } from '../../src/target.ts';
import { openFolderTarget } from '../../src/targets/folder.ts';

const DAYS = ['2026-03-01', '2026-03-02', '2026-03-03', '2026-03-05'];
const dir = mkdtempSync(join(tmpdir(), 'trailhound-compact-'));
afterAll(() => rmSync(dir, { recursive: true }));

/** Parquet files by their number of rows. */
const files = new Map<number, string>();
beforeAll(async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const rows of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) {
    const file = join(dir, `${rows}.parquet`);
    await connection.run(
      `COPY (SELECT 'event-' || range AS event_id FROM range(${rows})) TO '${file}' (FORMAT parquet)`,
    );
    files.set(rows, file);
  }
  connection.closeSync();
  instance.closeSync();
});

/** Log files that hold so many events of each day, and as many copies. */
class Logs {
  readonly events: Map<string, number>;
  counts = 0;
  unloads = 0;
  outside = 0;
  /** What the next statements write instead, or an error that they end with behind their first file. */
  readonly faults: (number | Error)[] = [];

  constructor(events: Readonly<Record<string, number>>) {
    this.events = new Map(Object.entries(events));
  }

  deps(target: Target): CompactDeps {
    const ofDay = (day: string): number => this.events.get(day) ?? 0;
    return {
      target,
      owner: 'test',
      filesOf: ({ first, last }) => {
        const days = [...this.events].filter(([day]) => day >= first && day <= last);
        const objects = days.reduce((sum, [, events]) => sum + events, 0);
        return { objects, digest: JSON.stringify(days), scanBytes: objects * 1000 };
      },
      countedTogether: 2,
      count: async ({ first, last }) => {
        this.counts += 1;
        const days = [...this.events].filter(([day, events]) => day >= first && day <= last && events > 0);
        return {
          days: new Map(days.map(([day, events]) => [day, { records: events * 2, events }])),
          outside: this.outside,
        };
      },
      unload: async (day, folder) => {
        this.unloads += 1;
        const path = fileURLToPath(folder());
        mkdirSync(path, { recursive: true });
        const fault = this.faults.shift();
        const rows = typeof fault === 'number' ? fault : ofDay(day);
        copyFileSync(files.get(1) ?? '', join(path, 'one'));
        if (fault instanceof Error) throw fault;
        if (rows > 1) copyFileSync(files.get(rows - 1) ?? '', join(path, 'other'));
      },
      rowsOf: (readEnd, name) => parquetRows(readEnd, { name, tempDirectory: dir }),
      newId: randomUUID,
    };
  }
}

const fresh = (): string => mkdtempSync(join(dir, 'target-'));

const run = (target: Target, logs: Logs, dryRun = false): Promise<CompactResult> =>
  compactTable(logs.deps(target), {
    table: cloudtrailTable,
    days: DAYS,
    dryRun,
    signal: new AbortController().signal,
  });

const below = (root: string, folder: string): readonly string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

/** Rows that readers see, by day. */
async function seen(root: string): Promise<Readonly<Record<string, number>>> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const days: Record<string, number> = {};
  for (const list of below(root, 'cloudtrail')
    .filter((name) => name.endsWith('symlink.txt'))
    .toSorted()) {
    const urls = readFileSync(list, 'utf8')
      .trim()
      .split('\n')
      .map((url) => `'${fileURLToPath(url)}'`);
    const reader = await connection.runAndReadAll(`SELECT count(*) FROM read_parquet([${urls.join(', ')}])`);
    days[list.split('/').slice(-4, -1).join('-')] = Number(reader.getRows()[0]?.[0]);
  }
  connection.closeSync();
  instance.closeSync();
  return days;
}

const BEFORE = { '2026-03-01': 3, '2026-03-02': 4, '2026-03-05': 1 };
/** Late files came for two days, and another day came. */
const AFTER = { '2026-03-01': 5, '2026-03-02': 6, '2026-03-03': 2, '2026-03-05': 1 };

describe('compaction', () => {
  test('makes each day of its log files, and tells the sums', async () => {
    const [root, logs] = [fresh(), new Logs(BEFORE)];
    expect(await run(openFolderTarget(root), logs)).toEqual({
      table: 'cloudtrail',
      days: 4,
      empty: 1,
      unchanged: 0,
      compacted: 3,
      records: 16,
      rows: 8,
      files: 5,
      bytes: expect.any(Number),
      removed: 0,
      outside: 0,
      scans: [7000, 3000, 4000, 1000, 1000],
      problems: [],
    });
    expect(await seen(root)).toEqual(BEFORE);
  });

  test('a second time reads nothing', async () => {
    const [root, logs] = [fresh(), new Logs(BEFORE)];
    await run(openFolderTarget(root), logs);
    expect(await run(openFolderTarget(root), logs)).toMatchObject({
      unchanged: 3,
      compacted: 0,
      scans: [],
      removed: 0,
    });
    expect([logs.counts, logs.unloads]).toEqual([2, 3]);
  });

  test('in a dry run writes nothing', async () => {
    const [root, logs] = [fresh(), new Logs(BEFORE)];
    expect(await run(openFolderTarget(root), logs, true)).toMatchObject({
      compacted: 3,
      rows: 0,
      scans: { length: 5 },
    });
    expect(readdirSync(root)).toEqual([]);
    expect([logs.counts, logs.unloads]).toEqual([0, 0]);
  });

  test('that is interrupted at any point shows each day as it was or as it is to be, and is finished by the next', async () => {
    const before = fresh();
    await run(openFolderTarget(before), new Logs(BEFORE));
    let isWhole = false;
    let step = 0;
    for (; !isWhole; step++) {
      const root = copyOf(before);
      const logs = new Logs(AFTER);
      isWhole = await run(failing(openFolderTarget(root), step), logs).then(
        () => true,
        (error: Error) => {
          expect(error.message).toBe('the plug was pulled');
          return false;
        },
      );
      for (const [day, rows] of Object.entries(await seen(root)))
        expect(
          [(BEFORE as Record<string, number>)[day], (AFTER as Record<string, number>)[day]],
          `${day} after step ${step}`,
        ).toContain(rows);
      // What the dead run has left goes with the next one, what readers may still read with the one after.
      await run(openFolderTarget(root), logs);
      expect(await seen(root)).toEqual(AFTER);
      const last = await run(openFolderTarget(root), logs);
      expect(last).toMatchObject({ compacted: 0, unchanged: 4 });
      expect(below(root, 'data').length, `files after step ${step}`).toBe(2 + 2 + 2 + 1 + 4);
      rmSync(root, { recursive: true });
    }
    // A statement's own files, a note, a list: for three days.
    expect(step).toBeGreaterThan(9);
  });

  test('what was noted down and not listed is listed without another statement', async () => {
    const [root, logs] = [fresh(), new Logs({ '2026-03-01': 3 })];
    const target = openFolderTarget(root);
    const pulled: Target = {
      ...target,
      writeText: async (key, text) => {
        if (key.endsWith('symlink.txt')) throw new Error('the plug was pulled');
        return target.writeText(key, text);
      },
    };
    await expect(run(pulled, logs)).rejects.toThrow('the plug was pulled');
    expect(await seen(root)).toEqual({});
    expect(await run(target, logs)).toMatchObject({ unchanged: 1, compacted: 0 });
    expect(await seen(root)).toEqual({ '2026-03-01': 3 });
    expect(logs.unloads).toBe(1);
  });

  test.each([
    ['fewer', 2],
    ['more', 9],
  ])('%s rows than events leave the day as it was, and no file', async (_, rows) => {
    const [root, logs] = [fresh(), new Logs(BEFORE)];
    const target = openFolderTarget(root);
    await run(target, logs);
    const [lists, data] = [await seen(root), below(root, 'data')];
    logs.events.set('2026-03-02', 5);
    logs.faults.push(rows);
    expect(await run(target, logs)).toMatchObject({
      compacted: 0,
      unchanged: 2,
      problems: [
        { day: '2026-03-02', why: `${rows} rows were written, expected 5, as many as its log files have events` },
      ],
    });
    expect([await seen(root), below(root, 'data')]).toEqual([lists, data]);
    expect(await run(target, logs)).toMatchObject({ compacted: 1, problems: [] });
    expect(await seen(root)).toEqual({ ...BEFORE, '2026-03-02': 5 });
  });

  test('a statement that fails ends the run, and the other days are not lost', async () => {
    const [root, logs] = [fresh(), new Logs(AFTER)];
    logs.faults.push(new Error('exhausted'));
    await expect(run(openFolderTarget(root), logs)).rejects.toThrow('exhausted');
    expect(await seen(root)).toEqual({ '2026-03-02': 6 });
    await run(openFolderTarget(root), logs);
    expect(await seen(root)).toEqual(AFTER);
    expect(below(root, 'data').length).toBe(2 + 2 + 2 + 1 + 4);
  });

  test('log files that are gone take nothing away, and what is left of a day does not replace it', async () => {
    const [root, logs] = [fresh(), new Logs(BEFORE)];
    const target = openFolderTarget(root);
    await run(target, logs);
    logs.events.delete('2026-03-01');
    expect(await run(target, logs)).toMatchObject({ unchanged: 3, empty: 1, scans: [] });
    expect(await seen(root)).toEqual(BEFORE);
    // Somebody has removed a file besides, which cannot be made again.
    const [victim = ''] = below(root, 'data/cloudtrail/2026/03/01').filter((name) => !name.endsWith('.json'));
    rmSync(victim);
    expect(await run(target, logs)).toMatchObject({
      problems: [{ day: '2026-03-01', why: 'its log files have 0 events, and 3 were compacted before' }],
    });
  });

  test('a file that somebody has cut is made again', async () => {
    const [root, logs] = [fresh(), new Logs(BEFORE)];
    const target = openFolderTarget(root);
    await run(target, logs);
    const [victim = ''] = below(root, 'data/cloudtrail/2026/03/02').filter((name) => !name.endsWith('.json'));
    writeFileSync(victim, 'PAR1');
    expect(await run(target, logs)).toMatchObject({ unchanged: 2, compacted: 1 });
    expect(await seen(root)).toEqual(BEFORE);
  });

  test('what is no Parquet file is named', async () => {
    const [root, logs] = [fresh(), new Logs({ '2026-03-01': 3 })];
    const deps = logs.deps(openFolderTarget(root));
    const unload = async (_: string, folder: () => string): Promise<void> => {
      const path = fileURLToPath(folder());
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'text'), 'no Parquet file at all');
    };
    const options = { table: cloudtrailTable, days: DAYS, dryRun: false, signal: new AbortController().signal };
    await expect(compactTable({ ...deps, unload }, options)).rejects.toThrow(
      /cannot read file:.*\/text: expected a Parquet file/u,
    );
    expect(below(root, 'cloudtrail').filter((name) => name.endsWith('symlink.txt'))).toEqual([]);
  });

  test('records that are in no day are told', async () => {
    const logs = new Logs(BEFORE);
    logs.outside = 3;
    expect(await run(openFolderTarget(fresh()), logs)).toMatchObject({ outside: 6 });
  });

  test('refuses the place of something else', async () => {
    const [root, logs] = [fresh(), new Logs(BEFORE)];
    await run(openFolderTarget(root), logs);
    const deps = { ...logs.deps(openFolderTarget(root)), owner: 'another' };
    const options = { table: cloudtrailTable, days: DAYS, dryRun: false, signal: new AbortController().signal };
    await expect(compactTable(deps, options)).rejects.toMatchObject({ code: 'target-foreign' });
  });
});

/** A copied folder has the addresses of the one that it was copied from. */
function copyOf(from: string): string {
  const root = fresh();
  cpSync(from, root, { recursive: true });
  const [old, own] = [from, root].map((folder) => openFolderTarget(folder).addressOf('')) as [string, string];
  for (const file of below(root, 'cloudtrail'))
    if (file.endsWith('symlink.txt')) writeFileSync(file, readFileSync(file, 'utf8').replaceAll(old, own));
  return root;
}

/** As when the plug is pulled after so many changes: nothing is changed from then on. */
function failing(target: Target, after: number): Target {
  let steps = 0;
  const step = (): void => {
    if (steps++ >= after) throw new Error('the plug was pulled');
  };
  return {
    ...target,
    addressOf: (key) => {
      // A folder is asked for before a statement writes into it.
      if (key.endsWith('/') && key.startsWith('data/')) step();
      return target.addressOf(key);
    },
    writeText: async (...args) => {
      step();
      return target.writeText(...args);
    },
    remove: async (...args) => {
      step();
      return target.remove(...args);
    },
  };
}
