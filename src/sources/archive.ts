/** Archives as sources: zip and tar are read in place, a compressed tar once from start to end; nothing is unpacked. */
import { AppError } from '../errors.ts';
import { keyOf } from '../keys.ts';
import { openPayload } from '../payload.ts';
import type { ListingProblem, LogFile, Scope, Source } from '../source.ts';
import type { Archive } from './members.ts';
import { isTarHeader, listCompressedTar, listTar, TAR_BLOCK_BYTES } from './tar.ts';
import { isZip, listZip } from './zip.ts';

/** Folders hold millions of files; only those with such a name are opened to see whether they are archives. */
const ARCHIVE_NAME = /\.(?:zip|tar|tgz|tzst|tar\.[a-z0-9]+)$/i;

export function mayBeArchive(path: string): boolean {
  return ARCHIVE_NAME.test(path);
}

/** What the content of a file says; null when it is no archive, or when it cannot be read: whoever reads it as a log file tells why. */
export async function archiveAt(
  path: string,
  stats: { readonly size: number; readonly mtimeMs: number },
): Promise<Archive | null> {
  const payload = openPayload({ path, start: 0, length: stats.size, method: 'stored' });
  let head: Uint8Array = new Uint8Array(0);
  try {
    for await (const slice of payload) {
      head = Buffer.concat([head, slice]);
      if (head.length >= TAR_BLOCK_BYTES) break;
    }
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
  const isPlain = payload.compression === 'none';
  const kind = isTarHeader(head) ? (isPlain ? 'tar' : 'compressed-tar') : isPlain && isZip(head) ? 'zip' : null;
  return kind === null ? null : { path, sizeBytes: stats.size, mtimeMs: stats.mtimeMs, kind };
}

/** The members that may be in scope, as log files `<path>!<member>`. Archives inside the archive are members as any other. */
export async function* listArchive(
  archive: Archive,
  scope: Scope,
  signal: AbortSignal,
): AsyncGenerator<LogFile | ListingProblem, void, undefined> {
  try {
    if (archive.kind === 'zip') yield* listZip(archive, scope, signal);
    else if (archive.kind === 'tar') yield* listTar(archive, scope, signal);
    else yield* listCompressedTar(archive, scope, signal);
  } catch (error) {
    // One archive that vanished does not end the listing of the folder that held it.
    if (!(error instanceof AppError) || error.code !== 'source-unreadable') throw error;
    yield { key: keyOf(archive.path), error };
  }
}

export function archiveSource(name: string, archive: Archive): Source {
  return {
    name,
    paths: [archive.path],
    list: (scope, signal) => listArchive(archive, scope, signal),
    close: async () => {},
  };
}
