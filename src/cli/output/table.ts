/** Rows as an aligned table: as wide as it needs in a pipe, wrapped to the width of a terminal, one value a line where columns do not fit. */
import stringWidth from 'string-width';
import wrapAnsi from 'wrap-ansi';

export interface TableColumn {
  readonly title: string;
  readonly align?: 'right';
  /** Applied to each line of a cell after it was wrapped. */
  readonly style?: (line: string, cell: string) => string;
}

const GAP = '  ';
/** Below this a column of text is no longer read, and a row is printed as one value a line. */
const COLUMN_WIDTH_MIN = 8;

/** Cells are printable text. `width` null means no limit. `minWidths` keep later blocks of one table aligned with earlier ones. */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  options: { readonly width: number | null; readonly head: ((text: string) => string) | null; readonly widths?: readonly number[] },
): string {
  const natural = naturalWidths(columns, rows, options.widths);
  const widths = options.width === null ? natural : fitWidths(natural, options.width - GAP.length * (columns.length - 1));
  if (widths === null) return renderRecords(columns, rows, options.head);
  const lines: string[] = [];
  if (options.head !== null) {
    const titles = columns.map((column) => column.title);
    lines.push(...layOut(columns.map(({ align }) => ({ title: '', ...(align && { align }) })), titles, widths).map(options.head));
  }
  for (const row of rows) lines.push(...layOut(columns, row, widths));
  return lines.map((line) => `${line}\n`).join('');
}

export function naturalWidths(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  least: readonly number[] = [],
): number[] {
  return columns.map((column, index) => {
    let width = Math.max(stringWidth(column.title), least[index] ?? 0);
    for (const row of rows) width = Math.max(width, stringWidth(row[index] ?? ''));
    return width;
  });
}

/** Takes from the widest columns until all fit; null when they cannot without becoming unreadable. */
function fitWidths(natural: readonly number[], room: number): number[] | null {
  const widths = [...natural];
  let excess = widths.reduce((sum, width) => sum + width, 0) - room;
  while (excess > 0) {
    const widest = Math.max(...widths);
    if (widest <= COLUMN_WIDTH_MIN) return null;
    const at = widths.indexOf(widest);
    const next = Math.max(COLUMN_WIDTH_MIN, ...widths.filter((width) => width < widest));
    const cut = Math.min(excess, Math.max(1, widest - next));
    widths[at] = widest - cut;
    excess -= cut;
  }
  return widths;
}

function layOut(columns: readonly TableColumn[], row: readonly string[], widths: readonly number[]): string[] {
  const cells = columns.map((_, index) => wrap(row[index] ?? '', widths[index] ?? 0));
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, lineNo) =>
    columns
      .map((column, index) => {
        const line = cells[index]?.[lineNo] ?? '';
        const space = ' '.repeat(Math.max(0, (widths[index] ?? 0) - stringWidth(line)));
        const styled = column.style === undefined ? line : column.style(line, row[index] ?? '');
        return column.align === 'right' ? space + styled : styled + space;
      })
      .join(GAP)
      .trimEnd(),
  );
}

function wrap(text: string, width: number): string[] {
  if (text.length <= width && stringWidth(text) <= width) return [text];
  return wrapAnsi(text, Math.max(1, width), { hard: true, wordWrap: true, trim: true }).split('\n');
}

function renderRecords(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  head: ((text: string) => string) | null,
): string {
  const titleWidth = Math.max(...columns.map((column) => stringWidth(column.title)));
  return rows
    .map((row) =>
      columns
        .map(({ title }, index) => {
          const padded = title + ' '.repeat(titleWidth - stringWidth(title));
          return `${head === null ? padded : head(padded)}${GAP}${row[index] ?? ''}`.trimEnd();
        })
        .join('\n'),
    )
    .map((record) => `${record}\n\n`)
    .join('');
}
