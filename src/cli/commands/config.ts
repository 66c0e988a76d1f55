/** `trailhound config`: whether the config can be used, what it comes to, and a new one. */
import { Command } from 'commander';
import { stringify } from 'yaml';
import { AppError } from '../../errors.ts';
import { json } from '../../printable.ts';
import { type ExitStatus, finish, group, type Host, type Run } from '../command.ts';
import { CONFIG_FILE } from '../config.ts';
import { configEnrichment, configOverrides } from '../enrichment.ts';
import { configLists } from '../lists.ts';
import { plural } from '../output/text.ts';
import { redactionsOf } from '../redactions.ts';
import { tellRules } from '../rules.ts';
import { configSuppressions } from '../suppressions.ts';
import { checkedSetup } from '../watch.ts';
import { addNewConfigOptions, type NewConfigOptions, writePlainConfig } from './init.ts';

export function configCommand(host: Host): Command {
  const check = new Command('check').description(
    'read the config, its lists, detectors, hunts, destinations and secrets as a run would, and tell what is wrong',
  );
  const show = new Command('show').description('the config with every default filled in; secrets are named, not shown');
  const init = addNewConfigOptions(
    new Command('init')
      .description('write a small config with comments; `trailhound init` writes one for what AWS has')
      .argument('[source...]', 'what it is to read (default: ./logs)'),
  );
  return group(
    new Command('config')
      .description('check, show and begin a config')
      .addCommand(
        finish(check, host, ['trailhound config check', 'trailhound config check --config prod.yaml'], checkConfig),
      )
      .addCommand(finish(show, host, ['trailhound config show', 'trailhound config show --output json'], showConfig))
      .addCommand(
        finish<NewConfigOptions>(
          init,
          host,
          ['trailhound config init', 'trailhound config init s3://example-logs/AWSLogs/ --dir ./prod'],
          (run, ...sources) => writePlainConfig(run, sources),
        ),
      ),
    ['trailhound config check', 'trailhound config show'],
  );
}

function withFile(run: Run<object>): string {
  if (run.config.file !== null) return run.config.file;
  throw new AppError('config-invalid', `there is no ${CONFIG_FILE} in this folder`, {
    hint: 'Name one with --config; docs/examples/trailhound.yaml shows every key.',
  });
}

async function checkConfig(run: Run<object>): Promise<ExitStatus> {
  const file = withFile(run);
  const lists = configLists(run.config);
  const enrichment = await configEnrichment(run.config);
  const overrides = await configOverrides(run, enrichment);
  await redactionsOf(run);
  const suppressions = await configSuppressions(run);
  const { hunts, sinks } = await checkedSetup(run);
  tellRules((await (await import('../detectors.ts')).loadDetectors(run.config)).rules, run.terminal);
  run.terminal.info(
    `${file} is fine: ${[
      plural(run.config.sources.length, 'source'),
      plural(hunts.length, 'hunt'),
      plural(sinks.length, 'destination'),
      plural(suppressions.length, 'suppression'),
      plural(lists.size, 'list'),
      ...(overrides.length > 0 ? [plural(overrides.length, 'override')] : []),
      ...(enrichment.accounts.size > 0 ? [plural(enrichment.accounts.size, 'account')] : []),
    ].join(', ')}`,
  );
  if (run.config.backend === 'athena' && run.config.sources.length > 0)
    run.terminal.warn('`trailhound watch` refuses sources beside backend: athena: over the bucket it ingests nothing');
  return 0;
}

async function showConfig(run: Run<object>): Promise<ExitStatus> {
  withFile(run);
  const { file: _file, dir: _dir, placeOf: _placeOf, ...values } = run.config;
  if (run.output === 'json' || run.output === 'jsonl')
    await run.terminal.out(`${json(values, run.output === 'json' ? 2 : undefined)}\n`);
  else if (run.output === 'table') await run.terminal.out(stringify(values));
  else throw new AppError('usage-invalid', `cannot print a config as ${run.output}: expected table, json or jsonl`);
  return 0;
}
