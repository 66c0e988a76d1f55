/** What `scan` and `hunt` share: which detectors run with which values, and what the run ends with. */
import { type Command, Option } from 'commander';
import { type Alert, SEVERITIES, type Severity } from '../alert.ts';
import type { Detector } from '../detector.ts';
import { AppError } from '../errors.ts';
import { type BackendCommandOptions, isAthena } from './athena.ts';
import { collect, detectorParameters, type ExitStatus, type Run } from './command.ts';
import { withNamed } from './enrichment.ts';
import { formatCount, plural } from './output/text.ts';
import { addRulesOption, type RulesOptions } from './rules.ts';
import type { Terminal } from './terminal.ts';
import type { RuleReport } from './wire.ts';

export interface HuntCommandOptions extends RulesOptions {
  readonly tag?: readonly string[];
  readonly minSeverity?: Severity;
  readonly failOn?: Severity;
}

export function addHuntOptions(command: Command): Command {
  return addRulesOption(command)
    .option('--tag <tag>', 'only detectors with this tag, repeatable', collect)
    .addOption(new Option('--min-severity <severity>', 'only detectors of this severity or above').choices(SEVERITIES))
    .addOption(
      new Option(
        '--fail-on <severity>',
        'end with status 1 when there is an alert of this severity or above, new or known',
      ).choices(SEVERITIES),
    );
}

export interface ChosenDetectors {
  readonly detectors: readonly Detector[];
  /** What was given for each, by id; checked by the engine. */
  readonly parameters: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** What became of each Sigma rule. */
  readonly rules: readonly RuleReport[];
}

export const atLeast = (severity: Severity, least: Severity): boolean =>
  SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(least);

/**
 * The named ones, or all, narrowed by tag and severity. Throws `detector-unknown`, also for parameters of a detector that there is not,
 * and `usage-invalid` when none is left: silence would look like a clean result.
 */
export async function chooseDetectors(
  run: Pick<Run<HuntCommandOptions & Pick<BackendCommandOptions, 'backend'>>, 'options' | 'config' | 'params'>,
  ids: readonly string[],
): Promise<ChosenDetectors> {
  const { loadDetectors } = await import('./detectors.ts');
  const catalogue = await loadDetectors(run.config, { portable: isAthena(run) });
  const parameters = withNamed(await detectorParameters(run), run.config);
  for (const id of Object.keys(parameters)) catalogue.get(id);
  const { tag, minSeverity } = run.options;
  const tags = new Set(catalogue.entries.flatMap(({ detector }) => detector.tags ?? []));
  const unknown = tag?.find((one) => !tags.has(one));
  if (unknown !== undefined) {
    throw new AppError('usage-invalid', `no detector has the tag '${unknown}'`, {
      hint: `Tags: ${[...tags].toSorted().join(', ')}.`,
    });
  }
  const named = ids.length === 0 ? catalogue.entries : [...new Set(ids)].map((id) => catalogue.get(id));
  const detectors = named
    .map(({ detector }) => detector)
    .filter((detector) => tag === undefined || tag.some((one) => detector.tags?.includes(one)))
    .filter(({ severity }) => minSeverity === undefined || atLeast(severity, minSeverity));
  if (detectors.length === 0) {
    throw new AppError('usage-invalid', 'no detector is left to run', {
      hint: 'None has all that --tag, --min-severity and the ids ask for: leave one of them out.',
    });
  }
  return { detectors, parameters, rules: catalogue.rules };
}

/** Detectors of logs that are not set up on Athena are left out; of those that were named, that is an error. */
export function refuseLeftOut(leftOut: readonly Detector[], named: readonly string[]): void {
  const missing = leftOut.find(({ id }) => named.includes(id));
  if (missing === undefined) return;
  throw new AppError(
    'athena-missing',
    `cannot run ${missing.id}: ${[missing.table, ...(missing.reads ?? [])].join(' or ')} is not set up on Athena`,
    { hint: 'Run `trailhound athena setup s3://bucket/prefix --apply` with the place of its log files.' },
  );
}

/** Of each table that is not set up, what is said of its detectors. */
export const leftOutTexts = (leftOut: readonly Detector[]): readonly string[] =>
  [...new Set(leftOut.map(({ table }) => table))].map((table) => {
    const count = leftOut.filter((detector) => detector.table === table).length;
    return `${plural(count, 'detector')} of ${table} left out: it is not set up on Athena`;
  });

/** Detectors look at windows of time: an event without one stands in none of them. */
export function tellWithoutTime(events: number, terminal: Terminal): void {
  if (events > 0) terminal.warn(`${plural(events, 'event')} without a time: stored, not hunted`);
}

/** Why detectors stay silent, such as a history that is too short. */
export function tellNotes(notes: readonly string[], terminal: Terminal): void {
  for (const note of notes) terminal.info(note);
}

/** What still asks for someone's attention. All others are kept, counted, and not shown unless asked for. */
export const isPending = ({ status }: Alert): boolean => status === 'open' || status === 'acknowledged';

/** The closing line, and whether --fail-on is reached. */
export function tellAlerts(alerts: readonly Alert[], terminal: Terminal, failOn: Severity | undefined): ExitStatus {
  const pending = alerts.filter(isPending);
  const others = (['closed', 'suppressed', 'withdrawn'] as const).flatMap((status) => {
    const count = alerts.filter((alert) => alert.status === status).length;
    return count > 0 ? [`${formatCount(count)} ${status}`] : [];
  });
  const fresh = pending.filter((alert) => alert.new).length;
  const parts = [plural(pending.length, 'alert'), `${formatCount(fresh)} new`, ...others];
  terminal.info(parts.join(', '));
  return failOn !== undefined && pending.some(({ severity }) => atLeast(severity, failOn)) ? 1 : 0;
}
