/** The common wording: what every destination says of a message, in plain text that is safe wherever plain text is. */
import type { Alert } from '../alert.ts';
import { knownOfAccount, whereFrom, who, withKnown } from '../alert-text.ts';
import { csvField, cut, printableLines, shown, valueText } from '../printable.ts';
import { scrubbed } from '../secret-value.ts';
import type { Message, ReportTable } from '../sink.ts';
import { naturalWidths, renderTable } from '../text-table.ts';

/** A value that is longer is no help to a reader; JSON holds it whole. */
const VALUE_MAX = 500;
const TITLE_MAX = 200;
/** Of a message's own text. */
const TEXT_MAX = 8000;
const CELL_MAX = 120;

/** At most `max` bytes of UTF-8, cut between characters. */
export function cutBytes(text: string, max: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= max) return text;
  return `${bytes
    .subarray(0, max - Buffer.byteLength('…'))
    .toString()
    .replace(/\uFFFD+$/u, '')}…`;
}

/** Of what a destination says. */
const QUOTED_MAX = 200;

/** What a destination says, without secrets, in one printable line of at most 200 characters. */
export function quoted(body: string): string {
  return shown(scrubbed(body).replaceAll(/\s+/gu, ' ').trim(), QUOTED_MAX);
}

export interface Fact {
  readonly name: string;
  /** One printable line. */
  readonly value: string;
}

/** What a person needs to know of an alert, most urgent first; those that say nothing are left out. */
export function factsOf(alert: Alert): Fact[] {
  const time = alert.first_seen === alert.last_seen ? alert.first_seen : `${alert.first_seen} to ${alert.last_seen}`;
  const facts: Readonly<Record<string, string>> = {
    Severity: alert.status === 'open' ? alert.severity : `${alert.severity}, ${alert.status}`,
    Time: time,
    Who: who(alert),
    What: alert.summary,
    'Where from': whereFrom(alert),
    Account: alert.accounts.map((id) => withKnown(id, knownOfAccount(alert, id))).join(' '),
    Events: String(alert.count),
    Detector: alert.detector,
    Alert: alert.id,
  };
  return Object.entries(facts)
    .map(([name, value]) => ({ name, value: shown(value, VALUE_MAX) }))
    .filter(({ value }) => value !== '');
}

/** One line. */
export function headline({ kind, severity, title, change }: Message): string {
  const isOfAlerts = kind === 'alert' || kind === 'alerts' || kind === 'past';
  const what = change === null || change === 'new' ? '' : ` (${change})`;
  return `${isOfAlerts ? `${severity}: ` : ''}${shown(title, TITLE_MAX).trim() || kind}${what}`;
}

/** The message's own text, where it says more than the facts of its alert do. */
export function ownText({ text, title, alerts }: Message): string {
  const said = [title, ...alerts.map(({ summary }) => summary)];
  return said.includes(text.trim()) ? '' : cut(printableLines(cut(text, TEXT_MAX)), TEXT_MAX).trim();
}

/** How to see more; null for a message without alerts. */
export function seeMore({ alerts, alertsTotal }: Message): string | null {
  const [first] = alerts;
  if (first === undefined) return null;
  if (alertsTotal === 1) return `trailhound alerts show ${shown(first.id, VALUE_MAX)}`;
  return alertsTotal > alerts.length
    ? `${alertsTotal - alerts.length} more alerts: trailhound alerts list`
    : 'trailhound alerts list';
}

/** All of a message as lines of plain text, its table by as many rows as fit into `tableMax` UTF-16 units. */
export function plainText(message: Message, tableMax: number): string {
  const more = seeMore(message);
  return [
    headline(message),
    ownText(message),
    ...message.alerts.map((alert) => aligned(factsOf(alert))),
    ...(more === null ? [] : [more]),
    ...(message.table === null ? [] : [tableText(message.table, tableMax)]),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function aligned(facts: readonly Fact[]): string {
  const width = Math.max(...facts.map(({ name }) => name.length));
  return facts.map(({ name, value }) => `${name.padEnd(width)}  ${value}`).join('\n');
}

/** As many rows as fit into `max` UTF-16 units, and how many there are besides. */
export function tableText({ columns, rows, total }: ReportTable, max: number): string {
  const layout = columns.map(({ name }) => ({ title: shown(name, CELL_MAX) }));
  const cells = rows.map((row) => columns.map((_, at) => shown(valueText(row[at] ?? null), CELL_MAX)));
  const widths = naturalWidths(layout, cells);
  const [head = '', ...lines] = renderTable(layout, cells, { width: null, head: (line) => line, widths })
    .trimEnd()
    .split('\n');
  const last = (left: number) => `${left} more ${left === 1 ? 'row' : 'rows'}`;
  const kept: string[] = [cut(head, max)];
  let room = max - head.length - last(total).length - 1;
  for (const line of lines) {
    if (line.length + 1 > room) break;
    kept.push(line);
    room -= line.length + 1;
  }
  const left = total - (kept.length - 1);
  return [...kept, ...(left > 0 ? [last(left)] : [])].join('\n');
}

/** As a spreadsheet reads it; no cell becomes a formula. */
export function tableCsv({ columns, rows }: ReportTable): string {
  const lines = [columns.map(({ name }) => name), ...rows.map((row) => columns.map((_, at) => row[at] ?? null))];
  return lines.map((line) => `${line.map(csvField).join(',')}\n`).join('');
}
