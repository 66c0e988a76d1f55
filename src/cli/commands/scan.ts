/** `trailhound scan`: the main job. Ingests what is new, hunts over it, and prints the alerts of the sources' time range. */
import { Command } from 'commander';
import type { Alert } from '../../alert.ts';
import { type ExitStatus, finish, type Host, type Run } from '../command.ts';
import {
  addHuntOptions,
  chooseDetectors,
  configSuppressions,
  type HuntCommandOptions,
  isPending,
  tellAlerts,
  tellWithoutTime,
} from '../hunt.ts';
import { addIngestOptions, type IngestCommandOptions, tellResult, withIngest } from '../ingest.ts';
import { createAlertWriter } from '../output/alerts.ts';

type Options = IngestCommandOptions & HuntCommandOptions;

export function scanCommand(host: Host): Command {
  const command = new Command('scan').description('ingest what is new, hunt over it, print the alerts: the main job');
  return finish<Options>(
    addHuntOptions(addIngestOptions(command)),
    host,
    [
      'trailhound scan ./AWSLogs',
      'trailhound scan evidence.zip --fail-on high',
      'trailhound scan ./AWSLogs --account 111122223333 --from 2026-01-01 --output json > alerts.json',
      'trailhound scan ./AWSLogs --param denied-call-spike.refusals=50',
    ],
    scan,
  );
}

async function scan(run: Run<Options>, ...given: string[]): Promise<ExitStatus> {
  const { options, terminal } = run;
  const chosen = await chooseDetectors(run, []);
  return withIngest(run, given, async (store, ingest) => {
    const { openHunter } = await import('../wire.ts');
    const writer = createAlertWriter(run.output, terminal);
    const printed = new Set<string>();
    const fresh = new Set<string>();
    const print = async (alerts: readonly Alert[]) => {
      const unseen = alerts.filter((alert) => isPending(alert) && !printed.has(alert.id));
      for (const { id } of unseen) printed.add(id);
      await writer.write(unseen);
    };
    const hunter = await openHunter(store, {
      ...chosen,
      lists: run.config,
      suppressions: configSuppressions(run),
      signal: run.signal,
    });
    try {
      const judge = async (part: 'event' | 'all') => {
        const found = await hunter.huntNew(part);
        for (const { id } of found.filter((alert) => alert.new)) fresh.add(id);
        return found;
      };
      // What needs no other event is judged while the ingest goes on, so the first alerts come early.
      const result = await ingest(async () => {
        const found = await judge('event');
        // A list is one whole, so its alerts wait until all of them are known.
        if (run.output !== 'json') await print(found);
      });
      const status = tellResult(result, terminal, options.strict === true);
      await judge('all');
      const resting =
        result.span === null ? [] : await store.alerts({ fromMs: result.span.fromMs, toMs: result.span.toMs + 1 });
      const alerts = resting
        .filter(({ detector }) => chosen.detectors.some(({ id }) => id === detector))
        .map((alert) => ({ ...alert, new: fresh.has(alert.id) }));
      await print(alerts);
      await writer.end();
      await tellWithoutTime(store, terminal);
      const reached = tellAlerts(alerts, terminal, options.failOn);
      // Incomplete goes before alerts: what could not be read may hold more of them.
      return status === 0 ? reached : status;
    } finally {
      await hunter.close();
    }
  });
}
