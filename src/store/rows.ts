/** Plain values out of catalog rows: DuckDB's wide integers and timestamps as what the contracts say. */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { BIGINT, DuckDBDataChunk, DuckDBTimestampValue, TIMESTAMP, VARCHAR } from '../duckdb.ts';
import type { CatalogTable } from '../store.ts';
import { formatTime } from '../time.ts';
import { VECTOR_ROWS } from './vectors.ts';

export const num = (value: DuckDBValue | undefined): number => Number(value ?? 0);
export const numOrNull = (value: DuckDBValue | undefined): number | null =>
  value === null || value === undefined ? null : Number(value);
export const text = (value: DuckDBValue | undefined): string =>
  value === null || value === undefined ? '' : String(value);
export const textOrNull = (value: DuckDBValue | undefined): string | null =>
  value === null || value === undefined ? null : String(value);
export const timeOrNull = (value: DuckDBValue | undefined): number | null =>
  value instanceof DuckDBTimestampValue ? Math.floor(Number(value.micros) / 1000) : null;
export const isoOrNull = (value: DuckDBValue | undefined): string | null => {
  const ms = timeOrNull(value);
  return ms === null ? null : formatTime(ms);
};

/** A point in time for from_json and casts: DuckDB reads it as UTC. */
export const sqlTime = (ms: number | null): string | null =>
  ms === null ? null : new Date(ms).toISOString().replace('T', ' ').replace('Z', '');

/**
 * FROM clause that turns a JSON array parameter into typed rows: one bound text instead of a statement a row.
 * `columns` are `name TYPE` pairs.
 */
export const fromJson = (parameter: string, columns: Readonly<Record<string, string>>): string =>
  `(SELECT unnest(from_json($${parameter}, '[${JSON.stringify(columns)}]'), recursive := true))`;

/** The rows of a statement with one column of text, as the engine makes them: they need not fit into its memory together. */
export async function* textsOf(
  connection: DuckDBConnection,
  sql: string,
  params: Record<string, DuckDBValue>,
): AsyncGenerator<string> {
  const result = await connection.stream(sql, params);
  for (;;) {
    const chunk = await result.fetchChunk();
    if (chunk === null || chunk.rowCount === 0) return;
    yield* chunk.getColumnValues(0).map(text);
  }
}

/** Of the JSON of one parameter, in characters: to read it takes DuckDB many times the memory, of which the catalog has little. */
const PIECE_CHARS = 1 << 20;

/** What is read from JSON by one statement after the other, since all together may be too much for one. In order; an item that is larger than a piece is one alone. */
export function* piecesOf<T>(items: Iterable<T>): Generator<readonly T[]> {
  let piece: T[] = [];
  let chars = 0;
  for (const item of items) {
    const more = JSON.stringify(item).length;
    if (piece.length > 0 && chars + more > PIECE_CHARS) {
      yield piece;
      piece = [];
      chars = 0;
    }
    piece.push(item);
    chars += more;
  }
  if (piece.length > 0) yield piece;
}

type CellType = 'BIGINT' | 'VARCHAR' | 'TIMESTAMP';
/** A time is given in ms. */
export type Cell = string | number | bigint | null;

/** How each column of a catalog relation is appended. */
export const columnTypes = (table: CatalogTable): CellType[] =>
  table.columns.map(({ type }) => (type === 'BIGINT' || type === 'TIMESTAMP' ? type : 'VARCHAR'));

const WORD = 2 ** 32;
const MICROS_PER_MS = 1000;

/** A column of what is appended. */
export interface AppendedColumn<Row> {
  readonly type: CellType;
  readonly of: (row: Row) => Cell;
}

/** Appends rows to a table whose columns have these types, in order, inside the connection's transaction. */
export function appendRows(
  connection: DuckDBConnection,
  table: string,
  types: readonly CellType[],
  rows: readonly (readonly Cell[])[],
  database?: 'temp',
): Promise<void> {
  const columns = types.map((type, column) => ({ type, of: (row: readonly Cell[]) => row[column] ?? null }));
  return appendColumns(connection, table, columns, rows, database);
}

/** The same, two microseconds a row: a column after the other, never a row as a whole. */
export async function appendColumns<Row>(
  connection: DuckDBConnection,
  table: string,
  columns: readonly AppendedColumn<Row>[],
  rows: readonly Row[],
  database?: 'temp',
): Promise<void> {
  const appender = await connection.createAppender(table, 'main', database);
  const chunk = DuckDBDataChunk.create(columns.map(({ type }) => ({ BIGINT, VARCHAR, TIMESTAMP })[type]));
  for (let from = 0; from < rows.length; from += VECTOR_ROWS) {
    const part = rows.slice(from, from + VECTOR_ROWS);
    chunk.reset();
    chunk.rowCount = part.length;
    for (const [index, column] of columns.entries())
      fillColumn(duckdb.data_chunk_get_vector(chunk.chunk, index), column, part);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

/** Values of a column on their way, as they lie in a vector: 64 bits each. */
const numbers = new BigInt64Array(VECTOR_ROWS);
const words = new Int32Array(numbers.buffer);
const valid = new Uint8Array(VECTOR_ROWS / 8);

function fillColumn<Row>(
  vector: ReturnType<typeof duckdb.data_chunk_get_vector>,
  { type, of }: AppendedColumn<Row>,
  rows: readonly Row[],
): void {
  valid.fill(0xff);
  let hasNull = false;
  for (let at = 0; at < rows.length; at++) {
    const cell = of(rows[at] as Row);
    if (cell === null) {
      hasNull = true;
      valid[at >> 3] = (valid[at >> 3] ?? 0) & ~(1 << (at & 7));
    } else if (type === 'VARCHAR') duckdb.vector_assign_string_element(vector, at, String(cell));
    else if (typeof cell === 'bigint') numbers[at] = cell;
    else {
      const value = type === 'TIMESTAMP' ? Number(cell) * MICROS_PER_MS : Number(cell);
      // Both take what is theirs of a whole number: the remainder, and how often 2^32 is in it.
      words[at * 2] = value;
      words[at * 2 + 1] = Math.floor(value / WORD);
    }
  }
  if (type !== 'VARCHAR') duckdb.copy_data_to_vector(vector, 0, numbers.buffer, 0, rows.length * 8);
  if (!hasNull) return;
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, valid.byteLength);
}
