/** `trailhound alerts export`: alerts for other programs, in their shapes. */
import { Command, Option } from 'commander';
import { ALERT_STATUSES, type Alert, type AlertStatus, SEVERITIES, type Severity } from '../../alert.ts';
import { toAsff } from '../../asff.ts';
import { AppError } from '../../errors.ts';
import { toOcsf } from '../../ocsf.ts';
import { formatTime } from '../../time.ts';
import { checkAccount, checkRegion } from '../aws.ts';
import { finish, type Host, isOutput, type Run, windowOf, withStore } from '../command.ts';
import { createAlertWriter } from '../output/alerts.ts';
import { writeJsonLines } from '../output/json.ts';
import { plural } from '../output/text.ts';

interface ExportOptions {
  readonly detector?: string;
  readonly minSeverity?: Severity;
  readonly status?: readonly AlertStatus[];
  readonly from?: string;
  readonly to?: string;
  readonly account?: string;
  readonly region?: string;
}

const FORMS = ['jsonl', 'csv', 'ocsf', 'asff'] as const;

export function exportAlertsCommand(host: Host): Command {
  const command = new Command('export')
    .description('alerts for other programs: as JSON lines (default), CSV, OCSF or ASFF, by --output')
    .option('--detector <id>', 'only of this detector')
    .addOption(new Option('--min-severity <severity>', 'only of this severity or above').choices(SEVERITIES))
    .addOption(new Option('--status <status...>', 'only with one of these (default: all)').choices(ALERT_STATUSES))
    .option('--from <time>', 'only with events at this time or later')
    .option('--to <time>', 'only with events before this time')
    .option('--account <id>', 'of ASFF: the account that imports them into Security Hub')
    .option('--region <name>', 'of ASFF: where they are imported (default: that of the config, or AWS_REGION)');
  return finish<ExportOptions>(
    command,
    host,
    [
      'trailhound alerts export --from 30d > alerts.jsonl',
      'trailhound alerts export --min-severity high --status open acknowledged --output csv > alerts.csv',
      'trailhound alerts export --output ocsf > findings.jsonl',
      "trailhound alerts export --output asff --account 111122223333 --region eu-central-1 | jq -s '.[:100]' > findings.json",
    ],
    async (run) => {
      const { options, terminal } = run;
      const write = writerOf(run);
      const alerts = await withStore(run, (store) =>
        store.alerts({
          ...(options.detector !== undefined && { detector: options.detector }),
          ...(options.minSeverity !== undefined && { minSeverity: options.minSeverity }),
          ...(options.status !== undefined && { statuses: options.status }),
          ...windowOf(options, run.nowMs),
        }),
      );
      await write(alerts);
      terminal.info(plural(alerts.length, 'alert'));
      return 0;
    },
    FORMS,
  );
}

/** Refuses what cannot work before the store is opened. */
function writerOf(run: Run<ExportOptions>): (alerts: readonly Alert[]) => Promise<void> {
  const { outputForm = 'jsonl', terminal, options } = run;
  const at = formatTime(run.nowMs);
  const lines = (shapeOf: (alert: Alert) => object) => (alerts: readonly Alert[]) =>
    writeJsonLines(terminal.mask.value(alerts).map(shapeOf), terminal);
  if (outputForm !== 'asff' && (options.account !== undefined || options.region !== undefined)) {
    throw new AppError('usage-invalid', '--account and --region are for --output asff only', {
      hint: 'They say where Security Hub imports the findings. Alerts of one account are found by `trailhound sql`.',
    });
  }
  if (outputForm === 'ocsf') return lines((alert) => toOcsf(alert, at));
  if (outputForm === 'asff') {
    const place = placeOf(run);
    return lines((alert) => toAsff(alert, place, at));
  }
  const form = isOutput(outputForm) ? outputForm : 'jsonl';
  return async (alerts) => {
    const writer = createAlertWriter(form, terminal);
    await writer.write(alerts);
    await writer.end();
  };
}

function placeOf({ options, config }: Run<ExportOptions>): { readonly account: string; readonly region: string } {
  const region = options.region ?? config.aws.region ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  if (options.account === undefined || region === undefined) {
    const missing = options.account === undefined ? '--account' : '--region';
    throw new AppError('usage-invalid', `cannot write ASFF without ${missing}`, {
      hint: 'A finding names the account and the region of the Security Hub that imports it: --account 111122223333 --region eu-central-1.',
    });
  }
  checkAccount(options.account);
  checkRegion(region);
  return { account: options.account, region };
}
