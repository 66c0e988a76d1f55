/** The store's files on disk: private, written whole, durable before they are named. */
import { closeSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '../errors.ts';

/** Logs tell who did what: nobody but the owner reads them. */
export const FILE_MODE = 0o600;
export const FOLDER_MODE = 0o700;

export interface StorePaths {
  readonly dir: string;
  readonly version: string;
  readonly catalog: string;
  readonly lock: string;
  readonly staging: string;
  readonly lake: string;
}

export function storePaths(dir: string): StorePaths {
  return {
    dir,
    version: join(dir, 'VERSION'),
    catalog: join(dir, 'catalog.duckdb'),
    lock: join(dir, 'writer.lock'),
    staging: join(dir, 'staging'),
    lake: join(dir, 'lake'),
  };
}

export const partitionDir = (paths: StorePaths, table: string, eventDate: string): string =>
  join(paths.lake, table, `event_date=${eventDate}`);

export function makeFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
}

/** Flushes a file's bytes, or a folder's names, to the disk. */
export function syncPath(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

const errorCode = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');

/** A failure of the disk or of permissions as `store-unwritable`; anything else comes back as it is. */
export function asStoreError(error: unknown, doing: string): unknown {
  const text = error instanceof Error ? error.message : String(error);
  if (errorCode(error) === 'ENOSPC' || /no space left on device/i.test(text)) {
    return new AppError('store-unwritable', `cannot ${doing}: the disk is full`, {
      hint: 'Free some space and run the command again; what was committed is kept.',
      cause: error,
    });
  }
  if (
    ['EROFS', 'EACCES', 'EPERM'].includes(errorCode(error)) ||
    /read-only file system|permission denied/i.test(text)
  ) {
    return new AppError('store-unwritable', `cannot ${doing}: no permission to write`, {
      hint: 'Make the store writable for this user, or choose another one with --store.',
      cause: error,
    });
  }
  return error;
}
