/** What every command shares: the global options, and what they resolve to together with the config and the defaults. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { AppError } from '../errors.ts';
import { LOG_LEVELS, type LogLevel } from '../log.ts';
import { createMask } from '../secrets.ts';
import type { Store } from '../store.ts';
import { parseTime, type Window } from '../time.ts';
import { type Config, readConfig } from './config.ts';
import { OUTPUTS, type Output } from './output/rows.ts';
import type { Terminal } from './terminal.ts';

/** 0 done; 1 alerts at or above --fail-on; 3 incomplete. Everything else is thrown. */
export type ExitStatus = 0 | 1 | 3;

const DEFAULT_STORE = '.trailhound';

interface GlobalOptions {
  readonly store?: string;
  readonly config?: string;
  readonly output?: OutputForm;
  readonly param?: readonly string[];
  readonly quiet?: boolean;
  readonly logLevel: LogLevel;
}

/** Forms of other products, each written by one command, with its name. */
const OTHER_FORMS = {
  ocsf: 'alerts export',
  asff: 'alerts export',
  junit: 'detectors test',
  navigator: 'detectors coverage',
} as const;
type OtherForm = keyof typeof OTHER_FORMS;
export type OutputForm = Output | OtherForm;

/** Whether a form is one that rows are printed in. */
export const isOutput = (form: OutputForm): form is Output => (OUTPUTS as readonly string[]).includes(form);

/** What a run of a command has at hand. */
export interface Run<Options> {
  readonly options: Options;
  readonly terminal: Terminal;
  readonly config: Config;
  /** Absolute. */
  readonly storeDir: string;
  readonly output: Output;
  /** What was asked for; absent where nothing was. */
  readonly outputForm?: OutputForm;
  /** `--param` as given, `name=value` each. */
  readonly params: readonly string[];
  readonly nowMs: number;
  /** Raised by Ctrl-C, SIGTERM, or when the reader of stdout went away. */
  readonly signal: AbortSignal;
}

/** What main.ts hands to every command. */
export interface Host {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  /** The command runs until it is ended: SIGTERM is its ordinary end. */
  serves: boolean;
  exit(status: ExitStatus): void;
}

export function addGlobalOptions(program: Command): void {
  program
    .option('--store <dir>', `folder of the store (env TRAILHOUND_STORE, else the config, else ./${DEFAULT_STORE})`)
    .option('--config <file>', 'config file (default: trailhound.yaml if it is there)')
    .addOption(
      new Option('--output <form>', 'form of the data on stdout (default: table)').choices([
        ...OUTPUTS,
        ...(Object.keys(OTHER_FORMS) as OtherForm[]),
      ]),
    )
    .option(
      '--param <name=value>',
      'a parameter, repeatable: <detector>.<name>=<value>, or <name>=<value> of a question',
      collect,
    )
    .option('--quiet', 'say only warnings and errors')
    .addOption(
      new Option('--log-level <level>', 'least level of messages on stderr').choices(LOG_LEVELS).default('info'),
    );
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** A count as an option's value. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/u.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('expected a whole number, 0 or more');
  return value;
}

/** The name of the person who runs this, as the system knows it. */
export const userName = (): string => process.env['USER'] ?? process.env['LOGNAME'] ?? 'unknown';

/** Gives a command its examples and its action, with the forms that it prints. The action's arguments are the run, then the command's. */
export function finish<Options>(
  command: Command,
  host: Host,
  examples: readonly string[],
  action: (run: Run<Options>, ...args: string[]) => Promise<ExitStatus | undefined>,
  forms: readonly OutputForm[] = OUTPUTS,
): Command {
  command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}\n`).join('')}`);
  return command.action(async () => {
    const globals = command.optsWithGlobals<GlobalOptions>();
    host.terminal.level = globals.quiet ? 'warn' : globals.logLevel;
    const form = globals.output;
    if (form !== undefined && !forms.includes(form)) {
      throw new AppError(
        'usage-invalid',
        `this command does not print --output ${form}: expected ${forms.join(', ')}`,
        {
          hint: `${Object.entries(OTHER_FORMS)
            .map(([name, by]) => `\`trailhound ${by}\` writes ${name}`)
            .join(', ')}.`,
        },
      );
    }
    const config = await readConfig(globals.config);
    if (config.mask.length > 0) host.terminal.mask = createMask(config.mask);
    const run: Run<Options> = {
      options: command.opts() as Options,
      terminal: host.terminal,
      config,
      storeDir: storeDir(globals.store, config),
      output: form !== undefined && isOutput(form) ? form : 'table',
      ...(form !== undefined && { outputForm: form }),
      params: globals.param ?? [],
      nowMs: Date.now(),
      signal: host.signal,
    };
    const status = await action(run, ...(command.processedArgs as string[]).flat());
    host.exit(status ?? 0);
  });
}

/** Opens the store of the run, which must be there, and closes it whatever happens. */
export async function withStore<T>(run: Pick<Run<unknown>, 'storeDir'>, use: (store: Store) => Promise<T>): Promise<T> {
  const { openStore } = await import('./wire.ts');
  const store = await openStore(run.storeDir);
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

/** A command that only holds others. */
export function group(command: Command, examples: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((example) => `  $ ${example}\n`).join('')}`);
}

function storeDir(given: string | undefined, config: Config): string {
  const chosen = given ?? process.env['TRAILHOUND_STORE'];
  if (chosen !== undefined && chosen !== '') return resolve(chosen);
  return config.store === undefined ? resolve(DEFAULT_STORE) : resolve(config.dir, config.store);
}

/** `--from` and `--to` as a window of event time; an absent bound stays absent. Throws `time-invalid`. */
export function windowOf(options: { readonly from?: string; readonly to?: string }, nowMs: number): Partial<Window> {
  const window = {
    ...(options.from !== undefined && { fromMs: parseTime(options.from, nowMs) }),
    ...(options.to !== undefined && { toMs: parseTime(options.to, nowMs) }),
  };
  if (window.fromMs !== undefined && window.toMs !== undefined && window.fromMs >= window.toMs) {
    throw new AppError('time-invalid', `--from ${options.from} is not before --to ${options.to}`, {
      hint: 'A window is half-open: it holds the events from --from on, up to but without --to.',
    });
  }
  return window;
}

/** Values of `--param <detector>.<name>=<value>` over those of the config; a value is read as YAML, so 5 is a number and [a, b] a list. */
export async function detectorParameters(
  run: Pick<Run<unknown>, 'params' | 'config'>,
): Promise<Record<string, Record<string, unknown>>> {
  const parameters: Record<string, Record<string, unknown>> = {};
  for (const [detector, values] of Object.entries(run.config.parameters)) parameters[detector] = { ...values };
  for (const text of run.params) {
    const match = /^([^.=]+)\.([^=]+)=(.*)$/su.exec(text);
    if (match === null) {
      throw new AppError('usage-invalid', `cannot read --param '${text}': expected <detector>.<name>=<value>`, {
        hint: 'For example --param denied-call-spike.refusals=50. `trailhound detectors show <id>` lists the names.',
      });
    }
    const [, detector = '', name = '', value = ''] = match;
    const { parse } = await import('yaml');
    let parsed: unknown;
    try {
      parsed = parse(value);
    } catch {
      parsed = value;
    }
    (parameters[detector] ??= {})[name] = parsed;
  }
  return parameters;
}

/** Values of `--param <name>=<value>` of a saved question. */
export function questionParameters(params: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    params.map((text) => {
      const at = text.indexOf('=');
      if (at < 1) throw new AppError('usage-invalid', `cannot read --param '${text}': expected <name>=<value>`);
      return [text.slice(0, at), text.slice(at + 1)];
    }),
  );
}
