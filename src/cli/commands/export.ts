/** `trailhound store export`: the stored events as a partitioned table for Athena and other engines. */
import { Command } from 'commander';
import { AppError } from '../../errors.ts';
import { formatBytes } from '../../size.ts';
import { type AwsCommandOptions, addAwsOptions, awsOf } from '../aws.ts';
import { collect, finish, type Host, type Run, windowOf } from '../command.ts';
import { printRows } from '../output/rows.ts';
import { formatCount, plural } from '../output/text.ts';

interface ExportCommandOptions extends AwsCommandOptions {
  readonly table?: readonly string[];
  readonly from?: string;
  readonly to?: string;
  readonly where?: string;
  readonly dryRun?: boolean;
}

const COLUMNS = [
  { name: 'table', type: 'VARCHAR' },
  { name: 'days', type: 'BIGINT' },
  { name: 'files', type: 'BIGINT' },
  { name: 'rows', type: 'BIGINT' },
  { name: 'bytes', type: 'BIGINT' },
  { name: 'new_files', type: 'BIGINT' },
  { name: 'new_bytes', type: 'BIGINT' },
  { name: 'removed_files', type: 'BIGINT' },
] as const;

export function exportCommand(host: Host): Command {
  const command = new Command('export')
    .description(
      'put the events where Athena and other engines can read them, as Parquet by day; again takes only what is new',
    )
    .argument('<target>', 's3://bucket/prefix, or a folder')
    .option('--table <name>', 'only this table, repeatable (default: every one with events)', collect)
    .option('--from <time>', 'only days that may hold events at this time or later')
    .option('--to <time>', 'only days that may hold events before this time')
    .option('--where <condition>', 'only events for which this holds, in portable SQL; with one --table')
    .option('--dry-run', 'only tell what would be written');
  return finish<ExportCommandOptions>(
    addAwsOptions(command),
    host,
    [
      'trailhound store export s3://example-security/trailhound',
      'trailhound store export ./events --table cloudtrail --from 30d',
      "trailhound store export s3://example-security/writes --table cloudtrail --where 'read_only = false'",
    ],
    runExport,
  );
}

async function runExport(run: Run<ExportCommandOptions>, name = ''): Promise<0> {
  const { options, terminal } = run;
  const window = windowOf(options, run.nowMs);
  const { exportStore, openStore, TABLES } = await import('../wire.ts');
  const names = TABLES.map((table) => table.name);
  const unknown = options.table?.find((table) => !names.includes(table));
  if (unknown !== undefined)
    throw new AppError('usage-invalid', `cannot export the table '${unknown}': expected one of ${names.join(', ')}`);
  if (options.where !== undefined && options.table?.length !== 1) {
    throw new AppError('usage-invalid', 'cannot use --where without one --table: tables have other columns', {
      hint: 'For example: --table cloudtrail --where "read_only = false".',
    });
  }
  const store = await openStore(run.storeDir);
  try {
    const results = await exportStore(store, {
      target: name,
      aws: awsOf(run),
      tables: TABLES.filter((table) => options.table?.includes(table.name) ?? true),
      window,
      where: options.where ?? null,
      dryRun: options.dryRun === true,
      signal: run.signal,
      onProgress: (table, done, all) =>
        terminal.progress(`exporting ${table}: ${formatCount(done)} of ${plural(all, 'segment')}`),
    });
    await printRows(
      run.output,
      COLUMNS,
      results.map((one) => [
        one.table,
        one.days,
        one.files,
        one.rows,
        one.bytes,
        one.uploaded,
        one.uploadedBytes,
        one.removed,
      ]),
      terminal,
    );
    const sum = (of: (one: (typeof results)[number]) => number): number =>
      results.reduce((all, one) => all + of(one), 0);
    const verb = options.dryRun === true ? 'would be written' : 'written';
    const files = plural(
      sum(({ uploaded }) => uploaded),
      'file',
    );
    terminal.info(`${files} ${verb} to ${name}, ${formatBytes(sum(({ uploadedBytes }) => uploadedBytes))}`);
  } finally {
    await store.close();
  }
  return 0;
}
