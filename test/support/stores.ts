/** What the heavy proofs share: running the built command, and comparing two stores row by row. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { openStore } from '../../src/store/store.ts';
import type { Table } from '../../src/table.ts';

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url));

export function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Runs the command to its end. */
export function run(args: readonly string[]): Promise<{ readonly status: number | null; readonly stderr: string }> {
  return new Promise((resolve) => {
    const child = start(args);
    let stderr = '';
    child.stderr?.on('data', (chunk) => {
      stderr += String(chunk);
    });
    child.once('close', (status) => resolve({ status, stderr }));
  });
}

const eventColumns = (table: Table): readonly string[] =>
  table.columns.map((column) => column.name).filter((name) => name !== 'log_file' && name !== 'record_no');

async function files(dir: string, table: Table = cloudtrailTable): Promise<string> {
  const store = await openStore(dir);
  const segments = await store.segments(table);
  await store.close();
  return `[${segments.map((segment) => `'${segment.path}'`).join(', ')}]`;
}

/** A statement over all rows of a store, as the view `events`. */
export async function query(dir: string, sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await connection.run(
      `CREATE VIEW events AS SELECT * FROM read_parquet(${await files(dir)}, hive_partitioning = true)`,
    );
    return (await connection.runAndReadAll(sql)).getRows();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Rows that only one of the stores has, over event columns; both must be 0. `but`: columns that are left out. */
export async function differences(
  a: string,
  b: string,
  { table = cloudtrailTable, but = [] }: { readonly table?: Table; readonly but?: readonly string[] } = {},
): Promise<{ onlyA: number; onlyB: number; rows: number }> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    const rows = (list: string): string =>
      `SELECT event_date, ${eventColumns(table)
        .filter((name) => !but.includes(name))
        .join(', ')} FROM read_parquet(${list}, hive_partitioning = true)`;
    const [inA, inB] = [rows(await files(a, table)), rows(await files(b, table))];
    const count = async (sql: string): Promise<number> =>
      Number((await connection.runAndReadAll(`SELECT count(*) FROM (${sql})`)).getRows()[0]?.[0]);
    return {
      onlyA: await count(`${inA} EXCEPT ALL ${inB}`),
      onlyB: await count(`${inB} EXCEPT ALL ${inA}`),
      rows: await count(inA),
    };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
