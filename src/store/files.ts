/** The store's files on disk: private, written whole, durable before they are named. */
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../errors.ts';

/** Logs tell who did what: nobody but the owner reads them. */
export const FILE_MODE = 0o600;
export const FOLDER_MODE = 0o700;

export interface StorePaths {
  readonly dir: string;
  readonly version: string;
  readonly id: string;
  readonly catalog: string;
  readonly lock: string;
  readonly watchLock: string;
  readonly staging: string;
  readonly lake: string;
  /** See store/slot-counts.ts; there when a baseline has counted something. */
  readonly counts: string;
}

export function storePaths(dir: string): StorePaths {
  return {
    dir,
    version: join(dir, 'VERSION'),
    id: join(dir, 'ID'),
    catalog: join(dir, 'catalog.duckdb'),
    lock: join(dir, 'writer.lock'),
    watchLock: join(dir, 'watch.lock'),
    staging: join(dir, 'staging'),
    lake: join(dir, 'lake'),
    counts: join(dir, 'counts'),
  };
}

export const partitionDir = (paths: StorePaths, table: string, eventDate: string): string =>
  join(paths.lake, table, `event_date=${eventDate}`);

/** With its parents. Node's own `recursive` tries for ever below /proc, and on a read-only disk says that the folder is not there. */
export function makeFolder(path: string): void {
  if (isFolder(path)) return;
  if (!existsSync(dirname(path))) makeFolder(dirname(path));
  try {
    mkdirSync(path, { mode: FOLDER_MODE });
  } catch (error) {
    // Another process was faster.
    if (!isFolder(path)) throw error;
  }
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** Flushes a file's bytes, or a folder's names, to the disk. */
export function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** The same beside each other: a disk answers many such questions together. */
export async function syncPaths(paths: Iterable<string>): Promise<void> {
  await Promise.all(
    Array.from(paths, async (path) => {
      const file = await open(path, 'r');
      try {
        await file.sync();
      } finally {
        await file.close();
      }
    }),
  );
}

/** Ways in which the system refuses to write, by its code or, out of DuckDB, by its words. */
const REFUSALS: readonly {
  readonly codes: readonly string[];
  readonly words: RegExp;
  readonly what: string;
  readonly hint: string;
}[] = [
  {
    codes: ['ENOSPC', 'EDQUOT'],
    words: /no space left on device|disk quota exceeded/i,
    what: 'the disk is full',
    hint: 'Free some space and run the command again; what was committed is kept.',
  },
  {
    codes: ['EFBIG'],
    words: /file too large/i,
    what: 'its files may not become that large',
    hint: 'Raise the limit on the size of files (`ulimit -f`) and run the command again; what was committed is kept.',
  },
  {
    codes: ['EROFS', 'EACCES', 'EPERM'],
    words: /read-only file system|permission denied/i,
    what: 'no permission to write',
    hint: 'Make the store writable for this user, or choose another one with --store.',
  },
];

export const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';

/** A failure of the disk or of permissions as `store-unwritable`; anything else comes back as it is. */
export function asStoreError(error: unknown, doing: string): unknown {
  const text = error instanceof Error ? error.message : String(error);
  const refusal = REFUSALS.find(({ codes, words }) => codes.includes(errorCode(error)) || words.test(text));
  if (error instanceof AppError || refusal === undefined) return error;
  const { what, hint } = refusal;
  return new AppError('store-unwritable', `cannot ${doing}: ${what}`, { hint, cause: error });
}
