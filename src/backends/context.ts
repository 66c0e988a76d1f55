/** Statements that name what is known beside the logs: the tables that they read, joined with it. */
import { ACCOUNT_FIELDS, type ContextColumn, type Enrichment } from '../enrichment.ts';

/** The accounts of the config, for a person's own SQL. */
export const ACCOUNT_TABLE = 'known_account';

export const ACCOUNT_COLUMNS: readonly { readonly name: string; readonly type: string; readonly doc: string }[] = [
  { name: 'account_id', type: 'VARCHAR', doc: 'Account id.' },
  ...ACCOUNT_FIELDS.map(({ name, type, doc }) => ({ name, type, doc })),
];

/** The column of a relation of what is known that says of what. */
export const KEYS = { address: 'address', account: 'account_id' } as const;

/** What a statement needs to be known of the values of one column. */
export interface Join {
  readonly of: string;
  readonly kind: keyof typeof KEYS;
  readonly columns: readonly ContextColumn[];
}

export function joinsOf(columns: readonly ContextColumn[]): readonly Join[] {
  const ofs = [...new Set(columns.map(({ context }) => context.of))];
  return ofs.flatMap((of) => {
    const own = columns.filter(({ context }) => context.of === of);
    return own[0] === undefined ? [] : [{ of, kind: own[0].context.kind, columns: own }];
  });
}

/** A relation of events with these columns besides; `known` gives the relation of what is known, with one row for each value at most. */
export function joinedSql(relation: string, joins: readonly Join[], known: (join: Join) => string): string {
  const columns = joins.flatMap((join, at) =>
    join.columns.map(({ name, context }) => `known${at}.${context.field} AS ${name}`),
  );
  const tables = joins.map(
    (join, at) => ` LEFT JOIN ${known(join)} AS known${at} ON known${at}.${KEYS[join.kind]} = events.${join.of}`,
  );
  return `SELECT events.*, ${columns.join(', ')} FROM ${relation} AS events${tables.join('')}`;
}

/** What is known of an account, in the order of ACCOUNT_COLUMNS. */
export const accountRows = ({ accounts }: Enrichment): readonly (readonly (string | null)[])[] =>
  [...accounts].map(([id, { name, ou, tags }]) => [id, name, ou, JSON.stringify(tags)]);
