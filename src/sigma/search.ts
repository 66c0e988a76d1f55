/** The searches of a rule as conditions of ours: fields, values and modifiers, and keywords without a field. */
import { isIP } from 'node:net';
import type { Condition, Match, TimePart } from '../detector.ts';
import { TIME_PARTS } from '../detector.ts';
import type { Column, Table } from '../table.ts';
import {
  type Entry,
  type MapValue,
  type Place,
  placeIn,
  RuleProblem,
  type ScalarValue,
  type Value,
} from './document.ts';
import { type Field, fieldOf, textColumns } from './fields.ts';
import {
  ANY,
  base64Anywhere,
  comparison,
  dashVariants,
  type Encoding,
  encode,
  fits,
  isEncoding,
  literals,
  type Pattern,
  parsePattern,
  plainText,
} from './pattern.ts';
import { patternProblem } from './regex.ts';

export interface SearchContext {
  readonly table: Table;
  /** Only what every engine has: no columns that exist locally alone. */
  readonly portable: boolean;
  /** Values of placeholders, by name. */
  readonly placeholders: Readonly<Record<string, readonly string[]>>;
  /** Names of the lists of the config, which may stand for placeholders as well. */
  readonly lists: readonly string[];
  /** Told of what loads, but cannot be what its author meant. */
  readonly warn: (place: Place, message: string) => void;
}

const NEVER: Condition = { any: [] };

const allOf = (parts: readonly Condition[]): Condition =>
  parts.length === 1 && parts[0] !== undefined ? parts[0] : { all: parts };
export const anyOf = (parts: readonly Condition[]): Condition =>
  parts.length === 1 && parts[0] !== undefined ? parts[0] : { any: parts };

/** Names and values that must all hold; a list of which any may; or words of the whole record. Throws `RuleProblem`. */
function searchCondition(search: Value, context: SearchContext): Condition {
  if (search.kind === 'map') {
    if (search.entries.length === 0) throw new RuleProblem(search.place, 'a search is empty');
    return allOf(search.entries.map((entry) => itemCondition(entry, context)));
  }
  if (search.kind === 'list') {
    if (search.items.length === 0) throw new RuleProblem(search.place, 'a search is empty');
    return anyOf(search.items.map((item) => searchCondition(item, context)));
  }
  return itemCondition({ key: '', place: search.place, value: search }, context);
}

const CHANGES = ['windash', 'base64', 'base64offset', 'wide', 'utf16', 'utf16le', 'utf16be', 'expand'] as const;
const POSITIONS = ['contains', 'startswith', 'endswith'] as const;
const COMPARES = ['gt', 'gte', 'lt', 'lte'] as const;
const FLAGS = ['i', 'm', 's'] as const;
const MODIFIERS = [
  ...POSITIONS,
  ...COMPARES,
  ...CHANGES,
  ...FLAGS,
  ...TIME_PARTS,
  'all',
  'cased',
  'neq',
  'exists',
  're',
  'cidr',
  'fieldref',
];
type Position = (typeof POSITIONS)[number];

interface Item {
  /** Null for a search of the whole record. */
  readonly field: Field | null;
  readonly name: string;
  readonly place: Place;
  readonly modifiers: readonly string[];
  readonly context: SearchContext;
}

function itemCondition({ key, place, value }: Entry, context: SearchContext): Condition {
  const [name = '', ...modifiers] = key.split('|');
  const unknown = modifiers.find((modifier) => !MODIFIERS.includes(modifier));
  if (unknown !== undefined) {
    throw new RuleProblem(
      { ...place, column: place.column + key.indexOf(`|${unknown}`) + 1 },
      `there is no modifier '${unknown}': expected ${MODIFIERS.join(', ')}`,
    );
  }
  const item: Item = { field: name === '' ? null : knownField(name, place, context), name, place, modifiers, context };
  const values = value.kind === 'list' ? value.items : [value];
  if (values.length === 0) throw new RuleProblem(place, `'${key}' has no values`);
  const conditions = values.map((one) => {
    if (one.kind !== 'scalar')
      throw new RuleProblem(one.place, `a value of '${key}' is no text, number, true, false or null`);
    return valueCondition(one, item);
  });
  const joined = modifiers.includes('all') ? allOf(conditions) : merged(conditions);
  return modifiers.includes('neq') ? { not: joined } : joined;
}

function knownField(name: string, place: Place, { table, portable, warn }: SearchContext): Field {
  const field = fieldOf(name, table);
  if (typeof field === 'string') throw new RuleProblem(place, field);
  if (portable && field.column.athena === null)
    throw new RuleProblem(place, `the field '${name}' has no column on Athena: it can be looked for in a store only`);
  if (field.isUnknown) warn(place, `no record of ${table.name} is known to have the field '${name}'`);
  return field;
}

/** Alternatives over one key and in one manner as one comparison with a list. */
function merged(conditions: readonly Condition[]): Condition {
  const groups = new Map<string, { key: string; operator: string; values: unknown[]; manners: object }>();
  const others: Condition[] = [];
  for (const condition of conditions) {
    const [[key, match] = ['', null], ...more] = Object.entries(condition) as [string, unknown][];
    const { is, contains, startswith, endswith, like, cidr, ...manners } = (match ?? {}) as Record<string, unknown>;
    const operators = Object.entries({ is, contains, startswith, endswith, like, cidr }).filter(
      ([, value]) => value !== undefined,
    );
    const [[operator, value] = ['', null]] = operators;
    const isPlain =
      more.length === 0 && !['all', 'any', 'not'].includes(key) && operators.length === 1 && !Array.isArray(match);
    if (!isPlain || Object.keys(manners).some((manner) => manner !== 'caseless' && manner !== 'unquoted')) {
      others.push(condition);
      continue;
    }
    const id = JSON.stringify([key, operator, manners]);
    const group = groups.get(id) ?? { key, operator, values: [], manners };
    group.values.push(...(Array.isArray(value) ? value : [value]));
    groups.set(id, group);
  }
  const joined = [...groups.values()].map(
    ({ key, operator, values, manners }): Condition => ({
      [key]: { [operator]: [...new Set(values)], ...manners } as Match,
    }),
  );
  return anyOf([...joined, ...others]);
}

function valueCondition(value: ScalarValue, item: Item): Condition {
  const { modifiers } = item;
  const has = (modifier: string): boolean => modifiers.includes(modifier);
  const kinds = ['exists', 're', 'cidr', 'fieldref', ...COMPARES].filter(has);
  const positions = POSITIONS.filter(has);
  if (kinds.length > 1) throw new RuleProblem(item.place, `'${kinds.join('|')}' compare in two ways at once`);
  if (positions.length > 1) throw new RuleProblem(item.place, `'${positions.join('|')}' cannot all be meant`);
  const part = TIME_PARTS.find(has);
  if (part !== undefined) return partCondition(part, value, item, kinds[0]);
  const flags = FLAGS.filter(has);
  if (flags.length > 0 && !has('re')) throw new RuleProblem(item.place, `'${flags.join('|')}' is for 're' only`);
  const changes = CHANGES.filter(has);
  const [kind] = kinds;
  if (kind !== undefined && kind !== 'cidr' && changes.length > 0)
    throw new RuleProblem(item.place, `'${changes[0]}' cannot be applied before '${kind}'`);
  if (kind !== undefined && kind !== 'fieldref' && kind !== 're' && positions.length > 0)
    throw new RuleProblem(item.place, `'${positions[0]}' has no meaning beside '${kind}'`);
  switch (kind) {
    case 'exists':
      return existsCondition(value, item);
    case 're':
      return regexCondition(value, item);
    case 'cidr':
      return networkCondition(value, item);
    case 'fieldref':
      return referenceCondition(value, item, positions[0] ?? null);
    case undefined:
      return plainCondition(value, item, positions[0] ?? null);
    default:
      return numberCondition(kind as (typeof COMPARES)[number], value, item);
  }
}

/** The field, which a comparison of this kind needs. */
function needField({ field, place, modifiers }: Item): Field {
  if (field === null) throw new RuleProblem(place, `'${modifiers.join('|')}' needs a field`);
  return field;
}

const isBoolean = ({ column, isPath }: Field): boolean => !isPath && column.type === 'BOOLEAN';
const isTime = ({ column, isPath }: Field): boolean => !isPath && column.type === 'TIMESTAMP';
const isWhole = ({ column, isPath }: Field): boolean =>
  !isPath && (column.type === 'INTEGER' || column.type === 'BIGINT');

function existsCondition(value: ScalarValue, item: Item): Condition {
  if (typeof value.value !== 'boolean') throw new RuleProblem(value.place, "'exists' takes true or false");
  return { [needField(item).key]: { exists: value.value } };
}

/** A number of a value: `5`, or `'5'`. */
function numberOf(value: ScalarValue): number {
  const number = typeof value.value === 'number' ? value.value : Number(value.text);
  if (typeof value.value === 'boolean' || value.value === null || value.text.trim() === '' || !Number.isFinite(number))
    throw new RuleProblem(value.place, `'${value.text}' is no number`);
  return number;
}

function numberCondition(operator: (typeof COMPARES)[number], value: ScalarValue, item: Item): Condition {
  const field = needField(item);
  if (isBoolean(field) || isTime(field))
    throw new RuleProblem(item.place, `'${item.name}' holds no number: '${operator}' cannot compare it`);
  return { [field.key]: { [operator]: numberOf(value) } };
}

function partCondition(part: TimePart, value: ScalarValue, item: Item, kind: string | undefined): Condition {
  const field = needField(item);
  if (!isTime(field)) throw new RuleProblem(item.place, `'${item.name}' is no time: it has no ${part}`);
  if (kind !== undefined && !COMPARES.some((one) => one === kind))
    throw new RuleProblem(item.place, `the ${part} of '${item.name}' is a number, which '${kind}' does not compare`);
  return { [field.key]: { part, [kind ?? 'is']: numberOf(value) } };
}

function regexCondition(value: ScalarValue, item: Item): Condition {
  const problem = patternProblem(value.text);
  if (problem !== null)
    throw new RuleProblem(placeIn(value, problem.offset), `cannot use the pattern '${value.text}': ${problem.reason}`);
  const flags = FLAGS.filter((flag) => item.modifiers.includes(flag)).join('');
  const re = flags === '' ? value.text : `(?${flags})${value.text}`;
  const { field } = item;
  if (field === null) return anywhere(item, () => ({ re, caseless: false }));
  if (isTime(field)) throw timeProblem(item);
  if (isBoolean(field)) throw new RuleProblem(item.place, `'${item.name}' is true or false: compare it with that`);
  if (isWhole(field)) throw new RuleProblem(item.place, `'${item.name}' is a number: compare it by gt, gte, lt or lte`);
  const key = /20|\\d|\d-|\[:/u.test(value.text) ? rawName(field).key : field.key;
  return { [key]: { re, caseless: false } };
}

function networkCondition(value: ScalarValue, item: Item): Condition {
  const field = needField(item);
  const texts = item.modifiers.includes('expand') ? expansions(value, item.context) : [value.text];
  if (isListName(texts)) return { [field.key]: { list: texts.list } };
  return merged(
    texts.map((text) => {
      const network = networkOf(text);
      if (network === null)
        throw new RuleProblem(value.place, `'${text}' is no network: expected for example 10.0.0.0/8 or 2001:db8::/32`);
      return { [field.key]: { cidr: network } };
    }),
  );
}

/** A network, or an address as a network of its own. */
function networkOf(text: string): string | null {
  const [address = '', bits, ...more] = text.trim().split('/');
  const most = { 0: null, 4: 32, 6: 128 }[isIP(address)] ?? null;
  if (most === null || more.length > 0) return null;
  if (bits === undefined) return `${address}/${most}`;
  return /^\d{1,3}$/u.test(bits) && Number(bits) <= most ? `${address}/${Number(bits)}` : null;
}

function referenceCondition(value: ScalarValue, item: Item, position: Position | null): Condition {
  const field = needField(item);
  const other = knownField(value.text, value.place, item.context);
  if (other.column.type === 'VARCHAR[]')
    throw new RuleProblem(value.place, `'${value.text}' has many values: a reference needs one`);
  for (const [name, place, one] of [
    [item.name, item.place, field],
    [value.text, value.place, other],
  ] as const)
    if (isTime(one) || isBoolean(one)) throw new RuleProblem(place, `'${name}' is no text, which 'fieldref' compares`);
  const at =
    position === null ? null : ({ startswith: 'start', endswith: 'end', contains: 'anywhere' } as const)[position];
  return {
    [field.key]: { column: at === null ? other.single : { name: other.single, at }, caseless: isCaseless(item) },
  };
}

const isCaseless = ({ modifiers }: Item): boolean => !modifiers.includes('cased');

function plainCondition(value: ScalarValue, item: Item, position: Position | null): Condition {
  const { field } = item;
  if (value.value === null) {
    const known = needField(item);
    if (position !== null) throw new RuleProblem(value.place, `null has no meaning with '${position}'`);
    return { [known.key]: { exists: false } };
  }
  if (typeof value.value === 'number' && field !== null && position === null && !isBoolean(field)) {
    if (isTime(field)) throw timeProblem(item);
    return { [field.key]: { is: value.value } };
  }
  return merged(patternsOf(value, item, position).map((pattern) => patternCondition(pattern, item)));
}

/** The value's patterns after all that changes it, in the order of the modifiers. */
function patternsOf(value: ScalarValue, item: Item, position: Position | null): readonly (Pattern | ListName)[] {
  const first = item.modifiers.includes('expand') ? expansions(value, item.context) : [value.text];
  if (isListName(first)) {
    const unfit = position ?? CHANGES.find((change) => change !== 'expand' && item.modifiers.includes(change));
    if (unfit === undefined) return [first];
    throw new RuleProblem(
      value.place,
      `${value.text} is a list of the config, which is compared as a whole: leave '${unfit}' out`,
    );
  }
  let texts: readonly (string | Buffer | Pattern)[] = first.map((text) => parsePattern(text));
  for (const modifier of item.modifiers) {
    if (modifier === 'windash' || modifier === 'base64' || modifier === 'base64offset' || isEncoding(modifier))
      texts = texts.flatMap((text) => changed(modifier, text, value));
  }
  return texts.map((text) => {
    const pattern = Array.isArray(text) ? (text as Pattern) : [asciiText(text as string | Buffer, value)];
    if (position === null && item.field !== null) return pattern;
    return [...(position === 'startswith' ? [] : [ANY]), ...pattern, ...(position === 'endswith' ? [] : [ANY])];
  });
}

function asciiText(text: string | Buffer, value: ScalarValue): string {
  if (typeof text === 'string') return text;
  // Bytes that stand in a text as they are: only those of ASCII do.
  if (text.some((byte) => byte > 0x7f))
    throw new RuleProblem(value.place, `'${value.text}' has no text in this encoding: apply base64 after it`);
  return text.toString('latin1');
}

function changed(
  modifier: 'windash' | 'base64' | 'base64offset' | Encoding,
  text: string | Buffer | Pattern,
  value: ScalarValue,
): readonly (string | Buffer | Pattern)[] {
  const plain = Array.isArray(text) ? plainText(text as Pattern) : (text as string | Buffer);
  if (modifier === 'windash') {
    if (typeof plain === 'string') {
      const variants = dashVariants(plain);
      if (variants === null) throw new RuleProblem(value.place, `'${value.text}' has too many dashes for 'windash'`);
      return variants;
    }
    if (plain !== null) throw new RuleProblem(value.place, "'windash' cannot be applied after an encoding");
    return wildDashes(text as Pattern, value);
  }
  if (plain === null)
    throw new RuleProblem(value.place, `'${value.text}' has a wildcard, which '${modifier}' cannot encode`);
  if (isEncoding(modifier)) {
    if (typeof plain !== 'string')
      throw new RuleProblem(value.place, `'${modifier}' cannot be applied after another encoding`);
    return [encode(plain, modifier)];
  }
  const bytes = Buffer.from(plain as string);
  return modifier === 'base64' ? [bytes.toString('base64')] : base64Anywhere(bytes);
}

/** Variants of each plain part, wildcards as they are. */
function wildDashes(pattern: Pattern, value: ScalarValue): readonly Pattern[] {
  return pattern.reduce<readonly Pattern[]>(
    (patterns, part) => {
      const variants = typeof part === 'string' ? dashVariants(part) : [part];
      if (variants === null || variants.length * patterns.length > 1000)
        throw new RuleProblem(value.place, `'${value.text}' has too many dashes for 'windash'`);
      return patterns.flatMap((before) => variants.map((variant) => [...before, variant]));
    },
    [[]],
  );
}

interface ListName {
  readonly list: string;
}
const isListName = (text: unknown): text is ListName =>
  typeof text === 'object' && text !== null && !Array.isArray(text) && 'list' in text;

/** A value with its placeholders, written %name%, by their values; or the list that it stands for. */
function expansions(value: ScalarValue, { placeholders, lists }: SearchContext): readonly string[] | ListName {
  const names = [...value.text.matchAll(/(?<!\\)%([^%]+)(?<!\\)%/gu)].map(([, name = '']) => name);
  if (names.length === 0) throw new RuleProblem(value.place, `'${value.text}' has no %placeholder% to expand`);
  const [only = ''] = names;
  const list = only.toLowerCase();
  if (value.text === `%${only}%` && !Object.hasOwn(placeholders, only) && lists.includes(list)) return { list };
  const texts = names.reduce<readonly string[]>(
    (found, name) => {
      const values = Object.hasOwn(placeholders, name) ? placeholders[name] : undefined;
      if (values === undefined)
        throw new RuleProblem(
          value.place,
          `the placeholder %${name}% has no value: give it one under placeholders: in the config`,
        );
      return found.flatMap((text) => values.map((one) => text.replace(`%${name}%`, () => one)));
    },
    [value.text],
  );
  return texts.map((text) => text.replaceAll('\\%', '%'));
}

function patternCondition(pattern: Pattern | ListName, item: Item): Condition {
  const { field } = item;
  if (isListName(pattern)) return { [needField(item).key]: { list: pattern.list, caseless: isCaseless(item) } };
  const { operator, value } = comparison(pattern);
  if (field === null) {
    return anywhere(item, (column) => ({
      [operator]: value,
      caseless: isCaseless(item),
      ...(column.json === true && literals(pattern).includes('"') && { unquoted: true }),
    }));
  }
  if (isTime(field)) throw timeProblem(item);
  if (isBoolean(field)) return booleanCondition(field, (text) => fits(pattern, text));
  if (isWhole(field) && operator === 'is') {
    const number = Number(value);
    if (value.trim() !== '' && Number.isFinite(number)) return { [field.key]: { is: number } };
    item.context.warn(item.place, `'${item.name}' is a number, which is never '${value}'`);
    return NEVER;
  }
  const match: Match = { [operator]: value, caseless: isCaseless(item) };
  if (field.column.name === 'event_name' && !field.isPath) return nameCondition(field, operator, value, match, pattern);
  const isJsonText = field.column.json === true && !field.isPath;
  if (!isJsonText || !literals(pattern).includes('"')) return { [field.key]: match };
  const unquoted: Condition = { [field.key]: { ...(match as object), unquoted: true } as Match };
  return literals(pattern).includes('\\"') ? { any: [{ [field.key]: match }, unquoted] } : unquoted;
}

/** The API date that Lambda and CloudFront append. */
const DATED = /_?20\d{2}_?\d{2}_?\d{2}(?:v\d+)?$/u;

/** A rule that names the API's date means the name as it was written; the plain one beside it lets a hunt see early that there is none. */
function nameCondition(field: Field, operator: string, value: string, match: Match, pattern: Pattern): Condition {
  const { key } = rawName(field);
  if ((match as { caseless?: boolean }).caseless === false) return { [key]: match };
  if (!/20\d/u.test(literals(pattern))) return { [field.key]: match };
  if (operator !== 'is') return { [key]: match };
  return DATED.test(value)
    ? { all: [{ event_name: value.replace(DATED, '') }, { [key]: match }] }
    : { [field.key]: match };
}

/** What cannot be read out of the name without its date is looked for in the name as it was written. */
const rawName = (field: Field): Pick<Field, 'key'> =>
  field.column.name === 'event_name' && !field.isPath && field.column.derive !== undefined
    ? { key: 'event_name_raw' }
    : field;

function booleanCondition(field: Field, holds: (text: string) => boolean): Condition {
  const values = [true, false].filter((value) => holds(String(value)));
  return values.length === 0 ? NEVER : { [field.key]: { is: values } };
}

/** Any column that holds text of the record. */
function anywhere(item: Item, match: (column: Column) => Match): Condition {
  const columns = textColumns(item.context.table, item.context.portable);
  return anyOf(columns.map((column) => ({ [column.name]: match(column) })));
}

const timeProblem = ({ place, name }: Item): RuleProblem =>
  new RuleProblem(place, `'${name}' is a time, which has no text: compare its minute, hour, day, week, month or year`);

/** The searches under `detection` or `filter`, by name, without what is none. */
export function searchesOf(
  map: MapValue,
  others: readonly string[],
  context: SearchContext,
): ReadonlyMap<string, Condition> {
  return new Map(
    map.entries
      .filter(({ key }) => !others.includes(key))
      .map(({ key, value }) => [key, searchCondition(value, context)]),
  );
}
