/** When two stored records are the same: the SQL side of the 24 bytes that a decoder gives with each row (Batch.identity). */
import { type Column, rawColumns, type Table } from '../table.ts';

/** Between values, so that no two lists of them give one text. */
const SEPARATOR = ' || chr(31) || ';
const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

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
  return `CASE WHEN regexp_full_match(${first.name}, '${UUID}')
  THEN CAST(${first.name} AS UUID) ELSE ${md5} END`;
}

/**
 * One row per stored record whose first column of the id has a value: `id` UUID; `facts` UBIGINT, 64 bits of the MD5 over the facts that a record with the same id
 * must share. `files` is a SQL list of segment paths.
 */
export function identityQuery(table: Table, files: string): string {
  const ids = table.identity.id.map((name) => columnOf(table, name));
  const facts = table.identity.facts.map((name) => textOf(columnOf(table, name)));
  const [first] = ids;
  if (first === undefined) throw new Error(`the identity of ${table.name} has no id`);
  const present = first.type === 'VARCHAR' ? `${first.name} <> ''` : `${first.name} IS NOT NULL`;
  return `SELECT ${idOf(ids)} AS id, md5_number_lower(${facts.join(SEPARATOR)}) AS facts FROM read_parquet(${files}) WHERE ${present}`;
}
