/** The steps from each older version of the store to the next. Each runs in one transaction and must be repeatable. */
import type { CatalogSession } from './catalog.ts';
import { ALERT_CHANGE, CREATE_WATCH, createStatement, DELIVERY, HUNT_RUN, SOURCE_STATE } from './catalog-tables.ts';

export type Migration = (session: CatalogSession) => Promise<void>;

/** By the version that a step starts from. */
export const MIGRATIONS: Readonly<Record<number, Migration>> = {
  // What people are told of alerts, and whether it reached them.
  1: async (session) => {
    for (const column of ['suppressed_by VARCHAR', 'revision BIGINT', 'told_count BIGINT'])
      await session.run(`ALTER TABLE alert ADD COLUMN IF NOT EXISTS ${column}`);
    await session.run('ALTER TABLE suppression ADD COLUMN IF NOT EXISTS created_at TIMESTAMP');
    await session.run('UPDATE alert SET revision = coalesce(revision, 0), told_count = coalesce(told_count, count)');
    for (const table of [ALERT_CHANGE, DELIVERY, HUNT_RUN, SOURCE_STATE]) await session.run(createStatement(table));
    for (const statement of CREATE_WATCH) await session.run(statement);
  },
  // What runs on Athena cost, and what is known beside the logs.
  2: async (session) => {
    await session.run('ALTER TABLE hunt_run ADD COLUMN IF NOT EXISTS scanned_bytes BIGINT');
    await session.run('ALTER TABLE alert ADD COLUMN IF NOT EXISTS context VARCHAR');
  },
};
