/** A correlation as one portable SELECT, for what thresholds and sequences of the engine cannot say: aliases, sums, any order, chains, and other comparisons than "at least". */
import { EVIDENCE_MAX } from '../alert.ts';
import type { Condition } from '../detector.ts';
import type { Roles, Table } from '../table.ts';
import { DAY_MS, HOUR_MS, SECOND_MS } from '../time.ts';
import { type Bound, type Correlation, fieldIn, keyIn, type RuleSource } from './correlation.ts';
import { RuleProblem } from './document.ts';

/** How conditions and keys are said in SQL: the engine's own way. */
export interface SqlWords {
  readonly condition: (condition: Condition, table: Table) => string;
  /** The text of one column or path. */
  readonly value: (key: string, table: Table) => string;
}

const SIGNS: Readonly<Record<Bound['operator'], string>> = {
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  eq: '=',
  neq: '<>',
};

const span = (ms: number): string => `INTERVAL '${ms / SECOND_MS}' SECOND`;
const list = (...parts: readonly (string | readonly string[])[]): string => parts.flat().join(', ');

/** How far before an event those lie that decide with it. */
export const reachOf = ({ withinMs, sources }: Correlation): number =>
  withinMs + Math.max(0, ...sources.map((source) => (source.kind === 'rule' ? 0 : reachOf(source))));

/** `subject`: names of the columns that tell the group. `slotMs`: an hour, six hours or a day. */
export function correlationSql(
  correlation: Correlation,
  subject: readonly string[],
  slotMs: number,
  { words, portable }: { readonly words: SqlWords; readonly portable: boolean },
): string {
  return new Statement(words, portable).of(correlation, subject, slotMs);
}

const slotOf = (ms: number): string => {
  if (ms === DAY_MS) return "date_trunc('day', t)";
  if (ms === HOUR_MS) return "date_trunc('hour', t)";
  const hours = ms / HOUR_MS;
  return `date_add('hour', (hour(t) / ${hours}) * ${hours}, date_trunc('day', t))`;
};

class Statement {
  readonly #words: SqlWords;
  readonly #portable: boolean;
  readonly #ctes: string[] = [];
  #count = 0;

  constructor(words: SqlWords, portable: boolean) {
    this.#words = words;
    this.#portable = portable;
  }

  of(root: Correlation, subject: readonly string[], slotMs: number): string {
    const g = root.groupBy.map((_, at) => `g${at}`);
    const hot = this.#occurrences(root);
    const evidence = this.#add(this.#leaves(root).join('\n UNION ALL '));
    const same = g.map((name) => `h.${name} = e.${name}`).join(' AND ');
    const one = (column: string): string =>
      `CASE WHEN min(${column}) = max(${column}) THEN min(${column}) END AS ${column}`;
    const slots = this.#add(
      `SELECT ${list(g)}, ${slotOf(slotMs)} AS slot, min(lo) AS lo, max(t) AS hi, max(peak) AS peak FROM ${hot} WHERE t >= :from AND t < :to GROUP BY ${list(g, slotOf(slotMs))}`,
    );
    const found = this.#add(
      `SELECT ${list(g.map((name) => `h.${name}`))}, h.slot, h.peak, e.t, e.event_id, e.account_id, e.aws_region, e.source_ip, e.principal_arn,
 row_number() OVER (PARTITION BY ${list(
   g.map((name) => `h.${name}`),
   'h.slot',
 )} ORDER BY e.t, e.event_id) AS place FROM ${slots} AS h JOIN ${evidence} AS e ON ${same === '' ? 'true' : same} AND e.t > h.lo AND e.t <= h.hi`,
    );
    return `-- One row per group and slot in which the correlation holds.
WITH ${this.#ctes.join(',\n')}
SELECT ${list(
      g.map((name, at) => `${name} AS ${subject[at] ?? name}`),
      'slot',
    )}, CAST(max(peak) AS BIGINT) AS peak, min(t) AS first_seen, max(t) AS last_seen, count(*) AS count,
 array_agg(event_id ORDER BY t, event_id) FILTER (WHERE place <= ${EVIDENCE_MAX} AND event_id IS NOT NULL) AS event_ids,
 ${['account_id', 'aws_region', 'source_ip', 'principal_arn']
   .filter((name) => !subject.includes(name))
   .map(one)
   .join(', ')}
FROM ${found} GROUP BY ${list(g, 'slot')} ORDER BY ${list('slot', g)}`;
  }

  #add(sql: string): string {
    this.#count += 1;
    const name = `r${this.#count}`;
    this.#ctes.push(`${name} AS (${sql})`);
    return name;
  }

  /** When it holds: g0…, t, lo (after which its evidence lies), peak. */
  #occurrences(correlation: Correlation): string {
    const { type, withinMs, bounds } = correlation;
    const g = correlation.groupBy.map((_, at) => `g${at}`);
    const by = g.length === 0 ? '' : `PARTITION BY ${list(g)} `;
    const lo = `t - ${span(reachOf(correlation))} AS lo`;
    const holds = bounds
      .map(({ operator, value }) => `n ${SIGNS[operator]} ${value < 0 ? `(${value})` : value}`)
      .join(' AND ');
    if (type === 'temporal_ordered') return this.#ordered(correlation, g, lo);
    // What is exactly as old as the span has left it.
    const frame = `OVER (${by}ORDER BY t RANGE BETWEEN ${span(withinMs - 1)} PRECEDING AND CURRENT ROW)`;
    if (type === 'event_count' || type === 'value_sum') {
      const events = this.#add(this.#union(correlation, (at) => this.#numberOf(correlation, at)));
      const counted = type === 'event_count' ? `count(*) ${frame}` : `sum(v0) ${frame}`;
      const live = this.#add(
        `SELECT ${list(g, 't')}, ${counted} AS n FROM ${events}${type === 'value_sum' ? ' WHERE v0 IS NOT NULL' : ''}`,
      );
      return this.#add(`SELECT ${list(g, 't', lo)}, floor(n) AS peak FROM ${live} WHERE ${holds}`);
    }
    // Each value is +1 at its time, and -1 once it leaves the span or comes again; live is the running sum.
    const values = type === 'temporal' ? ['v0'] : correlation.fields.map((_, at) => `v${at}`);
    const events = this.#add(
      this.#union(correlation, (at) => (type === 'temporal' ? [String(at)] : this.#valuesOf(correlation, at))),
    );
    const leaves = `CASE WHEN next_t < t + ${span(withinMs)} THEN next_t ELSE t + ${span(withinMs)} END`;
    const next = this.#add(
      `SELECT ${list(g, 't')}, lead(t) OVER (PARTITION BY ${list(g, values)} ORDER BY t) AS next_t FROM ${events} WHERE ${values.map((name) => `${name} IS NOT NULL`).join(' AND ')}`,
    );
    const steps = this.#add(
      `SELECT ${list(g, 't', '1 AS delta')} FROM ${next} UNION ALL SELECT ${list(g, leaves, '-1')} FROM ${next}`,
    );
    const live = this.#add(
      `SELECT ${list(g, 't', 'delta')}, sum(delta) OVER (${by}ORDER BY t RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS n FROM ${steps}`,
    );
    return this.#add(`SELECT ${list(g, 't', lo)}, n AS peak FROM ${live} WHERE delta = 1 AND ${holds}`);
  }

  /** Step by step, the latest start from which the steps so far can be walked. What is of one instant counts as in order; an event never follows itself. */
  #ordered(correlation: Correlation, g: readonly string[], lo: string): string {
    const steps = correlation.sources.map((source, at) => {
      const later = correlation.sources.slice(at + 1).filter((one) => one.kind === 'rule');
      const isLater =
        source.kind === 'rule' && later.length > 0
          ? later.map((one) => this.#words.condition(one.condition, one.table)).join(' OR ')
          : null;
      const rank = isLater === null ? String(at) : `CASE WHEN ${isLater} THEN ${LATER + at} ELSE ${at} END`;
      return this.#add(this.#events(correlation, source, [rank]));
    });
    const by = g.length === 0 ? '' : `PARTITION BY ${list(g)} `;
    let walked = this.#add(`SELECT ${list(g, 't', 'v0', 't AS start')} FROM ${steps[0]}`);
    for (const step of steps.slice(1)) {
      const reach = this.#add(
        `SELECT ${list(g, 't', 'v0', 'isstep')}, max(start) OVER (${by}ORDER BY t, v0 RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS start
 FROM (SELECT ${list(g, 't', 'v0', 'start', '0 AS isstep')} FROM ${walked} UNION ALL SELECT ${list(g, 't', 'v0', 'CAST(NULL AS timestamp)', '1')} FROM ${step}) AS w`,
      );
      walked = this.#add(`SELECT ${list(g, 't', 'v0', 'start')} FROM ${reach} WHERE isstep = 1 AND start IS NOT NULL`);
    }
    return this.#add(
      `SELECT ${list(g, 't', lo)}, CAST(NULL AS BIGINT) AS peak FROM ${walked} WHERE start > t - ${span(correlation.withinMs)}`,
    );
  }

  /** The occurrences of all that it correlates, one below the other, with v0… beside them. */
  #union(correlation: Correlation, values: (at: number) => readonly string[]): string {
    return correlation.sources.map((source, at) => this.#events(correlation, source, values(at))).join('\n UNION ALL ');
  }

  /** g0…, t, v0…: events of a rule, or when a correlation holds. */
  #events(correlation: Correlation, source: RuleSource | Correlation, values: readonly string[]): string {
    const named = values.map((sql, at) => `${sql} AS v${at}`);
    const g = correlation.groupBy.map((field, at) => {
      const meant = fieldIn(correlation, field, source);
      if (source.kind === 'rule')
        return `${this.#words.value(keyIn(meant, source.table, this.#portable), source.table)} AS g${at}`;
      return `${innerGroup(source, meant)} AS g${at}`;
    });
    const names = list(
      g.map((_, at) => `g${at}`),
      't',
      values.map((_, at) => `v${at}`),
    );
    const from =
      source.kind === 'rule'
        ? `SELECT ${list(g, 'event_time AS t', named)} FROM ${source.table.name} WHERE ${this.#words.condition(source.condition, source.table)}`
        : `SELECT ${list(g, 't', named)} FROM ${this.#occurrences(source)}`;
    const present = g.map((_, at) => `g${at} IS NOT NULL`);
    return present.length === 0 ? from : `SELECT ${names} FROM (${from}) AS q WHERE ${present.join(' AND ')}`;
  }

  #valuesOf(correlation: Correlation, at: number): readonly string[] {
    const source = correlation.sources[at];
    return correlation.fields.map((field) => {
      if (source?.kind !== 'rule')
        throw new RuleProblem(field.place, `'${field.name}' is to be read of a correlation, which has events only`);
      return this.#words.value(keyIn(fieldIn(correlation, field, source), source.table, this.#portable), source.table);
    });
  }

  #numberOf(correlation: Correlation, at: number): readonly string[] {
    return correlation.type === 'value_sum'
      ? this.#valuesOf(correlation, at).map((sql) => `TRY_CAST(${sql} AS DOUBLE)`)
      : [];
  }

  /** The events of all rules below, each with the group that the outermost correlation puts it in. */
  #leaves(root: Correlation): readonly string[] {
    const groups = new Map<string, { from: string; conditions: string[] }>();
    const visit = (correlation: Correlation, fields: Correlation['groupBy']): void => {
      for (const source of correlation.sources) {
        const meant = fields.map((field) => fieldIn(correlation, field, source));
        if (source.kind === 'correlation') {
          visit(source, meant);
          continue;
        }
        const { table } = source;
        const g = meant.map(
          (field, at) => `${this.#words.value(keyIn(field, table, this.#portable), table)} AS g${at}`,
        );
        const from = `SELECT ${list(g, 'event_time AS t', evidenceColumns(table.roles))} FROM ${table.name}`;
        const group = groups.get(from) ?? { from, conditions: [] };
        group.conditions.push(this.#words.condition(source.condition, table));
        groups.set(from, group);
      }
    };
    visit(root, root.groupBy);
    return [...groups.values()].map(
      ({ from, conditions }) => `${from} WHERE ${[...new Set(conditions)].map((sql) => `(${sql})`).join(' OR ')}`,
    );
  }
}

/** Ranks behind every step: an event that fits several steps counts for the earlier ones only for what is strictly later. */
const LATER = 1000;

function innerGroup(
  source: Correlation,
  { name, place }: { readonly name: string; readonly place: RuleProblem['place'] },
): string {
  const at = source.groupBy.findIndex((field) => field.name === name);
  if (at >= 0) return `g${at}`;
  throw new RuleProblem(place, `'${name}' is no field that the correlation '${source.names[0] ?? '?'}' groups by`);
}

const evidenceColumns = ({ eventId, accountId, region, sourceIp, principalArn }: Roles): readonly string[] =>
  Object.entries({
    event_id: eventId,
    account_id: accountId,
    aws_region: region,
    source_ip: sourceIp,
    principal_arn: principalArn,
  }).map(([name, column]) => `${column ?? 'CAST(NULL AS VARCHAR)'} AS ${name}`);
