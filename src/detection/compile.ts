/** A detector and its parameters as pieces of portable SQL, checked against the table's columns. */
import { type Condition, type Detector, type ParameterRef, slotMs, WARM_UP } from '../detector.ts';
import { isContext } from '../enrichment.ts';
import type { HuntTask } from '../hunt.ts';
import type { Column, Roles, Table } from '../table.ts';
import { DAY_MS, durationMs, HOUR_MS, MINUTE_MS, SECOND_MS, type Window } from '../time.ts';
import {
  type ConditionContext,
  type ConditionNode,
  conditionSql,
  invalid,
  necessarySql,
  parseCondition,
  placeholderSql,
  textLiteral,
  valueSql,
} from './condition.ts';

/** A named piece of text of the first event, for the summary. */
export interface Placeholder {
  readonly name: string;
  readonly sql: string;
  readonly json: boolean;
  readonly rest: readonly string[];
}

export type Kind =
  | { readonly kind: 'event' }
  | { readonly kind: 'each' }
  | {
      readonly kind: 'threshold';
      readonly atLeast: number;
      readonly distinct: string | null;
      readonly withinMs: number;
    }
  | {
      readonly kind: 'first-seen';
      readonly values: readonly string[];
      readonly per: readonly string[];
      /** New values of a subject and slot. */
      readonly atLeast: number;
      readonly habit: { readonly days: number; readonly values: number } | null;
      readonly overMs: number;
      readonly warmUpMs: number;
    }
  | {
      readonly kind: 'times-usual';
      readonly times: number;
      readonly mads: number;
      /** Whether the slots of whole weeks before count on their own as well. */
      readonly isWeekly: boolean;
      readonly atLeast: number;
      readonly per: readonly string[];
      readonly overMs: number;
      readonly warmUpMs: number;
    }
  | {
      readonly kind: 'sequence';
      readonly atLeast: readonly number[];
      readonly by: readonly string[];
      readonly withinMs: number;
    }
  | { readonly kind: 'sql'; readonly sql: string; readonly lookbackMs: number };

export interface Compiled {
  readonly detector: Detector;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly kind: Kind;
  readonly roles: Roles;
  /** One condition, or one for each step; none for SQL. */
  readonly conditions: readonly ConditionNode[];
  /** SQL of the subject's values, in order. */
  readonly subject: readonly string[];
  readonly placeholders: readonly Placeholder[];
  readonly slotMs: number | null;
  /** Whole slots in which t is looked for. */
  readonly window: Window;
  /** Start of what has to be read. */
  readonly readFromMs: number;
  /** Of a baseline: its past before that, as rows (names of hot.ts, slot, n); absent where it is read too. */
  readonly past?: Window & { readonly sql: string };
}

export function compile(task: HuntTask, table: Table, lists: ConditionContext['lists']): Compiled {
  const { detector, parameters } = task;
  const context: ConditionContext = { detector: detector.id, table, parameters, lists };
  const length = slotMs(detector);
  const window =
    length === null
      ? task.window
      : { fromMs: floorTo(task.window.fromMs, length), toMs: -floorTo(-task.window.toMs, length) };
  const kind = kindOf(detector, context);
  return {
    detector,
    parameters,
    kind,
    roles: table.roles,
    conditions: conditionsOf(detector).map((condition) => parseCondition(condition, context)),
    subject: kind.kind === 'sql' ? [] : detector.subject.map((key) => valueSql(key, context)),
    placeholders:
      kind.kind === 'sql'
        ? []
        : placeholderNames(detector.summary).map((name) => ({ name, ...placeholderSql(name, context) })),
    slotMs: length,
    window,
    readFromMs: window.fromMs - reachOf(detector),
  };
}

const floorTo = (ms: number, step: number): number => Math.floor(ms / step) * step;

/** How far before an event the events lie that decide with it. */
export function reachOf({ threshold, baseline, sequence, lookback }: Detector): number {
  const span = threshold?.within ?? baseline?.over ?? sequence?.within ?? lookback;
  return span === undefined ? 0 : durationMs(span);
}

export const isRefutable = ({ baseline, lookback, growsOnly }: Detector): boolean =>
  baseline !== undefined || (lookback !== undefined && growsOnly !== true);

/** Each of them has to be met for a finding. */
export function conditionsOf({ when, sequence }: Pick<Detector, 'when' | 'sequence'>): readonly Condition[] {
  if (sequence === undefined) return when === undefined ? [] : [when];
  return sequence.steps.map((step) => (isCounted(step) ? step.when : step));
}

type Step = NonNullable<Detector['sequence']>['steps'][number];
const isCounted = (step: Step): step is { readonly when: Condition; readonly atLeast: number | ParameterRef } =>
  'when' in step && 'atLeast' in step;

function kindOf(detector: Detector, context: ConditionContext): Kind {
  const { threshold, baseline, sequence, sql, slot, lookback } = detector;
  if (sql !== undefined) return { kind: 'sql', sql, lookbackMs: lookback === undefined ? 0 : durationMs(lookback) };
  if (threshold !== undefined) {
    return {
      kind: 'threshold',
      atLeast: number(threshold.atLeast, 'threshold.atLeast', context),
      distinct: threshold.distinct === undefined ? null : valueSql(threshold.distinct, context),
      withinMs: durationMs(threshold.within),
    };
  }
  if (sequence !== undefined) {
    return {
      kind: 'sequence',
      atLeast: sequence.steps.map((step) => (isCounted(step) ? number(step.atLeast, 'a step', context) : 1)),
      by: sequence.by.map((key) => valueSql(key, context)),
      withinMs: durationMs(sequence.within),
    };
  }
  if (baseline === undefined) return { kind: slot === 'event' ? 'event' : 'each' };
  const spans = { overMs: durationMs(baseline.over), warmUpMs: durationMs(baseline.warmUp ?? WARM_UP) };
  if ('firstSeen' in baseline) {
    const per = (baseline.per ?? [context.table.roles.origin]).map((key) => valueSql(key, context));
    const { atLeast = 1, habit } = baseline;
    return {
      kind: 'first-seen',
      values: baseline.firstSeen.map((key) => valueSql(key, context)),
      per,
      atLeast: number(atLeast, 'baseline.atLeast', context),
      habit:
        habit === undefined
          ? null
          : {
              days: number(habit.days, 'baseline.habit.days', context),
              values: number(habit.values, 'baseline.habit.values', context),
            },
      ...spans,
    };
  }
  return {
    kind: 'times-usual',
    times: number(baseline.timesUsual, 'baseline.timesUsual', context),
    mads: baseline.mads === undefined ? 0 : number(baseline.mads, 'baseline.mads', context),
    isWeekly: baseline.by === 'hour-of-week',
    atLeast: number(baseline.atLeast, 'baseline.atLeast', context),
    per: [context.table.roles.origin],
    ...spans,
  };
}

function number(value: number | ParameterRef, what: string, context: ConditionContext): number {
  const resolved = typeof value === 'number' ? value : context.parameters[value.parameter];
  if (typeof resolved === 'number' && Number.isFinite(resolved) && resolved > 0) return resolved;
  throw invalid(context, `${what} is ${JSON.stringify(resolved)}, expected a number above 0`);
}

/** Filled in from the finding itself, not from an event. */
const OF_THE_FINDING = new Set(['count', 'peak']);

/** The names between braces in a summary, each once. */
export function placeholderNames(summary: string): readonly string[] {
  const names = [...summary.matchAll(/\{([^{}]*)\}/gu)].map(([, name = '']) => name);
  return [...new Set(names)].filter((name) => !OF_THE_FINDING.has(name));
}

/** A point in time as a literal of both engines. */
export const timeLiteral = (ms: number): string =>
  `TIMESTAMP '${new Date(ms).toISOString().replace('T', ' ').replace('Z', '')}'`;
/** A span as a literal of both engines. */
export const spanLiteral = (ms: number): string => `INTERVAL '${ms / SECOND_MS}' SECOND`;

/** The start of the slot of a time, in SQL of both engines. */
export function slotSql(length: number, time: string): string {
  if (length === DAY_MS) return `date_trunc('day', ${time})`;
  if (length === HOUR_MS) return `date_trunc('hour', ${time})`;
  if (length % HOUR_MS === 0)
    return `date_add('hour', (hour(${time}) / ${length / HOUR_MS}) * ${length / HOUR_MS}, date_trunc('day', ${time}))`;
  return `date_add('minute', (minute(${time}) / ${length / MINUTE_MS}) * ${length / MINUTE_MS}, date_trunc('hour', ${time}))`;
}

/** A costly test behind a cheap one that it implies. */
export const guarded = (whole: string, cheap: string | true | null): string =>
  cheap === true || cheap === null || cheap === whole ? whole : `CASE WHEN ${cheap} THEN ${whole} ELSE false END`;

/** What is known beside the logs is joined to them, which costs more than reading a column. */
const isPlain = (column: Column): boolean => column.json !== true && !isContext(column);
/** What holds wherever a condition does, without a look into JSON. */
export const plainSql = (condition: ConditionNode): string | true => necessarySql(condition, isPlain);

/** All of them, JSON last. */
export const conditionsSql = (conditions: readonly ConditionNode[]): string =>
  conditions.map((condition) => guarded(conditionSql(condition), plainSql(condition))).join(' AND ');

const dayLiteral = (ms: number): string => `DATE '${new Date(ms).toISOString().slice(0, 10)}'`;

/** A filter by whole days, for looks at the data that may see a little more than a window: they need not read the times. */
export const dayFilter = (window: Window): string =>
  `event_date >= ${dayLiteral(window.fromMs)} AND event_date <= ${dayLiteral(window.toMs - 1)}`;

/** A filter by event time, with the partition's date beside it so that whole days are not read. */
export function timeFilter(window: Window): string {
  return `${dayFilter(window)} AND event_time >= ${timeLiteral(window.fromMs)} AND event_time < ${timeLiteral(window.toMs)}`;
}

export const textOrNull = (value: string | null): string =>
  value === null ? 'CAST(NULL AS VARCHAR)' : textLiteral(value);
