/** When a hunt is due: cron expressions with a time zone. */
import { Cron } from 'croner';
import { AppError } from '../errors.ts';

/** A minute after minute for more than two months: beyond that only the newest count. */
const TIMES_MAX = 100_000;

export class Schedule {
  readonly #cron: Cron;

  /** Throws `config-invalid` for an expression or a zone that cannot be read. */
  constructor(expression: string, timeZone: string) {
    try {
      // Five or six fields, as cron and its users write them; never runs by itself.
      this.#cron = new Cron(expression, { timezone: timeZone, paused: true });
      this.#cron.nextRun();
    } catch (cause) {
      throw new AppError(
        'config-invalid',
        `cannot read the schedule '${expression}' in the time zone '${timeZone}': ${cause instanceof Error ? cause.message : String(cause)}`,
        { hint: 'For example "*/15 * * * *" for every quarter of an hour, or "0 8 * * mon-fri" in Europe/Berlin.' },
      );
    }
  }

  /** The first time after `ms`; null when there is none. */
  nextMs(ms: number): number | null {
    return this.#cron.nextRun(new Date(ms))?.getTime() ?? null;
  }

  /** The times in (afterMs, toMs], newest first. */
  timesBetween(afterMs: number, toMs: number): readonly number[] {
    const times: number[] = [];
    for (let at = this.nextMs(afterMs); at !== null && at <= toMs && times.length < TIMES_MAX; at = this.nextMs(at))
      times.push(at);
    return times.toReversed();
  }
}
