/** `trailhound athena`: the tables over a bucket, what a window of them costs, and the proof that they work. */
import { Command } from 'commander';
import { AppError } from '../../errors.ts';
import { printable, printableLines } from '../../printable.ts';
import { formatBytes } from '../../size.ts';
import { DAY_MS, parseTime } from '../../time.ts';
import { type AthenaCommandOptions, addAthenaOptions, athenaWindow, formatDollars } from '../athena.ts';
import { tellUnknownAccounts, withAthena } from '../backend.ts';
import { collect, type ExitStatus, finish, group, type Host, type Run } from '../command.ts';
import { printRows } from '../output/rows.ts';
import { formatCount, plural } from '../output/text.ts';
import { compactCommand } from './athena-compact.ts';

interface SetupOptions extends AthenaCommandOptions {
  readonly account?: readonly string[];
  readonly region?: readonly string[];
  readonly since?: string;
  readonly apply?: boolean;
  readonly ddl?: boolean;
}

interface WindowOptions extends AthenaCommandOptions {
  readonly from?: string;
  readonly to?: string;
}

export function athenaCommand(host: Host): Command {
  const setup = new Command('setup')
    .description(
      'tables and views over the log files of a bucket; prints what has to be done, and does it with --apply',
    )
    .argument('<source...>', 's3://bucket/prefix, the folder above the accounts; several for several trails or buckets')
    .option('--account <id>', 'only this account, repeatable (default: all that are there)', collect)
    .option('--region <name>', 'only this region, repeatable (default: all that are there)', collect)
    .option('--since <time>', 'no log file is older (default: since the service began)')
    .option('--apply', 'make them')
    .option('--ddl', 'print all statements, without a look at what is there');
  const estimate = new Command('estimate')
    .description(
      'what a window holds and what a statement over it would cost, from a list of its log files and from earlier statements',
    )
    .option('--from <time>', 'events at this time or later')
    .option('--to <time>', 'events before this time');
  const selftest = new Command('selftest')
    .description(
      'prove in this account that the SQL, the views and their types do what they should; reads one day, for a few cents',
    )
    .option('--from <time>', 'events at this time or later (default: yesterday)')
    .option('--to <time>', 'events before this time');
  return group(
    new Command('athena')
      .description('hunt where the logs lie: tables over a bucket for Amazon Athena (docs/athena.md)')
      .addCommand(
        finish<SetupOptions>(
          addAthenaOptions(setup),
          host,
          [
            'trailhound athena setup s3://example-logs/AWSLogs/o-exampleorgid/',
            'trailhound athena setup s3://example-logs/AWSLogs/ --output-location s3://example-results/ --apply',
          ],
          setUp,
        ),
      )
      .addCommand(
        finish<WindowOptions>(
          addAthenaOptions(estimate),
          host,
          ['trailhound athena estimate --from 7d --to now'],
          printEstimate,
        ),
      )
      .addCommand(compactCommand(host))
      .addCommand(finish<WindowOptions>(addAthenaOptions(selftest), host, ['trailhound athena selftest'], runSelftest)),
    [
      'trailhound athena setup s3://example-logs/AWSLogs/ --apply',
      'trailhound hunt --backend athena --from 1d --to now --max-scan 50GB',
    ],
  );
}

async function setUp(run: Run<SetupOptions>, ...sources: string[]): Promise<ExitStatus> {
  const { options, terminal, nowMs } = run;
  if (options.apply && options.ddl)
    throw new AppError('usage-invalid', 'cannot use --apply with --ddl: it looks at what is there first');
  const since =
    options.since === undefined
      ? undefined
      : new Date(parseTime(options.since, nowMs)).toISOString().slice(0, 10).replaceAll('-', '/');
  return withAthena<ExitStatus>(run, async (session) => {
    const roots = (
      await Promise.all(
        sources.map((url) =>
          session.discover(url, {
            ...(options.account && { accounts: options.account }),
            ...(options.region && { regions: options.region }),
            ...(since !== undefined && { since }),
          }),
        ),
      )
    ).flat();
    for (const { table, location, template, keys } of roots) {
      terminal.info(
        `${table}: ${printable(location)}, ${template === null ? 'one folder: every statement reads all of it' : keys.map(({ name, values }) => plural(values.length, name)).join(', ')}`,
      );
    }
    const steps = await session.plan(roots, { fresh: options.ddl === true });
    const todo = steps.filter(({ statements }) => statements.length > 0);
    for (const { name, state, differences } of steps) {
      if (state === 'differs')
        terminal.info([`${name} differs`, ...differences.map((line) => `  ${printable(line)}`)].join('\n'));
    }
    if (options.apply) {
      await session.apply(steps, ({ name, state }) =>
        terminal.info(`${state === 'missing' ? 'making' : 'making anew'} ${name}`),
      );
      terminal.info(todo.length === 0 ? 'All is as it should be.' : `${tablesAndViews(todo.length)} made`);
      return 0;
    }
    for (const { statements } of todo)
      for (const statement of statements) await terminal.out(`${printableLines(statement)};\n\n`);
    terminal.info(
      todo.length === 0
        ? 'All is as it should be.'
        : `${tablesAndViews(todo.length)} to make: add --apply, or run these statements yourself`,
    );
    return 0;
  });
}

const tablesAndViews = (count: number): string =>
  count === 1 ? '1 table or view' : `${formatCount(count)} tables and views`;

async function printEstimate(run: Run<WindowOptions>): Promise<ExitStatus> {
  const window = athenaWindow(run);
  return withAthena<ExitStatus>(run, async (session) => {
    await tellUnknownAccounts(session, run.terminal);
    const [tables, rates, workgroup] = await Promise.all([session.deployed(), session.rates(), session.workgroup()]);
    const estimates = await session.estimate(window, tables);
    const rows = estimates.map(
      ({ table, days, lateDays, partitions, listed, objects, bytes, uncertainty, dollars }) => {
        const rate = rates.get(table);
        return [
          table,
          days,
          lateDays,
          partitions,
          listed,
          objects,
          bytes,
          uncertainty,
          rate === undefined ? null : Math.round(rate * days),
          dollars.scan,
          dollars.requests,
          dollars.decrypt,
        ];
      },
    );
    const columns = [
      ['table', 'VARCHAR'],
      ['days', 'INTEGER'],
      ['days_for_late_files', 'INTEGER'],
      ['partitions', 'BIGINT'],
      ['folders_listed', 'BIGINT'],
      ['objects', 'BIGINT'],
      ['bytes', 'BIGINT'],
      ['bytes_uncertain', 'BIGINT'],
      ['bytes_by_past_statements', 'BIGINT'],
      ['scan_dollars', 'DOUBLE'],
      ['request_dollars', 'DOUBLE'],
      ['kms_dollars', 'DOUBLE'],
    ].map(([name = '', type = '']) => ({ name, type }));
    await printRows(run.output, columns, rows, run.terminal);
    const [bytes, dollars] = estimates.reduce(([all, sum], one) => [all + one.bytes, sum + one.dollars.scan], [0, 0]);
    run.terminal.info(
      `To read each table once is about ${formatBytes(bytes)}, for about ${formatDollars(dollars)}; \`trailhound hunt --backend athena --dry-run\` counts the statements of a hunt.`,
    );
    if (workgroup.cutoffBytes !== null)
      run.terminal.info(`The workgroup stops a statement that scans more than ${formatBytes(workgroup.cutoffBytes)}.`);
    return 0;
  });
}

async function runSelftest(run: Run<WindowOptions>): Promise<ExitStatus> {
  const { options, nowMs, terminal, output } = run;
  const today = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const isGiven = options.from !== undefined || options.to !== undefined;
  const window = isGiven ? athenaWindow(run) : { fromMs: today - DAY_MS, toMs: today };
  return withAthena<ExitStatus>(run, async (session) => {
    const rows: (readonly [string, string, string])[] = [];
    for await (const { name, outcome, detail } of session.selftest(window)) {
      terminal.progress(name);
      rows.push([name, outcome, printable(detail)]);
    }
    await printRows(
      output,
      ['check', 'outcome', 'seen'].map((name) => ({ name, type: 'VARCHAR' })),
      rows,
      terminal,
    );
    const count = (outcome: string): number => rows.filter(([, one]) => one === outcome).length;
    const failed = count('failed');
    const unseen = count('unseen') > 0 ? `, ${formatCount(count('unseen'))} without anything to look at` : '';
    terminal.info(`${formatCount(count('ok'))} checks passed, ${formatCount(failed)} failed${unseen}`);
    return failed > 0 ? 3 : 0;
  });
}
