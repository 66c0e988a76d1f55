/** What a detector is: data plus a condition or SQL. This is all that a detector's file imports. */
import { z } from 'zod';
import { SEVERITIES, type Severity } from './alert.ts';
import type { AccountContext, AddressContext } from './enrichment.ts';
import { AppError } from './errors.ts';
import { DAY_MS, type Duration, durationMs } from './time.ts';

export { z };

export type Scalar = string | number | boolean;
/** Stands for the value of a parameter of the detector. */
export interface ParameterRef {
  readonly parameter: string;
}
export const parameter = (name: string): ParameterRef => ({ parameter: name });

/** How one column, or one path inside a JSON column, is compared. Text is compared as written unless `caseless`; `event_name` and `event_source` regardless of case. */
export type Match =
  | Scalar
  | ParameterRef
  | readonly Scalar[]
  | {
      readonly is?: Scalar | ParameterRef | readonly Scalar[];
      readonly contains?: string | readonly string[] | ParameterRef;
      readonly startswith?: string | readonly string[] | ParameterRef;
      readonly endswith?: string | readonly string[] | ParameterRef;
      /** The whole value, with `*` for any characters and `?` for one; a backslash before either, or before itself, takes its meaning away. */
      readonly like?: string | readonly string[] | ParameterRef;
      /** RE2, found anywhere in the value. */
      readonly re?: string | ParameterRef;
      /** Networks; true when the address lies in one of them. */
      readonly cidr?: string | readonly string[] | ParameterRef;
      readonly gt?: number | ParameterRef;
      readonly gte?: number | ParameterRef;
      readonly lt?: number | ParameterRef;
      readonly lte?: number | ParameterRef;
      /** Has a value: a JSON path that is present and not null. */
      readonly exists?: boolean;
      /** The value equals that of another column, or begins with it, ends with it, or contains it. */
      readonly column?: string | { readonly name: string; readonly at: 'start' | 'end' | 'anywhere' };
      /** The value stands in the list `list_<name>` of the config. */
      readonly list?: string;
      /** Whether these comparisons look past upper and lower case (default: of `event_name` and `event_source` only). */
      readonly caseless?: boolean;
      /** Compares this number of a time, in UTC, by `is`, `gt`, `gte`, `lt` or `lte`; weeks are those of ISO 8601. */
      readonly part?: TimePart;
      /** Of a JSON column: its text with each `\\"` as a plain quotation mark, so that JSON inside its texts reads like the JSON around it. */
      readonly unquoted?: boolean;
    };

export const TIME_PARTS = ['minute', 'hour', 'day', 'week', 'month', 'year'] as const;
export type TimePart = (typeof TIME_PARTS)[number];

/**
 * Two-valued: every leaf that has no value is false, so `not` means the same here, in Sigma and in SQL. A key is a column or a path into a JSON column;
 * `request_parameters.ipPermissions.items[].ipRanges.items[].cidrIp` means any element, and `resources[].type` any of a column that is a list itself. Several keys in one object must all hold.
 */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly not: Condition }
  | { readonly [columnOrPath: string]: Match };

export interface Threshold {
  readonly atLeast: number | ParameterRef;
  /** Counts distinct values of this column or path instead of events. */
  readonly distinct?: string;
  /** Looks back this far from each event: the window slides. */
  readonly within: Duration;
}

/** How much history must lie behind a slot before a baseline judges it, unless the detector asks for another span. */
export const WARM_UP: Duration = '3d';

/** Who always does the same few things. */
export interface Habit {
  /** Days with events, at the least. */
  readonly days: number | ParameterRef;
  /** Different values on them, at the most. */
  readonly values: number | ParameterRef;
}

/**
 * Late data can refute these, so a slot is judged once it has ended and its events had time to arrive. `firstSeen`: among the events of `when`, the values of these
 * columns have not occurred together, within the same `per` (default: account_id), in [slot - over, slot). `atLeast`: a subject has so many of these new values in the
 * slot. `habit`: the `per` has had events of `when` on at least so many of the whole days of `over` before the slot's, with no more than so many values; this takes
 * the place of a warm-up. `timesUsual`: the subject's events in the slot are at least `atLeast`, and that many times the median of its slots in [slot - over, slot) that hold any (the lower one of two in the middle; 0 where it has none).
 * `mads`: and so many median absolute deviations of the same slots above that median. `by: 'hour-of-week'`: and all that also of those among them that lie whole weeks
 * before, where there are any: what runs every Monday at nine is usual there.
 * Otherwise neither speaks before the `per` (for `timesUsual` the account) has events of any kind in [slot - over, slot - warmUp].
 */
export type Baseline =
  | {
      readonly firstSeen: readonly string[];
      readonly over: Duration;
      readonly per?: readonly string[];
      readonly atLeast?: number | ParameterRef;
      readonly habit?: Habit;
      readonly warmUp?: Duration;
    }
  | {
      readonly timesUsual: number | ParameterRef;
      readonly mads?: number | ParameterRef;
      readonly by?: 'hour-of-week';
      readonly atLeast: number | ParameterRef;
      readonly over: Duration;
      readonly warmUp?: Duration;
    };

/**
 * All steps within the span, joined by equal values of these columns (rows where one has no value take no part), none earlier than the one before. CloudTrail
 * tells seconds: two events of one second count as in order whichever came first, and an event that fits several steps is taken for the last of them.
 */
export interface Sequence {
  readonly steps: readonly (Condition | { readonly when: Condition; readonly atLeast: number | ParameterRef })[];
  readonly by: readonly string[];
  readonly within: Duration;
}

/** Tables that detectors look at. */
export const DETECTOR_TABLES = ['cloudtrail', 'cloudtrail_insight', 's3_access', 'waf'] as const;

/**
 * A raw record as AWS writes it: JSON, of which the runner fills in what is left out (ids, times, account, region, caller, request), or a line of an access log, in
 * which `{time}` and `{id}` stand for what the runner fills in.
 */
export type ExampleRecord = Readonly<Record<string, unknown>> | string;

export interface Example {
  /** What happens, as a sentence. */
  readonly name: string;
  /** A stream in order of time. `{ repeat, every, record }` stands for that many records at that distance. */
  readonly records: readonly (
    | ExampleRecord
    | {
        readonly repeat: number;
        readonly every: Duration;
        readonly record: ExampleRecord | ((index: number) => ExampleRecord);
      }
  )[];
  /** The alerts, as far as written: subject, and where it matters the count. */
  readonly alerts: readonly {
    readonly subject: Readonly<Record<string, Scalar | null>>;
    readonly count?: number;
    readonly peak?: number;
  }[];
  readonly parameters?: Readonly<Record<string, unknown>>;
  /** What is known beside the logs, by address and account id; where it is left out, all of it is configured and knows nothing. */
  readonly known?: {
    readonly addresses?: Readonly<Record<string, Partial<AddressContext>>>;
    readonly accounts?: Readonly<Record<string, Partial<AccountContext>>>;
  };
}

export interface DetectorSpec {
  /** Kebab-case noun phrase of what was seen; the name of its file. Never used again once retired. */
  readonly id: string;
  /** Raised when its findings change. Default 1. */
  readonly version?: number;
  readonly title: string;
  /** Why it matters and what it rests on, a few sentences. */
  readonly description: string;
  readonly severity: Severity;
  /** One line that argues for the severity. */
  readonly severityReason: string;
  readonly table: (typeof DETECTOR_TABLES)[number];
  /** Other tables its SQL reads. */
  readonly reads?: readonly string[];
  /** ATT&CK technique and the version of ATT&CK in which it has this number. */
  readonly attack: readonly { readonly technique: string; readonly version: number }[];
  readonly tags?: readonly string[];
  readonly when?: Condition;
  readonly threshold?: Threshold;
  readonly baseline?: Baseline;
  readonly sequence?: Sequence;
  /**
   * One SELECT in the portable subset: a row per finding with the subject's columns, first_seen, last_seen, count, event_ids (an array), and if it likes slot (else
   * the slot of first_seen), peak, account_id, aws_region, source_ip, principal_arn and columns for the summary. It must give the same rows for a slot whatever
   * window it runs over, so it groups by the slot. With a `when` beside it the table holds only those events: say there what can be said there, it is far cheaper.
   */
  readonly sql?: string;
  /** How much history before the window its SQL needs. Such a detector is taken for one that late data can refute. */
  readonly lookback?: Duration;
  /** Beside `lookback`: further events can add findings and enlarge them, never take one back. So late data cannot refute it, and nothing is waited for. */
  readonly growsOnly?: boolean;
  /** `event`: each event is a finding, only where `when` stands alone. Otherwise a length that divides the UTC day, and all of a subject in it is one; default 1h. */
  readonly slot?: 'event' | '15m' | '1h' | '6h' | '1d';
  /** Columns, or paths without `[]` into JSON columns, that say whom or what the finding is about; `source_ip.network` is the first half of an IPv4 address, the first two groups of an IPv6 one. */
  readonly subject: readonly string[];
  /** A sentence with `{column}`, `{json_column.path}`, `{count}`, `{peak}` in it; filled from the first event of the finding. */
  readonly summary: string;
  /** snake_case names; each zod schema has a default and says unit and reason in describe(). */
  readonly parameters?: Readonly<Record<string, z.ZodType>>;
  readonly falsePositives: readonly string[];
  /** What it cannot see, and which logging it needs. */
  readonly blindSpots: readonly string[];
  /** Needs data events of this kind, for example `AWS::S3::Object`: without them silence means not covered, never clean. */
  readonly needsDataEvents?: string;
  /** Steps that name fields and saved questions. */
  readonly response?: readonly string[];
  readonly examples: readonly Example[];
}

export type Detector = DetectorSpec & { readonly version: number; readonly slot: NonNullable<DetectorSpec['slot']> };

const WEEK_MS = 7 * DAY_MS;
const SLOTS: readonly unknown[] = ['event', '15m', '1h', '6h', '1d'] satisfies DetectorSpec['slot'][];

/** Length of a detector's slot in ms; null where each event is a finding. */
export const slotMs = (detector: Pick<Detector, 'slot'>): number | null =>
  detector.slot === 'event' ? null : durationMs(detector.slot);

/** Checks a detector's data and fills in its defaults. What needs the table's columns is checked when it runs. Throws `detector-invalid`. */
export function defineDetector(spec: DetectorSpec): Detector {
  const detector: Detector = { ...spec, version: spec.version ?? 1, slot: spec.slot ?? '1h' };
  const problem = problemOf(detector);
  if (problem !== null) throw new AppError('detector-invalid', `cannot use the detector '${spec.id}': ${problem}`);
  return detector;
}

/** The first thing that is wrong, as the end of a sentence; null when nothing is. */
function problemOf(detector: Detector): string | null {
  const { id, slot, when, threshold, baseline, sequence, sql, lookback, parameters = {} } = detector;
  if (typeof id !== 'string' || !/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/u.test(id))
    return 'its id is not in kebab-case, such as denied-call-spike';
  if (!Number.isInteger(detector.version) || detector.version < 1)
    return `version is ${detector.version}, expected a whole number from 1`;
  if (!SEVERITIES.includes(detector.severity))
    return `severity is '${detector.severity}', expected one of ${SEVERITIES.join(', ')}`;
  for (const key of ['title', 'description', 'severityReason', 'table', 'summary'] as const) {
    if (typeof detector[key] !== 'string' || detector[key].trim() === '') return `${key} is empty`;
  }
  if (!DETECTOR_TABLES.includes(detector.table))
    return `table is '${detector.table}', expected one of ${DETECTOR_TABLES.join(', ')}`;
  for (const key of ['attack', 'subject', 'falsePositives', 'blindSpots', 'examples'] as const) {
    if (!Array.isArray(detector[key])) return `${key} is not a list`;
  }
  if (detector.subject.length === 0) return 'subject names no column';
  const technique = detector.attack.find(
    (attack) => !/^T\d{4}([.]\d{3})?$/u.test(attack.technique) || !Number.isInteger(attack.version),
  );
  if (technique !== undefined)
    return `attack names '${technique.technique}' of version ${technique.version}, expected for example { technique: 'T1562.008', version: 16 }`;
  if (!SLOTS.includes(slot)) return `slot is '${slot}', expected one of ${SLOTS.join(', ')}`;

  const kinds = Object.entries({ threshold, baseline, sequence, sql })
    .filter(([, value]) => value !== undefined)
    .map(([key]) => key);
  if (kinds.length > 1) return `it has ${kinds.join(' and ')}, expected one of them`;
  const [kind] = kinds;
  if (when === undefined && kind !== 'sequence' && kind !== 'sql') return "'when' is missing";
  if (when !== undefined && kind === 'sequence') return "'when' has no meaning beside 'sequence'";
  if (slot === 'event' && kind !== undefined)
    return `slot 'event' has no meaning beside '${kind}': leave it out, or give a length`;
  if (detector.growsOnly !== undefined && lookback === undefined) return "growsOnly has no meaning without 'lookback'";
  if (lookback !== undefined && kind !== 'sql') return "lookback has no meaning without 'sql'";
  if (sequence !== undefined && sequence.steps.length < 2) return 'its sequence has fewer than two steps';
  if (sequence !== undefined && sequence.by.length === 0) return 'its sequence is joined by no column';
  return spanProblem(detector) ?? parameterProblem(detector, parameters);
}

function spanProblem({ slot, threshold, baseline, sequence, lookback }: Detector): string | null {
  const spans = {
    'threshold.within': threshold?.within,
    'sequence.within': sequence?.within,
    'baseline.over': baseline?.over,
    'baseline.warmUp': baseline?.warmUp,
    lookback,
  };
  for (const [name, span] of Object.entries(spans)) {
    if (span !== undefined && !/^[1-9]\d{0,5}[smhdw]$/u.test(span))
      return `${name} is '${span}', expected a number and a unit, such as 10m, 12h or 30d`;
  }
  if (baseline === undefined || slot === 'event') return null;
  const [over, warmUp, length] = [baseline.over, baseline.warmUp ?? WARM_UP, slot].map(durationMs) as [
    number,
    number,
    number,
  ];
  if (over < warmUp)
    return `baseline.over is ${baseline.over}, expected at least the ${baseline.warmUp ?? WARM_UP} of history that a baseline needs`;
  if (over % length !== 0 || warmUp % length !== 0)
    return `baseline.over and baseline.warmUp are no multiples of the slot ${slot}`;
  if ('habit' in baseline && baseline.habit !== undefined) {
    if ((baseline.per ?? []).length === 0)
      return "baseline.habit has no meaning without 'per', which says whose habit it is";
    if (baseline.warmUp !== undefined)
      return "baseline.warmUp has no meaning beside 'habit', which asks for history of its own";
    if (over < 2 * DAY_MS)
      return `baseline.over is ${baseline.over}, expected at least 2d beside 'habit', which counts whole days`;
  }
  if ('by' in baseline && over % WEEK_MS !== 0)
    return `baseline.over is ${baseline.over}, expected whole weeks beside by: 'hour-of-week'`;
  return DAY_MS % length === 0 ? null : `slot ${slot} does not divide the day`;
}

function parameterProblem(detector: Detector, parameters: Readonly<Record<string, z.ZodType>>): string | null {
  for (const [name, schema] of Object.entries(parameters)) {
    if (!/^[a-z][a-z0-9_]*$/u.test(name)) return `the parameter '${name}' is not in snake_case`;
    if (!schema.safeParse(undefined).success) return `the parameter '${name}' has no default`;
    if ((schema.description ?? '') === '')
      return `the parameter '${name}' does not say its unit and reason in describe()`;
  }
  const unknown = parameterRefs([detector.when, detector.threshold, detector.baseline, detector.sequence]).find(
    (name) => !(name in parameters),
  );
  return unknown === undefined ? null : `it uses the parameter '${unknown}', which it does not declare`;
}

/** Names of all parameters that a piece of a detector refers to. */
function parameterRefs(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(parameterRefs);
  if (typeof value !== 'object' || value === null) return [];
  const entries = Object.entries(value);
  return entries.length === 1 && entries[0]?.[0] === 'parameter' && typeof entries[0][1] === 'string'
    ? [entries[0][1]]
    : entries.flatMap(([, inner]) => parameterRefs(inner));
}

/** The values of a run: what is given, checked, over the defaults. Throws `config-invalid`, naming detector, parameter and value. */
export function parameterValues(
  detector: Pick<Detector, 'id' | 'parameters'>,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const schemas = detector.parameters ?? {};
  const unknown = Object.keys(given).find((name) => !(name in schemas));
  if (unknown !== undefined) {
    const names = Object.keys(schemas);
    throw new AppError('config-invalid', `the detector '${detector.id}' has no parameter '${unknown}'`, {
      hint: names.length > 0 ? `Its parameters: ${names.join(', ')}.` : 'It takes none.',
    });
  }
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => {
      const parsed = schema.safeParse(given[name]);
      if (parsed.success) return [name, parsed.data];
      const why = parsed.error.issues
        .map(({ message, path }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message))
        .join('; ');
      throw new AppError(
        'config-invalid',
        `cannot use ${JSON.stringify(given[name])} for the parameter '${name}' of the detector '${detector.id}': ${why}`,
        {
          hint: `${name}: ${schema.description ?? ''}`,
        },
      );
    }),
  );
}
