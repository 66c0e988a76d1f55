/** Rules as texts, loaded the way the command line does it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../../src/detection/compile.ts';
import { conditionSql, parseCondition, valueSql } from '../../src/detection/condition.ts';
import type { Condition, Detector } from '../../src/detector.ts';
import { cloudtrailInsightTable } from '../../src/formats/cloudtrail-insight-table.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { s3AccessTable } from '../../src/formats/s3-access-table.ts';
import { wafTable } from '../../src/formats/waf-table.ts';
import { type LoadedRules, type LoadOptions, loadRules } from '../../src/sigma/load.ts';
import type { Table } from '../../src/table.ts';

const TABLES = [cloudtrailTable, s3AccessTable, wafTable, cloudtrailInsightTable];
const LISTS = { bad: ['192.0.2.7', '10.0.0.0/8'] };
const contextOf = (table: Table) => ({ detector: 'sigma', table, parameters: {}, lists: LISTS });

const OPTIONS: LoadOptions = {
  tables: TABLES,
  placeholders: { people: ['ann', 'b*'], nets: ['10.0.0.0/8'] },
  lists: Object.keys(LISTS),
  portable: false,
  words: {
    condition: (condition, table) => conditionSql(parseCondition(condition, contextOf(table))),
    value: (key, table) => valueSql(key, contextOf(table)),
  },
  check: (detector) => {
    const table = TABLES.find(({ name }) => name === detector.table);
    if (table !== undefined) compile({ detector, parameters: {}, window: { fromMs: 0, toMs: 1 } }, table, LISTS);
  },
};

/** Of files in one folder, by name. The folder's name is left out of places. */
export function load(files: Readonly<Record<string, string>>, options: Partial<LoadOptions> = {}): LoadedRules {
  const dir = mkdtempSync(join(tmpdir(), 'trailhound-rules-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
    const { rules, reports } = loadRules([dir], { ...OPTIONS, ...options });
    const short = (text: string): string => text.replaceAll(`${dir}/`, '');
    return {
      rules: rules.map((rule) => ({ ...rule, origin: short(rule.origin) })),
      reports: reports.map((report) => ({
        ...report,
        file: short(report.file),
        reason: report.reason === null ? null : short(report.reason),
      })),
    };
  } finally {
    rmSync(dir, { recursive: true });
  }
}

const HEAD = 'title: Test\nid: test\nlogsource:\n  product: aws\n  service: cloudtrail\n';

/** A rule around the lines of a detection. */
export const ruleOf = (detection: string, more = ''): string =>
  `${HEAD}${more}detection:\n${detection.replaceAll(/^/gmu, '  ')}\n`;

/** The only detector of a text; throws what keeps it from being one. */
export function detectorOf(text: string, options: Partial<LoadOptions> = {}): Detector {
  const { rules, reports } = load({ 'rule.yml': text }, options);
  const [rule] = rules;
  if (rule === undefined || rules.length > 1)
    throw new Error(reports.map(({ line, column, reason }) => `${line}:${column}: ${reason}`).join('\n'));
  return rule.detector;
}

export const conditionOf = (detection: string): Condition => detectorOf(ruleOf(detection)).when ?? { any: [] };

/** Why a rule is refused, with its place. */
export function refusal(text: string, options: Partial<LoadOptions> = {}): string {
  const refused = load({ 'rule.yml': text }, options).reports.filter(({ status }) => status === 'refused');
  return refused.map(({ line, column, reason }) => `${line}:${column}: ${reason}`).join('\n');
}
