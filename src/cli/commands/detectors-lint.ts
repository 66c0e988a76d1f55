/** `trailhound detectors lint`: whether detectors can fire at all, before an incident tells. */
import { relative } from 'node:path';
import { Command, Option } from 'commander';
import { AppError } from '../../errors.ts';
import { collect, detectorParameters, type ExitStatus, finish, type Host, type Run, withStore } from '../command.ts';
import type { CatalogueEntry } from '../detectors.ts';
import { configLists } from '../lists.ts';
import { printRows } from '../output/rows.ts';
import { formatCount, plural } from '../output/text.ts';
import type { LintProblem } from '../wire.ts';

interface Options {
  readonly ignore?: readonly string[];
  readonly strict?: boolean;
}

/** A detector whose findings hold more than this share of the events of its table needs a person for each of them. */
const BROAD_SHARE = 0.01;
/** In fewer events a share says nothing. */
const EVENTS_MIN = 1000;

export function lintCommand(host: Host): Command {
  const command = new Command('lint')
    .description('tell why detectors could never fire, or would fire at everything')
    .argument('[id...]', 'default: all; examples are run of your own, and of those that are named')
    .addOption(new Option('--ignore <rule>', 'not this kind of problem, repeatable').argParser(collect))
    .option('--strict', 'warnings end with a status as errors do');
  return finish<Options>(
    command,
    host,
    [
      'trailhound detectors lint',
      'trailhound detectors lint my-own-detector --output json',
      'trailhound detectors lint --strict --ignore too-broad',
    ],
    lint,
  );
}

/** A problem with the detector that it is of. */
interface Told extends LintProblem {
  readonly detector: string;
  readonly place: string;
}

async function lint(run: Run<Options>, ...ids: string[]): Promise<ExitStatus> {
  const { options, terminal, config } = run;
  const { lintRules, useLinter } = await import('../wire.ts');
  const rules = await lintRules();
  const unknown = options.ignore?.find((rule) => !Object.hasOwn(rules, rule));
  if (unknown !== undefined) {
    throw new AppError('usage-invalid', `no kind of problem is called '${unknown}'`, {
      hint: `Kinds: ${Object.keys(rules).join(', ')}.`,
    });
  }
  const told: Told[] = [];
  const { loadDetectors } = await import('../detectors.ts');
  const catalogue = await loadDetectors(config, {
    onInvalid: (file, { message }) =>
      told.push({
        detector: '',
        place: relative(process.cwd(), file),
        rule: 'unusable',
        level: 'error',
        at: '',
        message,
      }),
  });
  const chosen =
    ids.length === 0
      ? catalogue.entries
      : ids.map((id) => {
          // A file that cannot be used tells no id: the one that is asked for may be in it.
          if (told.length > 0 && !catalogue.entries.some(({ detector }) => detector.id === id))
            throw new AppError('detector-unknown', `no detector that can be used has the id '${id}'`, {
              hint: told.map(({ message }) => `Cannot be used: ${message}`).join('\n'),
            });
          return catalogue.get(id);
        });
  const all = catalogue.entries.map(({ detector }) => detector);
  const broken = new Set<CatalogueEntry>();
  await useLinter(all, configLists(config), async (problemsOf) => {
    for (const entry of chosen) {
      if (run.signal.aborted) throw new AppError('interrupted', 'interrupted while detectors were looked at');
      terminal.progress(entry.detector.id);
      const problems = [...(await problemsOf(entry.detector))];
      if (problems.some(isInTheWay)) broken.add(entry);
      else problems.push(...(await failing(entry, ids)));
      told.push(
        ...problems.map((problem) => ({ ...problem, detector: entry.detector.id, place: placeOf(entry, problem.at) })),
      );
    }
  });
  const sound = chosen.filter((entry) => !broken.has(entry));
  if (sound.length > 0) told.push(...(await broad(run, sound)));
  return tell(
    told.filter(({ rule }) => options.ignore?.includes(rule) !== true),
    run,
    chosen.length,
  );
}

/** No engine runs it. */
const isInTheWay = ({ rule, level }: LintProblem): boolean =>
  level === 'error' && (rule === 'unusable' || rule === 'regex');

function placeOf({ placeOf: at, file }: CatalogueEntry, place: string): string {
  const found = at(place);
  return found.startsWith(file) ? relative(process.cwd(), file) + found.slice(file.length) : found;
}

/** Examples that do not come out as they say: of those that somebody works on, as they take a while. */
async function failing({ detector, builtIn }: CatalogueEntry, ids: readonly string[]): Promise<readonly LintProblem[]> {
  if (detector.examples.length === 0 || (builtIn && ids.length === 0)) return [];
  const { testExamples } = await import('../wire.ts');
  const { examples } = await testExamples(detector);
  return examples.flatMap(({ example, problems }) =>
    problems.map(
      (problem): LintProblem => ({
        rule: 'examples',
        level: 'error',
        at: 'examples',
        message: `'${example}': ${problem}`,
      }),
    ),
  );
}

/** What findings over the store hold of its events; nothing where there is no store. */
async function broad(run: Run<Options>, chosen: readonly CatalogueEntry[]): Promise<readonly Told[]> {
  const { isStore, useHunter } = await import('../wire.ts');
  if (!(await isStore(run.storeDir))) return [];
  const hunt = {
    detectors: chosen.map(({ detector }) => detector),
    parameters: await detectorParameters(run),
    lists: configLists(run.config),
    suppressions: [],
    signal: run.signal,
  };
  const results = await withStore(run, (store) => useHunter(store, hunt, (hunter) => hunter.rehearse({})));
  return chosen.flatMap((entry): readonly Told[] => {
    const { detector } = entry;
    const events = results.events[detector.table] ?? 0;
    const held = results.alerts
      .filter((alert) => alert.detector === detector.id)
      .reduce((sum, { count }) => sum + count, 0);
    if (events < EVENTS_MIN || held / events <= BROAD_SHARE) return [];
    const share = `${((100 * held) / events).toFixed(1)}%`;
    const message = `its findings hold ${share} of the ${formatCount(events)} events of ${detector.table} in the store: nobody reads so much`;
    return [{ detector: detector.id, place: placeOf(entry, ''), rule: 'too-broad', level: 'warning', at: '', message }];
  });
}

async function tell(
  told: readonly Told[],
  { output, terminal, options }: Run<Options>,
  looked: number,
): Promise<ExitStatus> {
  const columns = ['detector', 'level', 'rule', 'place', 'at', 'message'].map((name) => ({ name, type: 'VARCHAR' }));
  const rows = told.map(({ detector, level, rule, place, at, message }) => [detector, level, rule, place, at, message]);
  // On a screen nothing is what is wrong.
  if (rows.length > 0 || output !== 'table') await printRows(output, columns, rows, terminal);
  const errors = told.filter(({ level }) => level === 'error').length;
  const warnings = told.length - errors;
  const summary = `${plural(looked, 'detector')}: ${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
  if (errors > 0 || (options.strict === true && warnings > 0)) {
    throw new AppError('detector-invalid', summary, {
      hint: 'docs/detectors.md tells what each kind of problem means, and how to mend it.',
    });
  }
  terminal.info(summary);
  return 0;
}
