/** Portable SQL as the text that Athena gets: values filled in, logical tables as what stands for them there. */
import type { Param } from '../../backend.ts';
import { AppError } from '../../errors.ts';
import type { Table } from '../../table.ts';
import type { Window } from '../../time.ts';
import { type Token, tokensOf } from '../lexer.ts';
import { TEXT_BYTES_MAX } from './scale.ts';

/** What a logical table stands for on the engine: a relation, and how to prune it. */
export interface AthenaRelation {
  readonly table: Table;
  /** A qualified name, or a SELECT in brackets. */
  readonly relation: string;
  /** A filter over its columns that leaves out what cannot hold events of the scope; null: nothing to prune by. */
  readonly prune: (scope: Window) => string | null;
}

export interface StatementOptions {
  readonly params: Readonly<Record<string, Param>>;
  readonly relations: readonly AthenaRelation[];
  readonly lists: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly scope: Window | null;
}

const text = (value: string): string => `'${value.replaceAll("'", "''")}'`;

/** A value as a literal of its type. */
function literal(value: Param): string {
  if (value === null) return 'CAST(NULL AS varchar)';
  if (typeof value === 'string') return text(value);
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? `CAST(${value} AS bigint)` : `CAST('${value}' AS double)`;
  if (value instanceof Date) return `TIMESTAMP '${value.toISOString().replace('T', ' ').replace('Z', '')}'`;
  return value.length === 0 ? 'CAST(ARRAY[] AS ARRAY(varchar))' : `ARRAY[${value.map(text).join(', ')}]`;
}

/** After a table they begin what comes next; any other word is an alias. */
const AFTER_TABLE =
  /^(?:where|group|order|having|limit|offset|fetch|union|except|intersect|join|left|right|inner|full|cross|natural|on|using|window|tablesample)$/iu;
/** They end the list of a FROM. */
const AFTER_FROM = /^(?:where|group|order|having|limit|offset|fetch|union|except|intersect|select|window)$/iu;
const isBlank = ({ kind, text: raw }: Token): boolean => kind === 'comment' || /^\s+$/u.test(raw);

/** Throws `sql-invalid` for a parameter without a value and for a text that is too long for Athena. */
export function toAthena(sql: string, options: StatementOptions): string {
  const tokens = tokensOf(sql.replace(/;\s*$/u, ''));
  const solid = tokens.flatMap((token, at) => (isBlank(token) ? [] : [at]));
  const word = (at: number | undefined): string => (at === undefined ? '' : (tokens[at]?.text.toLowerCase() ?? ''));
  const ctes = new Set(
    solid.flatMap((at, index) =>
      word(solid[index + 1]) === 'as' &&
      word(solid[index + 2]) === '(' &&
      /^(?:with|recursive|,)$/u.test(word(solid[index - 1]))
        ? [word(at)]
        : [],
    ),
  );
  const out = tokens.map((token) => token.text);
  const inFrom: boolean[] = [false];
  for (const [index, at] of solid.entries()) {
    const token = tokens[at] as Token;
    const before = word(solid[index - 1]);
    if (token.text === '(') inFrom.push(false);
    else if (token.text === ')') inFrom.pop();
    else if (/^(?:from|join)$/iu.test(token.text)) inFrom[inFrom.length - 1] = true;
    else if (AFTER_FROM.test(token.text)) inFrom[inFrom.length - 1] = false;
    if (token.kind === 'parameter') out[at] = literal(valueOf(token.text.slice(1), options.params));
    const isPlace = /^(?:from|join)$/u.test(before) || (before === ',' && inFrom.at(-1) === true);
    if (!isPlace || (token.kind !== 'word' && token.kind !== 'quoted')) continue;
    const isQualified = word(at) === 'main' && word(solid[index + 1]) === '.';
    const nameAt = isQualified ? solid[index + 2] : at;
    const name = word(nameAt).replace(/^"(.*)"$/u, '$1');
    const relation = isQualified || !ctes.has(name) ? relationOf(name, options) : null;
    if (relation === null || nameAt === undefined) continue;
    for (let skipped = at; skipped < nameAt; skipped += 1) out[skipped] = '';
    const next = tokens[solid[index + (isQualified ? 3 : 1)] ?? -1];
    const isNamed = next?.kind === 'quoted' || (next?.kind === 'word' && !AFTER_TABLE.test(next.text));
    out[nameAt] = `${relation}${isNamed ? '' : ` AS ${name}`}`;
  }
  const whole = out.join('');
  const bytes = Buffer.byteLength(whole);
  if (bytes <= TEXT_BYTES_MAX) return whole;
  throw new AppError(
    'sql-invalid',
    `cannot run the statement on Athena: its text has ${bytes} bytes, expected ${TEXT_BYTES_MAX} at most`,
    {
      hint: 'Run fewer detectors at a time, or shorten its lists.',
    },
  );
}

function valueOf(name: string, params: Readonly<Record<string, Param>>): Param {
  const value = params[name];
  if (value === undefined)
    throw new AppError('sql-invalid', `cannot run the statement: it needs a value for the parameter :${name}`);
  return value;
}

function relationOf(name: string, { relations, lists, scope }: StatementOptions): string | null {
  const list = lists.find((one) => `list_${one.name}`.toLowerCase() === name);
  if (list !== undefined) {
    return list.values.length === 0
      ? '(SELECT CAST(NULL AS varchar) AS value WHERE false)'
      : `(SELECT value FROM (VALUES ${list.values.map((value) => `(${text(value)})`).join(', ')}) AS listed (value))`;
  }
  const found = relations.find(({ table }) => table.name === name);
  if (found === undefined) return null;
  const filter = scope === null ? null : found.prune(scope);
  return filter === null
    ? `(SELECT * FROM ${found.relation} AS whole)`
    : `(SELECT * FROM ${found.relation} AS whole WHERE ${filter})`;
}
