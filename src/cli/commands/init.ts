/** `trailhound init`: from an AWS account to a config, the policy that it takes, and what cannot be seen there. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import { SEVERITIES } from '../../alert.ts';
import { AppError } from '../../errors.ts';
import { json } from '../../printable.ts';
import { type AwsCommandOptions, addAwsOptions, awsOf } from '../aws.ts';
import { type ExitStatus, finish, type Host, type Run } from '../command.ts';
import { CONFIG_FILE, systemReason } from '../config.ts';
import { plainConfig, readerPolicy, surveyConfig, trailText } from '../init.ts';
import { printRows } from '../output/rows.ts';
import { plural } from '../output/text.ts';

const POLICY_FILE = 'trailhound-policy.json';
/** What a config without an account begins with. */
const EXAMPLE_SOURCE = './logs';

export interface NewConfigOptions {
  readonly dir: string;
  readonly force?: boolean;
}

interface Options extends NewConfigOptions, AwsCommandOptions {
  readonly offline?: boolean;
  readonly wafRegion?: readonly string[];
}

/** Of every command that writes a config. */
export function addNewConfigOptions(command: Command): Command {
  return command.option('--dir <folder>', 'where to write', '.').option('--force', 'also over files that are there');
}

export function initCommand(host: Host): Command {
  const command = addNewConfigOptions(
    new Command('init').description(
      'ask AWS what the account logs and where, and write a config, the policy that reading it takes, and a list of the detectors that cannot fire there',
    ),
  )
    .option('--offline', 'ask nobody: a small config to start from')
    .option('--waf-region <name...>', 'regions in which web ACLs are looked for (default: that of the client)');
  return finish<Options>(
    addAwsOptions(command),
    host,
    ['trailhound init', 'trailhound init --dir ./prod --aws-profile audit', 'trailhound init --offline'],
    init,
  );
}

async function init(run: Run<Options>): Promise<ExitStatus> {
  if (run.options.offline === true) return writePlainConfig(run, []);
  const { options, terminal, output } = run;
  const [config, policy] = newFiles(options, [CONFIG_FILE, POLICY_FILE]);
  const aws = awsOf(run);
  const { silentDetectors, surveyAccount } = await import('../wire.ts');
  const found = await surveyAccount({ aws, wafRegions: options.wafRegion ?? null }).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'aws-credentials') throw error;
    throw new AppError(error.code, error.message, {
      hint: `${error.hint ?? ''} \`trailhound init --offline\` asks nobody.`,
      cause: error,
    });
  });
  const { loadDetectors } = await import('../detectors.ts');
  const recorded = {
    tables: found.places.flatMap(({ tables }) => tables),
    trails: found.trails,
    uncertain: found.uncertain,
  };
  const { entries } = await loadDetectors(run.config);
  const silent = await silentDetectors(
    entries.map(({ detector }) => detector),
    recorded,
  );
  const counts = new Map<string, number>();
  for (const { reason } of silent) counts.set(reason, (counts.get(reason) ?? 0) + 1);

  await writeChecked(config, surveyConfig(found, aws, counts));
  // A policy without resources is none.
  const isReadable = found.places.length > 0;
  if (isReadable) write(policy, `${json(readerPolicy(found), 2)}\n`);

  for (const trail of found.trails) terminal.info(trailText(trail));
  for (const remark of found.remarks) terminal.warn(remark);
  for (const refusal of found.refused) terminal.warn(refusal);
  const rows = silent
    .toSorted(
      (a, b) =>
        SEVERITIES.indexOf(b.detector.severity) - SEVERITIES.indexOf(a.detector.severity) ||
        (a.reason < b.reason ? -1 : 1),
    )
    .map(({ detector, reason }) => [detector.id, detector.severity, reason]);
  const columns = ['detector', 'severity', 'cannot_fire_because'].map((name) => ({ name, type: 'VARCHAR' }));
  if (rows.length > 0) await printRows(output, columns, rows, terminal);
  terminal.info(`${silent.length} of ${plural(entries.length, 'detector')} cannot fire there`);
  const sources = found.places.filter(({ isFilled }) => isFilled !== false).length;
  if (sources === 0) terminal.warn('no logs were found in any bucket: the config has no source yet');
  tellWritten(run, `${config} with ${plural(sources, 'source')}${isReadable ? `, and ${policy}` : ''}`, config);
  return found.refused.length > 0 ? 3 : 0;
}

/** A config that nobody was asked for. */
export async function writePlainConfig(run: Run<NewConfigOptions>, sources: readonly string[]): Promise<ExitStatus> {
  const [config] = newFiles(run.options, [CONFIG_FILE]);
  await writeChecked(config, plainConfig(sources.length === 0 ? [EXAMPLE_SOURCE] : sources));
  tellWritten(run, config, config);
  return 0;
}

function tellWritten({ terminal }: Pick<Run<unknown>, 'terminal'>, what: string, config: string): void {
  terminal.info(`wrote ${what}\nNext: look through it, then \`trailhound config check --config ${config}\`.`);
}

/** Their paths. Before anything is asked, so that nothing is asked in vain. */
function newFiles<const Names extends readonly string[]>(
  { dir, force }: NewConfigOptions,
  names: Names,
): { readonly [Index in keyof Names]: string } {
  const paths = names.map((name) => join(resolve(dir), name));
  const there = force === true ? [] : paths.filter((path) => existsSync(path));
  if (there.length > 0) {
    throw new AppError('usage-invalid', `cannot write ${there.join(' and ')}: it is there already`, {
      hint: 'Name another folder with --dir, or write over it with --force.',
    });
  }
  return paths as unknown as { readonly [Index in keyof Names]: string };
}

/** What cannot be read again is a bug, and is not written. */
async function writeChecked(path: string, text: string): Promise<void> {
  const { parseConfig } = await import('../config-file.ts');
  parseConfig(text, path);
  write(path, text);
}

function write(path: string, text: string): void {
  try {
    mkdirSync(resolve(path, '..'), { recursive: true });
    writeFileSync(path, text);
  } catch (cause) {
    throw new AppError('output-unwritable', `cannot write ${path}: ${systemReason(cause)}`, { cause });
  }
}
