/** The steps from each older version of the store to the next. Each runs in one transaction and must be repeatable. */
import type { CatalogSession } from './catalog.ts';

export type Migration = (session: CatalogSession) => Promise<void>;

/** By the version that a step starts from. Version 1 is the first, so there is none yet. */
export const MIGRATIONS: Readonly<Record<number, Migration>> = {};
