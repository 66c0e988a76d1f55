/** `trailhound hunt`: runs detectors over what is stored. */
import { Command } from 'commander';
import type { Alert } from '../../alert.ts';
import type { Window } from '../../time.ts';
import { configLists } from '../backend.ts';
import { type ExitStatus, finish, type Host, type Run, windowOf, withStore } from '../command.ts';
import {
  addHuntOptions,
  chooseDetectors,
  type HuntCommandOptions,
  isPending,
  tellAlerts,
  tellNotes,
  tellWithoutTime,
} from '../hunt.ts';
import { indicatorDetectors, indicatorLists } from '../indicators.ts';
import { type Indicator, readList } from '../lists.ts';
import { createAlertWriter } from '../output/alerts.ts';
import { printable } from '../output/printable.ts';
import { plural } from '../output/text.ts';
import { configSuppressions } from '../suppressions.ts';

interface Options extends HuntCommandOptions {
  readonly from?: string;
  readonly to?: string;
  readonly list?: string;
  readonly explain?: boolean;
}

export function huntCommand(host: Host): Command {
  const command = new Command('hunt')
    .description('run detectors over what is stored, or look for the lines of a list')
    .argument('[id...]', 'detectors (default: all)')
    .option('--from <time>', 'events at this time or later (default: the whole store)')
    .option('--to <time>', 'events before this time')
    .option('--list <file>', 'look for the addresses, networks, access keys, ARNs and user agents in this file instead')
    .option('--explain', 'print the statements that would run, and run none');
  return finish<Options>(
    addHuntOptions(command),
    host,
    [
      'trailhound hunt',
      'trailhound hunt --from 7d --min-severity high --fail-on critical',
      'trailhound hunt denied-call-spike --param denied-call-spike.refusals=50',
      'trailhound hunt --list iocs.txt',
    ],
    hunt,
  );
}

async function hunt(run: Run<Options>, ...ids: string[]): Promise<ExitStatus> {
  const { options, terminal } = run;
  const window: Partial<Window> = windowOf(options, run.nowMs);
  const indicators = options.list === undefined ? null : readList(options.list);
  const chosen =
    indicators === null
      ? await chooseDetectors(run, ids)
      : { detectors: await indicatorDetectors(indicators, (await import('../wire.ts')).TABLES), parameters: {} };
  const lists = new Map([...configLists(run.config), ...(indicators === null ? [] : indicatorLists(indicators))]);
  const suppressions = await configSuppressions(run);
  return withStore(run, async (store) => {
    const { useHunter } = await import('../wire.ts');
    return useHunter(
      store,
      { ...chosen, lists, suppressions, mask: terminal.mask, signal: run.signal },
      async (hunter) => {
        if (options.explain) {
          for (const { title, sql } of await hunter.explain(window))
            await terminal.out(`-- ${printable(title)}\n${sql};\n\n`);
          return 0;
        }
        const [{ alerts, notes }, withoutTime] = await Promise.all([hunter.huntWindow(window), store.withoutTime()]);
        const writer = createAlertWriter(run.output, terminal);
        await writer.write(alerts.filter(isPending));
        await writer.end();
        tellNotes(notes, terminal);
        if (indicators !== null) tellIndicators(indicators, alerts, run);
        tellWithoutTime(withoutTime, terminal);
        return tellAlerts(alerts, terminal, options.failOn);
      },
    );
  });
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
