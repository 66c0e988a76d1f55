/** A local folder, or one of another machine that is mounted, as the target of an export. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { AppError } from '../errors.ts';
import type { Target, TargetFile } from '../target.ts';

/** Logs tell who did what: nobody but the owner reads them. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** A name under which a file is written before it has its own. */
const PARTIAL = '.partial';

export function openFolderTarget(name: string): Target {
  const root = resolve(name);
  const pathOf = (key: string): string => join(root, key);

  /** Writes under another name first: a file that is there is whole. */
  const place = async (key: string, write: (partial: string) => Promise<void>, replace: boolean): Promise<boolean> => {
    const path = pathOf(key);
    const partial = `${path}.${process.pid}-${randomBytes(4).toString('hex')}${PARTIAL}`;
    try {
      await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
      await write(partial);
      await sync(partial);
      // A link, unlike a rename, fails where there is a file.
      await (replace ? rename(partial, path) : link(partial, path));
      await sync(dirname(path));
      return true;
    } catch (error) {
      if (!replace && codeOf(error) === 'EEXIST') return false;
      throw unwritable(error, `write ${path}`);
    } finally {
      await rm(partial, { force: true }).catch(() => undefined);
    }
  };
  const writeNew = (text: string) => async (partial: string) => {
    const file = await open(partial, 'wx', FILE_MODE);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
  };

  return {
    name,
    addressOf: (key) => pathToFileURL(pathOf(key)).href,
    list: (prefix) => filesBelow(root, prefix),
    readText: async (key) => {
      try {
        return await readFile(pathOf(key), 'utf8');
      } catch (error) {
        if (codeOf(error) === 'ENOENT') return null;
        throw unwritable(error, `read ${pathOf(key)}`);
      }
    },
    readEnd: async (key, bytes) => {
      try {
        return await readEndOf(pathOf(key), bytes);
      } catch (error) {
        throw unwritable(error, `read ${pathOf(key)}`);
      }
    },
    writeText: async (key, text) => {
      await place(key, writeNew(text), true);
    },
    createText: (key, text) => place(key, writeNew(text), false),
    writeFile: async (key, path) => {
      await place(key, (partial) => copyFile(path, partial, constants.COPYFILE_EXCL), true);
    },
    remove: async (key) => {
      try {
        await rm(pathOf(key), { force: true });
      } catch (error) {
        throw unwritable(error, `remove ${pathOf(key)}`);
      }
    },
    close: () => {},
  };
}

async function readEndOf(path: string, bytes: number): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const length = Math.min(bytes, size);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

async function* filesBelow(root: string, prefix: string): AsyncGenerator<TargetFile, void> {
  const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  let entries: Awaited<ReturnType<typeof entriesOf>>;
  try {
    entries = await entriesOf(join(root, folder));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw unwritable(error, `list ${join(root, folder)}`);
  }
  for (const entry of entries) {
    const key = `${folder}${entry.name}`;
    if (!key.startsWith(prefix) || entry.name.endsWith(PARTIAL)) continue;
    if (entry.isDirectory()) yield* filesBelow(root, `${key}/`);
    else if (entry.isFile()) yield { key, sizeBytes: (await stat(join(root, key))).size };
  }
}

const entriesOf = (path: string) => readdir(path, { withFileTypes: true });

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const codeOf = (error: unknown): unknown => (error instanceof Error ? Reflect.get(error, 'code') : undefined);

function unwritable(error: unknown, tried: string): AppError {
  const code = codeOf(error);
  const why = code === 'ENOSPC' ? 'the disk is full' : error instanceof Error ? error.message : String(error);
  return new AppError('target-unwritable', `cannot ${tried}: ${why}`, {
    hint:
      code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
        ? 'Name a folder that this user may write to.'
        : 'Run the same command again: what was exported is kept.',
    cause: error,
  });
}
