/** The condition tree as portable SQL: two-valued, and no value in it can become SQL. */
import { isIP } from 'node:net';
import { type Condition, type Match, type ParameterRef, type Scalar, TIME_PARTS, type TimePart } from '../detector.ts';
import { AppError } from '../errors.ts';
import { suggestion } from '../suggest.ts';
import type { Column, Table } from '../table.ts';

/** What a condition is compiled against. */
export interface ConditionContext {
  readonly detector: string;
  readonly table: Table;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly lists: Readonly<Record<string, readonly string[]>>;
}

/** A leaf is SQL that is true or false, never NULL. */
export type ConditionNode =
  | { readonly kind: 'all' | 'any'; readonly nodes: readonly ConditionNode[] }
  | { readonly kind: 'not'; readonly node: ConditionNode }
  | {
      readonly kind: 'leaf';
      readonly sql: string;
      readonly columns: readonly Column[];
      /** The text column whose few values are worth testing once each, before any event is; null where the test is cheap or not of one column. */
      readonly lookup: string | null;
      /** Where the test is that `lower` of that column equals one of these: then whoever knows its values need not ask an engine. */
      readonly folded: readonly string[] | null;
      /** Of a test of one JSON column: where it holds, one of these stands in the column's text, or an escape by which any letter may be written. Null where nothing can be said. */
      readonly traces: readonly string[] | null;
    };

/** Compared regardless of case: services disagree with themselves about it. */
const CASELESS: ReadonlySet<string> = new Set(['event_name', 'event_source']);
/** Operators that compare a value with constants. */
const VALUE_OPERATORS: ReadonlySet<string> = new Set(['is', 'contains', 'startswith', 'endswith', 'like']);
/** What says how operators compare, and compares nothing itself. */
const MANNERS: ReadonlySet<string> = new Set(['caseless', 'part', 'unquoted']);
/** Operators that take a part of a time. */
const PART_OPERATORS: ReadonlySet<string> = new Set(['is', 'gt', 'gte', 'lt', 'lte']);
/** Up to here a list stands in the statement as literals; a longer one is read from its table. */
const INLINE_VALUES_MAX = 1000;
/** Keys that both engines take in a JSON path without quotes. */
const PATH_KEY = /^[A-Za-z0-9_:@/-]+$/u;
/** What stands in JSON as it is, unless letters are escaped: a slash may be, a quote must be. */
const TRACE = /^[A-Za-z0-9_@:. *-]*[A-Za-z][A-Za-z0-9_@:. *-]*$/u;
/** Where more values are looked for, the name of their member is. */
const TRACES_MAX = 3;
/** Look-around, back-references and possessive forms, which RE2 lacks. */
const NOT_RE2 = /\(\?(?:[=!]|<[=!]|>)|\\[1-9]|[*+?}]\+/u;

/** Reads a condition, checks its columns, paths and values. Throws `detector-invalid`, naming detector and key. */
export function parseCondition(condition: Condition, context: ConditionContext): ConditionNode {
  if (typeof condition !== 'object' || condition === null || Array.isArray(condition)) {
    throw invalid(context, `a condition is ${JSON.stringify(condition)}, expected an object`);
  }
  const nodes = Object.entries(condition).map(([key, value]): ConditionNode => {
    if (key === 'all' || key === 'any') {
      if (!Array.isArray(value))
        throw invalid(context, `'${key}' holds ${JSON.stringify(value)}, expected a list of conditions`);
      return { kind: key, nodes: value.map((inner) => parseCondition(inner, context)) };
    }
    if (key === 'not') return { kind: 'not', node: parseCondition(value as Condition, context) };
    return parseMatch(key, value as Match, context);
  });
  return all(nodes);
}

const all = (nodes: readonly ConditionNode[]): ConditionNode =>
  nodes.length === 1 && nodes[0] !== undefined ? nodes[0] : { kind: 'all', nodes };

export const conditionSql = (node: ConditionNode): string => String(bound(node, () => true, true));

type Leaf = Extract<ConditionNode, { readonly kind: 'leaf' }>;

export function leavesOf(node: ConditionNode): readonly Leaf[] {
  if (node.kind === 'leaf') return [node];
  return node.kind === 'not' ? leavesOf(node.node) : node.nodes.flatMap(leavesOf);
}

/** The condition with other leaves. */
export function withLeaves(node: ConditionNode, change: (leaf: Leaf) => ConditionNode): ConditionNode {
  if (node.kind === 'leaf') return change(node);
  if (node.kind === 'not') return { kind: 'not', node: withLeaves(node.node, change) };
  return { kind: node.kind, nodes: node.nodes.map((inner) => withLeaves(inner, change)) };
}

/** A leaf whose column takes exactly these values where it holds. */
export function lookedUp(test: Leaf, values: readonly string[]): ConditionNode {
  if (values.length === 0) return { kind: 'any', nodes: [] };
  const literals = values.map((value) => textLiteral(value));
  return {
    ...test,
    sql: `coalesce(${test.lookup} IN (${literals.join(', ')}), false)`,
    lookup: null,
    folded: null,
    traces: null,
  };
}

/** A condition that holds wherever this one does, over cheap columns only: what a scan may filter by before it looks at the others. True if nothing can be said. */
export function necessarySql(node: ConditionNode, isCheap: (column: Column) => boolean): string | true {
  const sql = bound(node, isCheap, true);
  return sql === false ? 'false' : sql;
}

/** Replaces leaves over other columns by `unknown` (true when a necessary condition is sought, false for a sufficient one) and simplifies: a parameter's default may make a test that nothing passes. */
function bound(node: ConditionNode, isCheap: (column: Column) => boolean, unknown: boolean): string | boolean {
  if (node.kind === 'leaf') return node.columns.every(isCheap) ? node.sql : unknown;
  if (node.kind === 'not') {
    const inner = bound(node.node, isCheap, !unknown);
    return typeof inner === 'boolean' ? !inner : `NOT ${inner}`;
  }
  const [neutral, joint] = node.kind === 'all' ? ([true, ' AND '] as const) : ([false, ' OR '] as const);
  const parts = new Set(partsOf(node).map((inner) => bound(inner, isCheap, unknown)));
  const isSettled = [...parts].some((part) => part === !neutral || parts.has(`NOT ${part}`));
  if (isSettled) return !neutral;
  parts.delete(neutral);
  return parts.size === 0 ? neutral : `(${[...parts].join(joint)})`;
}

/** What is joined with the same word, also further within. */
const partsOf = ({ kind, nodes }: Extract<ConditionNode, { readonly nodes: unknown }>): readonly ConditionNode[] =>
  nodes.flatMap((inner) => (inner.kind === kind ? partsOf(inner) : [inner]));

/** What stands behind the column of addresses for the network of each. */
const NETWORK = 'network';
/** Of an IPv4 address the first half, of an IPv6 one the first two groups, of a name nothing. */
const networkSql = (address: string): string =>
  `regexp_extract(${address}, '^([0-9]+[.][0-9]+|[0-9a-fA-F]*:[0-9a-fA-F]*)')`;

/** A column or path as one value per event: text for the subject of a finding, for `distinct`, `by` and baselines. */
export function valueSql(key: string, context: ConditionContext): string {
  const { sourceIp } = context.table.roles;
  if (sourceIp !== null && key === `${sourceIp}.${NETWORK}`) return networkSql(sourceIp);
  const { column, path } = resolve(key, context);
  if (path.some(({ isArray }) => isArray) || (column.type === 'VARCHAR[]' && path.length === 0)) {
    throw invalid(context, `'${key}' has many values, expected a column or path with one`);
  }
  if (path.length > 0) return `json_extract_scalar(${column.name}, '${jsonPath(path)}')`;
  return column.type === 'VARCHAR' ? column.name : `CAST(${column.name} AS VARCHAR)`;
}

/** A placeholder of a summary: the text of a column, or the JSON at a path up to its first array, of which `rest` is still to be walked. */
export function placeholderSql(
  key: string,
  context: ConditionContext,
): { readonly sql: string; readonly json: boolean; readonly rest: readonly string[] } {
  const { column, path } = resolve(key, context);
  if (column.type === 'VARCHAR[]') return { sql: `array_join(${column.name}, ', ')`, json: false, rest: [] };
  if (path.length === 0) return { sql: valueSql(key, context), json: false, rest: [] };
  const upTo = path.findIndex(({ isArray }) => isArray);
  const head = upTo < 0 ? path : path.slice(0, upTo + 1);
  const rest = upTo < 0 ? [] : path.slice(upTo + 1).map((segment) => segment.key);
  return { sql: `json_format(json_extract(${column.name}, '${jsonPath(head)}'))`, json: true, rest };
}

/** A text literal. Doubling the quote is all it takes on both engines; a NUL, which a record may hold, would end the statement early. */
export function textLiteral(value: string): string {
  const parts = value.split('\0').map((part) => `'${part.replaceAll("'", "''")}'`);
  return parts.length === 1 ? parts.join('') : `(${parts.join(' || chr(0) || ')})`;
}

export function invalid(context: Pick<ConditionContext, 'detector'>, what: string, hint?: string): AppError {
  return new AppError(
    'detector-invalid',
    `cannot use the detector '${context.detector}': ${what}`,
    hint === undefined ? {} : { hint },
  );
}

interface Segment {
  readonly key: string;
  /** `items[]`: what follows is meant for any element. */
  readonly isArray: boolean;
}

interface Place {
  readonly column: Column;
  readonly path: readonly Segment[];
  readonly part?: TimePart | undefined;
  readonly unquoted?: boolean | undefined;
}

function resolve(key: string, context: ConditionContext): Place {
  const [first = '', ...rest] = key.split('.');
  const isList = first.endsWith('[]');
  const name = isList ? first.slice(0, -2) : first;
  const names = context.table.columns.map((column) => column.name);
  const column = context.table.columns.find((candidate) => candidate.name === name);
  if (column === undefined) {
    throw invalid(
      context,
      `the table ${context.table.name} has no column '${name}' (in '${key}')`,
      suggestion(name, names).trim() || `Its columns: ${names.join(', ')}.`,
    );
  }
  if ((rest.length > 0 || isList) && column.json !== true) {
    const json = context.table.columns.filter((candidate) => candidate.json).map((candidate) => candidate.name);
    throw invalid(
      context,
      `'${key}' is a path into ${name}, which holds no JSON`,
      `Columns that do: ${json.join(', ')}.`,
    );
  }
  const path = rest.map((segment): Segment => {
    const isArray = segment.endsWith('[]');
    const plain = isArray ? segment.slice(0, -2) : segment;
    if (!PATH_KEY.test(plain))
      throw invalid(
        context,
        `'${segment}' in the path '${key}' is not a plain key`,
        'Keys are letters, digits and _ - : @ /; `[]` after a key means any element.',
      );
    return { key: plain, isArray };
  });
  return { column, path: isList ? [ROOT, ...path] : path };
}

/** The column itself, where it is a list. */
const ROOT: Segment = { key: '', isArray: true };

const jsonPath = (path: readonly Segment[]): string =>
  `$${path.map((segment) => (segment === ROOT ? '' : `.${segment.key}`)).join('')}`;

/** One value of an event in SQL: as text, and where it comes out of JSON, as JSON. */
interface Operand {
  readonly text: string;
  readonly json: string | null;
}

/** `test` over the value at a place; over any element where the path goes through arrays. A lone value in place of an array counts as its only element. */
function anyValue({ column, path, unquoted }: Place, test: (operand: Operand) => string): string {
  if (column.type === 'VARCHAR[]')
    return `cardinality(filter(${column.name}, x0 -> coalesce(${test({ text: 'x0', json: null })}, false))) > 0`;
  if (path.length === 0) {
    const text = column.type === 'VARCHAR' ? column.name : `CAST(${column.name} AS VARCHAR)`;
    return test({ text: unquoted === true ? `replace(${text}, '\\"', '"')` : text, json: null });
  }
  return walk(column.name, path, 0, test);
}

function walk(json: string, path: readonly Segment[], depth: number, test: (operand: Operand) => string): string {
  const upTo = path.findIndex(({ isArray }) => isArray);
  if (upTo < 0) {
    if (path.length === 0) return test({ text: elementText(json), json });
    const place = jsonPath(path);
    return test({ text: `json_extract_scalar(${json}, '${place}')`, json: `json_extract(${json}, '${place}')` });
  }
  const array = `json_extract(${json}, '${jsonPath(path.slice(0, upTo + 1))}')`;
  const element = `x${depth}`;
  const inner = walk(element, path.slice(upTo + 1), depth + 1, test);
  return `cardinality(filter(coalesce(TRY_CAST(${array} AS ARRAY(JSON)), ARRAY[${array}]), ${element} -> coalesce(${inner}, false))) > 0`;
}

/** An object counts as its JSON text on either engine. */
const elementText = (json: string): string =>
  `coalesce(json_extract_scalar(${json}, '$'), nullif(json_format(${json}), 'null'))`;

type Operators = Exclude<Match, Scalar | ParameterRef | readonly Scalar[]>;

function isParameterRef(value: unknown): value is ParameterRef {
  return typeof value === 'object' && value !== null && 'parameter' in value && Object.keys(value).length === 1;
}

function parseMatch(key: string, match: Match, context: ConditionContext): ConditionNode {
  const isOperators = typeof match === 'object' && match !== null && !Array.isArray(match) && !isParameterRef(match);
  const operators: Operators = isOperators ? (match as Operators) : { is: match as Scalar };
  const place = placeOf(key, operators, context);
  const entries = Object.entries(operators).filter(([operator]) => !MANNERS.has(operator));
  if (entries.length === 0) throw invalid(context, `'${key}' says nothing to compare with`);
  return all(
    entries.map(([operator, operand]) =>
      leaf({
        key,
        place,
        operator,
        operand: isParameterRef(operand) ? parameterValue(operand, key, context) : operand,
        caseless: operators.caseless,
        isCaseless: operators.caseless ?? isCaselessColumn(place),
        context,
      }),
    ),
  );
}

const isCaselessColumn = ({ column, path }: Place): boolean => CASELESS.has(column.name) && path.length === 0;

/** The place of a key, with what is to be compared of it. */
function placeOf(key: string, { caseless, part, unquoted, ...operators }: Operators, context: ConditionContext): Place {
  const place = resolve(key, context);
  if (caseless !== undefined && typeof caseless !== 'boolean')
    throw invalid(context, `'caseless' of '${key}' is ${JSON.stringify(caseless)}, expected true or false`);
  if (part !== undefined) {
    if (!TIME_PARTS.includes(part))
      throw invalid(context, `'part' of '${key}' is ${JSON.stringify(part)}, expected one of ${TIME_PARTS.join(', ')}`);
    if (place.column.type !== 'TIMESTAMP') throw invalid(context, `'${key}' is no time: it has no ${part}`);
    const other = Object.keys(operators).find((operator) => !PART_OPERATORS.has(operator));
    if (other !== undefined)
      throw invalid(context, `the ${part} of '${key}' is a number, which '${other}' does not compare`);
  }
  if (unquoted === true && (place.column.json !== true || place.path.length > 0))
    throw invalid(context, `'unquoted' of '${key}' is for the whole text of a JSON column`);
  return { ...place, part, unquoted };
}

function parameterValue({ parameter }: ParameterRef, key: string, context: ConditionContext): unknown {
  const value = context.parameters[parameter];
  if (value === undefined) throw invalid(context, `'${key}' uses the parameter '${parameter}', which has no value`);
  return value;
}

interface LeafSpec {
  readonly key: string;
  readonly place: Place;
  readonly operator: string;
  readonly operand: unknown;
  /** As it is written. */
  readonly caseless: boolean | undefined;
  readonly isCaseless: boolean;
  readonly context: ConditionContext;
}

function leaf(spec: LeafSpec): ConditionNode {
  const { place, operator, operand, isCaseless } = spec;
  const sql = `coalesce(${testSql(spec)}, false)`;
  const columns =
    operator === 'column' ? [place.column, resolve(otherColumn(spec).name, spec.context).column] : [place.column];
  const isOfColumn = place.path.length === 0 && place.column.type === 'VARCHAR' && place.column.json !== true;
  const isCostly = operator === 're' || operator === 'like' || (isCaseless && VALUE_OPERATORS.has(operator));
  const values: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  const isEquality =
    isOfColumn && isCaseless && operator === 'is' && values.every((value) => typeof value === 'string');
  const node: ConditionNode = {
    kind: 'leaf',
    sql,
    columns,
    lookup: isOfColumn && isCostly ? place.column.name : null,
    folded: isEquality ? values.map((value) => value.toLowerCase()) : null,
    traces: columns.length === 1 ? tracesOf(spec, values) : null,
  };
  return operator === 'exists' && operand === false ? { kind: 'not', node } : node;
}

function tracesOf({ place, operator, isCaseless }: LeafSpec, values: readonly unknown[]): readonly string[] | null {
  const { column, path, unquoted } = place;
  if (column.json !== true || path.length === 0 || unquoted === true) return null;
  const isTrace = (value: unknown): value is string =>
    typeof value === 'string' && TRACE.test(value) && Number.isNaN(Number(value));
  const isOfParts = !isCaseless && operator !== 'like' && VALUE_OPERATORS.has(operator);
  if (isOfParts && values.length <= TRACES_MAX && values.every(isTrace)) return values;
  const [first] = path;
  return first !== undefined && first !== ROOT && TRACE.test(first.key) ? [first.key] : null;
}

function testSql(spec: LeafSpec): string {
  const { key, place, operator, operand, isCaseless, context } = spec;
  const fold = (text: string): string => (isCaseless ? `lower(${text})` : text);
  const literal = (value: string): string => textLiteral(isCaseless ? value.toLowerCase() : value);
  const some = (test: (text: string, value: string) => string): string => {
    const values = texts(spec);
    return anyValue(place, ({ text }) => or(values.map((value) => test(fold(text), value))));
  };
  // Every text holds, begins and ends with the empty one.
  const somePart = (test: (text: string, value: string) => string): string =>
    some((text, value) => (value === '' ? `${text} IS NOT NULL` : test(text, value)));
  switch (operator) {
    case 'is':
      return equalsSql(spec, fold, literal);
    case 'contains':
      return somePart((text, value) => `strpos(${text}, ${literal(value)}) > 0`);
    case 'startswith':
      return somePart((text, value) => `starts_with(${text}, ${literal(value)})`);
    case 'endswith':
      return somePart((text, value) => {
        const length = Array.from(value).length;
        return `(length(${text}) >= ${length} AND substr(${text}, length(${text}) - ${length - 1}) = ${literal(value)})`;
      });
    case 'like':
      return some((text, value) => `${text} LIKE ${literal(likePattern(value))} ESCAPE '\\'`);
    case 're': {
      const [pattern = ''] = texts({ ...spec, operand: typeof operand === 'string' ? operand : [] });
      if (NOT_RE2.test(pattern))
        throw invalid(
          context,
          `the pattern of '${key}' uses look-around, a back-reference or a possessive quantifier, which RE2 has not`,
        );
      const prefix = isCaseless ? '' : literalPrefix(pattern);
      return anyValue(place, ({ text }) => {
        const like = `regexp_like(${text}, ${textLiteral(isCaseless ? `(?i)${pattern}` : pattern)})`;
        return prefix === '' ? like : `(starts_with(${text}, ${textLiteral(prefix)}) AND ${like})`;
      });
    }
    case 'cidr':
      return some((text, network) => {
        if (!isNetwork(network))
          throw invalid(
            context,
            `'${network}' of '${key}' is not a network`,
            'Expected for example 10.0.0.0/8 or 2001:db8::/32.',
          );
        return `cidr_match(${textLiteral(network)}, ${text})`;
      });
    case 'gt':
    case 'gte':
    case 'lt':
    case 'lte': {
      if (typeof operand !== 'number' || !Number.isFinite(operand)) throw wrongValue(spec, 'a number');
      if (
        place.part === undefined &&
        place.path.length === 0 &&
        !['VARCHAR', 'INTEGER', 'BIGINT'].includes(place.column.type)
      ) {
        throw invalid(
          context,
          `'${key}' is compared by '${operator}', but ${place.column.name} holds no number (${place.column.type})`,
        );
      }
      const sign = { gt: '>', gte: '>=', lt: '<', lte: '<=' }[operator];
      return anyValue(place, ({ text }) => `${numberSql(place, text)} ${sign} ${numberLiteral(operand)}`);
    }
    case 'exists':
      if (typeof operand !== 'boolean') throw wrongValue(spec, 'true or false');
      return anyValue(place, ({ text, json }) => {
        if (json !== null) return `json_format(${json}) <> 'null'`;
        if (place.column.json === true) return `${text} <> 'null'`;
        return `${place.column.type === 'VARCHAR[]' ? text : place.column.name} IS NOT NULL`;
      });
    case 'column': {
      const { name, at } = otherColumn(spec);
      const isFolded = isCaseless || (spec.caseless === undefined && isCaselessColumn(resolve(name, context)));
      const folded = (text: string): string => (isFolded ? `lower(${text})` : text);
      return anyValue(place, ({ text }) => relation(folded(text), folded(valueSql(name, context)), at));
    }
    case 'list':
      return listSql(spec, fold, literal);
    default:
      throw invalid(
        context,
        `'${key}' has the unknown operator '${operator}'.${suggestion(operator, OPERATORS)}`,
        `Operators: ${OPERATORS.join(', ')}.`,
      );
  }
}

type Other = Exclude<NonNullable<Operators['column']>, string>;

/** What a value is compared with by `column`. */
function otherColumn(spec: LeafSpec): { readonly name: string; readonly at: Other['at'] | 'whole' } {
  const { operand } = spec;
  if (typeof operand === 'string') return { name: operand, at: 'whole' };
  const { name, at } = (operand ?? {}) as Partial<Other>;
  if (typeof name === 'string' && (at === 'start' || at === 'end' || at === 'anywhere')) return { name, at };
  throw wrongValue(spec, "the name of a column, or { name, at: 'start', 'end' or 'anywhere' }");
}

function relation(left: string, right: string, at: Other['at'] | 'whole'): string {
  switch (at) {
    case 'whole':
      return `${left} = ${right}`;
    case 'start':
      return `starts_with(${left}, ${right})`;
    case 'end':
      return `(length(${left}) >= length(${right}) AND substr(${left}, length(${left}) - length(${right}) + 1) = ${right})`;
    case 'anywhere':
      return `strpos(${left}, ${right}) > 0`;
  }
}

const OPERATORS = [
  'is',
  'contains',
  'startswith',
  'endswith',
  'like',
  're',
  'cidr',
  'gt',
  'gte',
  'lt',
  'lte',
  'exists',
  'column',
  'list',
  'caseless',
  'part',
  'unquoted',
];

const or = (tests: readonly string[]): string =>
  tests.length === 0 ? 'false' : tests.length === 1 && tests[0] !== undefined ? tests[0] : `(${tests.join(' OR ')})`;

/** In the letters of LIKE. */
const likePattern = (value: string): string =>
  value.replaceAll(/\\[*?\\]|[*?%_\\]/gu, (found) => {
    if (found === '*') return '%';
    if (found === '?') return '_';
    const plain = found.at(-1) ?? '';
    return /[%_\\]/u.test(plain) ? `\\${plain}` : plain;
  });

/** The text with which all that fits an anchored pattern begins: far cheaper to look for than the pattern. */
function literalPrefix(pattern: string): string {
  const [whole = '', prefix = ''] = pattern.includes('|') ? [] : (/^\^([\w/:@-]+)/u.exec(pattern) ?? []);
  return /^[*+?{]/u.test(pattern.slice(whole.length)) ? prefix.slice(0, -1) : prefix;
}

const isNumeric = ({ column, path, part }: Place): boolean =>
  part !== undefined || (path.length === 0 && (column.type === 'INTEGER' || column.type === 'BIGINT'));
function numberSql(place: Place, text: string): string {
  if (place.part !== undefined) return `${place.part}(${place.column.name})`;
  return isNumeric(place) ? place.column.name : `TRY_CAST(${text} AS DOUBLE)`;
}
/** Beyond 1e21 JavaScript writes an exponent, which SQL reads as well. */
const numberLiteral = (value: number): string => (value < 0 ? `(${value})` : String(value));

function equalsSql(spec: LeafSpec, fold: (text: string) => string, literal: (value: string) => string): string {
  const { place, operand } = spec;
  const values = (Array.isArray(operand) ? operand : [operand]) as readonly unknown[];
  if (
    !values.every(
      (value) =>
        typeof value === 'string' ||
        typeof value === 'boolean' ||
        (typeof value === 'number' && Number.isFinite(value)),
    )
  ) {
    throw wrongValue(spec, 'texts, numbers or booleans');
  }
  const isPlain = place.path.length === 0;
  if (isPlain && place.column.type === 'BOOLEAN') {
    if (!values.every((value) => typeof value === 'boolean')) throw wrongValue(spec, 'true or false');
    return or(values.map((value) => `${place.column.name} = ${value}`));
  }
  if (isNumeric(place)) {
    if (!values.every((value) => typeof value === 'number')) throw wrongValue(spec, 'a number');
    return `${numberSql(place, '')} IN (${values.map(numberLiteral).join(', ')})`;
  }
  if (isPlain && place.column.type === 'TIMESTAMP') {
    throw invalid(spec.context, `'${spec.key}' is compared with a time: that is what the window of a hunt does`);
  }
  const numbers = values.filter((value) => typeof value === 'number');
  const others = values.filter((value) => typeof value !== 'number').map((value) => literal(String(value)));
  return anyValue(place, ({ text }) =>
    or([
      ...(others.length === 1
        ? [`${fold(text)} = ${others[0]}`]
        : others.length > 1
          ? [`${fold(text)} IN (${others.join(', ')})`]
          : []),
      ...(numbers.length > 0 ? [`TRY_CAST(${text} AS DOUBLE) IN (${numbers.map(numberLiteral).join(', ')})`] : []),
    ]),
  );
}

function listSql(spec: LeafSpec, fold: (text: string) => string, literal: (value: string) => string): string {
  const { place, operand, context } = spec;
  if (typeof operand !== 'string') throw wrongValue(spec, 'the name of a list');
  const values = Object.hasOwn(context.lists, operand) ? context.lists[operand] : undefined;
  if (values === undefined) {
    const names = Object.keys(context.lists);
    throw invalid(
      context,
      `there is no list '${operand}'.${suggestion(operand, names)}`,
      `Lists: ${names.join(', ') || 'none'}. Define it under lists: in the config.`,
    );
  }
  if (values.length === 0) return 'false';
  const networks = values.filter((value) => isNetwork(value)).map((value) => textLiteral(value));
  // Addresses of IPv6 stand there as AWS writes them; other clients write them in capitals.
  const addresses = values.filter((value) => isIP(value) === 6).map((value) => textLiteral(value));
  const inOtherCase = (text: string): readonly string[] =>
    addresses.length === 0 || addresses.length > INLINE_VALUES_MAX
      ? []
      : [`lower(${text}) IN (${addresses.join(', ')})`];
  const isInLambda = place.column.type === 'VARCHAR[]' || place.path.some(({ isArray }) => isArray);
  return anyValue(place, ({ text }) => {
    // Neither engine takes a sub-query inside a lambda.
    const equal =
      isInLambda || values.length <= INLINE_VALUES_MAX
        ? `${fold(text)} IN (${values.map(literal).join(', ')})`
        : `${fold(text)} IN (SELECT ${fold('value')} FROM list_${operand})`;
    return or([equal, ...inOtherCase(text), ...networks.map((network) => `cidr_match(${network}, ${text})`)]);
  });
}

/** The operand as a list of texts. */
function texts(spec: LeafSpec): readonly string[] {
  const values = Array.isArray(spec.operand) ? spec.operand : [spec.operand];
  if (values.length === 0 || !values.every((value) => typeof value === 'string'))
    throw wrongValue(spec, 'a text or a list of texts');
  if (spec.place.path.length === 0 && !['VARCHAR', 'VARCHAR[]', 'INTEGER', 'BIGINT'].includes(spec.place.column.type)) {
    throw invalid(
      spec.context,
      `'${spec.key}' is compared by '${spec.operator}', but ${spec.place.column.name} holds no text (${spec.place.column.type})`,
    );
  }
  return values;
}

function isNetwork(text: string): boolean {
  const [address = '', bits = '', ...more] = text.split('/');
  const family = isIP(address);
  return more.length === 0 && family !== 0 && /^\d{1,3}$/u.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

function wrongValue({ key, operator, operand, context }: LeafSpec, expected: string): AppError {
  return invalid(
    context,
    `'${key}' is compared by '${operator}' with ${JSON.stringify(operand)}, expected ${expected}`,
  );
}

/** A condition without one of its leaves. */
export interface Mutant {
  /** The leaf that is missing, as it is written. */
  readonly leaf: string;
  readonly condition: Condition;
}

/** The condition without each of its leaves in turn: every predicate needs an example that fails without it. A condition that has lost its last leaf holds always. */
export function mutants(condition: Condition): readonly Mutant[] {
  return without(condition).map(({ leaf: missing, rest }) => ({ leaf: missing, condition: rest ?? { all: [] } }));
}

function without(condition: Condition): readonly { readonly leaf: string; readonly rest: Condition | null }[] {
  const parts = Object.entries(condition).flatMap(([key, value]): readonly Condition[] => {
    const isOperators = typeof value === 'object' && value !== null && !Array.isArray(value) && !isParameterRef(value);
    if (['all', 'any', 'not'].includes(key) || !isOperators) return [{ [key]: value }];
    const entries = Object.entries(value);
    const manners = Object.fromEntries(entries.filter(([operator]) => MANNERS.has(operator)));
    return entries
      .filter(([operator]) => !MANNERS.has(operator))
      .map(([operator, operand]) => ({ [key]: { [operator]: operand, ...manners } }));
  });
  if (parts.length !== 1) return withoutPart(parts, (rest) => ({ all: rest }));
  const [key, value] = Object.entries(parts[0] ?? {})[0] ?? [];
  if (key === 'all' || key === 'any')
    return withoutPart(value, (rest) => (key === 'all' ? { all: rest } : { any: rest }));
  if (key === 'not')
    return without(value).map(({ leaf: missing, rest }) => ({
      leaf: `not ${missing}`,
      rest: rest === null ? null : { not: rest },
    }));
  return [{ leaf: JSON.stringify(parts[0]), rest: null }];
}

function withoutPart(
  parts: readonly Condition[],
  join: (rest: readonly Condition[]) => Condition,
): readonly { readonly leaf: string; readonly rest: Condition | null }[] {
  return parts.flatMap((part, at) =>
    without(part).map(({ leaf: missing, rest }) => {
      const left = parts.flatMap((other, index) => (index !== at ? [other] : rest === null ? [] : [rest]));
      return { leaf: missing, rest: left.length === 0 ? null : join(left) };
    }),
  );
}
