/** An export is what its lists name: each row of the store once, before, during and after every run, whatever compaction or a crash did in between. */
import { copyFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { type ExportOptions, type ExportResult, exportTable } from '../../src/pipeline/export.ts';
import { type LocalStore, openStore } from '../../src/store/store.ts';
import type { Segment } from '../../src/store.ts';
import type { Target } from '../../src/target.ts';
import { openFolderTarget } from '../../src/targets/folder.ts';
import { ingestInto } from '../support/ingest.ts';

const SAMPLES = fileURLToPath(new URL('../../sample-logs/AWSLogs', import.meta.url));

let folder: string;
let store: LocalStore;
/** Live segments: of half of the logs, of all of them, and of all of them compacted. */
let half: readonly Segment[];
let whole: readonly Segment[];
let compacted: readonly Segment[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-export-'));
  const dir = join(folder, 'store');
  await ingestInto(dir, [join(SAMPLES, '111122223333')]);
  store = await openStore(dir);
  half = await store.segments(cloudtrailTable);
  await ingestInto(dir, [SAMPLES]);
  whole = await store.segments(cloudtrailTable);
  const writer = await store.openWriter([cloudtrailTable]);
  await writer.compact({ full: true, signal: new AbortController().signal });
  await writer.close();
  compacted = await store.segments(cloudtrailTable);
});
afterAll(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const fresh = (): string => mkdtempSync(join(folder, 'target-'));

function run(
  target: Target,
  segments: readonly Segment[],
  options: Partial<ExportOptions> = {},
): Promise<ExportResult> {
  return exportTable(
    { storeId: store.id(), target, select: null },
    {
      table: cloudtrailTable,
      segments,
      where: null,
      dryRun: false,
      signal: new AbortController().signal,
      ...options,
    },
  );
}

const lists = (root: string): readonly string[] =>
  readdirSync(join(root, 'cloudtrail'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('symlink.txt'))
    .map((name) => join(root, 'cloudtrail', name));

/** Files that the lists of an export name. */
const listed = (root: string): readonly string[] =>
  lists(root)
    .flatMap((file) => readFileSync(file, 'utf8').trim().split('\n'))
    .map((url) => fileURLToPath(url));

const rowsOf = (files: readonly string[]): string =>
  `SELECT * FROM read_parquet([${files.map((file) => `'${file}'`).join(', ')}], hive_partitioning = false)`;

/** How many rows one list of files has, and how many of them the other has not. */
async function compare(
  files: readonly string[],
  others: readonly string[],
): Promise<{ readonly rows: number; readonly missing: number; readonly added: number }> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const count = async (sql: string): Promise<number> =>
    Number((await connection.runAndReadAll(`SELECT count(*) FROM (${sql})`)).getRows()[0]?.[0]);
  const [one, other] = [rowsOf(files), rowsOf(others)];
  const compared = {
    rows: await count(one),
    missing: await count(`${other} EXCEPT ALL ${one}`),
    added: await count(`${one} EXCEPT ALL ${other}`),
  };
  connection.closeSync();
  instance.closeSync();
  return compared;
}

const paths = (segments: readonly Segment[]): readonly string[] => segments.map(({ path }) => path);
const total = (segments: readonly Segment[]): number => segments.reduce((sum, { rows }) => sum + rows, 0);

describe('an export', () => {
  test('holds the rows of the store; the next one takes only what is new', async () => {
    const root = fresh();
    const target = openFolderTarget(root);
    const first = await run(target, half);
    expect(first).toMatchObject({ rows: total(half), stored: total(half), uploaded: half.length, removed: 0 });
    expect(await compare(listed(root), paths(half))).toEqual({ rows: total(half), missing: 0, added: 0 });
    const second = await run(target, whole);
    expect(second).toMatchObject({ files: whole.length, uploaded: whole.length - half.length, rows: total(whole) });
    expect(await compare(listed(root), paths(whole))).toEqual({ rows: total(whole), missing: 0, added: 0 });
    expect(await run(target, whole)).toMatchObject({ uploaded: 0, changedDays: 0, removed: 0 });
  });

  test('keeps what readers of the former list may still read, until the run after', async () => {
    const root = fresh();
    const target = openFolderTarget(root);
    await run(target, whole);
    const former = listed(root);
    expect(await run(target, compacted)).toMatchObject({ removed: 0, rows: total(whole) });
    expect(await compare(former, listed(root))).toMatchObject({ missing: 0, added: 0 });
    expect(await run(target, compacted)).toMatchObject({ uploaded: 0 });
    const gone = former.filter((file) => !listed(root).includes(file));
    expect(gone.length).toBeGreaterThan(0);
    await expect(compare(gone, gone)).rejects.toThrow(/No files found/);
  });

  test('that is interrupted at any point shows each day as it was or as it is to be, and is finished by the next', async () => {
    const before = fresh();
    await run(openFolderTarget(before), half);
    const steps = await countSteps(before);
    expect(steps).toBeGreaterThan(10);
    for (let step = 0; step < steps; step++) {
      const root = fresh();
      cpSync(before, root, { recursive: true });
      relocate(root, before);
      await expect(run(failing(openFolderTarget(root), step), compacted)).rejects.toThrow('pulled');
      const { rows, added } = await compare(listed(root), paths(whole));
      expect(added, `a row is there twice after step ${step}`).toBe(0);
      expect(rows).toBeGreaterThanOrEqual(total(half));
      await run(openFolderTarget(root), compacted);
      expect(await compare(listed(root), paths(whole))).toEqual({ rows: total(whole), missing: 0, added: 0 });
      rmSync(root, { recursive: true });
    }
  });

  async function countSteps(before: string): Promise<number> {
    const root = fresh();
    cpSync(before, root, { recursive: true });
    relocate(root, before);
    let steps = 0;
    await run(
      stepping(openFolderTarget(root), () => void steps++),
      compacted,
    );
    return steps;
  }

  test('refuses the place of another store and of another condition, and leaves it as it is', async () => {
    const root = fresh();
    const target = openFolderTarget(root);
    await run(target, half);
    const there = listed(root);
    await expect(run(target, whole, { where: 'read_only = false' })).rejects.toThrow(/was exported without --where/);
    await expect(
      exportTable(
        { storeId: 'another', target, select: null },
        {
          table: cloudtrailTable,
          segments: whole,
          where: null,
          dryRun: false,
          signal: new AbortController().signal,
        },
      ),
    ).rejects.toThrow(/the export of another store lies there/);
    expect(listed(root)).toEqual(there);
  });

  test('finds a file that is cut and puts it there again', async () => {
    const root = fresh();
    const target = openFolderTarget(root);
    await run(target, whole);
    const [victim = '', other = ''] = listed(root);
    copyFileSync(other, victim);
    expect(await run(target, whole)).toMatchObject({ uploaded: 1 });
    expect(await compare(listed(root), paths(whole))).toEqual({ rows: total(whole), missing: 0, added: 0 });
  });

  test('is only told of in a dry run', async () => {
    const root = fresh();
    const told = await run(openFolderTarget(root), whole, { dryRun: true });
    expect(told).toMatchObject({ uploaded: whole.length, rows: total(whole) });
    expect(readdirSync(root)).toEqual([]);
  });
});

/** A copied folder has the addresses of the one that it was copied from. */
function relocate(root: string, from: string): void {
  const target = openFolderTarget(root);
  const former = openFolderTarget(from);
  for (const file of lists(root))
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(former.addressOf(''), target.addressOf('')));
}

/** Calls `before` before each change. */
function stepping(target: Target, before: () => void): Target {
  return {
    ...target,
    writeText: async (...args) => {
      before();
      return target.writeText(...args);
    },
    writeFile: async (...args) => {
      before();
      return target.writeFile(...args);
    },
    remove: async (...args) => {
      before();
      return target.remove(...args);
    },
  };
}

/** As when the plug is pulled after so many changes: nothing is changed from then on. */
function failing(target: Target, after: number): Target {
  let steps = 0;
  return stepping(target, () => {
    if (steps++ >= after) throw new Error('the plug was pulled');
  });
}
