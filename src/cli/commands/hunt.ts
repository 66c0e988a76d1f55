/** `trailhound hunt`: runs detectors over what is stored. */
import { Command } from 'commander';
import type { Alert } from '../../alert.ts';
import { AppError } from '../../errors.ts';
import { printable, printableLines } from '../../printable.ts';
import type { Window } from '../../time.ts';
import { addBackendOptions, athenaSettings, athenaWindow, type BackendCommandOptions, isAthena } from '../athena.ts';
import { tellUnknownAccounts, withAthena } from '../backend.ts';
import { type ExitStatus, finish, type Host, type Run, windowOf, withStore } from '../command.ts';
import { printStatements, refuseUnused, tellOneByOne } from '../dry-run.ts';
import { configEnrichment, configOverrides } from '../enrichment.ts';
import { statementText, timesText } from '../explain.ts';
import {
  addHuntOptions,
  chooseDetectors,
  type HuntCommandOptions,
  isPending,
  leftOutTexts,
  refuseLeftOut,
  tellAlerts,
  tellNotes,
  tellWithoutTime,
} from '../hunt.ts';
import { indicatorDetectors, indicatorLists } from '../indicators.ts';
import { configLists, type Indicator, readList } from '../lists.ts';
import { createAlertWriter } from '../output/alerts.ts';
import { plural } from '../output/text.ts';
import { rulesStatus, tellRules, withRules } from '../rules.ts';
import { configSuppressions } from '../suppressions.ts';
import type { AthenaSession, HunterOptions, Prepared } from '../wire.ts';

interface Options extends HuntCommandOptions, BackendCommandOptions {
  readonly from?: string;
  readonly to?: string;
  readonly list?: string;
  readonly explain?: boolean;
  readonly strict?: boolean;
  readonly analyze?: boolean;
}

export function huntCommand(host: Host): Command {
  const command = new Command('hunt')
    .description('run detectors over what is stored, or look for the lines of a list')
    .argument('[id...]', 'detectors (default: all)')
    .option('--from <time>', 'events at this time or later (default: the whole store)')
    .option('--to <time>', 'events before this time')
    .option('--list <file>', 'look for the addresses, networks, access keys, ARNs and user agents in this file instead')
    .option('--strict', 'end with status 3 when a Sigma rule cannot be used')
    .option('--explain', 'print the statements that would run and the columns that they read, and run none')
    .option('--analyze', 'run them all the same, and tell how long each took and each detector; nothing is recorded');
  return finish<Options>(
    addBackendOptions(addHuntOptions(command)),
    host,
    [
      'trailhound hunt',
      'trailhound hunt --from 7d --min-severity high --fail-on critical',
      'trailhound hunt denied-call-spike --param denied-call-spike.refusals=50',
      'trailhound hunt --list iocs.txt',
      'trailhound hunt --rules ./sigma/rules/cloud/aws --tag sigma',
      'trailhound hunt --from 1h --analyze',
      'trailhound hunt --backend athena --from 1d --to now --max-scan 50GB',
      'trailhound hunt --backend athena --from 90d --to now --dry-run',
    ],
    hunt,
  );
}

async function hunt(given: Run<Options>, ...ids: string[]): Promise<ExitStatus> {
  const run = withRules(given);
  const { options, terminal } = run;
  const window: Partial<Window> = windowOf(options, run.nowMs);
  const indicators = options.list === undefined ? null : readList(options.list);
  const chosen =
    indicators === null
      ? await chooseDetectors(run, ids)
      : {
          detectors: await indicatorDetectors(indicators, (await import('../wire.ts')).TABLES),
          parameters: {},
          rules: [],
        };
  tellRules(chosen.rules, terminal);
  const status = rulesStatus(chosen.rules, options.strict === true);
  const lists = new Map([...configLists(run.config), ...(indicators === null ? [] : indicatorLists(indicators))]);
  const suppressions = await configSuppressions(run);
  const enrichment = await configEnrichment(run.config);
  const overrides = await configOverrides(run, enrichment);
  const chosenHunt = { ...chosen, overrides, enrichment, lists, suppressions, mask: terminal.mask, signal: run.signal };
  if (isAthena(run) && options.analyze) {
    throw new AppError('usage-invalid', '--analyze is for the local store only', {
      hint: '`--dry-run` tells what each statement costs on Athena.',
    });
  }
  if (isAthena(run)) {
    const reached = await huntArchive(run, ids, chosenHunt, indicators);
    return status === 0 ? reached : status;
  }
  refuseUnused(run, ['dryRun']);
  return withStore(run, async (store) => {
    const { useHunter } = await import('../wire.ts');
    return useHunter(store, chosenHunt, async (hunter) => {
      if (options.analyze) {
        const statements = await hunter.analyze(window);
        await terminal.out(statements.map(statementText).join('') + timesText(statements));
        return status;
      }
      if (options.explain) {
        await terminal.out((await hunter.explain(window)).map(statementText).join(''));
        return status;
      }
      const [{ alerts, notes }, withoutTime] = await Promise.all([hunter.huntWindow(window), store.withoutTime()]);
      await tell(run, alerts, notes, indicators);
      tellWithoutTime(withoutTime, terminal);
      const reached = tellAlerts(alerts, terminal, options.failOn);
      // What could not be looked for may have been there.
      return status === 0 ? reached : status;
    });
  });
}

/** The same over the bucket; the store keeps the alerts. */
async function huntArchive(
  run: Run<Options>,
  ids: readonly string[],
  chosen: HunterOptions,
  indicators: readonly Indicator[] | null,
): Promise<ExitStatus> {
  const { options, terminal, storeDir } = run;
  const window = athenaWindow(run);
  const { openArchiveHunter, openStore } = await import('../wire.ts');
  const { latenessMs } = athenaSettings(run);
  const huntWith = async (session: AthenaSession): Promise<ExitStatus> => {
    const isDry = options.dryRun === true || options.explain === true;
    const store = isDry ? null : await openStore(storeDir, { create: true });
    try {
      const hunter = await openArchiveHunter(store, session, { ...chosen, deliveredWithinMs: latenessMs });
      refuseLeftOut(hunter.leftOut, ids);
      for (const text of leftOutTexts(hunter.leftOut)) terminal.info(text);
      await tellUnknownAccounts(session, terminal);
      if (store !== null && (await store.lastSeq()) > 0) {
        terminal.warn(
          `the store ${storeDir} holds events of its own: a hunt over them withdraws alerts of Athena that it does not find\nKeep the alerts of Athena in another folder: --store.`,
        );
      }
      if (isDry) {
        const statements = await hunter.explain(window);
        if (options.explain) {
          for (const { title, text } of statements)
            await terminal.out(`-- ${printable(title)}\n${printableLines(text)};\n\n`);
          return 0;
        }
        await printStatements(run, session, statements);
        const apart: Prepared[] = [];
        for (const detector of hunter.detectors) apart.push(...(await hunter.explain(window, [detector])));
        await tellOneByOne(session, statements, apart, run);
        return 0;
      }
      const { alerts, notes } = await hunter.hunt(window);
      await tell(run, alerts, notes, indicators);
      return tellAlerts(alerts, terminal, options.failOn);
    } finally {
      await store?.close();
    }
  };
  return withAthena(run, huntWith, chosen.lists);
}

async function tell(
  run: Run<Options>,
  alerts: readonly Alert[],
  notes: readonly string[],
  indicators: readonly Indicator[] | null,
): Promise<void> {
  const writer = createAlertWriter(run.output, run.terminal);
  await writer.write(alerts.filter(isPending));
  await writer.end();
  tellNotes(notes, run.terminal);
  if (indicators !== null) tellIndicators(indicators, alerts, run);
}

/** Which lines of the list were seen, and how many were not. */
function tellIndicators(indicators: readonly Indicator[], alerts: readonly Alert[], { terminal }: Run<Options>): void {
  const seen = new Set(alerts.map(({ subject }) => subject['indicator']));
  const found = indicators.filter(({ value }) => seen.has(value));
  terminal.info(
    found.length === 0
      ? `None of ${plural(indicators.length, 'indicator')} was seen.`
      : `${plural(found.length, 'indicator')} of ${indicators.length} seen: ${found.map(({ value }) => value).join(', ')}`,
  );
}
