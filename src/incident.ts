/** Incidents: alerts of one principal that follow one another, as one story. A pure function of the alerts, whatever the order in which they were found. */
import { createHash } from 'node:crypto';
import { type AlertOutline, EVIDENCE_MAX, SEVERITIES, type Severity } from './alert.ts';
import { who } from './alert-text.ts';
import { tacticOf } from './attack.ts';
import { printable, valueText } from './printable.ts';
import { DAY_MS, formatTime, HOUR_MS, MINUTE_MS, slotStart } from './time.ts';

/** What an incident's alerts ask for together: open while one is, closed when all are. */
export const INCIDENT_STATUSES = ['open', 'acknowledged', 'closed'] as const;
export type IncidentStatus = (typeof INCIDENT_STATUSES)[number];

/** The published JSON (docs/reference/incident.schema.json); property order is the order of printing. */
export interface Incident {
  readonly schema: 1;
  /** First 32 hex digits of a SHA-256 over the principal and the slot of six hours in which it begins. */
  readonly id: string;
  readonly principal: string;
  /** The highest of its alerts; one higher where they pass through three tactics. */
  readonly severity: Severity;
  readonly status: IncidentStatus;
  /** One line, printable: who from where, what in order of time, how long. */
  readonly story: string;
  /** How many alerts it holds. */
  readonly alerts: number;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** At most EVIDENCE_MAX. */
  readonly source_ips: readonly string[];
  /** ATT&CK tactics of the alerts' first techniques, in the order in which they first appear. */
  readonly tactics: readonly string[];
  /** In order of time. */
  readonly alert_ids: readonly string[];
}

/** Longer than a break, shorter than a night: what a principal does after such a pause is another story. */
const GAP_MS = 6 * HOUR_MS;
/** Two alerts may be two sides of one call; three tactics are somebody on the way. */
export const TACTICS_OF_A_CHAIN = 3;
/** Steps that a story tells; more would be no line. */
const STORY_STEPS = 8;
const ID_DIGITS = 32;

/** Callers that are nobody: AWS itself, and those that no record names. */
const NOBODY = /^$|^(anonymous|unknown)$|(^|[.])amazonaws[.]com([.]cn)?$|:role\/aws-service-role\//iu;

/** Whom an alert belongs to; null where it is about no principal of one's own. */
export function principalOf({
  subject,
  principal_arn,
}: Pick<AlertOutline, 'subject' | 'principal_arn'>): string | null {
  const principal = valueText(subject['principal'] ?? principal_arn);
  return NOBODY.test(principal) ? null : principal;
}

/**
 * Withdrawn and suppressed alerts take no part, and one alert is no incident. Alerts of a principal are of one incident where no more than GAP_MS lie between the end
 * of one and the beginning of the next. So no two begin in one slot of that length, and the slot tells them apart: an alert that comes late changes an id only where
 * it begins in an earlier slot; where it joins two, the id of the earlier one stays. Newest first.
 */
export function incidentsOf(alerts: readonly AlertOutline[]): readonly Incident[] {
  const byPrincipal = new Map<string, Timed[]>();
  for (const alert of alerts) {
    if (alert.status === 'withdrawn' || alert.status === 'suppressed') continue;
    const principal = principalOf(alert);
    if (principal === null) continue;
    const timed = { alert, fromMs: Date.parse(alert.first_seen), toMs: Date.parse(alert.last_seen) };
    const own = byPrincipal.get(principal);
    if (own === undefined) byPrincipal.set(principal, [timed]);
    else own.push(timed);
  }
  return [...byPrincipal]
    .flatMap(([principal, own]) => chains(own).map((chain) => incidentOf(principal, chain)))
    .toSorted((a, b) => Date.parse(b.last_seen) - Date.parse(a.last_seen) || (a.id < b.id ? -1 : 1));
}

interface Timed {
  readonly alert: AlertOutline;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Cut where nothing happened for too long, each in order of time; those of one alert are left out. */
function chains(alerts: readonly Timed[]): Timed[][] {
  const found: Timed[][] = [];
  let endMs = -Infinity;
  for (const timed of alerts.toSorted(inOrderOfTime)) {
    const chain = found.at(-1);
    if (chain === undefined || timed.fromMs - endMs > GAP_MS) found.push([timed]);
    else chain.push(timed);
    endMs = Math.max(endMs, timed.toMs);
  }
  return found.filter(({ length }) => length > 1);
}

const inOrderOfTime = (a: Timed, b: Timed): number =>
  a.fromMs - b.fromMs || a.toMs - b.toMs || (a.alert.id < b.alert.id ? -1 : 1);

function incidentOf(principal: string, chain: readonly Timed[]): Incident {
  const alerts = chain.map(({ alert }) => alert);
  const firstMs = chain.reduce((least, { fromMs }) => Math.min(least, fromMs), Infinity);
  const lastMs = chain.reduce((most, { toMs }) => Math.max(most, toMs), -Infinity);
  // Of each alert the first technique alone: one alert with three techniques is no chain.
  const tactics = distinct(alerts.flatMap((alert) => firstTacticOf(alert) ?? []));
  const addresses = distinct(alerts.flatMap((alert) => alert.source_ips));
  const raised = highestOf(alerts) + (tactics.length >= TACTICS_OF_A_CHAIN ? 1 : 0);
  return {
    schema: 1,
    id: createHash('sha256')
      .update(JSON.stringify(['incident', principal, formatTime(slotStart(firstMs, GAP_MS))]))
      .digest('hex')
      .slice(0, ID_DIGITS),
    principal,
    severity: SEVERITIES[raised] ?? 'critical',
    status: INCIDENT_STATUSES.find((status) => alerts.some((alert) => alert.status === status)) ?? 'closed',
    story: storyOf(alerts, addresses, lastMs - firstMs),
    alerts: alerts.length,
    first_seen: formatTime(firstMs),
    last_seen: formatTime(lastMs),
    accounts: distinct(alerts.flatMap((alert) => alert.accounts)).toSorted(),
    regions: distinct(alerts.flatMap((alert) => alert.regions)).toSorted(),
    source_ips: addresses.slice(0, EVIDENCE_MAX),
    tactics,
    alert_ids: alerts.map(({ id }) => id),
  };
}

/** Of its first technique; null where it names none. */
export const firstTacticOf = ({ attack: [first] }: Pick<AlertOutline, 'attack'>): string | null =>
  (first && tacticOf(first.technique, first.version)) ?? null;

const highestOf = (alerts: readonly AlertOutline[]): number =>
  SEVERITIES.findLastIndex((severity) => alerts.some((alert) => alert.severity === severity));

const distinct = (values: readonly string[]): string[] => [...new Set(values)];

/** `user/alice 111122223333 from 198.51.100.7: An IAM user signed in without MFA → A CloudTrail trail was stopped (14 min, 2 alerts)`. */
function storyOf(alerts: readonly AlertOutline[], addresses: readonly string[], spanMs: number): string {
  const [first] = alerts;
  const [address, ...others] = addresses;
  const from = address === undefined ? '' : ` from ${address}${others.length > 0 ? ` +${others.length}` : ''}`;
  const byTitle = new Map<string, AlertOutline[]>();
  for (const alert of alerts) {
    const own = byTitle.get(alert.title);
    if (own === undefined) byTitle.set(alert.title, [alert]);
    else own.push(alert);
  }
  const groups = [...byTitle].map(([title, own]) => ({ title, own }));
  // The most severe are told, in order of time; of equal ones the first.
  const told = new Set(groups.toSorted((a, b) => highestOf(b.own) - highestOf(a.own)).slice(0, STORY_STEPS));
  const steps = groups
    .filter((group) => told.has(group))
    .map(({ title, own }) => (own.length > 1 ? `${title} ×${own.length}` : title));
  const more = groups.length > told.size ? `, and ${groups.length - told.size} more` : '';
  const name = first === undefined ? '' : who(first);
  return printable(`${name}${from}: ${steps.join(' → ')}${more} (${spanText(spanMs)}, ${alerts.length} alerts)`);
}

/** `2 d 5 h`, `3 h 10 min`, `14 min`, `40 s`. */
function spanText(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.round(ms / 1000)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)} min`;
  return `${Math.floor(ms / DAY_MS)} d ${Math.floor((ms % DAY_MS) / HOUR_MS)} h`;
}
