/** What is known of addresses and accounts beside the logs, and the columns by which conditions and SQL see it. */
import { type Column, PARTITION_COLUMN, type Table } from './table.ts';
import type { Window } from './time.ts';

/** Of an address. Null for what is not known. */
export interface AddressContext {
  /** ISO 3166-1 alpha-2. */
  readonly country: string | null;
  /** Number of the autonomous system that announces it. */
  readonly asn: number | null;
  readonly as_name: string | null;
  /** Name that the config gives the narrowest of its networks that holds it. */
  readonly network: string | null;
  /** The service that AWS publishes the range for; `AMAZON` where it names none. */
  readonly aws_service: string | null;
  readonly aws_region: string | null;
  /** Lists of threats that have it, in order, joined by a comma. */
  readonly threat: string | null;
}

/** Of an account of AWS. */
export interface AccountContext {
  readonly name: string | null;
  /** Names of the organizational units from the root down, joined by `/`. */
  readonly ou: string | null;
  readonly tags: Readonly<Record<string, string>>;
}

/** What the config may name, each on its own. */
export const CONTEXT_SOURCES = ['country', 'asn', 'networks', 'aws_ranges', 'threats', 'accounts'] as const;
export type ContextSource = (typeof CONTEXT_SOURCES)[number];

/** Where the config says it, and what of, as the end of a sentence. */
export const CONTEXT_PLACES: Readonly<Record<ContextSource, { readonly key: string; readonly what: string }>> = {
  country: { key: 'enrichment.mmdb.country', what: 'no country data is configured' },
  asn: { key: 'enrichment.mmdb.asn', what: 'no network data is configured' },
  networks: { key: 'enrichment.networks', what: 'no networks are configured' },
  aws_ranges: { key: 'enrichment.aws_ranges', what: "AWS's address ranges are not configured" },
  threats: { key: 'enrichment.threats', what: 'no lists of threats are configured' },
  accounts: { key: 'enrichment.accounts', what: 'no accounts are configured' },
};

export interface Enrichment {
  /** What is configured. */
  readonly sources: ReadonlySet<ContextSource>;
  /** Changes where the answers have changed so that what was judged with them is to be judged again. */
  fingerprint(source: ContextSource): string;
  /** By id. */
  readonly accounts: ReadonlyMap<string, AccountContext>;
  /** Null where nothing is known of it. */
  address(text: string): AddressContext | null;
}

export const NO_CONTEXT: Enrichment = {
  sources: new Set(),
  fingerprint: () => '',
  accounts: new Map(),
  address: () => null,
};

/** A column that is not in the logs: what is known of the value of another column. */
export interface ContextColumn extends Column {
  readonly context: {
    /** The column whose value it is about. */
    readonly of: string;
    readonly kind: 'address' | 'account';
    readonly field: string;
    readonly source: ContextSource;
  };
}

type Field = Pick<Column, 'type' | 'doc' | 'json'> & { readonly name: string; readonly source: ContextSource };

export const ADDRESS_FIELDS: readonly Field[] = [
  { name: 'country', type: 'VARCHAR', source: 'country', doc: 'Country of the address, as ISO 3166-1 alpha-2.' },
  { name: 'asn', type: 'BIGINT', source: 'asn', doc: 'Number of the autonomous system that announces the address.' },
  { name: 'as_name', type: 'VARCHAR', source: 'asn', doc: 'Name of this autonomous system.' },
  {
    name: 'network',
    type: 'VARCHAR',
    source: 'networks',
    doc: 'Name of the network of the config that holds the address.',
  },
  {
    name: 'aws_service',
    type: 'VARCHAR',
    source: 'aws_ranges',
    doc: 'Service that AWS publishes the range of the address for, `AMAZON` where it names none; NULL outside of AWS.',
  },
  { name: 'aws_region', type: 'VARCHAR', source: 'aws_ranges', doc: 'Region or `GLOBAL` of this range.' },
  {
    name: 'threat',
    type: 'VARCHAR',
    source: 'threats',
    doc: 'Names of the lists of threats that hold the address, joined by a comma.',
  },
];

export const ACCOUNT_FIELDS: readonly Field[] = [
  { name: 'name', type: 'VARCHAR', source: 'accounts', doc: 'Name of the account.' },
  {
    name: 'ou',
    type: 'VARCHAR',
    source: 'accounts',
    doc: 'Organizational unit of the account, from the root down, such as `Root/Workloads/Prod`.',
  },
  { name: 'tags', type: 'VARCHAR', json: true, source: 'accounts', doc: 'Tags of the account, as an object.' },
];

/** Of a table that is no table of events nothing is known beside it: it has no roles. */
type Columned = Pick<Table, 'columns'> & Partial<Pick<Table, 'roles'>>;

/** The columns that a table has beside those of its logs. Not among `Table.columns`: nothing stores them, and `*` leaves them out. */
export function contextColumns({ roles, columns }: Columned): readonly ContextColumn[] {
  const of = (
    column: string | null,
    prefix: string,
    kind: ContextColumn['context']['kind'],
    fields: readonly Field[],
  ): readonly ContextColumn[] =>
    column === null
      ? []
      : fields.map(({ name, source, ...field }) => ({
          ...field,
          name: `${prefix}_${name}`,
          athena: `${prefix}_${name}`,
          context: { of: column, kind, field: name, source },
        }));
  if (roles === undefined) return [];
  const caller = columns.find(({ name }) => name === 'user_account_id')?.name ?? null;
  return [
    ...of(roles.sourceIp, 'source', 'address', ADDRESS_FIELDS),
    ...of(roles.accountId, 'account', 'account', ACCOUNT_FIELDS),
    ...of(caller, 'user_account', 'account', ACCOUNT_FIELDS),
  ];
}

/** The table as conditions and statements see it. */
export const inContext = (table: Table): Table => ({ ...table, columns: [...table.columns, ...contextColumns(table)] });

export const isContext = (column: Column): column is ContextColumn => 'context' in column;

const wordsOf = (text: string): ReadonlySet<string> => new Set(text.toLowerCase().match(/[a-z_][a-z0-9_]*/gu));

/** The columns of a table beside its logs that a statement names. */
export function contextNamed(sql: string, table: Columned): readonly ContextColumn[] {
  const words = wordsOf(sql);
  return contextColumns(table).filter(({ name }) => words.has(name));
}

/** What an engine elsewhere is asked before a statement that names what is known of addresses: they are looked up here. */
export function addressSelect(table: Table, column: string, { fromMs, toMs }: Window): string {
  const [from = '', to = '', last = ''] = [fromMs, toMs, toMs - 1].map((ms) =>
    new Date(ms).toISOString().replace('T', ' ').replace('Z', ''),
  );
  const day = (time: string): string => `DATE '${time.slice(0, time.indexOf(' '))}'`;
  return (
    `SELECT DISTINCT ${column} FROM main.${table.name} WHERE ${PARTITION_COLUMN} >= ${day(from)} AND ${PARTITION_COLUMN} <= ${day(last)}` +
    ` AND event_time >= TIMESTAMP '${from}' AND event_time < TIMESTAMP '${to}' AND ${column} IS NOT NULL ORDER BY ${column}`
  );
}

const SOURCE_OF: ReadonlyMap<string, ContextSource> = new Map([
  ...ADDRESS_FIELDS.map(({ name, source }) => [`source_${name}`, source] as const),
  ...ACCOUNT_FIELDS.flatMap(({ name, source }) =>
    ['account', 'user_account'].map((prefix) => [`${prefix}_${name}`, source] as const),
  ),
]);

/** What has to be configured for these pieces of a detector. */
export function sourcesNamed(pieces: unknown): readonly ContextSource[] {
  const words = wordsOf(JSON.stringify(pieces) ?? '');
  const named = new Set([...SOURCE_OF].filter(([name]) => words.has(name)).map(([, source]) => source));
  return CONTEXT_SOURCES.filter((source) => named.has(source));
}
