/** Trino as a backend, for tests: its HTTP protocol (https://trino.io/docs/current/develop/client-protocol.html) and the same statements that Athena would get. */
import {
  type Backend,
  type Param,
  type QueryResult,
  type QueryStream,
  type Reading,
  type ResultColumn,
  readAll,
  type Value,
} from '../../src/backend.ts';
import { type AthenaRelation, type StatementOptions, toAthena } from '../../src/backends/athena/statement.ts';
import { AppError } from '../../src/errors.ts';

interface TypeSignature {
  readonly rawType: string;
  readonly arguments: readonly { readonly kind: string; readonly value: unknown }[];
}

interface Page {
  readonly nextUri?: string;
  readonly columns?: readonly {
    readonly name: string;
    readonly type: string;
    readonly typeSignature: TypeSignature;
  }[];
  readonly data?: readonly (readonly unknown[])[];
  readonly error?: { readonly message: string; readonly errorName: string; readonly errorType: string };
}

const TEXT_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/gu;
/** A whole number that a number of JavaScript might not hold. */
const LARGE = /^-?\d{16,}$/u;

/** JSON without loss: large whole numbers come as texts, which their column's type turns back. */
function parsePage(text: string): Page {
  const exact = /\d{16}/u.test(text)
    ? text.replaceAll(TEXT_OR_NUMBER, (token) => (LARGE.test(token) ? `"${token}"` : token))
    : text;
  return JSON.parse(exact) as Page;
}

const typeOf = (argument: { readonly value: unknown } | undefined): TypeSignature => argument?.value as TypeSignature;
const exactInteger = (value: bigint): number | bigint => {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
};

/** `2025-03-01 10:00:00.000 UTC` as src/backend.ts promises times. */
function isoOf(text: string): string {
  const [, date, time, fraction = '', zone = ''] = /^(\S+) (\d\d:\d\d:\d\d)(?:[.](\d+))?(?: (.+))?$/u.exec(text) ?? [];
  if (zone !== '' && zone !== 'UTC') throw new Error(`a time of the zone ${zone} came: ${text}`);
  const digits = fraction.replace(/0+$/u, '');
  return `${date}T${time}${digits === '' ? '' : `.${digits.padEnd(digits.length > 3 ? 6 : 3, '0')}`}Z`;
}

/** A value of the protocol as that of a backend. */
function fromTrino(value: unknown, type: TypeSignature): Value {
  if (value === null || value === undefined) return null;
  switch (type.rawType) {
    case 'bigint':
      return exactInteger(BigInt(value as string | number));
    case 'double':
    case 'real':
    case 'decimal':
      return Number(value);
    case 'timestamp':
    case 'timestamp with time zone':
      return isoOf(value as string);
    case 'array':
      return (value as readonly unknown[]).map((item) => fromTrino(item, typeOf(type.arguments[0])));
    case 'map':
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, fromTrino(item, typeOf(type.arguments[1]))]),
      );
    case 'row':
      return Object.fromEntries(
        type.arguments.map(({ value: field }, at) => {
          const { fieldName, typeSignature } = field as {
            fieldName: { name: string };
            typeSignature: TypeSignature;
          };
          return [fieldName.name, fromTrino((value as readonly unknown[])[at], typeSignature)];
        }),
      );
    default:
      return value as Value;
  }
}

/** The name of a type as DuckDB has it. */
function typeName(type: TypeSignature): string {
  if (type.rawType === 'array') return `${typeName(typeOf(type.arguments[0]))}[]`;
  return type.rawType.toUpperCase();
}

export interface TrinoOptions {
  /** Those that a statement reads. */
  readonly relations: readonly AthenaRelation[] | ((sql: string) => readonly AthenaRelation[]);
  readonly lists?: StatementOptions['lists'];
}

export class TrinoBackend implements Backend {
  readonly name = 'athena';
  readonly #url: string;
  readonly #options: TrinoOptions;
  readonly #running = new Set<string>();

  constructor(url: string, options: TrinoOptions = { relations: [] }) {
    this.#url = url;
    this.#options = options;
  }

  async query(sql: string, params: Readonly<Record<string, Param>> = {}, reading: Reading = {}): Promise<QueryResult> {
    return readAll(await this.stream(sql, params, reading));
  }

  async stream(sql: string, params: Readonly<Record<string, Param>> = {}, reading: Reading = {}): Promise<QueryStream> {
    const { relations, lists = [] } = this.#options;
    const own = typeof relations === 'function' ? relations(sql) : relations;
    return this.#stream(toAthena(sql, { params, relations: own, lists, scope: reading.window ?? null }));
  }

  /** The same server with these tables. */
  over(options: TrinoOptions): TrinoBackend {
    return new TrinoBackend(this.#url, options);
  }

  /** A statement in Trino's own SQL, for setting up. */
  async run(sql: string): Promise<void> {
    const { batches } = await this.#stream(sql);
    for await (const _ of batches);
  }

  interrupt(): void {
    for (const uri of this.#running) void fetch(uri, { method: 'DELETE' });
  }

  async close(): Promise<void> {
    this.interrupt();
  }

  async #stream(sql: string): Promise<QueryStream> {
    const pages = this.#pages(sql);
    const first: Page[] = [];
    let columns: Page['columns'];
    while (columns === undefined) {
      const { value: page, done } = await pages.next();
      if (done === true) break;
      first.push(page);
      columns = page.columns;
    }
    const types = (columns ?? []).map(({ typeSignature }) => typeSignature);
    const convert = ({ data = [] }: Page): readonly (readonly Value[])[] =>
      data.map((row) => row.map((value, at) => fromTrino(value, types[at] as TypeSignature)));
    async function* batches(): AsyncGenerator<readonly (readonly Value[])[]> {
      try {
        for (const page of first) if (page.data !== undefined) yield convert(page);
        for await (const page of pages) if (page.data !== undefined) yield convert(page);
      } finally {
        await pages.return(undefined);
      }
    }
    const named = (columns ?? []).map(
      ({ name, typeSignature }): ResultColumn => ({ name, type: typeName(typeSignature) }),
    );
    return { columns: named, batches: batches() };
  }

  async *#pages(sql: string): AsyncGenerator<Page, undefined, undefined> {
    const headers = {
      'X-Trino-User': 'test',
      'X-Trino-Catalog': 'memory',
      'X-Trino-Schema': 'default',
      'X-Trino-Time-Zone': 'UTC',
      // Statements over few rows on few cores.
      'X-Trino-Session': 'task_concurrency=1',
    };
    let page = parsePage(
      await (await fetch(`${this.#url}/v1/statement`, { method: 'POST', body: sql, headers })).text(),
    );
    try {
      for (;;) {
        if (page.error !== undefined) throw asAppError(page.error, sql);
        yield page;
        if (page.nextUri === undefined) return undefined;
        const uri = page.nextUri;
        this.#running.add(uri);
        try {
          page = parsePage(await (await fetch(uri)).text());
        } finally {
          this.#running.delete(uri);
        }
      }
    } finally {
      if (page.nextUri !== undefined) await fetch(page.nextUri, { method: 'DELETE' });
    }
  }
}

function asAppError({ message, errorName, errorType }: NonNullable<Page['error']>, sql: string): AppError {
  const cause = new Error(`${errorName} in: ${sql.slice(0, 20_000)}`);
  if (errorName === 'USER_CANCELED') return new AppError('interrupted', 'the statement was interrupted', { cause });
  return errorType === 'USER_ERROR'
    ? new AppError('sql-invalid', `cannot run the statement: ${message}`, { cause })
    : new AppError('query-failed', `the statement could not be finished: ${errorName}: ${message}`, { cause });
}
