/** Alerts, suppressions and what hunts have judged, as rows of the catalog. */
import type { DuckDBValue } from '@duckdb/node-api';
import { type Alert, type AlertStatus, SEVERITIES, type Severity } from '../alert.ts';
import type { Value } from '../backend.ts';
import { AppError } from '../errors.ts';
import type { AlertFilter, HuntKey, RecordedHunt, Suppression } from '../store.ts';
import { formatTime } from '../time.ts';
import type { CatalogRow, CatalogSession } from './catalog.ts';
import { fromJson, isoOrNull, num, numOrNull, sqlTime, text, textOrNull, texts } from './rows.ts';

/** A shorter beginning of an id would name alerts by chance. */
const ID_PREFIX_MIN = 4;

const ALERT_JSON: Readonly<Record<string, string>> = {
  id: 'VARCHAR',
  detector: 'VARCHAR',
  detector_version: 'INTEGER',
  title: 'VARCHAR',
  severity: 'VARCHAR',
  status: 'VARCHAR',
  subject: 'VARCHAR',
  summary: 'VARCHAR',
  count: 'BIGINT',
  peak: 'BIGINT',
  first_seen: 'TIMESTAMP',
  last_seen: 'TIMESTAMP',
  window_from: 'TIMESTAMP',
  window_to: 'TIMESTAMP',
  account_id: 'VARCHAR',
  region: 'VARCHAR',
  accounts: 'VARCHAR[]',
  regions: 'VARCHAR[]',
  source_ips: 'VARCHAR[]',
  principal_arn: 'VARCHAR',
  attack: 'VARCHAR',
  event_ids: 'VARCHAR[]',
  event_ids_total: 'BIGINT',
  parameters: 'VARCHAR',
};

/** What a later finding of the same id refreshes; found_at and a person's decision stay. */
const REFRESHED = Object.keys(ALERT_JSON).filter((name) => name !== 'id' && name !== 'status');

const toRow = (alert: Alert): Record<string, unknown> => ({
  ...alert,
  first_seen: sqlTime(Date.parse(alert.first_seen)),
  last_seen: sqlTime(Date.parse(alert.last_seen)),
  window_from: sqlTime(Date.parse(alert.window.from)),
  window_to: sqlTime(Date.parse(alert.window.to)),
  subject: JSON.stringify(alert.subject),
  attack: JSON.stringify(alert.attack),
  parameters: JSON.stringify(alert.parameters),
});

const fromRow = (row: CatalogRow): Alert => ({
  schema: 1,
  id: text(row['id']),
  detector: text(row['detector']),
  detector_version: num(row['detector_version']),
  title: text(row['title']),
  severity: text(row['severity']) as Severity,
  status: text(row['status']) as AlertStatus,
  subject: JSON.parse(text(row['subject'])) as Record<string, Value>,
  summary: text(row['summary']),
  count: num(row['count']),
  peak: numOrNull(row['peak']),
  first_seen: isoOrNull(row['first_seen']) ?? '',
  last_seen: isoOrNull(row['last_seen']) ?? '',
  window: { from: isoOrNull(row['window_from']) ?? '', to: isoOrNull(row['window_to']) ?? '' },
  account_id: textOrNull(row['account_id']),
  region: textOrNull(row['region']),
  accounts: texts(row['accounts']),
  regions: texts(row['regions']),
  source_ips: texts(row['source_ips']),
  principal_arn: textOrNull(row['principal_arn']),
  attack: JSON.parse(text(row['attack'])) as Alert['attack'],
  event_ids: texts(row['event_ids']),
  event_ids_total: num(row['event_ids_total']),
  parameters: JSON.parse(text(row['parameters'])) as Record<string, Value>,
  new: false,
  coverage: null,
});

/** Inserts and refreshes. */
export async function upsertAlerts(session: CatalogSession, alerts: readonly Alert[]): Promise<RecordedHunt> {
  if (alerts.length === 0) return { fresh: new Set(), decided: new Map() };
  const params = { rows: JSON.stringify(alerts.map(toRow)), now: sqlTime(Date.now()) };
  const found = `(SELECT * FROM ${fromJson('rows', ALERT_JSON)})`;
  const before = await session.rows(
    `SELECT alert.id, alert.status FROM alert WHERE alert.id IN (SELECT unnest(from_json($ids, '["VARCHAR"]')))`,
    { ids: JSON.stringify(alerts.map(({ id }) => id)) },
  );
  const known = new Map(before.map((row) => [text(row['id']), text(row['status']) as AlertStatus]));
  // A finding that follows again is open again; one that a suppression covers now, or no longer, changes with it. A person's decision stays.
  await session.run(
    `UPDATE alert SET ${REFRESHED.map((name) => `${name} = found.${name}`).join(', ')},
      status = CASE WHEN alert.status IN ('withdrawn', 'suppressed', 'open') THEN found.status ELSE alert.status END,
      updated_at = CAST($now AS TIMESTAMP)
    FROM ${found} AS found WHERE alert.id = found.id`,
    params,
  );
  await session.run(
    `INSERT INTO alert BY NAME SELECT *, CAST($now AS TIMESTAMP) AS found_at, CAST($now AS TIMESTAMP) AS updated_at FROM ${found} AS found
    WHERE NOT EXISTS (SELECT 1 FROM alert WHERE alert.id = found.id)`,
    params,
  );
  return {
    fresh: new Set(alerts.map(({ id }) => id).filter((id) => !known.has(id))),
    decided: new Map([...known].filter(([, status]) => status === 'acknowledged' || status === 'closed')),
  };
}

export async function withdrawAlerts(session: CatalogSession, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await session.run(
    `UPDATE alert SET status = 'withdrawn', updated_at = CAST($now AS TIMESTAMP) WHERE id IN (SELECT unnest(from_json($ids, '["VARCHAR"]')))`,
    { ids: JSON.stringify(ids), now: sqlTime(Date.now()) },
  );
}

export async function listAlerts(session: CatalogSession, filter: AlertFilter): Promise<Alert[]> {
  const conditions: string[] = ['true'];
  const params: Record<string, DuckDBValue> = {};
  if (filter.detector !== undefined) {
    conditions.push('detector = $detector');
    params['detector'] = filter.detector;
  }
  if (filter.minSeverity !== undefined) {
    const wanted = SEVERITIES.slice(SEVERITIES.indexOf(filter.minSeverity));
    conditions.push(`severity IN (${wanted.map((severity) => `'${severity}'`).join(', ')})`);
  }
  if (filter.statuses !== undefined) {
    conditions.push(`status IN (SELECT unnest(from_json($statuses, '["VARCHAR"]')))`);
    params['statuses'] = JSON.stringify(filter.statuses);
  }
  if (filter.fromMs !== undefined) {
    conditions.push('last_seen >= CAST($from AS TIMESTAMP)');
    params['from'] = sqlTime(filter.fromMs);
  }
  if (filter.toMs !== undefined) {
    conditions.push('first_seen < CAST($to AS TIMESTAMP)');
    params['to'] = sqlTime(filter.toMs);
  }
  const limit = filter.limit === undefined ? '' : `LIMIT ${Math.trunc(filter.limit)}`;
  const rows = await session.rows(
    `SELECT * FROM alert WHERE ${conditions.join(' AND ')} ORDER BY last_seen DESC, id ${limit}`,
    params,
  );
  return rows.map(fromRow);
}

export async function findAlert(session: CatalogSession, idPrefix: string): Promise<Alert> {
  const rows =
    idPrefix.length < ID_PREFIX_MIN
      ? []
      : await session.rows('SELECT * FROM alert WHERE starts_with(id, $prefix) ORDER BY id LIMIT 2', {
          prefix: idPrefix.toLowerCase(),
        });
  const [first, second] = rows;
  if (first === undefined) {
    throw new AppError('alert-unknown', `cannot find the alert '${idPrefix}': no id in the store begins with it`, {
      hint: `Give at least ${ID_PREFIX_MIN} digits of an id that 'trailhound alerts list' prints.`,
    });
  }
  if (second !== undefined) {
    throw new AppError('alert-unknown', `cannot tell which alert '${idPrefix}' means: several ids begin with it`, {
      hint: 'Give more digits of the id.',
    });
  }
  return fromRow(first);
}

export async function setStatus(
  session: CatalogSession,
  id: string,
  status: AlertStatus,
  by: string,
  why: string,
): Promise<void> {
  await session.run(
    'UPDATE alert SET status = $status, status_by = $by, status_why = $why, updated_at = CAST($now AS TIMESTAMP) WHERE id = $id',
    { id, status, by, why, now: sqlTime(Date.now()) },
  );
}

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
