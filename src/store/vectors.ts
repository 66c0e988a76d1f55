/** Hands the columns of a decoded window over to DuckDB, which gets a copy of every value. */
import type { DuckDBConnection } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { DuckDBTableFunction } from '../duckdb.ts';
import type { Batch, ColumnBuffer } from '../format.ts';
import type { Column } from '../table.ts';

/** DuckDB fills vectors of this many rows. */
export const VECTOR_ROWS = 2048;
const SLOT_BYTES = 16;
/** A string slot holds this many bytes itself; longer ones point to their text. */
const INLINE_BYTES = 12;
/** From this share of its rows on, nearly all values of a window occur: leaving the others out would cost more than it saves. */
const MOST_OF_THE_WINDOW = 0.75;

type LogicalType = ReturnType<typeof duckdb.create_logical_type>;
export type Chunk = Parameters<typeof duckdb.data_chunk_get_vector>[0];
type Vector = ReturnType<typeof duckdb.data_chunk_get_vector>;

const TYPE = {
  string: duckdb.create_logical_type(duckdb.Type.VARCHAR),
  uuid: duckdb.create_logical_type(duckdb.Type.UUID),
  timestamp: duckdb.create_logical_type(duckdb.Type.TIMESTAMP),
  boolean: duckdb.create_logical_type(duckdb.Type.BOOLEAN),
  integer: duckdb.create_logical_type(duckdb.Type.INTEGER),
  bigint: duckdb.create_logical_type(duckdb.Type.BIGINT),
} as const;

/** How wide DuckDB stores an enumeration. */
const CODE_BYTES: ReadonlyMap<number, 1 | 2> = new Map([
  [duckdb.Type.UTINYINT, 1],
  [duckdb.Type.USMALLINT, 2],
]);

const WIDTH: Readonly<Record<ColumnBuffer['layout'], number>> = {
  string: SLOT_BYTES,
  uuid: SLOT_BYTES,
  timestamp: 8,
  boolean: 1,
  integer: 4,
  bigint: 8,
};

/** One result column of a table function: bytes of fixed width, and for texts the strings behind the slots. */
export interface Feed {
  readonly name: string;
  readonly type: LogicalType;
  /** Where `data` and `validity` are addresses. */
  readonly memory: ArrayBuffer;
  readonly width: number;
  readonly data: number;
  readonly validity: number;
  /** Slots over INLINE_BYTES point to text in `memory`. */
  readonly text: boolean;
  /** Has the selected rows only, in their order; others have all rows of the window. */
  readonly selected?: true;
}

/** A column of texts by their numbers: -1 stands for no value. */
export interface NumberedTexts {
  readonly name: string;
  readonly values: readonly string[];
  /** Per row of the window. */
  readonly numbers: Int16Array;
}

/** What a table function gives. */
export interface RowSource {
  /** Asked for when a statement is bound. */
  columns(): readonly Pick<Feed, 'name' | 'type'>[];
  /** Fills the next chunk and returns its number of rows; 0 at the end. */
  fill(chunk: Chunk): number;
}

/** Makes a table function of this name. By the bindings' own calls: node-api's types would build each enumeration a second time in JavaScript. */
export function registerRows(connection: DuckDBConnection, name: string, source: RowSource): void {
  const table = new DuckDBTableFunction();
  const handle = table.table_function;
  duckdb.table_function_set_name(handle, name);
  duckdb.table_function_set_bind(handle, (info) => {
    for (const column of source.columns()) duckdb.bind_add_result_column(info, column.name, column.type);
  });
  duckdb.table_function_set_init(handle, (info) => {
    duckdb.init_set_init_data(info, {});
    duckdb.init_set_max_threads(info, 1);
  });
  duckdb.table_function_set_function(handle, (_info, chunk) => {
    duckdb.data_chunk_set_size(chunk, source.fill(chunk));
  });
  connection.registerTableFunction(table);
}

export const stringColumn = (name: string): Pick<Feed, 'name' | 'type'> => ({ name, type: TYPE.string });

/**
 * How a raw column travels: not at all when no row of the window has a value, repeated texts as an enumeration of the values that these rows have, canonical
 * UUIDs as numbers (and other ids beside them in a column of their own), the rest as it is.
 */
export function feedsOf(batch: Batch, column: Column, index: number, rows: Int32Array): Feed[] {
  const { memory } = batch;
  const buffer = batch.columns[index];
  if (buffer === undefined) throw new Error(`the decoder gave no buffer for ${column.name}`);
  const { layout, data, validity, dictionary, text } = buffer;
  const { name } = column;
  const plain = { name, type: TYPE[layout], memory, width: WIDTH[layout], data, validity, text: layout === 'string' };
  const texts = text === undefined ? [] : [{ ...plain, ...text, name: otherIds(name), type: TYPE.string, text: true }];
  if (texts.length > 0 || dictionary === undefined)
    return [plain, ...texts].filter((feed) => hasValues(feed, batch.rows));
  const { codes, codeBytes, entries, size } = dictionary;
  if (rows.length < batch.rows * MOST_OF_THE_WINDOW) {
    const numbers =
      codeBytes === 1 ? new Uint8Array(memory, codes, batch.rows) : new Uint16Array(memory, codes, batch.rows);
    const bits = new Uint8Array(memory, validity, Math.ceil(batch.rows / 8));
    const hasValue = (row: number): boolean => ((bits[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
    return [
      selectedFeed(
        name,
        size,
        (entry) => entryOf(memory, entries, entry),
        rows,
        (row) => (hasValue(row) ? (numbers[row] ?? -1) : -1),
      ) ?? plain,
    ];
  }
  const type = enumOf(Array.from({ length: size }, (_, entry) => entryOf(memory, entries, entry)));
  if (type === null) return [plain];
  // Codes of another width than DuckDB's would point anywhere.
  if (codeBytes !== codeBytesOf(type))
    throw new Error(`the decoder gave codes of ${codeBytes} bytes for ${size} values`);
  return [{ ...plain, type, width: codeBytes, data: codes, text: false }];
}

/** The column of a UUID column's ids that are no canonical UUIDs. */
export const otherIds = (name: string): string => `${name}_text`;

function hasValues({ memory, validity }: Feed, rows: number): boolean {
  const bits = new Uint8Array(memory, validity, Math.ceil(rows / 8));
  return bits.some((byte) => byte !== 0);
}

/** A string column as text, row by row, whatever repeats. */
export function textFeed(batch: Batch, column: Column, index: number): Feed {
  const buffer = batch.columns[index];
  if (buffer?.layout !== 'string') throw new Error(`the decoder gave no text for ${column.name}`);
  const { data, validity } = buffer;
  return { ...stringColumn(column.name), memory: batch.memory, width: SLOT_BYTES, data, validity, text: true };
}

/** Null when an enumeration cannot carry the values. */
export function enumFeed({ name, values, numbers }: NumberedTexts, rows: Int32Array): Feed | null {
  return selectedFeed(
    name,
    values.length,
    (entry) => values[entry] ?? '',
    rows,
    (row) => numbers[row] ?? -1,
  );
}

/** The selected rows of a column of numbered texts, as an enumeration of those that occur in them. */
function selectedFeed(
  name: string,
  size: number,
  textOf: (entry: number) => string,
  rows: Int32Array,
  numberOf: (row: number) => number,
): Feed | null {
  const members: string[] = [];
  const memberOf = new Int32Array(size).fill(-1);
  const numbers = new Int32Array(rows.length);
  for (let at = 0; at < rows.length; at++) {
    const entry = numberOf(rows[at] ?? 0);
    if (entry >= 0 && memberOf[entry] === -1) memberOf[entry] = members.push(textOf(entry)) - 1;
    numbers[at] = entry < 0 ? -1 : (memberOf[entry] ?? -1);
  }
  // An enumeration has at least one value.
  const type = enumOf(members.length === 0 ? [''] : members);
  if (type === null) return null;
  const width = codeBytesOf(type);
  const data = Math.ceil(rows.length / 64) * 8;
  const memory = new ArrayBuffer(data + rows.length * width);
  const bits = new Uint8Array(memory, 0, data);
  const codes = width === 1 ? new Uint8Array(memory, data) : new Uint16Array(memory, data);
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at] ?? -1;
    if (number < 0) continue;
    codes[at] = number;
    bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
  }
  return { name, type, memory, width, data, validity: 0, text: false, selected: true };
}

function codeBytesOf(type: LogicalType): 1 | 2 {
  const bytes = CODE_BYTES.get(duckdb.enum_internal_type(type));
  if (bytes === undefined) throw new Error('DuckDB made an enumeration of more values than a window has');
  return bytes;
}

function entryOf(memory: ArrayBuffer, entries: number, entry: number): string {
  const slot = new DataView(memory, entries + entry * SLOT_BYTES, SLOT_BYTES);
  const length = slot.getUint32(0, true);
  const start = length <= INLINE_BYTES ? slot.byteOffset + 4 : slot.getUint32(8, true);
  return Buffer.from(memory, start, length).toString('utf8');
}

/** Null where an enumeration cannot carry the values: its members are C strings, which end at a NUL. */
function enumOf(members: readonly string[]): LogicalType | null {
  return members.some((member) => member.includes('\0')) ? null : duckdb.create_enum_type(members);
}

/** Copies rows [from, to) of the selection into a chunk. */
export function fillChunk(
  chunk: Chunk,
  batch: Batch,
  feeds: readonly Feed[],
  rows: Int32Array,
  from: number,
  to: number,
): void {
  const inWindow = rows.subarray(from, to);
  const inSelection = Int32Array.from({ length: to - from }, (_, at) => from + at);
  for (const [index, feed] of feeds.entries())
    fillColumn(chunk, index, batch, feed, feed.selected === true ? inSelection : inWindow);
}

/** Copies rows of one column: those that follow one another at once, others are gathered first. More rows of the chunk have no value. */
export function fillColumn(chunk: Chunk, index: number, batch: Batch, feed: Feed, rows: Int32Array): void {
  const vector = duckdb.data_chunk_get_vector(chunk, index);
  const { memory, width } = feed;
  const first = rows[0] ?? 0;
  const together = (rows[rows.length - 1] ?? 0) - first === rows.length - 1;
  const valid = validityOf(new Uint8Array(memory), feed.validity, rows);
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, valid.byteLength);
  if (feed.text && together && fillTexts(vector, batch, feed, first, rows.length)) return;
  if (together) duckdb.copy_data_to_vector(vector, 0, memory, feed.data + first * width, rows.length * width);
  else duckdb.copy_data_to_vector(vector, 0, gather(memory, feed, rows), 0, rows.length * width);
  if (feed.text) assignTexts(vector, memory, feed, rows, valid);
}

/**
 * Hands all long texts of a vector over as one string, which DuckDB copies to the vector's own heap, and points the rows' slots into that copy: it lives
 * exactly as long as strings that were assigned one by one. False when they are too many bytes to be packed.
 */
function fillTexts(vector: Vector, batch: Batch, feed: Feed, first: number, count: number): boolean {
  const packed = batch.packTexts(feed, first, count);
  if (packed === null) return false;
  if (packed.bytes.length > 0) {
    duckdb.vector_assign_string_element_len(vector, 0, packed.bytes);
    const slot = duckdb.vector_get_data(vector, SLOT_BYTES);
    packed.rebase(new DataView(slot.buffer, slot.byteOffset, SLOT_BYTES).getBigUint64(8, true));
  }
  duckdb.copy_data_to_vector(vector, 0, batch.memory, packed.slots, count * SLOT_BYTES);
  return true;
}

/** Hands long texts over one by one. */
function assignTexts(vector: Vector, memory: ArrayBuffer, feed: Feed, rows: Int32Array, valid: Uint8Array): void {
  const bytes = new Uint8Array(memory);
  const slots = new Uint32Array(memory, feed.data, ((rows[rows.length - 1] ?? 0) + 1) * 4);
  for (let at = 0; at < rows.length; at++) {
    const slot = (rows[at] ?? 0) * 4;
    const length = slots[slot] ?? 0;
    if (length <= INLINE_BYTES || ((valid[at >> 3] ?? 0) & (1 << (at & 7))) === 0) continue;
    const start = slots[slot + 2] ?? 0;
    // Replaces the copied slot, whose pointer means nothing to DuckDB, before the chunk is given away.
    duckdb.vector_assign_string_element_len(vector, at, bytes.subarray(start, start + length));
  }
}

const gathered = new ArrayBuffer(VECTOR_ROWS * SLOT_BYTES);

function gather(memory: ArrayBuffer, feed: Feed, rows: Int32Array): ArrayBuffer {
  if (feed.width >= 4) {
    const words = feed.width / 4;
    const from = new Uint32Array(memory, feed.data);
    const to = new Uint32Array(gathered);
    for (let at = 0; at < rows.length; at++) {
      const row = (rows[at] ?? 0) * words;
      for (let word = 0; word < words; word++) to[at * words + word] = from[row + word] ?? 0;
    }
  } else {
    const from = new Uint8Array(memory, feed.data);
    const to = new Uint8Array(gathered);
    for (let at = 0; at < rows.length; at++) {
      for (let byte = 0; byte < feed.width; byte++)
        to[at * feed.width + byte] = from[(rows[at] ?? 0) * feed.width + byte] ?? 0;
    }
  }
  return gathered;
}

/** Validity bits of the given rows, for a whole vector: rows of the chunk beyond them have no value. */
function validityOf(bytes: Uint8Array, validity: number, rows: Int32Array): Uint8Array<ArrayBuffer> {
  const first = rows[0] ?? 0;
  const together = (rows[rows.length - 1] ?? 0) - first === rows.length - 1;
  const bits = new Uint8Array(VECTOR_ROWS / 8);
  if (together && first % 8 === 0) {
    const last = Math.ceil(rows.length / 8);
    bits.set(bytes.subarray(validity + first / 8, validity + first / 8 + last));
    if (rows.length % 8 > 0) bits[last - 1] = (bits[last - 1] ?? 0) & ((1 << (rows.length % 8)) - 1);
    return bits;
  }
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] ?? 0;
    if (((bytes[validity + (row >> 3)] ?? 0) & (1 << (row & 7))) !== 0)
      bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
  }
  return bits;
}
