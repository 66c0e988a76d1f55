/** Runs a command and reads from Linux, while it runs, how long its threads work, wait for a processor, and sleep. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Reading some twenty small files this often takes about one per cent of a processor. */
const LOOK_MS = 50;
const NS = 1e9;

interface ThreadTimes {
  workedSeconds: number;
  /** It could have worked, and every processor was taken. */
  queuedSeconds: number;
  seenFirst: number;
  seenLast: number;
}

export interface WatchedRun {
  readonly seconds: number;
  /**
   * Of the busiest threads beside the main one, the least busy last: the share of their life, from their start to their end, in which they worked or could have.
   * One that waits for a processor is kept from work by the machine, not by its source: it counts as busy. One that sleeps is not, whatever it waits for:
   * bytes, the disk, or an answer of another thread, which may itself wait for a processor. So on a machine with other work the share is lower than its own.
   */
  readonly busyShares: readonly number[];
}

/** Threads in the order of their work: those that ingest reads with come first. */
export async function watchThreads(command: string, args: readonly string[], count: number): Promise<WatchedRun> {
  const started = performance.now();
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const threads = new Map<string, ThreadTimes>();
  const timer = setInterval(() => look(child.pid ?? 0, threads), LOOK_MS);
  const status = await ended;
  clearInterval(timer);
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}:\n${stderr.slice(-2000)}`);
  threads.delete(String(child.pid));
  const busiest = [...threads.values()].toSorted((a, b) => b.workedSeconds - a.workedSeconds).slice(0, count);
  return {
    seconds: (performance.now() - started) / 1000,
    busyShares: busiest.map(
      ({ workedSeconds, queuedSeconds, seenFirst, seenLast }) =>
        (workedSeconds + queuedSeconds) / ((seenLast - seenFirst) / 1000),
    ),
  };
}

/** https://docs.kernel.org/scheduler/sched-stats.html: nanoseconds on a processor, and waiting for one. */
function look(pid: number, threads: Map<string, ThreadTimes>): void {
  const now = performance.now();
  try {
    for (const id of readdirSync(`/proc/${pid}/task`)) {
      const [worked = 0, queued = 0] = readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ').map(Number);
      const times = { workedSeconds: worked / NS, queuedSeconds: queued / NS, seenLast: now };
      threads.set(id, { seenFirst: threads.get(id)?.seenFirst ?? now, ...times });
    }
  } catch {
    // A thread that ended meanwhile keeps what it had.
  }
}
