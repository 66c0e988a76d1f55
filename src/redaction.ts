/** What is not stored: columns, or members inside of JSON columns, that the config names. */
import { AppError } from './errors.ts';
import { suggestion } from './suggest.ts';
import { rawColumns, type Table } from './table.ts';

export interface Redaction {
  readonly table: string;
  readonly column: string;
  /** Names of members, from the outermost on, in any case; empty for the whole column. In a list each element is meant, or the element of that `name`. */
  readonly path: readonly string[];
}

/** Reads `table.column` or `table.column.member…`. Throws `config-invalid`. */
export function parseRedaction(text: string, tables: readonly Table[]): Redaction {
  const [tableName = '', columnName = '', ...path] = text.split('.');
  const table = tables.find(({ name }) => name === tableName);
  if (table === undefined) throw unknown('table', text, tableName, tables);
  const column = table.columns.find(({ name }) => name === columnName);
  if (column === undefined) throw unknown('column', text, columnName, table.columns);
  const reason = keptFor(columnName, table);
  if (reason !== null) throw new AppError('config-invalid', `cannot redact '${text}': ${reason}`);
  if (path.length > 0 && column.json !== true) {
    throw new AppError('config-invalid', `cannot redact '${text}': ${columnName} is no JSON and has no members`, {
      hint: `'${tableName}.${columnName}' redacts all of it.`,
    });
  }
  if (path.includes('')) throw new AppError('config-invalid', `cannot redact '${text}': a name of its path is empty`);
  return { table: tableName, column: columnName, path: path.map((name) => name.toLowerCase()) };
}

function unknown(what: string, text: string, name: string, known: readonly { readonly name: string }[]): AppError {
  const names = known.map((one) => one.name);
  return new AppError(
    'config-invalid',
    `cannot redact '${text}': no ${what} is called '${name}'.${suggestion(name, names)}`,
    {
      hint: `Expected one of ${names.join(', ')}.`,
    },
  );
}

/** Why a column has to be stored; null when it need not be. */
function keptFor(name: string, table: Table): string | null {
  const { identity, roles, profile } = table;
  if (identity.id.includes(name) || identity.facts.includes(name))
    return `${name} tells whether two records are the same`;
  if (['log_file', 'record_no', 'event_time'].includes(name)) return `${name} says where or when the record stands`;
  if (Object.values(roles).includes(name) || profile.includes(name)) return `detectors rest on ${name}`;
  if (!rawColumns(table).some((column) => column.name === name))
    return `${name} is derived: redact the columns that it is derived from`;
  return null;
}
