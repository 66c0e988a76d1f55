/** `trailhound query`: the questions that people ask first, saved with their parameters. */
import { Command } from 'commander';
import type { Param } from '../../backend.ts';
import { AppError } from '../../errors.ts';
import { json, printable } from '../../printable.ts';
import type { Query } from '../../query.ts';
import { addBackendOptions, athenaWindow, type BackendCommandOptions, isAthena } from '../athena.ts';
import { withBackend } from '../backend.ts';
import { finish, group, type Host, questionParameters, type Run, wholeNumber } from '../command.ts';
import { printDryRun, refuseUnused } from '../dry-run.ts';
import { printRows } from '../output/rows.ts';
import { plural } from '../output/text.ts';
import { checkResultOptions, printResult, type ResultOptions } from '../result.ts';

type QueryRunOptions = ResultOptions & BackendCommandOptions;

export function queryCommand(host: Host): Command {
  const list = new Command('list').description('all saved questions');
  const show = new Command('show').description('parameters and SQL of one question').argument('<id>');
  const run = new Command('run')
    .description('ask one')
    .argument('<id>')
    .option('--limit <n>', 'rows at most, 0 for all (default: all, but 200 of a table on a terminal)', wholeNumber)
    .option('--file <path>', 'where --output parquet goes')
    .option('--from <time>', 'of Athena: events at this time or later (default: the parameter from)')
    .option('--to <time>', 'of Athena: events before this time (default: the parameter to)');
  return group(
    new Command('query')
      .description('saved questions, with parameters')
      .addCommand(finish(list, host, ['trailhound query list', 'trailhound query list --output markdown'], printList))
      .addCommand(finish(show, host, ['trailhound query show who-deleted'], showQuery))
      .addCommand(
        finish<QueryRunOptions>(
          addBackendOptions(run),
          host,
          [
            'trailhound query run who-deleted --param name=prod-db',
            'trailhound query run access-key-activity --param key=AKIAIOSFODNN7EXAMPLE --param from=7d',
            'trailhound query run recent-changes --param minutes=60 --output csv',
            'trailhound query run logins --backend athena --from 7d --to now',
          ],
          runQuery,
        ),
      ),
    ['trailhound query list', 'trailhound query run most-denied-principals'],
  );
}

async function printList({ config, output, terminal }: Run<object>): Promise<0> {
  const { loadQueries } = await import('../queries.ts');
  const queries = loadQueries(config);
  const columns = ['id', 'title', 'parameters'].map((name) => ({ name, type: 'VARCHAR' }));
  const rows = queries.map(({ id, title, parameters }) => [
    id,
    title,
    parameters
      .map((parameter) => (parameter.default === null ? `${parameter.name} (needed)` : parameter.name))
      .join(', '),
  ]);
  await printRows(output, columns, rows, terminal);
  terminal.info(plural(rows.length, 'question'));
  return 0;
}

async function showQuery({ config, output, terminal }: Run<object>, id = ''): Promise<0> {
  const { findQuery, loadQueries } = await import('../queries.ts');
  const query = findQuery(loadQueries(config), id);
  if (output === 'json' || output === 'jsonl') {
    await terminal.out(`${json(query, output === 'json' ? 2 : undefined)}\n`);
    return 0;
  }
  if (output !== 'table')
    throw new AppError('usage-invalid', `cannot print one question as ${output}: expected table, json or jsonl`);
  const { colors } = terminal;
  await terminal.out(
    [
      `${colors.bold(printable(query.title))}\n${printable(query.description)}\n`,
      ...(query.parameters.length === 0 ? [] : [`\n${colors.bold('Parameters')}\n`]),
      ...query.parameters.map(
        (parameter) =>
          `  ${parameter.name} (${parameter.type}, ${defaultText(parameter)}): ${printable(parameter.doc)}\n`,
      ),
      `\n${colors.bold('SQL')}\n${query.sql
        .split('\n')
        .map((line) => `  ${printable(line)}\n`)
        .join('')}`,
    ].join(''),
  );
  return 0;
}

function defaultText(parameter: Query['parameters'][number]): string {
  if (parameter.default === null) return 'needed';
  return parameter.default === '' ? 'empty unless given' : `${parameter.default} unless given`;
}

async function runQuery(run: Run<QueryRunOptions>, id = ''): Promise<0> {
  const { findQuery, loadQueries } = await import('../queries.ts');
  const query = findQuery(loadQueries(run.config), id);
  const given = questionParameters(run.params);
  checkResultOptions(run, run.options);
  refuseUnused(run, ['from', 'to', 'dryRun']);
  const asked = isAthena(run) ? onAthena(run, query, given) : { run, given };
  if (run.options.dryRun) {
    const { toMs } = athenaWindow(asked.run);
    await printDryRun(asked.run, query.sql, await valuesOf(query, asked.given, run, async () => toMs - 1));
    return 0;
  }
  await withBackend(asked.run, { portable: true }, async (backend, newestMs) => {
    const values = await valuesOf(query, asked.given, run, newestMs);
    const rows = await printResult(run, await backend.stream(query.sql, values), run.options);
    if (rows === 0) run.terminal.info('no rows');
  });
  return 0;
}

async function valuesOf(
  query: Query,
  given: Readonly<Record<string, string>>,
  { nowMs }: Run<QueryRunOptions>,
  newestMs: () => Promise<number>,
): Promise<Record<string, Param>> {
  const { queryValues } = await import('../../query.ts');
  return queryValues(query, given, { nowMs, newestMs });
}

/** A window and the parameters of these names are one thing: what is given of them stands for both. */
function onAthena(
  run: Run<QueryRunOptions>,
  query: Query,
  given: Readonly<Record<string, string>>,
): { readonly run: Run<QueryRunOptions>; readonly given: Readonly<Record<string, string>> } {
  const named = (['from', 'to'] as const).filter((name) =>
    query.parameters.some((parameter) => parameter.name === name),
  );
  const bounds = Object.fromEntries(
    named.flatMap((name) => {
      const text = given[name] ?? run.options[name];
      return text === undefined ? [] : [[name, text]];
    }),
  );
  return { run: { ...run, options: { ...bounds, ...run.options } }, given: { ...bounds, ...given } };
}
