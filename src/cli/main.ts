#!/usr/bin/env node
/** The entrance: builds the commands, runs one, and ends with the exit status of the contract. */
import { readFileSync, realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError } from 'commander';
import { AppError } from '../errors.ts';
import { printableLines } from '../printable.ts';
import { defaultMask } from '../secrets.ts';
import { addGlobalOptions, type ExitStatus, group, type Host } from './command.ts';
import { packageFile } from './package.ts';
import { Terminal } from './terminal.ts';

const USAGE_EXIT = 2;
const INTERNAL_EXIT = 4;
const INTERRUPTED_EXIT = 130;

/** In the order of the help. Each is loaded when it is needed: all of them take a tenth of a second. */
const COMMANDS = new Map<string, () => Promise<(host: Host) => Command>>([
  ['scan', async () => (await import('./commands/scan.ts')).scanCommand],
  ['ingest', async () => (await import('./commands/ingest.ts')).ingestCommand],
  ['hunt', async () => (await import('./commands/hunt.ts')).huntCommand],
  ['watch', async () => (await import('./commands/watch.ts')).watchCommand],
  ['init', async () => (await import('./commands/init.ts')).initCommand],
  ['sql', async () => (await import('./commands/sql.ts')).sqlCommand],
  ['query', async () => (await import('./commands/query.ts')).queryCommand],
  ['alerts', async () => (await import('./commands/alerts.ts')).alertsCommand],
  ['detectors', async () => (await import('./commands/detectors.ts')).detectorsCommand],
  ['suppress', async () => (await import('./commands/suppress.ts')).suppressCommand],
  ['sink', async () => (await import('./commands/sink.ts')).sinkCommand],
  ['config', async () => (await import('./commands/config.ts')).configCommand],
  ['accounts', async () => (await import('./commands/accounts.ts')).accountsCommand],
  ['status', async () => (await import('./commands/status.ts')).statusCommand],
  ['store', async () => (await import('./commands/store.ts')).storeCommand],
  ['connect', async () => (await import('./commands/connect.ts')).connectCommand],
  ['athena', async () => (await import('./commands/athena.ts')).athenaCommand],
]);

/** `named`: what the command line begins with; a command's name makes it the only one. */
export async function buildProgram(host: Host, named?: string): Promise<Command> {
  const { version } = JSON.parse(readFileSync(packageFile('package.json'), 'utf8')) as { version: string };
  const program = new Command('trailhound')
    .description(
      'CloudTrail log analytics: what happened in the archive, who did it, and proof that no record was lost.',
    )
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'explain a command')
    .helpCommand('help [command]', 'explain a command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeErr: (text) => process.stderr.write(printableLines(defaultMask.text(text))) })
    .exitOverride();
  addGlobalOptions(program);
  group(program, [
    'trailhound scan ./cloudtrail-archive',
    'trailhound query run who-deleted --param name=prod-db',
    'trailhound sql "SELECT event_name, count(*) FROM cloudtrail GROUP BY 1 ORDER BY 2 DESC LIMIT 10"',
    'trailhound help scan',
  ]);
  const wanted = named === undefined ? undefined : COMMANDS.get(named);
  for (const load of wanted === undefined ? COMMANDS.values() : [wanted])
    program.addCommand(settle((await load())(host)));
  return program;
}

/** Commands of a command inherit nothing of these when they are added, so each is told. */
function settle(command: Command): Command {
  command
    .helpOption('--help', 'explain this command')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeErr: (text) => process.stderr.write(printableLines(defaultMask.text(text))) })
    .exitOverride();
  if (command.commands.length > 0) command.helpCommand(false);
  for (const child of command.commands) settle(child);
  return command;
}

async function main(args: readonly string[]): Promise<number> {
  const terminal = new Terminal();
  const abort = new AbortController();
  let readerGone = false;
  let terminated = false;
  // The reader of a pipe (`| head`) went away: it has what it wanted.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') {
      throw new AppError('output-unwritable', `cannot write to stdout: ${error.message}`, {
        hint: 'Send the output elsewhere, or free some space there, and run the command again.',
        cause: error,
      });
    }
    readerGone = true;
    abort.abort();
  });
  // Nobody is left to be told.
  process.stderr.on('error', () => undefined);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      // The second one does not wait; the store is safe at any moment.
      if (abort.signal.aborted && !readerGone) process.exit(INTERRUPTED_EXIT);
      terminated = signal === 'SIGTERM';
      abort.abort();
    });
  }
  // A thread or a callback failed outside of any command.
  process.on('uncaughtException', (error) => process.exit(exitStatusOf(error, terminal)));
  let status: ExitStatus = 0;
  const host: Host = {
    terminal,
    signal: abort.signal,
    serves: false,
    exit: (value) => {
      status = value;
    },
  };
  try {
    const program = await buildProgram(host, args[0]);
    await program.parseAsync(args, { from: 'user' });
    if (!abort.signal.aborted || readerGone || (host.serves && terminated)) return status;
    return INTERRUPTED_EXIT;
  } catch (error) {
    return readerGone ? 0 : exitStatusOf(error, terminal);
  } finally {
    terminal.clearProgress();
  }
}

function exitStatusOf(error: unknown, terminal: Terminal): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USAGE_EXIT;
  if (error instanceof AppError) {
    terminal.error(error.hint === undefined ? error.message : `${error.message}\n${error.hint}`);
    if (error.cause instanceof Error) terminal.debug(error.cause.stack ?? error.cause.message);
    return error.exitStatus;
  }
  terminal.error(
    `trailhound failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n` +
      'This is a bug in trailhound: please report it, with the lines above.',
  );
  return INTERNAL_EXIT;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
