/** What a backend does: it runs one read-only SELECT over the logical tables. */
import type { Window } from './time.ts';

/** A value as it leaves a backend: timestamps are ISO 8601 in UTC with `Z`, integers beyond 2^53 are bigint, lists are arrays. */
export type Value = string | number | bigint | boolean | null | readonly Value[] | { readonly [key: string]: Value };
export type Row = Readonly<Record<string, Value>>;
export type Param = string | number | boolean | Date | readonly string[] | null;

export interface ResultColumn {
  readonly name: string;
  /** The engine's type name, for example `VARCHAR`, `TIMESTAMP`, `BIGINT`. */
  readonly type: string;
}

export interface QueryResult {
  readonly columns: readonly ResultColumn[];
  readonly rows: readonly Row[];
}

export interface QueryStream {
  readonly columns: readonly ResultColumn[];
  /** Batches of rows, each row an array in column order. Ends the statement when the consumer stops early. */
  readonly batches: AsyncIterable<readonly (readonly Value[])[]>;
}

/** What is known of the events that a statement reads. */
export interface Reading {
  /** The stretch of event time that it looks at: an engine that pays for what it reads leaves the rest out. */
  readonly window?: Window;
}

/** All rows of a stream, by the names of their columns. */
export async function readAll({ columns, batches }: QueryStream): Promise<QueryResult> {
  const rows: Row[] = [];
  for await (const batch of batches)
    for (const values of batch)
      rows.push(Object.fromEntries(columns.map(({ name }, at) => [name, values[at] ?? null])));
  return { columns, rows };
}

/** `sql` is in the portable subset (docs/detector-sql.md) and names parameters `:name`. Throws AppError `sql-invalid` or `query-failed`. */
export interface Backend {
  readonly name: 'duckdb' | 'athena';
  query(sql: string, params?: Readonly<Record<string, Param>>, reading?: Reading): Promise<QueryResult>;
  stream(sql: string, params?: Readonly<Record<string, Param>>, reading?: Reading): Promise<QueryStream>;
  /** Keeps the rows of a SELECT as the table `main.<name>` for later statements of this backend, in place of one kept before. Absent where the engine cannot. */
  keep?(name: string, sql: string): Promise<void>;
  /** Ends what runs; the pending call rejects with `interrupted`. */
  interrupt(): void;
  close(): Promise<void>;
}
