/** The logical views over raw log files on Trino: the rows that the store has of them, column by column. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { portableColumns } from '../../src/backends/athena/views.ts';
import { TABLES } from '../../src/cli/wire.ts';
import type { FilledRecord } from '../../src/detection/example-records.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { wafTable } from '../../src/formats/waf-table.ts';
import type { Table } from '../../src/table.ts';
import { type Engines, openEngines, openTrino, trinoAtHand } from './engines.ts';
import { exampleRecords, loadDetectors, openRecordStore, type RecordStore } from './examples.ts';
import { createRawTable } from './raw-tables.ts';
import { differences } from './rows.ts';

const dir = mkdtempSync(join(tmpdir(), 'trailhound-views-'));

/** A folder of real log files, for those who have one. */
const DATA = process.env['TRAILHOUND_TRINO_DATA'];

/** The records of CloudTrail's and WAF's files below a folder, whatever else lies there. */
function recordsBelow(folder: string): readonly FilledRecord[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return files.flatMap(({ parentPath, name }) => {
    const bytes = readFileSync(join(parentPath, name));
    const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString();
    return /"Records"|"webaclId"/u.test(text) ? recordsIn(text) : [];
  });
}

function recordsIn(text: string): readonly FilledRecord[] {
  const whole = parsed(text) as { readonly Records?: unknown } | null;
  const items: readonly unknown[] = Array.isArray(whole?.Records) ? whole.Records : text.split('\n').map(parsed);
  return items.flatMap((item) => {
    if (typeof item !== 'object' || item === null) return [];
    const record = item as Readonly<Record<string, unknown>>;
    if ('eventVersion' in record && 'userIdentity' in record && 'recipientAccountId' in record)
      return [{ table: 'cloudtrail', record, timeMs: Date.parse(String(record['eventTime'])) }];
    return 'webaclId' in record ? [{ table: 'waf', record, timeMs: Number(record['timestamp']) }] : [];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Records in a store, and the same as raw files under the views. */
interface Both {
  readonly store: RecordStore;
  readonly engines: Engines;
  readonly views: ReadonlyMap<string, string>;
}

async function openBoth(name: string, records: readonly FilledRecord[]): Promise<Both> {
  const store = await openRecordStore(records);
  const engines = await openEngines(name, store.tables);
  const schema = `raw_${name}_${process.pid}`;
  await openTrino().run(`CREATE SCHEMA hive.${schema}`);
  const views = new Map<string, string>();
  for (const table of TABLES) {
    const own = records.filter((one) => one.table === table.name).map(({ record }) => record);
    const raw = { schema, dir: join(dir, name), table, records: own, day: '2025/03/03' };
    views.set(table.name, await createRawTable(openTrino(), raw));
  }
  return { store, engines, views };
}

async function expectSame({ engines, views }: Both, table: Table): Promise<void> {
  const sql = `SELECT ${portableColumns(table)
    .map(({ name }) => name)
    .join(', ')} FROM ${table.name}`;
  const ours = await engines.duckdb.query(sql);
  const view = openTrino().over({ relations: [{ table, relation: views.get(table.name) ?? '', prune: () => null }] });
  const theirs = await view.query(sql);
  expect(theirs.columns).toEqual(ours.columns);
  expect(differences(table, ours.rows, theirs.rows)).toEqual({ rows: ours.rows.length, columns: {} });
  expect(ours.rows.length).toBeGreaterThan(0);
}

/** Opens them for the tests of a block. */
function both(name: string, recordsOf: () => Promise<readonly FilledRecord[]>): () => Both {
  let opened: Both | undefined;
  beforeAll(async () => {
    opened = await openBoth(name, await recordsOf());
  });
  afterAll(async () => {
    await opened?.engines.close();
    await opened?.store.close();
  });
  return () => opened as Both;
}

afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe.skipIf(trinoAtHand === null)('of the records of all examples, the view of', () => {
  const opened = both('examples', async () => exampleRecords(await loadDetectors()));
  test.each(TABLES)('$name has the rows of the store', (table) => expectSame(opened(), table));
});

describe.skipIf(trinoAtHand === null || DATA === undefined)('of real log files, the view of', () => {
  const opened = both('real', async () => recordsBelow(DATA ?? ''));
  test.each([cloudtrailTable, wafTable])('$name has the rows of the store', (table) => expectSame(opened(), table));
});
