/** What a detector is: data plus a condition or SQL. This is all that a detector's file imports. */
import { z } from 'zod';
import type { Severity } from './alert.ts';
import type { Duration } from './time.ts';

export { z };

export type Scalar = string | number | boolean;
/** Stands for the value of a parameter of the detector. */
export interface ParameterRef {
  readonly parameter: string;
}
export const parameter = (name: string): ParameterRef => ({ parameter: name });

/** How one column, or one path inside a JSON column, is compared. Text is compared as written; `event_name` and `event_source` regardless of case. */
export type Match =
  | Scalar
  | ParameterRef
  | readonly Scalar[]
  | {
      readonly is?: Scalar | ParameterRef | readonly Scalar[];
      readonly contains?: string | readonly string[] | ParameterRef;
      readonly startswith?: string | readonly string[] | ParameterRef;
      readonly endswith?: string | readonly string[] | ParameterRef;
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
      /** The value equals that of another column. */
      readonly column?: string;
      /** The value stands in the list `list_<name>` of the config. */
      readonly list?: string;
    };

/**
 * Two-valued: every leaf that has no value is false, so `not` means the same here, in Sigma and in SQL. A key is a column or a path into a JSON column;
 * `request_parameters.ipPermissions.items[].ipRanges.items[].cidrIp` means any element. Several keys in one object must all hold.
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

/** `firstSeen`: the combination of these columns has not occurred in [slot - over, slot). `timesUsual`: the slot's count is that many times the median of its slots before. */
export type Baseline =
  | { readonly firstSeen: readonly string[]; readonly over: Duration; readonly per?: readonly string[] }
  | { readonly timesUsual: number | ParameterRef; readonly atLeast: number | ParameterRef; readonly over: Duration };

/** Each step later than the one before, all within the span, joined by equal values of these columns. */
export interface Sequence {
  readonly steps: readonly (Condition | { readonly when: Condition; readonly atLeast: number | ParameterRef })[];
  readonly by: readonly string[];
  readonly within: Duration;
}

/** A raw record as AWS writes it; what is left out of an example is filled in by the runner (eventID, eventTime, account, region, caller). */
export type ExampleRecord = Readonly<Record<string, unknown>>;

export interface Example {
  /** What happens, as a sentence. */
  readonly name: string;
  /** A stream in order of time. `{ repeat, every, record }` stands for that many records at that distance. */
  readonly records: readonly (ExampleRecord | { readonly repeat: number; readonly every: Duration; readonly record: ExampleRecord | ((index: number) => ExampleRecord) })[];
  /** The alerts, as far as written: subject, and where it matters the count. */
  readonly alerts: readonly { readonly subject: Readonly<Record<string, Scalar | null>>; readonly count?: number; readonly peak?: number }[];
  readonly parameters?: Readonly<Record<string, unknown>>;
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
  readonly table: 'cloudtrail';
  /** Other tables its SQL reads. */
  readonly reads?: readonly string[];
  /** ATT&CK technique and the version of ATT&CK in which it has this number. */
  readonly attack: readonly { readonly technique: string; readonly version: number }[];
  readonly tags?: readonly string[];
  readonly when?: Condition;
  readonly threshold?: Threshold;
  readonly baseline?: Baseline;
  readonly sequence?: Sequence;
  /** One SELECT in the portable subset: a row per finding with the subject's columns, first_seen, last_seen, count, event_ids. */
  readonly sql?: string;
  /** How much history before the window its SQL needs. */
  readonly lookback?: Duration;
  /** `event`: each event is a finding. Otherwise a length that divides the UTC day; default 1h. */
  readonly slot?: 'event' | '15m' | '1h' | '6h' | '1d';
  /** Columns that say whom or what the finding is about. */
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

/** Checks a detector's data and fills in its defaults. Throws `detector-invalid`. */
export function defineDetector(spec: DetectorSpec): Detector {
  return { ...spec, version: spec.version ?? 1, slot: spec.slot ?? '1h' };
}
