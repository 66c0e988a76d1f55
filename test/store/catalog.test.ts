/** The one door to the catalog: who shares an opening, and who does not. */
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Catalog, type CatalogSession } from '../../src/store/catalog.ts';
import { createDatabase } from '../../src/store/database.ts';

let folder = '';
let catalog: Catalog;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'catalog-'));
  await createDatabase(join(folder, 'catalog.duckdb'), folder);
  catalog = new Catalog(join(folder, 'catalog.duckdb'));
  await catalog.write((session) => session.run('CREATE TABLE fact AS SELECT 1 AS value'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const sum = async (session: CatalogSession): Promise<number> => {
  const [row] = await session.rows('SELECT sum(value) AS value FROM fact');
  return Number(row?.['value']);
};

test('reads that wait together share one opening, and one that fails fails alone', async () => {
  const sessions = new Set<CatalogSession>();
  const results = await Promise.allSettled([
    catalog.read((session) => sum(session).finally(() => sessions.add(session))),
    catalog.read(async (session) => {
      sessions.add(session);
      throw new Error('no such fact');
    }),
    catalog.read((session) => sum(session).finally(() => sessions.add(session))),
  ]);
  expect(results).toEqual([
    { status: 'fulfilled', value: 1 },
    { status: 'rejected', reason: new Error('no such fact') },
    { status: 'fulfilled', value: 1 },
  ]);
  expect(sessions.size).toBe(1);
});

test('a read sees what was asked to be written before it, and nothing later', async () => {
  const before = catalog.read(sum);
  const written = catalog.write((session) => session.run('INSERT INTO fact VALUES (10)'));
  const after = catalog.read(sum);
  expect(await Promise.all([before, written, after])).toEqual([1, undefined, 11]);
});

test('all reads of an opening that fails are told', async () => {
  const broken = new Catalog(join(folder, 'missing', 'catalog.duckdb'));
  const results = await Promise.allSettled([broken.read(sum), broken.read(sum)]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});

test('the log is folded into the file when replaying it costs more, and nothing of it is lost', async () => {
  const sizes: number[] = [];
  const logBytes = (): number => statSync(join(folder, 'catalog.duckdb.wal'), { throwIfNoEntry: false })?.size ?? 0;
  const isFolded = (): boolean => (sizes.at(-1) ?? 0) < (sizes.at(-2) ?? 0);
  // Far below the size at which DuckDB folds it by itself.
  while (!isFolded() && sizes.length < 2000) {
    await catalog.write((session) => session.run('INSERT INTO fact VALUES (1)'));
    sizes.push(logBytes());
  }
  expect(isFolded()).toBe(true);
  expect(Math.max(...sizes)).toBeLessThan(1_000_000);
  expect(await catalog.read(sum)).toBe(1 + sizes.length);
});
