/** Alerts and what happens to them, as rows of the catalog. */
import type { DuckDBValue } from '@duckdb/node-api';
import { type Alert, type AlertChange, type AlertStatus, SEVERITIES, type Severity } from '../alert.ts';
import type { Value } from '../backend.ts';
import { AppError } from '../errors.ts';
import type { AlertFilter, DecidedAlert, DecidedStatus, RecordedHunt } from '../store.ts';
import type { CatalogRow, CatalogSession } from './catalog.ts';
import { ALERT_CHANGE } from './catalog-tables.ts';
import {
  appendRows,
  columnTypes,
  fromJson,
  isoOrNull,
  num,
  numOrNull,
  sqlTime,
  text,
  textOrNull,
  texts,
} from './rows.ts';

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
  context: 'VARCHAR',
  attack: 'VARCHAR',
  event_ids: 'VARCHAR[]',
  event_ids_total: 'BIGINT',
  parameters: 'VARCHAR',
  suppressed_by: 'VARCHAR',
  revision: 'BIGINT',
  told_count: 'BIGINT',
};

/** What a later finding of the same id refreshes; found_at and who decided stay. */
const REFRESHED = Object.keys(ALERT_JSON).filter((name) => name !== 'id');
/** People are told again when an alert has so many times the events that they were told of: a burst of a million tells of itself twenty times. */
const GROWTH = 2;

const toRow = (alert: Alert) => ({
  ...alert,
  first_seen: sqlTime(Date.parse(alert.first_seen)),
  last_seen: sqlTime(Date.parse(alert.last_seen)),
  window_from: sqlTime(Date.parse(alert.window.from)),
  window_to: sqlTime(Date.parse(alert.window.to)),
  subject: JSON.stringify(alert.subject),
  context: alert.context === null ? null : JSON.stringify(alert.context),
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
  context: row['context'] === null ? null : (JSON.parse(text(row['context'])) as Alert['context']),
  attack: JSON.parse(text(row['attack'])) as Alert['attack'],
  event_ids: texts(row['event_ids']),
  event_ids_total: num(row['event_ids_total']),
  parameters: JSON.parse(text(row['parameters'])) as Record<string, Value>,
  suppressed_by: textOrNull(row['suppressed_by']),
  new: false,
  coverage: null,
});

/** What the store knew of an alert before it was found again. */
interface Known {
  readonly status: AlertStatus;
  readonly count: number;
  readonly toldCount: number;
  readonly revision: number;
}

/** What becomes of an alert that is found, and what people are told of it; null for nothing new. */
function judged(found: Alert, known: Known | undefined): { status: AlertStatus; change: AlertChange['change'] | null } {
  const status = found.status;
  const isSuppressed = status === 'suppressed';
  if (known === undefined) return { status, change: isSuppressed ? 'suppressed' : 'new' };
  const grown = found.count >= GROWTH * known.toldCount ? 'grown' : null;
  switch (known.status) {
    case 'open':
      return { status, change: isSuppressed ? 'suppressed' : grown };
    case 'suppressed':
      return { status, change: isSuppressed ? null : 'new' };
    // It follows again.
    case 'withdrawn':
      return { status, change: isSuppressed ? 'suppressed' : 'reopened' };
    // A person's decision stays, but what was closed and happens again needs somebody again.
    case 'acknowledged':
      return { status: 'acknowledged', change: grown };
    case 'closed':
      return found.count > known.count && !isSuppressed
        ? { status: 'open', change: 'reopened' }
        : { status: 'closed', change: null };
  }
}

/** Inserts and refreshes. */
export async function upsertAlerts(session: CatalogSession, alerts: readonly Alert[]): Promise<RecordedHunt> {
  if (alerts.length === 0) return { fresh: new Set(), statuses: new Map() };
  const before = await session.rows(
    `SELECT id, status, count, told_count, revision FROM alert WHERE id IN (SELECT unnest(from_json($ids, '["VARCHAR"]')))`,
    { ids: JSON.stringify(alerts.map(({ id }) => id)) },
  );
  const known = new Map(
    before.map((row): [string, Known] => [
      text(row['id']),
      {
        status: text(row['status']) as AlertStatus,
        count: num(row['count']),
        toldCount: num(row['told_count']),
        revision: num(row['revision']),
      },
    ]),
  );
  const verdicts = alerts.map((alert) => ({ alert, ...judged(alert, known.get(alert.id)) }));
  const rows = verdicts.map(({ alert, status, change }) => {
    const was = known.get(alert.id);
    return {
      ...toRow({ ...alert, status }),
      revision: (was?.revision ?? 0) + (change === null ? 0 : 1),
      told_count: change === null ? (was?.toldCount ?? alert.count) : alert.count,
    };
  });
  const params = { rows: JSON.stringify(rows), now: sqlTime(Date.now()) };
  const found = `(SELECT * FROM ${fromJson('rows', ALERT_JSON)})`;
  await session.run(
    `UPDATE alert SET ${REFRESHED.map((name) => `${name} = found.${name}`).join(', ')}, updated_at = CAST($now AS TIMESTAMP)
    FROM ${found} AS found WHERE alert.id = found.id`,
    params,
  );
  await session.run(
    `INSERT INTO alert BY NAME SELECT *, CAST($now AS TIMESTAMP) AS found_at, CAST($now AS TIMESTAMP) AS updated_at FROM ${found} AS found
    WHERE NOT EXISTS (SELECT 1 FROM alert WHERE alert.id = found.id)`,
    params,
  );
  await insertChanges(
    session,
    rows.flatMap(({ revision, count }, at) => {
      const { alert, change } = verdicts[at] as (typeof verdicts)[number];
      return change === null ? [] : [{ alertId: alert.id, revision, change, count, by: null, why: null }];
    }),
  );
  return {
    fresh: new Set(alerts.map(({ id }) => id).filter((id) => !known.has(id))),
    statuses: new Map(verdicts.map(({ alert, status }) => [alert.id, status])),
  };
}

interface NewChange extends Pick<AlertChange, 'change' | 'by' | 'why' | 'revision' | 'count'> {
  readonly alertId: string;
}

async function insertChanges(session: CatalogSession, changes: readonly NewChange[]): Promise<void> {
  if (changes.length === 0) return;
  const [last] = await session.rows('SELECT coalesce(max(seq), 0) AS seq FROM alert_change');
  const now = Date.now();
  const seq = num(last?.['seq']);
  await appendRows(
    session.connection,
    ALERT_CHANGE.name,
    columnTypes(ALERT_CHANGE),
    changes.map(({ alertId, revision, change, count, by, why }, at) => [
      seq + at + 1,
      alertId,
      revision,
      change,
      count,
      now,
      by,
      why,
    ]),
  );
}

export async function withdrawAlerts(session: CatalogSession, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const params = { ids: JSON.stringify(ids), now: sqlTime(Date.now()) };
  const rows = await session.rows(
    `UPDATE alert SET status = 'withdrawn', revision = revision + 1, told_count = count, updated_at = CAST($now AS TIMESTAMP)
    WHERE id IN (SELECT unnest(from_json($ids, '["VARCHAR"]'))) AND status <> 'withdrawn' RETURNING id, revision, count`,
    params,
  );
  await insertChanges(
    session,
    rows.map((row) => ({
      alertId: text(row['id']),
      revision: num(row['revision']),
      change: 'withdrawn',
      count: num(row['count']),
      by: null,
      why: null,
    })),
  );
}

/** Changes after a sequence number, or those of one alert, in order, each with the alert as it is now. */
export async function listChanges(
  session: CatalogSession,
  which: { readonly afterSeq: number; readonly limit: number } | { readonly alertId: string },
): Promise<AlertChange[]> {
  const [condition, params, limit] =
    'alertId' in which
      ? ['alert_id = $id', { id: which.alertId }, '']
      : ['seq > $after', { after: BigInt(which.afterSeq) }, `LIMIT ${Math.trunc(which.limit)}`];
  const rows = await session.rows(
    `SELECT alert.*, seq, alert_change.revision AS change_revision, change, alert_change.count AS change_count, changed_at, changed_by, why
    FROM (SELECT * FROM alert_change WHERE ${condition} ORDER BY seq ${limit}) AS alert_change JOIN alert ON alert.id = alert_change.alert_id ORDER BY seq`,
    params,
  );
  return rows.map((row) => ({
    seq: num(row['seq']),
    revision: num(row['change_revision']),
    change: text(row['change']) as AlertChange['change'],
    at: isoOrNull(row['changed_at']) ?? '',
    by: textOrNull(row['changed_by']),
    why: textOrNull(row['why']),
    count: num(row['change_count']),
    alert: fromRow(row),
  }));
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
  if (filter.suppressedBy !== undefined) {
    conditions.push(`status = 'suppressed' AND suppressed_by = $suppressedBy`);
    params['suppressedBy'] = filter.suppressedBy;
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
  const [alert] = await findAlerts(session, [idPrefix]);
  // findAlerts has found one for each, or thrown.
  return alert as Alert;
}

/** By ids or unique beginnings, in their order, each alert once. */
async function findAlerts(session: CatalogSession, idPrefixes: readonly string[]): Promise<Alert[]> {
  const long = new Set(idPrefixes.filter((prefix) => prefix.length >= ID_PREFIX_MIN).map((one) => one.toLowerCase()));
  const rows = await session.rows(
    `SELECT prefix, alert.* FROM (SELECT unnest(from_json($prefixes, '["VARCHAR"]')) AS prefix) AS given
    JOIN alert ON starts_with(alert.id, given.prefix) ORDER BY alert.id`,
    { prefixes: JSON.stringify([...long]) },
  );
  const byPrefix = new Map<string, CatalogRow[]>();
  for (const row of rows) {
    const prefix = text(row['prefix']);
    byPrefix.set(prefix, [...(byPrefix.get(prefix) ?? []), row]);
  }
  const foundBy = (prefix: string): readonly CatalogRow[] => byPrefix.get(prefix.toLowerCase()) ?? [];
  const unknown = idPrefixes.filter((prefix) => foundBy(prefix).length === 0);
  const [first, ...others] = unknown;
  if (first !== undefined) {
    const more = others.length === 0 ? '' : `; nor with ${others.length} other of the ids given`;
    throw new AppError('alert-unknown', `cannot find the alert '${first}': no id in the store begins with it${more}`, {
      hint: `Give at least ${ID_PREFIX_MIN} digits of an id that 'trailhound alerts list' prints.`,
    });
  }
  const ambiguous = idPrefixes.find((prefix) => foundBy(prefix).length > 1);
  if (ambiguous !== undefined) {
    throw new AppError('alert-unknown', `cannot tell which alert '${ambiguous}' means: several ids begin with it`, {
      hint: 'Give more digits of the id.',
    });
  }
  const byId = new Map(idPrefixes.flatMap(foundBy).map((row) => [text(row['id']), fromRow(row)]));
  return [...byId.values()];
}

/** What people are told when somebody sets a status. */
const CHANGE_OF = { open: 'reopened', acknowledged: 'acknowledged', closed: 'closed' } as const;

export async function setStatus(
  session: CatalogSession,
  idPrefixes: readonly string[],
  status: DecidedStatus,
  by: string,
  why: string | null,
): Promise<DecidedAlert[]> {
  const before = await findAlerts(session, idPrefixes);
  const rows = await session.rows(
    `UPDATE alert SET status = $status, status_by = $by, status_why = $why, revision = revision + 1, told_count = count, updated_at = CAST($now AS TIMESTAMP)
    WHERE id IN (SELECT unnest(from_json($ids, '["VARCHAR"]'))) AND status NOT IN ($status, 'withdrawn') RETURNING id, revision, count`,
    { ids: JSON.stringify(before.map(({ id }) => id)), status, by, why, now: sqlTime(Date.now()) },
  );
  const changed = new Map(rows.map((row) => [text(row['id']), row]));
  const decided = before.map((alert) => ({
    alert: changed.has(alert.id) ? { ...alert, status } : alert,
    was: alert.status,
  }));
  await insertChanges(
    session,
    // In the order in which they were named, not in that of the engine.
    decided.flatMap(({ alert: { id } }) => {
      const row = changed.get(id);
      return row === undefined
        ? []
        : [
            {
              alertId: id,
              revision: num(row['revision']),
              change: CHANGE_OF[status],
              count: num(row['count']),
              by,
              why,
            },
          ];
    }),
  );
  return decided;
}
