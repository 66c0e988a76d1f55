/** `trailhound detectors test`: the examples of detectors, once or whenever a file of them changes. */
import { existsSync, statSync, watch } from 'node:fs';
import { relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { AppError } from '../../errors.ts';
import { finish, type Host, type Run } from '../command.ts';
import { USER_DETECTORS } from '../config.ts';
import type { CatalogueEntry } from '../detectors.ts';
import { junit } from '../output/junit.ts';
import { OUTPUTS, printRows } from '../output/rows.ts';
import { plural } from '../output/text.ts';

interface Options {
  readonly watch?: boolean;
}

/** An editor writes a file in several steps. */
const SETTLE_MS = 200;

export function testCommand(host: Host): Command {
  const command = new Command('test')
    .description('run the examples of detectors through the decoder and the engine')
    .argument('[id...]', 'default: all')
    .option('--watch', 'run them again when a file of your own detectors changes, until Ctrl-C');
  return finish<Options>(
    command,
    host,
    [
      'trailhound detectors test',
      'trailhound detectors test denied-call-spike my-own-detector',
      'trailhound detectors test --output junit > detectors.xml',
      'trailhound detectors test my-own-detector --watch',
    ],
    async (run, ...ids) => {
      if (run.options.watch === true) {
        host.serves = true;
        return watchExamples(run, ids);
      }
      const { loadDetectors } = await import('../detectors.ts');
      const catalogue = await loadDetectors(run.config);
      const chosen =
        ids.length === 0 ? catalogue.entries.filter(({ isRule }) => !isRule) : ids.map((id) => catalogue.get(id));
      await print(run, await results(run, chosen));
      return 0;
    },
    [...OUTPUTS, 'junit'],
  );
}

/** One example, or that there is none. */
export interface ExampleOutcome {
  readonly detector: string;
  readonly example: string;
  /** What came instead of what it says, as sentences; none where it passed. */
  readonly problems: readonly string[];
}

async function results(run: Run<Options>, chosen: readonly CatalogueEntry[]): Promise<readonly ExampleOutcome[]> {
  const { testExamples } = await import('../wire.ts');
  const outcomes: ExampleOutcome[] = [];
  for (const { detector } of chosen) {
    if (run.signal.aborted) throw new AppError('interrupted', 'interrupted while the examples ran');
    run.terminal.progress(detector.id);
    for (const { example, problems } of (await testExamples(detector)).examples)
      outcomes.push({ detector: detector.id, example, problems });
    if (detector.examples.length === 0)
      outcomes.push({ detector: detector.id, example: '', problems: ['it has no example'] });
  }
  return outcomes;
}

async function print(
  { terminal, output, outputForm }: Run<Options>,
  outcomes: readonly ExampleOutcome[],
): Promise<void> {
  if (outputForm === 'junit') await terminal.out(junit(outcomes));
  else {
    const columns = ['detector', 'example', 'result', 'detail'].map((name) => ({ name, type: 'VARCHAR' }));
    const rows = outcomes.map(({ detector, example, problems }) => [
      detector,
      example,
      problems.length === 0 ? 'passed' : 'FAILED',
      problems.join('; '),
    ]);
    await printRows(output, columns, rows, terminal);
  }
  const failed = outcomes.filter(({ problems }) => problems.length > 0).length;
  if (failed > 0) {
    throw new AppError(
      'detector-invalid',
      `${plural(failed, 'example')} of ${plural(outcomes.length, 'example')} failed`,
      {
        hint: 'An example tells the alerts that its records must raise; the detail says what came instead.',
      },
    );
  }
  terminal.info(`${plural(outcomes.length, 'example')} passed`);
}

/** Runs what is chosen, then what changes of it, until the run is ended. A file that cannot be used is told of, and waited for. */
async function watchExamples(run: Run<Options>, ids: readonly string[]): Promise<0> {
  const { terminal, config, signal } = run;
  const { loadDetectors } = await import('../detectors.ts');
  const beside = resolve(config.dir, USER_DETECTORS);
  const folders = [beside, ...config.detectors.map((path) => resolve(config.dir, path))].filter((path) =>
    existsSync(path),
  );
  if (folders.length === 0) {
    throw new AppError(
      'usage-invalid',
      `there are no detectors of your own to watch: neither ./${USER_DETECTORS} nor a path under detectors: in the config`,
      {
        hint: '`trailhound detectors new <id>` writes the first.',
      },
    );
  }
  let wake = (): void => undefined;
  const watchers = folders.map((path) => watch(path, { recursive: statSync(path).isDirectory() }, () => wake()));
  const end = (): void => wake();
  signal.addEventListener('abort', end);
  const seen = new Map<string, number>();
  try {
    while (!signal.aborted) {
      const changed = new Promise<void>((done) => {
        wake = done;
      });
      try {
        const catalogue = await loadDetectors(config, {
          fresh: true,
          onInvalid: (file, { message }) => terminal.error(message.includes(file) ? message : `${file}: ${message}`),
        });
        for (const id of ids) catalogue.get(id);
        const chosen = catalogue.entries.filter(({ detector, builtIn, isRule, file }) => {
          if (isRule) return false;
          const mtimeMs = statSync(file).mtimeMs;
          const isNew = seen.get(file) !== mtimeMs;
          seen.set(file, mtimeMs);
          return isNew && (ids.length === 0 ? !builtIn : ids.includes(detector.id));
        });
        if (chosen.length > 0) await print(run, await results(run, chosen));
      } catch (error) {
        if (!(error instanceof AppError) || error.code === 'interrupted') throw error;
        terminal.error(error.message);
      }
      terminal.info(
        `Waiting for changes in ${folders.map((path) => relative(process.cwd(), path) || '.').join(', ')}.`,
      );
      await changed;
      if (!signal.aborted) await sleep(SETTLE_MS);
    }
    return 0;
  } finally {
    signal.removeEventListener('abort', end);
    for (const watcher of watchers) watcher.close();
  }
}
