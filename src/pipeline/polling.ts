/** A source that is listed again and again, so that what lands in it while a run goes on is found. */
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { ListingProblem, LogFile, Scope, Source } from '../source.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../time.ts';

export interface PollingOptions {
  readonly everyMs: number;
  readonly clock: Clock;
  /** A listing came to its end, or to an error; so many log files of it are not settled yet. */
  readonly onListed: (source: string, error: string | null, inWork: number) => void;
  /** A file or folder that could not be looked at or read; told once in a while. */
  readonly onProblem: (source: string, key: string, error: string) => void;
}

/** Log files come late by hours, and by a day where a delivery was repeated: so far back is looked at each time. */
const RECENT_MS = 2 * DAY_MS;
/** All of the source, for what came later still: where requests are paid for, so often. */
const WHOLE_EVERY_MS = 12 * HOUR_MS;
/** Elsewhere as often as it takes no more than this share of the time. */
const WHOLE_SHARE = 0.05;
/** A file that changed just now may still be written. */
const SETTLED_MS = 2 * SECOND_MS;
/** One that cannot be read is not tried at every turn. */
const AGAIN_MS = 10 * MINUTE_MS;
const PROBLEMS_MAX = 10_000;
const BACKOFF_MAX_MS = 5 * MINUTE_MS;

/** The same source without an end. */
export function polled(source: Source, options: PollingOptions): Source {
  return { ...source, endless: true, list: (scope, signal) => new Poll(source, options, scope).list(signal) };
}

class Poll {
  readonly #source: Source;
  readonly #options: PollingOptions;
  readonly #scope: Scope;
  /** Versions of the log files that were given out and are not settled: each is read once. */
  readonly #inWork = new Map<string, string>();
  /** When what could not be read may be tried, and told of, again. */
  readonly #problems = new Map<string, number>();
  #wholeAtMs = 0;

  constructor(source: Source, options: PollingOptions, scope: Scope) {
    this.#source = source;
    this.#options = options;
    this.#scope = scope;
  }

  async *list(signal: AbortSignal): AsyncGenerator<LogFile | ListingProblem> {
    const { clock, everyMs, onListed } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      const isWhole = clock.nowMs() >= this.#wholeAtMs;
      const startedAt = performance.now();
      try {
        for await (const item of this.#source.list(isWhole ? this.#scope : this.#recent(), signal)) {
          if ('error' in item) this.#problem(item.key, item.error.message);
          else if (this.#isDue(item)) yield this.#given(item);
        }
        if (signal.aborted) return;
        const isPaid = this.#source.costs !== undefined;
        const pause = isPaid ? WHOLE_EVERY_MS : (performance.now() - startedAt) / WHOLE_SHARE;
        if (isWhole) this.#wholeAtMs = clock.nowMs() + pause;
        failures = 0;
        onListed(this.#source.name, null, this.#inWork.size);
      } catch (error) {
        if (signal.aborted) return;
        // What a person has to mend may be mended while this goes on; anything else is a bug.
        if (!(error instanceof AppError)) throw error;
        failures++;
        onListed(this.#source.name, error.message, this.#inWork.size);
      }
      await clock.sleep(Math.min(everyMs * 2 ** Math.min(failures, 10), Math.max(BACKOFF_MAX_MS, everyMs)), signal);
    }
  }

  #recent(): Scope {
    const fromMs = this.#options.clock.nowMs() - RECENT_MS;
    return { ...this.#scope, fromMs: Math.max(this.#scope.fromMs ?? fromMs, fromMs) };
  }

  #isDue({ key, version, content }: LogFile): boolean {
    const now = this.#options.clock.nowMs();
    if (this.#inWork.get(key) === version || (this.#problems.get(key) ?? 0) > now) return false;
    // Of a local file the version is the time of its last change.
    return content.type !== 'file' || !(Math.abs(now - Number(version)) < SETTLED_MS);
  }

  #given(file: LogFile): LogFile {
    const { key, version } = file;
    this.#inWork.set(key, version);
    return {
      ...file,
      settled: (settlement) => {
        if (this.#inWork.get(key) === version) this.#inWork.delete(key);
        if (settlement.outcome === 'failed') this.#problem(key, settlement.error);
        file.settled?.(settlement);
      },
    };
  }

  #problem(key: string, error: string): void {
    const now = this.#options.clock.nowMs();
    if ((this.#problems.get(key) ?? 0) > now) return;
    if (this.#problems.size >= PROBLEMS_MAX) this.#problems.clear();
    this.#problems.set(key, now + AGAIN_MS);
    this.#options.onProblem(this.#source.name, key, error);
  }
}
