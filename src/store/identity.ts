/** When two stored records are the same: the SQL side of the 24 bytes that a decoder gives with each row (Batch.identity). */
import { type Column, rawColumns, type Table } from '../table.ts';

/** Between values, so that no two lists of them give one text. */
const SEPARATOR = ' || chr(31) || ';

function columnOf(table: Table, name: string): Column {
  const column = rawColumns(table).find((one) => one.name === name);
  if (column === undefined) throw new Error(`the identity of ${table.name} names ${name}, which is no raw column`);
  return column;
}

/** Times as microseconds since 1970; an absent value is the empty text. */
function textOf({ name, type }: Column): string {
  if (type === 'VARCHAR') return `coalesce(${name}, '')`;
  return `coalesce(CAST(${type === 'TIMESTAMP' ? `epoch_us(${name})` : name} AS VARCHAR), '')`;
}

/** A lone id that is a canonical UUID is its own 128 bits; any other id is the MD5 of its values, read the same way. */
function idOf(columns: readonly Column[]): string {
  const md5 = `CAST(md5(${columns.map(textOf).join(SEPARATOR)}) AS UUID)`;
  const [first, ...others] = columns;
  if (first?.type !== 'VARCHAR' || others.length > 0) return md5;
  // What is written as DuckDB itself writes it: a regular expression takes twice as long.
  return `CASE WHEN CAST(first_as_uuid AS VARCHAR) = ${first.name} THEN first_as_uuid ELSE ${md5} END`;
}

/**
 * One row per stored record whose first column of the id has a value: `id` UUID; `facts` UBIGINT, 64 bits of the MD5 over the facts that a record with the same id
 * must share. `files` is a SQL list of segment paths.
 */
export function identityQuery(table: Table, files: string): string {
  const facts = table.identity.facts.map((name) => textOf(columnOf(table, name)));
  return select(table, files, `, md5_number_lower(${facts.join(SEPARATOR)}) AS facts`);
}

/** The same without the facts, which take most of the time. */
export const idQuery = (table: Table, files: string): string => select(table, files, '');

function select(table: Table, files: string, facts: string): string {
  const ids = table.identity.id.map((name) => columnOf(table, name));
  const [first] = ids;
  if (first === undefined) throw new Error(`the identity of ${table.name} has no id`);
  const isText = first.type === 'VARCHAR';
  const present = isText ? `${first.name} <> ''` : `${first.name} IS NOT NULL`;
  const rows = `read_parquet(${files}) WHERE ${present}`;
  return `SELECT ${idOf(ids)} AS id${facts} FROM ${isText ? `(SELECT *, TRY_CAST(${first.name} AS UUID) AS first_as_uuid FROM ${rows})` : rows}`;
}
