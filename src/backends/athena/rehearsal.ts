/** A statement tried on empty tables on this machine before Athena gets it: what is wrong with it is told at no cost, and the types of its result are known. */
import type { Backend, Param, ResultColumn } from '../../backend.ts';
import type { Enrichment } from '../../enrichment.ts';
import { AppError } from '../../errors.ts';
import type { Column, Table } from '../../table.ts';
import { createDuckdbBackend } from '../duckdb.ts';
import { LAKE_TABLE, LAKE_VIEW } from '../lake.ts';
import { tokensOf } from '../lexer.ts';
import { portableColumns, SOURCE_COLUMN } from './views.ts';

export interface RehearsalOptions {
  /** The logical tables that are there. */
  readonly tables: readonly Table[];
  /** All that trailhound has, for messages. */
  readonly known: readonly Table[];
  readonly lists: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly enrichment: Enrichment;
  readonly tempDirectory: string;
  /** As that of the backend. */
  readonly locked: boolean;
}

export interface Rehearsed {
  /** Names and types of the result, as DuckDB has them. */
  readonly columns: readonly ResultColumn[];
  /** Logical tables that the statement may read. */
  readonly tables: readonly Table[];
  /** Whether it names `source_path`: only then the tables have it, so that statements over views without it run on. */
  readonly namesSource: boolean;
}

/** Nothing is in the tables. */
const MEMORY_MB = 256;

const SOURCE: Column = {
  name: SOURCE_COLUMN,
  type: 'VARCHAR',
  doc: 'The log file that the row came from.',
  athena: SOURCE_COLUMN,
};

export class Rehearsal {
  readonly #options: RehearsalOptions;
  /** With `source_path` among the columns, and without. */
  readonly #backends = new Map<boolean, Promise<Backend>>();

  constructor(options: RehearsalOptions) {
    this.#options = options;
  }

  /** Throws `sql-invalid` for what is not one SELECT in the portable SQL, and `athena-missing` for a table that is not set up. */
  async check(sql: string, params: Readonly<Record<string, Param>>): Promise<Rehearsed> {
    const { tables, known } = this.#options;
    const words = wordsOf(sql);
    const namesSource = words.all.has(SOURCE_COLUMN);
    const [first] = words.order;
    if (first === 'explain')
      throw new AppError('sql-invalid', 'cannot explain a statement of Athena', {
        hint: 'Use --dry-run to see what it would read and cost.',
      });
    const isRead = ({ name }: Table): boolean =>
      words.all.has(name) || (name === LAKE_TABLE && words.all.has(LAKE_VIEW));
    const absent = known.find((table) => isRead(table) && !tables.includes(table));
    try {
      const backend = await this.#open(namesSource);
      const select = sql.replace(/;\s*$/u, '');
      // Nothing is run by it, and what is wrong is told as it stands there.
      await backend.query(`EXPLAIN ${select}`, params);
      const { columns } = await backend.query(`SELECT * FROM (\n${select}\n) AS rehearsed LIMIT 0`, params);
      return { columns, tables: tables.filter(isRead), namesSource };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const local = this.#localColumn(error.message);
      if (local !== null) {
        throw new AppError(
          'sql-invalid',
          `cannot run the statement: the column ${local} exists only in the local store, not on Athena`,
          {
            hint: 'docs/reference/tables.md marks the columns that are local only.',
            cause: error,
          },
        );
      }
      if (absent !== undefined && (error.message.includes(absent.name) || error.message.includes(LAKE_VIEW)))
        throw missingTable(absent.name, error);
      throw error;
    }
  }

  async close(): Promise<void> {
    for (const backend of this.#backends.values()) await (await backend).close();
    this.#backends.clear();
  }

  #open(withSource: boolean): Promise<Backend> {
    const { tables, lists, enrichment, tempDirectory, locked } = this.#options;
    const known = this.#backends.get(withSource);
    if (known !== undefined) return known;
    const columnsOf = (table: Table): readonly Column[] => [...portableColumns(table), ...(withSource ? [SOURCE] : [])];
    const backend = createDuckdbBackend({
      tables: tables.map((table) => ({ table: { ...table, columns: columnsOf(table) }, segments: [] })),
      lists,
      enrichment,
      portable: true,
      locked,
      memoryLimitMb: MEMORY_MB,
      threads: 1,
      tempDirectory,
    });
    this.#backends.set(withSource, backend);
    return backend;
  }

  /** `cloudtrail.extra` where that is what a message says is not there. */
  #localColumn(message: string): string | null {
    const name = /(?:column named|[Cc]olumn) "([^"]+)"/u.exec(message)?.[1]?.toLowerCase();
    const table = this.#options.tables.find(({ columns }) =>
      columns.some((column) => column.name === name && column.athena === null),
    );
    return table === undefined ? null : `${table.name}.${name}`;
  }
}

export const missingTable = (name: string, cause?: unknown): AppError =>
  new AppError('athena-missing', `the table ${name} is not set up on Athena`, {
    hint: 'Run `trailhound athena setup s3://bucket/prefix --apply` with the place of its log files.',
    cause,
  });

function wordsOf(sql: string): { readonly all: ReadonlySet<string>; readonly order: readonly string[] } {
  const order = tokensOf(sql).flatMap(({ kind, text }) =>
    kind === 'word' ? [text.toLowerCase()] : kind === 'quoted' ? [text.slice(1, -1).toLowerCase()] : [],
  );
  return { all: new Set(order), order };
}
