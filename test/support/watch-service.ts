/** `trailhound watch` as a service that is killed and started again, with its memory looked at all the while. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { MAIN } from '../cli/run.ts';

export interface MemorySample {
  readonly atMs: number;
  readonly mb: number;
}

const SAMPLE_EVERY_MS = 2000;

export class WatchService {
  readonly cwd: string;
  /** Of the process that runs now. */
  samples: MemorySample[] = [];
  starts = 0;
  /** How it ended without being told to. */
  readonly surprises: string[] = [];
  readonly #args: readonly string[];
  readonly #logFile: string;
  #child: ChildProcess | null = null;
  #ended: Promise<number | null> = Promise.resolve(null);
  #isEnding = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(cwd: string, logFile: string, args: readonly string[] = []) {
    this.cwd = cwd;
    this.#logFile = logFile;
    this.#args = args;
  }

  start(): void {
    const log = openSync(this.#logFile, 'a');
    const child = spawn(process.execPath, [MAIN, 'watch', '--log-format', 'json', ...this.#args], {
      cwd: this.cwd,
      stdio: ['ignore', 'ignore', log],
    });
    closeSync(log);
    this.starts++;
    this.samples = [];
    this.#isEnding = false;
    this.#child = child;
    this.#ended = new Promise((resolve) =>
      child.once('exit', (status, signal) => {
        clearInterval(this.#timer);
        if (!this.#isEnding) this.surprises.push(`start ${this.starts}: ended with ${status ?? signal}`);
        resolve(status);
      }),
    );
    this.#timer = setInterval(() => this.#sample(child.pid), SAMPLE_EVERY_MS);
  }

  /** `before`: what happens to it just before, and may end it as well. */
  async kill(signal: NodeJS.Signals = 'SIGKILL', before?: () => void): Promise<number | null> {
    this.#isEnding = true;
    before?.();
    this.#child?.kill(signal);
    return this.#ended;
  }

  /** What it wrote since its first start. */
  log(): readonly Record<string, unknown>[] {
    return (
      readFileSync(this.#logFile, 'utf8')
        .split('\n')
        // A kill may leave half a line.
        .filter((line) => line.startsWith('{') && line.endsWith('}'))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
    );
  }

  #sample(pid: number | undefined): void {
    try {
      const [, kb] = /^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      if (kb !== undefined) this.samples.push({ atMs: Date.now(), mb: Number(kb) / 1024 });
    } catch {
      // It has just ended.
    }
  }
}
