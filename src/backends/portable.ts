/** The portability lint: what in a statement would not run on both engines, or would not mean the same there, and how to say it instead (docs/detector-sql.md). */
import { AppError } from '../errors.ts';
import { suggestion } from '../suggest.ts';
import { type Token, tokensOf } from './lexer.ts';

export interface PortabilityFinding {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** As it is written. */
  readonly found: string;
  /** What to write, as the end of a sentence. */
  readonly instead: string;
}

/** A token that is not blank, and where it stands. */
interface Place extends Token {
  readonly line: number;
  readonly column: number;
  /** In lower case. */
  readonly word: string;
}

/** What is open around a token. */
interface Bracket {
  /** The function that is called, `array` of a literal or type, or nothing. */
  readonly name: string;
}

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/u));

/** Functions with the same name and meaning on both engines; on DuckDB many are macros of the prelude. */
const FUNCTIONS = words(`
  count sum min max avg count_if array_agg bool_and bool_or every stddev variance row_number rank dense_rank
  percent_rank cume_dist ntile lag lead first_value last_value nth_value grouping coalesce nullif if try cast
  try_cast greatest least lower upper length trim ltrim rtrim lpad rpad substr substring strpos starts_with
  replace reverse concat split split_part chr url_decode to_utf8 from_utf8 regexp_like regexp_extract
  regexp_extract_all regexp_replace regexp_split abs ceil ceiling floor round sign mod power sqrt ln log10 exp
  date date_trunc date_add date_diff date_format date_parse from_unixtime to_unixtime from_iso8601_timestamp
  from_iso8601_date at_timezone now extract year quarter month week day day_of_week day_of_month day_of_year
  hour minute second millisecond json_extract json_extract_scalar json_array_length json_array_get json_parse
  json_format cardinality element_at array_join array_distinct array_union array_sort arrays_overlap contains flatten
  sequence filter map_keys map_values unnest cidr_match
`);

/** What others are called in the subset. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  json_extract_string: 'json_extract_scalar(…)',
  regexp_matches: 'regexp_like(…)',
  list_contains: 'contains(…)',
  array_contains: 'contains(…)',
  list_transform: 'a sub-select over UNNEST',
  transform: 'a sub-select over UNNEST',
  reduce: 'a sub-select over UNNEST',
  any_match: 'cardinality(filter(list, x -> …)) > 0',
  list_filter: 'filter(list, x -> …)',
  list: 'array_agg(…)',
  len: 'length(…) of text, cardinality(…) of a list',
  string_agg: "array_join(array_agg(x ORDER BY x), ', ')",
  group_concat: "array_join(array_agg(x ORDER BY x), ', ')",
  listagg: "array_join(array_agg(x ORDER BY x), ', ')",
  strftime: 'date_format(…)',
  strptime: 'date_parse(…)',
  epoch: 'to_unixtime(…)',
  epoch_ms: 'to_unixtime(…) * 1000',
  to_timestamp: 'from_unixtime(…)',
  datediff: "date_diff('minute', a, b)",
  dateadd: "date_add('minute', n, t)",
  ifnull: 'coalesce(…)',
  nvl: 'coalesce(…)',
  instr: 'strpos(…)',
  position: 'strpos(…)',
  left: 'substr(text, 1, n)',
  right: 'substr(text, -n)',
  string_split: 'split(…)',
  string_to_array: 'split(…)',
  struct_pack: 'columns of their own',
  list_value: 'ARRAY[…]',
  approx_distinct: 'count(DISTINCT x): approximations differ between the engines',
  approx_count_distinct: 'count(DISTINCT x): approximations differ between the engines',
  approx_percentile: 'a rank by row_number(): approximations differ between the engines',
  approx_quantile: 'a rank by row_number(): approximations differ between the engines',
  median: 'a rank by row_number()',
  arbitrary: 'min(…) or max(…): which value it takes differs between the engines',
  any_value: 'min(…) or max(…): which value it takes differs between the engines',
  first: 'min(…), or a sub-select with row_number()',
  last: 'max(…), or a sub-select with row_number()',
  max_by: 'a sub-select with row_number(): ties differ between the engines',
  min_by: 'a sub-select with row_number(): ties differ between the engines',
  arg_max: 'a sub-select with row_number()',
  arg_min: 'a sub-select with row_number()',
  json_query: 'json_extract(…)',
  json_value: 'json_extract_scalar(…)',
  json_exists: 'json_extract(…) IS NOT NULL',
};

/** Words that stand before a bracket without being a function. */
const BEFORE_BRACKET = words(`
  select distinct all from where having group by order on using join cross lateral in not and or exists any some
  case when then else between like is escape as with recursive values union intersect except over filter
  partition rows range window limit offset sets rollup cube array row interval set return exclude rename
`);

/** Words that only one engine knows, wherever they stand as a keyword. */
const WORDS: Readonly<Record<string, string>> = {
  ilike: 'lower(x) LIKE …',
  qualify: 'a sub-select with row_number()',
  pivot: 'count_if(…) for each column',
  unpivot: 'UNION ALL',
  glob: 'LIKE, or regexp_like(…)',
  asof: 'a sub-select with row_number()',
  materialized: 'nothing: leave it out',
};

/** Pairs of words. */
const PAIRS: readonly (readonly [first: string, second: string, instead: string])[] = [
  ['group', 'all', 'GROUP BY 1, 2, or the whole expressions'],
  ['order', 'all', 'ORDER BY 1, 2'],
  ['distinct', 'on', 'a sub-select with row_number()'],
  ['semi', 'join', 'EXISTS (…)'],
  ['anti', 'join', 'NOT EXISTS (…), or LEFT JOIN and IS NULL'],
  ['positional', 'join', 'a join by a column'],
  ['using', 'sample', 'nothing: leave it out'],
  ['similar', 'to', 'regexp_like(…)'],
  ['within', 'group', "array_join(array_agg(x ORDER BY x), ', ')"],
];

/** Operators that only one engine knows. */
const OPERATORS: readonly (readonly [text: string, instead: string])[] = [
  ['::', 'CAST(x AS …)'],
  ['->>', 'json_extract_scalar(json, path)'],
  ['//', 'a / b: of integers it is one'],
  ['**', 'power(a, b)'],
  ['!~', 'NOT regexp_like(…)'],
  ['==', '='],
  ['^@', 'starts_with(…)'],
];

const TYPES = words(`
  varchar char boolean tinyint smallint integer int bigint real double decimal date time timestamp json
  ipaddress array map row varbinary
`);
const OTHER_TYPES: Readonly<Record<string, string>> = {
  text: 'VARCHAR',
  string: 'VARCHAR',
  float: 'REAL or DOUBLE',
  int8: 'BIGINT',
  int4: 'INTEGER',
  int2: 'SMALLINT',
  hugeint: 'BIGINT or DECIMAL(38, 0)',
  ubigint: 'BIGINT or DECIMAL(20, 0)',
  uinteger: 'BIGINT',
  datetime: 'TIMESTAMP',
  timestamptz: 'TIMESTAMP',
  bool: 'BOOLEAN',
  numeric: 'DECIMAL',
  struct: 'columns of their own',
  blob: 'VARBINARY',
};

const UNITS = /^(second|minute|hour|day|week|month|year)$/u;
/** Look-around, back-references, atomic groups and possessive quantifiers are outside of RE2. */
const NO_RE2 = /\(\?(?:[=!>]|<[=!])|\\[1-9]|[*+?}]\+/u;

/** In order of their places; empty where the statement runs on both. */
export function portabilityFindings(sql: string): readonly PortabilityFinding[] {
  return new Lint(placesOf(sql)).run();
}

/** Throws `sql-invalid`, naming the first place and how many others there are. */
export function refuseUnportable(sql: string, what = 'the statement'): void {
  const [first, ...others] = portabilityFindings(sql);
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  throw new AppError(
    'sql-invalid',
    `cannot run ${what} on both engines: line ${first.line}, column ${first.column}: ${first.found}${more}`,
    { hint: `Write ${first.instead}. docs/detector-sql.md has the subset.` },
  );
}

function placesOf(sql: string): readonly Place[] {
  const places: Place[] = [];
  let line = 1;
  let lineStart = 0;
  let at = 0;
  for (const token of tokensOf(sql)) {
    if (token.kind !== 'comment' && !/^\s+$/u.test(token.text))
      places.push({ ...token, line, column: at - lineStart + 1, word: token.text.toLowerCase() });
    for (let feed = token.text.indexOf('\n'); feed >= 0; feed = token.text.indexOf('\n', feed + 1)) {
      line += 1;
      lineStart = at + feed + 1;
    }
    at += token.text.length;
  }
  return places;
}

class Lint {
  readonly #places: readonly Place[];
  readonly #findings: PortabilityFinding[] = [];
  readonly #open: Bracket[] = [];

  constructor(places: readonly Place[]) {
    this.#places = places;
  }

  run(): readonly PortabilityFinding[] {
    if (this.#word(0) === 'from') this.#report(0, 'FROM at the beginning', 'SELECT … FROM …');
    for (let at = 0; at < this.#places.length; at++) this.#look(at);
    return this.#findings;
  }

  /** Empty where there is none, or where it is quoted. */
  #word(at: number): string {
    const place = this.#places[at];
    return place?.kind === 'word' ? place.word : '';
  }

  #text(at: number): string {
    return this.#places[at]?.text ?? '';
  }

  /** Whether these two characters are written without a space. */
  #joins(at: number, text: string): boolean {
    const first = this.#places[at];
    if (first === undefined) return false;
    for (let index = 0; index < text.length; ) {
      const place = this.#places[at];
      if (place?.kind !== 'other' || place.line !== first.line || place.column !== first.column + index) return false;
      if (!text.startsWith(place.text, index)) return false;
      index += place.text.length;
      at += 1;
    }
    return true;
  }

  #report(at: number, found: string, instead: string): void {
    const { line, column } = this.#places[at] ?? { line: 1, column: 1 };
    this.#findings.push({ line, column, found, instead });
  }

  #look(at: number): void {
    const place = this.#places[at];
    if (place === undefined) return;
    if (place.kind === 'word') this.#lookAtWord(at, place);
    else if (place.kind === 'text') this.#lookAtText(at, place);
    else if (place.kind === 'other') this.#lookAtSymbol(at, place);
  }

  #lookAtWord(at: number, { word, text }: Place): void {
    const isMember = this.#text(at - 1) === '.';
    const next = this.#text(at + 1);
    if (isMember && next !== '(') return;
    const instead = WORDS[word];
    // A column may have such a name.
    if (instead !== undefined && !/^(?:[,.=<>)]|from|as|)$/iu.test(next) && next !== '(')
      this.#report(at, text, instead);
    const second = word === 'group' || word === 'order' ? this.#word(at + 2) : this.#word(at + 1);
    for (const [first, other, better] of PAIRS)
      if (word === first && second === other) this.#report(at, `${text} … ${other.toUpperCase()}`, better);
    if (word === 'interval') this.#lookAtInterval(at);
    if (word === 'limit' && this.#word(at + 2) === 'offset')
      this.#report(at, 'LIMIT before OFFSET', 'OFFSET m LIMIT n');
    if (word === 'as' && /^(?:try_)?cast$/u.test(this.#open.at(-1)?.name ?? '')) this.#lookAtType(at + 1);
    if (next !== '(' || BEFORE_BRACKET.has(word) || FUNCTIONS.has(word)) return;
    // `name AS (…)` and `name (a, b) AS (…)` begin a common table expression; `AS name (a, b)` names columns; types have numbers.
    if (TYPES.has(word) || this.#word(at - 1) === 'as' || this.#namesColumns(at + 1)) return;
    this.#report(
      at,
      `${text}()`,
      OTHER_NAMES[word] ??
        `what docs/detector-sql.md has for it: it knows no ${word}()${suggestion(word, [...FUNCTIONS])}`.trimEnd(),
    );
  }

  /** Whether the bracket at `at` holds names of columns and AS follows it, or it follows a table. */
  #namesColumns(at: number): boolean {
    let end = at + 1;
    while (this.#places[end]?.kind === 'word' || this.#places[end]?.kind === 'quoted' || this.#text(end) === ',') end++;
    const before = this.#text(at - 2);
    return this.#text(end) === ')' && (this.#word(end + 1) === 'as' || before === ')');
  }

  #lookAtInterval(at: number): void {
    const number = this.#places[at + 1];
    if (number === undefined || /^[,.=<>)]?$/u.test(number.text)) return;
    const unit = this.#word(at + 2);
    if (number.kind !== 'text')
      this.#report(at, `INTERVAL ${number.text} ${this.#text(at + 2)}`.trim(), "INTERVAL '10' MINUTE");
    else if (!UNITS.test(unit))
      this.#report(
        at,
        `INTERVAL ${number.text} ${this.#text(at + 2)}`.trim(),
        "INTERVAL '10' MINUTE: a number in quotes, and one of SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, YEAR",
      );
  }

  #lookAtType(at: number): void {
    const word = this.#word(at);
    if (word === '' || TYPES.has(word)) return;
    this.#report(
      at,
      `the type ${this.#text(at)}`,
      OTHER_TYPES[word] ?? `a type of Trino, such as VARCHAR, BIGINT or TIMESTAMP`,
    );
  }

  #lookAtText(at: number, { text }: Place): void {
    if (!text.startsWith("'")) {
      this.#report(at, text.slice(0, 20), "text in single quotes, with '' for a quote in it");
      return;
    }
    const name = this.#open.at(-1)?.name ?? '';
    if (name.startsWith('regexp_') && NO_RE2.test(text))
      this.#report(at, text, "a pattern of RE2's subset: no look-around, no back-references; $1 in a replacement");
    if (name.startsWith('json_extract') && text.startsWith("'$") && /\[[^\d\]]/u.test(text))
      this.#report(
        at,
        text,
        'a path of keys and numbers, such as $.a.b[0]."c d": the engines differ about ["…"] and [*]',
      );
  }

  #lookAtSymbol(at: number, { text }: Place): void {
    if (text === '(' || text === '[' || text === '{') {
      if (text === '{') this.#report(at, '{…}', 'columns of their own, or CAST(ROW(…) AS ROW(…))');
      if (text === '[') this.#lookAtIndex(at);
      this.#open.push({ name: text === '(' ? this.#word(at - 1) : '' });
      return;
    }
    if (text === ')' || text === ']' || text === '}') {
      this.#open.pop();
      return;
    }
    for (const [operator, instead] of OPERATORS)
      if (this.#joins(at, operator) && !this.#joins(at - 1, operator)) this.#report(at, operator, instead);
    if (this.#joins(at, '->') && !this.#joins(at, '->>') && !this.#open.some(({ name }) => name === 'filter'))
      this.#report(at, '->', 'json_extract(json, path), or filter(list, x -> …)');
    if (text === '*' && /^(exclude|replace|rename)$/u.test(this.#word(at + 1)))
      this.#report(at, `* ${this.#text(at + 1)}`, 'the columns, one by one');
    if (text === '~' && !this.#joins(at - 1, '!~')) this.#report(at, '~', 'regexp_like(…)');
    if (text === '&' || (text === '|' && !this.#joins(at, '||') && !this.#joins(at - 1, '||')))
      this.#report(at, text, 'bitwise functions are not in the subset: compare numbers instead');
  }

  /** `list[1]`, or a list without ARRAY. */
  #lookAtIndex(at: number): void {
    const before = this.#places[at - 1];
    if (before?.word === 'array') return;
    const isIndex =
      before !== undefined &&
      (before.kind === 'word' || before.kind === 'quoted' || /^[)\]]$/u.test(before.text)) &&
      !BEFORE_BRACKET.has(before.word);
    this.#report(at, isIndex ? `${before.text}[…]` : '[…]', isIndex ? 'element_at(list, n)' : 'ARRAY[…]');
  }
}
