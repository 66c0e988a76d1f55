/**
 * How rows of Parquet become records: files with the columns of our own tables (`store export`, `sql --output parquet`), with `eventJson` (CloudTrail Lake), or with the
 * fields of CloudTrail's records as columns, in whatever case (tables of Athena: https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table.html).
 */
import type { ParquetColumn, ParquetRecords, ParquetShapes, ParquetType } from '../parquet.ts';
import { type Column, PARTITION_COLUMN, rawColumns, type Table } from '../table.ts';
import { cloudtrailInsightTable } from './cloudtrail-insight-table.ts';
import { cloudtrailTable } from './cloudtrail-table.ts';
import { s3AccessTable } from './s3-access-table.ts';
import { wafTable } from './waf-table.ts';

/** Tables whose rows can be said as the records that they were made of. */
const TABLES: readonly Table[] = [cloudtrailTable, cloudtrailInsightTable, wafTable];
/** Columns that views and results add to those of a table: all follow from others. */
const ADDED: ReadonlySet<string> = new Set([PARTITION_COLUMN, 'day', 'source_path']);
const EVENT_JSON = 'eventjson';
/** Fields without which rows are no events of CloudTrail. */
const NEEDED = ['eventid', 'eventtime', 'eventsource', 'eventname'] as const;
const INSIGHT_DETAILS = 'insightdetails';

const EXPECTED =
  'expected those of an export of trailhound, eventJson, or the fields of CloudTrail records, eventID, eventTime, eventSource and eventName among them';
const LINES =
  'the rows of s3_access were lines of text, and cannot be told as such again: ingest the access logs themselves';

export const parquetShapeOf: ParquetShapes = (columns) => {
  const names = new Map(columns.map((column) => [column.name.toLowerCase(), column]));
  const has = ({ identity: { id, facts } }: Table): boolean => [...id, ...facts].every((name) => names.has(name));
  const table = TABLES.find(has);
  if (table !== undefined) return { format: table.name, sql: rowOfTable(table, names) };
  if (has(s3AccessTable)) return { foreign: LINES };
  const json = names.get(EVENT_JSON);
  if (json !== undefined) return { format: null, sql: `CAST(${quoted(json.name)} AS VARCHAR)` };
  if (NEEDED.every((name) => names.has(name))) return rowOfFields(columns, names.has(INSIGHT_DETAILS));
  return { foreign: EXPECTED };
};

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
/** What stands before a member's value. */
const keySql = (name: string): string => literal(`${JSON.stringify(name)}:`);
const plainSql = (value: string): string => `CAST(to_json(${value}) AS VARCHAR)`;
/** Text that is JSON goes in byte for byte, other text as a string. */
const splicedSql = (value: string): string =>
  `CASE WHEN json_valid(${value}) THEN ${value} ELSE ${plainSql(value)} END`;
const isoSql = (value: string): string => `strftime(CAST(${value} AS TIMESTAMP), '"%Y-%m-%dT%H:%M:%S.%fZ"')`;
/** An object of the members that have a value; NULL where none has one. */
const objectSql = (members: readonly string[]): string =>
  `nullif('{' || concat_ws(',', ${members.join(', ')}) || '}', '{}')`;

// Columns of our own tables

/** A field of the record: its column, if the file has it, and the fields in it that have columns of their own. */
interface Field {
  column: Column | null;
  readonly fields: Map<string, Field>;
}

/**
 * Each known field is there, if only as null: then what `extra` holds of one goes where it was, to `extra` again. Unknown columns are fields of their own.
 */
function rowOfTable(table: Table, names: ReadonlyMap<string, ParquetColumn>): string {
  const root: Field = { column: null, fields: new Map() };
  for (const column of rawColumns(table)) {
    if (column.raw === undefined || !names.has(column.name)) continue;
    let field = root;
    for (const part of column.raw.split('.')) {
      const inner = field.fields.get(part) ?? { column: null, fields: new Map<string, Field>() };
      field.fields.set(part, inner);
      field = inner;
    }
    field.column = column;
  }
  const known = [...root.fields].map(
    ([name, field]) => `${keySql(name)} || coalesce(${fieldSql(field, names)}, 'null')`,
  );
  const own = new Set(table.columns.map(({ name }) => name));
  const unknown = [...names]
    .filter(([name]) => !own.has(name) && !ADDED.has(name))
    .map(([, column]) => `coalesce(',' || ${memberSql(column.name, column.name, column.type)}, '')`);
  const extra = names.has('extra') ? [extraSql] : [];
  return [`'{' || ${known.join(` || ',' || `)}`, ...extra, ...unknown, `'}'`].join(' || ');
}

/** The members of `extra`, behind a comma. */
const extraSql = `CASE WHEN json_valid(extra) AND starts_with(extra, '{"') THEN ',' || substr(extra, 2, length(extra) - 2) WHEN extra IS NOT NULL THEN ',"extra":' || ${plainSql('extra')} ELSE '' END`;

/** A column with all of an object goes before those with parts of it. */
function fieldSql({ column, fields }: Field, names: ReadonlyMap<string, ParquetColumn>): string {
  const type = column === null ? undefined : names.get(column.name)?.type;
  const whole = column === null || type === undefined ? [] : [columnSql(column, type)];
  const members = [...fields].map(([name, field]) => `${keySql(name)} || ${fieldSql(field, names)}`);
  const values = [...whole, ...(members.length === 0 ? [] : [objectSql(members)])];
  return values.length === 1 ? (values[0] ?? '') : `coalesce(${values.join(', ')})`;
}

function columnSql({ name, json, raw }: Column, type: ParquetType): string {
  if (type.kind === 'text') return json === true ? splicedSql(quoted(name)) : plainSql(quoted(name));
  // AWS WAF writes milliseconds since 1970, under this name.
  if (type.kind === 'time' && raw === 'timestamp')
    return `CAST(epoch_ms(CAST(${quoted(name)} AS TIMESTAMP)) AS VARCHAR)`;
  return valueSql(quoted(name), type, null);
}

// Fields of records as columns

/** Names in the objects of records that no column of ours has. */
const MEMBERS = [
  'resources.ARN',
  'resources.ARNPrefix',
  'resources.accountId',
  'resources.type',
  'userIdentity.inScopeOf.sourceArn',
  'userIdentity.inScopeOf.sourceAccount',
  'userIdentity.inScopeOf.issuerType',
  'userIdentity.inScopeOf.credentialsIssuedTo',
  'userIdentity.sessionContext.webIdFederationData.federatedProvider',
  'userIdentity.sessionContext.webIdFederationData.attributes',
  'addendum.reason',
  'addendum.updatedFields',
  'addendum.originalRequestID',
  'addendum.originalEventID',
] as const;

/** Paths as AWS writes them, by the same in lower case, as engines that know no other keep them. */
const PATHS: ReadonlyMap<string, string> = new Map(
  [cloudtrailTable, cloudtrailInsightTable]
    .flatMap((table) => rawColumns(table).flatMap(({ raw }) => raw ?? []))
    .concat(MEMBERS)
    .flatMap((path) => path.split('.').map((_, at, parts) => parts.slice(0, at + 1).join('.')))
    .map((path) => [path.toLowerCase(), path]),
);
/** Fields whose text is JSON. */
const JSON_FIELDS: ReadonlySet<string> = new Set(
  [cloudtrailTable, cloudtrailInsightTable].flatMap((table) =>
    rawColumns(table).flatMap(({ raw, json }) => (json === true && raw !== undefined ? [raw] : [])),
  ),
);

function rowOfFields(columns: readonly ParquetColumn[], mayBeInsights: boolean): ParquetRecords {
  const members = columns.map(({ name, type }) => memberSql(name, PATHS.get(name.toLowerCase()) ?? name, type));
  return { format: mayBeInsights ? null : cloudtrailTable.name, sql: objectSql(members) };
}

/** A member of the record, NULL where it has no value. */
const memberSql = (column: string, path: string, type: ParquetType): string =>
  `${keySql(path)} || ${valueSql(quoted(column), type, path)}`;

/** A value as JSON, NULL where it is NULL. `path`: of the field in a record; null below what is none. */
function valueSql(value: string, type: ParquetType, path: string | null, depth = 0): string {
  switch (type.kind) {
    case 'text':
      return path !== null && JSON_FIELDS.has(path) ? splicedSql(value) : plainSql(value);
    case 'time':
      return isoSql(value);
    case 'plain':
      return plainSql(value);
    case 'struct':
      return objectSql(
        type.members.map((member) => {
          const inner = path === null ? null : `${path}.${member.name}`;
          const known = inner === null ? undefined : PATHS.get(inner.toLowerCase());
          const name = known?.slice(known.lastIndexOf('.') + 1) ?? member.name;
          return `${keySql(name)} || ${valueSql(`${value}.${quoted(member.name)}`, member.type, known ?? inner, depth)}`;
        }),
      );
    case 'list': {
      const item = `item_${depth}`;
      return `'[' || array_to_string(list_transform(${value}, lambda ${item}: coalesce(${valueSql(item, type.item, path, depth + 1)}, 'null')), ',') || ']'`;
    }
    case 'map': {
      const entry = `item_${depth}`;
      return `'{' || array_to_string(list_transform(map_entries(${value}), lambda ${entry}: ${plainSql(`CAST(${entry}.key AS VARCHAR)`)} || ':' || coalesce(${mapValueSql(`${entry}.value`, type.value, depth + 1)}, 'null')), ',') || '}'`;
    }
  }
}

/** Maps of texts hold the values of objects: objects and lists among them as JSON. */
const mapValueSql = (value: string, type: ParquetType, depth: number): string =>
  type.kind === 'text'
    ? `CASE WHEN regexp_matches(${value}, '^[{[]') AND json_valid(${value}) THEN ${value} ELSE ${plainSql(value)} END`
    : valueSql(value, type, null, depth);
