/** The logical tables of trailhound as SQL over Athena's raw tables: each portable column from its own definition, and each event once. */
import { type Column, PARTITION_COLUMN, readsOf, type Table } from '../../table.ts';
import { DAY_MS, type Window } from '../../time.ts';
import { rawTableOf } from './raw.ts';

/** The day of delivery, `yyyy/MM/dd` as in the paths of AWS's log files; the column of the views by which Athena leaves whole days out. */
export const DAY_COLUMN = 'day';
/** The log file that a row came from, as `s3://bucket/key`; of copies that of the one that is kept. Statements have it where they name it: the store has `log_file` instead. */
export const SOURCE_COLUMN = 'source_path';

/** A raw table or another relation of its columns. */
export interface RawRelation {
  readonly relation: string;
  /** The day of delivery in SQL; default: its column `day`. */
  readonly day?: string;
  /** The log file of a row in SQL; default: it is not known. */
  readonly source?: string;
  /** Its columns are those of the logical table: it was exported. */
  readonly isDecoded?: true;
}

/** Local-only columns have no value on Athena. */
export const portableColumns = (table: Table): readonly Column[] =>
  table.columns.filter(({ athena }) => athena !== null);

/** A derivation that is said in one text for both engines; of the others Athena's text stands over raw columns. */
const isShared = ({ athena, derive }: Column): boolean => derive !== undefined && athena === derive;

/** The columns of the logical table, `event_date`, `day` and `source_path`: a row for each record that was delivered, copies included. Filters by `day` reach the partitions. */
export function deliveredSql(table: Table, raws: readonly RawRelation[]): string {
  const names = portableColumns(table).map(({ name }) => name);
  const columns = `${names.join(', ')}, ${eventDateSql} AS ${PARTITION_COLUMN}, ${DAY_COLUMN}`;
  const [exported, logs] = [raws.filter(({ isDecoded }) => isDecoded), raws.filter(({ isDecoded }) => !isDecoded)];
  return [
    ...(logs.length > 0
      ? [`SELECT ${columns}, ${SOURCE_COLUMN}\nFROM (\n${decodedSql(table, logs)}\n) AS decoded`]
      : []),
    ...exported.map((one) => `SELECT ${columns}, ${sourceSql(one)} AS ${SOURCE_COLUMN}\nFROM ${one.relation}`),
  ].join('\nUNION ALL\n');
}

const sourceSql = ({ source = 'CAST(NULL AS varchar)' }: RawRelation): string => source;

/** The columns of log files' rows, `day` and `source_path`. */
function decodedSql(table: Table, raws: readonly RawRelation[]): string {
  const { recordHas } = rawTableOf(table.name);
  const columns = portableColumns(table);
  const own = columns.filter((column) => !isShared(column)).map(({ athena, name }) => `${athena} AS ${name}`);
  const isRecord = recordHas.map((name) => `${name} IS NOT NULL`).join(' OR ');
  const rows = raws.map(
    (raw) =>
      `SELECT ${own.join(',\n  ')},\n  ${raw.day ?? DAY_COLUMN} AS ${DAY_COLUMN},\n  ${sourceSql(raw)} AS ${SOURCE_COLUMN}\nFROM ${raw.relation}\nWHERE ${isRecord}`,
  );
  return levelsOf(columns, table).reduce(
    (inner, level, at) =>
      `SELECT *,\n  ${level.map(({ derive, name }) => `${derive} AS ${name}`).join(',\n  ')}\nFROM (\n${inner}\n) AS level_${at}`,
    rows.join('\nUNION ALL\n'),
  );
}

/** As in the store, an event without a time counts to the day on which it was delivered. */
const eventDateSql = `coalesce(CAST(event_time AS date), CAST(date_parse(${DAY_COLUMN}, '%Y/%m/%d') AS date))`;

/** Derivations by how many others must come before them. */
function levelsOf(columns: readonly Column[], table: Table): readonly (readonly Column[])[] {
  const levels: Column[][] = [];
  const done = new Set(columns.filter((column) => !isShared(column)));
  for (let rest = columns.filter(isShared); rest.length > 0; rest = rest.filter((column) => !done.has(column))) {
    const ready = rest.filter((column) => readsOf(column, table).every((read) => done.has(read)));
    if (ready.length === 0)
      throw new Error(`${table.name}.${rest[0]?.name} is derived from a column that Athena does not have`);
    for (const column of ready) done.add(column);
    levels.push(ready);
  }
  return levels;
}

/**
 * Each event of a delivered relation once: of records of a day with equal id and facts the one that was delivered first; records without an id are never merged.
 * The filter stands below, since Athena hands none but one on the identity through to the partitions.
 */
export function distinctSql(
  table: Table,
  delivered: string,
  {
    where = null,
    columns = columnsOf(table),
  }: { readonly where?: string | null; readonly columns?: readonly string[] } = {},
): string {
  return `SELECT ${columns.join(', ')} FROM (
SELECT *, ${copyNoSql(table)} AS ${COPY_NO}
FROM ${delivered}${where === null ? '' : `\nWHERE ${where}`}
) AS copies WHERE ${isFirstSql(table)}`;
}

/** How many records and how many events a delivered relation has within a filter, by `by`, which becomes the first column. */
export function countSql(
  table: Table,
  delivered: string,
  { where, by }: { readonly where: string; readonly by: string },
): string {
  return `SELECT counted, count(*) AS records, count_if(${isFirstSql(table)}) AS events FROM (
SELECT ${by} AS counted, ${table.identity.id[0]}, ${copyNoSql(table)} AS ${COPY_NO}
FROM ${delivered}
WHERE ${where}
) AS copies GROUP BY 1`;
}

const COPY_NO = 'copy_no';

const copyNoSql = (table: Table): string =>
  `row_number() OVER (PARTITION BY ${sameSql(table).join(', ')} ORDER BY ${DAY_COLUMN})`;

/** Of copies the one that stays. */
function isFirstSql({ identity }: Table): string {
  const [firstId = ''] = identity.id;
  return `${COPY_NO} = 1 OR ${firstId} IS NULL OR ${firstId} = ''`;
}

const columnsOf = (table: Table): readonly string[] => [
  ...portableColumns(table).map(({ name }) => name),
  PARTITION_COLUMN,
  DAY_COLUMN,
  SOURCE_COLUMN,
];

/** Columns that are equal in copies of an event: its identity, and what is derived from nothing else, so that filters on these are tried before copies are compared. */
function sameSql(table: Table): readonly string[] {
  const same = new Set([PARTITION_COLUMN, ...table.identity.id, ...table.identity.facts]);
  for (const column of table.columns.filter(isShared)) {
    if (readsOf(column, table).every(({ name }) => same.has(name))) same.add(column.name);
  }
  return [...same];
}

/** A logical table over one raw relation, in one statement. */
export function viewSql(table: Table, { raw, day }: { readonly raw: string; readonly day?: string }): string {
  return distinctSql(
    table,
    `(\n${deliveredSql(table, [{ relation: raw, ...(day !== undefined && { day }) }])}\n) AS delivered`,
  );
}

/** `yyyy/MM/dd` of a time. */
export const pathDay = (ms: number): string => new Date(ms).toISOString().slice(0, 10).replaceAll('-', '/');

/** The days on which events of a window may have been delivered: never before the event, and counted up to `latenessMs` after it. Both ends included. */
export function deliveryDays(
  window: Window,
  latenessMs: number,
): { readonly first: string; readonly last: string; readonly count: number } {
  const [firstMs, lastMs] = [window.fromMs, window.toMs - 1 + latenessMs];
  return {
    first: pathDay(firstMs),
    last: pathDay(lastMs),
    count: Math.floor(lastMs / DAY_MS) - Math.floor(firstMs / DAY_MS) + 1,
  };
}

/** A filter by the days of delivery alone. */
export function daySql(window: Window, latenessMs: number): string {
  const { first, last } = deliveryDays(window, latenessMs);
  return `${DAY_COLUMN} BETWEEN '${first}' AND '${last}'`;
}

/** A filter of a delivered relation: the events of a window, and the days of delivery beside them, so that no other day is read. */
export function windowSql(window: Window, latenessMs: number): string {
  const time = (ms: number): string => `TIMESTAMP '${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')}'`;
  return `${daySql(window, latenessMs)} AND event_time >= ${time(window.fromMs)} AND event_time < ${time(window.toMs)}`;
}
