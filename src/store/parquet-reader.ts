/** Reads Parquet files that are no segments: their rows as records, a vector of them at a time, in bounded memory. */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api';
import {
  DuckDBBlobValue,
  DuckDBInstance,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  VARCHAR,
} from '../duckdb.ts';
import { AppError } from '../errors.ts';
import { fsPath } from '../keys.ts';
import {
  isParquetMagic,
  PARQUET_MAGIC_BYTES,
  type ParquetColumn,
  type ParquetFile,
  type ParquetProblem,
  type ParquetReader,
  type ParquetRows,
  type ParquetShapes,
  type ParquetType,
} from '../parquet.ts';
import { asStoreError, FILE_MODE } from './files.ts';
import { sqlText } from './parquet.ts';

/** Beside the worker's own instances. A row group of any size is read page by page. */
const MEMORY_LIMIT = '512MB';
/**
 * Of rows that nobody has taken yet: a vector at a time, whatever its size. Where one cannot be read, the engine forgets those that wait, and only ends the stream, so
 * the rows are counted.
 */
const BUFFER = '1KB';
/** Columns that a message names. */
const NAMED_MAX = 40;

export interface ParquetReaderOptions {
  readonly stagingDir: string;
  /** What its files in staging/ begin with. */
  readonly name: string;
  readonly shapeOf: ParquetShapes;
}

/** Its engine starts with the first file. */
export function createParquetReader({ stagingDir, name, shapeOf }: ParquetReaderOptions): ParquetReader {
  const engine = new Engine(stagingDir);
  let files = 0;
  return {
    open: (key, path) => {
      const isThere = path !== null && beginsAsParquet(path);
      return isThere
        ? new LocalFile({ key, path, engine, shapeOf })
        : new SpooledFile({ key, path: join(stagingDir, `${name}-${files++}.parquet`), engine, shapeOf });
    },
    close: () => engine.close(),
  };
}

class Engine {
  readonly #tempDirectory: string;
  #instance: DuckDBInstance | null = null;
  #connection: DuckDBConnection | null = null;

  constructor(tempDirectory: string) {
    this.#tempDirectory = tempDirectory;
  }

  async connection(): Promise<DuckDBConnection> {
    if (this.#connection !== null) return this.#connection;
    this.#instance = await DuckDBInstance.create(':memory:', {
      // Rows keep their order.
      threads: '1',
      memory_limit: MEMORY_LIMIT,
      temp_directory: this.#tempDirectory,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
    });
    this.#connection = await this.#instance.connect();
    await this.#connection.run("SET TimeZone = 'UTC'");
    await this.#connection.run(`SET streaming_buffer_size = '${BUFFER}'`);
    return this.#connection;
  }

  close(): void {
    this.#connection?.closeSync();
    this.#instance?.closeSync();
  }
}

interface FileOptions {
  readonly key: string;
  readonly path: string;
  readonly engine: Engine;
  readonly shapeOf: ParquetShapes;
}

/** A file that lies on the disk as it is. */
class LocalFile implements ParquetFile {
  readonly #options: FileOptions;
  #head = Buffer.alloc(0);
  #tail = Buffer.alloc(0);

  constructor(options: FileOptions) {
    this.#options = options;
  }

  write(bytes: Uint8Array): void {
    if (this.#head.length < PARQUET_MAGIC_BYTES)
      this.#head = Buffer.concat([this.#head, bytes.subarray(0, PARQUET_MAGIC_BYTES - this.#head.length)]);
    this.#tail = Buffer.concat([this.#tail, bytes.subarray(-PARQUET_MAGIC_BYTES)]).subarray(-PARQUET_MAGIC_BYTES);
  }

  async *rows(): AsyncGenerator<ParquetRows | ParquetProblem, void, undefined> {
    if (!isParquetMagic(this.#tail)) {
      yield { reason: 'truncated', detail: 'the file begins as Parquet does, and does not end so' };
      return;
    }
    const { path, engine, shapeOf } = this.#options;
    const connection = await engine.connection();
    // One file, whatever characters are in its name; folders of other writers' partitions are no columns.
    const relation = `read_parquet(${sqlText(path.replace(/[[*?]/gu, '[$&]'))}, hive_partitioning = false, binary_as_string = true)`;
    let columns: readonly ParquetColumn[];
    let count: number;
    try {
      const result = await connection.run(`SELECT * FROM ${relation} LIMIT 0`);
      columns = result.columnNames().map((name, at) => ({ name, type: typeOf(result.columnType(at)) }));
      const counted = await connection.runAndReadAll(`SELECT count(*) FROM ${relation}`);
      count = Number(counted.getRows()[0]?.[0]);
    } catch (error) {
      yield this.#problemOf(error);
      return;
    }
    const shape = shapeOf(columns);
    if ('foreign' in shape) {
      yield {
        reason: 'parquet-foreign',
        detail: `a Parquet file with the columns ${namesOf(columns)}: ${shape.foreign}`,
      };
      return;
    }
    let read = 0;
    try {
      const result = await connection.stream(`SELECT encode(${shape.sql}) FROM ${relation}`);
      for (;;) {
        const chunk = await result.fetchChunk();
        if (chunk === null || chunk.rowCount === 0) break;
        read += chunk.rowCount;
        const values = chunk.getColumnValues(0);
        yield {
          format: shape.format,
          records: values.map((value) => (value instanceof DuckDBBlobValue ? value.bytes : null)),
        };
      }
    } catch (error) {
      yield this.#problemOf(error);
      return;
    }
    if (read < count)
      yield { reason: 'parquet-damaged', detail: `only the first ${read} of its ${count} rows can be read` };
  }

  close(): void {}

  /** What the engine could not read. Throws where that is not for the content of the file. */
  #problemOf(error: unknown): ParquetProblem {
    const { key, path } = this.#options;
    const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    const why = line.replaceAll(path, '').replaceAll(" ''", '');
    const make = (reason: ParquetProblem['reason'], detail: string): ParquetProblem => ({ reason, detail });
    if (/cannot open file|no files found|permission denied/iu.test(line))
      throw new AppError('source-unreadable', `cannot read ${key}: ${why}`, { cause: error });
    if (/out of memory|failed to allocate/iu.test(line))
      return make(
        'parquet-too-large',
        `a part of it needs more memory than ${MEMORY_LIMIT}: write it again with smaller pages`,
      );
    if (/encrypt|crypto/iu.test(line)) return make('parquet-encrypted', 'it is encrypted: decrypt it before');
    // Types that nobody has met yet.
    if (/^(?:Binder|Not implemented) Error/u.test(line))
      return make('parquet-foreign', `its columns cannot be told as JSON: ${why}`);
    return make('parquet-damaged', why);
  }
}

/** A file whose bytes come from elsewhere. */
class SpooledFile extends LocalFile {
  readonly #path: string;
  #fd: number | null;

  constructor(options: FileOptions) {
    super(options);
    this.#path = options.path;
    this.#fd = doing(this.#path, () => openSync(this.#path, 'wx', FILE_MODE));
  }

  override write(bytes: Uint8Array): void {
    super.write(bytes);
    const fd = this.#fd;
    if (fd === null) throw new Error(`${this.#path} is written after it was read`);
    doing(this.#path, () => {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    });
  }

  override async *rows(): AsyncGenerator<ParquetRows | ParquetProblem, void, undefined> {
    this.#end();
    yield* super.rows();
  }

  override close(): void {
    this.#end();
    rmSync(this.#path, { force: true });
  }

  #end(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }
}

function doing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw asStoreError(error, `keep a Parquet file in ${path}`);
  }
}

/** False as well for a name that the engine cannot be told, and for what cannot be read. */
function beginsAsParquet(path: string): boolean {
  if (typeof fsPath(path) !== 'string') return false;
  const head = Buffer.alloc(PARQUET_MAGIC_BYTES);
  try {
    const fd = openSync(path, 'r');
    try {
      readSync(fd, head, 0, head.length, 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
  return isParquetMagic(head);
}

function typeOf(type: DuckDBType): ParquetType {
  if (type instanceof DuckDBStructType)
    return {
      kind: 'struct',
      members: type.entryNames.map((name, at) => ({ name, type: typeOf(type.entryTypes[at] ?? VARCHAR) })),
    };
  if (type instanceof DuckDBListType) return { kind: 'list', item: typeOf(type.valueType) };
  if (type instanceof DuckDBMapType) return { kind: 'map', value: typeOf(type.valueType) };
  const name = String(type);
  return { kind: name === 'VARCHAR' ? 'text' : name.startsWith('TIMESTAMP') ? 'time' : 'plain' };
}

function namesOf(columns: readonly ParquetColumn[]): string {
  const names = columns.slice(0, NAMED_MAX).map(({ name }) => name.slice(0, 100));
  return `${names.join(', ')}${columns.length > NAMED_MAX ? `, … (${columns.length})` : ''}`;
}
