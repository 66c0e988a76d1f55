/** Writes the rows of a result as one Parquet file. */
import { rename, rm } from 'node:fs/promises';
import type { ResultColumn, Value } from '../backend.ts';
import { DuckDBDataChunk, DuckDBInstance, VARCHAR } from '../duckdb.ts';
import { AppError } from '../errors.ts';

/** Rows in a data chunk: DuckDB's vector size. */
const CHUNK_ROWS = 2048;

/** Types that keep their type; a list of texts is one too; everything else (structs, maps, intervals) is written as text. */
const SCALAR =
  /^(BOOLEAN|U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|DECIMAL\(\d+,\s*\d+\)|DATE|TIME|TIMESTAMP(_NS|_MS|_S| WITH TIME ZONE)?|UUID)$/u;

export interface ParquetFileOptions {
  readonly columns: readonly ResultColumn[];
  readonly batches: AsyncIterable<readonly (readonly Value[])[]>;
  /** Appears when it is whole; one that is there is replaced. */
  readonly file: string;
  readonly memoryLimitMb: number;
  readonly tempDirectory: string;
}

/** Returns how many rows were written. */
export async function writeParquetFile(options: ParquetFileOptions): Promise<number> {
  const { columns, batches, file, memoryLimitMb, tempDirectory } = options;
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${memoryLimitMb}MB`,
    temp_directory: tempDirectory,
  });
  const partial = `${file}.${process.pid}.partial`;
  try {
    const connection = await instance.connect();
    await connection.run("SET TimeZone = 'UTC'");
    await connection.run(`CREATE TABLE result (${columns.map((_, at) => `c${at} VARCHAR`).join(', ')})`);
    const appender = await connection.createAppender('result');
    const types = columns.map(() => VARCHAR);
    let count = 0;
    for await (const rows of batches) {
      for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
        const chunk = DuckDBDataChunk.create(types);
        chunk.setRows(rows.slice(start, start + CHUNK_ROWS).map((row) => row.map(asText)));
        appender.appendDataChunk(chunk);
      }
      count += rows.length;
    }
    appender.closeSync();
    const typed = columns.map(({ name, type }, at) => `${typedSql(`c${at}`, type)} AS "${name.replaceAll('"', '""')}"`);
    await connection.run(
      `COPY (SELECT ${typed.join(', ')} FROM result) TO '${partial.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd)`,
    );
    connection.closeSync();
    await rename(partial, file);
    return count;
  } catch (cause) {
    await rm(partial, { force: true });
    if (cause instanceof AppError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const isFull = /no space left on device/iu.test(why);
    throw new AppError('query-failed', `cannot write ${file}: ${isFull ? 'the disk is full' : why}`, {
      hint: isFull
        ? 'Free some space, or name a file on another disk.'
        : 'Name a file in a folder that exists and can be written.',
      cause,
    });
  } finally {
    instance.closeSync();
  }
}

function asText(value: Value): string | null {
  if (value === null) return null;
  return typeof value === 'object'
    ? JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item))
    : String(value);
}

function typedSql(column: string, type: string): string {
  if (type === 'VARCHAR[]') return `from_json(${column}, '["VARCHAR"]')`;
  return SCALAR.test(type) ? `CAST(${column} AS ${type})` : column;
}
