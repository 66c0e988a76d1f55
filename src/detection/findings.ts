/** Findings out of rows: evidence SQL in one shape for all detectors, and its rows as findings. */
import { EVIDENCE_MAX } from '../alert.ts';
import type { Row } from '../backend.ts';
import { AppError } from '../errors.ts';
import type { Finding } from '../hunt.ts';
import type { Roles } from '../table.ts';
import { formatTime, slotStart } from '../time.ts';
import { type Compiled, placeholderNames } from './compile.ts';
import { isOpenBelow, keyCount, names, same } from './hot.ts';
import { alertId } from './identity.ts';
import { asText, asTexts, numberOf, textOf, timeMsOf } from './rows.ts';

/** What each finding tells of its events, beside subject and placeholders. */
const EVIDENCE = {
  event_id: 'eventId',
  event_source: 'eventSource',
  event_name: 'eventName',
  account_id: 'accountId',
  aws_region: 'region',
  source_ip: 'sourceIp',
  principal_arn: 'principalArn',
} as const satisfies Readonly<Record<string, keyof Roles>>;
const EVIDENCE_NAMES = Object.keys(EVIDENCE) as (keyof typeof EVIDENCE)[];

/** What stands for it in the table. */
const evidenceValue = (roles: Roles, name: keyof typeof EVIDENCE): string =>
  roles[EVIDENCE[name]] ?? 'CAST(NULL AS VARCHAR)';

/** The same as a column of that name. */
export function evidenceColumn(roles: Roles, name: keyof typeof EVIDENCE): string {
  const value = evidenceValue(roles, name);
  return value === name ? name : `${value} AS ${name}`;
}

/** The table's columns that evidence reads. */
export const evidenceInputs = (roles: Roles): readonly string[] =>
  Object.values(EVIDENCE).flatMap((role) => roles[role] ?? []);

/** The qualifying events of a detector: names as hot.ts expects them, with all that evidence needs. */
export const evidenceColumns = (compiled: Compiled, shared: readonly string[]): string =>
  [
    ...EVIDENCE_NAMES.map((name) => evidenceColumn(compiled.roles, name)),
    ...compiled.placeholders.map(({ sql }, at) => `${sql} AS text${at}`),
    ...shared.map((column, at) => `CAST(${column} AS VARCHAR) AS shared${at}`),
  ].join(', ');

const list = (values: readonly string[]): string =>
  values.length === 0 ? 'CAST(NULL AS ARRAY(VARCHAR))' : `ARRAY[${values.join(', ')}]`;

/** A detector of slot `event`, with its number. */
export interface EventTask {
  readonly at: number;
  readonly compiled: Compiled;
}

/** One row per event and detector of slot `event`, out of one look at `source`, in which the table's own columns stand. `meant`: the numbers of those that an event is for, as an array that may hold NULLs. */
export function eventsSql(
  tasks: readonly EventTask[],
  shared: readonly string[],
  { source, meant }: { readonly source: string; readonly meant: string },
): string {
  const [first] = tasks;
  if (first === undefined) throw new Error('no detector, no statement');
  const { roles } = first.compiled;
  const one = (name: keyof typeof EVIDENCE): string => evidenceColumn(roles, name);
  const array = (name: keyof typeof EVIDENCE): string => `ARRAY[${evidenceValue(roles, name)}]`;
  return `SELECT task, event_time AS slot, ${perTask(tasks, ({ subject }) => list(subject))} AS subject, CAST(1 AS BIGINT) AS n, CAST(NULL AS BIGINT) AS peak,
 event_time AS first_seen, event_time AS last_seen, ${array('event_id')} AS event_ids, ${array('account_id')} AS accounts, ${array('aws_region')} AS regions, ${array('source_ip')} AS ips,
 ${one('principal_arn')}, ${one('event_source')}, ${one('event_name')}, ${perTask(tasks, ({ placeholders }) => list(placeholders.map(({ sql }) => sql)))} AS texts,
 ${list(shared.map((column) => `CAST(${column} AS VARCHAR)`))} AS shared
 FROM ${source} CROSS JOIN UNNEST(${meant}) AS meant(task) WHERE task IS NOT NULL`;
}

/** What each task has in a place; tasks with the same share one branch. */
function perTask(tasks: readonly EventTask[], sqlOf: (compiled: Compiled) => string): string {
  const groups = new Map<string, number[]>();
  for (const { at, compiled } of tasks) {
    const sql = sqlOf(compiled);
    groups.set(sql, [...(groups.get(sql) ?? []), at]);
  }
  return `CASE ${[...groups].map(([sql, ats]) => `WHEN task IN (${ats.join(', ')}) THEN ${sql}`).join(' ')} END`;
}

/** One row per subject and slot: `hot` joined with the qualifying events in its range. */
export function evidenceSql(
  compiled: Compiled,
  at: number,
  shared: readonly string[],
  { hot, q }: { readonly hot: string; readonly q: string },
): string {
  const s = names('s', compiled.subject.length);
  const k = names('k', keyCount(compiled));
  const texts = names('text', compiled.placeholders.length);
  const distinct = (column: string): string =>
    `array_agg(DISTINCT ${column} ORDER BY ${column}) FILTER (WHERE ${column} IS NOT NULL)`;
  const one = (column: string): string => `CASE WHEN min(${column}) = max(${column}) THEN min(${column}) END`;
  return `SELECT ${at} AS task, slot, ${list(s)} AS subject, count(*) AS n, max(peak) AS peak, min(t) AS first_seen, max(t) AS last_seen,
 array_agg(event_id ORDER BY t, event_id) FILTER (WHERE place <= ${EVIDENCE_MAX} AND event_id IS NOT NULL) AS event_ids,
 ${distinct('account_id')} AS accounts, ${distinct('aws_region')} AS regions, ${distinct('source_ip')} AS ips, ${one('principal_arn')} AS principal_arn,
 CAST(NULL AS VARCHAR) AS event_source, CAST(NULL AS VARCHAR) AS event_name,
 ${list(texts.map((name) => `max(CASE WHEN place = 1 THEN ${name} END)`))} AS texts,
 ${list(names('shared', shared.length).map((name) => `CASE WHEN count(${name}) = count(*) THEN ${one(name)} END`))} AS shared
 FROM (SELECT ${s.map((name) => `h.${name}`).join(', ')}, h.slot, h.peak, q.t, ${[...EVIDENCE_NAMES, ...texts, ...names('shared', shared.length)].map((name) => `q.${name}`).join(', ')},
 row_number() OVER (PARTITION BY ${s.map((name) => `h.${name}`).join(', ')}, h.slot ORDER BY q.t, q.event_id, q.event_name) AS place
 FROM ${hot} AS h JOIN ${q} AS q ON ${same('q', 'h', k)} AND q.t ${isOpenBelow(compiled.kind) ? '>' : '>='} h.lo AND q.t <= h.hi) AS e
 GROUP BY ${s.join(', ')}, slot ORDER BY slot`;
}

/** A row of either of them. */
export function findingOf(row: Row, compiled: Compiled, shared: readonly string[]): Finding {
  const subject = asTexts(row['subject']);
  const eventIds = asTexts(row['event_ids']);
  const slot = textOf(row, 'slot');
  const isEvent = compiled.slotMs === null;
  const from = isEvent ? slot : formatTime(Date.parse(slot));
  const id = isEvent
    ? alertId(compiled.detector.id, subject, {
        event: {
          id: eventIds[0] ?? null,
          time: slot,
          source: asText(row['event_source']),
          name: asText(row['event_name']),
        },
      })
    : alertId(compiled.detector.id, subject, { slotStart: from });
  const values = asTexts(row['texts']);
  return {
    id,
    subject: Object.fromEntries(compiled.detector.subject.map((key, at) => [key, subject[at] ?? null])),
    window: { from, to: isEvent ? slot : formatTime(Date.parse(slot) + (compiled.slotMs ?? 0)) },
    count: numberOf(row, 'n'),
    peak: row['peak'] === null ? null : numberOf(row, 'peak'),
    firstSeen: textOf(row, 'first_seen'),
    lastSeen: textOf(row, 'last_seen'),
    eventIds: present(eventIds),
    accounts: present(asTexts(row['accounts'])),
    regions: present(asTexts(row['regions'])),
    sourceIps: present(asTexts(row['ips'])).slice(0, EVIDENCE_MAX),
    principalArn: asText(row['principal_arn']),
    texts: Object.fromEntries(
      compiled.placeholders.map(({ name, json, rest }, at) => [
        name,
        json ? textAt(values[at] ?? null, rest) : (values[at] ?? null),
      ]),
    ),
    columns: Object.fromEntries(shared.map((column, at) => [column, asTexts(row['shared'])[at] ?? null])),
  };
}

/** A row of a detector's own SQL. */
export function findingOfSql(row: Row, { detector, slotMs }: Compiled, shared: readonly string[]): Finding {
  for (const column of [...detector.subject, 'first_seen', 'last_seen', 'count']) {
    if (column in row) continue;
    throw new AppError(
      'detector-invalid',
      `cannot use the detector '${detector.id}': its SQL gives no column '${column}'`,
      {
        hint: `Expected: ${[...detector.subject, 'first_seen', 'last_seen', 'count', 'event_ids'].join(', ')}.`,
      },
    );
  }
  const subject = detector.subject.map((column) => asText(row[column]));
  const length = slotMs ?? 0;
  const startMs = slotStart(timeMsOf(row, 'slot' in row ? 'slot' : 'first_seen'), length);
  const from = formatTime(startMs);
  return {
    id: alertId(detector.id, subject, { slotStart: from }),
    subject: Object.fromEntries(detector.subject.map((key, at) => [key, subject[at] ?? null])),
    window: { from, to: formatTime(startMs + length) },
    count: numberOf(row, 'count'),
    peak: row['peak'] === undefined || row['peak'] === null ? null : numberOf(row, 'peak'),
    firstSeen: textOf(row, 'first_seen'),
    lastSeen: textOf(row, 'last_seen'),
    eventIds: present(asTexts(row['event_ids'])).slice(0, EVIDENCE_MAX),
    accounts: present([...asTexts(row['accounts']), asText(row['account_id'])]),
    regions: present([...asTexts(row['regions']), asText(row['aws_region'])]),
    sourceIps: present([...asTexts(row['source_ips']), asText(row['source_ip'])]).slice(0, EVIDENCE_MAX),
    principalArn: asText(row['principal_arn']),
    texts: Object.fromEntries(placeholderNames(detector.summary).map((name) => [name, asText(row[name])])),
    columns: Object.fromEntries(shared.map((column) => [column, asText(row[column])])),
  };
}

/** Two findings of one id, as one: only events without an id, or with a forged one, share theirs. */
export function merged(findings: readonly Finding[]): readonly Finding[] {
  const byId = new Map<string, Finding>();
  for (const finding of findings) {
    const other = byId.get(finding.id);
    byId.set(finding.id, other === undefined ? finding : { ...other, count: other.count + finding.count });
  }
  return [...byId.values()];
}

const present = (values: readonly (string | null)[]): readonly string[] => values.filter((value) => value !== null);

/** The texts at what is left of a path, any element of each array, joined by a comma. */
function textAt(json: string | null, rest: readonly string[]): string | null {
  if (json === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return json;
  }
  const found = rest.reduce<readonly unknown[]>(
    (values, key) =>
      values.flatMap((item) =>
        typeof item === 'object' && item !== null ? ((item as Readonly<Record<string, unknown>>)[key] ?? []) : [],
      ),
    Array.isArray(value) ? value : [value],
  );
  const shown = found.flat().filter((item) => item !== null && item !== undefined);
  return shown.length === 0
    ? null
    : shown.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(', ');
}
