/**
 * What becomes of a folder of Sigma rules: which compile, which fire on an event that is made for each of them and goes through a whole scan, and which can never fire.
 * `--operations <file>`: JSON of the calls that the SDK of each service has, by event source; a rule that asks for those of another waits for what nobody can do.
 * Run `npm run build` first: `node --import tsx scripts/sigma-report.ts <path…> [--operations <file>] [--placeholder <name=value>]`. The table goes to stdout.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadSigmaRules, TABLES } from '../src/cli/wire.ts';
import type { Condition, Detector } from '../src/detector.ts';
import type { RuleReport } from '../src/sigma/load.ts';
import { witness } from './support/sigma-witness.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { operations: { type: 'string' }, placeholder: { type: 'string', multiple: true } },
});
if (positionals.length === 0) {
  console.error(
    'usage: node --import tsx scripts/sigma-report.ts <file or folder of rules…> [--operations <file>] [--placeholder <name=value>]',
  );
  process.exit(2);
}
const MAIN = resolve('dist/src/cli/main.js');
const START_MS = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

type Operations = Readonly<Record<string, readonly string[]>>;
const operations: Operations | null =
  values.operations === undefined ? null : (JSON.parse(readFileSync(values.operations, 'utf8')) as Operations);

const placeholders: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  (values.placeholder ?? []).map((text) => {
    const [name = '', ...value] = text.split('=');
    return [name, [value.join('=')]];
  }),
);
const paths = positionals.map((path) => resolve(path));
const { rules, reports } = await loadSigmaRules(paths, { placeholders, lists: new Map(), portable: false });

interface Row {
  readonly report: RuleReport;
  readonly detector: Detector | null;
  readonly record: Readonly<Record<string, unknown>> | null;
}
const rows = reports
  .filter(({ status }) => status !== 'foreign')
  .map((report): Row => {
    const detector = rules.find((rule) => rule.detector.id === report.detector)?.detector ?? null;
    const table = TABLES.find(({ name }) => name === detector?.table);
    const condition = detector?.when;
    const record = table?.name !== 'cloudtrail' || condition === undefined ? null : witness(condition, table);
    return { report, detector, record };
  });

const fired = scan(rows);
const dead = (row: Row): string | null =>
  row.detector?.when === undefined ? null : whyNever(row.detector.when, row.detector.table, row.report);
const told = rows.map((row, at) => ({ ...row, fires: fired.has(at), never: dead(row) }));
const count = (test: (row: (typeof told)[number]) => boolean): number => told.filter(test).length;

console.log(
  `Commit ${commitOf(paths[0] ?? '.')}, ${new Date().toISOString().slice(0, 10)}: ${rows.length} rules, ${count(({ detector }) => detector !== null)} compile, ${count(({ fires }) => fires)} fire on the event made for them, ${count(({ never }) => never?.startsWith('never') === true)} can never fire.\n`,
);
console.log('| rule | compiles | fires | can it fire in real logs? |\n| --- | --- | --- | --- |');
for (const { report, detector, record, fires, never } of told) {
  const compiles = detector === null ? `no: ${report.line}:${report.column} ${report.reason ?? ''}` : 'yes';
  const result = detector === null ? '' : fires ? 'yes' : record === null ? 'no event could be made' : 'no';
  console.log(`| ${basename(report.file, '.yml')} | ${compiles} | ${result} | ${never ?? ''} |`.replaceAll('  ', ' '));
}

/** Numbers of the rows whose own event was found. */
function scan(all: readonly Row[]): ReadonlySet<number> {
  const dir = mkdtempSync(join(tmpdir(), 'trailhound-sigma-'));
  try {
    const records = all.flatMap(({ record }, at) => (record === null ? [] : [filled(record, at)]));
    writeFileSync(join(dir, 'trailhound.yaml'), JSON.stringify({ placeholders }));
    writeFileSync(join(dir, 'events.json'), JSON.stringify({ Records: records }));
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        MAIN,
        'scan',
        join(dir, 'events.json'),
        ...paths.flatMap((path) => ['--rules', path]),
        '--tag',
        'sigma',
        '--store',
        join(dir, 'store'),
        '--output',
        'jsonl',
      ],
      { cwd: dir, encoding: 'utf8', maxBuffer: 1 << 28 },
    );
    if (stdout === '') throw new Error(stderr);
    const alerts = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { detector: string; event_ids: string[] });
    return new Set(
      all.flatMap(({ detector }, at) =>
        alerts.some((alert) => alert.detector === detector?.id && alert.event_ids.includes(idOf(at))) ? [at] : [],
      ),
    );
  } finally {
    rmSync(dir, { recursive: true });
  }
}

function idOf(at: number): string {
  return `11111111-1111-4111-8111-${String(at).padStart(12, '0')}`;
}

/** An event of an hour of its own, with what every record has. */
function filled(record: Readonly<Record<string, unknown>>, at: number): Record<string, unknown> {
  const identity = {
    type: 'IAMUser',
    principalId: 'AIDACKCEVSQ6C2EXAMPLE',
    arn: 'arn:aws:iam::111122223333:user/Alice',
    accountId: '111122223333',
    userName: 'Alice',
  };
  return {
    eventVersion: '1.11',
    eventSource: 'ec2.amazonaws.com',
    eventName: 'DescribeInstances',
    awsRegion: 'us-east-1',
    sourceIPAddress: '192.0.2.44',
    eventType: 'AwsApiCall',
    recipientAccountId: '111122223333',
    ...record,
    userIdentity: { ...identity, ...(record['userIdentity'] as object | undefined) },
    eventTime: new Date(START_MS + at * HOUR_MS).toISOString().replace('.000Z', 'Z'),
    eventID: idOf(at),
  };
}

/** What keeps a rule from ever firing, or part of it from ever being met. */
function whyNever(condition: Condition, tableName: string, { warnings }: RuleReport): string | null {
  const asked = warnings.map((warning) => warning.replace(/^\d+:\d+: /u, ''));
  const names = valuesOf(condition, 'event_name');
  const sources = valuesOf(condition, 'event_source');
  const calls =
    operations === null
      ? []
      : sources.flatMap((source) => (operations[source.toLowerCase()] ?? []).map((name) => name.toLowerCase()));
  const unknown = calls.length === 0 ? [] : names.filter((name) => !calls.includes(name.toLowerCase()));
  const table = TABLES.find(({ name }) => name === tableName);
  if (asked.length > 0 && table !== undefined)
    return `${witness(known(condition), table) === null ? 'never' : 'in part'}: ${asked.join('; ')}`;
  if (unknown.length === 0) return null;
  const services = sources.join(', ');
  const what = `the SDK of ${services} has no ${unknown.join(', ')}`;
  if (unknown.length < names.length) return `in part: ${what}`;
  const owners = new Set(unknown.flatMap((name) => ownersOf(name)));
  // What no service has may be a call that the console alone makes.
  return owners.size > 0 ? `never: ${what}, that of ${[...owners].join(', ')} has` : `not sure: ${what}`;
}

function ownersOf(name: string): readonly string[] {
  return Object.entries(operations ?? {})
    .filter(([, calls]) => calls.some((call) => call.toLowerCase() === name.toLowerCase()))
    .map(([service]) => service);
}

/** The condition where no record has what stands in no column. */
function known(condition: Condition): Condition {
  const parts = Object.entries(condition).map(([key, value]): Condition => {
    if (key === 'all') return { all: (value as readonly Condition[]).map(known) };
    if (key === 'any') return { any: (value as readonly Condition[]).map(known) };
    if (key === 'not') return { not: known(value as Condition) };
    return key.startsWith('extra.') ? { any: [] } : { [key]: value as string };
  });
  return { all: parts };
}

/** What a column is compared with for equality, anywhere in a condition but under `not`. */
function valuesOf(condition: Condition, column: string): readonly string[] {
  return Object.entries(condition).flatMap(([key, value]): readonly string[] => {
    if (key === 'all' || key === 'any')
      return (value as readonly Condition[]).flatMap((part) => valuesOf(part, column));
    if (key !== column || typeof value !== 'object' || value === null || !('is' in value)) return [];
    return [value.is].flat().map(String);
  });
}

function commitOf(path: string): string {
  try {
    return execFileSync('git', ['-C', path, 'rev-parse', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
}
