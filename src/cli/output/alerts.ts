/** Alerts as a person reads them and as a program does. */
import type { Alert, Severity } from '../../alert.ts';
import { knownOfAccount, knownOfAddress, whereFrom, who, withKnown } from '../../alert-text.ts';
import type { ResultColumn, Value } from '../../backend.ts';
import type { DeliveryRow } from '../../outbox.ts';
import { json, printable, valueText } from '../../printable.ts';
import { rankText } from '../../rank.ts';
import type { Table } from '../../table.ts';
import type { TableColumn } from '../../text-table.ts';
import type { AlertLife } from '../alert-life.ts';
import type { Terminal } from '../terminal.ts';
import { type Fact, factLines } from './facts.ts';
import { writeJsonLines, writeJsonList } from './json.ts';
import { createRowWriter, type Output } from './rows.ts';
import { plural } from './text.ts';

export interface AlertWriter {
  /** Prints a block of alerts, in order; may be called as they are found. */
  write(alerts: readonly Alert[]): Promise<void>;
  end(): Promise<void>;
}

/** Below this a row of six columns leaves too little for the sentence: each alert takes its own paragraph. */
const ONE_LINE_WIDTH_MIN = 120;
/** Digits of the id that are shown; commands take any unique beginning. */
export const SHORT_ID_DIGITS = 10;
export const INDENT = '    ';

const SEVERITY_ORDER: Readonly<Record<Severity, number>> = {
  critical: 0,
  high: 1,
  medium: 2,
  low: 3,
  informational: 4,
};

const FIELDS: readonly (readonly [name: string, type: string, value: (alert: Alert) => Value])[] = [
  ['id', 'VARCHAR', (alert) => alert.id],
  ['severity', 'VARCHAR', (alert) => alert.severity],
  ['status', 'VARCHAR', (alert) => alert.status],
  ['new', 'BOOLEAN', (alert) => alert.new],
  ['first_seen', 'VARCHAR', (alert) => alert.first_seen],
  ['last_seen', 'VARCHAR', (alert) => alert.last_seen],
  ['detector', 'VARCHAR', (alert) => alert.detector],
  ['title', 'VARCHAR', (alert) => alert.title],
  ['summary', 'VARCHAR', (alert) => alert.summary],
  ['subject', 'VARCHAR', (alert) => alert.subject],
  ['count', 'BIGINT', (alert) => alert.count],
  ['peak', 'BIGINT', (alert) => alert.peak],
  ['account_id', 'VARCHAR', (alert) => alert.account_id ?? alert.accounts.join(' ')],
  ['region', 'VARCHAR', (alert) => alert.region ?? alert.regions.join(' ')],
  ['source_ips', 'VARCHAR', (alert) => alert.source_ips.join(' ')],
  ['principal_arn', 'VARCHAR', (alert) => alert.principal_arn],
  ['context', 'VARCHAR', (alert) => (alert.context === null ? null : json(alert.context))],
  ['attack', 'VARCHAR', (alert) => alert.attack.map(({ technique }) => technique).join(' ')],
  ['event_ids_total', 'BIGINT', (alert) => alert.event_ids_total],
  ['event_ids', 'VARCHAR', (alert) => alert.event_ids.join(' ')],
  ['suppressed_by', 'VARCHAR', (alert) => alert.suppressed_by],
];

/** `given`: as the alerts come. Else the most severe first, then oldest first, then by id, so that equal alerts print equally; jsonl takes them as they come. */
export type PrintOrder = 'given' | 'severity';

/** What was recorded before a name came to the config's mask is masked here; all else was. */
export function createAlertWriter(output: Output, terminal: Terminal, order: PrintOrder = 'severity'): AlertWriter {
  const writer = writerOf(output, terminal, order === 'given' ? (alerts) => [...alerts] : bySeverity);
  return { write: (alerts) => writer.write(terminal.mask.value(alerts)), end: () => writer.end() };
}

type InOrder = (alerts: readonly Alert[]) => Alert[];

function writerOf(output: Output, terminal: Terminal, inOrder: InOrder): AlertWriter {
  switch (output) {
    case 'table':
      return tableWriter(terminal, inOrder);
    case 'json':
      return jsonWriter(terminal, inOrder);
    case 'jsonl':
      return {
        write: (alerts) => writeJsonLines(alerts, terminal),
        async end() {},
      };
    case 'csv':
    case 'markdown':
    case 'parquet': {
      const columns: ResultColumn[] = FIELDS.map(([name, type]) => ({ name, type }));
      const writer = createRowWriter(output, columns, terminal);
      return {
        write: (alerts) => writer.write(inOrder(alerts).map((alert) => FIELDS.map(([, , value]) => value(alert)))),
        end: () => writer.end(),
      };
    }
  }
}

function bySeverity(alerts: readonly Alert[]): Alert[] {
  return alerts.toSorted(
    (a, b) =>
      SEVERITY_ORDER[a.severity] - SEVERITY_ORDER[b.severity] ||
      a.first_seen.localeCompare(b.first_seen, 'en') ||
      a.id.localeCompare(b.id, 'en'),
  );
}

function jsonWriter(terminal: Terminal, inOrder: InOrder): AlertWriter {
  let all: readonly Alert[] = [];
  return {
    async write(alerts) {
      all = [...all, ...alerts];
    },
    end: () => writeJsonList(inOrder(all), terminal),
  };
}

function mark(alert: Alert): string {
  const { status } = alert;
  if (status !== 'open') return status;
  return alert.new ? 'new' : 'known';
}

export function severityStyle({ colors }: Terminal): Readonly<Record<Severity, (text: string) => string>> {
  return {
    critical: (text) => colors.bold(colors.red(text)),
    high: colors.red,
    medium: colors.yellow,
    low: colors.cyan,
    informational: colors.dim,
  };
}

function tableWriter(terminal: Terminal, inOrder: InOrder): AlertWriter {
  const styles = severityStyle(terminal);
  const columns: TableColumn[] = [
    { title: 'SEVERITY', style: (line, cell) => styles[cell as Severity](line) },
    { title: 'TIME' },
    { title: 'WHO' },
    { title: 'WHAT' },
    { title: 'WHERE FROM' },
    { title: 'ALERT' },
    { title: '' },
  ];
  let widths: number[] | undefined;
  const { width } = terminal;
  return {
    async write(alerts) {
      if (alerts.length === 0) return;
      const rows = inOrder(alerts).map((alert) => [
        alert.severity,
        alert.first_seen.replace(/[.]\d+Z$/u, 'Z'),
        printable(who(alert)),
        printable(alert.summary),
        printable(whereFrom(alert)),
        alert.id.slice(0, SHORT_ID_DIGITS),
        mark(alert),
      ]);
      if (width !== null && width < ONE_LINE_WIDTH_MIN) {
        const { default: wrap } = await import('wrap-ansi');
        const body = (text: string) =>
          `${wrap(text, width - INDENT.length, { hard: true, trim: true }).replaceAll(/^/gmu, INDENT)}\n`;
        await terminal.out(rows.map((row) => paragraph(row, body, terminal, styles)).join(''));
        return;
      }
      const head = widths === undefined ? terminal.colors.bold : null;
      const { naturalWidths, renderTable } = await import('../../text-table.ts');
      widths = naturalWidths(columns, rows, widths);
      await terminal.out(renderTable(columns, rows, { width, head, widths }));
    },
    async end() {},
  };
}

function paragraph(
  row: readonly string[],
  body: (text: string) => string,
  { colors }: Terminal,
  styles: Readonly<Record<Severity, (text: string) => string>>,
): string {
  const [severity = '', time = '', whoText = '', what = '', from = '', id = '', state = ''] = row;
  const head = `${styles[severity as Severity](severity)}  ${time}  ${id}  ${state}`;
  const about = from === '' ? whoText : `${whoText}, from ${from}`;
  return `${head}\n${body(colors.bold(about))}${body(what)}`;
}

/** All that is known of one alert and of what became of it, with the statement that shows its events in their table. */
export function alertDetail(
  alert: Alert,
  life: AlertLife,
  table: Pick<Table, 'name' | 'roles'>,
  terminal: Terminal,
): string {
  const { colors } = terminal;
  const styles = severityStyle(terminal);
  const { incident, suppression } = life;
  const facts: readonly Fact[] = [
    ['Alert', alert.id],
    ['Detector', `${alert.detector} (version ${alert.detector_version})`],
    ['Severity', alert.severity],
    ['Status', alert.status],
    ['Rank', rankText(life.rank)],
    ['Suppression', suppression === null ? '' : suppressionText(suppression)],
    [
      'Incident',
      incident === null ? '' : `${incident.id.slice(0, SHORT_ID_DIGITS)} (${incident.severity}): ${incident.story}`,
    ],
    ...Object.entries(alert.subject).map(([name, value]): Fact => [`Subject: ${name}`, valueText(value)]),
    ['Events', String(alert.count)],
    ['Peak', alert.peak === null ? '' : String(alert.peak)],
    ['First seen', alert.first_seen],
    ['Last seen', alert.last_seen],
    ['Window', `${alert.window.from} to ${alert.window.to}`],
    ['Accounts', alert.accounts.map((id) => withKnown(id, knownOfAccount(alert, id))).join(', ')],
    ['Regions', alert.regions.join(', ')],
    ['Addresses', alert.source_ips.map((address) => withKnown(address, knownOfAddress(alert, address))).join(', ')],
    ['Principal ARN', alert.principal_arn ?? ''],
    ['ATT&CK', alert.attack.map(({ technique, version }) => `${technique} (v${version})`).join(', ')],
    ...Object.entries(alert.parameters).map(([name, value]): Fact => [`Parameter: ${name}`, valueText(value)]),
  ];
  const more = alert.event_ids_total - alert.event_ids.length;
  return [
    `${colors.bold(printable(alert.title))}\n${printable(alert.summary)}\n\n`,
    factLines(
      facts.filter(([, value]) => value !== ''),
      terminal,
      (name, shown) => (name === 'Severity' ? styles[alert.severity](shown) : shown),
    ),
    ...section('History', life.history.map(historyText), terminal),
    ...section('Delivered', life.deliveries.map(deliveryText), terminal),
    `\n${colors.dim('Evidence')}${more > 0 ? ` (the first ${alert.event_ids.length} of ${alert.event_ids_total} events)` : ''}\n`,
    ...alert.event_ids.map((id) => `  ${printable(id)}\n`),
    `\n${colors.dim('See them with')}\n  ${evidenceCommand(alert, table)}\n`,
  ].join('');
}

function section(title: string, lines: readonly string[], { colors }: Terminal): readonly string[] {
  return lines.length === 0 ? [] : [`\n${colors.dim(title)}\n`, ...lines.map((line) => `  ${printable(line)}\n`)];
}

function suppressionText(suppression: NonNullable<AlertLife['suppression']>): string {
  if (!('reason' in suppression)) return `${suppression.id}, which is gone`;
  const { id, reason, owner, until, state } = suppression;
  const end = until === null ? '' : `, ${state === 'expired' ? 'ended' : 'until'} ${until}`;
  return `${id}: ${reason} (${owner}${end})`;
}

function historyText({ change, at, by, why, count }: AlertLife['history'][number]): string {
  const person = by === null ? '' : ` by ${by}`;
  return `${at}  ${change}${person}${why === null ? '' : `: ${why}`} (${plural(count, 'event')})`;
}

function deliveryText({ sink, state, attempts, created_at, settled_at, error }: DeliveryRow): string {
  const tries = attempts > 1 ? ` after ${plural(attempts, 'attempt')}` : '';
  return `${settled_at ?? created_at}  ${sink}: ${state}${tries}${error === null ? '' : `: ${error}`}`;
}

/** Ids that AWS writes; any other came from a forged record and is not put into a line that a person pastes into a shell. */
const SAFE_ID = /^[0-9A-Za-z-]{1,64}$/u;

/** The line that shows the events of an alert. The times let the store skip all other days. */
function evidenceCommand(alert: Alert, { name, roles: { eventId } }: Pick<Table, 'name' | 'roles'>): string {
  const ids = alert.event_ids.filter((id) => SAFE_ID.test(id));
  const time = (text: string, addMs: number) =>
    new Date(Date.parse(text) + addMs).toISOString().slice(0, -1).replace('T', ' ');
  const between = `event_time >= TIMESTAMP '${time(alert.first_seen, 0)}' AND event_time < TIMESTAMP '${time(alert.last_seen, 1)}'`;
  const events = ids.length === 0 ? between : `${eventId} IN (${ids.map((id) => `'${id}'`).join(', ')}) AND ${between}`;
  return `trailhound sql "SELECT * FROM ${name} WHERE ${events} ORDER BY event_time, ${eventId}"`;
}
