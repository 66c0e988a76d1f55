/** JSON Lines in a file that only its owner reads: appended and synced to the disk, rotated by size and by day. */

import { constants } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { checked } from '../schema-problems.ts';
import { DeliveryError, type Sink } from '../sink.ts';
import { parseBytes } from '../size.ts';
import { DAY_MS } from '../time.ts';
import { messageJson } from './json.ts';
import { sinkType } from './kind.ts';
import { flag, text } from './options.ts';

/** Alerts tell who did what: nobody but the owner reads them. */
const FILE_MODE = 0o600;
const KEEP_DEFAULT = 7;
const KEEP_MAX = 1000;
/** How every line of ours begins, so that half of one is told from half a line of somebody else's. */
const LINE_START = '{"schema":1,';
const BLOCK_BYTES = 65_536;
const NEWLINE = 0x0a;

const options = z.strictObject(
  {
    path: text.describe('The file.'),
    max_size: text
      .transform((value, context) => checked(context, () => parseBytes(value, 'max_size')) ?? 0)
      .describe(
        'Before a line would make it larger, the file becomes `<path>.1`, and the one that was `<path>.1` becomes `<path>.2`.',
      )
      .optional(),
    daily: flag.describe('The same before the first line of a new day (UTC).').default(false),
    keep: z
      .int('expected a whole number')
      .min(1, 'expected 1 to 1000')
      .max(KEEP_MAX, 'expected 1 to 1000')
      .describe('How many such older files are kept.')
      .default(KEEP_DEFAULT),
  },
  'expected a mapping',
);

type Rotation = Omit<z.output<typeof options>, 'path'>;

export const file = sinkType(options, async ({ path: named, ...rotation }, { dir }): Promise<Sink> => {
  const path = resolve(dir, named);
  return {
    deliver: async (message) => {
      try {
        await append(path, `${messageJson(message)}\n`, rotation);
      } catch (error) {
        throw new DeliveryError(
          'sink',
          `cannot write to ${path}: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      return null;
    },
    render: (message) => messageJson(message),
    close: async () => {},
  };
});

/** Opens the file each time: somebody else may have moved it. */
async function append(path: string, line: string, rotation: Rotation): Promise<void> {
  let handle = await openFile(path);
  try {
    await mendEnd(handle);
    if (await isDue(handle, Buffer.byteLength(line), rotation)) {
      await handle.close();
      await rotate(path, rotation.keep);
      handle = await openFile(path);
    }
    const { size } = await handle.stat();
    try {
      await handle.appendFile(line);
      await handle.sync();
    } catch (error) {
      // A full disk takes half a line, which the next attempt would write once more.
      await handle.truncate(size).catch(() => undefined);
      throw error;
    }
    if (size === 0) await syncFolder(path);
  } finally {
    await handle.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  const handle = await open(
    path,
    constants.O_RDWR | constants.O_CREAT | constants.O_APPEND | constants.O_NONBLOCK,
    FILE_MODE,
  );
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new Error('it is no regular file');
}

/** A line that a crash left half is cut off, because its message comes again; one that is not ours is ended. */
async function mendEnd(handle: FileHandle): Promise<void> {
  const { size } = await handle.stat();
  const start = await lastLineStart(handle, size);
  if (start === size) return;
  const half = Buffer.alloc(Math.min(LINE_START.length, size - start));
  await handle.read(half, 0, half.length, start);
  if (LINE_START.startsWith(half.toString())) await handle.truncate(start);
  else await handle.appendFile('\n');
}

/** Where the text behind the last line break begins. */
async function lastLineStart(handle: FileHandle, size: number): Promise<number> {
  const block = Buffer.alloc(Math.min(BLOCK_BYTES, size));
  for (let end = size; end > 0; ) {
    const begin = Math.max(0, end - BLOCK_BYTES);
    const { bytesRead } = await handle.read(block, 0, end - begin, begin);
    const at = block.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (at >= 0) return begin + at + 1;
    end = begin;
  }
  return 0;
}

async function isDue(handle: FileHandle, lineBytes: number, { max_size: maxBytes, daily }: Rotation): Promise<boolean> {
  const { size, mtimeMs } = await handle.stat();
  if (size === 0) return false;
  const isOfAnotherDay = Math.floor(mtimeMs / DAY_MS) !== Math.floor(Date.now() / DAY_MS);
  return (maxBytes !== undefined && size + lineBytes > maxBytes) || (daily && isOfAnotherDay);
}

/** From the oldest on, so that a crash in between loses none and the next rotation goes on. */
async function rotate(path: string, keep: number): Promise<void> {
  await rm(`${path}.${keep}`, { force: true });
  for (let age = keep - 1; age >= 0; age--) {
    try {
      await rename(age === 0 ? path : `${path}.${age}`, `${path}.${age + 1}`);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
  }
  await syncFolder(path);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
