/** The store folder: made on first use, opened only when its version is understood. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, linkSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { AppError } from '../errors.ts';
import { Catalog } from './catalog.ts';
import { CREATE_CATALOG, STORE_VERSION } from './catalog-tables.ts';
import { createDatabase } from './database.ts';
import { asStoreError, errorCode, FILE_MODE, FOLDER_MODE, makeFolder, type StorePaths, syncPath } from './files.ts';
import { MIGRATIONS } from './migrations.ts';

/** Creates the folder and its catalog. VERSION is written last: without it there is no store, and creation starts again. */
export async function createStore(paths: StorePaths): Promise<void> {
  try {
    makeFolder(paths.dir);
    chmodSync(paths.dir, FOLDER_MODE);
    makeFolder(paths.staging);
    makeFolder(paths.lake);
    if (!existsSync(paths.catalog)) await createDatabase(paths.catalog, paths.staging, CREATE_CATALOG);
    writeVersion(paths);
  } catch (error) {
    if (['EEXIST', 'ENOTDIR', 'ENOENT'].includes(errorCode(error))) {
      throw new AppError('store-unwritable', `cannot create the store ${paths.dir}: no folder can be made there`, {
        hint: 'A file or a system folder is in the way. Name another folder with --store.',
        cause: error,
      });
    }
    throw asStoreError(error, `create the store ${paths.dir}`);
  }
}

function writeVersion(paths: StorePaths): void {
  const temporary = `${paths.version}.${process.pid}`;
  try {
    writeFileSync(temporary, `${STORE_VERSION}\n`, { mode: FILE_MODE });
    syncPath(temporary);
    renameSync(temporary, paths.version);
    syncPath(paths.dir);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Tells this store from every other one, wherever its folder is moved; made when it is first asked for. */
export function storeId(paths: StorePaths): string {
  if (!existsSync(paths.id)) {
    const temporary = `${paths.id}.${process.pid}`;
    try {
      writeFileSync(temporary, `${randomBytes(16).toString('hex')}\n`, { mode: FILE_MODE });
      syncPath(temporary);
      // Where another process was faster, its id counts.
      linkSync(temporary, paths.id);
      syncPath(paths.dir);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw asStoreError(error, `write ${paths.id}`);
    } finally {
      rmSync(temporary, { force: true });
    }
  }
  return readFileSync(paths.id, 'utf8').trim();
}

export function storeExists(paths: StorePaths): boolean {
  try {
    return statSync(paths.version).isFile();
  } catch (error) {
    // What may not be looked into is not the same as nothing.
    if (errorCode(error) === 'EACCES') {
      throw new AppError('store-unreadable', `cannot open the store ${paths.dir}: permission denied`, {
        hint: 'Stores are private to the user who made them: run as that user, or name another store with --store.',
        cause: error,
      });
    }
    return false;
  }
}

/** The version in the folder. Throws `store-damaged` when the file holds none. */
function readVersion(paths: StorePaths): number {
  const text = readFileSync(paths.version, 'utf8').trim();
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new AppError('store-damaged', `cannot read ${paths.version}: '${text.slice(0, 40)}' is no version number`, {
    hint: 'Restore the file from a backup, or ingest into a new store.',
  });
}

/** Brings an older store up to this version, one step after the other; refuses a newer one. */
export async function requireVersion(paths: StorePaths): Promise<void> {
  const version = readVersion(paths);
  if (version > STORE_VERSION) {
    throw new AppError(
      'store-version',
      `cannot use the store ${paths.dir}: it has version ${version}, this trailhound understands up to ${STORE_VERSION}`,
      {
        hint: 'Use the newer trailhound that wrote it, or another store with --store.',
      },
    );
  }
  if (version === STORE_VERSION) return;
  const catalog = new Catalog(paths.catalog);
  for (let from = version; from < STORE_VERSION; from++) {
    const migrate = MIGRATIONS[from];
    if (migrate === undefined) {
      throw new AppError(
        'store-version',
        `cannot use the store ${paths.dir}: there is no way from its version ${version} to ${STORE_VERSION}`,
        {
          hint: 'Ingest the logs into a new store.',
        },
      );
    }
    await catalog.write(migrate);
  }
  try {
    writeVersion(paths);
  } catch (error) {
    throw asStoreError(error, `mark the store ${paths.dir} as one of version ${STORE_VERSION}`);
  }
}
