/** `trailhound alerts ack`, `close`, `reopen`: what a person makes of alerts. */
import { Command } from 'commander';
import type { DecidedAlert, DecidedStatus } from '../../store.ts';
import { finish, type Host, type Run, userName, withStore } from '../command.ts';
import { createAlertWriter, SHORT_ID_DIGITS } from '../output/alerts.ts';
import { plural } from '../output/text.ts';
import { readStdin } from '../stdin.ts';
import { listSuppressions } from '../suppressions.ts';

interface DecideOptions {
  readonly why?: string;
  readonly by?: string;
}

interface Decision {
  readonly name: string;
  readonly description: string;
  readonly status: DecidedStatus;
  /** What has been done, after the number of alerts. */
  readonly done: string;
  readonly examples: readonly string[];
}

const DECISIONS: readonly Decision[] = [
  {
    name: 'ack',
    description: 'say that somebody looks at alerts',
    status: 'acknowledged',
    done: 'acknowledged',
    examples: ['trailhound alerts ack 3f2a9c', "trailhound alerts ack 3f2a9c 81d0e4 --why 'asked the team'"],
  },
  {
    name: 'close',
    description: 'say that alerts need nobody any more; one that happens again is open again',
    status: 'closed',
    done: 'closed',
    examples: [
      "trailhound alerts close 3f2a9c --why 'a drill of ours'",
      "trailhound alerts list --output jsonl | jq -r .id | trailhound alerts close - --why 'before we had a baseline'",
    ],
  },
  {
    name: 'reopen',
    description: 'say that alerts need somebody again',
    status: 'open',
    done: 'open again',
    examples: ['trailhound alerts reopen 3f2a9c'],
  },
];

export const decisionCommands = (host: Host): Command[] => DECISIONS.map((decision) => decisionCommand(host, decision));

function decisionCommand(host: Host, decision: Decision): Command {
  const command = new Command(decision.name)
    .description(decision.description)
    .argument('<id...>', 'ids, or beginnings of them that no other has; - reads them from stdin, one a line')
    .option('--why <text>', 'the reason, for whoever looks at the alert later')
    .option('--by <name>', 'who decides it (default: your user name)');
  return finish<DecideOptions>(command, host, decision.examples, async (run, ...given) => {
    const ids = await idsOf(given);
    const why = run.options.why?.trim();
    await withStore(run, async (store) => {
      const by = run.options.by ?? userName();
      const decided = await store.setAlertStatus(ids, decision.status, by, why === '' ? null : (why ?? null));
      const writer = createAlertWriter(run.output, run.terminal);
      await writer.write(decided.map(({ alert }) => alert));
      await writer.end();
      run.terminal.info(sumOf(decided, decision));
      const hidden = decided.filter(({ alert, was }) => was === 'suppressed' && alert.status === 'open');
      if (hidden.length > 0) {
        const inForce = await listSuppressions(store, run);
        tellHidden(
          hidden,
          new Set(inForce.filter(({ state }) => state !== 'expired').map(({ id }) => String(id))),
          run,
        );
      }
    });
    return 0;
  });
}

/** An empty stdin is no mistake: a list that feeds this may find nothing. */
async function idsOf(given: readonly string[]): Promise<readonly string[]> {
  const ids = await Promise.all(given.map(async (id) => (id === '-' ? (await readStdin()).split(/\s*\n\s*/u) : [id])));
  return ids.flat().filter((id) => id !== '');
}

/** `2 alerts closed, 1 was closed before, 1 is withdrawn and stays so`. */
function sumOf(decided: readonly DecidedAlert[], { status, done }: Decision): string {
  const count = (holds: (one: DecidedAlert) => boolean): number => decided.filter(holds).length;
  const changed = count(({ alert, was }) => alert.status !== was);
  const before = count(({ was }) => was === status);
  const withdrawn = count(({ alert }) => alert.status === 'withdrawn');
  return [
    `${plural(changed, 'alert')} ${done}`,
    ...(before > 0 ? [`${before} ${before === 1 ? 'was' : 'were'} ${status} before`] : []),
    ...(withdrawn > 0 ? [`${withdrawn} withdrawn, since later events show that there is nothing to decide`] : []),
  ].join(', ');
}

/** A person may look at what a suppression hides, but it does not last. */
function tellHidden(hidden: readonly DecidedAlert[], inForce: ReadonlySet<string>, { terminal }: Run<unknown>): void {
  for (const { alert } of hidden) {
    if (alert.suppressed_by === null || !inForce.has(alert.suppressed_by)) continue;
    terminal.warn(
      `suppression ${alert.suppressed_by} hides the alert ${alert.id.slice(0, SHORT_ID_DIGITS)} again when a hunt finds it\nEnd it with \`trailhound suppress remove\`, or in the config, if it should be seen.`,
    );
  }
}
