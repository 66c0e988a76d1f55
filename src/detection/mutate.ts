/** A detector with one small mistake in it, each in turn: whether its examples notice tells what they are worth. */
import type { Condition, Detector, ParameterRef } from '../detector.ts';
import { WARM_UP } from '../detector.ts';
import { DAY_MS, type Duration, durationMs, HOUR_MS, MINUTE_MS, SECOND_MS } from '../time.ts';
import { mutants } from './condition.ts';

export interface Variant {
  /** The mistake, such as `when.all[1]: without {"outcome":"success"}`. */
  readonly what: string;
  readonly detector: Detector;
  /** What it makes of the values of its parameters. */
  readonly parametersOf?: (values: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;
}

/** Without each predicate in turn. */
export function withoutLeaves(detector: Detector): readonly Variant[] {
  return conditionsIn(detector).flatMap(({ at, condition, put }) =>
    mutants(condition).map(({ leaf, condition: rest }) => ({ what: `${at}: without ${leaf}`, detector: put(rest) })),
  );
}

/** All mistakes. */
export function variantsOf(detector: Detector): readonly Variant[] {
  const changes = conditionsIn(detector).flatMap(({ at, condition, put }) =>
    changesOf(condition, at).map((change) => ({ what: change.what, detector: put(change.condition) })),
  );
  return unique([
    ...withoutLeaves(detector),
    ...changes,
    ...kindVariants(detector),
    ...parameterVariants(detector),
    ...sqlVariants(detector),
  ]);
}

/** Of two mistakes that come to the same the first. */
function unique(variants: readonly Variant[]): readonly Variant[] {
  const seen = new Set<string>();
  return variants.filter(({ detector, parametersOf, what }) => {
    const { when, threshold, baseline, sequence, sql, subject } = detector;
    const key = JSON.stringify([
      when,
      threshold,
      baseline,
      sequence,
      sql,
      subject,
      parametersOf === undefined ? '' : what,
    ]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

interface Place {
  readonly at: string;
  readonly condition: Condition;
  readonly put: (condition: Condition) => Detector;
}

function conditionsIn(detector: Detector): readonly Place[] {
  const { when, sequence } = detector;
  if (when !== undefined)
    return [{ at: 'when', condition: when, put: (condition) => ({ ...detector, when: condition }) }];
  return (sequence?.steps ?? []).map((step, index) => {
    const isCounted = 'when' in step && 'atLeast' in step;
    return {
      at: `step ${index + 1}`,
      condition: (isCounted ? step.when : step) as Condition,
      put: (condition) =>
        withSteps(detector, (steps) =>
          steps.with(index, (isCounted ? { ...step, when: condition } : condition) as typeof step),
        ),
    };
  });
}

type Steps = NonNullable<Detector['sequence']>['steps'];
function withSteps(detector: Detector, change: (steps: Steps) => Steps): Detector {
  return detector.sequence === undefined
    ? detector
    : { ...detector, sequence: { ...detector.sequence, steps: change(detector.sequence.steps) } };
}

interface Change {
  readonly what: string;
  readonly condition: Condition;
}

/** Comparisons that let more, or something else, through. */
const OTHER_OPERATORS: Readonly<Record<string, string>> = {
  startswith: 'contains',
  endswith: 'contains',
  gt: 'gte',
  gte: 'gt',
  lt: 'lte',
  lte: 'lt',
};

function changesOf(condition: Condition, at: string): readonly Change[] {
  return Object.entries(condition).flatMap(([key, value]): readonly Change[] => {
    const put = (what: string, inner: unknown): Change => ({
      what,
      condition: { ...condition, [key]: inner } as Condition,
    });
    const place = `${at}.${key}`;
    if (key === 'all' || key === 'any') {
      const parts = value as readonly Condition[];
      return parts.flatMap((part, index) => [
        ...(parts.length > 1 ? [put(`${place}[${index}]: left out`, parts.toSpliced(index, 1))] : []),
        ...changesOf(part, `${place}[${index}]`).map((change) => put(change.what, parts.with(index, change.condition))),
      ]);
    }
    const { [key]: _, ...others } = condition as Readonly<Record<string, unknown>>;
    const beside = (what: string, inner: Condition): Change => ({
      what,
      condition: Object.keys(others).length === 0 ? inner : { all: [others as Condition, inner] },
    });
    if (key === 'not') {
      const inner = value as Condition;
      return [
        beside(`${place}: without the not`, inner),
        ...changesOf(inner, place).map((change) => put(change.what, change.condition)),
      ];
    }
    const match = { [key]: value } as Condition;
    return [
      beside(`${place}: negated`, { not: match }),
      ...matchChanges(value).map(({ what, match: other }) => put(`${place}: ${what}`, other)),
    ];
  });
}

function matchChanges(match: unknown): readonly { readonly what: string; readonly match: unknown }[] {
  if (Array.isArray(match)) return shorter(match).map(({ what, list }) => ({ what, match: list }));
  if (typeof match !== 'object' || match === null || isParameter(match)) return [];
  const entries = Object.entries(match);
  return entries.flatMap(([operator, operand]: readonly [string, unknown]) => {
    const put = (what: string, inner: unknown) => ({ what, match: { ...match, [operator]: inner } });
    const other = OTHER_OPERATORS[operator];
    const rest = Object.fromEntries(entries.filter(([name]) => name !== operator));
    return [
      ...(other === undefined || other in rest
        ? []
        : [{ what: `${operator} as ${other}`, match: { ...rest, [other]: operand } }]),
      ...(Array.isArray(operand) ? shorter(operand).map(({ what, list }) => put(what, list)) : []),
      ...(operator === 're' && typeof operand === 'string'
        ? patternChanges(operand).map((pattern) => put(`re ${pattern}`, pattern))
        : []),
    ];
  });
}

const isParameter = (value: object): value is ParameterRef => 'parameter' in value && Object.keys(value).length === 1;

const shorter = (list: readonly unknown[]): readonly { readonly what: string; readonly list: readonly unknown[] }[] =>
  list.length < 2
    ? []
    : list.map((value, index) => ({ what: `without ${JSON.stringify(value)}`, list: list.toSpliced(index, 1) }));

/** Without its anchors. */
const patternChanges = (pattern: string): readonly string[] => [
  ...(pattern.startsWith('^') ? [pattern.slice(1)] : []),
  ...(/(?:^|[^\\])\$$/u.test(pattern) ? [pattern.slice(0, -1)] : []),
];

function kindVariants(detector: Detector): readonly Variant[] {
  const { threshold, baseline, sequence, subject, sql } = detector;
  const variants: Variant[] = [];
  if (subject.length > 1 && sql === undefined)
    variants.push(
      ...subject.map((name, index) => ({
        what: `subject: without ${name}`,
        detector: { ...detector, subject: subject.toSpliced(index, 1) },
      })),
    );
  if (threshold !== undefined) {
    const put = (what: string, change: Partial<typeof threshold>): Variant => ({
      what: `threshold.${what}`,
      detector: { ...detector, threshold: { ...threshold, ...change } },
    });
    variants.push(put('within: halved', { within: half(threshold.within) }));
    variants.push(...nextTo(threshold.atLeast).map((atLeast) => put(`atLeast: ${atLeast}`, { atLeast })));
    if (threshold.distinct !== undefined) {
      const { distinct: _, ...plain } = threshold;
      variants.push({
        what: `threshold: without distinct ${threshold.distinct}`,
        detector: { ...detector, threshold: plain },
      });
    }
  }
  if (sequence !== undefined) {
    const { steps, by } = sequence;
    const put = (what: string, change: Partial<typeof sequence>): Variant => ({
      what: `sequence.${what}`,
      detector: { ...detector, sequence: { ...sequence, ...change } },
    });
    variants.push(put('within: halved', { within: half(sequence.within) }));
    if (by.length > 1)
      variants.push(...by.map((name, index) => put(`by: without ${name}`, { by: by.toSpliced(index, 1) })));
    if (steps.length > 2)
      variants.push(
        ...steps.map((_, index) => put(`steps: without step ${index + 1}`, { steps: steps.toSpliced(index, 1) })),
      );
    for (const [index, step] of steps.entries()) {
      if (!('when' in step && 'atLeast' in step)) continue;
      for (const atLeast of nextTo(step.atLeast as number | ParameterRef))
        variants.push(put(`steps[${index}].atLeast: ${atLeast}`, { steps: steps.with(index, { ...step, atLeast }) }));
    }
  }
  if (baseline !== undefined) variants.push(...baselineVariants(detector, baseline));
  return variants;
}

function baselineVariants(detector: Detector, baseline: NonNullable<Detector['baseline']>): readonly Variant[] {
  const put = (what: string, change: object): Variant => ({
    what: `baseline.${what}`,
    detector: { ...detector, baseline: { ...baseline, ...change } },
  });
  const slot = detector.slot === 'event' ? DAY_MS : durationMs(detector.slot);
  const overMs = Math.floor(durationMs(baseline.over) / 2 / slot) * slot;
  const variants =
    overMs < durationMs(baseline.warmUp ?? WARM_UP) ? [] : [put('over: halved', { over: spanOf(overMs) })];
  if ('firstSeen' in baseline) {
    const { firstSeen, per } = baseline;
    if (firstSeen.length > 1)
      variants.push(
        ...firstSeen.map((name, index) =>
          put(`firstSeen: without ${name}`, { firstSeen: firstSeen.toSpliced(index, 1) }),
        ),
      );
    if (per !== undefined && per.length > 1)
      variants.push(...per.map((name, index) => put(`per: without ${name}`, { per: per.toSpliced(index, 1) })));
    if (baseline.atLeast !== undefined)
      variants.push(...nextTo(baseline.atLeast).map((atLeast) => put(`atLeast: ${atLeast}`, { atLeast })));
    for (const [name, value] of Object.entries(baseline.habit ?? {}))
      variants.push(
        ...nextTo(value).map((other) =>
          put(`habit.${name}: ${other}`, { habit: { ...baseline.habit, [name]: other } }),
        ),
      );
    return variants;
  }
  return [
    ...variants,
    ...nextTo(baseline.timesUsual).map((timesUsual) => put(`timesUsual: ${timesUsual}`, { timesUsual })),
    ...nextTo(baseline.atLeast).map((atLeast) => put(`atLeast: ${atLeast}`, { atLeast })),
  ];
}

/** One more and one less; a parameter changes by its value. */
const nextTo = (value: number | ParameterRef): readonly number[] =>
  typeof value === 'number' ? [value + 1, ...(value > 1 ? [value - 1] : [])] : [];

const half = (span: Duration): Duration => spanOf(durationMs(span) / 2);

const UNITS = [
  ['d', DAY_MS],
  ['h', HOUR_MS],
  ['m', MINUTE_MS],
  ['s', SECOND_MS],
] as const;

function spanOf(ms: number): Duration {
  const [unit, length] = UNITS.find(([, one]) => ms >= one && ms % one === 0) ?? UNITS[3];
  return `${Math.max(1, Math.floor(ms / length))}${unit}`;
}

/** Numbers one more and one less than they are. */
function parameterVariants(detector: Detector): readonly Variant[] {
  return Object.entries(detector.parameters ?? {}).flatMap(([name, schema]) =>
    typeof schema.parse(undefined) === 'number'
      ? [1, -1].map((by) => ({
          what: `parameter ${name}: ${by > 0 ? 'one more' : 'one less'}`,
          detector,
          parametersOf: (values: Readonly<Record<string, unknown>>) => ({
            ...values,
            [name]: Number(values[name]) + by,
          }),
        }))
      : [],
  );
}

const OTHER_SIGNS: Readonly<Record<string, string>> = {
  '>=': '>',
  '>': '>=',
  '<=': '<',
  '<': '<=',
  '=': '<>',
  '<>': '=',
};
/** A number beyond is one of units. */
const NUMBER_MAX = 100_000;
/** Text, quoted names, comments and arrows are passed over; a comparison is changed, and the whole number that something is compared with. */
const SQL_TOKENS =
  /'(?:[^']|'')*'|"[^"]*"|--[^\n]*|\/\*[\s\S]*?\*\/|->|<>|>=|<=|[<>=]|[A-Za-z_:][\w]*|\d+(?:[.]\d+)?/gu;

function sqlVariants(detector: Detector): readonly Variant[] {
  const { sql } = detector;
  if (sql === undefined) return [];
  const variants: Variant[] = [];
  let before = '';
  for (const { 0: token, index } of sql.matchAll(SQL_TOKENS)) {
    const put = (other: string): void => {
      const line = sql.slice(0, index).split('\n').length;
      const changed = sql.slice(0, index) + other + sql.slice(index + token.length);
      variants.push({ what: `sql line ${line}: ${token} as ${other}`, detector: { ...detector, sql: changed } });
    };
    const sign = OTHER_SIGNS[token];
    if (sign !== undefined) put(sign);
    else if (/^\d+$/u.test(token) && OTHER_SIGNS[before] !== undefined && Number(token) <= NUMBER_MAX)
      put(String(Number(token) + 1));
    before = token;
  }
  return variants;
}
