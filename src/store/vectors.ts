/** Hands values of a decoded window over to DuckDB, which gets a copy of every one. */
import type { DuckDBConnection } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { DuckDBTableFunction } from '../duckdb.ts';
import type { Batch, ColumnBuffer } from '../format.ts';
import type { Column, ColumnType } from '../table.ts';
import { isSet, validityOf } from './encoder/columns.ts';

/** DuckDB fills vectors of this many rows. */
export const VECTOR_ROWS = 2048;
const SLOT_BYTES = 16;
const SLOT_WORDS = SLOT_BYTES / 4;
/** A string slot holds this many bytes itself; longer ones have the first four and point to their text. */
const INLINE_BYTES = 12;
const PREFIX_BYTES = 4;
const LOW_WORD = 0xffff_ffffn;
const WORD = 2 ** 32;

export type Chunk = Parameters<typeof duckdb.data_chunk_get_vector>[0];
type Vector = ReturnType<typeof duckdb.data_chunk_get_vector>;

/** Of those that a window has: it has no lists. */
function logicalType(type: ColumnType): ReturnType<typeof duckdb.create_logical_type> {
  if (type === 'VARCHAR[]') throw new Error('a window has no lists to hand over');
  return duckdb.create_logical_type(duckdb.Type[type]);
}

/** What a table function of a window's values gives. */
export interface ValueRows {
  readonly columns: readonly Column[];
  /** Fills the next chunk and returns its number of rows; 0 at the end. */
  fill(chunk: Chunk): number;
}

/** Makes a table function of this name. */
export function registerValues(connection: DuckDBConnection, name: string, rows: ValueRows): void {
  const table = new DuckDBTableFunction();
  const handle = table.table_function;
  duckdb.table_function_set_name(handle, name);
  duckdb.table_function_set_bind(handle, (info) => {
    for (const column of rows.columns) duckdb.bind_add_result_column(info, column.name, logicalType(column.type));
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
const slotBytes = new Uint8Array(slots.buffer);

/** Copies the values of a column's selected rows, at most VECTOR_ROWS, into a column of the chunk. More rows of the chunk have no value. */
export function fillValues(chunk: Chunk, index: number, batch: Batch, column: number, rows: Int32Array): void {
  const buffer = batch.columns[column];
  if (buffer === undefined) throw new Error(`the window has no column number ${column}`);
  const vector = duckdb.data_chunk_get_vector(chunk, index);
  const valid = new Uint8Array(VECTOR_ROWS / 8);
  valid.set(validityOf(buffer, { batch, rows }));
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, valid.byteLength);
  if (rows.length === 0) return;
  if (buffer.layout === 'string') fillTexts(vector, valid, batch, column, rows);
  else {
    const values = selectedBytes(buffer, WIDTH[buffer.layout], batch, rows);
    duckdb.copy_data_to_vector(vector, 0, values.buffer, 0, values.byteLength);
  }
}

/** Bytes of a value. */
const WIDTH = { timestamp: 8, bigint: 8, integer: 4, boolean: 1 } as const;

function selectedBytes(buffer: ColumnBuffer, width: number, batch: Batch, rows: Int32Array): Uint8Array<ArrayBuffer> {
  const from = new Uint8Array(batch.memory, buffer.data, batch.rows * width);
  const values = new Uint8Array(rows.length * width);
  for (const [at, row] of rows.entries()) values.set(from.subarray(row * width, (row + 1) * width), at * width);
  return values;
}

/** The batch has these rows selected. */
function fillTexts(vector: Vector, valid: Uint8Array, batch: Batch, column: number, rows: Int32Array): void {
  slots.fill(0, 0, rows.length * SLOT_WORDS);
  for (const { from, to, bytes, lengths } of batch.packTexts(column)) {
    if (bytes.length === 0) continue;
    // All texts go over as one, which DuckDB copies to the vector's own heap; the rows' slots point into that copy, which lives as long as texts set one by one.
    duckdb.vector_assign_string_element_len(vector, from, bytes);
    fillSlots(valid, from, to, bytes, lengths, addressOf(vector, from, bytes.length));
  }
  duckdb.copy_data_to_vector(vector, 0, slots.buffer, 0, rows.length * SLOT_BYTES);
}

/** Where the text of a vector's slot lies, or 0 where the slot holds it itself. */
function addressOf(vector: Vector, slot: number, length: number): bigint {
  if (length <= INLINE_BYTES) return 0n;
  const data = duckdb.vector_get_data(vector, (slot + 1) * SLOT_BYTES);
  return new DataView(data.buffer, data.byteOffset + slot * SLOT_BYTES, SLOT_BYTES).getBigUint64(8, true);
}

/** Writes the slots of texts that lie one behind the other in `bytes`, of which DuckDB has a copy at `address`. */
function fillSlots(
  valid: Uint8Array,
  from: number,
  to: number,
  bytes: Uint8Array,
  lengths: Int32Array,
  address: bigint,
): void {
  let start = 0;
  let text = 0;
  let place = Number(address & LOW_WORD);
  const high = Number(address >> 32n);
  for (let at = from; at < to; at++) {
    if (!isSet(valid, at)) continue;
    const length = lengths[text++] ?? 0;
    const slot = at * SLOT_WORDS;
    slots[slot] = length;
    const shown = length <= INLINE_BYTES ? length : PREFIX_BYTES;
    for (let byte = 0; byte < shown; byte++) slotBytes[slot * 4 + 4 + byte] = bytes[start + byte] ?? 0;
    if (length > INLINE_BYTES) {
      // A carry goes to the upper word.
      slots[slot + 2] = place % WORD;
      slots[slot + 3] = high + Math.floor(place / WORD);
    }
    start += length;
    place += length;
  }
}

/** What was read out of a vector, as words. */
export const words32 = (bytes: Uint8Array): Int32Array => {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
};
