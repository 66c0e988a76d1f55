/** `trailhound sql`: one SELECT over the tables of the store, or a shell. */
import { Command } from 'commander';
import { AppError } from '../../errors.ts';
import { addBackendOptions, type BackendCommandOptions } from '../athena.ts';
import { withBackend } from '../backend.ts';
import { finish, type Host, type Run, wholeNumber } from '../command.ts';
import { printDryRun, refuseUnused } from '../dry-run.ts';
import { checkResultOptions, printResult, type ResultOptions } from '../result.ts';
import { runShell } from '../shell.ts';
import { readStdin } from '../stdin.ts';

/** What a statement can read, told before any engine is loaded. */
export const SQL_TABLES = [
  'cloudtrail',
  's3_access',
  'waf',
  'cloudtrail_insight',
  'lake',
  'log_file',
  'reject',
  'id_conflict',
  'alert',
  'alert_change',
  'incident',
  'alert_rank',
  'suppression',
  'delivery',
  'hunt_run',
  'source_state',
] as const;

interface SqlOptions extends ResultOptions, BackendCommandOptions {
  readonly portable?: boolean;
}

export function sqlCommand(host: Host): Command {
  const command = new Command('sql')
    .description('question the store with SQL: one SELECT, or a shell when none is given')
    .argument('[statement]', 'one SELECT in the SQL of DuckDB; - reads it from stdin')
    .option(
      '--portable',
      "with Trino's names and semantics, as detectors and saved questions have them (docs/detector-sql.md); what would not run on both engines is refused",
    )
    .option('--limit <n>', 'rows at most, 0 for all (default: all, but 200 of a table on a terminal)', wholeNumber)
    .option('--file <path>', 'where --output parquet goes')
    .option('--from <time>', 'of Athena: events at this time or later')
    .option('--to <time>', 'of Athena: events before this time')
    .addHelpText('after', `\nTables: ${SQL_TABLES.join(', ')}, and list_<name> for each list of the config.`);
  return finish<SqlOptions>(
    addBackendOptions(command),
    host,
    [
      'trailhound sql "SELECT event_name, count(*) AS n FROM cloudtrail GROUP BY 1 ORDER BY n DESC LIMIT 20"',
      'trailhound sql "SELECT * FROM cloudtrail WHERE outcome = \'denied\'" --output csv > denied.csv',
      'trailhound sql "SELECT * FROM cloudtrail" --output parquet --file events.parquet',
      'trailhound sql - < question.sql',
      'trailhound sql "SELECT count(*) AS events FROM cloudtrail" --backend athena --from 1d --to now --max-scan 50GB',
      'trailhound sql',
    ],
    async (run, argument) => {
      const statement = await statementOf(argument);
      checkResultOptions(run, run.options);
      if (statement === null) return runShell(run);
      await runStatement(run, statement);
      return 0;
    },
  );
}

/** Null where a person sits at a terminal and gave none. */
async function statementOf(argument: string | undefined): Promise<string | null> {
  if (argument !== undefined && argument !== '-') return argument;
  if (argument === undefined && process.stdin.isTTY === true) return null;
  const text = await readStdin();
  if (text !== '') return text;
  throw new AppError('sql-invalid', 'no statement was given: stdin is empty', {
    hint: 'Give one as an argument: trailhound sql "SELECT …".',
  });
}

async function runStatement(run: Run<SqlOptions>, statement: string): Promise<void> {
  refuseUnused(run, ['from', 'to', 'dryRun']);
  if (run.options.dryRun) return printDryRun(run, statement, {});
  await withBackend(run, { portable: run.options.portable === true }, async (backend) => {
    await printResult(run, await backend.stream(statement), run.options);
  });
}
