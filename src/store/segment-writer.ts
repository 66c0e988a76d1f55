/** Turns a decoded window into Parquet files in staging/: one COPY per event_date, derived columns included, fsynced. */
import { chmodSync, statSync, unlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance, DuckDBTableFunction } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { AppError } from '../errors.ts';
import type { Batch, ColumnBuffer } from '../format.ts';
import { DUPLICATE, type SegmentWriter, type StagedSegment } from '../ingest.ts';
import { derivedColumns, rawColumns, type Table } from '../table.ts';
import { formatDay } from '../time.ts';
import { REJECT } from './catalog-tables.ts';
import { asStoreError, FILE_MODE, syncPath } from './files.ts';
import { PARQUET_OPTIONS, sqlText } from './parquet.ts';
import { appendRows, columnTypes, num, numOrNull } from './rows.ts';

/** DuckDB fills vectors of this many rows. */
const VECTOR_ROWS = 2048;
const SLOT_BYTES = 16;
/** A string slot holds this many bytes itself; longer ones are handed over one by one. */
const INLINE_BYTES = 12;
/** A window of 20,480 rows of 70 columns needs about 60 MB while it is encoded. */
const MEMORY_LIMIT = '256MB';

type LogicalType = ReturnType<typeof duckdb.create_logical_type>;

const TYPE = {
  string: duckdb.create_logical_type(duckdb.Type.VARCHAR),
  uuid: duckdb.create_logical_type(duckdb.Type.UUID),
  timestamp: duckdb.create_logical_type(duckdb.Type.TIMESTAMP),
  boolean: duckdb.create_logical_type(duckdb.Type.BOOLEAN),
  integer: duckdb.create_logical_type(duckdb.Type.INTEGER),
  bigint: duckdb.create_logical_type(duckdb.Type.BIGINT),
} as const;

/** How wide DuckDB stores an enumeration. */
const CODE_BYTES: ReadonlyMap<number, number> = new Map([
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

/** One result column of the table function: bytes of fixed width, and for texts the strings behind the slots. */
interface Feed {
  readonly name: string;
  readonly type: LogicalType;
  readonly width: number;
  readonly data: number;
  readonly validity: number;
  /** Slots over INLINE_BYTES point to text. */
  readonly text: boolean;
}

export interface SegmentWriterOptions {
  readonly table: Table;
  readonly stagingDir: string;
  /** Distinguishes the files of the threads of one process. */
  readonly name: string;
  /** The macro prelude that the derived columns are written in. */
  readonly prelude: readonly string[];
}

export async function createSegmentWriter(options: SegmentWriterOptions): Promise<SegmentWriter> {
  const { table, stagingDir, name } = options;
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: MEMORY_LIMIT,
    preserve_insertion_order: 'false',
    temp_directory: stagingDir,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  for (const statement of options.prelude) await connection.run(statement);

  const raw = rawColumns(table);
  const derived = derivedColumns(table)
    .map((column) => `, ${column.derive} AS ${column.name}`)
    .join('');
  let window: { readonly batch: Batch; readonly feeds: readonly Feed[]; readonly rows: Int32Array } | null = null;
  let next = 0;
  let cancelled = false;
  let files = 0;

  // The bindings' own calls: node-api's types would build each enumeration twice, as a JavaScript map beside DuckDB's.
  const source = new DuckDBTableFunction();
  const handle = source.table_function;
  duckdb.table_function_set_name(handle, 'decoded');
  duckdb.table_function_set_bind(handle, (info) => {
    for (const feed of window?.feeds ?? []) duckdb.bind_add_result_column(info, feed.name, feed.type);
  });
  duckdb.table_function_set_init(handle, (info) => {
    duckdb.init_set_init_data(info, {});
    duckdb.init_set_max_threads(info, 1);
  });
  duckdb.table_function_set_function(handle, (_info, output) => {
    if (cancelled) throw new Error('cancelled');
    if (window === null) return;
    const rows = window.rows.subarray(next, next + VECTOR_ROWS);
    duckdb.data_chunk_set_size(output, rows.length);
    next += rows.length;
    if (rows.length > 0) fillChunk(output, window.batch, window.feeds, rows);
  });
  connection.registerTableFunction(source);

  /** The raw columns as the table defines them: enumerations and UUIDs are only how values travel. */
  const selectRaw = (batch: Batch): string =>
    raw
      .map((column, index) => {
        const layout = batch.columns[index]?.layout;
        if (layout === 'uuid')
          return `coalesce(CAST(${column.name} AS VARCHAR), ${column.name}_text) AS ${column.name}`;
        if (layout === 'string') return `CAST(${column.name} AS VARCHAR) AS ${column.name}`;
        return column.name;
      })
      .join(', ');

  const writeDay = async (
    batch: Batch,
    feeds: readonly Feed[],
    rows: Int32Array,
    day: number,
  ): Promise<StagedSegment> => {
    const path = join(stagingDir, `${name}-${files++}.parquet`);
    window = { batch, feeds, rows };
    next = 0;
    try {
      await connection.run(
        `COPY (SELECT *${derived} FROM (SELECT ${selectRaw(batch)} FROM decoded())) TO ${sqlText(path)} ${PARQUET_OPTIONS}`,
      );
    } catch (error) {
      if (cancelled) throw new AppError('interrupted', 'writing a segment was interrupted');
      throw asStoreError(error, `write the segment ${path}`);
    } finally {
      window = null;
    }
    chmodSync(path, FILE_MODE);
    return {
      table: table.name,
      eventDate: formatDay(day),
      path,
      rows: rows.length,
      sizeBytes: statSync(path).size,
      ...timeRange(batch, table, rows),
    };
  };

  return {
    write: async (batch, verdicts) => {
      const segments: StagedSegment[] = [];
      const days = admittedByDay(batch, verdicts);
      const feeds = days.size === 0 ? [] : feedsOf(batch, table);
      for (const [day, rows] of days) segments.push(await writeDay(batch, feeds, rows, day));
      return { segments, synced: Promise.all(segments.map(({ path }) => syncFile(path))) };
    },
    dropRows: async (segments, logFile, which) => {
      const kept: StagedSegment[] = [];
      const drop = `log_file = ${logFile}${which === 'all' ? '' : " AND coalesce(event_id, '') = ''"}`;
      for (const segment of segments) {
        const path = join(stagingDir, `${name}-${files++}.parquet`);
        await connection.run(
          `COPY (SELECT * FROM read_parquet(${sqlText(segment.path)}) WHERE NOT (${drop})) TO ${sqlText(path)} ${PARQUET_OPTIONS}`,
        );
        const left = await connection.runAndReadAll(
          `SELECT count(*) AS n, epoch_ms(min(event_time)) AS first, epoch_ms(max(event_time)) AS last FROM read_parquet(${sqlText(path)})`,
        );
        const row = left.getRowObjects()[0] ?? {};
        unlinkSync(segment.path);
        if (num(row['n']) === 0) {
          unlinkSync(path);
          continue;
        }
        chmodSync(path, FILE_MODE);
        syncPath(path);
        kept.push({
          ...segment,
          path,
          rows: num(row['n']),
          sizeBytes: statSync(path).size,
          minTimeMs: numOrNull(row['first']),
          maxTimeMs: numOrNull(row['last']),
        });
      }
      return kept;
    },
    writeRejects: async (rejects) => {
      const path = join(stagingDir, `${name}-${files++}-rejects.parquet`);
      await connection.run(
        `CREATE OR REPLACE TEMP TABLE staged (${REJECT.columns.map((column) => `${column.name} ${column.type}`).join(', ')})`,
      );
      await appendRows(
        connection,
        'staged',
        columnTypes(REJECT),
        rejects.map(({ logFile, reject }) => [
          logFile,
          reject.recordNo,
          reject.offset,
          reject.length,
          reject.reason,
          reject.detail,
          Buffer.from(reject.text).toString('base64'),
        ]),
        'temp',
      );
      try {
        await connection.run(`COPY staged TO ${sqlText(path)} ${PARQUET_OPTIONS}`);
        await connection.run('DROP TABLE staged');
        chmodSync(path, FILE_MODE);
      } catch (error) {
        throw asStoreError(error, `write rejects to ${path}`);
      }
      return path;
    },
    cancel: () => {
      cancelled = true;
    },
    close: () => {
      connection.closeSync();
      instance.closeSync();
      return Promise.resolve();
    },
  };
}

/** On libuv's threads: the next window is read meanwhile. */
async function syncFile(path: string): Promise<void> {
  try {
    const file = await open(path);
    await file.sync();
    await file.close();
  } catch (error) {
    throw asStoreError(error, `write the segment ${path}`);
  }
}

/** Row numbers of the admitted rows, by day, in order. */
function admittedByDay(batch: Batch, verdicts: Uint8Array): Map<number, Int32Array> {
  const counts = new Map<number, number>();
  for (let row = 0; row < batch.rows; row++) {
    if (verdicts[row] === DUPLICATE) continue;
    const day = batch.eventDay[row] ?? 0;
    counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  const days = new Map<number, Int32Array>();
  for (const [day, count] of counts) days.set(day, new Int32Array(count));
  const used = new Map<number, number>();
  for (let row = 0; row < batch.rows; row++) {
    if (verdicts[row] === DUPLICATE) continue;
    const day = batch.eventDay[row] ?? 0;
    const at = used.get(day) ?? 0;
    const rows = days.get(day);
    if (rows !== undefined) rows[at] = row;
    used.set(day, at + 1);
  }
  return days;
}

/** First and last event time of the rows, in ms. */
function timeRange(batch: Batch, table: Table, rows: Int32Array): Pick<StagedSegment, 'minTimeMs' | 'maxTimeMs'> {
  const column = batch.columns[rawColumns(table).findIndex((one) => one.name === 'event_time')];
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  if (column !== undefined) {
    const words = new Int32Array(batch.memory, column.data, batch.rows * 2);
    const validity = new Uint8Array(batch.memory, column.validity, Math.ceil(batch.rows / 8));
    for (const row of rows) {
      if (((validity[row >> 3] ?? 0) & (1 << (row & 7))) === 0) continue;
      const micros = (words[row * 2 + 1] ?? 0) * 0x100000000 + ((words[row * 2] ?? 0) >>> 0);
      if (micros < min) min = micros;
      if (micros > max) max = micros;
    }
  }
  return min > max
    ? { minTimeMs: null, maxTimeMs: null }
    : { minTimeMs: Math.floor(min / 1000), maxTimeMs: Math.ceil(max / 1000) };
}

/** How each raw column travels: repeated texts as an enumeration of this window's values, canonical UUIDs as numbers, other texts as strings. */
function feedsOf(batch: Batch, table: Table): Feed[] {
  const feeds: Feed[] = [];
  for (const [index, column] of rawColumns(table).entries()) {
    const buffer = batch.columns[index];
    if (buffer === undefined) throw new Error(`the decoder gave no buffer for ${column.name}`);
    const { layout, data, validity, dictionary, text } = buffer;
    const plain = {
      name: column.name,
      type: TYPE[layout],
      width: WIDTH[layout],
      data,
      validity,
      text: layout === 'string',
    };
    const type = dictionary === undefined ? null : enumOf(batch.memory, dictionary.entries, dictionary.size);
    if (dictionary === undefined || type === null) feeds.push(plain);
    // Codes of another width than DuckDB's would point anywhere.
    else if (dictionary.codeBytes !== CODE_BYTES.get(duckdb.enum_internal_type(type)))
      throw new Error(`the decoder gave codes of ${dictionary.codeBytes} bytes for ${dictionary.size} values`);
    else feeds.push({ ...plain, type, width: dictionary.codeBytes, data: dictionary.codes, text: false });
    if (text !== undefined)
      feeds.push({ ...plain, ...text, name: `${column.name}_text`, type: TYPE.string, text: true });
  }
  return feeds;
}

/** Null where an enumeration cannot carry the values: its members are C strings, which end at a NUL. */
function enumOf(memory: ArrayBuffer, entries: number, size: number): LogicalType | null {
  const view = new DataView(memory);
  const members: string[] = [];
  for (let entry = 0; entry < size; entry++) {
    const slot = entries + entry * SLOT_BYTES;
    const length = view.getUint32(slot, true);
    const start = length <= INLINE_BYTES ? slot + 4 : view.getUint32(slot + 8, true);
    const member = Buffer.from(memory, start, length).toString('utf8');
    if (member.includes('\0')) return null;
    members.push(member);
  }
  return size === 0 ? null : duckdb.create_enum_type(members);
}

type Chunk = Parameters<typeof duckdb.data_chunk_get_vector>[0];
type Vector = ReturnType<typeof duckdb.data_chunk_get_vector>;

/** Copies the given rows of every column into a chunk. Rows that follow one another are copied at once, others are gathered first. */
function fillChunk(chunk: Chunk, batch: Batch, feeds: readonly Feed[], rows: Int32Array): void {
  const { memory } = batch;
  const first = rows[0] ?? 0;
  const together = (rows[rows.length - 1] ?? 0) - first === rows.length - 1;
  const bytes = new Uint8Array(memory);
  for (const [index, feed] of feeds.entries()) {
    const vector = duckdb.data_chunk_get_vector(chunk, index);
    const valid = validityOf(bytes, feed.validity, rows);
    duckdb.vector_ensure_validity_writable(vector);
    duckdb.copy_data_to_vector_validity(vector, 0, valid.buffer, 0, valid.byteLength);
    if (feed.text && together && fillTexts(vector, batch, feed, first, rows.length)) continue;
    if (together)
      duckdb.copy_data_to_vector(vector, 0, memory, feed.data + first * feed.width, rows.length * feed.width);
    else duckdb.copy_data_to_vector(vector, 0, gather(memory, feed, rows), 0, rows.length * feed.width);
    if (feed.text) assignTexts(vector, memory, feed, rows, valid);
  }
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

/** Validity bits of the given rows, in whole 8-byte words; bits of slots that hold no value are cleared so that none is read. */
function validityOf(bytes: Uint8Array, validity: number, rows: Int32Array): Uint8Array<ArrayBuffer> {
  const first = rows[0] ?? 0;
  const length = Math.ceil(rows.length / 64) * 8;
  const together = (rows[rows.length - 1] ?? 0) - first === rows.length - 1;
  if (together && first % 8 === 0) return bytes.slice(validity + first / 8, validity + first / 8 + length);
  const bits = new Uint8Array(length);
  for (let at = 0; at < rows.length; at++) {
    const row = rows[at] ?? 0;
    if (((bytes[validity + (row >> 3)] ?? 0) & (1 << (row & 7))) !== 0)
      bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
  }
  return bits;
}
