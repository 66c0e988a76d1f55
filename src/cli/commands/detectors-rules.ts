/** `trailhound detectors rules`: what becomes of each Sigma rule in a file or folder, without a hunt. */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { AppError } from '../../errors.ts';
import { type ExitStatus, finish, type Host, type Run } from '../command.ts';
import { configLists } from '../lists.ts';
import { printRows } from '../output/rows.ts';
import { placeOf, rulesStatus, tellRuleCounts } from '../rules.ts';

interface Options {
  readonly strict?: boolean;
}

export function detectorRulesCommand(host: Host): Command {
  return finish<Options>(
    new Command('rules')
      .description(
        'what becomes of each Sigma rule: the detector that it is, or why it cannot be used and where that stands',
      )
      .argument('[path...]', 'files or folders (default: those of the config)')
      .option('--strict', 'end with status 3 when a rule cannot be used'),
    host,
    [
      'trailhound detectors rules ./sigma/rules/cloud/aws',
      'trailhound detectors rules my-rule.yml --strict --output json',
    ],
    printRules,
  );
}

const COLUMNS = ['status', 'place', 'title', 'detector', 'reason', 'warnings', 'rule'].map((name) => ({
  name,
  type: 'VARCHAR',
}));

async function printRules(
  { config, options, output, terminal }: Run<Options>,
  ...paths: string[]
): Promise<ExitStatus> {
  const asked =
    paths.length > 0 ? paths.map((path) => resolve(path)) : config.rules.map((path) => resolve(config.dir, path));
  if (asked.length === 0)
    throw new AppError('usage-invalid', 'no rules are named', {
      hint: 'Give a file or folder, or rules: in the config.',
    });
  const { loadSigmaRules } = await import('../wire.ts');
  const { reports } = await loadSigmaRules(asked, {
    placeholders: config.placeholders,
    lists: configLists(config),
    portable: config.backend === 'athena',
  });
  // On a screen, what is of other logs would bury the rest.
  const shown = output === 'table' ? reports.filter(({ status }) => status !== 'foreign') : reports;
  await printRows(
    output,
    COLUMNS,
    shown.map((report) => [
      report.status,
      placeOf(report),
      report.title,
      report.detector,
      report.reason,
      report.warnings.join('; ') || null,
      report.id,
    ]),
    terminal,
  );
  tellRuleCounts(reports, terminal);
  return rulesStatus(reports, options.strict === true);
}
