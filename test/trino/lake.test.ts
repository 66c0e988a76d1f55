/** The view `lake` on Trino: the rows that it has on DuckDB, and the same answers to what is written for CloudTrail Lake. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend, Row } from '../../src/backend.ts';
import { LAKE_COLUMNS, LAKE_VIEW, lakeSelect } from '../../src/backends/lake.ts';
import { hasSamples, LAKE_CASES, LAKE_RECORDS, sampleNames, sampleSql } from '../backends/lake-cases.ts';
import { type Engines, openEngines, sortedRows, trinoAtHand } from './engines.ts';
import { exampleRecords, loadDetectors, openRecordStore, type RecordStore } from './examples.ts';

interface Lake {
  readonly store: RecordStore;
  readonly engines: Engines;
  readonly trino: Backend;
}

async function openLake(name: string, records: Parameters<typeof openRecordStore>[0]): Promise<Lake> {
  const store = await openRecordStore(records);
  const engines = await openEngines(name, store.tables);
  const relation = `(${lakeSelect('athena', `memory.${name}_${process.pid}.cloudtrail`)})`;
  const trino = engines.trino.over({ relations: [{ table: { name: LAKE_VIEW }, relation, prune: () => null }] });
  return { store, engines, trino };
}

const fixtures = LAKE_RECORDS.map((record) => ({ table: 'cloudtrail', record, timeMs: Date.parse(record.eventTime) }));

let few: Lake;
let many: Lake;
beforeAll(async () => {
  if (trinoAtHand === null) return;
  few = await openLake('lake_few', fixtures);
  many = await openLake('lake_many', [...exampleRecords(await loadDetectors()), ...fixtures]);
});
afterAll(async () => {
  for (const one of [few, many]) {
    await one?.engines.close();
    await one?.store.close();
  }
});

/** Texts that are JSON as values, without members that are null, in the order of their names. */
function plain(value: unknown): unknown {
  if (typeof value === 'string' && /^[[{]/u.test(value)) {
    try {
      return plain(JSON.parse(value));
    } catch {
      return value;
    }
  }
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .map(([name, member]) => [name, plain(member)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Names of columns are told as the view has them, or as the statement writes them. */
const plainRows = (rows: readonly Row[]): readonly string[] =>
  sortedRows(
    rows.map((row) =>
      Object.fromEntries(
        Object.entries(plain(row) as Row)
          .map(([name, value]) => [name.toLowerCase(), value] as const)
          .toSorted(([a], [b]) => (a < b ? -1 : 1)),
      ),
    ),
  );

describe.skipIf(trinoAtHand === null)('lake', () => {
  test.each(LAKE_CASES)('%s', async (_, sql, expected) => {
    const { rows } = await few.trino.query(sql);
    expect(rows.map((row) => Object.values(row))).toEqual(expected);
  });

  test.each(LAKE_COLUMNS)('$name has the values that it has on DuckDB', async ({ name }) => {
    const sql = `SELECT eventid, ${name} AS found FROM lake`;
    const [here, there] = [
      plainRows((await many.engines.duckdb.query(sql)).rows),
      plainRows((await many.trino.query(sql)).rows),
    ];
    expect(here.length).toBeGreaterThan(1000);
    const at = here.findIndex((row, index) => row !== there[index]);
    expect(there[at]).toBe(here[at]);
    expect(there.length).toBe(here.length);
  });
});

describe.skipIf(trinoAtHand === null || !hasSamples)('AWS’s sample queries', () => {
  test.each(sampleNames)('%s gives what it gives on DuckDB', async (name) => {
    const [here, there] = [await many.engines.duckdb.query(sampleSql(name)), await many.trino.query(sampleSql(name))];
    expect(plainRows(there.rows).join('\n')).toBe(plainRows(here.rows).join('\n'));
  });
});
