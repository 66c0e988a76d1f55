/** A Parquet file of one row group, in memory: pages, column chunks and the footer, as https://github.com/apache/parquet-format defines them. */

import type { Column } from '../../table.ts';
import { Bytes } from './bytes.ts';
import { binary, bool, i32, i64, list, putStruct, struct, type Thrift, type ThriftStruct } from './thrift.ts';
import { compress } from './zstd.ts';

export const ENCODING = {
  plain: 0,
  runs: 3,
  deltas: 5,
  lengthsAndTexts: 6,
  dictionary: 8,
} as const;

const PAGE = { dictionary: 2, data: 3 } as const;
const PHYSICAL = { boolean: 0, int32: 1, int64: 2, bytes: 6 } as const;
const REPETITION = { optional: 1, repeated: 2 } as const;
const CONVERTED = { utf8: 0, list: 3, timestampMicros: 10, int32: 17, int64: 18 } as const;
const ZSTD = 6;
/** Higher levels cost more than they save: tenfold time for random ids, at the same size. */
const ZSTD_LEVEL = 1;
/** Fewer bytes are not worth a frame. */
const COMPRESSED_FROM = 256;
/** The compressor's memory never shrinks: larger pages, of one giant value, stay as they are. Compaction compresses them. */
const COMPRESSED_TO = 16 * 1024 * 1024;
const MAGIC = Buffer.from('PAR1');
const CREATED_BY = 'trailhound';

/** Part of a column's values. The bytes may be used again once the page is added. */
export interface Page {
  readonly rows: number;
  /** Those that are NULL, or an empty list, too. */
  readonly values: number;
  readonly nulls: number;
  readonly encoding: number;
  readonly repetition?: Uint8Array;
  readonly definition: Uint8Array;
  readonly body: Uint8Array;
}

export interface Dictionary {
  readonly size: number;
  readonly body: Uint8Array;
}

/** Smallest and largest value of a chunk, plain encoded. */
export interface Bounds {
  readonly min: Uint8Array;
  readonly max: Uint8Array;
}

export class ParquetFile {
  readonly #out = new Bytes(4 * 1024 * 1024);
  readonly #chunks: Thrift[] = [];
  readonly #schema: Thrift[] = [];
  #rows = 0;
  #uncompressedBytes = 0;

  begin(columns: readonly Column[], rows: number): void {
    this.#out.clear();
    this.#out.put(MAGIC);
    this.#rows = rows;
    this.#uncompressedBytes = 0;
    this.#chunks.length = 0;
    this.#schema.length = 0;
    this.#schema.push(struct({ 4: binary('schema'), 5: i32(columns.length) }));
    for (const column of columns) this.#schema.push(...elementsOf(column));
  }

  /** The values of the next column. */
  add(column: Column, dictionary: Dictionary | null, pages: Iterable<Page>, bounds?: Bounds): void {
    const start = this.#out.length;
    let uncompressed = 0;
    if (dictionary !== null) {
      const packed = compress(dictionary.body, ZSTD_LEVEL);
      uncompressed += this.#putHeader({
        1: i32(PAGE.dictionary),
        2: i32(dictionary.body.length),
        3: i32(packed.length),
        7: struct({ 1: i32(dictionary.size), 2: i32(ENCODING.plain) }),
      });
      this.#out.put(packed);
      uncompressed += dictionary.body.length;
    }
    const dataStart = this.#out.length;
    const encodings = new Set<number>([ENCODING.runs, ...(dictionary === null ? [] : [ENCODING.plain])]);
    let values = 0;
    let nulls = 0;
    for (const page of pages) {
      uncompressed += this.#putPage(page);
      encodings.add(page.encoding);
      values += page.values;
      nulls += page.nulls;
    }
    this.#uncompressedBytes += uncompressed;
    const bytes = this.#out.length - start;
    const meta: ThriftStruct = {
      1: i32(physicalOf(column)),
      2: list(...[...encodings].map(i32)),
      3: list(...pathOf(column).map(binary)),
      4: i32(ZSTD),
      5: i64(values),
      6: i64(uncompressed),
      7: i64(bytes),
      9: i64(dataStart),
      11: dictionary === null ? undefined : i64(start),
      12: struct({
        3: i64(nulls),
        5: bounds === undefined ? undefined : binary(bounds.max.slice()),
        6: bounds === undefined ? undefined : binary(bounds.min.slice()),
      }),
    };
    this.#chunks.push(struct({ 2: i64(0), 3: struct(meta) }));
  }

  /** The whole file; valid until the next begin(). */
  end(): Uint8Array {
    const out = this.#out;
    const bytes = out.length - MAGIC.length;
    const start = out.length;
    putStruct(out, {
      1: i32(2),
      2: list(...this.#schema),
      3: i64(this.#rows),
      4: list(
        struct({
          1: list(...this.#chunks),
          2: i64(this.#uncompressedBytes),
          3: i64(this.#rows),
          5: i64(MAGIC.length),
          6: i64(bytes),
        }),
      ),
      6: binary(CREATED_BY),
      // Bounds are compared as the types say, bytes as unsigned.
      7: list(...this.#chunks.map(() => struct({ 1: struct({}) }))),
    });
    out.uint32(out.length - start);
    out.put(MAGIC);
    return out.written;
  }

  /** Returns the bytes that the page has uncompressed. */
  #putPage(page: Page): number {
    const { body, definition } = page;
    const repetition = page.repetition ?? NO_BYTES;
    const worth = body.length >= COMPRESSED_FROM && body.length <= COMPRESSED_TO;
    const packed = worth ? compress(body, ZSTD_LEVEL) : body;
    const isCompressed = packed.length < body.length;
    const stored = isCompressed ? packed : body;
    const levels = repetition.length + definition.length;
    const header = this.#putHeader({
      1: i32(PAGE.data),
      2: i32(levels + body.length),
      3: i32(levels + stored.length),
      8: struct({
        1: i32(page.values),
        2: i32(page.nulls),
        3: i32(page.rows),
        4: i32(page.encoding),
        5: i32(definition.length),
        6: i32(repetition.length),
        7: bool(isCompressed),
      }),
    });
    this.#out.put(repetition);
    this.#out.put(definition);
    this.#out.put(stored);
    return header + levels + body.length;
  }

  #putHeader(fields: ThriftStruct): number {
    const start = this.#out.length;
    putStruct(this.#out, fields);
    return this.#out.length - start;
  }
}

const NO_BYTES = new Uint8Array(0);

function physicalOf(column: Column): number {
  switch (column.type) {
    case 'BOOLEAN':
      return PHYSICAL.boolean;
    case 'INTEGER':
      return PHYSICAL.int32;
    case 'BIGINT':
    case 'TIMESTAMP':
      return PHYSICAL.int64;
    case 'VARCHAR':
    case 'VARCHAR[]':
      return PHYSICAL.bytes;
  }
}

const pathOf = (column: Column): readonly string[] =>
  column.type === 'VARCHAR[]' ? [column.name, 'list', 'element'] : [column.name];

/** How the footer names a column: every column may be NULL; a list is a group in a group, as the specification asks. */
function elementsOf(column: Column): Thrift[] {
  const leaf = (name: string, type: number, converted?: number, logical?: ThriftStruct): Thrift =>
    struct({
      1: i32(type),
      3: i32(REPETITION.optional),
      4: binary(name),
      6: converted === undefined ? undefined : i32(converted),
      10: logical === undefined ? undefined : struct(logical),
    });
  const text = (name: string): Thrift => leaf(name, PHYSICAL.bytes, CONVERTED.utf8, { 1: struct({}) });
  const { name } = column;
  switch (column.type) {
    case 'BOOLEAN':
      return [leaf(name, PHYSICAL.boolean)];
    case 'INTEGER':
      return [leaf(name, PHYSICAL.int32, CONVERTED.int32, { 10: struct({ 1: { i8: 32 }, 2: bool(true) }) })];
    case 'BIGINT':
      return [leaf(name, PHYSICAL.int64, CONVERTED.int64, { 10: struct({ 1: { i8: 64 }, 2: bool(true) }) })];
    case 'TIMESTAMP': {
      // A point in time without a zone, in microseconds.
      const logical = { 8: struct({ 1: bool(false), 2: struct({ 2: struct({}) }) }) };
      return [leaf(name, PHYSICAL.int64, CONVERTED.timestampMicros, logical)];
    }
    case 'VARCHAR':
      return [text(name)];
    case 'VARCHAR[]':
      return [
        struct({
          3: i32(REPETITION.optional),
          4: binary(name),
          5: i32(1),
          6: i32(CONVERTED.list),
          10: struct({ 3: struct({}) }),
        }),
        struct({ 3: i32(REPETITION.repeated), 4: binary('list'), 5: i32(1) }),
        text('element'),
      ];
  }
}
