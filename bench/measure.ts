/** Runs a command as a process of its own and reads from the system what it cost. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Cost {
  readonly seconds: number;
  /** User and system time of the process and its children. */
  readonly cpuSeconds: number;
  readonly peakRssMb: number;
  readonly stdout: string;
}

/** GNU time reports what getrusage counts for the child; Debian and Ubuntu call the package `time`. */
const TIME = '/usr/bin/time';

/** Throws when the command fails: a benchmark of something that did not work says nothing. */
export function measure(command: string, args: readonly string[]): Cost {
  if (!existsSync(TIME)) throw new Error(`cannot measure: ${TIME} is missing; install GNU time`);
  const dir = mkdtempSync(join(tmpdir(), 'trailhound-bench-'));
  const report = join(dir, 'time');
  try {
    const started = performance.now();
    const child = spawnSync(TIME, ['-o', report, '-f', '%U %S %M', command, ...args], {
      encoding: 'utf8',
      maxBuffer: 64 * 2 ** 20,
    });
    const seconds = (performance.now() - started) / 1000;
    if (child.status !== 0) {
      throw new Error(
        `${command} ${args.join(' ').slice(0, 200)} ended with ${child.status}:\n${child.stderr.slice(-2000)}`,
      );
    }
    const [user = 0, system = 0, rssKb = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number);
    return { seconds, cpuSeconds: user + system, peakRssMb: rssKb / 1024, stdout: child.stdout };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** A pipeline; `$1`, `$2` … in it are the arguments. */
export const measureShell = (script: string, args: readonly string[]): Cost =>
  measure('sh', ['-c', script, 'sh', ...args]);

/** Of an even number of runs the lower of the two in the middle, so that every figure shown was measured. */
export function medianRun(runs: readonly Cost[]): Cost {
  const run = runs.toSorted((a, b) => a.seconds - b.seconds)[Math.floor((runs.length - 1) / 2)];
  if (run === undefined) throw new Error('no run to take the median of');
  return run;
}

/** Bytes of all files below. */
export function folderBytes(dir: string, ending = ''): number {
  let bytes = 0;
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && entry.name.endsWith(ending)) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}

export const number = (value: number, digits = 0): string =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
