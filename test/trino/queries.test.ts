/** Every saved question on Trino: the same rows as on DuckDB, in the same order. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { queryValues } from '../../src/query.ts';
import { ASKED, clock, ids, load, QUERIED, valuesOf, writeEvents } from '../queries/events.ts';
import { type Engines, openEngines, trinoAtHand } from './engines.ts';
import { exampleRecords, loadDetectors, openRecordStore, type RecordStore } from './examples.ts';

const dir = mkdtempSync(join(tmpdir(), 'trailhound-trino-queries-'));
let few: Engines;
let many: Engines;
let examples: RecordStore;

describe.skipIf(trinoAtHand === null)('a saved question', () => {
  beforeAll(async () => {
    const segments = await writeEvents(dir);
    few = await openEngines(
      'queries',
      QUERIED.map((table) => ({ table, segments: segments.filter((segment) => segment.table === table.name) })),
    );
    examples = await openRecordStore(exampleRecords(await loadDetectors()));
    many = await openEngines('questions', examples.tables);
  });
  afterAll(async () => {
    await few.close();
    await many.close();
    await examples.close();
    rmSync(dir, { recursive: true });
  });

  test.concurrent.each(ids)('%s answers alike where it finds something', async (id) => {
    const query = load(id);
    const values = await valuesOf(query);
    const [ours, theirs] = await Promise.all([few.duckdb, few.trino].map((one) => one.query(query.sql, values)));
    expect(ours?.rows.length).toBeGreaterThan(0);
    expect(theirs?.rows).toEqual(ours?.rows);
  });

  test.concurrent.each(ids)('%s answers alike over the records of all detectors', async (id) => {
    const query = load(id);
    const newestMs = examples.window.toMs;
    const values = await queryValues(query, ASKED[id]?.values ?? {}, {
      ...clock,
      newestMs: () => Promise.resolve(newestMs),
    });
    const [ours, theirs] = await Promise.all([many.duckdb, many.trino].map((one) => one.query(query.sql, values)));
    expect(theirs?.rows).toEqual(ours?.rows);
  });
});
