/** What baselines need to know of days that lie behind them, as counts: events of each of their values and slots. */
import { createHash } from 'node:crypto';
import { type HuntRequest, SLOT_COUNT } from '../hunt.ts';
import type { Table } from '../table.ts';
import type { Window } from '../time.ts';
import { type Compiled, conditionsSql, slotSql, timeLiteral } from './compile.ts';
import { names } from './hot.ts';

/** Raised when the counts of a query come out otherwise though its text is the same: then they are counted anew. */
const COUNTS_VERSION = 1;
/** Hex digits of a key. */
const KEY_DIGITS = 16;
/** The table of the counts that a hunt needs. */
export const COUNTS = 'hunt_counts';

/** SQL that counts, under a name that says what. */
export interface Count {
  readonly key: string;
  readonly sql: string;
}

/** The values by which a baseline counts, with the names that they have in hot.ts. */
function countedBy({ kind, subject }: Compiled): {
  readonly names: readonly string[];
  readonly values: readonly string[];
} {
  return kind.kind === 'first-seen'
    ? {
        names: [...names('p', kind.per.length), ...names('f', kind.values.length)],
        values: [...kind.per, ...kind.values],
      }
    : { names: names('s', subject.length), values: subject };
}

/** Events that a baseline looks at. */
export function countOf(compiled: Compiled, table: Table, lists: HuntRequest['lists']): Count {
  const { kind, conditions, slotMs } = compiled;
  const needed = kind.kind === 'first-seen' ? kind.values.map((value) => `${value} IS NOT NULL`) : [];
  const wanted = [conditionsSql(conditions), ...needed].join(' AND ');
  return countBy(table, countedBy(compiled).values, slotMs ?? 0, wanted, lists);
}

/** Events of any kind. */
export const historyCount = (table: Table, per: readonly string[], slotMs: number): Count =>
  countBy(table, per, slotMs, 'true', {});

function countBy(
  table: Table,
  values: readonly string[],
  slotMs: number,
  wanted: string,
  lists: HuntRequest['lists'],
): Count {
  const by = names('k', values.length);
  const sql = `SELECT ARRAY[${by.join(', ')}] AS k, slot, count(*) AS n
 FROM (SELECT ${values.map((value, at) => `${value} AS k${at}`).join(', ')}, ${slotSql(slotMs, 'event_time')} AS slot FROM main.${table.name} WHERE event_time IS NOT NULL AND ${wanted}) AS w
 GROUP BY ${by.join(', ')}, slot`;
  // A long list stands in a table: what is in it is not in the text.
  const named = Object.entries(lists).filter(([name]) => sql.includes(`list_${name}`));
  const hash = createHash('sha256').update(JSON.stringify([COUNTS_VERSION, table.schemaVersion, sql, named]));
  return { key: hash.digest('hex').slice(0, KEY_DIGITS), sql };
}

/** The counts of these keys, out of what the store keeps: read once. */
export const countsSql = (keys: readonly string[]): string =>
  `SELECT key, k, slot, n FROM main.${SLOT_COUNT.name} WHERE key IN (${keys.map((key) => `'${key}'`).join(', ')})`;

/** Rows (names of `values`, slot, n) of a key; a slot may have several. */
export function pastSql({ key }: Count, values: readonly string[], { fromMs, toMs }: Window): string {
  const columns = values.map((name, at) => `element_at(k, ${at + 1}) AS ${name}`);
  return `SELECT ${columns.join(', ')}, slot, n FROM main.${COUNTS} WHERE key = '${key}' AND slot >= ${timeLiteral(fromMs)} AND slot < ${timeLiteral(toMs)}`;
}

/** A baseline that reads the events of these days no more, but their counts. */
export function withPast(compiled: Compiled, table: Table, lists: HuntRequest['lists'], days: Window): Compiled {
  const past = { fromMs: Math.max(compiled.readFromMs, days.fromMs), toMs: days.toMs };
  return {
    ...compiled,
    readFromMs: days.toMs,
    past: { ...past, sql: pastSql(countOf(compiled, table, lists), countedBy(compiled).names, past) },
  };
}
