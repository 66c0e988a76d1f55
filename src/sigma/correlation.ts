/** Correlations of rules: what each counts or orders, over which fields and time, read and checked. */
import type { Condition } from '../detector.ts';
import type { Table } from '../table.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../time.ts';
import { entryOf, type MapValue, mapOf, type Place, RuleProblem, textOf, textsOf } from './document.ts';
import { fieldOf } from './fields.ts';
import type { SigmaCorrelation } from './rule.ts';

export const CORRELATION_TYPES = ['event_count', 'value_count', 'temporal', 'temporal_ordered', 'value_sum'] as const;
export type CorrelationType = (typeof CORRELATION_TYPES)[number];

const REFUSED: Readonly<Record<string, string>> = {
  value_avg:
    'an average falls with further events, so that one who adds harmless ones stays below it: count or sum instead',
  value_median:
    'a median falls with further events, so that one who adds harmless ones stays below it: count or sum instead',
  value_percentile: 'a percentile is compared with all values there are, for which a baseline of trailhound is the way',
};

export type Operator = 'gt' | 'gte' | 'lt' | 'lte' | 'eq' | 'neq';
const OPERATORS: readonly Operator[] = ['gt', 'gte', 'lt', 'lte', 'eq', 'neq'];

export interface Bound {
  readonly operator: Operator;
  readonly value: number;
}

/** A rule as a correlation sees it. */
export interface RuleSource {
  readonly kind: 'rule';
  readonly names: readonly string[];
  readonly table: Table;
  readonly condition: Condition;
}

export interface Correlation {
  readonly kind: 'correlation';
  readonly names: readonly string[];
  readonly place: Place;
  readonly type: CorrelationType;
  readonly sources: readonly (RuleSource | Correlation)[];
  /** Names of fields or of aliases. */
  readonly groupBy: readonly { readonly name: string; readonly place: Place }[];
  /** By alias: the field of each rule, by the rule's name or id. */
  readonly aliases: ReadonlyMap<string, ReadonlyMap<string, { readonly field: string; readonly place: Place }>>;
  readonly withinMs: number;
  /** Fields whose values are counted or added up. */
  readonly fields: readonly { readonly name: string; readonly place: Place }[];
  /** All hold. */
  readonly bounds: readonly Bound[];
  readonly table: Table;
}

/** Throws `RuleProblem`. */
export function readCorrelation(
  { correlation, type, head }: SigmaCorrelation,
  sources: readonly (RuleSource | Correlation)[],
): Correlation {
  const typePlace = entryOf(correlation, 'type')?.value.place ?? correlation.place;
  const known = CORRELATION_TYPES.find((one) => one === type);
  if (known === undefined) {
    const why = Object.hasOwn(REFUSED, type) ? REFUSED[type] : undefined;
    throw new RuleProblem(
      typePlace,
      why === undefined
        ? `there is no correlation '${type}': expected one of ${CORRELATION_TYPES.join(', ')}`
        : `the correlation '${type}' is not supported: ${why}`,
    );
  }
  const [first] = sources;
  const table = first?.table;
  if (table === undefined) throw new RuleProblem(correlation.place, 'the correlation names no rules');
  const other = sources.find((source) => source.table.name !== table.name);
  if (other !== undefined)
    throw new RuleProblem(
      correlation.place,
      `it correlates logs of ${table.name} and ${other.table.name}: all its rules must be of one kind of log`,
    );
  const { bounds, fields } = conditionOf(correlation, known, sources.length);
  return {
    kind: 'correlation',
    names: [head.id, head.name].filter((one) => one !== null),
    place: head.place,
    type: known,
    sources,
    groupBy: textsOf(correlation, 'group-by').map(({ text, place }) => ({ name: text, place })),
    aliases: aliasesOf(correlation),
    withinMs: timespanOf(correlation),
    fields,
    bounds,
    table,
  };
}

const UNITS: Readonly<Record<string, number>> = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

function timespanOf(correlation: MapValue): number {
  const text = textOf(correlation, 'timespan');
  const place = entryOf(correlation, 'timespan')?.value.place ?? correlation.place;
  const [, count = '', unit = ''] = /^(\d{1,6})([smhd])$/u.exec(text ?? '') ?? [];
  const ms = Number(count) * (UNITS[unit] ?? 0);
  if (text === null) throw new RuleProblem(place, 'the correlation has no timespan');
  if (ms > 0 && ms <= 90 * DAY_MS) return ms;
  throw new RuleProblem(place, `timespan is '${text}': expected a number and s, m, h or d, 90 days at most`);
}

function aliasesOf(correlation: MapValue): Correlation['aliases'] {
  const aliases = mapOf(correlation, 'aliases');
  return new Map(
    (aliases?.entries ?? []).map(({ key, value }) => {
      if (value.kind !== 'map') throw new RuleProblem(value.place, `the alias '${key}' tells no field for each rule`);
      const fields = value.entries.map(({ key: rule, value: field }) => {
        if (field.kind !== 'scalar')
          throw new RuleProblem(field.place, `the alias '${key}' tells no field for '${rule}'`);
        return [rule, { field: field.text, place: field.place }] as const;
      });
      return [key, new Map(fields)];
    }),
  );
}

function conditionOf(
  correlation: MapValue,
  type: CorrelationType,
  sources: number,
): Pick<Correlation, 'bounds' | 'fields'> {
  const condition = mapOf(correlation, 'condition');
  const isTemporal = type === 'temporal' || type === 'temporal_ordered';
  if (condition === null) {
    if (!isTemporal) throw new RuleProblem(correlation.place, `the correlation '${type}' has no condition`);
    return { bounds: [{ operator: 'gte', value: sources }], fields: [] };
  }
  const bounds: Bound[] = [];
  for (const { key, place, value } of condition.entries) {
    if (key === 'field') continue;
    const operator = OPERATORS.find((one) => one === key);
    if (operator === undefined)
      throw new RuleProblem(place, `there is no comparison '${key}': expected ${OPERATORS.join(', ')} or field`);
    if (value.kind !== 'scalar' || typeof value.value !== 'number')
      throw new RuleProblem(value.place, `'${key}' is no number`);
    bounds.push({ operator, value: value.value });
  }
  if (bounds.length === 0) throw new RuleProblem(condition.place, 'the condition compares with no number');
  const fields = textsOf(condition, 'field').map(({ text, place }) => ({ name: text, place }));
  const needsField = type === 'value_count' || type === 'value_sum';
  if (needsField && fields.length === 0)
    throw new RuleProblem(condition.place, `the correlation '${type}' needs a field in its condition`);
  if (!needsField && fields.length > 0)
    throw new RuleProblem(condition.place, `the correlation '${type}' takes no field`);
  if (type === 'value_sum' && fields.length > 1)
    throw new RuleProblem(condition.place, "the correlation 'value_sum' adds up one field");
  if (type === 'temporal_ordered' && bounds.some(({ operator, value }) => operator !== 'gte' || value !== sources))
    throw new RuleProblem(
      condition.place,
      "the correlation 'temporal_ordered' is about all of its rules: leave the condition out",
    );
  return { bounds, fields };
}

/** The field that a name means in the events of one rule: an alias by what it says for it. */
export function fieldIn(
  { aliases }: Pick<Correlation, 'aliases'>,
  { name, place }: { readonly name: string; readonly place: Place },
  source: RuleSource | Correlation,
): { readonly name: string; readonly place: Place } {
  const alias = aliases.get(name);
  if (alias === undefined) return { name, place };
  for (const known of source.names) {
    const found = alias.get(known);
    if (found !== undefined) return { name: found.field, place: found.place };
  }
  throw new RuleProblem(place, `the alias '${name}' tells no field for the rule '${source.names[0] ?? '?'}'`);
}

/** The column or path with one value that a field has in the events of a rule. */
export function keyIn(
  field: { readonly name: string; readonly place: Place },
  table: Table,
  portable: boolean,
): string {
  const found = fieldOf(field.name, table);
  if (typeof found === 'string') throw new RuleProblem(field.place, found);
  if (found.column.type === 'VARCHAR[]' && !found.isPath)
    throw new RuleProblem(field.place, `'${field.name}' has many values: a correlation needs one`);
  if (portable && found.column.athena === null)
    throw new RuleProblem(field.place, `the field '${field.name}' has no column on Athena`);
  return found.single;
}

/** The least number that is meant, where the bounds say no more than that. */
export function least(bounds: readonly Bound[]): number | null {
  const [bound, ...more] = bounds;
  if (bound === undefined || more.length > 0) return null;
  if (bound.operator === 'gte') return Math.ceil(bound.value);
  return bound.operator === 'gt' ? Math.floor(bound.value) + 1 : null;
}

/** Whether further events can only make it true. */
export const isGrowing = (bounds: readonly Bound[]): boolean =>
  bounds.every(({ operator }) => operator === 'gt' || operator === 'gte');
