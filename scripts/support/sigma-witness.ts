/** An event for a condition: a raw record that satisfies it, made from the condition alone. */
import { isIP } from 'node:net';
import type { Condition } from '../../src/detector.ts';
import type { Table } from '../../src/table.ts';

type JsonRecord = Record<string, unknown>;
type Match = Readonly<Record<string, unknown>>;
interface Demand {
  readonly key: string;
  readonly match: Match;
  /** Whether the comparison is to hold. */
  readonly holds: boolean;
}

/** So many ways to satisfy a condition are tried. */
const WAYS_MAX = 300;
const FILLER = 'x';

/** Null where no way was found. */
export function witness(condition: Condition, table: Table): JsonRecord | null {
  let tried = 0;
  for (const demands of ways(condition, true)) {
    tried += 1;
    if (tried > WAYS_MAX) break;
    const record = recordFor(demands, table);
    if (record !== null) return record;
  }
  return null;
}

function* ways(condition: Condition, holds: boolean): Generator<readonly Demand[]> {
  const parts = Object.entries(condition).map(([key, value]): (() => Generator<readonly Demand[]>) => {
    if (key === 'all' || key === 'any') {
      const inner = value as readonly Condition[];
      return () => ((key === 'all') === holds ? every(inner, holds) : some(inner, holds));
    }
    if (key === 'not') return () => ways(value as Condition, !holds);
    return function* () {
      yield [{ key, match: asMatch(value), holds }];
    };
  });
  yield* holds
    ? product(parts)
    : (function* () {
        for (const part of parts) yield* part();
      })();
}

const every = (parts: readonly Condition[], holds: boolean): Generator<readonly Demand[]> =>
  product(parts.map((part) => () => ways(part, holds)));
function* some(parts: readonly Condition[], holds: boolean): Generator<readonly Demand[]> {
  for (const part of parts) yield* ways(part, holds);
}

function* product(parts: readonly (() => Generator<readonly Demand[]>)[]): Generator<readonly Demand[]> {
  const [first, ...rest] = parts;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const head of first()) for (const tail of product(rest)) yield [...head, ...tail];
}

const asMatch = (value: unknown): Match =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Match) : { is: value };

function recordFor(demands: readonly Demand[], table: Table): JsonRecord | null {
  const record: JsonRecord = {};
  const values = new Map<string, unknown>();
  // References are filled in from what they refer to.
  const keys = [...new Set(demands.map(({ key }) => key))].toSorted(
    (a, b) => Number(refers(demands, a)) - Number(refers(demands, b)),
  );
  for (const key of keys) {
    const own = demands.filter((demand) => demand.key === key);
    const found = candidates(own, values).find((value) =>
      own.every(({ match, holds }) => fits(match, value, values) === holds),
    );
    if (found === undefined) return null;
    values.set(key, found);
    if (found !== null && !put(record, key, found, table)) return null;
  }
  return record;
}

const refers = (demands: readonly Demand[], key: string): boolean =>
  demands.some((demand) => demand.key === key && 'column' in demand.match);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/** Values worth trying, null for none at all, the likeliest first. */
function candidates(demands: readonly Demand[], values: ReadonlyMap<string, unknown>): readonly unknown[] {
  const wanted = demands.filter(({ holds }) => holds).map(({ match }) => match);
  const texts = (operator: string): readonly string[] =>
    wanted.flatMap((match) => (operator in match ? [String(listOf(match[operator])[0])] : []));
  const joined = [
    ...texts('startswith'),
    ...texts('contains'),
    ...texts('like').map(unwild),
    ...texts('re').map(sample),
    ...texts('endswith'),
  ].join('');
  const numbers = wanted.flatMap((match) =>
    ['gt', 'gte', 'lt', 'lte'].flatMap((operator) => (typeof match[operator] === 'number' ? [match[operator]] : [])),
  );
  return [
    ...wanted.flatMap((match) => ('is' in match ? listOf(match['is']) : [])),
    ...(joined === '' ? [] : [joined]),
    ...texts('cidr').map((network) => network.split('/')[0] ?? ''),
    ...numbers.flatMap((number) => [number, number + 1, number - 1]),
    ...wanted.flatMap((match) => ('column' in match ? [values.get(referred(match['column']).name) ?? FILLER] : [])),
    null,
    FILLER,
    true,
    false,
  ];
}

const referred = (column: unknown): { readonly name: string; readonly at: string } =>
  typeof column === 'string' ? { name: column, at: 'whole' } : (column as { name: string; at: string });

const unwild = (like: string): string =>
  like.replaceAll(/\\([*?\\])|[*?]/gu, (found, plain: string | undefined) => plain ?? (found === '?' ? FILLER : ''));

/** A short text that fits a pattern of the usual kind. */
function sample(pattern: string): string {
  return pattern
    .replace(/^\(\?[ims]+\)/u, '')
    .replaceAll(/[\^$]/gu, '')
    .replaceAll(/\(\?:|\(/gu, '(')
    .replaceAll(/\(([^()|]*)(?:\|[^()]*)?\)/gu, '$1')
    .replaceAll(/\[\^[^\]]*\]/gu, FILLER)
    .replaceAll(/\[(\\?.)[^\]]*\]/gu, '$1')
    .replaceAll(/\\d/gu, '0')
    .replaceAll(/\\[wS]/gu, FILLER)
    .replaceAll(/\\s/gu, ' ')
    .replaceAll(/(?<!\\)\.(?:[+*?]|\{\d+(?:,\d*)?\})?/gu, FILLER)
    .replaceAll(/(?<!\\)[+*?]/gu, '')
    .replaceAll(/\\(.)/gu, '$1');
}

function fits(match: Match, value: unknown, values: ReadonlyMap<string, unknown>): boolean {
  if ('exists' in match) return (value !== null) === match['exists'];
  if (value === null) return false;
  const isCaseless = match['caseless'] !== false;
  const fold = (text: unknown): string => (isCaseless ? String(text).toLowerCase() : String(text));
  const text = fold(value);
  const any = (operator: string, test: (other: string) => boolean): boolean =>
    !(operator in match) || listOf(match[operator]).some((other) => test(fold(other)));
  const compare = (operator: string, test: (a: number, b: number) => boolean): boolean =>
    !(operator in match) || test(Number(value), Number(match[operator]));
  const other = 'column' in match ? referred(match['column']) : null;
  const right = other === null ? '' : fold(values.get(other.name) ?? '\0');
  return (
    any('is', (one) => text === one) &&
    any('contains', (one) => text.includes(one)) &&
    any('startswith', (one) => text.startsWith(one)) &&
    any('endswith', (one) => text.endsWith(one)) &&
    any('like', (one) => likePattern(one).test(text)) &&
    (!('re' in match) || new RegExp(String(match['re']).replace(/^\(\?[ims]+\)/u, ''), 'isu').test(textOf(value))) &&
    (!('cidr' in match) ||
      listOf(match['cidr']).some(
        (network) => isIP(textOf(value)) !== 0 && String(network).startsWith(textOf(value)),
      )) &&
    compare('gt', (a, b) => a > b) &&
    compare('gte', (a, b) => a >= b) &&
    compare('lt', (a, b) => a < b) &&
    compare('lte', (a, b) => a <= b) &&
    (other === null ||
      (other.at === 'whole'
        ? text === right
        : other.at === 'start'
          ? text.startsWith(right)
          : other.at === 'end'
            ? text.endsWith(right)
            : text.includes(right)))
  );
}

const likePattern = (like: string): RegExp =>
  new RegExp(
    `^${like.replaceAll(/\\([*?\\])|[*?]|[\^$.+()[\]{}|\\]/gu, (found, plain: string | undefined) => {
      if (plain !== undefined) return `\\${plain}`;
      return found === '*' ? '.*' : found === '?' ? '.' : `\\${found}`;
    })}$`,
    'isu',
  );

/** Puts a value where a key stands in the record as AWS writes it. */
function put(record: JsonRecord, key: string, value: unknown, table: Table): boolean {
  const [first = '', ...steps] = key.replaceAll('[]', '').split('.');
  const column = table.columns.find(({ name }) => name === first);
  const raw =
    column?.name === 'event_name' ? 'eventName' : column?.name === 'resource_arns' ? 'resources' : column?.raw;
  if (column?.name === 'resource_arns') {
    record['resources'] = [{ ARN: textOf(value) }];
    return true;
  }
  const path = first === 'extra' ? steps : [...(raw ?? '').split('.'), ...steps];
  if (path[0] === '' || path.length === 0) return false;
  let place = record;
  for (const step of path.slice(0, -1)) {
    const inner = place[step];
    place[step] = typeof inner === 'object' && inner !== null ? inner : {};
    place = place[step] as JsonRecord;
  }
  const last = path.at(-1) ?? '';
  // What is looked for in the text of JSON stands in some member of it.
  const isWhole = column?.json === true && steps.length === 0;
  const before = place[last];
  place[last] = isWhole ? { ...(typeof before === 'object' ? before : {}), witness: value } : value;
  return true;
}
