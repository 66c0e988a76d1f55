/** The DuckDB backend: an in-memory instance whose tables are views over the segments of a store. */
import type {
  DuckDBConnection,
  DuckDBPreparedStatement,
  DuckDBResult,
  DuckDBType,
  DuckDBValue,
} from '@duckdb/node-api';
import type { Backend, Param, QueryResult, QueryStream, ResultColumn, Row, Value } from '../backend.ts';
import { DuckDBInstance, LIST, listValue, VARCHAR } from '../duckdb.ts';
import { ADDRESS_FIELDS, type AddressContext, contextNamed, type Enrichment, NO_CONTEXT } from '../enrichment.ts';
import { AppError } from '../errors.ts';
import type { CatalogTable, Segment } from '../store.ts';
import { PARTITION_COLUMN, type Table } from '../table.ts';
import { ACCOUNT_COLUMNS, ACCOUNT_TABLE, accountRows, type Join, joinedSql, joinsOf, KEYS } from './context.ts';
import { checkSelect } from './guard.ts';
import { LAKE_LOCAL_COLUMN, LAKE_TABLE, LAKE_VIEW, lakeSelect } from './lake.ts';
import { isBlank, toDuckdb, tokensOf } from './lexer.ts';
import { refuseUnportable } from './portable.ts';
import { PRELUDE } from './prelude.ts';
import { fromDuckdb, toDuckdbValue } from './values.ts';

/** A relation of the catalog. `file` makes its copy as Parquet, called when a statement first names it; null where it has no rows. */
export interface Relation {
  readonly name: string;
  readonly columns: CatalogTable['columns'];
  readonly file: () => Promise<string | null>;
}

/** What has to be known of a table to read its segments. */
type StoredTable = Pick<Table, 'name' | 'columns' | 'schemaVersion'> & Partial<Pick<Table, 'roles'>>;

export interface DuckdbOptions {
  readonly tables: readonly { readonly table: StoredTable; readonly segments: readonly Segment[] }[];
  readonly relations?: readonly Relation[];
  /** Each becomes the table list_<name> with the one column `value`. */
  readonly lists?: readonly { readonly name: string; readonly values: readonly string[] }[];
  /** What is known beside the logs: statements see it as further columns of the tables, which `*` leaves out, and as the table known_account. */
  readonly enrichment?: Enrichment;
  /** Loads the prelude and reads `ARRAY(T)`: for detectors and saved questions. Where `locked` as well, statements outside of the subset are refused (see portable.ts). Without it statements are plain DuckDB SQL. */
  readonly portable: boolean;
  /** For a person's own SQL: each statement is checked first (see guard.ts). Files, network and settings are out of reach in any case. */
  readonly locked: boolean;
  readonly memoryLimitMb: number;
  readonly threads: number;
  /** Where sorts and joins that do not fit into memory go. */
  readonly tempDirectory: string;
}

/** With one thread a stream over many common table expressions waits for itself (seen with DuckDB 1.5.6). */
const STREAM_THREADS_MIN = 2;

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
const textList = (texts: readonly string[]): string => `[${texts.map(literal).join(', ')}]`;
/** A path in which nothing is a pattern to DuckDB: its list of files takes globs. */
const plainPath = (path: string): string => path.replace(/[[*?]/gu, '[$&]');

const lakeTable = ({ tables }: DuckdbOptions): StoredTable | undefined =>
  tables.find(({ table }) => table.name === LAKE_TABLE)?.table;

/** What the view `lake` is made of: the table, with its local column, which is absent where a statement for Athena is rehearsed. */
const lakeRelation = ({ name, columns }: StoredTable): string =>
  columns.some((column) => column.name === LAKE_LOCAL_COLUMN)
    ? quoted(name)
    : `(SELECT *, CAST(NULL AS VARCHAR) AS ${LAKE_LOCAL_COLUMN} FROM ${quoted(name)}) AS events`;

/** The caller keeps the segments' and relations' files in place until the backend is closed. */
export async function createDuckdbBackend(options: DuckdbOptions): Promise<Backend> {
  return new DuckdbBackend(options, await openInstance(options, new Map()));
}

interface Started {
  readonly connection: DuckDBConnection;
  readonly statement: DuckDBPreparedStatement;
}

class DuckdbBackend implements Backend {
  readonly name = 'duckdb';
  readonly #options: DuckdbOptions;
  #instance: DuckDBInstance;
  /** Instances given up for one with more relations, while statements may still run on them. */
  readonly #former: DuckDBInstance[] = [];
  /** Relations that are there, with the file of each. */
  readonly #relations = new Map<string, string | null>();
  readonly #running = new Set<DuckDBConnection>();
  /** Lower-case names of all that a statement may read. */
  readonly #readable: ReadonlySet<string>;
  /** Tables joined with what is known beside the logs, by name and joined columns: the schema that each lies in, once it is there. */
  readonly #joined = new Map<string, Promise<string>>();
  /** Tables of known addresses, by table and column. */
  readonly #addresses = new Map<string, Promise<string>>();

  constructor(options: DuckdbOptions, instance: DuckDBInstance) {
    this.#options = options;
    this.#instance = instance;
    const { tables, relations = [], lists = [], enrichment = NO_CONTEXT } = options;
    this.#readable = new Set([
      ...tables.map(({ table }) => table.name),
      ...(lakeTable(options) === undefined ? [] : [LAKE_VIEW]),
      ...relations.map(({ name }) => name),
      ...lists.map(({ name }) => `list_${name}`),
      ...(enrichment.sources.has('accounts') ? [ACCOUNT_TABLE] : []),
    ]);
  }

  /** Not by way of a stream: one that is never left half-read may use all threads to its end. */
  async query(sql: string, params: Readonly<Record<string, Param>> = {}): Promise<QueryResult> {
    const { connection, statement } = await this.#start(sql, params);
    try {
      const result = await statement.run();
      const { columns, types } = columnsOf(result);
      const rows: Row[] = [];
      for await (const batch of result.yieldRows()) {
        for (const values of batch) {
          rows.push(
            Object.fromEntries(columns.map(({ name }, at) => [name, fromDuckdb(values[at], types[at] as DuckDBType)])),
          );
        }
      }
      return { columns, rows };
    } catch (error) {
      throw asAppError(error);
    } finally {
      this.#release(connection);
    }
  }

  async stream(sql: string, params: Readonly<Record<string, Param>> = {}): Promise<QueryStream> {
    const { connection, statement } = await this.#start(sql, params);
    try {
      const result = await statement.stream();
      const { columns, types } = columnsOf(result);
      return { columns, batches: this.#batches(connection, result, types) };
    } catch (error) {
      this.#release(connection);
      throw asAppError(error);
    }
  }

  async keep(name: string, sql: string): Promise<void> {
    if (this.#options.locked)
      throw new AppError('sql-invalid', `cannot keep the table '${name}': the backend is locked`);
    await this.query(`CREATE OR REPLACE TABLE main.${quoted(name)} AS ${sql}`);
  }

  interrupt(): void {
    for (const connection of this.#running) connection.interrupt();
  }

  async close(): Promise<void> {
    for (const connection of this.#running) this.#release(connection);
    for (const instance of [this.#instance, ...this.#former]) instance.closeSync();
  }

  async *#batches(
    connection: DuckDBConnection,
    result: DuckDBResult,
    types: readonly DuckDBType[],
  ): AsyncGenerator<readonly (readonly Value[])[]> {
    try {
      for await (const rows of result.yieldRows()) {
        yield rows.map((row) => row.map((value, at) => fromDuckdb(value, types[at] as DuckDBType)));
      }
    } catch (error) {
      throw asAppError(error);
    } finally {
      this.#release(connection);
    }
  }

  async #start(sql: string, params: Readonly<Record<string, Param>>): Promise<Started> {
    const { sql: text, parameters } = toDuckdb(sql, this.#options.portable);
    const missing = [...parameters].find((name) => !(name in params));
    if (missing !== undefined)
      throw new AppError('sql-invalid', `cannot run the statement: it needs a value for the parameter :${missing}`);
    // A person's SQL that claims to run on both engines has to.
    if (this.#options.portable && this.#options.locked) refuseUnportable(sql);
    let connection = await this.#connect();
    try {
      const checked = this.#options.locked ? await checkSelect(connection, text, this.#readable) : null;
      if (await this.#addRelations(checked?.tables ?? wordsOf(text))) {
        this.#release(connection);
        connection = await this.#connect();
      }
      const statement = await connection.prepare(
        await this.#inContext(checked === null ? text : checked.prefix + checked.select),
      );
      const bound = [...parameters].map((name) => [name, ...toDuckdbValue(params[name] ?? null)] as const);
      const values: Record<string, DuckDBValue> = Object.fromEntries(bound.map(([name, value]) => [name, value]));
      const types: Record<string, DuckDBType> = Object.fromEntries(bound.map(([name, , type]) => [name, type]));
      if (bound.length > 0) statement.bind(values, types);
      return { connection, statement };
    } catch (error) {
      this.#release(connection);
      throw asAppError(error);
    }
  }

  /** Makes sure that the relations among these names are there. An instance is shut to new files, so more of them need a new instance. */
  async #addRelations(names: ReadonlySet<string>): Promise<boolean> {
    const missing = (this.#options.relations ?? []).filter(({ name }) => names.has(name) && !this.#relations.has(name));
    if (missing.length === 0) return false;
    for (const { name, file } of missing) this.#relations.set(name, await file());
    this.#former.push(this.#instance);
    this.#joined.clear();
    this.#addresses.clear();
    this.#instance = await openInstance(this.#options, this.#relations);
    return true;
  }

  /** The statement over joined tables in place of those of which it names columns that are not in the logs. */
  async #inContext(sql: string): Promise<string> {
    const { tables, enrichment = NO_CONTEXT } = this.#options;
    if (enrichment.sources.size === 0) return sql;
    const words = wordsOf(sql);
    let text = sql;
    for (const { table } of tables) {
      const joins = words.has(table.name) ? joinsOf(contextNamed(sql, table)) : [];
      if (joins.length === 0) continue;
      const key = [table.name, ...joins.flatMap(({ columns }) => columns.map(({ name }) => name))].join(' ');
      const schema = this.#joined.get(key) ?? this.#join(table, joins, enrichment, this.#joined.size);
      this.#joined.set(key, schema);
      text = inSchema(text, table.name, await schema);
    }
    return text;
  }

  async #join(table: StoredTable, joins: readonly Join[], enrichment: Enrichment, number: number): Promise<string> {
    const schema = `joined_${number}`;
    const connection = await this.#instance.connect();
    try {
      const known = new Map<Join, string>();
      for (const join of joins) {
        const key = `${table.name}.${join.of}`;
        const name = `main.known_address_${this.#addresses.size}`;
        const addresses = this.#addresses.get(key);
        if (join.kind === 'account') known.set(join, `main.${ACCOUNT_TABLE}`);
        else if (addresses !== undefined) known.set(join, await addresses);
        else {
          const filled = fillAddresses(connection, { table, column: join.of, name, enrichment });
          this.#addresses.set(key, filled);
          known.set(join, await filled);
        }
      }
      const joined = joinedSql(`main.${quoted(table.name)}`, joins, (join) => known.get(join) ?? '');
      await connection.run(`CREATE SCHEMA ${schema}; CREATE VIEW ${schema}.${quoted(table.name)} AS ${joined}`);
      return schema;
    } finally {
      connection.closeSync();
    }
  }

  async #connect(): Promise<DuckDBConnection> {
    const connection = await this.#instance.connect();
    this.#running.add(connection);
    return connection;
  }

  /** Also ends a statement whose rows nobody reads any more. */
  #release(connection: DuckDBConnection): void {
    if (this.#running.delete(connection)) connection.closeSync();
  }
}

function columnsOf(result: DuckDBResult): {
  readonly columns: readonly ResultColumn[];
  readonly types: readonly DuckDBType[];
} {
  const types = result.columnTypes();
  return { columns: result.deduplicatedColumnNames().map((name, at) => ({ name, type: String(types[at]) })), types };
}

/** All words and quoted names of a statement in lower case: enough to see which relations it may name. */
const wordsOf = (sql: string): ReadonlySet<string> =>
  new Set(
    tokensOf(sql).flatMap(({ kind, text }) =>
      kind === 'word' ? [text.toLowerCase()] : kind === 'quoted' ? [text.slice(1, -1).toLowerCase()] : [],
    ),
  );

/** Addresses that are looked up at a time. */
const ADDRESSES_AT_ONCE = 10_000;

/** What is known of each address of a column, as a table; returns its name. */
async function fillAddresses(
  connection: DuckDBConnection,
  {
    table,
    column,
    name,
    enrichment,
  }: { readonly table: StoredTable; readonly column: string; readonly name: string; readonly enrichment: Enrichment },
): Promise<string> {
  const columns = [{ name: KEYS.address, type: 'VARCHAR' }, ...ADDRESS_FIELDS];
  await connection.run(`CREATE TABLE ${name} (${columns.map((one) => `${one.name} ${one.type}`).join(', ')})`);
  const values = columns.map((one, at) => `CAST(unnest($${at + 1}::VARCHAR[]) AS ${one.type})`);
  const types = columns.map(() => LIST(VARCHAR));
  const known: AddressRow[] = [];
  const write = async (): Promise<void> => {
    const rows = known.splice(0);
    if (rows.length === 0) return;
    const lists = columns.map((one) => listValue(rows.map((row) => textOf(row[one.name as keyof AddressRow]))));
    await connection.run(`INSERT INTO ${name} SELECT ${values.join(', ')}`, lists, types);
  };
  const result = await connection.run(
    `SELECT DISTINCT ${quoted(column)} FROM main.${quoted(table.name)} WHERE ${quoted(column)} IS NOT NULL`,
  );
  for await (const rows of result.yieldRows()) {
    for (const [value] of rows) {
      const context = enrichment.address(String(value));
      if (context !== null) known.push({ address: String(value), ...context });
      if (known.length >= ADDRESSES_AT_ONCE) await write();
    }
  }
  await write();
  return name;
}

type AddressRow = { readonly [KEYS.address]: string } & AddressContext;

const textOf = (value: string | number | null): string | null => (value === null ? null : String(value));

/** A table's references put into another schema: qualified ones wherever they stand, plain ones after FROM and JOIN unless a common table expression has that name. */
function inSchema(sql: string, table: string, schema: string): string {
  const tokens = tokensOf(sql);
  const solid = tokens.flatMap((token, at) => (isBlank(token) ? [] : [at]));
  const word = (index: number): string => (tokens[solid[index] ?? -1]?.text ?? '').replaceAll('"', '').toLowerCase();
  const texts = tokens.map(({ text }) => text);
  const isDefined = solid.some(
    (_, index) => word(index) === table && word(index + 1) === 'as' && word(index + 2) === '(',
  );
  for (const [index, at] of solid.entries()) {
    const kind = tokens[at]?.kind;
    if (word(index) !== table || (kind !== 'word' && kind !== 'quoted')) continue;
    if (word(index - 1) === '.' && word(index - 2) === 'main') texts[solid[index - 2] ?? -1] = schema;
    else if (!isDefined && /^(?:from|join)$/u.test(word(index - 1))) texts[at] = `${schema}.${texts[at]}`;
  }
  return texts.join('');
}

/** An instance that holds the tables, lists and these relations, and can reach nothing else. */
async function openInstance(
  options: DuckdbOptions,
  relations: ReadonlyMap<string, string | null>,
): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(Math.max(options.threads, STREAM_THREADS_MIN)),
    memory_limit: `${options.memoryLimitMb}MB`,
    temp_directory: options.tempDirectory,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  const lake = lakeTable(options);
  try {
    await connection.run(
      [
        // Segments never change, so their footers need to be read once only.
        'SET GLOBAL parquet_metadata_cache = true',
        ...(options.portable ? PRELUDE : PRELUDE.slice(0, 1)),
        ...options.tables.map(
          ({ table, segments }) => `CREATE VIEW ${quoted(table.name)} AS ${tableSql(table, segments)}`,
        ),
        ...(lake === undefined ? [] : [`CREATE VIEW ${LAKE_VIEW} AS ${lakeSelect('duckdb', lakeRelation(lake))}`]),
      ].join(';\n'),
    );
    for (const { name, values } of options.lists ?? []) {
      await connection.run(
        `CREATE TABLE ${quoted(`list_${name}`)} AS SELECT unnest($1::VARCHAR[]) AS value`,
        [listValue([...values])],
        [LIST(VARCHAR)],
      );
    }
    const { enrichment = NO_CONTEXT } = options;
    if (enrichment.sources.has('accounts')) {
      const rows = accountRows(enrichment);
      const lists = ACCOUNT_COLUMNS.map((_, at) => listValue(rows.map((row) => row[at] ?? null)));
      await connection.run(
        `CREATE TABLE ${ACCOUNT_TABLE} AS SELECT ${ACCOUNT_COLUMNS.map(({ name }, at) => `unnest($${at + 1}::VARCHAR[]) AS ${name}`).join(', ')}`,
        lists,
        lists.map(() => LIST(VARCHAR)),
      );
    }
    for (const { name, columns } of options.relations ?? []) {
      if (!relations.has(name)) continue;
      const file = relations.get(name) ?? null;
      const rows =
        file === null
          ? emptySql(columns)
          : `SELECT ${columns.map((column) => quoted(column.name)).join(', ')} FROM read_parquet(${textList([plainPath(file)])})`;
      await connection.run(`CREATE VIEW ${quoted(name)} AS ${rows}`);
    }
    const files = [
      ...options.tables.flatMap(({ segments }) => segments.map(({ path }) => path)),
      ...relations.values(),
    ].filter((path) => path !== null);
    const allowed = [...new Set(files.flatMap((path) => [path, plainPath(path)]))];
    const paths = allowed.length === 0 ? '[]::VARCHAR[]' : textList(allowed);
    await connection.run(
      `SET GLOBAL allowed_paths = ${paths}; SET GLOBAL enable_external_access = false; SET GLOBAL lock_configuration = true`,
    );
  } catch (error) {
    connection.closeSync();
    instance.closeSync();
    throw asAppError(error);
  }
  connection.closeSync();
  return instance;
}

/** The rows of a table: its columns by name, whatever version its segments have, and the partition's date. */
function tableSql(table: StoredTable, segments: readonly Segment[]): string {
  const columns = [
    ...table.columns.map(({ name, type }) => ({ name, type })),
    { name: PARTITION_COLUMN, type: 'DATE' },
  ];
  if (segments.length === 0) return emptySql(columns);
  const read = (paths: readonly string[], byName: boolean): string =>
    `SELECT * FROM read_parquet(${textList(paths.map(plainPath))}, hive_partitioning = true, hive_types = {'${PARTITION_COLUMN}': DATE}${byName ? ', union_by_name = true' : ''})`;
  const isCurrent = ({ schemaVersion }: Segment): boolean => schemaVersion === table.schemaVersion;
  const current = segments.filter(isCurrent).map(({ path }) => path);
  const older = segments.filter((segment) => !isCurrent(segment)).map(({ path }) => path);
  const parts = [
    ...(current.length > 0 ? [read(current, false)] : []),
    ...(older.length > 0 ? [read(older, true), emptySql(columns)] : []),
  ];
  return `SELECT ${columns.map(({ name }) => quoted(name)).join(', ')} FROM (${parts.join(' UNION ALL BY NAME ')})`;
}

/** No rows, but the right columns. */
const emptySql = (columns: readonly { readonly name: string; readonly type: string }[]): string =>
  `SELECT ${columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${quoted(name)}`).join(', ')} WHERE false`;

/** What DuckDB says, as something a person can act on; what is one already stays. */
function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (message.startsWith('INTERRUPT'))
    return new AppError('interrupted', 'the statement was interrupted', { cause: error });
  if (/^Out of Memory/iu.test(message)) {
    return new AppError('query-failed', `the statement ran out of memory: ${message}`, {
      cause: error,
      hint: 'Narrow the time window, or raise the memory limit.',
    });
  }
  if (/no space left on device/iu.test(message)) {
    return new AppError('query-failed', `the statement could not be finished: ${message}`, {
      cause: error,
      hint: 'Intermediate results go to the disk of the store: free some space there, or narrow the time window.',
    });
  }
  if (/^(IO|Fatal|Internal|INTERNAL|FATAL|Serialization|HTTP) Error|No magic bytes/u.test(message)) {
    return new AppError('query-failed', `the statement could not be finished: ${message}`, {
      cause: error,
      hint: '`trailhound store check` tells whether a file of the store is missing or damaged.',
    });
  }
  return new AppError('sql-invalid', `cannot run the statement: ${message}`, { cause: error });
}
