/** Suppressions of the store, as rows of the catalog. */
import type { Suppression } from '../store.ts';
import { formatTime } from '../time.ts';
import type { CatalogSession } from './catalog.ts';
import { isoOrNull, num, sqlTime, text, textOrNull } from './rows.ts';

export async function listSuppressions(session: CatalogSession): Promise<Suppression[]> {
  const rows = await session.rows('SELECT * FROM suppression ORDER BY id');
  return rows.map((row) => ({
    id: num(row['id']),
    detector: textOrNull(row['detector']),
    where: JSON.parse(text(row['conditions'])) as Record<string, string>,
    reason: text(row['reason']),
    owner: text(row['owner']),
    until: isoOrNull(row['until']),
  }));
}

export async function insertSuppression(
  session: CatalogSession,
  suppression: Omit<Suppression, 'id'>,
): Promise<Suppression> {
  const [row] = await session.rows('SELECT coalesce(max(id), 0) + 1 AS id FROM suppression');
  const id = num(row?.['id']);
  const until = suppression.until === null ? null : Date.parse(suppression.until);
  await session.run(
    'INSERT INTO suppression VALUES (CAST($id AS BIGINT), $detector, $conditions, $reason, $owner, CAST($until AS TIMESTAMP))',
    {
      id: BigInt(id),
      detector: suppression.detector,
      conditions: JSON.stringify(suppression.where),
      reason: suppression.reason,
      owner: suppression.owner,
      until: sqlTime(until),
    },
  );
  return { ...suppression, until: until === null ? null : formatTime(until), id };
}

export async function deleteSuppression(session: CatalogSession, id: number): Promise<boolean> {
  const rows = await session.rows('DELETE FROM suppression WHERE id = CAST($id AS BIGINT) RETURNING id', {
    id: BigInt(id),
  });
  return rows.length > 0;
}
