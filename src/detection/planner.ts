/** The engine: looks at a few columns that tell which detectors concern any events, one wide scan that keeps the events of all of them, then each detector over what was kept. */
import type { Backend, Param, Row } from '../backend.ts';
import { addressSelect, contextNamed, inContext, isContext } from '../enrichment.ts';
import {
  type CountQuery,
  type Finding,
  type HuntEngine,
  type HuntRequest,
  type HuntStatement,
  type HuntTaskResult,
  LATENESS_MS,
} from '../hunt.ts';
import type { Column, Table } from '../table.ts';
import { DAY_MS, type Window } from '../time.ts';
import {
  type Compiled,
  compile,
  dayFilter,
  guarded,
  isRefutable,
  plainSql,
  reachOf,
  slotSql,
  textOrNull,
  timeFilter,
} from './compile.ts';
import { conditionSql, leavesOf, lookedUp, necessarySql, textLiteral, withLeaves } from './condition.ts';
import { COUNTS, type Count, countOf, countsSql, historyCount, pastSql, withPast } from './counts.ts';
import {
  eventsSql,
  evidenceColumn,
  evidenceColumns,
  evidenceInputs,
  evidenceSql,
  findingOf,
  findingOfSql,
  merged,
} from './findings.ts';
import { History, perOf } from './history.ts';
import { crowded, crowdedStretches, hotCtes, inWindow, keyCount, names } from './hot.ts';
import { asText, numberOf, textOf, timeMsOf } from './rows.ts';

/** A detector that concerns more events than this reads what it needs on its own, so that the wide scan need not carry them. */
const BROAD_ROWS = 20_000;
/** So does one that looks into JSON: what it reads once more is cheaper than to carry the JSON of so many. */
const BROAD_JSON_ROWS = 100_000;
/** Of a detector for which all events of a subject and slot are one finding, so many at a time: the evidence of all at once may not fit into memory. */
const EACH_ROWS = 100_000;
/** Event names that together hold at most so many events, or this share of all, are worth a filter of their own. */
const NARROW_ROWS = 20_000;
const NARROW_SHARE = 0.2;
const NAMES_MAX = 500;
/** A column with more distinct values is tested event by event. */
const DISTINCT_MAX = 5000;
/** So do those tests that more values pass: a value in a list is looked for one by one. */
const LOOKUP_MAX = 50;
/** A text column with so many tests is looked at though none of them is costly: most tests pass no value at all, and their detectors need no look at any event. */
const LOOK_TESTS = 10;
/** Rows of one VALUES list. */
const HOT_ROWS_MAX = 2000;
/** Statements at a time: one is planned, on one core, while the other is run. */
const LANES = 2;
/** On an engine elsewhere, which has cores of its own; Athena runs 20 of an account at a time at least: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html. */
const LANES_ELSEWHERE = 8;
/** A statement that takes more detectors together would be refused by Athena, which takes 262,144 bytes, once relations stand in it for tables. */
const STATEMENT_LENGTH_MAX = 200_000;
/** The wide scan is split where it is longer: DuckDB claims a vector for each step of each flag, touched or not, and 80 kB of flags claim 500 MB. To read the table once more takes less than a second for 4M events. */
const KEPT_LENGTH_MAX = 20_000;
/** The table of kept events; the next ones have numbers. */
const KEPT = 'hunt_events';
/** Detectors that read so many times as far back as others, and more than a day, look at the data on their own. */
const FAR = 4;
/** The table of counts that a hunt begins with. */
const PROFILE = 'hunt_profile';

/** The engine for one table. */
export function createEngine(table: Table): HuntEngine {
  return {
    reachMs: reachOf,
    isRefutable,
    counts: (request) => new Run(table, request, true).counts(),
    run: (backend, request) => new Run(table, request, backend.keep !== undefined).run(backend),
    explain: (request, { keeps = true } = {}) => new Run(table, request, keeps).explain(),
  };
}

/** A detector that can be judged, with its place in the request. */
interface Job {
  readonly at: number;
  readonly compiled: Compiled;
  /** Reads what it needs from the table on its own. */
  readonly isBroad: boolean;
  /** The names of those events where they are few; null otherwise. */
  readonly names: readonly (string | null)[] | null;
  /** The table in which its events are kept, where they are. */
  readonly kept: string;
  /** How many events pass what can be told before any is read; 0 where nobody looked. */
  readonly events: number;
}

/** A statement and the jobs that it is for. */
interface Asked {
  readonly jobs: readonly Job[];
  readonly sql: string;
  /** Where it is for all jobs alike. */
  readonly title?: string;
  readonly params?: Readonly<Record<string, Param>>;
  readonly window?: Window;
}

class Run {
  readonly #table: Table;
  readonly #request: HuntRequest;
  /** Whether the backend keeps rows. Where it does not, nothing is looked at first: each look would read raw files again. */
  readonly #keeps: boolean;
  /** The column of event names. */
  readonly #name: string;
  /** Columns whose common value is asked for. */
  readonly #shared: readonly string[];
  readonly #findings: Finding[][];
  readonly #notes: string[][];

  constructor(table: Table, request: HuntRequest, keeps: boolean) {
    this.#table = inContext(table);
    this.#request = request;
    this.#keeps = keeps;
    this.#name = table.roles.eventName;
    this.#shared = request.columns.filter((name) => table.columns.some((column) => column.name === name));
    this.#findings = request.tasks.map(() => []);
    this.#notes = request.tasks.map(() => []);
  }

  async run(backend: Backend): Promise<readonly HuntTaskResult[]> {
    const compiled = this.#compiled();
    const jobs = jobsOf(compiled);
    if (this.#keeps) {
      await this.#keepCounts(backend, jobs);
      for (const group of apart(jobs)) await this.#runKeeping(backend, group);
    } else await this.#judge(backend, alone(jobs));
    return compiled.map(({ window }, at) => ({
      findings: merged(this.#findings[at] ?? []),
      judged: window.fromMs < window.toMs ? window : null,
      notes: this.#notes[at] ?? [],
    }));
  }

  /** Looks at the data, keeps the events that any detector wants, and judges what they concern. */
  async #runKeeping(backend: Backend, all: readonly Job[]): Promise<void> {
    await this.#profile(backend, all);
    const jobs = await this.#profiled(backend, await this.#resolved(backend, all));
    const parts = this.#keptParts(jobs.filter(isKept));
    for (const { jobs: kept, sql } of parts)
      await this.#keep(backend, kept[0]?.kept ?? KEPT, { title: 'the events of all conditions', jobs: kept, sql });
    const hit: Job[] = [];
    for (const { jobs: kept } of parts) hit.push(...(await this.#withHits(backend, kept)));
    await this.#judge(backend, [...jobs.filter((job) => !isKept(job)), ...hit]);
  }

  /** Finds what there is to find. */
  async #judge(backend: Backend, jobs: readonly Job[]): Promise<void> {
    await together(this.#keeps ? LANES : LANES_ELSEWHERE, [
      ...groupsOf(jobs.filter(needsHistory), historyKey).map((group) => () => this.#runBaselines(backend, group)),
      ...jobs.filter(isSql).map((job) => () => this.#runSql(backend, job)),
      ...jobs.filter(isHotFirst).map((job) => async () => {
        await this.#addEvidence(backend, job, await this.#hot(backend, job));
      }),
      ...jobs
        .filter(isEach)
        .flatMap((job) =>
          piecesOf(job).map(
            (piece) => () =>
              this.#collect(backend, { sql: this.#groupedSql(piece), jobs: [piece], window: reading([piece]) }),
          ),
        ),
      ...this.#singles(jobs.filter(isEvent)).map(
        ({ sql, jobs: those }) =>
          () =>
            this.#collect(backend, { sql, jobs: those, window: reading(those) }),
      ),
    ]);
  }

  /** What would run if every detector concerned some events, but few; on a backend that keeps no rows, what runs whatever the events. */
  explain(): readonly HuntStatement[] {
    const all = jobsOf(this.#compiled());
    const asked = this.#keeps ? apart(all).flatMap((group) => this.#explained(group)) : this.#explained(alone(all));
    return [...this.#lookUps(asked), ...asked].map((statement) => this.#described(statement));
  }

  /** Where no rows are kept, addresses that have to be looked up are asked for first. */
  #lookUps(asked: readonly Asked[]): readonly Asked[] {
    const text = this.#keeps ? '' : asked.map(({ sql }) => sql).join();
    const jobs = asked.flatMap((one) => one.jobs);
    const columns = contextNamed(text, this.#table).filter(({ context }) => context.kind === 'address');
    return [...new Set(columns.map(({ context }) => context.of))].map((column) => ({
      title: `${column} of the window, to be looked up`,
      jobs,
      sql: addressSelect(this.#table, column, reading(jobs)),
    }));
  }

  #explained(all: readonly Job[]): readonly Asked[] {
    const parts = this.#keeps ? this.#keptParts(all.filter(isKept)) : [];
    const jobs = [...all.filter((job) => !this.#keeps || !isKept(job)), ...parts.flatMap((part) => part.jobs)];
    return [
      ...parts.map((part) => ({ ...part, title: `the events of all conditions, kept as main.${part.jobs[0]?.kept}` })),
      ...this.#singles(jobs.filter(isEvent)),
      ...jobs.filter(isEach).map((job) => ({ jobs: [job], sql: this.#groupedSql(job) })),
      ...jobs
        .filter((job) => isHotFirst(job) || isBaseline(job))
        .map((job) => ({ jobs: [job], sql: this.#hotSql(job) })),
      ...jobs.filter(isSql).map((job) => ({ jobs: [job], sql: this.#ownSql(job) })),
    ];
  }

  /** What baselines need to know of the days before the windows. */
  counts(): { readonly days: Window; readonly queries: readonly CountQuery[] } | null {
    const jobs = jobsOf(this.#compiled()).filter((job) => isBaseline(job) && this.#isCountable(job.compiled));
    if (jobs.length === 0) return null;
    const days = {
      fromMs: startOfDay(reading(jobs).fromMs),
      toMs: startOfDay(Math.min(...jobs.map(({ compiled }) => compiled.window.fromMs))),
    };
    if (days.fromMs >= days.toMs) return null;
    const queries = this.#countsOf(jobs).map(({ count, jobs: those }) => ({
      ...this.#described({ title: `counts for ${titleOf(those)}`, jobs: those, sql: count.sql }),
      key: count.key,
    }));
    return { days, queries };
  }

  /** Not what rests on what is known beside the logs: that may be known otherwise tomorrow. */
  #isCountable(compiled: Compiled): boolean {
    if (perOf(compiled.kind).length === 0) return false;
    return contextNamed(countOf(compiled, this.#table, this.#request.lists).sql, this.#table).length === 0;
  }

  /** What these baselines count, each once. */
  #countsOf(jobs: readonly Job[]): readonly { readonly count: Count; readonly jobs: readonly Job[] }[] {
    const wanted = [
      ...jobs.map((job) => ({ count: countOf(job.compiled, this.#table, this.#request.lists), jobs: [job] })),
      ...groupsOf(jobs.filter(needsHistory), historyKey).map((group) => ({
        count: this.#historyCount(group),
        jobs: group,
      })),
    ];
    return [...new Set(wanted.map(({ count }) => count.key))].map((key) => {
      const same = wanted.filter(({ count }) => count.key === key);
      return { count: (same[0] as (typeof same)[number]).count, jobs: same.flatMap(({ jobs: those }) => those) };
    });
  }

  /** Reads what is known of the days before, once for all. */
  async #keepCounts(backend: Backend, jobs: readonly Job[]): Promise<void> {
    const counted = jobs.filter(({ compiled }) => compiled.past !== undefined);
    if (counted.length === 0) return;
    const sql = countsSql(this.#countsOf(counted).map(({ count }) => count.key));
    await this.#keep(backend, COUNTS, { title: 'the counts of the days before', jobs: counted, sql });
  }

  #historyCount(jobs: readonly Job[]): Count {
    const [first] = jobs;
    return historyCount(
      this.#table,
      first === undefined ? [] : perOf(first.compiled.kind),
      first?.compiled.slotMs ?? DAY_MS,
    );
  }

  #compiled(): readonly Compiled[] {
    const { tasks, lists, counted } = this.#request;
    return tasks.map((task) => {
      const compiled = this.#judgeable(compile(task, this.#table, lists));
      const isCounted =
        counted !== undefined &&
        counted !== null &&
        this.#isCountable(compiled) &&
        compiled.readFromMs < counted.toMs &&
        compiled.window.fromMs >= counted.toMs;
      return isCounted ? withPast(compiled, this.#table, lists, counted) : compiled;
    });
  }

  /** Takes off the slots whose events may still be under way, where late data could refute a finding. */
  #judgeable(compiled: Compiled): Compiled {
    if (!isRefutable(compiled.detector) || compiled.slotMs === null) return compiled;
    const { nowMs, latenessMs = LATENESS_MS } = this.#request;
    const readyMs = Math.floor((nowMs - latenessMs) / compiled.slotMs) * compiled.slotMs;
    return { ...compiled, window: { ...compiled.window, toMs: Math.min(compiled.window.toMs, readyMs) } };
  }

  /** How many events there are of each combination of a few columns: what a look at the data reads. */
  async #profile(backend: Backend, jobs: readonly Job[]): Promise<void> {
    if (jobs.length === 0) return;
    const columns = this.#table.profile.join(', ');
    const sql = `SELECT ${columns}, count(*) AS n FROM main.${this.#table.name} WHERE ${dayFilter(reading(jobs))} GROUP BY ${columns}`;
    await this.#keep(backend, PROFILE, { title: 'a look at what there is', jobs, sql });
  }

  /** The jobs with what costs much to test per event (patterns, names in any case), or is tested much, tested once per value of its column instead. */
  async #resolved(backend: Backend, jobs: readonly Job[]): Promise<readonly Job[]> {
    const leaves = jobs.flatMap(({ compiled }) => compiled.conditions.flatMap(leavesOf));
    const found = new Map<string, string[] | null>();
    const tested = groupsOf(
      leaves.filter((leaf) => textColumnOf(leaf) !== null),
      (leaf) => textColumnOf(leaf) ?? '',
    );
    const isWorthIt = (those: readonly Leaf[]): boolean =>
      those.some(({ lookup, sql }) => lookup !== null || networksOf(sql) !== null) ||
      new Set(those.map(({ sql }) => sql)).size >= LOOK_TESTS;
    const columns = tested.filter(isWorthIt).map(([first]) => textColumnOf(first as Leaf) ?? '');
    const look = async (column: string): Promise<void> => {
      const tests = new Map(
        leaves.filter((leaf) => textColumnOf(leaf) === column).map((leaf) => [leaf.sql, leaf.folded]),
      );
      const networks = [...new Set([...tests.keys()].flatMap((sql) => networksOf(sql) ?? []))];
      const asked = [...tests].flatMap(([sql, folded]) => (folded === null && networksOf(sql) === null ? [sql] : []));
      const source = this.#table.profile.includes(column)
        ? `main.${PROFILE}`
        : `main.${this.#table.name} WHERE ${dayFilter(reading(jobs))}`;
      // The LIMIT also keeps an engine from testing before it has reduced the values to distinct ones. The list has a name because macros repeat what they are given.
      const known = `(SELECT DISTINCT ${column} FROM ${source} LIMIT ${DISTINCT_MAX + 1}) AS known`;
      const sqlOf = (some: readonly string[]): string =>
        `SELECT value, lower(value) AS folded, ${some.length === 0 ? "''" : "array_join(told, ',')"} AS tests FROM (SELECT value${some.length === 0 ? '' : `, ARRAY[${some.map((sql) => `CASE WHEN ${sql} THEN '${asked.indexOf(sql)}' END`).join(', ')}] AS told`}
 FROM (SELECT ${column}, ${column} AS value FROM ${known}) AS named) AS tested`;
      // One test for all networks: planning one for each of them takes milliseconds.
      const networksSql = (some: readonly string[]): string =>
        `SELECT ${column} AS value, network FROM ${known} CROSS JOIN (VALUES ${some.map((network) => `(${network})`).join(', ')}) AS networks(network) WHERE cidr_match(network, ${column})`;
      const title = `a look at the values of ${column}`;
      const rows: Row[] = [];
      for (const { sql } of asked.length === 0 ? [{ sql: sqlOf([]) }] : statementsFor(asked, sqlOf))
        rows.push(...(await this.#ask(backend, { title, jobs, sql })));
      const within = new Set<string>();
      for (const { sql } of statementsFor(networks, networksSql)) {
        for (const row of await this.#ask(backend, { title, jobs, sql }))
          within.add(JSON.stringify([textLiteral(textOf(row, 'network')), textOf(row, 'value')]));
      }
      const values = new Set(rows.map((row) => asText(row['value'])));
      const isWhole = values.size <= DISTINCT_MAX;
      for (const [sql, folded] of tests) {
        const number = String(asked.indexOf(sql));
        const own = networksOf(sql);
        const passes = (row: Row): boolean => {
          if (own !== null) return own.some((network) => within.has(JSON.stringify([network, textOf(row, 'value')])));
          const value = asText(row['folded']);
          return folded === null
            ? textOf(row, 'tests').split(',').includes(number)
            : value !== null && folded.includes(value);
        };
        const passing = rows.filter(passes);
        const those = [...new Set(passing.map((row) => textOf(row, 'value')))];
        const isOfTexts = passing.every((row) => asText(row['value']) !== null);
        const isUsable =
          isWhole && isOfTexts && those.length <= LOOKUP_MAX && !those.some((value) => value.includes('\0'));
        found.set(sql, isUsable ? those : null);
      }
    };
    await together(
      LANES,
      columns.map((column) => () => look(column)),
    );
    return jobs.map((job) => ({
      ...job,
      compiled: {
        ...job.compiled,
        conditions: job.compiled.conditions.map((condition) =>
          withLeaves(condition, (leaf) => {
            const values = found.get(leaf.sql) ?? null;
            return values === null ? leaf : lookedUp({ ...leaf, lookup: textColumnOf(leaf) }, values);
          }),
        ),
      },
    }));
  }

  /** The jobs that concern any events at all, with how many those are and what they are called: one look at a few columns, grouped. */
  async #profiled(backend: Backend, jobs: readonly Job[]): Promise<readonly Job[]> {
    const conditional = jobs.filter(({ compiled }) => compiled.conditions.length > 0);
    if (conditional.length === 0) return jobs;
    const isProfiled = (column: Column): boolean => this.#table.profile.includes(column.name);
    const sqlOf = (some: readonly Job[]): string => {
      const indexOf = (job: Job): number => conditional.indexOf(job);
      const counts = some.map(
        (job) => `sum(CASE WHEN ${necessaryOf(job, isProfiled)} THEN n ELSE 0 END) AS c${indexOf(job)}`,
      );
      const told = some
        .map(indexOf)
        .map((index) => `CASE WHEN c${index} > 0 THEN concat('${index}:', CAST(c${index} AS VARCHAR)) END`);
      return `SELECT ${this.#name}, total, array_join(told, ',') AS counts FROM (SELECT ${this.#name}, total, ARRAY[${told.join(', ')}] AS told
 FROM (SELECT ${this.#name}, sum(n) AS total, ${counts.join(', ')} FROM main.${PROFILE} GROUP BY ${this.#name}) AS names) AS counted`;
    };
    const rows: Row[] = [];
    let total = 0;
    for (const { sql, items } of statementsFor(conditional, sqlOf)) {
      const some = await this.#ask(backend, { title: 'which detectors concern any events', jobs: items, sql });
      total = some.reduce((sum, row) => sum + numberOf(row, 'total'), 0);
      rows.push(...some);
    }
    const found = conditional.map(() => ({ events: 0, names: [] as (string | null)[], nameRows: 0 }));
    for (const row of rows) {
      for (const [, index, count] of textOf(row, 'counts').matchAll(/(\d+):(\d+)/gu)) {
        const one = found[Number(index)];
        if (one === undefined) continue;
        one.events += Number(count);
        one.names.push(asText(row[this.#name]));
        one.nameRows += numberOf(row, 'total');
      }
    }
    return jobs.flatMap((job) => {
      const counted = found[conditional.indexOf(job)];
      if (counted === undefined) return [job];
      const isNarrow =
        counted.nameRows <= Math.max(NARROW_ROWS, total * NARROW_SHARE) && counted.names.length <= NAMES_MAX;
      const { kind } = job.compiled;
      const isOutOfReach =
        kind.kind === 'threshold' && kind.distinct === this.#name && counted.names.length < kind.atLeast;
      return counted.events === 0 || isOutOfReach
        ? []
        : [
            {
              ...job,
              isBroad: isBroad(job, counted.events),
              names: isNarrow ? counted.names : null,
              events: counted.events,
            },
          ];
    });
  }

  /** The wide scan, of which there are several where one statement would be too long. */
  #keptParts(jobs: readonly Job[]): readonly { readonly jobs: readonly Job[]; readonly sql: string }[] {
    return statementsFor(jobs, (some) => this.#keptSql(some), KEPT_LENGTH_MAX).map(({ items, sql }, at) => ({
      jobs: items.map((job) => ({ ...job, kept: at === 0 ? KEPT : `${KEPT}_${at + 1}` })),
      sql,
    }));
  }

  /** The events that any of these jobs wants, with a flag for each condition: the one wide scan. */
  #keptSql(jobs: readonly Job[]): string {
    const flags = jobs.flatMap(({ at, compiled, names: known }) =>
      compiled.conditions.map((condition, step) => {
        const [cheap, whole] = [plainSql(condition), conditionSql(withLeaves(condition, glanced))];
        return {
          name: flag(at, step),
          cheap,
          isNamed: known !== null,
          sql: guarded(whole, known === null ? cheap : this.#namesSql(known)),
        };
      }),
    );
    const needed = this.#columnsOf(jobs);
    const named = this.#namesSql(jobs.flatMap(({ names: known }) => known ?? []));
    const others = flags.filter(({ isNamed }) => !isNamed).map(({ cheap }) => cheap);
    const first = others.includes(true) ? [] : [...new Set([...(named === null ? [] : [named]), ...others])];
    const isWanted = flags.map(({ name }) => name).join(' OR ');
    return `SELECT ${[...needed, ...flags.map(({ name }) => name)].join(', ')} FROM (SELECT ${needed.join(', ')}, ${flags.map(({ name, sql }) => `${sql} AS ${name}`).join(', ')}
 FROM main.${this.#table.name} WHERE ${timeFilter(reading(jobs))}${first.length === 0 ? '' : ` AND (${first.join(' OR ')})`}) AS flagged WHERE ${isWanted === '' ? 'false' : isWanted}`;
  }

  /** Those of the jobs for which at least one kept event passes the whole of a condition. */
  async #withHits(backend: Backend, jobs: readonly Job[]): Promise<readonly Job[]> {
    if (jobs.length === 0) return [];
    const flagsOf = ({ at, compiled }: Job): string =>
      compiled.conditions.map((_, step) => flag(at, step)).join(' OR ');
    const [row] = await this.#ask(backend, {
      title: 'which detectors have events',
      jobs,
      sql: `SELECT ${jobs.map((job, index) => `count_if(${flagsOf(job)}) AS c${index}`).join(', ')} FROM main.${jobs[0]?.kept}`,
    });
    return jobs.filter((_, index) => Number(row?.[`c${index}`] ?? 0) > 0);
  }

  /** Statements for jobs of which each event is a finding: one for each table of kept events, or else one with a scan of its own; more where it would be too long. */
  #singles(jobs: readonly Job[]): readonly Asked[] {
    return groupsOf(jobs, ({ kept }) => kept).flatMap((group) =>
      statementsFor(group, (some) => this.#singlesSql(some)).map(({ items, sql }) => ({ jobs: items, sql })),
    );
  }

  #singlesSql(jobs: readonly Job[]): string {
    const tests = jobs.map(({ at, compiled }) => {
      const test = this.#keeps ? flag(at, 0) : compiled.conditions.map(conditionSql).join(' AND ');
      return { at, test: `${test} AND ${inWindow('event_time', compiled.window)}` };
    });
    return eventsSql(
      jobs,
      this.#shared,
      this.#keeps
        ? {
            source: `main.${jobs[0]?.kept}`,
            meant: `ARRAY[${tests.map(({ at, test }) => `CASE WHEN ${test} THEN ${at} END`).join(', ')}]`,
          }
        : {
            // Each in a lambda of its own, which Trino compiles on its own: all in one expression are more than it takes.
            source: `(SELECT ${this.#columnsRead(jobs).join(', ')}, flatten(ARRAY[${tests.map(({ at, test }) => `filter(ARRAY[${at}], task -> ${test})`).join(',\n ')}]) AS tasks
 FROM main.${this.#table.name} WHERE ${timeFilter(reading(jobs))}) AS events`,
            meant: 'tasks',
          },
    );
  }

  /** Where a job is hot, and the evidence for it. */
  #groupedSql(job: Job): string {
    const { at, compiled } = job;
    const q = this.#qualifying(job, evidenceColumns(compiled, this.#shared));
    return `WITH q AS (${q}),\n${hotCtes(compiled, '').join(',\n')}\n${evidenceSql(compiled, at, this.#shared, { hot: 'hot', q: 'q' })}`;
  }

  /** Where a job is hot, over few columns; a baseline tells of each row whose history (p0…) it rests on. */
  #hotSql(job: Job, within?: Window): string {
    const { kind, subject } = job.compiled;
    const s = names('s', subject.length);
    const lean = this.#qualifying(
      job,
      kind.kind === 'sequence' ? evidenceColumn(this.#table.roles, 'event_id') : '',
      within,
    );
    const q =
      kind.kind === 'threshold' && this.#isCrowded(job)
        ? `lean AS (${lean}),\nq AS (${crowded('lean', s, kind)})`
        : `q AS (${lean})`;
    return `WITH ${q},\n${hotCtes(job.compiled, '').join(',\n')}
SELECT ${[...s, ...names('k', keyCount(job.compiled)), ...names('p', perOf(kind).length)].join(', ')}, slot, lo, hi, peak FROM hot ORDER BY slot, ${s.join(', ')}`;
  }

  /** Whether it pays to look first for where a job could be hot. */
  #isCrowded(job: Job): boolean {
    return this.#keeps && job.isBroad;
  }

  async #hot(backend: Backend, job: Job): Promise<readonly Row[]> {
    const within = this.#isCrowded(job) ? await this.#crowdedWindow(backend, job) : undefined;
    if (within === null) return [];
    return this.#ask(backend, { jobs: [job], sql: this.#hotSql(job, within), window: within ?? reading([job]) });
  }

  /** When a broad threshold could be hot at all, mostly never, which is far cheaper to tell than where; null for never, undefined for whenever. */
  async #crowdedWindow(backend: Backend, job: Job): Promise<Window | null | undefined> {
    const { kind, subject, readFromMs, window } = job.compiled;
    if (kind.kind !== 'threshold') return undefined;
    const lean = `(${this.#qualifying(job, '')})`;
    const stretches = crowdedStretches(lean, names('s', subject.length), kind);
    const [row] = await this.#ask(backend, {
      jobs: [job],
      sql: `SELECT count(*) AS n, min(stretch) AS first_stretch, max(stretch) AS last_stretch FROM (${stretches}) AS crowded`,
    });
    if (row === undefined || numberOf(row, 'n') === 0) return null;
    return {
      fromMs: Math.max(readFromMs, (numberOf(row, 'first_stretch') - 1) * kind.withinMs),
      toMs: Math.min(window.toMs, (numberOf(row, 'last_stretch') + 1) * kind.withinMs),
    };
  }

  /** The evidence of hot rows, if there are any. */
  async #addEvidence(backend: Backend, job: Job, rows: readonly Row[]): Promise<void> {
    const { at, compiled } = job;
    const keys = [...names('s', compiled.subject.length), ...names('k', keyCount(compiled))];
    for (let first = 0, end = 0; first < rows.length; first = end) {
      end = Math.min(first + HOT_ROWS_MAX, rows.length);
      // One finding may have several rows.
      while (end < rows.length && rows[end]?.['slot'] === rows[end - 1]?.['slot']) end += 1;
      const hot = rows.slice(first, end);
      const window = evidenceWindow(hot);
      const q = this.#qualifying(job, evidenceColumns(compiled, this.#shared), window);
      const values = hot.map((row) => hotValues(row, keys)).join(',\n');
      const evidence = evidenceSql(compiled, at, this.#shared, { hot: 'hot', q: 'q' });
      await this.#collect(backend, {
        sql: `WITH hot (${keys.join(', ')}, slot, lo, hi, peak) AS (VALUES ${values}),\nq AS (${q})\n${evidence}`,
        jobs: [job],
        window,
      });
    }
  }

  /** Baselines: first where they would fire, then whether the history that they need lies behind those slots. */
  async #runBaselines(backend: Backend, jobs: readonly Job[]): Promise<void> {
    const history = await this.#history(backend, jobs);
    for (const job of jobs) {
      const hot = await this.#hot(backend, job);
      const ripe = hot.filter((row) => history.isRipe(job.compiled, row));
      await this.#addEvidence(backend, job, ripe);
      this.#notes[job.at]?.push(...history.notes(job.compiled));
    }
  }

  /** Slots in which each `per` of these jobs has events of any kind. */
  async #history(backend: Backend, jobs: readonly Job[]): Promise<History> {
    const [first] = jobs;
    const per = first === undefined ? [] : perOf(first.compiled.kind);
    const p = names('p', per.length);
    const slot = slotSql(first?.compiled.slotMs ?? DAY_MS, 'event_time');
    const events = `SELECT ${per.map((sql, at) => `${sql} AS p${at}`).join(', ')}, ${slot} AS slot FROM main.${this.#table.name} WHERE ${timeFilter(reading(jobs))}`;
    const pasts = jobs.flatMap(({ compiled: { past } }) => past ?? []);
    const past = { fromMs: Math.min(...pasts.map(({ fromMs }) => fromMs)), toMs: pasts[0]?.toMs ?? 0 };
    const all =
      pasts.length === 0
        ? events
        : `${events} UNION ALL SELECT ${p.join(', ')}, slot FROM (${pastSql(this.#historyCount(jobs), p, past)}) AS past`;
    const rows = await this.#ask(backend, {
      title: 'the history behind baselines',
      jobs,
      sql: `SELECT DISTINCT ${p.join(', ')}, slot FROM (${all}) AS w ORDER BY slot, ${p.join(', ')}`,
      window: reading(jobs),
    });
    return new History(rows, per);
  }

  /** The qualifying events of a job, under the names of hot.ts: out of the kept ones, or for a broad job from the table. */
  #qualifying(job: Job, extra: string, within?: Window): string {
    const { kind, subject, conditions, readFromMs, window } = job.compiled;
    const steps = conditions.map((condition, step) => (job.isBroad ? conditionSql(condition) : flag(job.at, step)));
    const reach = within ?? { fromMs: readFromMs, toMs: window.toMs };
    const from = job.isBroad
      ? `(SELECT * FROM main.${this.#table.name} WHERE ${timeFilter(reach)}${this.#namesFilter(job)}) AS events`
      : `main.${job.kept}`;
    const keys =
      kind.kind === 'sequence'
        ? kind.by
        : kind.kind === 'first-seen'
          ? [...subject, ...kind.per, ...kind.values]
          : subject;
    const top = steps.map((sql, at) => `WHEN ${sql} THEN ${at + 1}`).toReversed();
    const columns = [
      ...subject.map((sql, at) => `${sql} AS s${at}`),
      ...keys.map((sql, at) => `${sql} AS k${at}`),
      'event_time AS t',
      ...(kind.kind === 'threshold' && kind.distinct !== null ? [`${kind.distinct} AS v`] : []),
      ...perOf(kind).map((sql, at) => `${sql} AS p${at}`),
      ...(kind.kind === 'first-seen' ? kind.values.map((sql, at) => `${sql} AS f${at}`) : []),
      ...(kind.kind === 'sequence'
        ? [...steps.map((sql, at) => `${sql} AS f${at + 1}`), `CASE ${top.join(' ')} END AS top`]
        : []),
      ...(extra === '' ? [] : [extra]),
    ];
    const joined = kind.kind === 'sequence' ? kind.by.map((sql) => ` AND ${sql} IS NOT NULL`).join('') : '';
    return `SELECT ${columns.join(', ')} FROM ${from} WHERE (${steps.join(' OR ')}) AND ${inWindow('event_time', reach)}${joined}`;
  }

  /** A detector's own statement: its table is what was kept for its condition, or else all events of the window. */
  #ownSql(job: Job): string {
    const { kind, detector, readFromMs, window } = job.compiled;
    const reach = { fromMs: readFromMs, toMs: window.toMs };
    // DuckDB would copy a table that is read twice, with all columns that either reading needs. Trino never does, and has no word for it.
    const as = this.#keeps ? 'AS NOT MATERIALIZED' : 'AS';
    const tables = [...new Set([detector.table, ...(detector.reads ?? [])])].map((name) => {
      if (name !== detector.table || isFreeSql(job))
        return `${name} ${as} (SELECT * FROM main.${name} WHERE ${timeFilter(reach)})`;
      return job.isBroad
        ? `${name} ${as} (SELECT ${this.#columnsOf([job]).join(', ')} FROM main.${name} WHERE ${timeFilter(reach)}${this.#namesFilter(job)} AND ${job.compiled.conditions.map(conditionSql).join(' AND ')})`
        : `${name} ${as} (SELECT * FROM main.${job.kept} WHERE ${flag(job.at, 0)} AND ${inWindow('event_time', reach)})`;
    });
    return kind.kind === 'sql' ? withTables(kind.sql, tables) : '';
  }

  async #runSql(backend: Backend, job: Job): Promise<void> {
    const { parameters, window, slotMs } = job.compiled;
    const params = { ...parameters, from: new Date(window.fromMs), to: new Date(window.toMs) } as Readonly<
      Record<string, Param>
    >;
    const rows = await this.#ask(backend, { jobs: [job], sql: this.#ownSql(job), params, window: reading([job]) });
    for (const row of rows) {
      const finding = findingOfSql(row, job.compiled, this.#shared);
      const slot = Date.parse(finding.window.from);
      if (slot >= window.fromMs && slot + (slotMs ?? 0) <= window.toMs) this.#findings[job.at]?.push(finding);
    }
  }

  async #collect(backend: Backend, asked: Asked): Promise<void> {
    const compiledAt = new Map(asked.jobs.map(({ at, compiled }) => [at, compiled]));
    for (const row of await this.#ask(backend, asked)) {
      const at = numberOf(row, 'task');
      const compiled = compiledAt.get(at);
      if (compiled !== undefined) this.#findings[at]?.push(findingOf(row, compiled, this.#shared));
    }
  }

  async #ask(backend: Backend, asked: Asked): Promise<readonly Row[]> {
    const { sql, params = {}, window } = asked;
    const { rows } = await this.#timed(asked, () => backend.query(sql, params, window === undefined ? {} : { window }));
    return rows;
  }

  async #keep(backend: Backend, name: string, asked: Asked): Promise<void> {
    await this.#timed(asked, async () => backend.keep?.(name, asked.sql));
  }

  async #timed<T>(asked: Asked, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    const result = await work();
    this.#request.onStatement?.({ ...this.#described(asked), ms: performance.now() - started });
    return result;
  }

  #described({ title, jobs, sql }: Asked): HuntStatement {
    const detectors = jobs.map(({ compiled }) => compiled.detector.id);
    const isRead = new RegExp(`\\bmain[.]${this.#table.name}\\b`, 'u').test(sql);
    const words = isRead ? wordsOf(sql.replaceAll(/'(?:[^']|'')*'/gu, "''")) : new Set();
    const columns = this.#table.columns.map(({ name }) => name).filter((name) => words.has(name));
    return { title: title ?? titleOf(jobs), sql, detectors, columns };
  }

  /** A filter by event names; null where there are none. */
  #namesSql(all: readonly (string | null)[]): string | null {
    const texts = [...new Set(all)].filter((name) => name !== null).map((name) => textOrNull(name));
    const tests = [
      ...(texts.length > 0 ? [`${this.#name} IN (${texts.join(', ')})`] : []),
      ...(all.includes(null) ? [`${this.#name} IS NULL`] : []),
    ];
    return tests.length === 0 ? null : tests.join(' OR ');
  }

  #namesFilter({ names: known }: Job): string {
    return known === null ? '' : ` AND (${this.#namesSql(known)})`;
  }

  /** Columns of the table that statements of these jobs may read, those of their conditions among them. */
  #columnsRead(jobs: readonly Job[]): readonly string[] {
    const ofConditions = new Set(
      jobs.flatMap(({ compiled: { conditions } }) =>
        conditions.flatMap(leavesOf).flatMap(({ columns }) => columns.map(({ name }) => name)),
      ),
    );
    const others = new Set(this.#columnsOf(jobs));
    return this.#table.columns.map(({ name }) => name).filter((name) => ofConditions.has(name) || others.has(name));
  }

  /** Columns of the table that statements over kept events may read. */
  #columnsOf(jobs: readonly Job[]): readonly string[] {
    const texts = jobs.flatMap(({ compiled: { kind, subject, placeholders } }) => {
      const by =
        kind.kind === 'sequence' ? kind.by : kind.kind === 'threshold' && kind.distinct !== null ? [kind.distinct] : [];
      const values = kind.kind === 'first-seen' ? kind.values : kind.kind === 'sql' ? [kind.sql] : [];
      return [...subject, ...by, ...perOf(kind), ...values, ...placeholders.map(({ sql }) => sql)];
    });
    const words = wordsOf([...texts, ...this.#shared, ...evidenceInputs(this.#table.roles), 'event_time'].join(' '));
    const takesAll = jobs.some(
      ({ compiled: { kind } }) => kind.kind === 'sql' && handsOnAll(kind.sql, this.#table.name),
    );
    return this.#table.columns
      .filter((column) => (takesAll && !isContext(column)) || words.has(column.name))
      .map(({ name }) => name);
  }
}

/** Runs statements side by side. After a failure it begins no other, and it ends when all that were begun have ended. */
async function together(lanes: number, works: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = [...works];
  const lane = async (): Promise<void> => {
    for (let work = queue.shift(); work !== undefined; work = queue.shift()) {
      try {
        await work();
      } catch (error) {
        queue.length = 0;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: lanes }, lane));
  const failed = ends.find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

const titleOf = (jobs: readonly Job[]): string => jobs.map(({ compiled }) => compiled.detector.id).join(', ');

const wordsOf = (text: string): ReadonlySet<string> => new Set(text.toLowerCase().match(/[a-z_][a-z0-9_]*/gu));

const startOfDay = (ms: number): number => Math.floor(ms / DAY_MS) * DAY_MS;

function groupsOf<T>(values: readonly T[], keyOf: (value: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return [...groups.values()];
}

type Leaf = Parameters<typeof lookedUp>[0];

/** The one column of texts that a leaf is about; null where it is about another one as well, or looks into JSON. */
function textColumnOf({ lookup, columns }: Leaf): string | null {
  const [only] = columns;
  const isText = columns.length === 1 && only?.type === 'VARCHAR' && only.json !== true;
  return lookup ?? (isText ? (only?.name ?? null) : null);
}

/** Baselines of one key rest on the same history. */
const historyKey = ({ compiled }: Job): string => JSON.stringify([perOf(compiled.kind), compiled.slotMs]);

/** Jobs that read about as far back. A whole archive is read by all of them alike. */
function apart(jobs: readonly Job[]): readonly (readonly Job[])[] {
  const end = Math.max(...jobs.map(({ compiled }) => compiled.window.toMs));
  const spanOf = ({ compiled }: Job): number => end - compiled.readFromMs;
  const sorted = jobs.toSorted((a, b) => spanOf(a) - spanOf(b));
  const groups: Job[][] = [];
  let last: number | null = null;
  for (const job of sorted) {
    const span = spanOf(job);
    const isFar = last !== null && span >= FAR * last && span - last > DAY_MS;
    if (last === null || isFar) groups.push([]);
    groups.at(-1)?.push(job);
    last = span;
  }
  return groups;
}

/** One statement for all of these, or as many as it takes that none is too long. */
function statementsFor<T>(
  items: readonly T[],
  sqlOf: (some: readonly T[]) => string,
  lengthMax = STATEMENT_LENGTH_MAX,
): readonly { readonly items: readonly T[]; readonly sql: string }[] {
  if (items.length === 0) return [];
  const sql = sqlOf(items);
  if (sql.length <= lengthMax || items.length === 1) return [{ items, sql }];
  const half = Math.ceil(items.length / 2);
  return [
    ...statementsFor(items.slice(0, half), sqlOf, lengthMax),
    ...statementsFor(items.slice(half), sqlOf, lengthMax),
  ];
}

/** Those with slots to judge. */
const jobsOf = (compiled: readonly Compiled[]): readonly Job[] =>
  compiled
    .map((one, at): Job => ({ at, compiled: one, isBroad: false, names: null, kept: KEPT, events: 0 }))
    .filter((job) => job.compiled.window.fromMs < job.compiled.window.toMs);

/** As they are judged where no rows are kept: one scan for those of which each event is a finding, and one statement for each of the others. */
const alone = (jobs: readonly Job[]): readonly Job[] => jobs.map((job) => ({ ...job, isBroad: !isEvent(job) }));

/** The job over one part of its window after the other, each of whole slots. */
function piecesOf(job: Job): readonly Job[] {
  const { compiled, events } = job;
  const { window, slotMs } = compiled;
  const count = Math.ceil(events / EACH_ROWS);
  if (count <= 1 || slotMs === null) return [job];
  const length = Math.ceil((window.toMs - window.fromMs) / count / slotMs) * slotMs;
  return Array.from({ length: Math.ceil((window.toMs - window.fromMs) / length) }, (_, at) => {
    const fromMs = window.fromMs + at * length;
    const part = { fromMs, toMs: Math.min(fromMs + length, window.toMs) };
    return { ...job, compiled: { ...compiled, window: part, readFromMs: fromMs } };
  });
}

const isEvent = ({ compiled: { kind } }: Job): boolean => kind.kind === 'event';
const isSql = ({ compiled: { kind } }: Job): boolean => kind.kind === 'sql';
const isBaseline = ({ compiled: { kind } }: Job): boolean => kind.kind === 'first-seen' || kind.kind === 'times-usual';
const hasHabit = ({ compiled: { kind } }: Job): boolean => kind.kind === 'first-seen' && kind.habit !== null;
/** A habit is history enough. */
const needsHistory = (job: Job): boolean => isBaseline(job) && !hasHabit(job);
const isEach = ({ compiled: { kind } }: Job): boolean => kind.kind === 'each';
/** These fire rarely even where events qualify: first where they are hot, then the evidence. */
const isHotFirst = (job: Job): boolean =>
  job.compiled.kind.kind === 'threshold' || job.compiled.kind.kind === 'sequence' || hasHabit(job);
/** SQL that looks at all events of its window. */
const isFreeSql = (job: Job): boolean => isSql(job) && job.compiled.conditions.length === 0;
/** What looks into JSON for events that are rare is cheaper in the wide scan; statements and habits are about what many events have. */
function isBroad(job: Job, events: number): boolean {
  if (looksIntoJson(job)) return events > BROAD_JSON_ROWS && (isSql(job) || hasHabit(job));
  return events > BROAD_ROWS && (isSql(job) || isBaseline(job) || job.compiled.kind.kind === 'threshold');
}
const isKept = (job: Job): boolean => !isFreeSql(job) && !job.isBroad;

/** Whether its conditions read columns that are costly to read: those are read once, in the wide scan. */
const looksIntoJson = ({ compiled: { conditions } }: Job): boolean =>
  conditions.some((condition) => plainSql(condition) !== conditionSql(condition));

/** Whether a statement may hand on every column of a table: `*`, or `x.*` where x stands for the table; count(*) does not. */
function handsOnAll(sql: string, table: string): boolean {
  const aliases = [...sql.matchAll(new RegExp(`\\b${table}\\s+(?:as\\s+)?(\\w+)`, 'giu'))].map(
    ([, alias = '']) => alias,
  );
  const isOfTable = (name: string): boolean =>
    [table, ...aliases].some((other) => other.toLowerCase() === name.toLowerCase());
  return (
    /(?:select|distinct|all|,)\s*\*/iu.test(sql) ||
    [...sql.matchAll(/(\w*)"?\s*[.]\s*\*/gu)].some(([, name = '']) => name === '' || isOfTable(name))
  );
}

/** The networks, as literals, of a test that asks nothing else than whether a column's address lies in one of them; null for other tests. */
function networksOf(sql: string): readonly string[] | null {
  const isOfNetworks =
    /^coalesce\(\(?cidr_match\('[^']+', (\w+)\)(?: OR cidr_match\('[^']+', \1\))*\)?, false\)$/u.test(sql);
  return isOfNetworks ? [...sql.matchAll(/cidr_match\(('[^']+')/gu)].map(([, network = '']) => network) : null;
}

/** A look into JSON behind a look for its traces in the text, which is several times cheaper. */
function glanced(leaf: Leaf): Leaf {
  const [column] = leaf.columns;
  if (leaf.traces === null || column === undefined) return leaf;
  const looks = [...leaf.traces.map((trace) => textLiteral(trace)), "'\\u'"].map(
    (text) => `strpos(${column.name}, ${text}) > 0`,
  );
  return { ...leaf, sql: `CASE WHEN ${looks.join(' OR ')} THEN ${leaf.sql} ELSE false END` };
}

const flag = (at: number, step: number): string => `d${at}_${step}`;

/** A filter that every event of a job passes. */
function necessaryOf({ compiled }: Job, isCheap: (column: Column) => boolean): string {
  const parts = compiled.conditions.map((condition) => necessarySql(condition, isCheap));
  return parts.includes(true) ? 'true' : parts.join(' OR ');
}

/** What has to be read for these jobs. */
const reading = (jobs: readonly Job[]): Window => ({
  fromMs: Math.min(...jobs.map(({ compiled }) => compiled.readFromMs)),
  toMs: Math.max(...jobs.map(({ compiled }) => compiled.window.toMs)),
});

/** Whole milliseconds around the evidence of these hot rows. */
const evidenceWindow = (hot: readonly Row[]): Window => ({
  fromMs: Math.min(...hot.map((row) => timeMsOf(row, 'lo'))),
  toMs: Math.max(...hot.map((row) => timeMsOf(row, 'hi'))) + 1,
});

function hotValues(row: Row, keys: readonly string[]): string {
  const texts = keys.map((key) => textOrNull(asText(row[key])));
  const times = ['slot', 'lo', 'hi'].map((key) => `TIMESTAMP '${textOf(row, key).replace('T', ' ').replace('Z', '')}'`);
  return `(${[...texts, ...times, row['peak'] === null ? 'CAST(NULL AS BIGINT)' : `CAST(${numberOf(row, 'peak')} AS BIGINT)`].join(', ')})`;
}

/** Puts common table expressions in front of a statement's own. */
function withTables(sql: string, tables: readonly string[]): string {
  const [blank = ''] = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*/u.exec(sql) ?? [];
  const rest = sql.slice(blank.length).replace(/;\s*$/u, '');
  const [withWord] = /^with\s+(?:recursive\s+)?/iu.exec(rest) ?? [];
  const prefix = `${withWord?.trimEnd() ?? 'WITH'} ${tables.join(', ')}`;
  return withWord === undefined ? `${prefix} ${rest}` : `${prefix}, ${rest.slice(withWord.length)}`;
}
