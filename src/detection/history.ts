/** The history behind a baseline: since when there were events, and whether that is enough. */
import type { Row } from '../backend.ts';
import { DAY_MS } from '../time.ts';
import type { Compiled } from './compile.ts';
import { timeMsOf } from './rows.ts';

/** The columns whose history a baseline needs. */
export const perOf = (kind: Compiled['kind']): readonly string[] =>
  kind.kind === 'first-seen' || kind.kind === 'times-usual' ? kind.per : [];

/** When each `per` had events: what a baseline may rest on. */
export class History {
  readonly #per: readonly string[];
  readonly #slots = new Map<string, number[]>();

  /** Rows (p0…, slot) in order of time. */
  constructor(rows: readonly Row[], per: readonly string[]) {
    this.#per = per;
    for (const row of rows) {
      const key = this.#keyOf(row);
      const slots = this.#slots.get(key);
      const slot = timeMsOf(row, 'slot');
      if (slots === undefined) this.#slots.set(key, [slot]);
      else slots.push(slot);
    }
  }

  #keyOf(row: Row): string {
    return JSON.stringify(this.#per.map((_, at) => row[`p${at}`] ?? null));
  }

  /** Whether there are events of any kind in [slot - over, slot - warmUp). */
  isRipe({ kind }: Compiled, row: Row): boolean {
    if (kind.kind !== 'first-seen' && kind.kind !== 'times-usual') return true;
    const slot = timeMsOf(row, 'slot');
    return (this.#slots.get(this.#keyOf(row)) ?? []).some(
      (time) => time >= slot - kind.overMs && time < slot - kind.warmUpMs,
    );
  }

  /** Says where no slot of the window can have enough behind it. */
  notes({ kind, window, detector }: Compiled): readonly string[] {
    if (kind.kind !== 'first-seen' && kind.kind !== 'times-usual') return [];
    const needed = kind.warmUpMs / DAY_MS;
    const daysOf = (slots: readonly number[]): number => (window.toMs - (slots[0] ?? window.toMs)) / DAY_MS;
    const young = [...this.#slots].filter(([, slots]) => daysOf(slots) <= needed);
    if (this.#per.length === 1 && this.#per[0] === 'account_id') {
      return young.map(
        ([key, slots]) =>
          `detector ${detector.id}: silent, account ${String(JSON.parse(key)[0] ?? 'unknown')} has only ${daysOf(slots).toFixed(1)} of ${needed} days of history`,
      );
    }
    return young.length === 0
      ? []
      : [
          `detector ${detector.id}: silent for ${young.length} of ${this.#slots.size} values of ${this.#per.join(', ')}, which have less than ${needed} days of history`,
        ];
  }
}
