/** Messages out of alerts and results: what is told, and under which key. */
import { createHash } from 'node:crypto';
import { type Alert, type AlertChange, EVIDENCE_MAX, SEVERITIES, type Severity } from '../alert.ts';
import type { NewDelivery } from '../outbox.ts';
import type { Message, ReportTable } from '../sink.ts';
import { formatTime } from '../time.ts';

type Written = NewDelivery['message'];

/** Rows of a result that a message carries; the rest is counted. */
const REPORT_ROWS_MAX = 1000;

const NOTHING = { change: null, alerts: [], alertsTotal: 0, table: null } as const;

const worst = (severities: readonly Severity[]): Severity =>
  SEVERITIES.findLast((severity) => severities.includes(severity)) ?? 'informational';

/** A key from what makes a message one of its kind. */
const keyOf = (kind: string, parts: readonly unknown[]): string =>
  `${kind}-${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}`;

const WORDS: Readonly<Record<AlertChange['change'], string>> = {
  new: '',
  grown: 'goes on: ',
  reopened: 'happens again: ',
  acknowledged: 'acknowledged: ',
  closed: 'closed: ',
  suppressed: 'suppressed: ',
  withdrawn: 'no longer follows from the logs: ',
};

/** The key follows from the alert and the number of its change: whoever sends it again, it is the same message. */
export function alertMessage({ alert, change, revision, by, why }: AlertChange, nowMs: number): Written {
  const decided = by === null ? [] : [`${change} by ${by}${why === null ? '' : `: ${why}`}`];
  return {
    ...NOTHING,
    key: `${alert.id}-${revision}`,
    kind: 'alert',
    title: `${WORDS[change]}${alert.title}`,
    text: [alert.summary, ...decided].join('\n'),
    severity: alert.severity,
    at: formatTime(nowMs),
    change,
    alerts: [alert],
    alertsTotal: 1,
  };
}

/** Many at once. `why` says what they have in common, or that they are too many. */
export function groupMessage(
  messages: readonly Pick<Written, 'key' | 'alerts'>[],
  why: string,
  nowMs: number,
): Written {
  const alerts = messages.flatMap((message) => message.alerts);
  return {
    ...NOTHING,
    key: keyOf(
      'group',
      messages.map(({ key }) => key),
    ),
    kind: 'alerts',
    title: `${alerts.length} alerts at once`,
    text: [why, ...perDetector(alerts)].join('\n'),
    severity: worst(alerts.map(({ severity }) => severity)),
    at: formatTime(nowMs),
    alerts: bySeverity(alerts).slice(0, EVIDENCE_MAX),
    alertsTotal: alerts.length,
  };
}

/** The one word on everything that had happened before anybody watched. */
export function pastMessage(storeId: string, alerts: readonly Alert[], nowMs: number): Written {
  return {
    ...NOTHING,
    key: `past-${storeId}`,
    kind: 'past',
    title: `${alerts.length} alerts in the logs of the past`,
    text: [
      'They happened before trailhound was asked to watch, and are told of in this message only: trailhound alerts list',
      ...perDetector(alerts),
    ].join('\n'),
    severity: worst(alerts.map(({ severity }) => severity)),
    at: formatTime(nowMs),
    alerts: bySeverity(alerts).slice(0, EVIDENCE_MAX),
    alertsTotal: alerts.length,
  };
}

export function reportMessage(hunt: string, title: string, table: ReportTable, dueMs: number, nowMs: number): Written {
  return {
    ...NOTHING,
    key: keyOf('report', [hunt, dueMs]),
    kind: 'report',
    title,
    text: `${table.total} rows, due ${formatTime(dueMs)}`,
    severity: 'informational',
    at: formatTime(nowMs),
    table: { ...table, rows: table.rows.slice(0, REPORT_ROWS_MAX) },
  };
}

/** `identity` is what makes it the same notice again. */
export function noticeMessage(
  identity: readonly unknown[],
  { title, text, severity }: Pick<Message, 'title' | 'text' | 'severity'>,
  nowMs: number,
): Written {
  return { ...NOTHING, key: keyOf('notice', identity), kind: 'notice', title, text, severity, at: formatTime(nowMs) };
}

/** Somebody tries whether a destination works. */
export function testMessage(sink: string, nowMs: number): Written {
  return {
    ...NOTHING,
    key: keyOf('test', [sink, nowMs]),
    kind: 'test',
    title: 'trailhound says hello',
    text: `A trial of the destination ${sink}: nothing has happened.`,
    severity: 'informational',
    at: formatTime(nowMs),
  };
}

const bySeverity = (alerts: readonly Alert[]): readonly Alert[] =>
  alerts.toSorted((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity));

const DETECTORS_MAX = 20;

/** `12 high: Root signed in`, the worst and the most first. */
function perDetector(alerts: readonly Alert[]): readonly string[] {
  const counts = new Map<string, { alert: Alert; count: number }>();
  for (const alert of alerts) {
    const known = counts.get(alert.detector);
    if (known === undefined) counts.set(alert.detector, { alert, count: 1 });
    else known.count++;
  }
  const sorted = [...counts.values()].toSorted(
    (a, b) =>
      SEVERITIES.indexOf(b.alert.severity) - SEVERITIES.indexOf(a.alert.severity) ||
      b.count - a.count ||
      (a.alert.detector < b.alert.detector ? -1 : 1),
  );
  const lines = sorted.slice(0, DETECTORS_MAX).map(({ alert, count }) => `${count} ${alert.severity}: ${alert.title}`);
  return sorted.length > DETECTORS_MAX
    ? [...lines, `and those of ${sorted.length - DETECTORS_MAX} more detectors`]
    : lines;
}
