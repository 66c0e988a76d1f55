/** The Athena backend: portable statements over log files as they lie in S3. */
import {
  type Backend,
  type Param,
  type QueryResult,
  type QueryStream,
  type Reading,
  type ResultColumn,
  readAll,
  type Value,
} from '../../backend.ts';
import { addressSelect, contextNamed, type Enrichment } from '../../enrichment.ts';
import { AppError } from '../../errors.ts';
import { PARTITION_COLUMN, type Table } from '../../table.ts';
import { DAY_MS, type Window } from '../../time.ts';
import { ACCOUNT_TABLE, joinedSql, joinsOf } from '../context.ts';
import { LAKE_TABLE, LAKE_VIEW, lakeSelect } from '../lake.ts';
import { type Token, tokensOf } from '../lexer.ts';
import type { Athena, StatementProgress } from './client.ts';
import { accountsSql, addressesSql } from './context.ts';
import type { ScanMeter } from './cost.ts';
import { deliveredView, quoted } from './ddl.ts';
import { tagOf } from './estimate.ts';
import { Rehearsal } from './rehearsal.ts';
import { PARTITIONS_MAX, partitionsOf } from './scale.ts';
import type { DeployedTable } from './setup.ts';
import { type AthenaRelation, toAthena } from './statement.ts';
import { fromAthena, fromJson, typeName } from './values.ts';
import { deliveryDays, distinctSql, portableColumns, SOURCE_COLUMN, windowSql } from './views.ts';

export interface AthenaBackendOptions {
  readonly athena: Athena;
  readonly meter: ScanMeter;
  readonly tables: readonly DeployedTable[];
  /** All tables that trailhound has. */
  readonly known: readonly Table[];
  readonly lists: readonly { readonly name: string; readonly values: readonly string[] }[];
  /** What is known beside the logs: see DuckdbOptions. */
  readonly enrichment: Enrichment;
  /** The events that statements see which come without a window of their own; null where such may read no table. */
  readonly window: Window | null;
  /** How long after an event its delivery is waited for. */
  readonly latenessMs: number;
  /** Bytes of each table in a day of delivery, where they are known. */
  readonly bytesPerDay: ReadonlyMap<string, number>;
  /** False where a result must be new, whatever was asked before. */
  readonly reuses: boolean;
  readonly nowMs: () => number;
  readonly tempDirectory: string;
  /** For a person's own SQL: held to one SELECT over these tables and to the portable subset. Statements of detectors are made by the planner. */
  readonly locked: boolean;
  readonly onProgress?: (progress: StatementProgress & { readonly totalBytes: number }) => void;
}

/** A statement as Athena would get it, and what it would read. */
export interface Prepared {
  readonly text: string;
  readonly window: Window | null;
  readonly tables: readonly PreparedTable[];
  /** What it may scan, as far as earlier statements tell; null where they do not. */
  readonly expectedBytes: number | null;
  /** By the name of a column: its type, where it travels as JSON. */
  readonly nested: ReadonlyMap<string, string>;
}

export interface PreparedTable {
  readonly table: string;
  /** How often the statement reads it. */
  readonly scans: number;
  readonly days: number;
  readonly partitions: number;
  /** Columns of it that the statement names. */
  readonly columns: readonly string[];
}

/** Addresses of a column, of events of a window. */
interface AskedAddresses {
  readonly table: Table;
  readonly column: string;
  readonly window: Window;
  readonly found: Promise<readonly string[]>;
}

/** The longest that Athena keeps a result for reuse: https://docs.aws.amazon.com/athena/latest/ug/reusing-query-results.html. */
const REUSE_MINUTES = 10_080;

export class AthenaBackend implements Backend {
  readonly name = 'athena';
  readonly #options: AthenaBackendOptions;
  readonly #rehearsal: Rehearsal;
  readonly #running = new Set<AbortController>();
  /** Addresses that were asked for. */
  readonly #asked: AskedAddresses[] = [];

  constructor(options: AthenaBackendOptions) {
    this.#options = options;
    const { tables, known, lists, enrichment, tempDirectory, locked } = options;
    this.#rehearsal = new Rehearsal({
      tables: tables.map(({ table }) => table),
      known,
      lists,
      enrichment,
      tempDirectory,
      locked,
    });
  }

  async query(sql: string, params: Readonly<Record<string, Param>> = {}, reading: Reading = {}): Promise<QueryResult> {
    return readAll(await this.stream(sql, params, reading));
  }

  /** The statement has run when this resolves: Athena gives no row before it ends. */
  async stream(sql: string, params: Readonly<Record<string, Param>> = {}, reading: Reading = {}): Promise<QueryStream> {
    const { athena, meter, onProgress } = this.#options;
    // From its beginning: one that is interrupted before it starts is not started.
    const control = new AbortController();
    this.#running.add(control);
    try {
      await this.#askAddresses(sql, reading.window ?? this.#options.window);
      const prepared = await this.prepare(sql, params, reading);
      const execution = await athena.run(prepared.text, {
        meter,
        signal: control.signal,
        reuseMinutes: this.#options.reuses && this.#isClosed(prepared.window) ? REUSE_MINUTES : null,
        expectedBytes: prepared.expectedBytes,
        ...(onProgress && { onProgress: (progress) => onProgress({ ...progress, totalBytes: meter.scannedBytes }) }),
      });
      const pages = athena.pages(execution, control.signal);
      const first = await pages.next();
      const found = first.done === true ? [] : first.value.columns;
      const columns = found.map(
        (column): ResultColumn => ({ name: column.name, type: prepared.nested.get(column.name) ?? typeName(column) }),
      );
      const read = (rows: readonly (readonly (string | undefined)[])[]): readonly (readonly Value[])[] =>
        rows.map((row) =>
          found.map((column, at) => {
            const typed = prepared.nested.get(column.name);
            return typed === undefined ? fromAthena(row[at], column) : fromJson(row[at], column, typed);
          }),
        );
      const release = (): void => void this.#running.delete(control);
      async function* batches(): AsyncGenerator<readonly (readonly Value[])[]> {
        try {
          if (first.done !== true) yield read(first.value.rows);
          for await (const { rows } of pages) yield read(rows);
        } finally {
          release();
        }
      }
      return { columns, batches: batches() };
    } catch (error) {
      this.#running.delete(control);
      throw error;
    }
  }

  /** What would run; nothing is asked of Athena, so of addresses nothing is known that was not asked before. Throws as query() does before it starts. */
  async prepare(sql: string, params: Readonly<Record<string, Param>> = {}, reading: Reading = {}): Promise<Prepared> {
    const window = reading.window ?? this.#options.window;
    const rehearsed = await this.#rehearsal.check(sql, params);
    if (rehearsed.tables.length > 0 && window === null) {
      throw new AppError(
        'usage-invalid',
        `cannot read ${rehearsed.tables.map(({ name }) => name).join(', ')} without a window: Athena bills for what it reads`,
        {
          hint: 'Add --from and --to.',
        },
      );
    }
    const nested = new Map(
      rehearsed.columns.filter(({ type }) => isNested(type)).map(({ name, type }) => [name, type]),
    );
    const transport = transported(sql, rehearsed.columns);
    const { lists } = this.#options;
    const body = toAthena(transport ?? sql, {
      params,
      lists,
      scope: window,
      relations: await this.#relations(sql, window, rehearsed.namesSource),
    });
    const tables = rehearsed.tables
      .map((table) => this.#reads(table, window, { sql, body }))
      .filter(({ scans }) => scans > 0);
    const tooMany = tables.find(({ partitions }) => partitions > PARTITIONS_MAX);
    if (tooMany !== undefined) {
      throw new AppError(
        'sql-invalid',
        `cannot read ${tooMany.table} of ${tooMany.days} days in one statement: these are ${tooMany.partitions} partitions, and Athena takes ${PARTITIONS_MAX}`,
        { hint: 'Narrow --from and --to.' },
      );
    }
    const text =
      tables.length === 0
        ? body
        : `${tagOf(new Map(tables.map(({ table, days, scans }) => [table, days * scans])))}\n${body}`;
    const rates = tables.map(
      ({ table, days, scans }) => (this.#options.bytesPerDay.get(table) ?? Number.NaN) * days * scans,
    );
    const expected = rates.reduce((sum, bytes) => sum + bytes, 0);
    return {
      text,
      window,
      tables,
      expectedBytes: Number.isNaN(expected) ? null : Math.round(expected),
      nested: transport === null ? new Map() : nested,
    };
  }

  interrupt(): void {
    for (const control of this.#running) control.abort();
  }

  async close(): Promise<void> {
    this.interrupt();
    await this.#rehearsal.close();
  }

  /** Asks for the addresses of which a statement wants something to be known: once for all statements of a window. */
  async #askAddresses(sql: string, window: Window | null): Promise<void> {
    if (window === null) return;
    const { tables, window: whole } = this.#options;
    for (const { table } of tables) {
      for (const { of: column, kind } of joinsOf(this.#named(sql, table))) {
        if (kind !== 'address' || this.#known(table, column, window) !== undefined) continue;
        const wide = {
          fromMs: Math.min(window.fromMs, whole?.fromMs ?? window.fromMs),
          toMs: Math.max(window.toMs, whole?.toMs ?? window.toMs),
        };
        const answer = this.query(addressSelect(table, column, wide), {}, { window: wide });
        const found = answer.then(({ rows }) =>
          rows.flatMap((row) => (typeof row[column] === 'string' ? [row[column]] : [])),
        );
        this.#asked.push({ table, column, window: wide, found });
      }
    }
    await Promise.all(this.#asked.map(({ found }) => found));
  }

  /** Of a window that holds this one. */
  #known(table: Table, column: string, { fromMs, toMs }: Window): Promise<readonly string[]> | undefined {
    const holds = ({ window }: AskedAddresses): boolean => window.fromMs <= fromMs && window.toMs >= toMs;
    return this.#asked.find((one) => one.table === table && one.column === column && holds(one))?.found;
  }

  /** The columns beside the logs that a statement reads of a table. */
  #named(sql: string, table: Table): ReturnType<typeof contextNamed> {
    const isRead = tokensOf(sql).some(({ kind, text }) => kind === 'word' && text.toLowerCase() === table.name);
    return isRead && this.#options.enrichment.sources.size > 0 ? contextNamed(sql, table) : [];
  }

  /** Copies are left out behind the filter of the window, so it stands inside; what is known beside the logs is joined to what is left. */
  async #relations(sql: string, window: Window | null, withSource: boolean): Promise<readonly AthenaRelation[]> {
    const { enrichment, tables } = this.#options;
    const relations: AthenaRelation[] = [];
    for (const { table } of tables) {
      const relation = this.#relation(table, window, withSource);
      const own = { table, relation, prune: () => null };
      relations.push({ ...own, relation: await this.#inContext(sql, table, relation, window) });
      if (table.name === LAKE_TABLE)
        relations.push({
          ...own,
          table: { name: LAKE_VIEW },
          relation: `(${lakeSelect('athena', `${relation} AS events`)})`,
        });
    }
    if (enrichment.sources.has('accounts'))
      relations.push({ table: { name: ACCOUNT_TABLE }, relation: accountsSql(enrichment), prune: () => null });
    return relations;
  }

  async #inContext(sql: string, table: Table, relation: string, window: Window | null): Promise<string> {
    const { enrichment } = this.#options;
    const joins = joinsOf(this.#named(sql, table));
    if (joins.length === 0) return relation;
    const addresses = new Map<string, readonly string[]>();
    for (const { of } of joins)
      addresses.set(of, window === null ? [] : ((await this.#known(table, of, window)) ?? []));
    const known = joinedSql(relation, joins, ({ kind, of, columns }) =>
      kind === 'account' ? accountsSql(enrichment) : addressesSql(addresses.get(of) ?? [], columns, enrichment),
    );
    return `(${known})`;
  }

  /** A logical table within a window: pruned first, then each event once. */
  #relation(table: Table, window: Window | null, withSource: boolean): string {
    return `(${distinctSql(table, this.#delivered(table), {
      where: window === null ? null : windowSql(window, this.#options.latenessMs),
      columns: [
        ...portableColumns(table).map(({ name }) => name),
        PARTITION_COLUMN,
        ...(withSource ? [SOURCE_COLUMN] : []),
      ],
    })})`;
  }

  #delivered(table: Table): string {
    return deliveredView(this.#options.athena.place.database, table);
  }

  #reads(
    table: Table,
    window: Window | null,
    { sql, body }: { readonly sql: string; readonly body: string },
  ): PreparedTable {
    const { tables, latenessMs } = this.#options;
    const roots = tables.find((one) => one.table === table)?.roots ?? [];
    const words = new Set(tokensOf(sql).flatMap(({ kind, text }) => (kind === 'word' ? [text.toLowerCase()] : [])));
    return {
      table: table.name,
      scans: body.split(this.#delivered(table)).length - 1,
      days: window === null ? 0 : deliveryDays(window, latenessMs).count,
      partitions: window === null ? 0 : roots.reduce((sum, root) => sum + partitionsOf(root, window, latenessMs), 0),
      columns: portableColumns(table)
        .map(({ name }) => name)
        .filter((name) => words.has(name)),
    };
  }

  /** No file that such a statement reads can still come: its folders are those of days that are over. */
  #isClosed(window: Window | null): boolean {
    if (window === null) return false;
    const lastDay = Math.floor((window.toMs - 1 + this.#options.latenessMs) / DAY_MS);
    return (lastDay + 1) * DAY_MS <= this.#options.nowMs();
  }
}

const isNested = (type: string): boolean => /\[\d*\]$|^(?:STRUCT|MAP)\b/u.test(type);

/** Names of columns that only carry what a statement orders its rows by. */
const ORDER_KEY = 'trailhound_order_';

/**
 * The statement with its lists, rows and maps as JSON: Athena writes a list as `[a, b]`, whatever commas are in its texts. The rows are put in order again outside, since
 * that of a statement within another says nothing. Null where there is none of them.
 */
export function transported(sql: string, columns: readonly ResultColumn[]): string | null {
  if (!columns.some(({ type }) => isNested(type))) return null;
  const names = columns.map(({ name }) => name.toLowerCase());
  if (new Set(names).size < names.length)
    throw new AppError(
      'sql-invalid',
      'cannot run the statement on Athena: two columns of its result have one name, and one is a list',
    );
  const tokens = tokensOf(sql.replace(/;\s*$/u, ''));
  const { order, fromAt } = topLevel(tokens);
  const hidden: string[] = [];
  const keys = order.map(({ key, direction }) => {
    const column = /^\d+$/u.test(key)
      ? columns[Number(key) - 1]
      : columns[names.indexOf(key.replaceAll('"', '').toLowerCase())];
    if (column !== undefined) return `result.${quoted(column.name)}${direction}`;
    hidden.push(`${key} AS ${ORDER_KEY}${hidden.length}`);
    return `result.${ORDER_KEY}${hidden.length - 1}${direction}`;
  });
  const texts = tokens.map(({ text }) => text);
  if (hidden.length > 0) texts.splice(fromAt, 0, `, ${hidden.join(', ')} `);
  const selected = columns.map(({ name, type }) =>
    isNested(type) ? `json_format(CAST(result.${quoted(name)} AS JSON)) AS ${quoted(name)}` : `result.${quoted(name)}`,
  );
  return `SELECT ${selected.join(', ')} FROM (\n${texts.join('')}\n) AS result${keys.length === 0 ? '' : ` ORDER BY ${keys.join(', ')}`}`;
}

/** Of the SELECT that gives the result: what it orders by, and where its FROM stands. */
function topLevel(tokens: readonly Token[]): {
  readonly order: readonly { readonly key: string; readonly direction: string }[];
  readonly fromAt: number;
} {
  let depth = 0;
  let fromAt = tokens.length;
  let [start, end] = [tokens.length, tokens.length];
  for (const [at, { kind, text }] of tokens.entries()) {
    if (text === '(') depth += 1;
    else if (text === ')') depth -= 1;
    if (depth > 0 || kind !== 'word') continue;
    const word = text.toLowerCase();
    if (word === 'select') [fromAt, start, end] = [tokens.length, tokens.length, tokens.length];
    else if (word === 'from' && fromAt === tokens.length) fromAt = at;
    else if (word === 'order') start = at;
    else if (/^(?:limit|offset|fetch)$/u.test(word) && start < at) end = Math.min(end, at);
  }
  const items: string[] = [''];
  for (const { kind, text } of tokens.slice(start, end)) {
    if (text === '(') depth += 1;
    else if (text === ')') depth -= 1;
    if (text === ',' && depth === 0) items.push('');
    else items[items.length - 1] += kind === 'comment' ? ' ' : text;
  }
  const order = items
    .map((item) => item.replace(/^\s*order\s+by\b/iu, '').trim())
    .filter((item) => item !== '')
    .map((item) => {
      const [, key = item, direction = ''] =
        /^([\s\S]*?)((?:\s+(?:asc|desc))?(?:\s+nulls\s+(?:first|last))?)$/iu.exec(item) ?? [];
      return { key, direction };
    });
  return { order, fromAt };
}
