/** SQL that finds where a detector fires: one row per subject, slot and join key, with the range in which its evidence lies. Portable; see docs/detector-sql.md. */
import { DAY_MS, type Window } from '../time.ts';
import { type Compiled, type Kind, slotSql, spanLiteral, timeLiteral } from './compile.ts';

type KindOf<K extends Kind['kind']> = Extract<Kind, { readonly kind: K }>;

/**
 * Columns of the qualifying events `q`: s0… the subject, k0… what joins evidence to a hot row (for most the subject itself), t, and by kind v (distinct value), p0…
 * (per), f1… (steps), top (the last step that fits).
 */
export const names = (prefix: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, at) => `${prefix}${at}`);
const columns = (...parts: readonly (readonly string[])[]): string => parts.flat().join(', ');
/** Equality in which NULL equals NULL: a missing subject is a subject. */
export const same = (left: string, right: string, keys: readonly string[]): string =>
  keys.map((key) => `${left}.${key} IS NOT DISTINCT FROM ${right}.${key}`).join(' AND ');

export const inWindow = (time: string, window: Window): string =>
  `${time} >= ${timeLiteral(window.fromMs)} AND ${time} < ${timeLiteral(window.toMs)}`;

/** Where evidence begins: after `lo`, or at it. */
export const isOpenBelow = (kind: Kind): boolean => kind.kind === 'threshold' || kind.kind === 'sequence';
/** How many columns join evidence to hot rows. */
export function keyCount({ kind, subject }: Pick<Compiled, 'kind' | 'subject'>): number {
  if (kind.kind === 'sequence') return kind.by.length;
  return kind.kind === 'first-seen' ? subject.length + kind.per.length + kind.values.length : subject.length;
}

/** Common table expressions that end in `<prefix>hot (s…, k…, slot, lo, hi, peak)`, over `<prefix>q`; a baseline adds p…, whose history is still to be looked at. */
export function hotCtes(compiled: Compiled, prefix: string): readonly string[] {
  const { kind } = compiled;
  switch (kind.kind) {
    case 'each':
      return eachCtes(compiled, prefix);
    case 'threshold':
      return thresholdCtes(compiled, prefix, kind);
    case 'first-seen':
      return firstSeenCtes(compiled, prefix, kind);
    case 'times-usual':
      return timesUsualCtes(compiled, prefix, kind);
    case 'sequence':
      return sequenceCtes(compiled, prefix, kind);
    case 'event':
    case 'sql':
      return [];
  }
}

const slotOf = ({ slotMs }: Compiled, time: string): string => slotSql(slotMs ?? 0, time);

function eachCtes(compiled: Compiled, x: string): readonly string[] {
  const s = names('s', compiled.subject.length);
  const keys = s.map((name, at) => `${name} AS k${at}`);
  return [
    `${x}hot AS (SELECT ${columns(s, keys)}, slot, min(t) AS lo, max(t) AS hi, CAST(NULL AS BIGINT) AS peak
 FROM (SELECT ${columns(s)}, t, ${slotOf(compiled, 't')} AS slot FROM ${x}q WHERE ${inWindow('t', compiled.window)}) AS w
 GROUP BY ${columns(s)}, slot)`,
  ];
}

/** Each event is +1 at its time and -1 once it leaves the span (for distinct values: or once the same value comes again); live is the running sum. */
function thresholdCtes(
  compiled: Compiled,
  x: string,
  { atLeast, distinct, withinMs }: KindOf<'threshold'>,
): readonly string[] {
  const s = names('s', compiled.subject.length);
  const span = spanLiteral(withinMs);
  const next =
    distinct === null ? 'CAST(NULL AS timestamp)' : `lead(t) OVER (PARTITION BY ${columns(s, ['v'])} ORDER BY t)`;
  return [
    `${x}n AS (SELECT ${columns(s)}, t, ${next} AS next_t FROM ${x}q${distinct === null ? '' : ' WHERE v IS NOT NULL'})`,
    `${x}d AS (SELECT ${columns(s)}, t, 1 AS delta FROM ${x}n
 UNION ALL SELECT ${columns(s)}, CASE WHEN next_t < t + ${span} THEN next_t ELSE t + ${span} END, -1 FROM ${x}n)`,
    `${x}live AS (SELECT ${columns(s)}, t, delta,
 sum(delta) OVER (PARTITION BY ${columns(s)} ORDER BY t RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS live FROM ${x}d)`,
    `${x}hot AS (SELECT ${columns(
      s,
      s.map((name, at) => `${name} AS k${at}`),
    )}, slot, min(t) - ${span} AS lo, max(t) AS hi, CAST(max(live) AS BIGINT) AS peak
 FROM (SELECT ${columns(s)}, t, live, ${slotOf(compiled, 't')} AS slot FROM ${x}live WHERE delta = 1 AND live >= ${atLeast} AND ${inWindow('t', compiled.window)}) AS w
 GROUP BY ${columns(s)}, slot)`,
  ];
}

/**
 * Days on which a combination occurs, each with the last time before. It is new in the first slot of such a day, where that is too long ago; and enough have to be new,
 * and whose it is has to have a habit.
 */
function firstSeenCtes(compiled: Compiled, x: string, kind: KindOf<'first-seen'>): readonly string[] {
  const { per, values, atLeast, habit, overMs } = kind;
  const s = names('s', compiled.subject.length);
  const p = names('p', per.length);
  const f = names('f', values.length);
  const combination = [...p, ...f];
  const keys = [...s, ...combination];
  // A value that stands in several places is grouped by once.
  const sources = [...compiled.subject, ...per, ...values];
  const firsts = sources.map((sql) => keys[sources.indexOf(sql)] ?? '');
  const apart = [...new Set(firsts)];
  // Within a shorter span it may be new twice a day.
  const dayOf = (time: string): string => (overMs < DAY_MS ? slotOf(compiled, time) : `date_trunc('day', ${time})`);
  const known =
    compiled.past === undefined
      ? `${x}o`
      : `(SELECT ${columns(combination)}, day_start, lo, hi FROM ${x}o UNION ALL SELECT ${columns(combination)}, ${dayOf('slot')} AS day_start, slot AS lo, slot AS hi FROM (${compiled.past.sql}) AS past) AS known`;
  const lastMs = (compiled.slotMs ?? 0) - 1;
  return [
    `${x}o AS (SELECT ${columns(keys.map((name, at) => (firsts[at] === name ? name : `${firsts[at]} AS ${name}`)))}, day_start, min(t) AS lo, max(t) AS hi
 FROM (SELECT ${columns(apart)}, t, ${dayOf('t')} AS day_start FROM ${x}q WHERE ${f.map((name) => `${name} IS NOT NULL`).join(' AND ')}) AS w
 GROUP BY ${columns(apart)}, day_start)`,
    `${x}c AS (SELECT ${columns(combination)}, day_start, ${slotOf(compiled, 'lo')} AS slot, lag(hi) OVER (PARTITION BY ${columns(combination)} ORDER BY day_start) AS last_t
 FROM (SELECT ${columns(combination)}, day_start, min(lo) AS lo, max(hi) AS hi FROM ${known} GROUP BY ${columns(combination)}, day_start) AS w)`,
    `${x}new AS (SELECT ${columns(combination)}, day_start, slot FROM ${x}c WHERE ${inWindow('slot', compiled.window)} AND (last_t IS NULL OR last_t < slot - ${spanLiteral(overMs)}))`,
    `${x}fresh AS (SELECT ${columns(keys.map((name) => `o.${name}`))}, w.day_start, w.slot, count(*) OVER (PARTITION BY ${columns(s.map((name) => `o.${name}`))}, w.slot) AS n
 FROM ${x}o AS o JOIN ${x}new AS w ON ${same('o', 'w', [...combination, 'day_start'])} AND ${slotOf(compiled, 'o.lo')} = w.slot)`,
    ...habitCtes(x, kind, known),
    `${x}hot AS (SELECT ${columns(
      s.map((name) => `o.${name}`),
      keys.map((name, at) => `o.${name} AS k${at}`),
      p.map((name) => `o.${name}`),
    )}, o.slot, o.slot AS lo, o.slot + ${spanLiteral(lastMs)} AS hi, ${atLeast > 1 ? 'o.n' : 'CAST(NULL AS BIGINT)'} AS peak FROM ${x}fresh AS o${
      habit === null ? '' : ` JOIN ${x}habit AS h ON ${same('o', 'h', [...p, 'day_start'])}`
    } WHERE o.n >= ${atLeast})`,
  ];
}

/** Days of new values (p…, day_start) before which it is known well enough what is usual, and that is little. Of the span's first day only a part may have been read. */
function habitCtes(
  x: string,
  { per, values, atLeast, habit, overMs }: KindOf<'first-seen'>,
  known: string,
): readonly string[] {
  if (habit === null) return [];
  const p = names('p', per.length);
  const w = p.map((name) => `w.${name}`);
  const value = names('d.f', values.length).join(' || chr(0) || ');
  return [
    `${x}asked AS (SELECT DISTINCT ${columns(p)}, day_start FROM ${x}fresh WHERE n >= ${atLeast})`,
    `${x}habit AS (SELECT ${columns(w)}, w.day_start FROM ${x}asked AS w JOIN (SELECT * FROM ${known}) AS d
 ON ${same('w', 'd', p)} AND d.day_start < w.day_start AND d.day_start > w.day_start - ${spanLiteral(overMs)}
 GROUP BY ${columns(w)}, w.day_start HAVING count(DISTINCT d.day_start) >= ${habit.days} AND count(DISTINCT ${value}) <= ${habit.values})`,
  ];
}

/** Minutes of a week. */
const WEEK_MINUTES = 10_080;

/**
 * The slot's count beside what is usual: the lower median of the subject's earlier slots that hold events and their median distance from it; and, where it is asked for,
 * the same of those that lie whole weeks before.
 */
function timesUsualCtes(
  compiled: Compiled,
  x: string,
  { times, mads, isWeekly, atLeast, overMs }: KindOf<'times-usual'>,
): readonly string[] {
  const s = names('s', compiled.subject.length);
  const ws = s.map((name) => `w.${name}`);
  /** Slots that are looked at together: all, or (r = 1) those of whole weeks before. */
  const set = [...s, 'slot', 'r'];
  const median = (value: string, from: string, name: string): string =>
    `(SELECT ${columns(set)}, max(${value}) AS ${name} FROM (SELECT ${columns(set)}, ${value}, row_number() OVER (PARTITION BY ${columns(set)} ORDER BY ${value}) AS place,
 count(*) OVER (PARTITION BY ${columns(set)}) AS slots FROM ${from}) AS w WHERE place = (slots + 1) / 2 GROUP BY ${columns(set)})`;
  const us = [...s, 'slot'].map((name) => `u.${name}`);
  const counts =
    compiled.past === undefined
      ? `${x}g`
      : `(SELECT ${columns(s)}, slot, n FROM ${x}g UNION ALL SELECT ${columns(s)}, slot, CAST(sum(n) AS BIGINT) AS n FROM (${compiled.past.sql}) AS past GROUP BY ${columns(s)}, slot)`;
  const [fold, above] = [`${times} * u.usual`, `u.usual + ${mads} * o.spread`];
  const bound = mads === 0 ? fold : `CASE WHEN ${fold} > ${above} THEN ${fold} ELSE ${above} END`;
  return [
    `${x}g AS (SELECT ${columns(s)}, slot, count(*) AS n, min(t) AS lo, max(t) AS hi, min(p0) AS p0
 FROM (SELECT ${columns(s)}, p0, t, ${slotOf(compiled, 't')} AS slot FROM ${x}q) AS w GROUP BY ${columns(s)}, slot)`,
    `${x}now AS (SELECT ${columns(s)}, slot, n, lo, hi, p0 FROM ${x}g WHERE n >= ${atLeast} AND ${inWindow('slot', compiled.window)})`,
    `${x}before AS (SELECT ${columns(ws)}, w.slot, g.n, date_diff('minute', g.slot, w.slot) % ${WEEK_MINUTES} AS shift
 FROM ${x}now AS w JOIN ${counts} AS g ON ${same('g', 'w', s)} AND g.slot >= w.slot - ${spanLiteral(overMs)} AND g.slot < w.slot)`,
    `${x}past AS (SELECT ${columns(s)}, slot, n, 0 AS r FROM ${x}before${isWeekly ? ` UNION ALL SELECT ${columns(s)}, slot, n, 1 AS r FROM ${x}before WHERE shift = 0` : ''})`,
    `${x}usual AS ${median('n', `${x}past`, 'usual')}`,
    ...(mads === 0
      ? []
      : [
          `${x}off AS (SELECT ${columns(set.map((name) => `p.${name}`))}, abs(p.n - u.usual) AS off FROM ${x}past AS p JOIN ${x}usual AS u ON ${same('p', 'u', set)})`,
          `${x}spread AS ${median('off', `${x}off`, 'spread')}`,
        ]),
    `${x}least AS (SELECT ${columns(us)}, max(${bound}) AS least
 FROM ${x}usual AS u${mads === 0 ? '' : ` JOIN ${x}spread AS o ON ${same('u', 'o', set)}`} GROUP BY ${columns(us)})`,
    `${x}hot AS (SELECT ${columns(
      ws,
      s.map((name, at) => `w.${name} AS k${at}`),
    )}, w.p0, w.slot, w.lo, w.hi, CAST(NULL AS BIGINT) AS peak
 FROM ${x}now AS w LEFT JOIN ${x}least AS u ON ${same('w', 'u', [...s, 'slot'])} WHERE w.n >= coalesce(u.least, 0))`,
  ];
}

/** Ranks behind every step: an event that fits several steps counts for the earlier ones only for what is strictly later. */
const LATER = 1000;

/**
 * Step by step, the latest start from which the steps so far can be walked. Ties in time are ordered by step, so that events of one second count as in order; an
 * event never follows itself.
 */
function sequenceCtes(compiled: Compiled, x: string, { atLeast, withinMs }: KindOf<'sequence'>): readonly string[] {
  const s = names('s', compiled.subject.length);
  const k = names('k', keyCount(compiled));
  const rows = atLeast.map(
    (_, at) =>
      `SELECT ${at + 1} AS step, CASE WHEN top = ${at + 1} THEN ${at + 1} ELSE ${LATER + at + 1} END AS rank, ${columns(k, s)}, t, event_id FROM ${x}q WHERE f${at + 1}`,
  );
  const ctes = [`${x}st AS (${rows.join('\n UNION ALL ')})`];
  atLeast.forEach((least, at) => {
    const step = at + 1;
    const nth = (value: string): string =>
      `lag(${value}, ${least - 1}) OVER (PARTITION BY ${columns(k)} ORDER BY t, rank, event_id)`;
    if (at === 0) {
      ctes.push(`${x}c1 AS (SELECT ${columns(k, s)}, t, rank, ${nth('t')} AS start FROM ${x}st WHERE step = 1)`);
      return;
    }
    ctes.push(
      `${x}r${step} AS (SELECT step, ${columns(k, s)}, t, rank, event_id,
 max(start) OVER (PARTITION BY ${columns(k)} ORDER BY t, rank RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS reach
 FROM (SELECT 0 AS step, ${columns(k, s)}, t, rank, event_id, start FROM (SELECT ${columns(k, s)}, t, rank, CAST(NULL AS VARCHAR) AS event_id, start FROM ${x}c${step - 1}) AS before
 UNION ALL SELECT step, ${columns(k, s)}, t, rank, event_id, CAST(NULL AS timestamp) FROM ${x}st WHERE step = ${step}) AS w)`,
      `${x}c${step} AS (SELECT ${columns(k, s)}, t, rank, ${nth('reach')} AS start FROM ${x}r${step} WHERE step = ${step})`,
    );
  });
  const span = spanLiteral(withinMs);
  ctes.push(
    `${x}hot AS (SELECT ${columns(s, k)}, slot, min(t) - ${span} AS lo, max(t) AS hi, CAST(NULL AS BIGINT) AS peak
 FROM (SELECT ${columns(s, k)}, t, ${slotOf(compiled, 't')} AS slot FROM ${x}c${atLeast.length} WHERE start > t - ${span} AND ${inWindow('t', compiled.window)}) AS w
 GROUP BY ${columns(s, k)}, slot)`,
  );
  return ctes;
}

type Threshold = KindOf<'threshold'>;

const inStretches = (lean: string, { withinMs }: Threshold): string =>
  `(SELECT *, CAST(floor(to_unixtime(t) / ${withinMs / 1000}) AS BIGINT) AS stretch FROM ${lean} AS l)`;

/** Stretches of time as long as the span, numbered from the epoch, which together with the one before hold enough of a subject's events or values: where it could be hot. */
export function crowdedStretches(lean: string, s: readonly string[], kind: Threshold): string {
  const keys = s.join(', ');
  const stretched = inStretches(lean, kind);
  if (kind.distinct !== null) {
    return `WITH seen AS (SELECT DISTINCT ${keys}, stretch, v FROM ${stretched} AS w WHERE v IS NOT NULL),
 pairs AS (SELECT ${keys}, stretch, v FROM seen UNION SELECT ${keys}, stretch + 1, v FROM seen)
 SELECT ${keys}, stretch FROM pairs GROUP BY ${keys}, stretch HAVING count(*) >= ${kind.atLeast}`;
  }
  return `WITH counts AS (SELECT ${keys}, stretch, count(*) AS n FROM ${stretched} AS w GROUP BY ${keys}, stretch),
 pairs AS (SELECT ${keys}, stretch, n, lag(stretch) OVER (PARTITION BY ${keys} ORDER BY stretch) AS last_stretch, lag(n) OVER (PARTITION BY ${keys} ORDER BY stretch) AS last_n FROM counts)
 SELECT ${keys}, stretch FROM pairs WHERE n + CASE WHEN last_stretch = stretch - 1 THEN last_n ELSE 0 END >= ${kind.atLeast}`;
}

/**
 * Only events of crowded stretches and of those before them. Two hot rows of one stretch see all the events that decide about them, so nothing changes but the
 * number of rows.
 */
export function crowded(lean: string, s: readonly string[], kind: Threshold): string {
  const keys = s.join(', ');
  return `SELECT w.* FROM ${inStretches(lean, kind)} AS w JOIN (
 WITH hot AS (${crowdedStretches(lean, s, kind)})
 SELECT ${keys}, stretch FROM hot UNION SELECT ${keys}, stretch - 1 FROM hot) AS c ON ${same('w', 'c', [...s, 'stretch'])}`;
}
