/** What hunts have judged, and from when on people are told of what they find, as rows of the catalog. */
import type { HuntKey } from '../store.ts';
import type { CatalogSession } from './catalog.ts';
import { fromJson, num, sqlTime, text, timeOrNull } from './rows.ts';

export async function huntSeqs(session: CatalogSession, keys: readonly HuntKey[]): Promise<number[]> {
  const rows = await session.rows('SELECT detector, version, parameters_hash, seq FROM hunt');
  const seqs = new Map(
    rows.map((row) => [
      [text(row['detector']), num(row['version']), text(row['parameters_hash'])].join('\n'),
      num(row['seq']),
    ]),
  );
  return keys.map((key) => seqs.get([key.detector, key.version, key.parametersHash].join('\n')) ?? 0);
}

export async function moveHunts(
  session: CatalogSession,
  seqs: readonly { readonly key: HuntKey; readonly seq: number }[],
): Promise<void> {
  if (seqs.length === 0) return;
  const params = {
    rows: JSON.stringify(
      seqs.map(({ key, seq }) => ({
        detector: key.detector,
        version: key.version,
        parameters_hash: key.parametersHash,
        seq,
      })),
    ),
  };
  const moved = fromJson('rows', {
    detector: 'VARCHAR',
    version: 'INTEGER',
    parameters_hash: 'VARCHAR',
    seq: 'BIGINT',
  });
  await session.run(
    `DELETE FROM hunt WHERE EXISTS (SELECT 1 FROM ${moved} AS moved WHERE moved.detector = hunt.detector AND moved.version = hunt.version AND moved.parameters_hash = hunt.parameters_hash)`,
    params,
  );
  await session.run(`INSERT INTO hunt BY NAME SELECT * FROM ${moved}`, params);
}

const KEY_COLUMNS = { detector: 'VARCHAR', version: 'INTEGER', parameters_hash: 'VARCHAR' };
const keyOf = (detector: string, version: number, parametersHash: string): string =>
  [detector, version, parametersHash].join('\n');

/** Since when each of these is watched; those that were not are from `ms` on. In the order of `keys`. */
export async function notifySince(session: CatalogSession, keys: readonly HuntKey[], ms: number): Promise<number[]> {
  const rows = await session.rows('SELECT * FROM notify_since');
  const known = new Map(
    rows.map((row) => [
      keyOf(text(row['detector']), num(row['version']), text(row['parameters_hash'])),
      timeOrNull(row['since']) ?? ms,
    ]),
  );
  const since = keys.map((key) => known.get(keyOf(key.detector, key.version, key.parametersHash)) ?? null);
  const fresh = keys
    .filter((_, at) => since[at] === null)
    .map(({ detector, version, parametersHash }) => ({ detector, version, parameters_hash: parametersHash }));
  if (fresh.length > 0) {
    await session.run(
      `INSERT INTO notify_since BY NAME SELECT *, CAST($since AS TIMESTAMP) AS since FROM ${fromJson('keys', KEY_COLUMNS)}`,
      { keys: JSON.stringify(fresh), since: sqlTime(ms) },
    );
  }
  return since.map((one) => one ?? ms);
}
