/** The same rows on two engines: DuckDB over a store's segments, and Trino, which reads the same files by its Hive connector. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inject } from 'vitest';
import type { Backend, Row, Value } from '../../src/backend.ts';
import { accountsSql, addressesSql } from '../../src/backends/athena/context.ts';
import { joinedSql, joinsOf } from '../../src/backends/context.ts';
import { createDuckdbBackend } from '../../src/backends/duckdb.ts';
import { contextNamed, type Enrichment, NO_CONTEXT } from '../../src/enrichment.ts';
import type { Segment } from '../../src/store.ts';
import { type ColumnType, PARTITION_COLUMN, type Table } from '../../src/table.ts';
import { TrinoBackend } from './client.ts';

/** Null where there is none; its tests are skipped then. */
export const trinoAtHand = inject('trino');

/** Trino itself, without tables. */
export function openTrino(): TrinoBackend {
  if (trinoAtHand === null) throw new Error('a test that needs Trino was not skipped');
  return new TrinoBackend(trinoAtHand.url);
}

const TYPES: Readonly<Record<ColumnType, string>> = {
  VARCHAR: 'varchar',
  TIMESTAMP: 'timestamp(3)',
  BOOLEAN: 'boolean',
  INTEGER: 'integer',
  BIGINT: 'bigint',
  'VARCHAR[]': 'array(varchar)',
};

export interface Engines {
  readonly duckdb: Backend;
  readonly trino: TrinoBackend;
  close(): Promise<void>;
}

/** What is known beside the logs, and of which addresses. */
interface Known {
  readonly addresses: readonly string[];
  readonly enrichment: Enrichment;
}

interface StoredTable {
  readonly table: Table;
  readonly segments: readonly Segment[];
}

interface List {
  readonly name: string;
  readonly values: readonly string[];
}

/** `name`: of its own for each file of tests. Segments of a table lie below one folder, in one folder a day. */
export async function openEngines(
  name: string,
  tables: readonly StoredTable[],
  lists: readonly List[] = [],
  known: Known = { addresses: [], enrichment: NO_CONTEXT },
): Promise<Engines> {
  const setup = openTrino();
  const schema = `${name}_${process.pid}`;
  await setup.run(`CREATE SCHEMA hive.${schema}`);
  await setup.run(`CREATE SCHEMA memory.${schema}`);
  for (const { table, segments } of tables) {
    await createExternalTable(setup, schema, table, segments);
    // Read once: with a folder a day, Hive's own tables take seconds for each statement.
    await setup.run(`CREATE TABLE memory.${schema}.${table.name} AS SELECT * FROM hive.${schema}.${table.name}`);
  }
  const duckdb = await createDuckdbBackend({
    tables,
    lists,
    enrichment: known.enrichment,
    portable: true,
    locked: false,
    memoryLimitMb: 2048,
    threads: 2,
    tempDirectory: mkdtempSync(join(tmpdir(), 'trailhound-engines-')),
  });
  const relationOf = (table: Table, sql: string): string => {
    const own = `memory.${schema}.${table.name}`;
    const joins = known.enrichment.sources.size === 0 ? [] : joinsOf(contextNamed(sql, table));
    if (joins.length === 0) return own;
    const joined = joinedSql(own, joins, ({ kind, columns }) =>
      kind === 'account' ? accountsSql(known.enrichment) : addressesSql(known.addresses, columns, known.enrichment),
    );
    return `(${joined})`;
  };
  const relations = (sql: string) =>
    tables.map(({ table }) => ({ table, relation: relationOf(table, sql), prune: () => null }));
  const trino = setup.over({ relations, lists });
  return {
    duckdb,
    trino,
    close: async () => {
      await duckdb.close();
      await trino.close();
    },
  };
}

async function createExternalTable(
  trino: TrinoBackend,
  schema: string,
  table: Table,
  segments: readonly Segment[],
): Promise<void> {
  const columns = table.columns.map(({ name, type }) => `${name} ${TYPES[type]}`);
  const [first] = segments;
  const location = first === undefined ? null : dirname(dirname(first.path));
  const properties = [
    "format = 'PARQUET'",
    `partitioned_by = ARRAY['${PARTITION_COLUMN}']`,
    ...(location === null ? [] : [`external_location = 'local://${location}'`]),
  ];
  await trino.run(
    `CREATE TABLE hive.${schema}.${table.name} (${columns.join(', ')}, ${PARTITION_COLUMN} date) WITH (${properties.join(', ')})`,
  );
  if (location !== null)
    await trino.run(`CALL hive.system.sync_partition_metadata('${schema}', '${table.name}', 'FULL')`);
}

/** A row as text. */
const shown = (value: Row | Value): string =>
  JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item));

/** Rows in an order of their own, so that two engines' can be compared where the statement orders nothing. */
export const sortedRows = (rows: readonly Row[]): readonly string[] => rows.map((row) => shown(row)).toSorted();
