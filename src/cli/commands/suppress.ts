/** `trailhound suppress`: what a person decided not to be told of, for how long and why. */
import { Command } from 'commander';
import { AppError } from '../../errors.ts';
import { json, valueText } from '../../printable.ts';
import { formatTime, parseTime } from '../../time.ts';
import { collect, finish, group, type Host, type Run, userName, wholeNumber, withStore } from '../command.ts';
import { createAlertWriter } from '../output/alerts.ts';
import { type Fact, factLines } from '../output/facts.ts';
import { printRows } from '../output/rows.ts';
import { plural } from '../output/text.ts';
import {
  checkColumns,
  configSuppressions,
  IDLE_DAYS,
  type ListedSuppression,
  listSuppressions,
} from '../suppressions.ts';
import type { Terminal } from '../terminal.ts';

interface AddOptions {
  readonly where?: readonly string[];
  readonly reason: string;
  readonly owner?: string;
  readonly until?: string;
}

interface ListOptions {
  readonly expired?: boolean;
}

export function suppressCommand(host: Host): Command {
  const add = new Command('add')
    .description('mark the alerts of a detector, or those about somebody or something, as suppressed')
    .argument('[detector]', 'id of the detector; without it, every detector')
    .option(
      '--where <column=value>',
      'only where this holds, repeatable; * stands for any text, a CIDR for its addresses',
      collect,
    )
    .requiredOption('--reason <text>', 'why')
    .option('--owner <name>', 'who answers for it (default: your user name)')
    .option('--until <time>', 'when it ends: ISO 8601, or a span from now such as 30d (default: never)');
  const list = new Command('list')
    .description('suppressions of the config and of the store, what each has hidden, and which have ended')
    .option('--expired', 'only those that have ended');
  const show = new Command('show')
    .description('one suppression, and the alerts that it hides')
    .argument('<id>', 'its id in the list: a number, or config:<hash>');
  const remove = new Command('remove')
    .description('end a suppression of the store')
    .argument('<id>', 'its number in the list', wholeNumber);
  return group(
    new Command('suppress')
      .description('decide which alerts not to be told of')
      .addCommand(
        finish<AddOptions>(
          add,
          host,
          [
            "trailhound suppress add denied-call-spike --where principal='*/scanner' --reason 'posture scanner' --until 90d",
            "trailhound suppress add --where source_ips=192.0.2.0/24 --reason 'our own penetration test' --owner sec-team --until 2026-03-01",
          ],
          async (run, detector) => {
            const { options } = run;
            if (detector === undefined && (options.where ?? []).length === 0) {
              throw new AppError(
                'usage-invalid',
                'a suppression without a detector and without --where would hide every alert',
                {
                  hint: 'Name a detector, or narrow it with --where column=value.',
                },
              );
            }
            if (options.reason.trim() === '') {
              throw new AppError('usage-invalid', 'a suppression needs a reason, and --reason is empty', {
                hint: 'Say in a few words why these alerts need nobody, for whoever finds it in a year.',
              });
            }
            const where = conditions(options.where ?? []);
            const until = options.until === undefined ? null : formatTime(endOf(options.until, run.nowMs));
            const { loadDetectors } = await import('../detectors.ts');
            const catalogue = await loadDetectors(run.config);
            if (detector !== undefined) catalogue.get(detector);
            await checkColumns(catalogue, { detector: detector ?? null, where }, (column, problem) => {
              throw new AppError(
                'usage-invalid',
                `cannot use --where '${column}=${where[column]}': ${problem.message}`,
                {
                  hint: problem.hint,
                },
              );
            });
            const owner = options.owner ?? userName();
            const added = await withStore(run, (store) =>
              store.addSuppression({ detector: detector ?? null, where, reason: options.reason, owner, until }),
            );
            run.terminal.info(`Suppression ${added.id} is in force${until === null ? '' : ` until ${until}`}.`);
            const { createdAt: _, ...facts } = added;
            const listed: ListedSuppression = { ...facts, state: 'active', alerts: 0, last_seen: null };
            if (run.output !== 'table') await printRows(run.output, COLUMNS, [rowOf(listed)], run.terminal);
            return 0;
          },
        ),
      )
      .addCommand(
        finish<ListOptions>(
          list,
          host,
          ['trailhound suppress list', 'trailhound suppress list --expired', 'trailhound suppress list --output json'],
          async (run) => {
            // Checks them as a hunt would.
            await configSuppressions(run);
            const all = await withStore(run, (store) => listSuppressions(store, run));
            const listed = run.options.expired ? all.filter(({ state }) => state === 'expired') : all;
            await printRows(run.output, COLUMNS, listed.map(rowOf), run.terminal);
            run.terminal.info(plural(listed.length, 'suppression'));
            tellStates(listed, run.terminal);
            return 0;
          },
        ),
      )
      .addCommand(
        finish(
          show,
          host,
          ['trailhound suppress show 3', 'trailhound suppress show config:1f4c09d2'],
          async (run, id = '') => {
            await printSuppression(run, id);
            return 0;
          },
        ),
      )
      .addCommand(
        finish(remove, host, ['trailhound suppress remove 3'], async (run, id = '') => {
          if (!(await withStore(run, (store) => store.removeSuppression(Number(id))))) {
            throw new AppError('usage-invalid', `no suppression in the store has the number ${id}`, {
              hint: '`trailhound suppress list` shows the numbers; those of the config end in trailhound.yaml.',
            });
          }
          run.terminal.info(`Suppression ${id} is removed.`);
          return 0;
        }),
      ),
    [
      'trailhound suppress list',
      'trailhound suppress show 3',
      "trailhound suppress add new-region --where account_id=111122223333 --reason 'sandbox account'",
    ],
  );
}

const COLUMNS = ['id', 'detector', 'where', 'reason', 'owner', 'until', 'state', 'alerts', 'last_seen'].map((name) => ({
  name,
  type: name === 'alerts' ? 'BIGINT' : 'VARCHAR',
}));

const rowOf = ({ id, detector, where, reason, owner, until, state, alerts, last_seen }: ListedSuppression) => [
  id,
  detector,
  where,
  reason,
  owner,
  until,
  state,
  alerts,
  last_seen,
];

/** What has ended, or hides nothing any more, is told of: nobody looks for it. */
function tellStates(listed: readonly ListedSuppression[], terminal: Terminal): void {
  const idsOf = (state: ListedSuppression['state']): string =>
    listed
      .filter((one) => one.state === state)
      .map(({ id }) => id)
      .join(', ');
  const [expired, idle] = [idsOf('expired'), idsOf('idle')];
  if (expired !== '') terminal.info(`Ended, so that their alerts are new when they are found again: ${expired}`);
  if (idle !== '') terminal.warn(`these suppressions have hidden nothing in ${IDLE_DAYS} days: ${idle}`);
}

/** One that was removed may hide alerts still, until they are found again. */
async function printSuppression(run: Run<unknown>, given: string): Promise<void> {
  const { output, terminal } = run;
  const { suppression, alerts } = await withStore(run, async (store) => ({
    suppression: (await listSuppressions(store, run)).find(({ id }) => String(id) === given),
    alerts: terminal.mask.value(await store.alerts({ suppressedBy: given })),
  }));
  if (suppression === undefined && alerts.length === 0) {
    throw new AppError('usage-invalid', `no suppression of the config or the store is called '${given}'`, {
      hint: '`trailhound suppress list` shows them: a number, or config:<hash> for one of the config.',
    });
  }
  const facts = suppression ?? { id: given, state: 'removed', alerts: alerts.length };
  if (output === 'json') {
    await terminal.out(`${json({ ...facts, alerts }, 2)}\n`);
    return;
  }
  if (output === 'table') {
    const lines = Object.entries(facts).map(([name, value]): Fact => [name, valueText(value)]);
    await terminal.out(`${factLines(lines, terminal)}${alerts.length > 0 ? '\n' : ''}`);
  }
  const writer = createAlertWriter(output, terminal);
  await writer.write(alerts);
  await writer.end();
}

function conditions(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const match = /^([A-Za-z_][\w.]*)=(.+)$/su.exec(text);
      if (match?.[1] === undefined || match[2] === undefined) {
        throw new AppError(
          'usage-invalid',
          `cannot read --where '${text}': expected column=value, such as principal=arn:aws:iam::111122223333:role/scanner`,
        );
      }
      return [match[1], match[2]];
    }),
  );
}

/** A span means from now on here, while everywhere else it means ago. Throws `time-invalid` when the end has passed. */
function endOf(text: string, nowMs: number): number {
  const ms = parseTime(text, nowMs);
  const end = /^\d+[smhdw]$/iu.test(text.trim()) ? nowMs + (nowMs - ms) : ms;
  if (end <= nowMs) {
    throw new AppError('time-invalid', `the suppression would have ended already: --until ${text} lies in the past`, {
      hint: 'Give a time to come, or a span from now such as 30d.',
    });
  }
  return end;
}
