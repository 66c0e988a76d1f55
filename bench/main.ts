/** `npm run bench`: ingest and hunt against pure SQL, in interleaved runs with medians; prints tables and writes docs/benchmarks.md. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Alert } from '../src/alert.ts';
import { type Corpus, corpus } from './corpus.ts';
import { type Cost, folderBytes, measure, measureShell, medianRun, number } from './measure.ts';
import { noiseOf } from './noise.ts';
import { giantFile, manyFiles, sizedFiles } from './odd-archives.ts';
import { CONDITION_COUNTS, type PlannerCost } from './planner.ts';
import { s3Table } from './s3.ts';
import { autoSql, bareSql, type SqlJob, sameJobSql } from './sql.ts';

const USAGE = `npm run bench -- [--events 1000000,4000000] [--rounds 3] [--quick] [--only ingest,hunt,noise,planner,tiny,others,s3,density,ledger,giant] [--work <folder>] [--write]

Without --only: ingest, hunt, noise, planner, tiny, s3 and others (S3 access and WAF logs, 1 GB of text each). noise: the whole catalogue over an archive without incidents; ends with status 1 when it says more than the budget allows. density (10M events of one day), ledger (2M log files) and giant (a 5 GB file and 5 GB on stdin) take long and much disk.
--quick: 100,000 events, one round. --write: put the tables into docs/benchmarks.md.`;

const PARTS = ['ingest', 'hunt', 'noise', 'planner', 'tiny', 'others', 's3', 'density', 'ledger', 'giant'] as const;
const SEED = 1;
/** About a month, as one archive of a small organisation. */
const DAYS = 30;
const TINY_FILES = 20_000;
const TINY_RECORDS = 5;
/** Divides the tiny files evenly, so that none of them is smaller still. */
const TINY_DAYS = 25;
const DENSE_EVENTS = 10_000_000;
const LEDGER_FILES = 2_000_000;
const OTHER_DAYS = 10;
const NEW_FILES = 1000;
/** A gigabyte of text each. */
const OTHER_LOGS = { s3_access: 1_400_000, waf: 620_000 } as const;
const GIANT_BYTES = 5 * 2 ** 30;
const MB = 1e6;

const { values: options } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: 'ingest,hunt,noise,planner,tiny,others,s3' },
    work: { type: 'string', default: join(tmpdir(), 'trailhound-bench') },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const rounds = options.quick ? 1 : Number(options.rounds);
const sizes = options.quick ? [100_000] : options.events.split(',').map(Number);
const parts = new Set(options.only.split(','));
const wrong = [...parts].filter((part) => !(PARTS as readonly string[]).includes(part));
if (options.help || wrong.length > 0 || !(rounds >= 1) || !sizes.every((size) => size >= 1)) {
  console.error(wrong.length > 0 ? `no part is called '${wrong.join("', '")}'\n\n${USAGE}` : USAGE);
  process.exit(options.help ? 0 : 2);
}

const CLI = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const log = (line: string): void => console.error(line);
const report: string[] = [];
const say = (line = ''): void => {
  report.push(line);
  console.log(line);
};

function fresh(name: string): string {
  const dir = join(options.work, name);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  return dir;
}

const trailhound = (...args: string[]): Cost => measure(process.execPath, [CLI, ...args]);
const ingest = (dir: string, store: string): Cost => trailhound('ingest', dir, '--store', store, '--quiet');

function sql(job: SqlJob, out: string): Cost {
  const file = join(out, 'job.json');
  writeFileSync(file, JSON.stringify(job));
  return measure(process.execPath, [here('sql-process.mjs'), file]);
}

/** Everything that is about to be read lies in the page cache afterwards, so that no contender pays for being first. */
function warm(dir: string): void {
  for (const { path } of sizedFiles(dir)) readFileSync(path);
}

const has = (command: string): boolean => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;

interface Contender {
  readonly name: string;
  /** Rounds at most; jq is slow and steady. */
  readonly rounds?: number;
  run(out: string): Cost;
  /** What it wrote, or null when that says nothing. */
  lakeBytes(out: string): number | null;
}

function contenders(archive: Corpus): Contender[] {
  const files = sizedFiles(archive.dir);
  const parquet = (out: string): number => folderBytes(out, '.parquet');
  return [
    { name: 'trailhound', run: (out) => ingest(archive.dir, join(out, 'store')), lakeBytes: parquet },
    { name: 'SQL, same job', run: (out) => sql(sameJobSql(files, out), out), lakeBytes: parquet },
    { name: 'SQL, bare (A3)', run: (out) => sql(bareSql(archive.dir, out), out), lakeBytes: parquet },
    { name: 'read_json_auto + unnest', run: (out) => sql(autoSql(archive.dir, out), out), lakeBytes: parquet },
    ...(has('jq')
      ? [
          {
            name: 'zcat, jq -c',
            rounds: 1,
            run: (out: string) =>
              measureShell('find "$1" -name "*.gz" -exec zcat {} + | jq -c ".Records[]" > "$2"', [
                archive.dir,
                join(out, 'events.ndjson'),
              ]),
            lakeBytes: () => null,
          },
        ]
      : []),
  ];
}

function ingestTable(archive: Corpus): void {
  warm(archive.dir);
  const all = contenders(archive);
  const runs = new Map<string, { costs: Cost[]; lake: number | null }>();
  for (let round = 0; round < rounds; round++) {
    for (const contender of all) {
      if (round >= (contender.rounds ?? rounds)) continue;
      const out = fresh('ingest');
      const cost = contender.run(out);
      log(`round ${round + 1}: ${contender.name} ${cost.seconds.toFixed(2)} s`);
      const seen = runs.get(contender.name) ?? { costs: [], lake: null };
      seen.costs.push(cost);
      runs.set(contender.name, { ...seen, lake: contender.lakeBytes(out) });
    }
  }
  say(`### Ingest, ${number(archive.events)} events`);
  say();
  say(
    `${number(archive.files)} files, ${number(archive.rawBytes / MB)} MB of JSON, ${number(archive.gzipBytes / MB)} MB as gzip. Median of ${rounds} interleaved runs; each is a process of its own, starting included.`,
  );
  say();
  say('| | seconds | events/s | MB/s of JSON | CPU seconds | peak RSS, MB | lake / gzip | trailhound is |');
  say('|---|---:|---:|---:|---:|---:|---:|---:|');
  const ours = medianRun(runs.get('trailhound')?.costs ?? []);
  for (const [name, { costs, lake }] of runs) {
    const { seconds, cpuSeconds, peakRssMb } = medianRun(costs);
    const cells = [
      number(seconds, 2),
      number(archive.events / seconds),
      number(archive.rawBytes / MB / seconds),
      number(cpuSeconds, 1),
      number(Math.max(peakRssMb, ...costs.map((cost) => cost.peakRssMb))),
      lake === null ? '' : number(lake / archive.gzipBytes, 2),
      name === 'trailhound' ? '' : `${number(seconds / ours.seconds, 2)}x`,
    ];
    say(`| ${name} | ${cells.join(' | ')} |`);
  }
  say();
}

/** Bytes of the live segments: what a compaction replaced stays on the disk for an hour. */
function liveBytes(store: string): number {
  const { stdout } = spawnSync(process.execPath, [
    CLI,
    'store',
    'info',
    '--store',
    store,
    '--output',
    'json',
    '--quiet',
  ]);
  return (JSON.parse(String(stdout)) as { bytes: number }[]).reduce((sum, { bytes }) => sum + bytes, 0);
}

function huntTable(archive: Corpus): void {
  const store = join(fresh('hunt'), 'store');
  const stored = ingest(archive.dir, store);
  const compacted = trailhound('store', 'compact', '--store', store, '--quiet');
  const lake = liveBytes(store);
  const first = trailhound('hunt', '--store', store, '--output', 'json', '--quiet');
  const again = Array.from({ length: rounds }, () =>
    trailhound('hunt', '--store', store, '--output', 'json', '--quiet'),
  );
  const alerts = first.stdout.split('"severity"').length - 1;
  say(`### Hunt, ${number(archive.events)} events`);
  say();
  say('| | seconds | CPU seconds | peak RSS, MB |');
  say('|---|---:|---:|---:|');
  const line = (name: string, { seconds, cpuSeconds, peakRssMb }: Cost): void =>
    say(`| ${name} | ${number(seconds, 2)} | ${number(cpuSeconds, 1)} | ${number(peakRssMb)} |`);
  line('ingest, for comparison', stored);
  line('`store compact`', compacted);
  line('the whole catalogue, first time', first);
  line('the whole catalogue, again', medianRun(again));
  say();
  say(
    `The archive is ordinary but for ${archive.incidents} planted incidents; the hunt raised ${number(alerts)} alerts and took ${number(first.seconds / stored.seconds, 2)} of the ingest's time. Compacted, the lake is ${number(lake / archive.gzipBytes, 2)} of the gzip source.`,
  );
  say();
}

/** What more conditions cost, and what a hunt over the last hour costs with a month behind it. */
function plannerTable(archive: Corpus): void {
  const store = join(fresh('planner'), 'store');
  ingest(archive.dir, store);
  trailhound('store', 'compact', '--store', store, '--quiet');
  const costs = new Map<number, PlannerCost[]>(CONDITION_COUNTS.map((count) => [count, []]));
  for (let round = 0; round < rounds; round++) {
    for (const count of CONDITION_COUNTS) {
      const { stdout } = measure(process.execPath, [
        '--import',
        'tsx',
        here('planner-process.ts'),
        store,
        String(count),
      ]);
      const cost = JSON.parse(stdout) as PlannerCost;
      log(`round ${round + 1}: ${count} conditions ${cost.seconds.toFixed(2)} s`);
      costs.get(count)?.push(cost);
    }
  }
  const medians = CONDITION_COUNTS.map((count) => {
    const sorted = (costs.get(count) ?? []).toSorted((a, b) => a.seconds - b.seconds);
    return { count, ...(sorted[Math.floor(sorted.length / 2)] as PlannerCost) };
  });
  say(`### Conditions, ${number(archive.events)} events`);
  say();
  say(
    `Distinct conditions as published rules have them, over the whole store. Median of ${rounds} interleaved runs, without the start of the process.`,
  );
  say();
  say('| conditions | seconds | CPU seconds | CPU ms for each further one | statements | longest, kB | columns read |');
  say('|---:|---:|---:|---:|---:|---:|---:|');
  for (const [at, { count, seconds, cpuSeconds, statements, longest, columns }] of medians.entries()) {
    const before = medians[at - 1];
    const each =
      before === undefined ? '' : number((1000 * (cpuSeconds - before.cpuSeconds)) / (count - before.count), 1);
    say(
      `| ${count} | ${number(seconds, 2)} | ${number(cpuSeconds, 2)} | ${each} | ${statements} | ${number(longest / 1000)} | ${columns} |`,
    );
  }
  say();
  lastHourTable(archive, store);
}

function lastHourTable(archive: Corpus, store: string): void {
  const { stdout } = spawnSync(process.execPath, [CLI, 'status', '--store', store, '--output', 'json', '--quiet']);
  const last = Date.parse((JSON.parse(String(stdout)) as { watermark: string }).watermark);
  const from = new Date(last - 3_600_000).toISOString();
  const hour = (): Cost => trailhound('hunt', '--from', from, '--store', store, '--output', 'json', '--quiet');
  const counts = join(store, 'counts');
  const first: Cost[] = [];
  const again: Cost[] = [];
  for (let round = 0; round < rounds; round++) {
    rmSync(counts, { recursive: true, force: true });
    first.push(hour());
    again.push(hour());
  }
  say(`### The last hour, with ${DAYS} days behind it, ${number(archive.events)} events`);
  say();
  say('| | seconds | CPU seconds | peak RSS, MB |');
  say('|---|---:|---:|---:|');
  for (const [name, costs] of [
    ['the whole catalogue, the days before counted now', first],
    ['the whole catalogue, the days before counted earlier', again],
  ] as const) {
    const { seconds, cpuSeconds, peakRssMb } = medianRun(costs);
    say(`| ${name} | ${number(seconds, 2)} | ${number(cpuSeconds, 1)} | ${number(peakRssMb)} |`);
  }
  say();
  say(`The counts take ${number(folderBytes(counts, '') / MB, 1)} MB, the lake ${number(liveBytes(store) / MB)} MB.`);
  say();
}

/** Of the same size and length as the archive of the hunt, without its incidents. */
async function noiseTable(events: number): Promise<void> {
  const archive = await corpus({ name: 'quiet', events, days: DAYS, quiet: true, seed: SEED }, log);
  const store = join(fresh('noise'), 'store');
  ingest(archive.dir, store);
  const { stdout } = trailhound('hunt', '--store', store, '--output', 'json', '--quiet');
  const noise = noiseOf(JSON.parse(stdout) as Alert[], { events: archive.events, days: DAYS });
  say(`### Noise, ${number(archive.events)} events of ${DAYS} ordinary days`);
  say();
  say('| | alerts | per 100,000 events | medium or above | a week | high or critical |');
  say('|---|---:|---:|---:|---:|---:|');
  say(
    `| the whole catalogue | ${number(noise.alerts)} | ${number((noise.alerts / archive.events) * 100_000, 2)} | ${number(noise.mediumOrAbove)} | ${number((noise.mediumOrAbove * 7) / DAYS, 1)} | ${number(noise.highOrAbove)} |`,
  );
  for (const { detector, severity, alerts } of noise.byDetector)
    say(`| \`${detector}\`, ${severity} | ${number(alerts)} | | | | |`);
  say();
  for (const problem of noise.problems) {
    log(`noise: ${problem}`);
    process.exitCode = 1;
  }
}

async function tinyTable(): Promise<void> {
  const files = options.quick ? TINY_FILES / 10 : TINY_FILES;
  const archive = await corpus(
    { name: 'tiny', events: files * TINY_RECORDS, days: TINY_DAYS, recordsPerFile: TINY_RECORDS, seed: SEED },
    log,
  );
  warm(archive.dir);
  const loops: Cost[] = [];
  const ours: Cost[] = [];
  for (let round = 0; round < rounds; round++) {
    loops.push(measure(process.execPath, [here('read-process.mjs'), archive.dir]));
    ours.push(ingest(archive.dir, join(fresh('tiny'), 'store')));
  }
  const loop = medianRun(loops);
  const our = medianRun(ours);
  say(`### Tiny files: ${number(archive.files)} of ${TINY_RECORDS} records`);
  say();
  say('| | seconds | files/s | CPU seconds | peak RSS, MB |');
  say('|---|---:|---:|---:|---:|');
  for (const [name, cost] of [
    ['list, read and inflate, nothing else', loop],
    ['trailhound', our],
  ] as const) {
    say(
      `| ${name} | ${number(cost.seconds, 2)} | ${number(archive.files / cost.seconds)} | ${number(cost.cpuSeconds, 1)} | ${number(cost.peakRssMb)} |`,
    );
  }
  say();
  say(`trailhound takes ${number(our.seconds / loop.seconds, 1)} times the bare loop.`);
  say();
}

/** Logs of the other kinds against the shell line that reads the same files, and the hunt over them. */
async function othersTable(): Promise<void> {
  say('### S3 access and WAF logs');
  say();
  say('| | seconds | events/s | MB/s of text | CPU seconds | peak RSS, MB | lake / gzip |');
  say('|---|---:|---:|---:|---:|---:|---:|');
  for (const [logs, usual] of Object.entries(OTHER_LOGS) as [keyof typeof OTHER_LOGS, number][]) {
    const events = options.quick ? usual / 20 : usual;
    const archive = await corpus({ name: logs, logs, events, days: DAYS, seed: SEED }, log);
    warm(archive.dir);
    const script =
      logs === 's3_access'
        ? "zcat | awk '{ n += NF } END { print n }'"
        : "zcat | awk -F'\"' '{ n += NF } END { print n }'";
    const runs = { ours: [] as Cost[], awk: [] as Cost[] };
    const store = (): string => join(options.work, 'others', 'store');
    for (let round = 0; round < rounds; round++) {
      fresh('others');
      runs.ours.push(ingest(archive.dir, store()));
      runs.awk.push(measureShell(`find "$1" -name "*.gz" -exec cat {} + | ${script}`, [archive.dir]));
    }
    const line = (name: string, cost: Cost, lake: string): void =>
      say(
        `| ${logs}: ${name} | ${number(cost.seconds, 2)} | ${number(archive.events / cost.seconds)} | ${number(archive.rawBytes / MB / cost.seconds)} | ${number(cost.cpuSeconds, 1)} | ${number(cost.peakRssMb)} | ${lake} |`,
      );
    line('trailhound', medianRun(runs.ours), number(liveBytes(store()) / archive.gzipBytes, 2));
    line('zcat, awk: counts fields', medianRun(runs.awk), '');
    line('the whole catalogue', trailhound('hunt', '--store', store(), '--output', 'json', '--quiet'), '');
  }
  say();
}

/** Ingests, and tells how fast compared with the same machine's ordinary speed. */
function speedLine(name: string, events: number, cost: Cost, ordinary: number): void {
  const speed = events / cost.seconds;
  say(
    `| ${name} | ${number(cost.seconds, 1)} | ${number(speed)} | ${number((100 * speed) / ordinary)} % | ${number(cost.peakRssMb)} |`,
  );
}

async function densityTable(): Promise<void> {
  const events = options.quick ? DENSE_EVENTS / 100 : DENSE_EVENTS;
  const spread = await corpus({ name: 'mixed', events: events / 10, days: DAYS, seed: SEED }, log);
  const dense = await corpus({ name: 'one-day', events, days: 1, seed: SEED }, log);
  warm(spread.dir);
  const usual = ingest(spread.dir, join(fresh('density'), 'store'));
  const ordinary = spread.events / usual.seconds;
  say('### Density');
  say();
  say('| | seconds | events/s | of the ordinary speed | peak RSS, MB |');
  say('|---|---:|---:|---:|---:|');
  speedLine(`${number(spread.events)} events over ${DAYS} days`, spread.events, usual, ordinary);
  warm(dense.dir);
  const cost = ingest(dense.dir, join(fresh('density'), 'store'));
  speedLine(`${number(dense.events)} events of one day`, dense.events, cost, ordinary);
  say();
}

/** About a thousand files of a hundred events each. */
async function newFiles(days: number): Promise<string> {
  const shape = { events: NEW_FILES * 100, days, recordsPerFile: 100, seed: SEED + 1 };
  return (await corpus({ name: `new-${days}`, ...shape }, log)).dir;
}

async function ledgerTable(): Promise<void> {
  const count = options.quick ? LEDGER_FILES / 100 : LEDGER_FILES;
  const tar = join(options.work, `ledger-${count}.tar`);
  mkdirSync(options.work, { recursive: true });
  log(`building a tar of ${number(count)} log files`);
  await manyFiles(await corpus({ name: 'one', events: 1, days: 1, recordsPerFile: 1, seed: SEED }, log), count, tar);
  // The ledger's files all have the first day of every archive.
  const same = { dir: await newFiles(1), from: [] };
  const others = { dir: await newFiles(OTHER_DAYS), from: ['--from', '2026-01-02'] };
  const filledStore = join(fresh('ledger'), 'store');
  const filled = ingest(tar, filledStore);
  rmSync(tar);
  say(`### A ledger of ${number(count)} log files`);
  say();
  say('| | seconds | of the speed on an empty store | peak RSS, MB |');
  say('|---|---:|---:|---:|');
  for (const [name, { dir, from }] of [
    ['of days that the ledger has no file of', others],
    [`of the one day that all of its ${number(count)} events are of`, same],
  ] as const) {
    warm(dir);
    const runs = { empty: [] as Cost[], onTop: [] as Cost[] };
    for (let round = 0; round < rounds; round++) {
      runs.empty.push(trailhound('ingest', dir, ...from, '--store', join(fresh('ledger-empty'), 'store'), '--quiet'));
      const store = join(fresh('ledger-copy'), 'store');
      cpSync(filledStore, store, { recursive: true });
      runs.onTop.push(trailhound('ingest', dir, ...from, '--store', store, '--quiet'));
    }
    const [empty, onTop] = [medianRun(runs.empty), medianRun(runs.onTop)];
    const share = (100 * empty.seconds) / onTop.seconds;
    say(
      `| new files ${name} | ${number(onTop.seconds, 2)} | ${number(share)} % of ${number(empty.seconds, 2)} s | ${number(onTop.peakRssMb)} |`,
    );
  }
  say();
  say(`Filling the ledger took ${number(filled.seconds, 1)} s and ${number(filled.peakRssMb)} MB.`);
  say();
}

async function giantTable(): Promise<void> {
  const bytes = options.quick ? GIANT_BYTES / 50 : GIANT_BYTES;
  const archive = await corpus({ name: 'mixed', events: 100_000, days: DAYS, seed: SEED }, log);
  const path = join(fresh('giant'), 'giant.json');
  const events = await giantFile(archive, bytes, path);
  say(`### One file of ${number(bytes / 2 ** 30, 1)} GiB`);
  say();
  say('| | seconds | events/s | peak RSS, MB |');
  say('|---|---:|---:|---:|');
  const line = (name: string, cost: Cost): void =>
    say(`| ${name} | ${number(cost.seconds, 1)} | ${number(events / cost.seconds)} | ${number(cost.peakRssMb)} |`);
  line('as a file', ingest(path, join(options.work, 'giant', 'file-store')));
  line(
    'on stdin',
    measureShell('cat "$3" | "$1" "$2" ingest - --store "$4" --quiet', [
      process.execPath,
      CLI,
      path,
      join(options.work, 'giant', 'stdin-store'),
    ]),
  );
  say();
}

const version = (name: string): string =>
  (
    JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')) as {
      version: string;
    }
  ).version;
say(
  `${new Date().toISOString().slice(0, 10)}; ${cpus().length} x ${cpus()[0]?.model ?? 'unknown processor'}, ${number(totalmem() / 2 ** 30)} GiB, ${process.platform} ${release()}; Node ${process.versions.node}, @duckdb/node-api ${version('@duckdb/node-api')}.`,
);
say();
for (const events of sizes) {
  if (parts.has('noise')) await noiseTable(events);
  if (!['ingest', 'hunt', 'planner', 's3'].some((part) => parts.has(part))) continue;
  const archive = await corpus({ name: 'mixed', events, days: DAYS, seed: SEED }, log);
  if (parts.has('ingest')) ingestTable(archive);
  if (parts.has('hunt')) huntTable(archive);
  if (parts.has('planner')) plannerTable(archive);
  if (parts.has('s3')) {
    warm(archive.dir);
    const lines = await s3Table(archive, { cli: CLI, rounds, freshStore: () => join(fresh('s3'), 'store'), log });
    for (const line of lines) say(line);
  }
}
if (parts.has('tiny')) await tinyTable();
if (parts.has('others')) await othersTable();
if (parts.has('density')) await densityTable();
if (parts.has('ledger')) await ledgerTable();
if (parts.has('giant')) await giantTable();
rmSync(options.work, { recursive: true, force: true });

if (options.write) {
  writeFileSync(
    fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url)),
    `# Benchmarks

Written by \`npm run bench -- --write\`; what is compared, and how, stands in \`bench/\`. Differences under 10 % mean nothing.

- **SQL, same job**: DuckDB alone, lossless in values, with the derived columns, one folder per event date, de-duplication by event identity and fsync. It keeps no ledger, and one broken file ends it.
- **SQL, bare (A3)**: the same values without all that, in one file.
- **read_json_auto + unnest**: what one types first.
- **zcat, jq -c**: one line per record, nothing stored.

${report.join('\n').trimEnd()}
`,
  );
}
