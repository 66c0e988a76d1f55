/** Suppressions of the store, as rows of the catalog. */
import type { Suppression, SuppressionUse } from '../store.ts';
import { formatTime } from '../time.ts';
import type { CatalogSession } from './catalog.ts';
import { isoOrNull, num, sqlTime, text, textOrNull } from './rows.ts';

export async function listSuppressions(session: CatalogSession): Promise<Suppression[]> {
  const rows = await session.rows('SELECT * FROM suppression ORDER BY id');
  return rows.map((row) => {
    const createdAt = isoOrNull(row['created_at']);
    return {
      id: num(row['id']),
      detector: textOrNull(row['detector']),
      where: JSON.parse(text(row['conditions'])) as Record<string, string>,
      reason: text(row['reason']),
      owner: text(row['owner']),
      until: isoOrNull(row['until']),
      ...(createdAt !== null && { createdAt }),
    };
  });
}

export async function insertSuppression(
  session: CatalogSession,
  suppression: Omit<Suppression, 'id' | 'createdAt'>,
): Promise<Suppression> {
  // The number of a removed one, which alerts still name, is not given again.
  const [row] = await session.rows(
    `SELECT coalesce(max(id), 0) + 1 AS id
    FROM (SELECT id FROM suppression UNION ALL SELECT try_cast(suppressed_by AS BIGINT) FROM alert) AS named`,
  );
  const id = num(row?.['id']);
  const until = suppression.until === null ? null : Date.parse(suppression.until);
  const now = Date.now();
  await session.run(
    `INSERT INTO suppression (id, detector, conditions, reason, owner, until, created_at)
    VALUES (CAST($id AS BIGINT), $detector, $conditions, $reason, $owner, CAST($until AS TIMESTAMP), CAST($now AS TIMESTAMP))`,
    {
      id: BigInt(id),
      detector: suppression.detector,
      conditions: JSON.stringify(suppression.where),
      reason: suppression.reason,
      owner: suppression.owner,
      until: sqlTime(until),
      now: sqlTime(now),
    },
  );
  return { ...suppression, until: until === null ? null : formatTime(until), createdAt: formatTime(now), id };
}

export async function suppressionUses(session: CatalogSession): Promise<SuppressionUse[]> {
  const rows = await session.rows(
    `SELECT suppressed_by, count(*) AS alerts, max(last_seen) AS last_seen, max(updated_at) AS used_at FROM alert
    WHERE status = 'suppressed' AND suppressed_by IS NOT NULL GROUP BY suppressed_by ORDER BY suppressed_by`,
  );
  return rows.map((row) => ({
    suppression: text(row['suppressed_by']),
    alerts: num(row['alerts']),
    lastSeen: isoOrNull(row['last_seen']) ?? '',
    usedAt: isoOrNull(row['used_at']) ?? '',
  }));
}

export async function deleteSuppression(session: CatalogSession, id: number): Promise<boolean> {
  const rows = await session.rows('DELETE FROM suppression WHERE id = CAST($id AS BIGINT) RETURNING id', {
    id: BigInt(id),
  });
  return rows.length > 0;
}
