/** Evidence is never written to: a store must not lie inside what is read. */
import { AppError } from '../errors.ts';
import { isInside, realPath } from '../real-path.ts';
import type { Source } from '../source.ts';

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
