/** What `scan` and `ingest` share: which log files, how far it is, and what the run ends with. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { AppError } from '../errors.ts';
import type { IngestForecast, IngestLimits, IngestOptions, IngestProgress, IngestResult } from '../ingest.ts';
import { json } from '../printable.ts';
import { formatBytes } from '../size.ts';
import type { ListingProblem, Scope } from '../source.ts';
import { DAY_MS, durationMs, formatDay } from '../time.ts';
import { type AwsCommandOptions, addAwsOptions, awsOf, checkAccount, checkRegion } from './aws.ts';
import { collect, type ExitStatus, type Run, windowOf } from './command.ts';
import type { Config } from './config.ts';
import { printRows } from './output/rows.ts';
import { formatCount, formatSpan, plural } from './output/text.ts';
import { redactionsOf } from './redactions.ts';
import type { Terminal } from './terminal.ts';
import type { LocalStore, QueueOptions } from './wire.ts';

const DAYS_MAX = 3660;

/** Names of the formats: those of the tables that they fill. */
const FORMATS = ['cloudtrail', 'cloudtrail_insight', 's3_access', 'waf'] as const;

export interface IngestCommandOptions extends AwsCommandOptions {
  readonly from?: string;
  readonly to?: string;
  readonly account?: readonly string[];
  readonly region?: readonly string[];
  readonly format: 'auto' | (typeof FORMATS)[number];
  readonly dryRun?: boolean;
  readonly strict?: boolean;
  readonly once?: boolean;
  readonly reconcile?: number;
  readonly filesFrom?: string;
}

export function addIngestOptions(command: Command): Command {
  command
    .argument(
      '[source...]',
      'a file, folder, glob, zip, tar or tar.gz, - for stdin, s3://bucket/prefix, or sqs://queue (default: sources in the config)',
    )
    .option(
      '--files-from <list>',
      'read the log files that a list names, one a line, paths and s3:// URLs; - reads the list from stdin (docs/athena.md)',
    )
    .option('--from <time>', 'only log files that may hold events at this time or later')
    .option('--to <time>', 'only log files that may hold events before this time')
    .option('--account <id>', 'only this account, repeatable', collect)
    .option('--region <name>', 'only this region, repeatable', collect)
    .addOption(new Option('--format <name>', 'what the log files are').choices(['auto', ...FORMATS]).default('auto'))
    .option('--dry-run', 'only tell how many files and bytes there are, and what time and disk they would take')
    .option(
      '--strict',
      'end with status 3 when a record could not be decoded, a file is damaged or, of a scan, a Sigma rule cannot be used',
    )
    .option('--once', 'read what is there now, then end (only a queue does not do so by itself)')
    .option(
      '--reconcile <days>',
      'beside a queue: also list what was delivered in so many days, for messages that were lost',
      days,
    );
  return addAwsOptions(command);
}

function days(text: string): number {
  const count = Number(text);
  if (/^\d+$/u.test(text) && count >= 1 && count <= DAYS_MAX) return count;
  throw new InvalidArgumentError(`expected a number of days from 1 to ${DAYS_MAX}`);
}

/** The sources of the command line, where they are not named in a list alone, else those of the config. Paths of the config start from its folder. */
export function sourcesOf(
  {
    config,
    options,
  }: {
    readonly config: Config;
    readonly options: Pick<IngestCommandOptions, 'filesFrom'>;
  },
  given: readonly string[],
): readonly string[] {
  if (options.filesFrom === '-' && given.includes('-')) {
    throw new AppError('usage-invalid', 'cannot read both a list (--files-from -) and log files (-) from stdin', {
      hint: 'Write the list to a file, and name that file.',
    });
  }
  if (options.filesFrom !== undefined) return given;
  const sources =
    given.length > 0
      ? given
      : config.sources.map((source) => (/^([a-z0-9]+:\/\/|-$)/u.test(source) ? source : resolve(config.dir, source)));
  if (sources.length > 0) return sources;
  throw new AppError('usage-invalid', 'no source was named', {
    hint: 'Name a file, folder or archive: trailhound scan ./cloudtrail-archive, or list sources in trailhound.yaml.',
  });
}

function scopeOf(options: IngestCommandOptions, nowMs: number): Scope {
  const { account: accounts, region: regions } = options;
  for (const account of accounts ?? []) checkAccount(account);
  for (const region of regions ?? []) checkRegion(region);
  return { ...windowOf(options, nowMs), ...(accounts && { accounts }), ...(regions && { regions }) };
}

/** The bounds of the config; what it leaves out has the pipeline's default. */
export function boundsOf({
  config: { limits },
}: Pick<Run<unknown>, 'config'>): Pick<IngestOptions, 'limits' | 'workers'> {
  const bounds: Partial<IngestLimits> = {
    ...(limits.record_bytes !== undefined && { recordBytes: limits.record_bytes }),
    ...(limits.window_bytes !== undefined && { windowBytes: limits.window_bytes }),
    ...(limits.max_ratio !== undefined && { maxRatio: limits.max_ratio }),
    ...(limits.max_file_bytes !== undefined && { maxFileBytes: limits.max_file_bytes }),
  };
  return { limits: bounds, ...(limits.workers !== undefined && { workers: limits.workers }) };
}

/** How queues are read. Throws `usage-invalid` for what would make a message neither stored nor kept. */
function queueOf(
  options: IngestCommandOptions,
  names: readonly string[],
): Pick<QueueOptions, 'once' | 'reconcileDays'> {
  const queue = names.find((name) => name.startsWith('sqs://'));
  if (queue === undefined) {
    if (options.reconcile === undefined) return { once: false, reconcileDays: null };
    throw new AppError('usage-invalid', 'cannot use --reconcile: no source is a queue (sqs://…)', {
      hint: 'A bucket is listed whole anyway: name s3://bucket/prefix, and --from to bound it.',
    });
  }
  for (const name of ['from', 'to', 'account', 'region'] as const) {
    if (options[name] === undefined) continue;
    throw new AppError('usage-invalid', `cannot use --${name} with ${queue}: all messages of a queue are read`, {
      hint: 'Narrow what comes into the queue (docs/sqs.md), or read buckets and files in a run of their own.',
    });
  }
  if (options.dryRun) {
    throw new AppError(
      'usage-invalid',
      `cannot use --dry-run with ${queue}: messages are hidden from others when they are read`,
      {
        hint: 'The attribute ApproximateNumberOfMessages tells how many there are: aws sqs get-queue-attributes.',
      },
    );
  }
  return { once: options.once === true, reconcileDays: options.reconcile ?? null };
}

/** Opens the sources, refuses what cannot work before anything is written, and hands over the store and the way to fill it. */
export async function withIngest(
  run: Run<IngestCommandOptions>,
  given: readonly string[],
  use: (
    store: LocalStore,
    ingest: (onCommit?: IngestOptions['onCommit']) => Promise<IngestResult>,
  ) => Promise<ExitStatus>,
): Promise<ExitStatus> {
  const { options, storeDir, signal, terminal } = run;
  const names = sourcesOf(run, given);
  const scope = scopeOf(options, run.nowMs);
  const { forecast, ingestInto, listEarly, openSources, openStore, refuseStoreInside, startThreads, stopThreads } =
    await import('./wire.ts');
  const redact = await redactionsOf(run);
  const queue = queueOf(options, names);
  const sources = await openSources(names, options.filesFrom ?? null, {
    aws: awsOf(run),
    queue,
    warn: (message) => terminal.warn(message),
  });
  try {
    if (options.dryRun) return await printForecast(await forecast(storeDir, { sources, scope, signal }), run);
    refuseStoreInside(storeDir, sources);
    const bounds = { ...boundsOf(run), redact, format: options.format === 'auto' ? null : options.format };
    // They take longer to start than the store.
    const threads = await startThreads(storeDir, bounds);
    try {
      const listed = await listEarly(sources, { scope, signal });
      const store = await openStore(storeDir, { create: true });
      try {
        const status = await use(store, (onCommit) =>
          ingestInto(store, threads, {
            sources: listed,
            scope,
            ...bounds,
            signal,
            onProgress: (progress) => terminal.progress(progressLine(progress)),
            ...(onCommit && { onCommit }),
          }),
        );
        if (run.config.retention !== undefined) await pruneOlder(store, run.config.retention, run);
        return status;
      } finally {
        await store.close();
      }
    } finally {
      await stopThreads(threads);
    }
  } finally {
    for (const source of sources) await source.close();
  }
}

/** Takes whole days out of every table that lie before the span; the ledger stays. Returns how many events went. */
export async function pruneOlder(
  store: LocalStore,
  span: string,
  { nowMs, terminal }: Pick<Run<unknown>, 'nowMs' | 'terminal'>,
): Promise<number> {
  const before = formatDay(Math.floor((nowMs - durationMs(span)) / DAY_MS));
  const { TABLES } = await import('./wire.ts');
  let total = 0;
  for (const table of TABLES) {
    const { segments, rows } = await store.prune(table, before);
    if (rows > 0)
      terminal.info(
        `${table.name}: ${plural(rows, 'event')} in ${plural(segments, 'segment')} from before ${before} removed`,
      );
    total += rows;
  }
  return total;
}

/** One line: files, events a second, megabytes a second, time left. */
export function progressLine(progress: IngestProgress): string {
  const seconds = Math.max(progress.elapsedMs / 1000, 0.001);
  const files = `${formatCount(progress.filesDone)} of ${formatCount(progress.filesListed)}${progress.listingEnded ? '' : '+'} files`;
  const speed = `${formatCount(progress.records / seconds)} events/s, ${formatBytes(progress.uncompressedBytes / seconds)}/s`;
  const left = progress.bytesListed - progress.bytesDone;
  const eta =
    progress.listingEnded && progress.bytesDone > 0
      ? `, ${formatSpan((seconds * left) / progress.bytesDone)} left`
      : '';
  return `${files}, ${formatCount(progress.records)} events, ${speed}${eta}`;
}

/** Says what was odd and what could not be read, and the closing line. Throws `interrupted`. */
export function tellResult(result: IngestResult, terminal: Terminal, strict: boolean): ExitStatus {
  for (const { reason, count, example } of result.warnings) {
    terminal.warn(`${reason}: ${plural(count, 'time')}, first in ${example}`);
  }
  tellProblems(result.problems, result.problemsTotal, terminal);
  terminal.info(closingLine(result));
  if (result.interrupted) {
    throw new AppError('interrupted', 'interrupted: what was committed is kept', {
      hint: 'Run the same command again: it goes on from there.',
    });
  }
  if (result.problemsTotal > 0) return 3;
  return strict && (result.records.rejected > 0 || result.files.damaged > 0) ? 3 : 0;
}

/** Named one by one up to this many. */
const PROBLEMS_TOLD = 20;

function tellProblems(problems: readonly ListingProblem[], total: number, terminal: Terminal): void {
  for (const { error } of problems.slice(0, PROBLEMS_TOLD)) {
    terminal.warn(error.hint === undefined ? error.message : `${error.message}\n${error.hint}`);
  }
  const more = total - Math.min(problems.length, PROBLEMS_TOLD);
  if (more > 0) terminal.warn(`and ${plural(more, 'file')} more could not be read`);
}

function closingLine({ files, records, redacted }: IngestResult): string {
  const notes = [
    ...(files.known > 0 ? [`${formatCount(files.known)} known`] : []),
    ...(files.copies > 0 ? [`${formatCount(files.copies)} copies`] : []),
    ...(files.digests > 0 ? [`${formatCount(files.digests)} digests`] : []),
    ...(files.insights > 0 ? [`${formatCount(files.insights)} Insights`] : []),
    ...(files.damaged > 0 ? [`${formatCount(files.damaged)} damaged`] : []),
    ...(files.failed > 0 ? [`${formatCount(files.failed)} not readable`] : []),
  ];
  const sums = [
    `${plural(files.listed, 'file')}${notes.length > 0 ? ` (${notes.join(', ')})` : ''}`,
    plural(records.in - records.rejected, 'event'),
    ...(records.duplicate > 0 ? [plural(records.duplicate, 'duplicate')] : []),
    ...(records.id_conflicts > 0 ? [plural(records.id_conflicts, 'id conflict')] : []),
    ...(redacted > 0 ? [`${plural(redacted, 'value')} redacted`] : []),
    ...(records.without_time > 0 ? [`${formatCount(records.without_time)} without a time`] : []),
    plural(records.rejected, 'reject'),
  ];
  return `${sums.join(', ')}${records.rejected > 0 ? ': see trailhound status --rejects' : ''}`;
}

/** Prints what `--dry-run` found. */
async function printForecast(forecast: IngestForecast, { output, terminal }: Run<unknown>): Promise<ExitStatus> {
  const { problems, ...numbers } = forecast;
  tellProblems(problems, problems.length, terminal);
  if (output === 'json' || output === 'jsonl') {
    await terminal.out(`${json(numbers, output === 'json' ? 2 : undefined)}\n`);
  } else {
    const rows = [
      ['files', formatCount(forecast.files)],
      ['already in the store', formatCount(forecast.known)],
      ['compressed size', formatBytes(forecast.compressedBytes)],
      ['events, about', formatCount(forecast.estimatedEvents)],
      ['time, about', formatSpan(forecast.estimatedSeconds)],
      ['disk, about', formatBytes(forecast.estimatedStoreBytes)],
      ...requestRows(forecast),
    ];
    const columns = ['what', 'value'].map((name) => ({ name, type: 'VARCHAR' }));
    await printRows(output, columns, rows, terminal);
  }
  return problems.length > 0 ? 3 : 0;
}

function requestRows({ requests, sampleFiles, sampleBytes }: IngestForecast): readonly [string, string][] {
  if (requests === null) return [];
  return [
    ['read for this forecast', `${plural(sampleFiles, 'object')}, ${formatBytes(sampleBytes)}`],
    ['LIST requests', formatCount(requests.listRequests)],
    ['HEAD requests', formatCount(requests.headRequests)],
    ['GET requests', formatCount(requests.getRequests)],
    ['price of the requests, about', `$${requests.dollars.toFixed(4)}`],
    ['folders left out', formatCount(requests.foldersPruned)],
    ['objects left out', formatCount(requests.keysPruned)],
  ];
}

/** Prints the sums of a run for a program. */
export async function printIngest(result: IngestResult, { output, terminal }: Run<unknown>): Promise<void> {
  const { problems, ...sums } = result;
  const named = problems.map(({ key, error }) => ({ key, error: error.message }));
  await terminal.out(`${json({ ...sums, problems: named }, output === 'json' ? 2 : undefined)}\n`);
}
