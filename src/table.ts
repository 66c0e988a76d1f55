/** A table and its columns: each column is defined once, and the DuckDB side, the Athena side and the documentation follow from it. */

export type ColumnType = 'VARCHAR' | 'TIMESTAMP' | 'BOOLEAN' | 'INTEGER' | 'BIGINT' | 'VARCHAR[]';

export interface Column {
  /** snake_case, the field's standard term. */
  readonly name: string;
  readonly type: ColumnType;
  /** True where a VARCHAR holds JSON text, byte for byte as AWS wrote it. */
  readonly json?: boolean;
  /** One sentence with unit and meaning; ends with a full stop. */
  readonly doc: string;
  /** All values that it takes, where they are known; of a field of AWS's, those that its page lists. */
  readonly values?: readonly string[];
  /** The AWS page that defines the field. Absent for columns that trailhound adds. */
  readonly aws?: string;
  /** First eventVersion that carries the field, for example `1.08`. */
  readonly since?: string;
  /** Path of the field in the record, for example `userIdentity.sessionContext.attributes.mfaAuthenticated`. Absent for derived columns. */
  readonly raw?: string;
  /** The value over Athena's raw table, or null when the column exists only locally and portable SQL may not use it. */
  readonly athena: string | null;
  /** Portable SQL over the raw columns (and over derived columns defined before it). */
  readonly derive?: string;
}

/**
 * Which raw columns tell that two records are one: texts, times and whole numbers. Records of a day with the same `id` and the same `facts` are the same record; with other
 * facts they are an id conflict. A record whose first column of `id` has no value or is empty is never merged with another.
 */
export interface Identity {
  readonly id: readonly string[];
  readonly facts: readonly string[];
}

/** Columns that play a part in every alert, whatever the table calls them. */
export interface Roles {
  /** Names an event in evidence and puts events of one instant in order; need not be unique. */
  readonly eventId: string;
  /** What was done. A column of few distinct values. */
  readonly eventName: string;
  readonly eventSource: string | null;
  readonly accountId: string | null;
  readonly region: string | null;
  readonly sourceIp: string | null;
  readonly principalArn: string | null;
  /** Names a body of logs whose history begins and ends together: a baseline is silent until there is enough of it. */
  readonly origin: string;
}

export interface Table {
  /** Singular: `cloudtrail`, `s3_access`, `waf`. */
  readonly name: string;
  readonly doc: string;
  /** Raised when a stored segment has to be rewritten to fit the columns. */
  readonly schemaVersion: number;
  /** Raw columns first, in the order in which the decoder fills them; derived columns after them. */
  readonly columns: readonly Column[];
  /** Members of the column `extra` that may repeat what other columns hold: they go where any column is not to be stored. */
  readonly repeatedInExtra?: readonly string[];
  readonly identity: Identity;
  readonly roles: Roles;
  /** Columns of few distinct values, `roles.eventName` among them: a hunt looks at how often they occur together before it reads anything else. */
  readonly profile: readonly string[];
}

/** The UTC date of the event. It is the name of the partition's folder, not a column inside the segment. */
export const PARTITION_COLUMN = 'event_date';

export const rawColumns = (table: Table): readonly Column[] =>
  table.columns.filter((column) => column.derive === undefined);
export const derivedColumns = (table: Table): readonly Column[] =>
  table.columns.filter((column) => column.derive !== undefined);

/** The columns that a derivation names: raw ones, and derived ones that are defined before it. */
export function readsOf(column: Column, table: Table): readonly Column[] {
  const words = new Set((column.derive ?? '').replaceAll(/'(?:[^']|'')*'/g, "''").match(/\w+/g));
  return table.columns.filter(({ name }) => name !== column.name && words.has(name));
}
