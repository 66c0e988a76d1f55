/** The statements that give Athena the log files as they lie and trailhound's logical tables over them, and what is told of those that are there. */
import { createHash } from 'node:crypto';
import { AppError } from '../../errors.ts';
import type { ColumnType, Table } from '../../table.ts';
import { LAKE_TABLE, LAKE_VIEW, lakeSelect } from '../lake.ts';
import { hiveType, type RawTable, type RawType, rawTableOf } from './raw.ts';
import { DAY_COLUMN, deliveredSql, distinctSql, portableColumns, type RawRelation } from './views.ts';

/** A folder of log files of one table, and how its partitions are laid out. */
export interface LogRoot {
  /** The logical table. */
  readonly table: string;
  /** `s3://bucket/prefix/`, below which all its log files lie. */
  readonly location: string;
  /** What stands between the location and the day, with `${name}` for each key; null where nothing tells days apart. */
  readonly template: string | null;
  /** The partition keys before the day, each with all its values. */
  readonly keys: readonly { readonly name: string; readonly values: readonly string[] }[];
  /** First day that may hold log files, `yyyy/MM/dd`. */
  readonly since: string;
  /** No log files, but what trailhound exported: in the folder of each day the list of its Parquet files, which lie below dataOf(). */
  readonly isExport?: true;
}

/** Before these days there are none: the services began later. */
export const SERVICE_BEGAN: Readonly<Record<string, string>> = {
  cloudtrail: '2013/11/01',
  cloudtrail_insight: '2019/11/01',
  s3_access: '2006/03/01',
  waf: '2015/10/01',
};

/** A table or view as Athena's catalog describes it. */
export interface CatalogEntry {
  readonly name: string;
  readonly isView: boolean;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly keys: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
}

/** What marks a raw table as ours: the logical table that it is for, and whether it is an export. */
const OWNER = 'trailhound.table';
const FORM = 'trailhound.form';
const EXPORT = 'export';

/** Names of raw tables: `cloudtrail_raw`, `cloudtrail_raw_2` for a second folder. */
export const rawName = (table: string, number: number): string => `${table}_raw${number === 1 ? '' : `_${number}`}`;
/** The view with a row for each delivered record. */
export const deliveredName = (table: string): string => `${table}_delivered`;

/** The same, as a statement names it. */
export const deliveredView = (database: string, { name }: Pick<Table, 'name'>): string =>
  `${quoted(database)}.${quoted(deliveredName(name))}`;

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const ticked = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

/** What cannot be said in a DDL literal or a projected list without becoming something else. */
const UNSAFE = /['"`\\${},\s\u0000-\u001f]/u;

function literal(text: string): string {
  return `'${text}'`;
}

/** Throws `usage-invalid` for a folder whose name would not survive the DDL. */
function checkRoot({ location, keys }: LogRoot): void {
  const bad = [location, ...keys.flatMap(({ values }) => values)].find((text) => UNSAFE.test(text));
  if (bad === undefined) return;
  throw new AppError(
    'usage-invalid',
    `cannot make a table of ${location}: '${bad}' holds a character that DDL or a list of partitions cannot`,
    {
      hint: 'Quotes, commas, spaces, backslashes, $ and braces in names of folders are not supported on Athena.',
    },
  );
}

/** `TBLPROPERTIES` of the raw table of a root: https://docs.aws.amazon.com/athena/latest/ug/partition-projection-setting-up.html. */
function propertiesOf({ table, location, template, keys, since, isExport }: LogRoot): Readonly<Record<string, string>> {
  if (template === null) return { [OWNER]: table };
  return {
    'projection.enabled': 'true',
    ...Object.fromEntries(
      keys.flatMap(({ name, values }) => [
        [`projection.${name}.type`, 'enum'],
        [`projection.${name}.values`, values.join(',')],
      ]),
    ),
    [`projection.${DAY_COLUMN}.type`]: 'date',
    [`projection.${DAY_COLUMN}.format`]: 'yyyy/MM/dd',
    [`projection.${DAY_COLUMN}.range`]: `${since},NOW`,
    [`projection.${DAY_COLUMN}.interval`]: '1',
    [`projection.${DAY_COLUMN}.interval.unit`]: 'DAYS',
    'storage.location.template': `${location}${template}\${${DAY_COLUMN}}/`,
    [OWNER]: table,
    ...(isExport && { [FORM]: EXPORT }),
  };
}

const keysOf = ({ template, keys }: LogRoot): readonly string[] =>
  template === null ? [] : [...keys.map(({ name }) => name), DAY_COLUMN];

/** Where the Parquet files of an export lie, in folders of days as its lists do: pipeline/export.ts has the layout. */
export const dataOf = ({ location, table }: LogRoot): string =>
  `${location.slice(0, location.length - `${table}/`.length)}data/${table}/`;

const HIVE_TYPES: Readonly<Record<ColumnType, RawType>> = {
  VARCHAR: 'string',
  TIMESTAMP: 'timestamp',
  BOOLEAN: 'boolean',
  INTEGER: 'int',
  BIGINT: 'bigint',
  'VARCHAR[]': { array: 'string' },
};

/** Lists of files, as those of S3's inventories: https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory-athena-query.html. */
const EXPORT_STORAGE = `ROW FORMAT SERDE 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe'
STORED AS INPUTFORMAT 'org.apache.hadoop.hive.ql.io.SymlinkTextInputFormat'
OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'`;

/** Parquet is read by the names of its columns: those that only the store has are left out. */
export const exportColumns = (table: Table): RawTable['columns'] =>
  Object.fromEntries(portableColumns(table).map(({ name, type }) => [name, HIVE_TYPES[type]]));

const definitionOf = (root: LogRoot, table: Table): Pick<RawTable, 'columns' | 'storage'> =>
  root.isExport === true ? { columns: exportColumns(table), storage: EXPORT_STORAGE } : rawTableOf(root.table);

/** `CREATE EXTERNAL TABLE` of a root. */
export function rawTableSql(database: string, name: string, root: LogRoot, table: Table): string {
  checkRoot(root);
  const { columns, storage } = definitionOf(root, table);
  const own = Object.entries(columns).map(([column, type]) => `  ${ticked(column)} ${hiveType(type)}`);
  const keys = keysOf(root).map((key) => `${ticked(key)} string`);
  const properties = Object.entries(propertiesOf(root)).map(([key, value]) => `  ${literal(key)} = ${literal(value)}`);
  return `CREATE EXTERNAL TABLE ${ticked(database)}.${ticked(name)} (
${own.join(',\n')}
)${keys.length === 0 ? '' : `\nPARTITIONED BY (${keys.join(', ')})`}
${storage}
LOCATION ${literal(root.location)}
TBLPROPERTIES (
${properties.join(',\n')}
)`;
}

/** Access logs in one folder have their time in the file's name: the view takes the day from there, and no statement can leave a file out. */
const DAY_OF_FILE = `replace(substr(regexp_extract("$path", '[0-9]{4}(-[0-9]{2}){5}-[0-9A-F]{16}$'), 1, 10), '-', '/')`;

/** A raw table as the views read it. */
export const rawRelation = (database: string, name: string, { template, isExport }: RootForm): RawRelation => ({
  relation: `${quoted(database)}.${quoted(name)}`,
  source: '"$path"',
  ...(template === null && { day: DAY_OF_FILE }),
  ...(isExport && { isDecoded: true }),
});

/** What of a root tells how its rows are read. */
type RootForm = Pick<LogRoot, 'template' | 'isExport'>;

/** A literal that survives in the text which Athena keeps of a view: says which text it was made from. */
const markOf = (sql: string): string => `trailhound:${createHash('sha256').update(sql).digest('hex').slice(0, 16)}`;
/** What `SHOW CREATE VIEW` tells of our mark; null where the view is not ours. */
export const markIn = (shown: string): string | null => /'(trailhound:[0-9a-f]{16})'/u.exec(shown)?.[1] ?? null;

export interface ViewDefinition {
  readonly name: string;
  readonly mark: string;
  readonly sql: string;
}

function viewDefinition(database: string, name: string, columns: string, sql: string): ViewDefinition {
  const mark = markOf(sql);
  return {
    name,
    mark,
    sql: `CREATE OR REPLACE VIEW ${quoted(database)}.${quoted(name)} AS\nSELECT ${columns} FROM (\n${sql}\n) AS marked WHERE '${mark}' <> ''`,
  };
}

/** The views of a logical table: every delivered record, each event once, and for one of them that under the names of CloudTrail Lake. */
export function viewsOf(
  database: string,
  table: Table,
  raws: readonly { readonly name: string; readonly root: RootForm }[],
): readonly ViewDefinition[] {
  const delivered = deliveredName(table.name);
  return [
    viewDefinition(
      database,
      delivered,
      '*',
      deliveredSql(
        table,
        raws.map(({ name, root }) => rawRelation(database, name, root)),
      ),
    ),
    viewDefinition(database, table.name, '*', distinctSql(table, deliveredView(database, table))),
    ...(table.name === LAKE_TABLE
      ? [viewDefinition(database, LAKE_VIEW, '*', lakeSelect('athena', `${quoted(database)}.${quoted(table.name)}`))]
      : []),
  ];
}

/** The root that a raw table of the catalog was made for; null where trailhound did not make it. */
export function rootOf({ isView, keys, parameters }: CatalogEntry): LogRoot | null {
  const table = parameters[OWNER];
  const location = parameters['location'];
  if (isView || table === undefined || location === undefined) return null;
  const whole = parameters['storage.location.template'];
  const slashed = location.endsWith('/') ? location : `${location}/`;
  if (whole === undefined)
    return { table, location: slashed, template: null, keys: [], since: SERVICE_BEGAN[table] ?? '2006/03/01' };
  return {
    table,
    location: slashed,
    template: whole.slice(slashed.length).replace(`\${${DAY_COLUMN}}/`, ''),
    keys: keys
      .filter((key) => key !== DAY_COLUMN)
      .map((name) => ({ name, values: (parameters[`projection.${name}.values`] ?? '').split(',') })),
    since: (parameters[`projection.${DAY_COLUMN}.range`] ?? '').split(',')[0] ?? '',
    ...(parameters[FORM] === EXPORT && { isExport: true }),
  };
}

/** In what a raw table of the catalog differs from what it should be, a line each. */
export function rawDifferences(entry: CatalogEntry, root: LogRoot, table: Table): readonly string[] {
  const wanted = Object.entries(definitionOf(root, table).columns).map(([name, type]) => `${name} ${hiveType(type)}`);
  const found = entry.columns.map(({ name, type }) => `${name} ${type.toLowerCase().replaceAll(' ', '')}`);
  const keys = keysOf(root);
  const properties = Object.entries({ ...propertiesOf(root), location: root.location });
  const slashed = (text: string | undefined): string | undefined => text?.replace(/\/$/u, '');
  return [
    ...found.filter((column) => !wanted.includes(column)).map((column) => `- column ${column}`),
    ...wanted.filter((column) => !found.includes(column)).map((column) => `+ column ${column}`),
    ...(entry.keys.join(', ') === keys.join(', ')
      ? []
      : [`- partitioned by ${entry.keys.join(', ')}`, `+ partitioned by ${keys.join(', ')}`]),
    ...properties.flatMap(([name, value]) =>
      slashed(entry.parameters[name]) === slashed(value)
        ? []
        : listDifference(name, entry.parameters[name] ?? '', value),
    ),
  ];
}

/** Of long lists only what is new or gone. */
function listDifference(name: string, found: string, wanted: string): readonly string[] {
  if (!name.endsWith('.values')) return [...(found === '' ? [] : [`- ${name} = ${found}`]), `+ ${name} = ${wanted}`];
  const [before, after] = [found, wanted].map((text) => (text === '' ? [] : text.split(',')));
  return [
    ...(before ?? []).filter((value) => !after?.includes(value)).map((value) => `- ${name}: ${value}`),
    ...(after ?? []).filter((value) => !before?.includes(value)).map((value) => `+ ${name}: ${value}`),
  ];
}
