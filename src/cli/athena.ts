/** What the commands that read Amazon Athena share: where statements run, what they may scan, and what they cost. */
import { type Command, Option } from 'commander';
import { AppError } from '../errors.ts';
import { formatBytes, parseBytes } from '../size.ts';
import { durationMs, type Window } from '../time.ts';
import { type AwsCommandOptions, addAwsOptions, awsOf } from './aws.ts';
import { type Run, windowOf } from './command.ts';
import { formatCount, plural } from './output/text.ts';
import type { Terminal } from './terminal.ts';
import type { AthenaSettings, Spent } from './wire.ts';

export interface AthenaCommandOptions extends AwsCommandOptions {
  readonly database?: string;
  readonly catalog?: string;
  readonly workgroup?: string;
  readonly outputLocation?: string;
  readonly maxScan?: string;
}

export interface BackendCommandOptions extends AthenaCommandOptions {
  readonly backend?: 'duckdb' | 'athena';
  readonly from?: string;
  readonly to?: string;
  readonly dryRun?: boolean;
}

export function addAthenaOptions(command: Command): Command {
  command
    .option('--database <name>', 'of Athena: database of the tables and views (default: trailhound)')
    .option('--catalog <name>', 'of Athena: data catalog (default: AwsDataCatalog)')
    .option('--workgroup <name>', 'of Athena: workgroup that statements run in (default: primary)')
    .option('--output-location <url>', 'of Athena: where results go, s3://bucket/prefix/, unless the workgroup says it')
    .option('--max-scan <size>', 'of Athena: bytes that the run may scan at most, for example 50GB');
  return addAwsOptions(command);
}

/** For commands that run on either engine. */
export function addBackendOptions(command: Command): Command {
  command
    .addOption(
      new Option('--backend <engine>', 'where statements run (default: backend in the config, else duckdb)').choices([
        'duckdb',
        'athena',
      ]),
    )
    .option('--dry-run', 'with --backend athena: tell what would be read and what it would cost, and run nothing');
  return addAthenaOptions(command);
}

export const isAthena = ({ options, config }: Pick<Run<BackendCommandOptions>, 'options' | 'config'>): boolean =>
  (options.backend ?? config.backend) === 'athena';

/** Names of this form need no quotes anywhere. */
const NAME = /^[a-z0-9_]{1,128}$/u;
const LOCATION = /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:\/[^'"\\]*)?$/u;

/** Throws `usage-invalid`. */
export function athenaSettings(run: Pick<Run<AthenaCommandOptions>, 'options' | 'config'>): AthenaSettings {
  const { options, config } = run;
  const { athena } = config;
  const database = options.database ?? athena.database ?? 'trailhound';
  if (!NAME.test(database))
    throw new AppError(
      'usage-invalid',
      `cannot use the database '${database}': expected lower-case letters, digits and _`,
    );
  const outputLocation = options.outputLocation ?? athena.output_location ?? null;
  if (outputLocation !== null && !LOCATION.test(outputLocation))
    throw new AppError(
      'usage-invalid',
      `cannot use --output-location '${outputLocation}': expected s3://bucket/prefix/`,
    );
  const maxScan = options.maxScan ?? athena.max_scan;
  return {
    aws: awsOf(run),
    place: {
      database,
      catalog: options.catalog ?? athena.catalog ?? 'AwsDataCatalog',
      workgroup: options.workgroup ?? athena.workgroup ?? 'primary',
      outputLocation,
    },
    maxScanBytes: maxScan === undefined ? null : parseBytes(maxScan, '--max-scan'),
    latenessMs: athena.lateness === undefined ? null : durationMs(athena.lateness),
  };
}

/** Both ends of the window. Athena bills for what it reads, so none is guessed. Throws `usage-invalid`. */
export function athenaWindow({
  options,
  nowMs,
}: Pick<Run<{ readonly from?: string; readonly to?: string }>, 'options' | 'nowMs'>): Window {
  const { fromMs, toMs } = windowOf(options, nowMs);
  if (fromMs !== undefined && toMs !== undefined) return { fromMs, toMs };
  throw new AppError(
    'usage-invalid',
    `--backend athena needs ${fromMs === undefined ? '--from' : '--to'}: Athena bills for what it reads`,
    {
      hint: 'For example --from 2026-01-01 --to 2026-01-02, or --from 1d --to now.',
    },
  );
}

export function tellSpent({ statements, reused, scannedBytes, dollars }: Spent, terminal: Terminal): void {
  const notes = reused === 0 ? '' : ` (${formatCount(reused)} answered from an earlier result)`;
  terminal.info(
    `Athena: ${plural(statements, 'statement')}${notes}, ${formatBytes(scannedBytes)} scanned, about ${formatDollars(dollars)}`,
  );
}

export const formatDollars = (dollars: number): string => `$${dollars.toFixed(dollars < 1 ? 4 : 2)}`;
