/** The derived columns of a table over one row, with the derivations nested as they refer to each other. */
import { DuckDBInstance } from '@duckdb/node-api';
import { PRELUDE } from '../../src/backends/prelude.ts';
import { derivedColumns, rawColumns, type Table } from '../../src/table.ts';

export interface DerivationCase {
  readonly title: string;
  /** Raw columns by name; all others are NULL. */
  readonly values: Record<string, string>;
  readonly expected: Record<string, unknown>;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export async function derive(table: Table, values: Record<string, string>): Promise<Record<string, unknown>> {
  const known = rawColumns(table);
  const unknown = Object.keys(values).filter((name) => !known.some((column) => column.name === name));
  if (unknown.length > 0) throw new Error(`no raw columns: ${unknown.join(', ')}`);
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  for (const statement of PRELUDE) await connection.run(statement);
  const raw = known.map(
    ({ name, type }) => `CAST(${values[name] === undefined ? 'NULL' : quoted(values[name])} AS ${type}) AS ${name}`,
  );
  const derived = derivedColumns(table);
  let query = `SELECT ${raw.join(', ')}`;
  for (const { name, derive: expression } of derived) query = `SELECT *, ${expression} AS ${name} FROM (${query})`;
  const reader = await connection.runAndReadAll(`SELECT ${derived.map(({ name }) => name).join(', ')} FROM (${query})`);
  connection.closeSync();
  return reader.getRowObjectsJson()[0] ?? {};
}
