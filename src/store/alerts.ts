/** Alerts and what happens to them, as rows of the catalog. */
import type { DuckDBValue } from '@duckdb/node-api';
import { type Alert, type AlertChange, type AlertOutline, type AlertStatus, SEVERITIES } from '../alert.ts';
import { AppError } from '../errors.ts';
import type { AlertFilter, DecidedAlert, DecidedStatus, RecordedHunt } from '../store.ts';
import { formatTime } from '../time.ts';
import type { CatalogRow, CatalogSession } from './catalog.ts';
import { ALERT_CHANGE } from './catalog-tables.ts';
import {
  appendRows,
  columnTypes,
  fromJson,
  isoOrNull,
  num,
  piecesOf,
  sqlTime,
  text,
  textOrNull,
  textsOf,
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

const FOUND = `(SELECT * FROM ${fromJson('rows', ALERT_JSON)})`;
const IDS = `(SELECT unnest(from_json($ids, '["VARCHAR"]')))`;

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

/** An alert as one text: the engine's values, fetched one by one, take five times as long. What is JSON in the catalog stays a text in it. */
const jsonOf = (columns: readonly string[]): string =>
  `to_json({${columns
    .map((name) => `'${name}': ${ALERT_JSON[name] === 'TIMESTAMP' ? `epoch_ms(alert.${name})` : `alert.${name}`}`)
    .join(', ')}})`;
const ROW = jsonOf(Object.keys(ALERT_JSON));
const OUTLINE = jsonOf([
  'id',
  'detector',
  'title',
  'severity',
  'status',
  'subject',
  'first_seen',
  'last_seen',
  'accounts',
  'regions',
  'source_ips',
  'principal_arn',
  'attack',
]);

type Row = Omit<
  Alert,
  | 'schema'
  | 'subject'
  | 'first_seen'
  | 'last_seen'
  | 'window'
  | 'context'
  | 'attack'
  | 'parameters'
  | 'new'
  | 'coverage'
> & {
  readonly subject: string;
  readonly first_seen: number;
  readonly last_seen: number;
  readonly window_from: number;
  readonly window_to: number;
  readonly context: string | null;
  readonly attack: string;
  readonly parameters: string;
};

function fromRow(json: string): Alert {
  const row = JSON.parse(json) as Row;
  return {
    schema: 1,
    id: row.id,
    detector: row.detector,
    detector_version: row.detector_version,
    title: row.title,
    severity: row.severity,
    status: row.status,
    subject: JSON.parse(row.subject) as Alert['subject'],
    summary: row.summary,
    count: row.count,
    peak: row.peak,
    first_seen: formatTime(row.first_seen),
    last_seen: formatTime(row.last_seen),
    window: { from: formatTime(row.window_from), to: formatTime(row.window_to) },
    account_id: row.account_id,
    region: row.region,
    accounts: row.accounts,
    regions: row.regions,
    source_ips: row.source_ips,
    principal_arn: row.principal_arn,
    context: row.context === null ? null : (JSON.parse(row.context) as Alert['context']),
    attack: JSON.parse(row.attack) as Alert['attack'],
    event_ids: row.event_ids,
    event_ids_total: row.event_ids_total,
    parameters: JSON.parse(row.parameters) as Alert['parameters'],
    suppressed_by: row.suppressed_by,
    new: false,
    coverage: null,
  };
}

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

/** Inserts and refreshes, some after the others: a hunt may find more than the memory of the catalog holds. */
export async function upsertAlerts(session: CatalogSession, alerts: readonly Alert[]): Promise<RecordedHunt> {
  const fresh = new Set<string>();
  const statuses = new Map<string, AlertStatus>();
  const now = sqlTime(Date.now());
  for (const piece of piecesOf(alerts)) {
    const known = await knownOf(session, piece);
    const verdicts = piece.map((alert) => ({ alert, ...judged(alert, known.get(alert.id)) }));
    const rows = verdicts.map(({ alert, status, change }) => {
      const was = known.get(alert.id);
      return {
        ...toRow({ ...alert, status }),
        revision: (was?.revision ?? 0) + (change === null ? 0 : 1),
        told_count: change === null ? (was?.toldCount ?? alert.count) : alert.count,
      };
    });
    const old = rows.filter(({ id }) => known.has(id));
    if (old.length > 0) {
      await session.run(
        `UPDATE alert SET ${REFRESHED.map((name) => `${name} = found.${name}`).join(', ')}, updated_at = CAST($now AS TIMESTAMP)
        FROM ${FOUND} AS found WHERE alert.id = found.id`,
        { rows: JSON.stringify(old), now },
      );
    }
    if (old.length < rows.length) {
      await session.run(
        `INSERT INTO alert BY NAME SELECT *, CAST($now AS TIMESTAMP) AS found_at, CAST($now AS TIMESTAMP) AS updated_at FROM ${FOUND} AS found`,
        { rows: JSON.stringify(rows.filter(({ id }) => !known.has(id))), now },
      );
    }
    await insertChanges(
      session,
      rows.flatMap(({ revision, count }, at) => {
        const { alert, change } = verdicts[at] as (typeof verdicts)[number];
        return change === null ? [] : [{ alertId: alert.id, revision, change, count, by: null, why: null }];
      }),
    );
    for (const { alert, status } of verdicts) {
      if (!known.has(alert.id)) fresh.add(alert.id);
      statuses.set(alert.id, status);
    }
  }
  return { fresh, statuses };
}

async function knownOf(session: CatalogSession, alerts: readonly Alert[]): Promise<ReadonlyMap<string, Known>> {
  const rows = await session.rows(`SELECT id, status, count, told_count, revision FROM alert WHERE id IN ${IDS}`, {
    ids: JSON.stringify(alerts.map(({ id }) => id)),
  });
  return new Map(
    rows.map((row): [string, Known] => [
      text(row['id']),
      {
        status: text(row['status']) as AlertStatus,
        count: num(row['count']),
        toldCount: num(row['told_count']),
        revision: num(row['revision']),
      },
    ]),
  );
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
  const now = sqlTime(Date.now());
  for (const piece of piecesOf(ids)) {
    const rows = await session.rows(
      `UPDATE alert SET status = 'withdrawn', revision = revision + 1, told_count = count, updated_at = CAST($now AS TIMESTAMP)
      WHERE id IN ${IDS} AND status <> 'withdrawn' RETURNING id, revision, count`,
      { ids: JSON.stringify(piece), now },
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
    `SELECT ${ROW} AS alert, seq, alert_change.revision AS revision, change, alert_change.count AS count, changed_at, changed_by, why
    FROM (SELECT * FROM alert_change WHERE ${condition} ORDER BY seq ${limit}) AS alert_change JOIN alert ON alert.id = alert_change.alert_id ORDER BY seq`,
    params,
  );
  return rows.map((row) => ({
    seq: num(row['seq']),
    revision: num(row['revision']),
    change: text(row['change']) as AlertChange['change'],
    at: isoOrNull(row['changed_at']) ?? '',
    by: textOrNull(row['changed_by']),
    why: textOrNull(row['why']),
    count: num(row['count']),
    alert: fromRow(text(row['alert'])),
  }));
}

/** Newest last_seen first. */
export async function listAlerts(session: CatalogSession, filter: AlertFilter): Promise<Alert[]> {
  const { condition, params } = conditionOf(filter);
  const chosen =
    filter.limit === undefined
      ? condition
      : `alert.rowid IN (SELECT rowid FROM alert WHERE ${condition} ORDER BY last_seen DESC, id LIMIT ${Math.trunc(filter.limit)})`;
  // Sorted here: the engine would have to hold all of them for it.
  return (await rowsOf(session, chosen, params)).toSorted(newestFirst);
}

/** In the order of these ids. */
export async function alertsOf(session: CatalogSession, ids: readonly string[]): Promise<Alert[]> {
  const found = new Map<string, Alert>();
  for (const piece of piecesOf(ids)) {
    for (const alert of await rowsOf(session, `alert.id IN ${IDS}`, { ids: JSON.stringify(piece) }))
      found.set(alert.id, alert);
  }
  return ids.flatMap((id) => found.get(id) ?? []);
}

async function rowsOf(session: CatalogSession, condition: string, params: Params): Promise<Alert[]> {
  const alerts: Alert[] = [];
  for await (const row of textsOf(session.connection, `SELECT ${ROW} FROM alert WHERE ${condition}`, params))
    alerts.push(fromRow(row));
  return alerts;
}

/** `limit` is left to the caller. */
export async function idsOf(session: CatalogSession, filter: AlertFilter): Promise<ReadonlySet<string>> {
  const { condition, params } = conditionOf(filter);
  const ids = new Set<string>();
  for await (const id of textsOf(session.connection, `SELECT id FROM alert WHERE ${condition}`, params)) ids.add(id);
  return ids;
}

/** Of all alerts. */
export async function alertOutlines(session: CatalogSession): Promise<AlertOutline[]> {
  const outlines: AlertOutline[] = [];
  for await (const json of textsOf(session.connection, `SELECT ${OUTLINE} FROM alert`, {})) {
    const row = JSON.parse(json) as Row;
    outlines.push({
      ...row,
      subject: JSON.parse(row.subject) as Alert['subject'],
      first_seen: formatTime(row.first_seen),
      last_seen: formatTime(row.last_seen),
      attack: JSON.parse(row.attack) as Alert['attack'],
    });
  }
  return outlines;
}

const newestFirst = (a: Alert, b: Alert): number =>
  Date.parse(b.last_seen) - Date.parse(a.last_seen) || (a.id < b.id ? -1 : 1);

type Params = Record<string, DuckDBValue>;

function conditionOf(filter: AlertFilter): { readonly condition: string; readonly params: Params } {
  const conditions: string[] = ['true'];
  const params: Params = {};
  if (filter.ids !== undefined) {
    conditions.push(`id IN ${IDS}`);
    params['ids'] = JSON.stringify(filter.ids);
  }
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
  return { condition: conditions.join(' AND '), params };
}

export async function findAlert(session: CatalogSession, idPrefix: string): Promise<Alert> {
  const [alert] = await findAlerts(session, [idPrefix]);
  // findAlerts has found one for each, or thrown.
  return alert as Alert;
}

/** By ids or unique beginnings, in their order, each alert once. */
async function findAlerts(session: CatalogSession, idPrefixes: readonly string[]): Promise<Alert[]> {
  const byPrefix = await idsByPrefix(
    session,
    new Set(idPrefixes.filter((prefix) => prefix.length >= ID_PREFIX_MIN).map((one) => one.toLowerCase())),
  );
  const foundBy = (prefix: string): readonly string[] => byPrefix.get(prefix.toLowerCase()) ?? [];
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
  return alertsOf(session, [...new Set(idPrefixes.flatMap(foundBy))]);
}

/** Those of one length are joined by equality: each prefix compared with each id would take minutes for a hundred thousand. */
async function idsByPrefix(
  session: CatalogSession,
  prefixes: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const found = new Map<string, string[]>();
  for (const length of new Set([...prefixes].map((prefix) => prefix.length))) {
    for (const piece of piecesOf([...prefixes].filter((prefix) => prefix.length === length))) {
      const rows = await session.rows(
        `SELECT prefix, alert.id AS id FROM (SELECT unnest(from_json($prefixes, '["VARCHAR"]')) AS prefix) AS given
        JOIN alert ON left(alert.id, ${length}) = given.prefix`,
        { prefixes: JSON.stringify(piece) },
      );
      for (const row of rows) {
        const [prefix, id] = [text(row['prefix']), text(row['id'])];
        const own = found.get(prefix);
        if (own === undefined) found.set(prefix, [id]);
        else own.push(id);
      }
    }
  }
  return found;
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
  const changed = new Map<string, CatalogRow>();
  for (const piece of piecesOf(before.map(({ id }) => id))) {
    const rows = await session.rows(
      `UPDATE alert SET status = $status, status_by = $by, status_why = $why, revision = revision + 1, told_count = count, updated_at = CAST($now AS TIMESTAMP)
      WHERE id IN ${IDS} AND status NOT IN ($status, 'withdrawn') RETURNING id, revision, count`,
      { ids: JSON.stringify(piece), status, by, why, now: sqlTime(Date.now()) },
    );
    for (const row of rows) changed.set(text(row['id']), row);
  }
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
