/** Portable SQL as the text that Athena gets: values filled in, logical tables as what stands for them there, and what only our prelude knows in Trino's words. */
import type { Param } from '../../backend.ts';
import { AppError } from '../../errors.ts';
import { canonical, firstOf, parseNetwork } from '../../network.ts';
import type { Table } from '../../table.ts';
import type { Window } from '../../time.ts';
import { LAKE_TEXT_OF_BOOLEAN, LAKE_TIME } from '../lake.ts';
import { isBlank, type Token, tokensOf } from '../lexer.ts';
import { joniPattern } from './pattern.ts';

/** What a logical table stands for on the engine: a relation, and how to prune it. */
export interface AthenaRelation {
  readonly table: Pick<Table, 'name'>;
  /** A qualified name such as `"db"."cloudtrail"`, or a SELECT in brackets. */
  readonly relation: string;
  /** A filter over its columns that leaves out what cannot hold events of the scope; null: nothing to prune by. */
  readonly prune: (scope: Window) => string | null;
}

export interface StatementOptions {
  readonly params: Readonly<Record<string, Param>>;
  readonly relations: readonly AthenaRelation[];
  /** Each is the table list_<name> with the one column `value`. */
  readonly lists: readonly { readonly name: string; readonly values: readonly string[] }[];
  /** The stretch of event time that the statement reads; null where that is not known. */
  readonly scope: Window | null;
}

/** Athena refuses a longer text: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html. */
export const TEXT_BYTES_MAX = 262_144;

/** The statement for Athena. Throws `sql-invalid` for a parameter without a value, and for a text that is too long. */
export function toAthena(sql: string, options: StatementOptions): string {
  const text = new Translation(options).of(sql.replace(/;\s*$/u, ''));
  const bytes = Buffer.byteLength(text);
  if (bytes <= TEXT_BYTES_MAX) return text;
  throw new AppError(
    'sql-invalid',
    `cannot run the statement on Athena: its text has ${bytes} bytes, expected ${TEXT_BYTES_MAX} at most`,
    { hint: 'Run fewer detectors at a time, or shorten its lists.' },
  );
}

const QUERY_STARTS = wordsOf('select with values table');
/** They end a FROM. */
const CLAUSES = wordsOf('select where group having window order limit offset fetch union except intersect');
/** After a table they begin what comes next; any other word is its alias. */
const AFTER_TABLE = new Set([...CLAUSES, ...wordsOf('join left right inner full cross natural on using tablesample')]);
/** Where Trino takes a bare number only. */
const BARE_NUMBERS = wordsOf('limit offset');
/** Calls that Trino knows by other words: by name, what is to stand for one with these arguments; null where it may stand as it is. */
const CALLS: ReadonlyMap<string, (args: readonly string[]) => string | null> = new Map([
  [
    'cidr_match',
    ([network = '', address, ...more]) => (address === undefined || more.length > 0 ? null : cidrSql(network, address)),
  ],
  ...['regexp_like', 'regexp_extract', 'regexp_extract_all', 'regexp_replace', 'regexp_split'].map(
    (name) => [name, (args: readonly string[]) => patternSql(name, args)] as const,
  ),
  ...['json_extract', 'json_extract_scalar'].map(
    (name) => [name, (args: readonly string[]) => pathSql(name, args)] as const,
  ),
]);
/** Tables may be qualified by it, so that a common table expression of the same name can read them. */
const SCHEMA = 'main';

function wordsOf(list: string): ReadonlySet<string> {
  return new Set(list.split(' '));
}

/** What is open between two brackets, or the statement itself. */
interface Frame {
  /** A SELECT of its own; otherwise an expression or a list, in which FROM begins no clause. */
  readonly isQuery: boolean;
  /** Names that common table expressions give here. */
  readonly ctes: Set<string>;
  /** Where the list of a WITH stands: before a name, after it, after AS; null outside of one. */
  with: 'name' | 'columns' | 'body' | null;
  isRecursive: boolean;
  /** The common table expression that is being defined. */
  cte: string;
  inFrom: boolean;
  /** A relation must come next. */
  expectsTable: boolean;
  /** A call that may be said otherwise: where in the output its name, its bracket and its commas stand. */
  readonly call: { readonly name: string; readonly start: number; readonly places: number[] } | null;
}

const openFrame = (isQuery: boolean, ctes: ReadonlySet<string>, part: Partial<Frame> = {}): Frame => ({
  isQuery,
  ctes: new Set(ctes),
  with: null,
  isRecursive: false,
  cte: '',
  inFrom: false,
  expectsTable: false,
  call: null,
  ...part,
});

/** One statement, token by token. */
class Translation {
  readonly #options: StatementOptions;
  readonly #out: string[] = [];
  #frames: Frame[] = [];

  constructor(options: StatementOptions) {
    this.#options = options;
  }

  of(sql: string): string {
    const tokens = tokensOf(sql);
    const solid = tokens.filter((token) => !isBlank(token));
    this.#frames = [openFrame(true, new Set())];
    let at = 0;
    for (let index = 0; index < tokens.length; index += 1) {
      const token = tokens[index] as Token;
      if (isBlank(token)) {
        // Trino's comments do not nest.
        this.#out.push(token.text.startsWith('/*') ? ' ' : token.text);
        continue;
      }
      const taken = this.#take(solid, at);
      at += taken;
      // The other tokens of a relation's name went with its first.
      for (let left = taken - 1; left > 0; left -= 1) {
        do index += 1;
        while (isBlank(tokens[index] as Token));
      }
    }
    return this.#out.join('');
  }

  get #frame(): Frame {
    return this.#frames.at(-1) as Frame;
  }

  /** Writes what stands for the token there, and says how many it has taken. */
  #take(solid: readonly Token[], at: number): number {
    const token = solid[at] as Token;
    const word = wordAt(solid, at);
    if (token.text === '(' || token.text === ')') {
      if (token.text === '(') this.#open(solid, at);
      else this.#close();
      return 1;
    }
    if (this.#frame.with !== null && this.#takeOfWith(word)) {
      this.#out.push(token.text);
      return 1;
    }
    if (this.#frame.expectsTable && (token.kind === 'word' || token.kind === 'quoted')) {
      this.#frame.expectsTable = false;
      return this.#takeTable(solid, at);
    }
    this.#track(solid, at);
    const compared = lakeLiteral(solid, at);
    if (compared !== null) this.#out.push(compared);
    else if (token.kind === 'parameter') {
      const value = valueOf(token.text.slice(1), this.#options.params);
      this.#out.push(
        typeof value === 'number' && BARE_NUMBERS.has(wordAt(solid, at - 1)) ? String(value) : literal(value),
      );
    } else this.#out.push(token.text);
    return 1;
  }

  #open(solid: readonly Token[], at: number): void {
    const outer = this.#frame;
    const isQuery = QUERY_STARTS.has(wordAt(solid, at + 1));
    const isBody = outer.with === 'body';
    const isJoined = outer.expectsTable && !isQuery;
    outer.expectsTable = false;
    const called = wordAt(solid, at - 1);
    const frame = openFrame(isQuery || isJoined, outer.ctes, {
      ...(isJoined ? { inFrom: true, expectsTable: true } : {}),
      ...(isQuery && wordAt(solid, at + 1) === 'with' ? { with: 'name' as const } : {}),
      ...(CALLS.has(called)
        ? {
            call: { name: called, start: this.#out.lastIndexOf(solid[at - 1]?.text ?? ''), places: [this.#out.length] },
          }
        : {}),
    });
    if (isBody && outer.isRecursive) frame.ctes.add(outer.cte);
    this.#frames.push(frame);
    this.#out.push('(');
  }

  #close(): void {
    const { call } = this.#frames.length > 1 ? (this.#frames.pop() as Frame) : this.#frame;
    const outer = this.#frame;
    if (outer.with === 'body') {
      outer.ctes.add(outer.cte);
      outer.cte = '';
    }
    this.#out.push(')');
    if (call === null) return;
    const ends = [...call.places.slice(1), this.#out.length - 1];
    const args = call.places.map((place, at) =>
      this.#out
        .slice(place + 1, ends[at])
        .join('')
        .trim(),
    );
    const said = CALLS.get(call.name)?.(args) ?? null;
    if (said !== null) this.#out.splice(call.start, this.#out.length, said);
  }

  /** Inside the list of a WITH, where no clause begins; false at what comes after the list. */
  #takeOfWith(word: string): boolean {
    const frame = this.#frame;
    switch (frame.with) {
      case 'name':
        if (word === 'with') return true;
        if (word === 'recursive') frame.isRecursive = true;
        else {
          frame.cte = word;
          frame.with = 'columns';
        }
        return true;
      case 'columns':
        if (word === 'as') frame.with = 'body';
        return true;
      case 'body':
      case null:
        if (word === ',') frame.with = 'name';
        // Before the body: AS NOT MATERIALIZED.
        else if (frame.cte === '') {
          frame.with = null;
          return false;
        }
        return true;
    }
  }

  /** Keeps account of where in a query the token stands. */
  #track(solid: readonly Token[], at: number): void {
    const frame = this.#frame;
    const word = wordAt(solid, at);
    if (word === ',') {
      frame.call?.places.push(this.#out.length);
      frame.expectsTable = frame.inFrom;
    } else if (!frame.isQuery) return;
    else if (word === 'with' && at === 0) frame.with = 'name';
    else if (word === 'from' && !isComparison(solid, at)) {
      frame.inFrom = true;
      frame.expectsTable = true;
    } else if (word === 'join') frame.expectsTable = frame.inFrom;
    else if (CLAUSES.has(word)) frame.inFrom = false;
  }

  /** A relation by name: ours is put in for the whole of it, any other stays. */
  #takeTable(solid: readonly Token[], at: number): number {
    const isQualified = wordAt(solid, at) === SCHEMA && wordAt(solid, at + 1) === '.';
    const length = isQualified ? 3 : 1;
    const name = wordAt(solid, at + length - 1);
    const relation = !isQualified && this.#frame.ctes.has(name) ? null : this.#relationOf(name);
    if (relation === null) {
      this.#out.push(solid[at]?.text ?? '');
      return 1;
    }
    const next = solid[at + length];
    const isNamed = next?.kind === 'quoted' || (next?.kind === 'word' && !AFTER_TABLE.has(next.text.toLowerCase()));
    this.#out.push(isNamed ? relation : `${relation} AS ${name}`);
    return length;
  }

  #relationOf(name: string): string | null {
    const { lists, relations, scope } = this.#options;
    const list = lists.find((one) => `list_${one.name}`.toLowerCase() === name);
    if (list !== undefined) return listSql(list.values);
    const found = relations.find(({ table }) => table.name === name);
    if (found === undefined) return null;
    const filter = scope === null ? null : found.prune(scope);
    return `(SELECT * FROM ${found.relation} AS whole${filter === null ? '' : ` WHERE ${filter}`})`;
  }
}

/** The token in lower case, a quoted name without its quotes; empty where there is none. */
function wordAt(solid: readonly Token[], at: number): string {
  const token = solid[at];
  if (token === undefined) return '';
  return (token.kind === 'quoted' ? token.text.slice(1, -1).replaceAll('""', '"') : token.text).toLowerCase();
}

const TIME_TEXT = /^'(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2}(?:[.]\d{1,3})?)?)Z?)?'$/u;
const COMPARISON = /^(?:[<>=]|<=|>=|<>|!=)$/u;

/** Beside columns of the view `lake`, what CloudTrail Lake compares with them and Trino does not: a text with a time, and with a text that says so true or false. */
function lakeLiteral(solid: readonly Token[], at: number): string | null {
  const literalWord = wordAt(solid, at);
  if (literalWord === 'true' || literalWord === 'false')
    return comparedWith(solid, at) === LAKE_TEXT_OF_BOOLEAN ? `'${literalWord}'` : null;
  const [, day, time = '00:00'] = TIME_TEXT.exec(solid[at]?.text ?? '') ?? [];
  if (day === undefined || comparedWith(solid, at) !== LAKE_TIME) return null;
  return `TIMESTAMP '${day} ${time.length === 'hh:mm'.length ? `${time}:00` : time}'`;
}

/** The word on the other side of the comparison that ends here; empty where none does. */
function comparedWith(solid: readonly Token[], at: number): string {
  let before = at - 1;
  // The second value of BETWEEN … AND …
  if (wordAt(solid, before) === 'and' && wordAt(solid, before - 2) === 'between') before -= 2;
  if (wordAt(solid, before) === 'between') return wordAt(solid, before - (wordAt(solid, before - 1) === 'not' ? 2 : 1));
  const end = before;
  while (COMPARISON.test(wordAt(solid, before))) before -= 1;
  return before === end ? '' : wordAt(solid, before);
}

/** `IS DISTINCT FROM` and `IS NOT DISTINCT FROM`. */
const isComparison = (solid: readonly Token[], at: number): boolean =>
  wordAt(solid, at - 1) === 'distinct' && ['is', 'not'].includes(wordAt(solid, at - 2));

function valueOf(name: string, params: Readonly<Record<string, Param>>): Param {
  const value = Object.hasOwn(params, name) ? params[name] : undefined;
  if (value !== undefined) return value;
  throw new AppError('sql-invalid', `cannot run the statement: it needs a value for the parameter :${name}`);
}

/** A text as a literal. Doubling the quote is all it takes; a NUL might end the statement early. */
export function textLiteral(value: string): string {
  const parts = value.split('\0').map((part) => `'${part.replaceAll("'", "''")}'`);
  return parts.length === 1 ? parts.join('') : `(${parts.join(' || chr(0) || ')})`;
}

/** A value as a literal of the type that it has as a parameter of DuckDB. */
function literal(value: Param): string {
  if (value === null) return 'CAST(NULL AS varchar)';
  if (typeof value === 'string') return textLiteral(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? `CAST(${value} AS bigint)` : `CAST('${value}' AS double)`;
  if (value instanceof Date) return `TIMESTAMP '${value.toISOString().replace('T', ' ').replace('Z', '')}'`;
  return value.length === 0 ? 'CAST(ARRAY[] AS ARRAY(varchar))' : `ARRAY[${value.map(textLiteral).join(', ')}]`;
}

const listSql = (values: readonly string[]): string =>
  values.length === 0
    ? '(SELECT CAST(NULL AS varchar) AS value WHERE false)'
    : `(SELECT value FROM (VALUES ${values.map((value) => `(${textLiteral(value)})`).join(', ')}) AS listed (value))`;

/** A literal's text; undefined for what is none. */
const literalText = (sql: string): string | undefined => /^'((?:[^']|'')*)'$/u.exec(sql)?.[1]?.replaceAll("''", "'");

/** A call with a pattern in Trino's words, where the pattern is a literal. */
function patternSql(name: string, [text = '', pattern = '', ...more]: readonly string[]): string | null {
  const re2 = literalText(pattern);
  return re2 === undefined ? null : `${name}(${[text, textLiteral(joniPattern(re2)), ...more].join(', ')})`;
}

/** A key of a JSON path, plain or in quotes. */
const PATH_KEY = /[.](?:"([^"]*)"|([^.["]+))/gu;

/** A call with a JSON path in Trino's words, where the path is a literal: there, keys with other characters than letters, digits and `_` stand in brackets. */
function pathSql(name: string, [json = '', path = '', ...more]: readonly string[]): string | null {
  const text = literalText(path);
  if (text === undefined || more.length > 0) return null;
  const said = text.replace(PATH_KEY, (whole, quoted: string | undefined, plain: string) =>
    /^\w+$/u.test(quoted ?? plain) ? whole : `["${quoted ?? plain}"]`,
  );
  return said === text ? null : `${name}(${json}, ${textLiteral(said)})`;
}

/** IPv4 addresses, as Trino keeps them among those of IPv6. */
const IPV4_AMONG_IPV6 = '::ffff:0.0.0.0/96';
/** The bits in front of the IPv4 address in it. */
const MAPPED_BITS = 96;
/** What a network looks like: both engines read its address. */
const NETWORK = '^[^/%]+/(0|[1-9][0-9]{0,2})$';
/** Networks of IPv6 in which Trino finds addresses of IPv4 besides. */
const WIDE_NETWORK = '^[^/]*:[^/]*/([0-9]|[1-8][0-9]|9[0-5])$';

/**
 * Whether an address lies in a network of its family, NULL unless both can be read. Trino's contains() fails for a network that it cannot read and for one that does not begin
 * at its first address (`10.1.2.3/8`; one of a column then counts as none), finds IPv4 in wide networks of IPv6, and reads an address with a zone.
 */
function cidrSql(network: string, address: string): string {
  const parsed = `TRY_CAST(replace(${address}, '%', ' ') AS IPADDRESS)`;
  const isIpv4 = `contains('${IPV4_AMONG_IPV6}', ${parsed})`;
  const net = literalText(network);
  if (net === undefined) {
    return (
      `CASE WHEN regexp_like(${network}, '${NETWORK}') THEN try(contains(${network}, ${parsed}))` +
      ` AND NOT (regexp_like(${network}, '${WIDE_NETWORK}') AND ${isIpv4}) END`
    );
  }
  const known = parseNetwork(net);
  if (known === null) return 'CAST(NULL AS boolean)';
  const lies = `contains('${canonical(firstOf(known))}/${known.bits}', ${parsed})`;
  return known.family === 6 && known.bits < MAPPED_BITS ? `(${lies} AND NOT ${isIpv4})` : lies;
}
