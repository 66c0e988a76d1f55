/** `trailhound alerts`: what the hunts found and the store keeps. Each command that does more than list or show has a file of its own. */
import { Command, Option } from 'commander';
import { ALERT_STATUSES, type Alert, type AlertStatus, SEVERITIES, type Severity } from '../../alert.ts';
import { json } from '../../printable.ts';
import type { Table } from '../../table.ts';
import { lifeOf } from '../alert-life.ts';
import { finish, group, type Host, type Run, wholeNumber, windowOf, withStore } from '../command.ts';
import { alertDetail, createAlertWriter } from '../output/alerts.ts';
import { plural } from '../output/text.ts';
import { decisionCommands } from './alerts-decide.ts';
import { exportAlertsCommand } from './alerts-export.ts';
import { findIncident, incidentsCommand } from './alerts-incidents.ts';

interface ListOptions {
  readonly detector?: string;
  readonly minSeverity?: Severity;
  readonly status?: readonly (AlertStatus | 'all')[];
  readonly from?: string;
  readonly to?: string;
  readonly incident?: string;
  readonly sort: (typeof SORTS)[number];
  readonly limit: number;
}

const ALERTS_SHOWN = 200;
/** `rank`: what to look at first. */
const SORTS = ['newest', 'rank'] as const;
/** What still asks for someone's attention. */
const PENDING: readonly AlertStatus[] = ['open', 'acknowledged'];

export function alertsCommand(host: Host): Command {
  const list = new Command('list')
    .description('alerts of the store, newest first or by rank')
    .option('--detector <id>', 'only of this detector')
    .addOption(new Option('--min-severity <severity>', 'only of this severity or above').choices(SEVERITIES))
    .addOption(
      new Option('--status <status...>', `only with one of these (default: ${PENDING.join(', ')})`).choices([
        ...ALERT_STATUSES,
        'all',
      ]),
    )
    .option('--from <time>', 'only with events at this time or later')
    .option('--to <time>', 'only with events before this time')
    .option('--incident <id>', 'only those of this incident, whatever their status')
    .addOption(
      new Option(
        '--sort <order>',
        'which come first, and are left when --limit cuts: the newest, or by rank the weightiest',
      )
        .choices(SORTS)
        .default('newest'),
    )
    .option('--limit <n>', 'alerts to list at most, 0 for all', wholeNumber, ALERTS_SHOWN);
  const show = new Command('show')
    .description('all that is known of one alert, what became of it, and the statement that shows its events')
    .argument('<id>', 'the id, or a beginning of it that no other has');
  const command = new Command('alerts')
    .description('list, show, decide and hand over the alerts that the store keeps')
    .addCommand(
      finish<ListOptions>(
        list,
        host,
        [
          'trailhound alerts list',
          'trailhound alerts list --min-severity high --from 7d',
          'trailhound alerts list --sort rank --limit 10',
          'trailhound alerts list --status all --output jsonl',
        ],
        async (run) => {
          const { options, terminal } = run;
          const window = windowOf(options, run.nowMs);
          const { limit, sort } = options;
          const isRanked = sort === 'rank';
          const wanted = options.status ?? (options.incident === undefined ? PENDING : ['all']);
          const alerts = await withStore(run, async (store) => {
            const incident = options.incident === undefined ? null : await findIncident(store, options.incident);
            return store.alerts({
              ...(incident !== null && { ids: incident.alert_ids }),
              ...(options.detector !== undefined && { detector: options.detector }),
              ...(options.minSeverity !== undefined && { minSeverity: options.minSeverity }),
              ...(!wanted.includes('all') && { statuses: wanted.filter((status) => status !== 'all') }),
              ...window,
              ...(limit > 0 && { limit }),
              sort,
            });
          });
          if (alerts.length === 0 && options.detector !== undefined) await checkDetector(run, options.detector);
          const writer = createAlertWriter(run.output, terminal, isRanked ? 'given' : 'severity');
          await writer.write(alerts);
          await writer.end();
          terminal.info(
            alerts.length > 0 && alerts.length === limit
              ? `The ${isRanked ? 'weightiest' : 'newest'} ${plural(alerts.length, 'alert')}; --limit shows more.`
              : plural(alerts.length, 'alert'),
          );
          return 0;
        },
      ),
    )
    .addCommand(
      finish(
        show,
        host,
        ['trailhound alerts show 3f2a9c', 'trailhound alerts show 3f2a9c --output json'],
        async (run, id = '') => {
          const { alert, life } = await withStore(run, async (store) => {
            const found = await store.alert(id);
            return run.terminal.mask.value({ alert: found, life: await lifeOf(store, found, run) });
          });
          if (run.output === 'table') {
            await run.terminal.out(alertDetail(alert, life, await tableOf(alert, run), run.terminal));
          } else if (run.output === 'json' || run.output === 'jsonl') {
            await run.terminal.out(`${json({ ...alert, ...life }, run.output === 'json' ? 2 : undefined)}\n`);
          } else {
            const writer = createAlertWriter(run.output, run.terminal);
            await writer.write([alert]);
            await writer.end();
          }
          return 0;
        },
      ),
    )
    .addCommand(incidentsCommand(host));
  for (const decision of decisionCommands(host)) command.addCommand(decision);
  return group(command.addCommand(exportAlertsCommand(host)), [
    'trailhound alerts list',
    'trailhound alerts show 3f2a9c',
    'trailhound alerts incidents',
    "trailhound alerts close 3f2a9c --why 'a drill of ours'",
  ]);
}

/** A retired detector is in no catalogue and may have alerts all the same. Throws `detector-unknown`. */
async function checkDetector(run: Run<ListOptions>, id: string): Promise<void> {
  const recorded = await withStore(run, (store) => store.alerts({ detector: id, limit: 1 }));
  if (recorded.length > 0) return;
  const { loadDetectors } = await import('../detectors.ts');
  (await loadDetectors(run.config)).get(id);
}

/** The table of the alert's detector; of one that is gone, or was made for a list, what its id says. */
async function tableOf({ detector }: Alert, { config }: Run<unknown>): Promise<Table> {
  const { TABLES } = await import('../wire.ts');
  const { loadDetectors } = await import('../detectors.ts');
  const known = (await loadDetectors(config)).entries.find((entry) => entry.detector.id === detector);
  const found = TABLES.findLast(
    ({ name }) => name === known?.detector.table || detector === `listed-indicator-${name.replaceAll('_', '-')}`,
  );
  const [first] = TABLES;
  if (first === undefined) throw new Error('there is no table');
  return found ?? first;
}
