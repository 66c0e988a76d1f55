/** The DuckDB files of a store: each is made whole, and one that is not is told apart from a bug. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DuckDBInstance } from '../duckdb.ts';
import { AppError } from '../errors.ts';
import { FILE_MODE, syncPath } from './files.ts';

/**
 * Makes the file, with what the statements put into it, elsewhere and gives it its name when it is whole: DuckDB could never again open what a full disk
 * left of one. A file that is there by then stays as it is.
 */
export async function createDatabase(
  path: string,
  stagingDir: string,
  statements: readonly string[] = [],
): Promise<void> {
  const partial = join(stagingDir, `${basename(path)}-${randomBytes(6).toString('hex')}`);
  try {
    const instance = await DuckDBInstance.create(partial, { memory_limit: '64MB', threads: '1' });
    try {
      if (statements.length > 0) await run(instance, [...statements, 'CHECKPOINT'].join(';\n'));
    } finally {
      instance.closeSync();
    }
    chmodSync(partial, FILE_MODE);
    syncPath(partial);
    try {
      linkSync(partial, path);
    } catch {
      // Another process was faster, or the file system knows no links.
      if (!existsSync(path)) renameSync(partial, path);
    }
  } finally {
    rmSync(partial, { force: true });
  }
}

async function run(instance: DuckDBInstance, sql: string): Promise<void> {
  const connection = await instance.connect();
  try {
    await connection.run(sql);
  } finally {
    connection.closeSync();
  }
}

/** Does DuckDB say that a file is no database of its own, or no longer a whole one? */
export const isDamage = (message: string): boolean =>
  /not a valid DuckDB database|could not read enough bytes|corrupt|checksum|Serialization Error/i.test(message);

export const damagedDatabase = (path: string, why: string, cause?: unknown): AppError =>
  new AppError('store-damaged', `cannot open ${path}: ${why}`, {
    hint: 'Restore it from a backup, or ingest the archive into a new store with --store <dir>; the log files themselves are untouched.',
    cause,
  });
