/** A clock that a test moves. */
import type { Clock } from '../../src/clock.ts';

export class FakeClock implements Clock {
  #now: number;
  readonly #sleepers = new Set<{ readonly at: number; wake(): void }>();

  constructor(now: string | number) {
    this.#now = typeof now === 'number' ? now : Date.parse(now);
  }

  nowMs(): number {
    return this.#now;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const sleeper = {
        at: this.#now + ms,
        wake: () => {
          this.#sleepers.delete(sleeper);
          signal.removeEventListener('abort', sleeper.wake);
          resolve();
        },
      };
      this.#sleepers.add(sleeper);
      signal.addEventListener('abort', sleeper.wake);
    });
  }

  /** Moves on; whoever slept until then wakes up. */
  advance(ms: number): void {
    this.#now += ms;
    for (const sleeper of [...this.#sleepers].toSorted((a, b) => a.at - b.at))
      if (sleeper.at <= this.#now) sleeper.wake();
  }
}
