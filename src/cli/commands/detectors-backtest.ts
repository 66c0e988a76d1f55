/** `trailhound detectors backtest`: how loud detectors would have been over what is stored, and what would quieten them. No alert is recorded. */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Alert } from '../../alert.ts';
import type { Detector } from '../../detector.ts';
import { AppError } from '../../errors.ts';
import { json, valueText } from '../../printable.ts';
import type { Suppression } from '../../store.ts';
import { DAY_MS, formatTime } from '../../time.ts';
import {
  detectorParameters,
  type ExitStatus,
  finish,
  type Host,
  type Run,
  userName,
  windowOf,
  withStore,
} from '../command.ts';
import type { ConfigPatch } from '../config-patch.ts';
import { chooseDetectors, tellNotes } from '../hunt.ts';
import { configLists } from '../lists.ts';
import { printRows } from '../output/rows.ts';
import { formatCount, plural } from '../output/text.ts';
import { configSuppressions } from '../suppressions.ts';
import type { Loudness, Proposal, Rehearsal } from '../wire.ts';

interface Options {
  readonly from?: string;
  readonly to?: string;
  readonly perDay: number;
  readonly write?: boolean;
}

/** A suppression that is proposed ends after this long: whoever looked at the past does not know the future. */
const SUPPRESS_DAYS = 90;
const PER_DAY = 1;

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new InvalidArgumentError('expected a number, 0 or more');
  return value;
};

export function backtestCommand(host: Host): Command {
  const command = new Command('backtest')
    .description(
      'how loud detectors would have been over what is stored, and a change of the config that quietens them',
    )
    .argument('[id...]', 'detectors (default: all)')
    .option('--from <time>', 'events at this time or later (default: the whole store)')
    .option('--to <time>', 'events before this time')
    .addOption(
      new Option('--per-day <n>', 'alerts a day that a detector may have').argParser(positive).default(PER_DAY),
    )
    .option('--write', 'put the change into the config, instead of printing it');
  return finish<Options>(
    command,
    host,
    [
      'trailhound detectors backtest --from 30d',
      'trailhound detectors backtest my-own-detector --from 2026-01-01 --to 2026-02-01',
      'trailhound detectors backtest --from 30d --per-day 0.2 --write',
    ],
    backtest,
  );
}

async function backtest(run: Run<Options>, ...ids: string[]): Promise<ExitStatus> {
  const { options, terminal, output } = run;
  const bounds = windowOf(options, run.nowMs);
  const { detectors } = await chooseDetectors({ ...run, options: {} }, ids);
  const given = await detectorParameters(run);
  const { loudnessOf, proposalsFor, useHunter } = await import('../wire.ts');
  const { parameterValues } = await import('../../detector.ts');
  const base = { lists: configLists(run.config), signal: run.signal };
  const suppressions = await configSuppressions(run);
  await withStore(run, async (store) => {
    const rehearse = (
      some: readonly Detector[],
      parameters: typeof given,
      more: readonly Suppression[],
    ): Promise<Rehearsal> =>
      useHunter(store, { ...base, detectors: some, parameters, suppressions: [...suppressions, ...more] }, (hunter) =>
        hunter.rehearse(bounds),
      );
    const before = await rehearse(detectors, given, []);
    if (before.window === null) {
      throw new AppError('usage-invalid', 'there is no event in this window to look back at', {
        hint: '`trailhound status` tells from when to when the store has events.',
      });
    }
    const days = Math.max(1, (before.window.toMs - before.window.fromMs) / DAY_MS);
    const loud = loudnessOf(detectors, before.alerts, days);
    const proposals = loud.flatMap((one) =>
      proposalsFor(
        one,
        before.alerts.filter(({ detector }) => detector === one.detector.id),
        {
          allowed: Math.floor(options.perDay * days),
          parameters: parameterValues(one.detector, given[one.detector.id] ?? {}),
        },
      ),
    );
    const patch = patchOf(proposals, { days, run });
    const after = await quieter(proposals, patch, given, rehearse);
    const rows = loud.map((one) => rowOf(one, days, after.get(one.detector.id)));
    if (output === 'json') {
      const window = { from: formatTime(before.window.fromMs), to: formatTime(before.window.toMs) };
      const objects = rows.map((row) => Object.fromEntries(COLUMNS.map(({ name }, at) => [name, row[at]])));
      await terminal.out(`${json({ window, days, events: before.events, detectors: objects, patch }, 2)}\n`);
    } else await printRows(output, COLUMNS, rows, terminal);
    tellNotes(before.notes, terminal);
    await offer(run, patch);
    const total = loud.reduce((sum, { alerts }) => sum + alerts, 0);
    terminal.info(
      `${plural(total, 'alert')} of ${formatCount(loud.length)} of ${plural(detectors.length, 'detector')} over ${days.toFixed(1)} days, ${(total / days).toFixed(1)} a day; nothing was recorded`,
    );
  });
  return 0;
}

const COLUMNS = [
  ['detector', 'VARCHAR'],
  ['severity', 'VARCHAR'],
  ['alerts', 'BIGINT'],
  ['per_day', 'DOUBLE'],
  ['busiest_day', 'VARCHAR'],
  ['on_it', 'BIGINT'],
  ['events', 'BIGINT'],
  ['subjects', 'BIGINT'],
  ['noisiest_subject', 'VARCHAR'],
  ['of_it', 'BIGINT'],
  ['suppressed', 'BIGINT'],
  ['per_day_after', 'DOUBLE'],
].map(([name = '', type = '']) => ({ name, type }));

function rowOf(one: Loudness, days: number, after: number | undefined) {
  const [top] = one.subjects;
  return [
    one.detector.id,
    one.detector.severity,
    one.alerts,
    rounded(one.perDay),
    one.busiestDay,
    one.busiest,
    one.events,
    one.subjects.length,
    top === undefined
      ? ''
      : Object.values(top.subject)
          .map((value) => (value === null ? '-' : valueText(value)))
          .join(' '),
    top?.alerts ?? 0,
    one.suppressed,
    rounded((after ?? one.alerts) / days),
  ];
}

const rounded = (value: number): number => Math.round(value * 100) / 100;

function patchOf(
  proposals: readonly Proposal[],
  { days, run }: { readonly days: number; readonly run: Run<Options> },
): ConfigPatch {
  const until = formatTime(Math.floor(run.nowMs / DAY_MS + SUPPRESS_DAYS) * DAY_MS).slice(0, 10);
  return {
    parameters: Object.fromEntries(
      proposals.flatMap((one) => (one.kind === 'parameter' ? [[one.detector.id, { [one.name]: one.value }]] : [])),
    ),
    suppress: proposals.flatMap((one) =>
      one.kind === 'suppress'
        ? [
            {
              detector: one.detector.id,
              where: one.where,
              reason: `backtest: ${plural(one.alerts, 'alert')} in ${days.toFixed(0)} days`,
              owner: userName(),
              until,
            },
          ]
        : [],
    ),
  };
}

/** How many alerts each detector of the proposals would have had with them: tried, not reckoned. */
async function quieter(
  proposals: readonly Proposal[],
  patch: ConfigPatch,
  given: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  rehearse: (
    some: readonly Detector[],
    parameters: Record<string, Record<string, unknown>>,
    more: readonly Suppression[],
  ) => Promise<Rehearsal>,
): Promise<ReadonlyMap<string, number>> {
  const detectors = [...new Set(proposals.map(({ detector }) => detector))];
  if (detectors.length === 0) return new Map();
  const parameters = Object.fromEntries(detectors.map(({ id }) => [id, { ...given[id], ...patch.parameters[id] }]));
  const more = patch.suppress.map((one, at): Suppression => ({ ...one, id: -1_000 - at }));
  const { alerts } = await rehearse(detectors, parameters, more);
  const isLoud = ({ status }: Alert): boolean => status !== 'suppressed';
  return new Map(
    detectors.map(({ id }) => [id, alerts.filter((alert) => alert.detector === id && isLoud(alert)).length]),
  );
}

async function offer({ options, output, terminal, config }: Run<Options>, patch: ConfigPatch): Promise<void> {
  const { isEmptyPatch, patchText, writePatch } = await import('../config-patch.ts');
  if (isEmptyPatch(patch)) return;
  if (options.write === true) {
    const file = writePatch(config, patch);
    terminal.info(
      `${file}: ${plural(Object.keys(patch.parameters).length, 'parameter')} and ${plural(patch.suppress.length, 'suppression')} put in`,
    );
    return;
  }
  if (output === 'table') {
    await terminal.out(
      `\n# Look at what each hides, then put it into the config, or let --write do it.\n${patchText(patch)}`,
    );
  }
}
