/** The one owner of event ids: says for each row whether its record is new, already stored, or an id with other facts. */
import { join } from 'node:path';
import { ADMITTED, type Admission, CONFLICT, DUPLICATE } from '../ingest.ts';
import { COMMITTED, EventIds } from './event-ids.ts';
import type { IdFilter } from './id-filter.ts';

/** Hash tables of all days together; beyond it the largest day goes to disk. */
const TABLE_BYTES_MAX = 40 * 1024 * 1024;
/** One day's table, 0.37 million ids: when growth doubles it past this, it goes to disk. */
const DAY_TABLE_BYTES_MAX = 16 * 1024 * 1024;
/** Filters of spilled days together, 1.3 bytes an id; beyond it days that nothing waits for are forgotten and read again when needed. */
const FILTER_BYTES_MAX = 64 * 1024 * 1024;

interface Day {
  readonly ids: EventIds;
  /** Units with rows of this day that are not yet committed. */
  readonly pending: Set<number>;
  lastUse: number;
  /** What is stored is not among `ids` yet: no event so far may be among it. */
  stored: IdFilter | null;
}

/** What the store holds of a table's day. */
export interface StoredDays {
  /** Identities of its rows, as batches of `words` (6 a row, Batch.identity). */
  identities(table: string, day: number): AsyncIterable<{ readonly words: Int32Array; readonly rows: number }>;
  /** Its ids alone, which are there much sooner; null for a day that is small, or too large for that. */
  ids(table: string, day: number): Promise<IdFilter | null>;
}

const WORDS = 6;

export function createAdmission(storedDays: StoredDays, scratchDir: string): Admission {
  /** By table and day. */
  const days = new Map<string, Day>();
  const uncommitted = new Set<number>();
  let clock = 0;
  let spills = 0;
  let queue: Promise<unknown> = Promise.resolve();

  const tableBytes = (): number => [...days.values()].reduce((sum, day) => sum + day.ids.tableBytes, 0);
  const filterBytes = (): number =>
    [...days.values()].reduce((sum, day) => sum + day.ids.filterBytes + (day.stored?.bytes ?? 0), 0);

  const spill = (day: Day): void => day.ids.spill(join(scratchDir, `ids-${process.pid}-${spills++}`));

  const stayInBounds = (): void => {
    for (const day of days.values()) if (day.ids.tableBytes > DAY_TABLE_BYTES_MAX) spill(day);
    while (tableBytes() > TABLE_BYTES_MAX) {
      spill([...days.values()].reduce((largest, day) => (day.ids.tableBytes > largest.ids.tableBytes ? day : largest)));
    }
    if (filterBytes() <= FILTER_BYTES_MAX) return;
    for (const [name, day] of [...days].sort(([, a], [, b]) => a.lastUse - b.lastUse)) {
      if (day.pending.size > 0) continue;
      day.ids.close();
      days.delete(name);
      if (filterBytes() <= FILTER_BYTES_MAX) return;
    }
  };

  const open = async (table: string, number: number): Promise<Day> => {
    const name = `${table} ${number}`;
    const known = days.get(name);
    if (known !== undefined) return known;
    const stored = await storedDays.ids(table, number);
    const day: Day = { ids: new EventIds(), pending: new Set(), lastUse: clock, stored };
    if (stored === null) await load(day, table, number);
    days.set(name, day);
    return day;
  };

  /** All that is stored by now: what this run has stored itself is known already. */
  const load = async (day: Day, table: string, number: number): Promise<void> => {
    day.stored = null;
    for await (const { words, rows } of storedDays.identities(table, number)) {
      for (let row = 0; row < rows; row++) day.ids.admit(words, row * WORDS, COMMITTED);
      if (day.ids.tableBytes > DAY_TABLE_BYTES_MAX) spill(day);
    }
  };

  const judge: Admission['judge'] = async ({ table, identity, hasIdentity, eventDay }, unit) => {
    clock++;
    uncommitted.add(unit);
    const touched = new Map<number, Day>();
    for (const number of new Set(eventDay)) touched.set(number, await open(table, number));
    const words = new Int32Array(identity.buffer, identity.byteOffset, identity.byteLength / 4);
    for (const [number, day] of touched) {
      const mayBeStored = (row: number): boolean =>
        eventDay[row] === number && hasIdentity[row] !== 0 && day.stored?.mayHold(words, row * WORDS) === true;
      if (day.stored !== null && eventDay.some((_, row) => mayBeStored(row))) await load(day, table, number);
    }
    const verdicts = new Uint8Array(hasIdentity.length);
    const dependsOn = new Set<number>();
    for (const day of touched.values()) {
      day.pending.add(unit);
      day.lastUse = clock;
    }
    for (let row = 0; row < hasIdentity.length; row++) {
      const day = touched.get(eventDay[row] ?? 0);
      // A record without an id is never merged with another one.
      if (hasIdentity[row] === 0 || day === undefined) {
        verdicts[row] = ADMITTED;
        continue;
      }
      const found = day.ids.admit(words, row * WORDS, unit);
      if (found.kind === 'same') {
        verdicts[row] = DUPLICATE;
        if (found.owner !== unit && uncommitted.has(found.owner)) dependsOn.add(found.owner);
      } else {
        verdicts[row] = found.kind === 'none' ? ADMITTED : CONFLICT;
      }
    }
    stayInBounds();
    return { verdicts, dependsOn: [...dependsOn] };
  };

  return {
    judge: (rows, unit) => {
      const turn = queue.then(() => judge(rows, unit));
      queue = turn.catch(() => undefined);
      return turn;
    },
    committed: (unit) => {
      uncommitted.delete(unit);
      for (const day of days.values()) day.pending.delete(unit);
    },
    close: () => {
      for (const day of days.values()) day.ids.close();
      days.clear();
    },
  };
}
