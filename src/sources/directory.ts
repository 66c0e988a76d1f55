/** Local files, folders and globs as sources. */
import { realpathSync, type Stats, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { AppError } from '../errors.ts';
import { fsPath, inScope, keyOf, parseKey, pathOf } from '../keys.ts';
import { unreadable } from '../payload.ts';
import type { ListingProblem, LogFile, Scope, Source } from '../source.ts';
import { archiveAt, listArchive, mayBeArchive } from './archive.ts';
import { Glob } from './glob.ts';
import { type FoundFile, Walk } from './walk.ts';

/**
 * A file, or a folder with all that lies below it, hidden names too. Archives in a folder are listed member by member.
 * Throws `source-missing` when there is none, `source-unreadable` when it cannot be looked at.
 */
export async function openDirectorySource(path: string): Promise<Source> {
  const { real, stats } = lookAt(path);
  if (stats.isDirectory()) return source(path, real, null);
  return {
    name: path,
    paths: [real],
    async *list(scope) {
      // The file name tells what it tells; dates among the folders are the user's.
      const slash = real.lastIndexOf('/');
      const hint = parseKey(real, slash);
      if (inScope(hint, scope)) yield logFile({ path: real, hint, stats: lookAt(real).stats });
    },
    close: async () => {},
  };
}

/** The files that a glob matches, and all that lies below the folders that it matches. Throws `source-missing` when that is nothing. */
export async function openGlobSource(pattern: string): Promise<Source> {
  const glob = new Glob(pattern);
  const { real } = lookAt(glob.base === '' ? '.' : glob.base, pattern);
  const opened = source(pattern, real, glob);
  for await (const _ of opened.list({}, new AbortController().signal)) return opened;
  throw new AppError('source-missing', `nothing matches '${pattern}' in ${keyOf(real)}`, {
    hint: 'Check the spelling. Quote the glob, or the shell replaces it before trailhound sees it.',
  });
}

function source(name: string, real: string, glob: Glob | null): Source {
  return {
    name,
    paths: [real],
    list: (scope, signal) => list(new Walk(real, glob, scope, signal), scope, signal),
    close: async () => {},
  };
}

async function* list(
  walk: Walk,
  scope: Scope,
  signal: AbortSignal,
): AsyncGenerator<LogFile | ListingProblem, void, undefined> {
  for await (const some of walk.files()) {
    for (const found of some) {
      walk.throwIfStopped();
      if ('error' in found) yield found;
      else {
        const archive = mayBeArchive(found.path) ? await archiveAt(found.path, found.stats) : null;
        if (archive === null) yield logFile(found);
        else yield* listArchive(archive, scope, signal);
      }
    }
  }
}

function logFile({ path, hint, stats }: FoundFile): LogFile {
  return {
    key: keyOf(path),
    sizeBytes: stats.size,
    version: String(stats.mtimeMs),
    hint,
    content: { type: 'file', path, start: 0, length: stats.size, method: 'stored' },
  };
}

/** The real path of what the user named, and what it is. `asked` is what a message names. */
export function lookAt(path: string, asked: string = path): { readonly real: string; readonly stats: Stats } {
  try {
    const real = pathOf(realpathSync.native(fsPath(resolve(path)), { encoding: 'buffer' }));
    return { real, stats: statSync(fsPath(real)) };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw unreadable(asked, error);
    throw new AppError('source-missing', `cannot find '${asked}': no such file or folder`, {
      hint: 'Check the spelling, and the folder from which trailhound was started.',
      cause: error,
    });
  }
}
