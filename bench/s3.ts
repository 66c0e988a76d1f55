/** The archive from a bucket against the same files on the disk: what the network side costs, and whether threads wait for it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Corpus } from './corpus.ts';
import { type Cost, measure, medianRun, number } from './measure.ts';
import { type WatchedRun, watchThreads } from './threads.ts';

const BUCKET = 'bench-logs';
/** As far as a bucket of the same continent. */
const LATENCY_MS = 20;

/** A bucket of the archive on loopback, in a process of its own. */
async function startBucket(
  dir: string,
  latencyMs: number,
): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const args = [
    '--import',
    'tsx',
    fileURLToPath(new URL('s3-peer-process.ts', import.meta.url)),
    dir,
    BUCKET,
    String(latencyMs),
  ];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const [url] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, url: String(url).trim() };
}

export interface S3BenchOptions {
  /** Our built command. */
  readonly cli: string;
  readonly rounds: number;
  readonly freshStore: () => string;
  readonly log: (line: string) => void;
}

/** The lines of its table. */
export async function s3Table(
  archive: Corpus,
  { cli, rounds, freshStore, log }: S3BenchOptions,
): Promise<readonly string[]> {
  process.env['AWS_ACCESS_KEY_ID'] = 'bench';
  process.env['AWS_SECRET_ACCESS_KEY'] = 'bench';
  const near = await startBucket(archive.dir, 0);
  const far = await startBucket(archive.dir, LATENCY_MS);
  const fromBucket = (url: string): string[] => [`s3://${BUCKET}/`, '--endpoint-url', url];
  const command = (source: readonly string[]): string[] => [
    cli,
    'ingest',
    ...source,
    '--store',
    freshStore(),
    '--quiet',
  ];
  const contents: readonly (readonly [name: string, source: readonly string[]])[] = [
    ['local files', [archive.dir]],
    ['a bucket', fromBucket(near.url)],
    [`a bucket, ${LATENCY_MS} ms to each answer`, fromBucket(far.url)],
  ];
  const runs = new Map<string, { costs: Cost[]; watched: WatchedRun[] }>(
    contents.map(([name]) => [name, { costs: [], watched: [] }]),
  );
  const threads = Math.min(availableParallelism(), 3);
  for (let round = 0; round < rounds; round++) {
    for (const [name, source] of contents) {
      const run = runs.get(name);
      run?.costs.push(measure(process.execPath, command(source)));
      run?.watched.push(await watchThreads(process.execPath, command(source), threads));
      log(`round ${round + 1}: ${name} ${run?.costs.at(-1)?.seconds.toFixed(2)} s`);
    }
  }
  for (const { child } of [near, far]) child.stdin?.end();
  const lines = [
    `### S3, ${number(archive.events)} events in ${number(archive.files)} objects`,
    '',
    '| | seconds | CPU seconds | CPU µs/event | peak RSS, MB | threads busy |',
    '|---|---:|---:|---:|---:|---:|',
  ];
  for (const [name, { costs, watched }] of runs) {
    const { seconds, cpuSeconds, peakRssMb } = medianRun(costs);
    const shares = watched.map(
      ({ busyShares }) => busyShares.reduce((sum, share) => sum + share, 0) / busyShares.length,
    );
    const share = shares.toSorted((a, b) => a - b)[Math.floor((shares.length - 1) / 2)] ?? 0;
    const cells = [
      number(seconds, 2),
      number(cpuSeconds, 2),
      number((cpuSeconds / archive.events) * 1e6, 2),
      number(peakRssMb),
      `${number(100 * share)} %`,
    ];
    lines.push(`| ${name} | ${cells.join(' | ')} |`);
  }
  lines.push(
    '',
    `The bucket is a process of its own on the same processors; its CPU time is not counted, the time that it takes from ours is. A thread is busy while it works or waits for a processor, as the system counts it, from its start to its end; not while it waits for bytes, for the disk, or for an answer of another thread.`,
    '',
  );
  return lines;
}
