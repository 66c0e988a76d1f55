/** A message as HTML for a mail: a few plain elements of ours, and everything else as text. */

import { shown, valueText } from '../printable.ts';
import type { Message, ReportTable } from '../sink.ts';
import { factsOf, headline, ownText, seeMore } from './text.ts';

/** Rows of a report; its attachment has all. */
const ROWS_MAX = 200;
const CELL_MAX = 200;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => ENTITIES[character] ?? '');
}

const rowOf = (cells: readonly string[], element: 'td' | 'th'): string =>
  `<tr>${cells.map((cell) => `<${element} align="left">${escaped(cell)}</${element}>`).join('')}</tr>`;

export function htmlOf(message: Message): string {
  const own = ownText(message);
  const more = seeMore(message);
  return [
    '<!DOCTYPE html><html><body>',
    `<h3>${escaped(headline(message))}</h3>`,
    own === '' ? '' : `<p>${escaped(own).replaceAll('\n', '<br>')}</p>`,
    ...message.alerts.map(
      (alert) =>
        `<table>${factsOf(alert)
          .map(({ name, value }) => rowOf([name, value], 'td'))
          .join('')}</table><br>`,
    ),
    message.table === null ? '' : reportOf(message.table),
    more === null ? '' : `<p>${escaped(more)}</p>`,
    '</body></html>',
  ].join('\n');
}

function reportOf({ columns, rows, total }: ReportTable): string {
  const shownRows = rows.slice(0, ROWS_MAX);
  const left = total - shownRows.length;
  return [
    '<table>',
    rowOf(
      columns.map(({ name }) => shown(name, CELL_MAX)),
      'th',
    ),
    ...shownRows.map((row) =>
      rowOf(
        columns.map((_, at) => shown(valueText(row[at] ?? null), CELL_MAX)),
        'td',
      ),
    ),
    '</table>',
    left > 0 ? `<p>${left} more ${left === 1 ? 'row' : 'rows'}</p>` : '',
  ].join('\n');
}
