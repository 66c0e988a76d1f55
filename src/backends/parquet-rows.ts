/** How many rows a Parquet file has, by its last bytes alone. */
import { randomUUID } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '../duckdb.ts';
import { AppError } from '../errors.ts';

const MAGIC = 'PAR1';
/** The footer's length and the magic behind it: https://parquet.apache.org/docs/file-format/. */
const TAIL_BYTES = 8;
/** Most footers are shorter: one request reads them. */
const GUESS_BYTES = 64 * 1024;

/** `readEnd` reads the last bytes of the file that `name` names in messages. */
export async function parquetRows(
  readEnd: (bytes: number) => Promise<Uint8Array>,
  { name, tempDirectory }: { readonly name: string; readonly tempDirectory: string },
): Promise<number> {
  let end = Buffer.from(await readEnd(GUESS_BYTES));
  if (end.length < TAIL_BYTES || end.toString('latin1', end.length - MAGIC.length) !== MAGIC) throw notParquet(name);
  const bytes = end.readUInt32LE(end.length - TAIL_BYTES) + TAIL_BYTES;
  if (bytes > end.length) end = Buffer.from(await readEnd(bytes));
  if (bytes > end.length) throw notParquet(name);
  // A file with nothing between its magic and its footer is enough to be asked how many rows it claims.
  const file = join(tempDirectory, `${randomUUID()}.parquet`);
  await writeFile(file, Buffer.concat([Buffer.from(MAGIC), end.subarray(end.length - bytes)]));
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  try {
    const connection = await instance.connect();
    const found = await connection.runAndReadAll('SELECT num_rows FROM parquet_file_metadata($1)', [file]);
    connection.closeSync();
    return Number(found.getRows()[0]?.[0]);
  } catch (error) {
    throw notParquet(name, error);
  } finally {
    instance.closeSync();
    await rm(file, { force: true });
  }
}

const notParquet = (name: string, cause?: unknown): AppError =>
  new AppError('query-failed', `cannot read ${name}: expected a Parquet file, as Athena writes them`, {
    hint: 'Run the same command again: what is there of this day is not used.',
    cause,
  });
