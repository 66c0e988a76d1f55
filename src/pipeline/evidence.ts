/** Evidence is never written to: a store must not lie inside what is read. */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { AppError } from '../errors.ts';
import type { Source } from '../source.ts';

/** The real path of something that need not exist yet. */
function realPath(path: string): string {
  const absolute = resolve(path);
  if (existsSync(absolute)) return realpathSync(absolute);
  const parent = dirname(absolute);
  return parent === absolute ? absolute : join(realPath(parent), basename(absolute));
}

const isInside = (path: string, folder: string): boolean => {
  const way = relative(folder, path);
  return (
    way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && resolve(folder, way) === path && !way.startsWith(sep))
  );
};

/** Throws `store-inside-source`. Call it before the store is created. */
export function refuseStoreInside(storeDir: string, sources: readonly Pick<Source, 'paths'>[]): void {
  const store = realPath(storeDir);
  for (const path of sources.flatMap((source) => source.paths)) {
    if (!isInside(store, realPath(path))) continue;
    throw new AppError(
      'store-inside-source',
      `cannot use the store ${store}: it lies inside ${path}, which is to be read`,
      {
        hint: 'Evidence is never written to. Name a folder elsewhere with --store <dir>, or with TRAILHOUND_STORE.',
      },
    );
  }
}
