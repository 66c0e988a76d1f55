/**
 * Writes docs/known-attacks.md: which detector finds each technique of recorded attacks and each example of published rules, or why none does.
 * `npm run build && node --import tsx scripts/known-attacks.ts <folder>`: the folder holds invictus-aws/, stratus-detonation/, panther-cases.dev.jsonl and the folders of samples, which are not ours to ship.
 * Ends with 1 where something is missed, or an opinion differs, without an argument in known-attacks/opinions.yaml.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Alert } from '../src/alert.ts';
import { readConfig } from '../src/cli/config.ts';
import { loadDetectors } from '../src/cli/detectors.ts';
import { code, list, table } from './docs/markdown.ts';
import { caseAt, isOurs, type RuleCase, writeCase } from './known-attacks/cases.ts';
import { readOpinions, recordsOf } from './known-attacks/opinions.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const CLI = here('../dist/src/cli/main.js');
const PAGE = here('../docs/known-attacks.md');

/** Where an attack has to stand by rank. */
const FIRST_PAGE = 10;

const [folder] = process.argv.slice(2);
if (folder === undefined || !existsSync(CLI)) {
  console.error('npm run build && node --import tsx scripts/known-attacks.ts <folder of the data>');
  process.exit(2);
}
const opinions = readOpinions();
const work = mkdtempSync(join(tmpdir(), 'trailhound-known-'));
const known = new Set((await loadDetectors(await readConfig(undefined))).entries.map(({ detector }) => detector.id));
const mistakes: string[] = [];

function trailhound(store: string, ...args: string[]): Alert[] {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    [CLI, ...args, '--store', join(work, 'stores', store), '--output', 'jsonl', '--quiet'],
    { encoding: 'utf8', maxBuffer: 2 ** 30 },
  );
  // 3: something in the folder is no log file.
  if (status !== 0 && status !== 3) throw new Error(`trailhound ${args.join(' ')} ended with ${status}: ${stderr}`);
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Alert);
}

/** The alerts of these log files, by rank. */
function ranked(store: string, ...paths: string[]): Alert[] {
  for (const path of paths) trailhound(store, 'scan', path);
  return trailhound(store, 'alerts', 'list', '--sort', 'rank', '--limit', '0');
}

interface RawRecord {
  readonly eventID: string;
  readonly eventName: string;
  readonly eventTime: string;
  readonly userIdentity?: { readonly arn?: string };
}

const ids = (alerts: readonly Alert[]): string =>
  [...new Set(alerts.map(({ detector }) => detector))].toSorted().map(code).join(', ');
const isAct = ({ detector }: Alert): boolean => !opinions.toolDetectors.includes(detector);
const placeOf = (alerts: readonly Alert[], own: readonly Alert[]): string =>
  own.length === 0 ? '' : `${1 + alerts.findIndex((alert) => own.includes(alert))} of ${alerts.length}`;

/** A technique without an alert needs an argument, and one with an alert must have none. */
function judged(technique: string, own: readonly Alert[], missed: string | undefined): string {
  if (own.length === 0 && missed === undefined) mistakes.push(`${technique}: no detector fires, and nobody says why`);
  if (own.length > 0 && missed !== undefined)
    mistakes.push(`${technique}: a detector fires, so its \`missed\` is out of date`);
  return own.length > 0 ? ids(own) : `none: ${missed ?? '?'}`;
}

function campaignTable(): string {
  const dir = join(folder as string, 'invictus-aws', 'CloudTrail');
  const records = readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => (JSON.parse(readFileSync(join(dir, name), 'utf8')) as { Records: RawRecord[] }).Records);
  const alerts = ranked('campaign', dir);
  return table(
    ['technique', 'detectors', 'place of the first', 'remark'],
    opinions.campaign.map((entry) => {
      const { technique, missed, note = '' } = entry;
      const own = new Set(recordsOf(entry, records).map(({ eventID }) => eventID));
      if (own.size === 0 && missed === undefined) mistakes.push(`${technique}: the campaign holds no such events`);
      const told = alerts.filter((alert) => isAct(alert) && alert.event_ids.some((id) => own.has(id)));
      return [code(technique), judged(technique, told, missed), placeOf(alerts, told), note];
    }),
  );
}

function techniqueTable(): string {
  const dir = join(folder as string, 'stratus-detonation');
  const files = readdirSync(dir)
    .filter((name) => name.endsWith('.json'))
    .toSorted();
  return table(
    ['technique', 'detectors', 'place of the first'],
    files.map((name) => {
      const technique = basename(name, '.json');
      const alerts = ranked(technique, join(dir, name));
      const told = alerts.filter(isAct);
      if (told.length > 0 && !alerts.slice(0, FIRST_PAGE).some(isAct))
        mistakes.push(`${technique}: not among the first ${FIRST_PAGE} alerts by rank`);
      return [code(technique), judged(technique, told, opinions.techniques[technique]?.missed), placeOf(alerts, told)];
    }),
  );
}

function ordinaryTable(): string {
  const rows = Object.entries(opinions.ordinary).flatMap(([name, reasons]) => {
    const alerts = ranked(`ordinary-${name}`, join(folder as string, name));
    for (const id of Object.keys(reasons))
      if (!alerts.some(({ detector }) => detector === id)) mistakes.push(`${name}: ${id} says nothing any more`);
    if (alerts.length === 0) return [[code(name), '', 'none', '']];
    return alerts.map(({ severity, detector }) => {
      const reason = reasons[detector];
      if (reason === undefined) mistakes.push(`${name}: ${detector} fires, and nobody says why that is right`);
      return [code(name), severity, code(detector), reason ?? '?'];
    });
  });
  return table(['samples', 'severity', 'alert', 'why it is right'], rows);
}

interface JudgedCase extends RuleCase {
  /** What fires at it. */
  readonly alerts: readonly Alert[];
}

function judgedCases(cases: readonly RuleCase[]): readonly JudgedCase[] {
  const dir = join(work, 'cases');
  const ours = cases.filter(isOurs);
  for (const [number, one] of ours.entries()) {
    const { repeat: times = 1, vary } = opinions.rules[one.rule_id] ?? {};
    writeCase(dir, one, number, { times, ...(vary !== undefined && { vary }) });
  }
  const alerts = trailhound('cases', 'scan', dir);
  return ours.map((one, number) => ({
    ...one,
    alerts: alerts.filter(({ first_seen }) => caseAt(first_seen) === number),
  }));
}

function ruleTables(): string[] {
  const all = readFileSync(join(folder as string, 'panther-cases.dev.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as RuleCase);
  const judgedAll = judgedCases(all);
  const rows: string[][] = [];
  const differences: string[] = [];
  for (const id of [...new Set(all.map(({ rule_id }) => rule_id))].toSorted()) {
    const cases = all.filter(({ rule_id }) => rule_id === id);
    const own = judgedAll.filter(({ rule_id }) => rule_id === id);
    const opinion = opinions.rules[id] ?? {};
    const [{ severity, log_type } = { severity: '', log_type: '' }] = cases;
    const equivalents = opinion.detectors;
    if (own.length === 0) {
      rows.push([code(id), severity, `${cases.length}`, `none: ${log_type} is no table of ours`, '']);
      continue;
    }
    if (equivalents === undefined && opinion.none === undefined)
      mistakes.push(`${id}: neither detectors nor a reason for none`);
    const agreed = own.filter(({ test_name, expected, alerts }) => {
      if (equivalents === undefined) return true;
      const fires = alerts.some(({ detector }) => equivalents.includes(detector));
      const why = opinion.differs?.[test_name];
      if (fires === expected && why !== undefined) mistakes.push(`${id}, ${test_name}: no difference any more`);
      if (fires === expected) return true;
      if (why === undefined)
        mistakes.push(
          `${id}, ${test_name}: expected ${expected ? 'an alert' : 'silence'}, and fired: ${ids(alerts) || 'nothing'}`,
        );
      differences.push(
        `${code(id)}, “${test_name}”: that rule ${expected ? 'alerts' : 'is silent'}, ours ${fires ? 'alert' : 'are silent'}. ${why ?? '?'}`,
      );
      return false;
    });
    for (const name of Object.keys(opinion.differs ?? {}))
      if (!own.some(({ test_name }) => test_name === name)) mistakes.push(`${id}: no case is called ‘${name}’`);
    rows.push([
      code(id),
      severity,
      `${own.length}${opinion.repeat === undefined ? '' : `, each ${opinion.repeat} times`}`,
      equivalents === undefined ? `none: ${opinion.none ?? '?'}` : equivalents.map(code).join(', '),
      equivalents === undefined ? '' : `${agreed.length} of ${own.length}`,
    ]);
  }
  return [
    table(['rule', 'its severity', 'cases', 'ours', 'agree'], rows),
    `### Where opinions differ\n\n${list(differences)}`,
  ];
}

for (const id of [
  ...opinions.toolDetectors,
  ...Object.values(opinions.rules).flatMap(({ detectors = [] }) => detectors),
])
  if (!known.has(id)) mistakes.push(`no detector is called ${id}`);
try {
  const campaign = campaignTable();
  const techniques = techniqueTable();
  const [rules = '', differences = ''] = ruleTables();
  const ordinary = ordinaryTable();
  writeFileSync(
    PAGE,
    `<!-- Generated by \`node --import tsx scripts/known-attacks.ts\`: change scripts/known-attacks/opinions.yaml, not this file. -->
# Known attacks

What the catalogue makes of attacks that others recorded, and of the examples with which others test their rules. The data is public and not part of this repository: [invictus-ir/aws_dataset](https://github.com/invictus-ir/aws_dataset), the recordings of [Stratus Red Team](https://github.com/DataDog/stratus-red-team), and the tests of [panther-analysis](https://github.com/panther-labs/panther-analysis). Detectors that know the tool by its user agent (${opinions.toolDetectors.map(code).join(', ')}) are left out: an attacker changes that first. The place is that of the best alert by [rank](alerts.md#rank), among all alerts of the archive.

## A recorded campaign

One user runs Stratus Red Team and cleans up, 2,900 records of an hour; an archive of nothing but attack, so that places tell only which technique weighs more.

${campaign}

## Techniques one by one

${techniques}

## Published rules

The events of these cases are partial: who called, when and where from is filled in where they do not say. Each stands on a day and in an account of its own, under the whole catalogue. Where a rule counts, the event happens as often as the table says, and differs each time in what is counted.

${rules}

${differences}

## Ordinary samples

Logs of accounts and test suites in which nobody attacks anything, each alert with the reason why it is right. What a month of ordinary days raises stands in [benchmarks](benchmarks.md).

${ordinary}
`,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}
for (const mistake of mistakes) console.error(mistake);
console.error(mistakes.length === 0 ? 'all is found or argued for' : `${mistakes.length} without an argument`);
process.exitCode = mistakes.length === 0 ? 0 : 1;
