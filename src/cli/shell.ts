/** The shell of `trailhound sql`: statements over several lines, history, completion, and a few commands that start with a dot. */
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Backend } from '../backend.ts';
import { AppError } from '../errors.ts';
import { suggestion } from '../suggest.ts';
import type { BackendCommandOptions } from './athena.ts';
import { withBackend } from './backend.ts';
import type { Run } from './command.ts';
import { printRows } from './output/rows.ts';
import { printResult, type ResultOptions } from './result.ts';

const PROMPT = 'trailhound> ';
const CONTINUED = '       ...> ';
const HISTORY_LINES = 1000;

const HELP = `Statements end with ; and may run over several lines. Ctrl-C leaves a statement, Ctrl-D the shell.
.tables           the tables and how many columns each has
.schema [table]   columns, types and meanings
.help             this text
.exit             leave
`;
const COMMANDS = ['.tables', '.schema', '.help', '.exit'];
const KEYWORDS =
  'SELECT FROM WHERE GROUP ORDER BY HAVING LIMIT AS AND OR NOT NULL IS IN LIKE BETWEEN CASE WHEN THEN ELSE END JOIN LEFT ON UNION ALL DISTINCT WITH DESC count( min( max( sum( TIMESTAMP INTERVAL'.split(
    ' ',
  );

type ShellRun = Run<ResultOptions & BackendCommandOptions & { readonly portable?: boolean }>;

export async function runShell(run: ShellRun): Promise<0> {
  await withBackend(run, { portable: run.options.portable === true }, (backend) => readLoop(run, backend));
  return 0;
}

async function readLoop(run: ShellRun, backend: Backend): Promise<void> {
  const { sqlTables } = await import('./wire.ts');
  const tables = sqlTables(run.config);
  const words = [
    ...KEYWORDS,
    ...tables.flatMap(({ name, columns }) => [name, ...columns.map((column) => column.name)]),
  ];
  const history = openHistory();
  const lines = createInterface({
    input: process.stdin,
    output: process.stderr,
    history: history.lines,
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
    completer: (line: string) => complete(line, words),
  });
  let statement = '';
  let running = false;
  const ask = () => {
    lines.setPrompt(statement === '' ? PROMPT : CONTINUED);
    lines.prompt();
  };
  lines.on('SIGINT', () => {
    if (running) {
      backend.interrupt();
      return;
    }
    statement = '';
    process.stderr.write('\n');
    ask();
  });
  run.terminal.info(
    `${run.storeDir}: ${tables.map(({ name }) => name).join(', ')}. Statements end with ; and .help helps.`,
  );
  ask();
  for await (const line of lines) {
    if (run.signal.aborted) break;
    if (statement === '' && line.trim().startsWith('.')) {
      history.add(line);
      if (line.trim() === '.exit' || line.trim() === '.quit') break;
      await dotCommand(line.trim(), tables, run);
    } else {
      statement = statement === '' ? line : `${statement}\n${line}`;
      if (isComplete(statement)) {
        history.add(statement);
        running = true;
        await runOne(run, backend, statement);
        running = false;
        statement = '';
      } else if (statement.trim() === '') {
        statement = '';
      }
    }
    ask();
  }
  lines.close();
}

/** A mistake ends the statement, not the shell. */
async function runOne(run: ShellRun, backend: Backend, statement: string): Promise<void> {
  try {
    const started = Date.now();
    const rows = await printResult(run, await backend.stream(statement), run.options);
    run.terminal.info(`${rows} ${rows === 1 ? 'row' : 'rows'} in ${((Date.now() - started) / 1000).toFixed(2)} s`);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    run.terminal.error(error.hint === undefined ? error.message : `${error.message}\n${error.hint}`);
  }
}

interface ShellTable {
  readonly name: string;
  readonly doc: string;
  readonly columns: readonly { readonly name: string; readonly type: string; readonly doc: string }[];
}

async function dotCommand(line: string, tables: readonly ShellTable[], run: ShellRun): Promise<void> {
  const [command = '', name] = line.split(/\s+/u);
  const texts = (...names: string[]) => names.map((column) => ({ name: column, type: 'VARCHAR' }));
  if (command === '.help') {
    await run.terminal.out(HELP);
  } else if (command === '.tables') {
    const rows = tables.map((table) => [table.name, table.columns.length, table.doc]);
    await printRows('table', texts('table', 'columns', 'meaning'), rows, run.terminal);
  } else if (command === '.schema') {
    const chosen = name === undefined ? tables : tables.filter((table) => table.name === name);
    if (chosen.length === 0) {
      run.terminal.error(
        `there is no table '${name}'.${suggestion(
          name ?? '',
          tables.map((table) => table.name),
        )}`,
      );
      return;
    }
    const rows = chosen.flatMap((table) =>
      table.columns.map((column) => [table.name, column.name, column.type, column.doc]),
    );
    await printRows('table', texts('table', 'column', 'type', 'meaning'), rows, run.terminal);
  } else {
    run.terminal.error(`there is no command '${command}': expected one of ${COMMANDS.join(', ')}`);
  }
}

/** Ends with a semicolon that stands outside of quotes and comments. */
export function isComplete(text: string): boolean {
  const code = text.replace(/'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\//gu, ' ');
  return /;\s*$/u.test(code) && !/['"]|\/\*/u.test(code);
}

function complete(line: string, words: readonly string[]): [string[], string] {
  if (line.startsWith('.') && !line.includes(' '))
    return [COMMANDS.filter((command) => command.startsWith(line)), line];
  const [typed = ''] = /[A-Za-z_][A-Za-z0-9_]*$/u.exec(line) ?? [];
  if (typed === '') return [[], ''];
  const hits = words.filter((word) => word.toLowerCase().startsWith(typed.toLowerCase()));
  return [[...new Set(hits)], typed];
}

/** Statements may hold what is being investigated: the file is for its owner alone. */
function openHistory(): { readonly lines: string[]; add(text: string): void } {
  const file = join(process.env['XDG_STATE_HOME'] || join(homedir(), '.local', 'state'), 'trailhound', 'sql_history');
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    const before = existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
      : [];
    writeFileSync(
      file,
      before
        .slice(-HISTORY_LINES)
        .map((line) => `${line}\n`)
        .join(''),
      { mode: 0o600 },
    );
    chmodSync(file, 0o600);
    return {
      lines: before.slice(-HISTORY_LINES).toReversed(),
      add: (text) => appendFileSync(file, `${text.replaceAll(/\s*\n\s*/gu, ' ')}\n`, { mode: 0o600 }),
    };
  } catch {
    // A home that cannot be written costs the history, not the shell.
    return { lines: [], add: () => undefined };
  }
}
