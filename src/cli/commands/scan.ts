/** `trailhound scan`: the main job. Ingests what is new, hunts over it, and prints the alerts of the sources' time range. */
import { Command } from 'commander';
import type { Alert } from '../../alert.ts';
import type { Detector } from '../../detector.ts';
import type { Store, Suppression } from '../../store.ts';
import type { Window } from '../../time.ts';
import { type ExitStatus, finish, type Host, type Run } from '../command.ts';
import { configEnrichment, configOverrides } from '../enrichment.ts';
import {
  addHuntOptions,
  chooseDetectors,
  type HuntCommandOptions,
  isPending,
  tellAlerts,
  tellNotes,
  tellWithoutTime,
} from '../hunt.ts';
import { addIngestOptions, type IngestCommandOptions, tellResult, withIngest } from '../ingest.ts';
import { configLists } from '../lists.ts';
import { createAlertWriter } from '../output/alerts.ts';
import { rulesStatus, tellRules, withRules } from '../rules.ts';
import { configSuppressions } from '../suppressions.ts';

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
      'trailhound scan sqs://cloudtrail-logs --once',
      'trailhound scan ./AWSLogs --rules ./sigma/rules/cloud/aws --strict',
      'trailhound scan ./AWSLogs --param denied-call-spike.refusals=50',
    ],
    scan,
  );
}

async function scan(asked: Run<Options>, ...given: string[]): Promise<ExitStatus> {
  const run = withRules(asked);
  const { options, terminal, signal } = run;
  const { mask } = terminal;
  const { detectors, parameters, rules } = await chooseDetectors(run, []);
  tellRules(rules, terminal);
  const suppressions = await configSuppressions(run);
  const enrichment = await configEnrichment(run.config);
  const common = {
    parameters,
    overrides: await configOverrides(run, enrichment),
    lists: configLists(run.config),
    enrichment,
    suppressions,
    mask,
    signal,
  };
  return withIngest(run, given, async (store, ingest) => {
    const { useHunter } = await import('../wire.ts');
    const writer = createAlertWriter(run.output, terminal);
    const printed = new Set<string>();
    const fresh = new Set<string>();
    const note = (alerts: readonly Alert[]) => {
      for (const { id } of alerts.filter((alert) => alert.new)) fresh.add(id);
    };
    const print = async (alerts: readonly Alert[]) => {
      const unseen = alerts.filter((alert) => isPending(alert) && !printed.has(alert.id));
      for (const { id } of unseen) printed.add(id);
      await writer.write(unseen);
    };
    return useHunter(store, { ...common, detectors }, async (hunter) => {
      // What needs no other event is judged while the ingest goes on, so the first alerts come early.
      const result = await ingest(async () => {
        const { alerts } = await hunter.huntNew('event');
        note(alerts);
        // A JSON list is one whole: it is printed when all of it is known.
        if (run.output !== 'json') await print(alerts);
      });
      const isStrict = options.strict === true;
      const status = tellResult(result, terminal, isStrict) || rulesStatus(rules, isStrict);
      const { alerts: found, notes } = await hunter.huntNew('all');
      note(found);
      const span = result.span === null ? null : { fromMs: result.span.fromMs, toMs: result.span.toMs + 1 };
      // What was judged in earlier runs may have been suppressed since, or be so no longer.
      const stale =
        result.files.known > 0 && span !== null ? await suppressible(detectors, suppressions, store, span) : [];
      if (span !== null && stale.length > 0) {
        await useHunter(store, { ...common, detectors: stale }, (again) => again.huntWindow(span));
      }
      const resting = span === null ? [] : await store.alerts(span);
      const ids = new Set(detectors.map(({ id }) => id));
      const alerts = resting
        .filter(({ detector }) => ids.has(detector))
        .map((alert) => ({ ...alert, new: fresh.has(alert.id) }));
      await print(alerts);
      await writer.end();
      tellNotes(notes, terminal);
      tellWithoutTime(await store.withoutTime(), terminal);
      const reached = tellAlerts(alerts, terminal, options.failOn);
      // Incomplete goes before alerts: what could not be read may hold more of them.
      return status === 0 ? reached : status;
    });
  });
}

/** Those of whose alerts some are suppressed, or may be now. */
async function suppressible(
  detectors: readonly Detector[],
  suppressions: readonly Suppression[],
  store: Store,
  span: Window,
): Promise<readonly Detector[]> {
  const inForce = [...suppressions, ...(await store.suppressions())];
  const suppressed = await store.alerts({ ...span, statuses: ['suppressed'] });
  const ids = new Set([...inForce.map(({ detector }) => detector), ...suppressed.map(({ detector }) => detector)]);
  return ids.has(null) ? detectors : detectors.filter(({ id }) => ids.has(id));
}
