/** What the catalogue says about an archive in which nothing is planted: everything it says there is noise, and there is a budget for it. */
import { type Alert, SEVERITIES } from '../src/alert.ts';

/** At most one alert for so many events. */
const EVENTS_PER_ALERT = 100_000;
/** At most one of medium severity or above in so many days, and none that is high or critical. */
const DAYS_PER_MEDIUM = 7;

export interface Noise {
  readonly alerts: number;
  readonly mediumOrAbove: number;
  readonly highOrAbove: number;
  /** The loudest first. */
  readonly byDetector: readonly {
    readonly detector: string;
    readonly severity: Alert['severity'];
    readonly alerts: number;
  }[];
  /** What is over the budget, as sentences; none when it is kept. */
  readonly problems: readonly string[];
}

type Told = Pick<Alert, 'detector' | 'severity'>;

export function noiseOf(alerts: readonly Told[], archive: { readonly events: number; readonly days: number }): Noise {
  const atLeast = (least: Alert['severity']): number =>
    alerts.filter(({ severity }) => SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least)).length;
  const mediumOrAbove = atLeast('medium');
  const highOrAbove = atLeast('high');
  const allowed = Math.floor(archive.events / EVENTS_PER_ALERT);
  const mediumAllowed = Math.floor(archive.days / DAYS_PER_MEDIUM);
  return {
    alerts: alerts.length,
    mediumOrAbove,
    highOrAbove,
    byDetector: [...new Set(alerts.map(({ detector }) => detector))]
      .map((detector) => {
        const own = alerts.filter((alert) => alert.detector === detector);
        return { detector, severity: own[0]?.severity ?? 'informational', alerts: own.length };
      })
      .toSorted((a, b) => b.alerts - a.alerts || (a.detector < b.detector ? -1 : 1)),
    problems: [
      ...(alerts.length > allowed ? [`${alerts.length} alerts, where ${allowed} are allowed`] : []),
      ...(mediumOrAbove > mediumAllowed
        ? [`${mediumOrAbove} alerts of medium severity or above, where ${mediumAllowed} are allowed`]
        : []),
      ...(highOrAbove > 0 ? [`${highOrAbove} alerts of high or critical severity, where none is allowed`] : []),
    ],
  };
}
