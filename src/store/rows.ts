/** Plain values out of catalog rows: DuckDB's wide integers and timestamps as what the contracts say. */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { BIGINT, DuckDBDataChunk, DuckDBTimestampValue, TIMESTAMP, VARCHAR } from '../duckdb.ts';
import type { CatalogTable } from '../store.ts';
import { formatTime } from '../time.ts';

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

/** DuckDB's own size of a chunk. */
const CHUNK_ROWS = 2048;
const MICROS_PER_MS = 1000n;

/** Appends rows to a table whose columns have these types, in order: two microseconds a row, inside the connection's transaction. */
export async function appendRows(
  connection: DuckDBConnection,
  table: string,
  types: readonly CellType[],
  rows: readonly (readonly Cell[])[],
  database?: 'temp',
): Promise<void> {
  const appender = await connection.createAppender(table, 'main', database);
  const chunk = DuckDBDataChunk.create(types.map((type) => ({ BIGINT, VARCHAR, TIMESTAMP })[type]));
  for (let from = 0; from < rows.length; from += CHUNK_ROWS) {
    const part = rows.slice(from, from + CHUNK_ROWS);
    chunk.reset();
    chunk.rowCount = part.length;
    for (const [column, type] of types.entries()) {
      const vector = duckdb.data_chunk_get_vector(chunk.chunk, column);
      fillCells(vector, type, part, column);
    }
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

function fillCells(
  vector: ReturnType<typeof duckdb.data_chunk_get_vector>,
  type: CellType,
  rows: readonly (readonly Cell[])[],
  column: number,
): void {
  const values = new BigInt64Array(rows.length);
  const valid = new Uint8Array(CHUNK_ROWS / 8).fill(0xff);
  let hasNull = false;
  for (const [at, row] of rows.entries()) {
    const cell = row[column] ?? null;
    if (cell === null) {
      hasNull = true;
      valid[at >> 3] = (valid[at >> 3] ?? 0) & ~(1 << (at & 7));
    } else if (type === 'VARCHAR') duckdb.vector_assign_string_element(vector, at, String(cell));
    else values[at] = type === 'BIGINT' ? BigInt(cell) : BigInt(cell) * MICROS_PER_MS;
  }
  if (type !== 'VARCHAR') duckdb.copy_data_to_vector(vector, 0, values.buffer, 0, values.byteLength);
  if (!hasNull) return;
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, valid.byteLength);
}
