/** What the definitions of tables share: how a column is made of a field of AWS's, and the columns that each table has. */
import type { Column, ColumnType } from '../table.ts';

interface FieldOptions {
  readonly type?: ColumnType;
  readonly since?: string;
  readonly values?: readonly string[];
  /** Where the value over Athena's raw table is more than the lower-cased path. */
  readonly athena?: string | null;
}

type MakeColumn = (name: string, raw: string, doc: string, options?: FieldOptions) => Column;

/** Makes columns of fields. Hive lower-cases names, so the path in lower case is the value over the raw table of AWS's documentation. */
export function fieldsOf(pageOf: (raw: string) => string): {
  readonly field: MakeColumn;
  readonly json: MakeColumn;
  readonly boolean: MakeColumn;
  readonly timestamp: MakeColumn;
  readonly integer: MakeColumn;
} {
  const field: MakeColumn = (name, raw, doc, options = {}) => ({
    name,
    type: options.type ?? 'VARCHAR',
    doc,
    aws: pageOf(raw),
    ...(options.since === undefined ? {} : { since: options.since }),
    ...(options.values === undefined ? {} : { values: options.values }),
    raw,
    athena: options.athena === undefined ? raw.toLowerCase() : options.athena,
  });
  return {
    field,
    json: (name, raw, doc, options) => ({ ...field(name, raw, doc, options), json: true }),
    /** Old versions and some services write booleans as strings. */
    boolean: (name, raw, doc, options) =>
      field(name, raw, doc, {
        ...options,
        type: 'BOOLEAN',
        athena: `CASE lower(${raw.toLowerCase()}) WHEN 'true' THEN true WHEN 'false' THEN false END`,
      }),
    /** The pattern keeps Athena from reading a date alone or a week date as a time; the zone is taken off before the cast would drop it. */
    timestamp: (name, raw, doc, options) =>
      field(name, raw, doc, {
        ...options,
        type: 'TIMESTAMP',
        athena:
          `CASE WHEN regexp_like(${raw.toLowerCase()}, '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?(Z|[+-][0-9]{2}:?[0-9]{2})$')` +
          ` THEN try(CAST(from_iso8601_timestamp(${raw.toLowerCase()}) AT TIME ZONE 'UTC' AS timestamp(3))) END`,
      }),
    /** Of what is no whole number the column has nothing; `extra` keeps it. */
    integer: (name, raw, doc, options = {}) => {
      const { type = 'INTEGER' } = options;
      return field(name, raw, doc, {
        ...options,
        type,
        athena: `try_cast(${raw.toLowerCase()} AS ${type.toLowerCase()})`,
      });
    },
  };
}

/** A struct of the raw table as JSON, under the names that AWS writes. */
export const structAsJson = (struct: string, fields: string): string => typedAsJson(struct, `ROW(${fields})`);

export const typedAsJson = (value: string, type: string): string =>
  `json_format(CAST(CAST(${value} AS ${type}) AS JSON))`;

/** `athena` only where the derivation cannot be said in SQL that both engines understand. */
export const derived = (name: string, type: ColumnType, doc: string, derive: string, athena = derive): Column => ({
  name,
  type,
  doc,
  athena,
  derive,
});

/** A derived text that takes these values alone. */
export const derivedOf = (values: readonly string[], ...rest: Parameters<typeof derived>): Column => ({
  ...derived(...rest),
  values,
});

/** Where the record came from. */
export const ORIGIN: readonly Column[] = [
  { name: 'log_file', type: 'BIGINT', doc: 'The id of the log file in the ledger (`log_file.id`).', athena: null },
  {
    name: 'record_no',
    type: 'INTEGER',
    doc: 'Position of the record in its log file, from 0, rejects counted.',
    athena: null,
  },
];

/** What the JSON scanner leaves over. */
export const EXTRA: Column = {
  name: 'extra',
  type: 'VARCHAR',
  json: true,
  doc:
    'All that has no column, as one JSON object: unknown fields, repeats of a known field after the first, values that do not fit the type of their column, ' +
    'and `trailhound_rewritten` when an unpaired surrogate escape was replaced.',
  athena: null,
};
