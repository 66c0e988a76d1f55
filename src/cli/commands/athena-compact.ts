/** `trailhound athena compact`: the log files of whole days as Parquet, made where they lie. */
import { Command } from 'commander';
import type { Value } from '../../backend.ts';
import { AppError } from '../../errors.ts';
import { formatBytes } from '../../size.ts';
import { DAY_MS, formatDay } from '../../time.ts';
import { type AthenaCommandOptions, addAthenaOptions, athenaWindow, formatDollars } from '../athena.ts';
import { tellUnknownAccounts, withAthena } from '../backend.ts';
import { collect, type ExitStatus, finish, type Host, type Run } from '../command.ts';
import { printRows } from '../output/rows.ts';
import { formatCount, plural } from '../output/text.ts';
import type { Terminal } from '../terminal.ts';
import type { CompactedTable } from '../wire.ts';

interface CompactOptions extends AthenaCommandOptions {
  readonly from?: string;
  readonly to?: string;
  readonly table?: readonly string[];
  readonly dryRun?: boolean;
}

const COLUMNS = [
  { name: 'table', type: 'VARCHAR' },
  { name: 'days', type: 'BIGINT' },
  { name: 'empty_days', type: 'BIGINT' },
  { name: 'unchanged_days', type: 'BIGINT' },
  { name: 'compacted_days', type: 'BIGINT' },
  { name: 'failed_days', type: 'BIGINT' },
  { name: 'records', type: 'BIGINT' },
  { name: 'duplicates', type: 'BIGINT' },
  { name: 'rows', type: 'BIGINT' },
  { name: 'files', type: 'BIGINT' },
  { name: 'bytes', type: 'BIGINT' },
  { name: 'removed_files', type: 'BIGINT' },
  { name: 'statements', type: 'BIGINT' },
  { name: 'scan_bytes', type: 'BIGINT' },
  { name: 'scan_dollars', type: 'DOUBLE' },
] as const;

export function compactCommand(host: Host): Command {
  const command = new Command('compact')
    .description(
      'turn the log files of whole days into de-duplicated Parquet inside of AWS, as `store export` would; again takes only days whose log files changed',
    )
    .argument('<target>', 's3://bucket/prefix, beside the log files')
    .option('--table <name>', 'only this table, repeatable (default: all that are set up)', collect)
    .option('--from <time>', 'only days that may hold events at this time or later')
    .option('--to <time>', 'only days that may hold events before this time')
    .option('--dry-run', 'only tell what would be read, and what it would cost');
  return finish<CompactOptions>(
    addAthenaOptions(command),
    host,
    [
      'trailhound athena compact s3://example-security/trailhound --from 2026-01-01 --to 2026-02-01 --dry-run',
      'trailhound athena compact s3://example-security/trailhound --from 3d --to now --max-scan 500GB',
    ],
    compact,
  );
}

/** The UTC days that a window touches and that are over. */
function daysOf(run: Run<CompactOptions>): readonly string[] {
  const { fromMs, toMs } = athenaWindow(run);
  const first = Math.floor(fromMs / DAY_MS);
  const end = Math.min(Math.ceil(toMs / DAY_MS), Math.floor(run.nowMs / DAY_MS));
  if (first < end) return Array.from({ length: end - first }, (_, at) => formatDay(first + at));
  throw new AppError('usage-invalid', `cannot compact ${formatDay(first)}: this day of UTC is not over`, {
    hint: 'Days are compacted whole. Name an earlier --from.',
  });
}

/** Names of tables that there are; null where none is named. */
async function namedTables(names: readonly string[] | undefined): Promise<readonly string[] | null> {
  if (names === undefined) return null;
  const { TABLES } = await import('../wire.ts');
  const known = TABLES.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  throw new AppError('usage-invalid', `cannot compact the table '${unknown}': expected one of ${known.join(', ')}`);
}

async function compact(run: Run<CompactOptions>, target = ''): Promise<ExitStatus> {
  const { options, terminal } = run;
  if (!target.startsWith('s3://'))
    throw new AppError('usage-invalid', `cannot compact to '${target}': expected s3://bucket/prefix`, {
      hint: 'Athena writes to buckets only; `trailhound store export` takes a folder.',
    });
  const days = daysOf(run);
  const tables = await namedTables(options.table);
  return withAthena<ExitStatus>(run, async (session) => {
    await tellUnknownAccounts(session, terminal);
    const results = await session.compact({
      target,
      tables,
      days,
      dryRun: options.dryRun === true,
      onDay: (table, done, all) =>
        terminal.progress(`compacting ${table}: ${formatCount(done)} of ${plural(all, 'day')}`),
    });
    await printRows(run.output, COLUMNS, results.map(rowOf), terminal);
    for (const one of results) tellProblems(one, terminal);
    const sum = (of: (one: CompactedTable) => number): number => results.reduce((all, one) => all + of(one), 0);
    const compacted = plural(
      sum((one) => one.compacted),
      'day',
    );
    if (options.dryRun === true) {
      const statements = plural(
        sum(({ scans }) => scans.length),
        'statement',
      );
      terminal.info(
        `${compacted} would be compacted: to read ${formatBytes(sum(scanBytes))} in ${statements}, for about ${formatDollars(sum(({ dollars }) => dollars))}`,
      );
    } else {
      const rows = plural(
        sum((one) => one.rows),
        'row',
      );
      terminal.info(`${compacted} compacted to ${target}: ${rows}, ${formatBytes(sum(({ bytes }) => bytes))}`);
    }
    return results.some(({ problems }) => problems.length > 0) ? 3 : 0;
  });
}

const scanBytes = ({ scans }: CompactedTable): number => scans.reduce((sum, bytes) => sum + bytes, 0);

const rowOf = (one: CompactedTable): readonly Value[] => [
  one.table,
  one.days,
  one.empty,
  one.unchanged,
  one.compacted,
  one.problems.length,
  one.records,
  one.records - one.rows,
  one.rows,
  one.files,
  one.bytes,
  one.removed,
  one.scans.length,
  scanBytes(one),
  one.dollars,
];

function tellProblems({ table, problems, outside }: CompactedTable, terminal: Terminal): void {
  for (const { day, why } of problems)
    terminal.warn(
      `${table} of ${day} was left as it was: ${why}\nRun the same command again: log files may have come meanwhile.`,
    );
  if (outside === 0) return;
  const [its, it] = outside === 1 ? ['its event', 'it'] : ['their events', 'them'];
  terminal.warn(
    `${plural(outside, 'record')} of ${table} came so long after ${its} that no day has ${it}\nRaise \`lateness\` in the block \`athena\` of the config, and run the same command again.`,
  );
}
