/** Incidents as a person reads them and as a program does. */
import type { Value } from '../../backend.ts';
import type { Incident } from '../../incident.ts';
import { printable } from '../../printable.ts';
import type { Terminal } from '../terminal.ts';
import { INDENT, SHORT_ID_DIGITS, severityStyle } from './alerts.ts';
import { writeJsonLines, writeJsonList } from './json.ts';
import { type Output, printRows } from './rows.ts';

const FIELDS: readonly (readonly [name: string, type: string, value: (incident: Incident) => Value])[] = [
  ['id', 'VARCHAR', ({ id }) => id],
  ['severity', 'VARCHAR', ({ severity }) => severity],
  ['status', 'VARCHAR', ({ status }) => status],
  ['first_seen', 'VARCHAR', ({ first_seen }) => first_seen],
  ['last_seen', 'VARCHAR', ({ last_seen }) => last_seen],
  ['principal', 'VARCHAR', ({ principal }) => principal],
  ['story', 'VARCHAR', ({ story }) => story],
  ['alerts', 'BIGINT', ({ alerts }) => alerts],
  ['accounts', 'VARCHAR', ({ accounts }) => accounts.join(' ')],
  ['regions', 'VARCHAR', ({ regions }) => regions.join(' ')],
  ['source_ips', 'VARCHAR', ({ source_ips }) => source_ips.join(' ')],
  ['tactics', 'VARCHAR', ({ tactics }) => tactics.join(' ')],
  ['alert_ids', 'VARCHAR', ({ alert_ids }) => alert_ids.join(' ')],
];

export async function printIncidents(
  output: Output,
  incidents: readonly Incident[],
  terminal: Terminal,
): Promise<void> {
  const shown = terminal.mask.value(incidents);
  switch (output) {
    case 'table':
      return printParagraphs(shown, terminal);
    case 'json':
      return writeJsonList(shown, terminal);
    case 'jsonl':
      return writeJsonLines(shown, terminal);
    case 'csv':
    case 'markdown':
    case 'parquet': {
      const columns = FIELDS.map(([name, type]) => ({ name, type }));
      const rows = shown.map((incident) => FIELDS.map(([, , value]) => value(incident)));
      return printRows(output, columns, rows, terminal);
    }
  }
}

/** A story takes its own lines: beside columns there would be no room for it. */
async function printParagraphs(incidents: readonly Incident[], terminal: Terminal): Promise<void> {
  const { default: wrap } = await import('wrap-ansi');
  const { width, colors } = terminal;
  const styles = severityStyle(terminal);
  for (const { id, severity, status, first_seen, story } of incidents) {
    const body = width === null ? story : wrap(printable(story), width - INDENT.length, { hard: true, trim: true });
    await terminal.out(
      `${styles[severity](severity)}  ${first_seen}  ${colors.bold(id.slice(0, SHORT_ID_DIGITS))}  ${status}\n${body.replaceAll(/^/gmu, INDENT)}\n`,
    );
  }
}
