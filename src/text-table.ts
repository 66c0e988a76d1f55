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
/** Below this a column is no longer read, and a row is printed as one value a line. */
const COLUMN_WIDTH_MIN = 8;
/** Sentences are wrapped down to this width before an identifier is broken. */
const SENTENCE_WIDTH_MIN = 24;

/** Cells are printable text. `width` null means no limit. `minWidths` keep later blocks of one table aligned with earlier ones. */
export function renderTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  options: {
    readonly width: number | null;
    readonly head: ((text: string) => string) | null;
    readonly widths?: readonly number[];
  },
): string {
  const natural = naturalWidths(columns, rows, options.widths);
  const sentences = columns.map((_, index) => rows.some((row) => (row[index] ?? '').includes(' ')));
  const widths =
    options.width === null ? natural : fitWidths(natural, sentences, options.width - GAP.length * (columns.length - 1));
  if (widths === null) return renderRecords(columns, rows, options.head);
  const lines: string[] = [];
  if (options.head !== null) {
    const titles = columns.map((column) => column.title);
    lines.push(
      ...layOut(
        columns.map(({ align }) => ({ title: '', ...(align && { align }) })),
        titles,
        widths,
      ).map(options.head),
    );
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

/** Takes from the widest sentences, then from the widest of all, until they fit; null when they cannot without becoming unreadable. */
function fitWidths(natural: readonly number[], sentences: readonly boolean[], room: number): number[] | null {
  const widths = [...natural];
  const excess = (): number => widths.reduce((sum, width) => sum + width, 0) - room;
  const shrink = (isOpen: (index: number) => boolean, least: number): void => {
    while (excess() > 0) {
      const open = widths.flatMap((width, index) => (isOpen(index) && width > least ? [index] : []));
      const [widest] = open.toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0));
      if (widest === undefined) return;
      widths[widest] = (widths[widest] ?? 0) - 1;
    }
  };
  shrink((index) => sentences[index] === true, SENTENCE_WIDTH_MIN);
  shrink(() => true, COLUMN_WIDTH_MIN);
  return excess() > 0 ? null : widths;
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
