/** What is known beside the logs, as relations in a statement for Athena: it has no tables of ours to keep them in. */
import { ADDRESS_FIELDS, type ContextColumn, type Enrichment } from '../../enrichment.ts';
import { ACCOUNT_COLUMNS, accountRows, KEYS } from '../context.ts';
import { textLiteral } from './statement.ts';

type Cell = string | number | null;

interface RelationColumn {
  readonly name: string;
  readonly type: string;
}

/** Rows of texts and numbers; those of NULLs alone have no type of their own. */
function valuesSql(columns: readonly RelationColumn[], rows: readonly (readonly Cell[])[]): string {
  const typed = (value: string, { name, type }: RelationColumn): string => `CAST(${value} AS ${type}) AS ${name}`;
  if (rows.length === 0) return `(SELECT ${columns.map((column) => typed('NULL', column)).join(', ')} WHERE false)`;
  const literal = (cell: Cell): string =>
    cell === null ? 'NULL' : typeof cell === 'number' ? String(cell) : textLiteral(cell);
  return (
    `(SELECT ${columns.map((column) => typed(column.name, column)).join(', ')}` +
    ` FROM (VALUES ${rows.map((row) => `(${row.map(literal).join(', ')})`).join(', ')}) AS listed (${columns.map(({ name }) => name).join(', ')}))`
  );
}

/** What is known of these addresses, as far as the columns tell it. */
export function addressesSql(
  addresses: readonly string[],
  columns: readonly ContextColumn[],
  enrichment: Enrichment,
): string {
  const fields = ADDRESS_FIELDS.filter(({ name }) => columns.some(({ context }) => context.field === name));
  const rows = addresses.flatMap((address): Cell[][] => {
    const context = enrichment.address(address);
    const cells = fields.map(({ name }): Cell => context?.[name as keyof typeof context] ?? null);
    return cells.every((cell) => cell === null) ? [] : [[address, ...cells]];
  });
  return valuesSql([{ name: KEYS.address, type: 'varchar' }, ...fields], rows);
}

export const accountsSql = (enrichment: Enrichment): string => valuesSql(ACCOUNT_COLUMNS, accountRows(enrichment));
