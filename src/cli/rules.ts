/** Sigma rules on the command line: where they are taken from, and what is told of those that cannot be used. */
import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { collect, type ExitStatus } from './command.ts';
import type { Config } from './config.ts';
import { plural } from './output/text.ts';
import type { Terminal } from './terminal.ts';
import type { RuleReport } from './wire.ts';

export interface RulesOptions {
  readonly rules?: readonly string[];
}

export function addRulesOption(command: Command): Command {
  return command.option(
    '--rules <path>',
    'Sigma rules besides those of the config: a file or folder, repeatable',
    collect,
  );
}

/** The config with the rules that were named besides. */
export function withRules<R extends { readonly config: Config; readonly options: RulesOptions }>(run: R): R {
  const { rules = [] } = run.options;
  if (rules.length === 0) return run;
  return { ...run, config: { ...run.config, rules: [...run.config.rules, ...rules.map((path) => resolve(path))] } };
}

/** `file:line:column`, the file as one finds it from here. */
export const placeOf = ({ file, line, column }: RuleReport): string =>
  `${relative(process.cwd(), file)}:${line}:${column}`;

/** How many rules there are, and each one that cannot be used, with its place and the reason. */
export function tellRules(reports: readonly RuleReport[], terminal: Terminal): void {
  for (const report of reports) {
    if (report.status === 'refused')
      terminal.warn(`${placeOf(report)}: ${report.title === null ? '' : `'${report.title}': `}${report.reason ?? ''}`);
    for (const warning of report.warnings) terminal.warn(`${relative(process.cwd(), report.file)}:${warning}`);
  }
  tellRuleCounts(reports, terminal);
}

export function tellRuleCounts(reports: readonly RuleReport[], terminal: Terminal): void {
  if (reports.length === 0) return;
  const count = (status: RuleReport['status']): number => reports.filter((report) => report.status === status).length;
  const others = [
    ...(count('part') > 0 ? [`${plural(count('part'), 'part')} of correlations and filters`] : []),
    ...(count('foreign') > 0 ? [`${plural(count('foreign'), 'rule')} of other logs`] : []),
  ];
  terminal.info([`${plural(count('loaded'), 'rule')} loaded, ${count('refused')} not`, ...others].join('; '));
}

/** Rules that cannot be used leave a hunt incomplete. */
export const rulesStatus = (reports: readonly RuleReport[], isStrict: boolean): Extract<ExitStatus, 0 | 3> =>
  isStrict && reports.some(({ status }) => status === 'refused') ? 3 : 0;
