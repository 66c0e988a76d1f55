/** Compaction on Trino: the rows of the store of the same log files, through the Parquet that Trino writes of them and the tables of an export. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Value } from '../../src/backend.ts';
import { compactedSql, deliveriesSql } from '../../src/backends/athena/compaction.ts';
import { exportColumns } from '../../src/backends/athena/ddl.ts';
import { deliveredSql, distinctSql, portableColumns, type RawRelation } from '../../src/backends/athena/views.ts';
import { TABLES } from '../../src/cli/wire.ts';
import type { Table } from '../../src/table.ts';
import { type Engines, openEngines, openTrino, trinoAtHand } from './engines.ts';
import { exampleRecords, loadDetectors, openRecordStore, type RecordStore } from './examples.ts';
import { createRawTable, trinoType } from './raw-tables.ts';
import { differences } from './rows.ts';

const dir = mkdtempSync(join(tmpdir(), 'trailhound-compaction-'));
const SCHEMA = `compaction_${process.pid}`;
/** Days of each table that are compacted: each takes a statement. */
const DAYS = 3;
const LAG = 2;

/** The day of an event over the columns of its log file, on which it is delivered here. */
const EVENT_DAY: Readonly<Record<string, string>> = {
  cloudtrail: "replace(substr(eventtime, 1, 10), '-', '/')",
  cloudtrail_insight: "replace(substr(eventtime, 1, 10), '-', '/')",
  s3_access: "date_format(parse_datetime(requestdatetime, 'dd/MMM/yyyy:HH:mm:ss Z'), '%Y/%m/%d')",
  waf: `date_format(from_unixtime("timestamp" / 1000), '%Y/%m/%d')`,
};

let store: RecordStore;
let engines: Engines;

beforeAll(async () => {
  if (trinoAtHand === null) return;
  const records = exampleRecords(await loadDetectors());
  store = await openRecordStore(records);
  engines = await openEngines('compaction_store', store.tables);
  await openTrino().run(`CREATE SCHEMA hive.${SCHEMA}`);
  for (const table of TABLES) {
    const own = records.filter((one) => one.table === table.name).map(({ record }) => record);
    await createRawTable(openTrino(), { schema: SCHEMA, dir, table, records: own, day: '' });
  }
});
afterAll(async () => {
  await engines?.close();
  await store?.close();
  rmSync(dir, { recursive: true, force: true });
});

/** Delivered on the day of the event, again a day later, and once more too late. */
function rawsOf({ name }: Table): readonly RawRelation[] {
  const day = EVENT_DAY[name] ?? '';
  const later = (days: number): string =>
    `date_format(date_add('day', ${days}, date_parse(${day}, '%Y/%m/%d')), '%Y/%m/%d')`;
  return [day, later(1), later(LAG + 1)].map((at) => ({ relation: `hive.${SCHEMA}.raw_${name}`, day: at }));
}

function textOf(value: Value | undefined): string {
  if (typeof value === 'string') return value;
  throw new Error(`expected a text, got ${JSON.stringify(value)}`);
}

const columnsOf = (table: Table): string =>
  portableColumns(table)
    .map(({ name }) => name)
    .join(', ');

describe.skipIf(trinoAtHand === null)('compaction of', () => {
  test.each(TABLES)('$name gives the rows of the store, and their number', async (table) => {
    const trino = openTrino();
    const [firstId = ''] = table.identity.id;
    const found = await engines.duckdb.query(
      `SELECT CAST(event_date AS varchar) AS day, count(*) AS n, count_if(${firstId} IS NULL OR ${firstId} = '') AS without_id FROM ${table.name} WHERE event_time IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${DAYS}`,
    );
    expect(found.rows.length).toBeGreaterThan(0);
    for (const { day: of, n, without_id: withoutId } of found.rows) {
      const day = textOf(of);
      // Records without an id are never merged: their copies are events.
      const events = Number(n) + Number(withoutId);
      const counted = await trino.query(deliveriesSql(table, rawsOf(table), { first: day, last: day }, LAG));
      expect(counted.rows.find((row) => row['counted'] === day)).toMatchObject({ events });

      const name = `hive.${SCHEMA}.${table.name}_${day.replaceAll('-', '')}`;
      await trino.run(
        `CREATE TABLE ${name} WITH (format = 'PARQUET') AS ${compactedSql(table, rawsOf(table), day, LAG)}`,
      );
      const { rows } = await trino.query(`SELECT DISTINCT regexp_replace("$path", '/[^/]*$') AS folder FROM ${name}`);
      const fields = Object.entries(exportColumns(table)).map(([column, type]) => `"${column}" ${trinoType(type)}`);
      await trino.run(
        `CREATE TABLE ${name}_export (${fields.join(', ')}) WITH (format = 'PARQUET', external_location = '${textOf(rows[0]?.['folder'])}')`,
      );
      const relation = `(SELECT *, '${day.replaceAll('-', '/')}' AS day FROM ${name}_export) AS listed`;
      const exported = [{ relation, isDecoded: true as const }];
      const theirs = await trino.query(
        distinctSql(table, `(${deliveredSql(table, exported)}) AS delivered`, {
          columns: portableColumns(table).map((one) => one.name),
        }),
      );
      const ours = await engines.duckdb.query(
        `SELECT ${columnsOf(table)} FROM ${table.name} WHERE event_date = DATE '${day}'`,
      );
      expect(theirs.columns).toEqual(ours.columns);
      expect(theirs.rows.length).toBe(events);
      if (Number(withoutId) === 0)
        expect(differences(table, ours.rows, theirs.rows)).toEqual({ rows: ours.rows.length, columns: {} });
    }
  });
});
