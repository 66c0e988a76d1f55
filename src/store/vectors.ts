/** Hands texts of a decoded window over to DuckDB, which gets a copy of every one. */
import type { DuckDBConnection } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { DuckDBTableFunction } from '../duckdb.ts';
import type { Batch, ColumnBuffer } from '../format.ts';

/** DuckDB fills vectors of this many rows. */
export const VECTOR_ROWS = 2048;
const SLOT_BYTES = 16;
const SLOT_WORDS = SLOT_BYTES / 4;
/** A string slot holds this many bytes itself; longer ones point to their text. */
const INLINE_BYTES = 12;

export type Chunk = Parameters<typeof duckdb.data_chunk_get_vector>[0];

const TEXT = duckdb.create_logical_type(duckdb.Type.VARCHAR);

/** What a table function of texts gives. */
export interface TextRows {
  readonly columns: readonly string[];
  /** Fills the next chunk and returns its number of rows; 0 at the end. */
  fill(chunk: Chunk): number;
}

/** Makes a table function of this name. */
export function registerTexts(connection: DuckDBConnection, name: string, rows: TextRows): void {
  const table = new DuckDBTableFunction();
  const handle = table.table_function;
  duckdb.table_function_set_name(handle, name);
  duckdb.table_function_set_bind(handle, (info) => {
    for (const column of rows.columns) duckdb.bind_add_result_column(info, column, TEXT);
  });
  duckdb.table_function_set_init(handle, (info) => {
    duckdb.init_set_init_data(info, {});
    duckdb.init_set_max_threads(info, 1);
  });
  duckdb.table_function_set_function(handle, (_info, chunk) => {
    duckdb.data_chunk_set_size(chunk, rows.fill(chunk));
  });
  connection.registerTableFunction(table);
}

const slots = new Uint32Array(VECTOR_ROWS * SLOT_WORDS);

/** Copies the texts of these rows, at most VECTOR_ROWS, into a column of the chunk. More rows of the chunk have no value. */
export function fillTexts(chunk: Chunk, index: number, batch: Batch, buffer: ColumnBuffer, rows: Int32Array): void {
  const vector = duckdb.data_chunk_get_vector(chunk, index);
  const bytes = new Uint8Array(batch.memory);
  const words = new Uint32Array(batch.memory, buffer.data, batch.rows * SLOT_WORDS);
  const valid = new Uint8Array(VECTOR_ROWS / 8);
  const long: number[] = [];
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] ?? 0;
    if (((bytes[buffer.validity + (row >> 3)] ?? 0) & (1 << (row & 7))) === 0) {
      slots.fill(0, at * SLOT_WORDS, (at + 1) * SLOT_WORDS);
      continue;
    }
    valid[at >> 3] = (valid[at >> 3] ?? 0) | (1 << (at & 7));
    const from = row * SLOT_WORDS;
    for (let word = 0; word < SLOT_WORDS; word++) slots[at * SLOT_WORDS + word] = words[from + word] ?? 0;
    if ((words[from] ?? 0) > INLINE_BYTES) long.push(at);
  }
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, valid.byteLength);
  duckdb.copy_data_to_vector(vector, 0, slots.buffer, 0, rows.length * SLOT_BYTES);
  for (const at of long) {
    const length = slots[at * SLOT_WORDS] ?? 0;
    const start = slots[at * SLOT_WORDS + 2] ?? 0;
    // Replaces the copied slot, whose pointer means nothing to DuckDB, before the chunk is given away.
    duckdb.vector_assign_string_element_len(vector, at, bytes.subarray(start, start + length));
  }
}
