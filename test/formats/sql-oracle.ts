/** The rows of log files as DuckDB's own JSON reader gives them: pure SQL from the paths of the table's columns. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { type Column, rawColumns } from '../../src/table.ts';
import { INGESTED_AT_MS, type Row, type Value, without } from './decode.ts';

const FIELDS = rawColumns(cloudtrailTable).filter(
  (column): column is Column & { raw: string } => column.raw !== undefined,
);
const TOP_KEYS = [...new Set(FIELDS.map(({ raw }) => raw.split('.')[0] ?? ''))];
const LARGEST_RECORD = 33_554_432;

const path = (raw: string): string => `'$.${raw}'`;
const text = (raw: string): string => `json_extract_string(rec, ${path(raw)})`;

/** One column over `rec`, a record as JSON; times as microseconds, NULL for JSON's null. */
function expression({ name, type, json, raw }: Column & { raw: string }): string {
  if (json === true)
    return `CASE WHEN json_type(rec, ${path(raw)}) <> 'NULL' THEN CAST(json_extract(rec, ${path(raw)}) AS VARCHAR) END`;
  if (type === 'BOOLEAN') return `CASE lower(${text(raw)}) WHEN 'true' THEN true WHEN 'false' THEN false END`;
  if (type === 'TIMESTAMP') {
    const pattern = '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})';
    const micros = `CASE WHEN regexp_full_match(${text(raw)}, '${pattern}') THEN epoch_us(try_cast(${text(raw)} AS TIMESTAMPTZ)) END`;
    if (name !== 'event_time') return micros;
    return `CASE WHEN ${micros} BETWEEN epoch_us(TIMESTAMP '2013-01-01') AND ${(INGESTED_AT_MS + 86_400_000) * 1000} THEN ${micros} END`;
  }
  return `CASE WHEN json_type(rec, ${path(raw)}) <> 'NULL' THEN ${text(raw)} END`;
}

const FACTS = [
  "coalesce(CAST(event_time AS VARCHAR), '')",
  ...['event_source', 'event_name_raw', 'account_id'].map((name) => `coalesce(${name}, '')`),
];
/** The two numbers of Batch.identity, in SQL. */
const IDENTITY = `
  CASE WHEN regexp_full_match(event_id, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}') THEN event_id
    WHEN event_id <> '' THEN CAST(CAST(md5(event_id) AS UUID) AS VARCHAR) END AS identity_id,
  md5_number_lower(${FACTS.join(' || chr(31) || ')}) AS identity_facts`;

/** Rows of a file that is `{"Records": […]}`, in its order, without columns that are NULL. `extra` is what the known keys leave. */
export async function sqlRows(connection: DuckDBConnection, file: string): Promise<Row[]> {
  const nothing = `{${TOP_KEYS.map((key) => `"${key}":null`).join(',')}}`;
  const reader = await connection.runAndReadAll(
    `SELECT *, ${IDENTITY} FROM (
      SELECT ${FIELDS.map((field) => `${expression(field)} AS ${field.name}`).join(',\n        ')},
        CAST(nullif(CAST(json_merge_patch(rec, '${nothing}') AS VARCHAR), '{}') AS VARCHAR) AS extra
      FROM (SELECT unnest(Records) AS rec FROM read_json([$file], format = 'unstructured', columns = {Records: 'JSON[]'}, maximum_object_size = ${LARGEST_RECORD})))`,
    { file },
  );
  return reader
    .getRowObjectsJS()
    .map((row) =>
      Object.fromEntries(Object.entries(row).filter((entry): entry is [string, Value] => entry[1] !== null)),
    );
}

const JSON_COLUMNS = new Set(
  rawColumns(cloudtrailTable).flatMap((column) => (column.json === true ? [column.name] : [])),
);

/** What both readers must agree on: JSON as values, since DuckDB writes numbers and escapes anew; the 24 bytes of the identity as two numbers. */
export function comparable(row: Row): Record<string, unknown> {
  const { identity, has_identity: hasIdentity } = row;
  const values: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(
    without(row, 'log_file', 'record_no', 'event_day', 'identity', 'has_identity'),
  )) {
    values[name] = JSON_COLUMNS.has(name)
      ? JSON.parse(String(value), (_, inner: unknown) => (inner === 0 ? 0 : inner))
      : typeof value === 'number'
        ? BigInt(value)
        : value;
  }
  if (typeof identity === 'string') {
    const bytes = Buffer.from(identity, 'hex');
    values['identity_facts'] = bytes.readBigUInt64LE(16);
    if (hasIdentity === true) {
      const digits = ((bytes.readBigUInt64LE(8) << 64n) | bytes.readBigUInt64LE(0)).toString(16).padStart(32, '0');
      values['identity_id'] = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    }
  }
  return values;
}
