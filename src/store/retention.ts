/** What leaves the store: segments older than the retention, and files that a compaction replaced. The ledger stays. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Table } from '../table.ts';
import type { Catalog } from './catalog.ts';
import type { StorePaths } from './files.ts';
import { SUPERSEDED_GRACE_MS } from './lake.ts';
import { num, sqlTime, text } from './rows.ts';

/** Takes whole days before `before` (`YYYY-MM-DD`) out of the store. Their files are unlinked once no reader can still want them. */
export function prune(catalog: Catalog, table: Table, before: string): Promise<{ segments: number; rows: number }> {
  return catalog.write(async (session) => {
    const [sums] = await session.rows(
      `SELECT count(*) AS segments, coalesce(sum(row_count), 0) AS row_count FROM segment
      WHERE table_name = $table AND superseded_at IS NULL AND event_date < CAST($before AS DATE)`,
      { table: table.name, before },
    );
    const segments = num(sums?.['segments']);
    const rows = num(sums?.['row_count']);
    if (segments === 0) return { segments, rows };
    const now = sqlTime(Date.now());
    await session.run(
      `UPDATE segment SET superseded_at = CAST($now AS TIMESTAMP) WHERE table_name = $table AND superseded_at IS NULL AND event_date < CAST($before AS DATE)`,
      { now, table: table.name, before },
    );
    await session.run(
      'INSERT INTO pruned VALUES ($table, CAST($before AS DATE), CAST($rows AS BIGINT), CAST($now AS TIMESTAMP))',
      {
        table: table.name,
        before,
        rows: BigInt(rows),
        now,
      },
    );
    return { segments, rows };
  });
}

/** Unlinks files that were superseded long enough ago. Only for the holder of the lease. */
export async function unlinkSuperseded(catalog: Catalog, paths: StorePaths): Promise<number> {
  const cutoff = sqlTime(Date.now() - SUPERSEDED_GRACE_MS);
  const old = await catalog.read((session) =>
    session.rows('SELECT path FROM segment WHERE superseded_at < CAST($cutoff AS TIMESTAMP)', { cutoff }),
  );
  if (old.length === 0) return 0;
  for (const row of old) rmSync(join(paths.dir, text(row['path'])), { force: true });
  await catalog.write((session) =>
    session.run('DELETE FROM segment WHERE superseded_at < CAST($cutoff AS TIMESTAMP)', { cutoff }),
  );
  return old.length;
}
