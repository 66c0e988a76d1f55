/** Rows of a result as they come, in the form that was asked for. */
import type { ResultColumn, Value } from '../../backend.ts';
import { AppError } from '../../errors.ts';
import { csvData, csvField, json, markdownCell, printable, valueText } from '../../printable.ts';
import type { Terminal } from '../terminal.ts';

export const OUTPUTS = ['table', 'json', 'jsonl', 'csv', 'markdown', 'parquet'] as const;
export type Output = (typeof OUTPUTS)[number];

export interface RowWriter {
  write(rows: readonly (readonly Value[])[]): Promise<void>;
  end(): Promise<void>;
}

/** Types that are aligned to the right, as numbers are read. */
const NUMERIC = /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL)/u;

/** `csvCell`: what people open in a spreadsheet starts no formula there; the answer to one's own question is data and stays as it is. */
export function createRowWriter(
  output: Output,
  columns: readonly ResultColumn[],
  terminal: Terminal,
  csvCell: typeof csvField | typeof csvData = csvField,
): RowWriter {
  switch (output) {
    case 'table':
      return tableWriter(columns, terminal);
    case 'json':
      return jsonWriter(columns, terminal);
    case 'jsonl':
      return lineWriter((row) => json(asObject(columns, row)), terminal);
    case 'csv':
      return lineWriter((row) => row.map((value) => csvCell(value)).join(','), terminal, [
        columns.map(({ name }) => csvCell(name)).join(','),
      ]);
    case 'markdown':
      return lineWriter((row) => `| ${row.map(markdownCell).join(' | ')} |`, terminal, [
        `| ${columns.map(({ name }) => markdownCell(name)).join(' | ')} |`,
        `|${columns.map(({ type }) => (NUMERIC.test(type) ? ' ---: |' : ' --- |')).join('')}`,
      ]);
    case 'parquet':
      throw new AppError('usage-invalid', 'cannot print Parquet here: only `sql` and `query run` write it', {
        hint: 'Use --output jsonl, or `trailhound sql "SELECT …" --output parquet --file result.parquet`.',
      });
  }
}

/** Prints rows that are all at hand. */
export async function printRows(
  output: Output,
  columns: readonly ResultColumn[],
  rows: readonly (readonly Value[])[],
  terminal: Terminal,
): Promise<void> {
  const writer = createRowWriter(output, columns, terminal);
  await writer.write(rows);
  await writer.end();
}

function asObject(columns: readonly ResultColumn[], row: readonly Value[]): Record<string, Value> {
  // fromEntries, not assignment: a column may be named `__proto__`.
  return Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? null]));
}

function tableWriter(columns: readonly ResultColumn[], terminal: Terminal): RowWriter {
  const layout = columns.map(({ name, type }) => ({
    title: printable(name),
    ...(NUMERIC.test(type) && { align: 'right' as const }),
  }));
  let widths: number[] | undefined;
  return {
    async write(rows) {
      if (rows.length === 0) return;
      const cells = rows.map((row) => row.map((value) => printable(valueText(value))));
      const head = widths === undefined ? terminal.colors.bold : null;
      const { naturalWidths, renderTable } = await import('../../text-table.ts');
      widths = naturalWidths(layout, cells, widths);
      await terminal.out(renderTable(layout, cells, { width: terminal.width, head, widths }));
    },
    async end() {
      if (widths !== undefined) return;
      const { renderTable } = await import('../../text-table.ts');
      await terminal.out(renderTable(layout, [], { width: terminal.width, head: terminal.colors.bold }));
    },
  };
}

function lineWriter(
  line: (row: readonly Value[]) => string,
  terminal: Terminal,
  head: readonly string[] = [],
): RowWriter {
  let headWritten = head.length === 0;
  const start = () => {
    const lines = headWritten ? '' : `${head.join('\n')}\n`;
    headWritten = true;
    return lines;
  };
  return {
    async write(rows) {
      if (rows.length > 0) await terminal.out(start() + rows.map((row) => `${line(row)}\n`).join(''));
    },
    async end() {
      if (!headWritten) await terminal.out(start());
    },
  };
}

function jsonWriter(columns: readonly ResultColumn[], terminal: Terminal): RowWriter {
  let count = 0;
  return {
    async write(rows) {
      if (rows.length === 0) return;
      const items = rows.map((row) => `  ${json(asObject(columns, row))}`).join(',\n');
      await terminal.out(`${count === 0 ? '[\n' : ',\n'}${items}`);
      count += rows.length;
    },
    async end() {
      await terminal.out(count === 0 ? '[]\n' : '\n]\n');
    },
  };
}
