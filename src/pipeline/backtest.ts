/** What a stretch of the past says about detectors: how loud each would have been, and what would make it quieter. */
import type { Alert } from '../alert.ts';
import type { Detector } from '../detector.ts';

/** So many subjects are left out at most: a longer list would hide the detector, not its noise. */
const SUPPRESSIONS_MAX = 3;
/** A subject with fewer of the alerts is none of the noise. */
const SHARE_MIN = 0.1;
/** Somebody who was seen less often is no noise, but news. */
const REPEATS_MIN = 5;
/** A threshold that had to rise beyond this many times its value would blind the detector. */
const RAISE_MAX = 10;

export interface Loudness {
  readonly detector: Detector;
  /** Alerts that were not suppressed. */
  readonly alerts: number;
  readonly suppressed: number;
  readonly perDay: number;
  /** The day with most of them, `YYYY-MM-DD`, and how many it has. */
  readonly busiestDay: string;
  readonly busiest: number;
  /** Events that they rest on. */
  readonly events: number;
  /** Noisiest first. */
  readonly subjects: readonly { readonly subject: Alert['subject']; readonly alerts: number }[];
}

/** Of those with alerts, noisiest first. */
export function loudnessOf(
  detectors: readonly Detector[],
  alerts: readonly Alert[],
  days: number,
): readonly Loudness[] {
  return detectors
    .map((detector) =>
      loudness(
        detector,
        alerts.filter((alert) => alert.detector === detector.id),
        days,
      ),
    )
    .filter((one) => one.alerts + one.suppressed > 0)
    .toSorted((a, b) => b.alerts - a.alerts || (a.detector.id < b.detector.id ? -1 : 1));
}

function loudness(detector: Detector, all: readonly Alert[], days: number): Loudness {
  const alerts = all.filter(({ status }) => status !== 'suppressed');
  const perDate = counted(alerts.map(({ first_seen }) => first_seen.slice(0, 10)));
  const [busiestDay = '', busiest = 0] = perDate[0] ?? [];
  const subjects = new Map(alerts.map(({ subject }) => [JSON.stringify(subject), subject]));
  return {
    detector,
    alerts: alerts.length,
    suppressed: all.length - alerts.length,
    perDay: alerts.length / days,
    busiestDay,
    busiest,
    events: alerts.reduce((sum, { count }) => sum + count, 0),
    subjects: counted(alerts.map(({ subject }) => JSON.stringify(subject))).map(([key, count]) => ({
      subject: subjects.get(key) ?? {},
      alerts: count,
    })),
  };
}

/** How often each occurs, the most frequent first. */
function counted(values: readonly string[]): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

/** A change of the config that leaves a detector with few enough alerts, or with fewer. */
export type Proposal =
  | {
      readonly kind: 'parameter';
      readonly detector: Detector;
      readonly name: string;
      readonly before: number;
      readonly value: number;
    }
  | {
      readonly kind: 'suppress';
      readonly detector: Detector;
      readonly where: Readonly<Record<string, string>>;
      readonly alerts: number;
    };

/** `allowed`: alerts that it may have over the whole time. */
export function proposalsFor(
  { detector, alerts: count, subjects }: Loudness,
  alerts: readonly Alert[],
  { allowed, parameters }: { readonly allowed: number; readonly parameters: Readonly<Record<string, unknown>> },
): readonly Proposal[] {
  if (count <= allowed) return [];
  // Whoever hides these does so by hand, after a look.
  const isGrave = detector.severity === 'high' || detector.severity === 'critical';
  const loud = (isGrave ? [] : subjects)
    .filter((one) => one.alerts >= REPEATS_MIN && one.alerts / count >= SHARE_MIN)
    .flatMap(({ subject, alerts: own }) => {
      const where = whereOf(subject);
      return where === null ? [] : [{ kind: 'suppress', detector, where, alerts: own } as const];
    })
    .slice(0, SUPPRESSIONS_MAX);
  const needed: Proposal[] = [];
  let left = count;
  for (const one of loud) {
    if (left <= allowed) break;
    needed.push(one);
    left -= one.alerts;
  }
  if (left <= allowed) return needed;
  const threshold = thresholdFor(detector, alerts, { allowed, parameters });
  return threshold === null ? needed : [threshold];
}

/** All of its columns must be those; null where one has no value, or a star, which stands for any text. */
function whereOf(subject: Alert['subject']): Readonly<Record<string, string>> | null {
  const entries = Object.entries(subject);
  const where = entries.flatMap(([column, value]) =>
    typeof value !== 'string' || value.includes('*') ? [] : [[column, value] as const],
  );
  return where.length === entries.length ? Object.fromEntries(where) : null;
}

function thresholdFor(
  detector: Detector,
  alerts: readonly Alert[],
  { allowed, parameters }: { readonly allowed: number; readonly parameters: Readonly<Record<string, unknown>> },
): Proposal | null {
  const { threshold, baseline } = detector;
  const atLeast =
    threshold?.atLeast ?? (baseline !== undefined && 'atLeast' in baseline ? baseline.atLeast : undefined);
  if (typeof atLeast !== 'object') return null;
  const before = Number(parameters[atLeast.parameter]);
  const measures = alerts
    .filter(({ status }) => status !== 'suppressed')
    .map(({ peak, count }) => peak ?? count)
    .toSorted((a, b) => b - a);
  const value = (measures[allowed] ?? 0) + 1;
  const schema = detector.parameters?.[atLeast.parameter];
  if (value <= before || value > before * RAISE_MAX || schema?.safeParse(value).success !== true) return null;
  return { kind: 'parameter', detector, name: atLeast.parameter, before, value };
}
