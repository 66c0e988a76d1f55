/** The engine: looks at a few columns that tell which detectors concern any events, one wide scan that keeps the events of all of them, then each detector over what was kept. */
import type { Backend, Param, Row } from '../backend.ts';
import { addressSelect, contextNamed, inContext, isContext } from '../enrichment.ts';
import { type Finding, type HuntEngine, type HuntRequest, type HuntTaskResult, LATENESS_MS } from '../hunt.ts';
import type { Column, Table } from '../table.ts';
import { DAY_MS, type Window } from '../time.ts';
import { type Compiled, compile, dayFilter, isRefutable, reachOf, slotSql, textOrNull, timeFilter } from './compile.ts';
import { conditionSql, leavesOf, lookedUp, necessarySql, withLeaves } from './condition.ts';
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
/** Event names that together hold at most so many events, or this share of all, are worth a filter of their own. */
const NARROW_ROWS = 20_000;
const NARROW_SHARE = 0.2;
const NAMES_MAX = 500;
/** A column with more distinct values is tested event by event. */
const DISTINCT_MAX = 5000;
/** So do those tests that more values pass: a value in a list is looked for one by one. */
const LOOKUP_MAX = 50;
/** Rows of one VALUES list. */
const HOT_ROWS_MAX = 2000;
/** Statements at a time: one is planned, on one core, while the other is run. */
const LANES = 2;
/** On an engine elsewhere, which has cores of its own; Athena runs 20 of an account at a time at least: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html. */
const LANES_ELSEWHERE = 8;
/** A statement that takes more detectors together would be refused by Athena, which takes 262,144 bytes, once relations stand in it for tables. */
const STATEMENT_LENGTH_MAX = 200_000;
/** The table of kept events. */
const KEPT = 'hunt_events';
const KEPT_SOURCE = `main.${KEPT}`;
/** The table of counts that a hunt begins with. */
const PROFILE = 'hunt_profile';

/** The engine for one table. */
export function createEngine(table: Table): HuntEngine {
  return {
    reachMs: reachOf,
    isRefutable,
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
}

interface Statement {
  readonly title: string;
  readonly sql: string;
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
    if (this.#keeps) await this.#runKeeping(backend, jobs);
    else await this.#judge(backend, alone(jobs), null);
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
    const kept = jobs.filter(isKept);
    if (kept.length > 0) await backend.keep?.(KEPT, this.#keptSql(kept));
    const hit = await this.#withHits(backend, kept);
    await this.#judge(backend, [...jobs.filter((job) => !isKept(job)), ...hit], KEPT_SOURCE);
  }

  /** Finds what there is to find; events of a table's own statements apart, they stand in `kept`, where there is one. */
  async #judge(backend: Backend, jobs: readonly Job[], kept: string | null): Promise<void> {
    await together(this.#keeps ? LANES : LANES_ELSEWHERE, [
      ...this.#baselineGroups(jobs.filter(isBaseline)).map((group) => () => this.#runBaselines(backend, group)),
      ...jobs.filter(isSql).map((job) => () => this.#runSql(backend, job)),
      ...jobs.filter(isHotFirst).map((job) => async () => {
        await this.#addEvidence(backend, job, await this.#hot(backend, job));
      }),
      ...jobs.filter(isEach).map((job) => () => this.#collect(backend, this.#groupedSql(job), [job], reading([job]))),
      ...this.#singles(jobs.filter(isEvent), kept).map(
        ({ sql, jobs: those }) =>
          () =>
            this.#collect(backend, sql, those, reading(those)),
      ),
    ]);
  }

  /** What would run if every detector concerned some events, but few; on a backend that keeps no rows, what runs whatever the events. */
  explain(): readonly Statement[] {
    const all = jobsOf(this.#compiled());
    const jobs = this.#keeps ? all : alone(all);
    const title = (some: readonly Job[]): string => some.map(({ compiled }) => compiled.detector.id).join(', ');
    const statements = this.#statements(jobs, title);
    return [...this.#lookUps(jobs, statements), ...statements];
  }

  /** Where no rows are kept, addresses that have to be looked up are asked for first. */
  #lookUps(jobs: readonly Job[], statements: readonly Statement[]): readonly Statement[] {
    const text = this.#keeps ? '' : statements.map(({ sql }) => sql).join();
    const columns = contextNamed(text, this.#table).filter(({ context }) => context.kind === 'address');
    return [...new Set(columns.map(({ context }) => context.of))].map((column) => ({
      title: `${column} of the window, to be looked up`,
      sql: addressSelect(this.#table, column, reading(jobs)),
    }));
  }

  #statements(jobs: readonly Job[], title: (some: readonly Job[]) => string): readonly Statement[] {
    const kept = jobs.filter(isKept);
    return [
      ...(this.#keeps && kept.length > 0
        ? [{ title: `the events of all conditions, kept as ${KEPT_SOURCE}`, sql: this.#keptSql(kept) }]
        : []),
      ...this.#singles(jobs.filter(isEvent), this.#keeps ? KEPT_SOURCE : null).map(({ sql, jobs: those }) => ({
        title: title(those),
        sql,
      })),
      ...jobs.filter(isEach).map((job) => ({ title: title([job]), sql: this.#groupedSql(job) })),
      ...jobs
        .filter((job) => isHotFirst(job) || isBaseline(job))
        .map((job) => ({ title: title([job]), sql: this.#hotSql(job) })),
      ...jobs.filter(isSql).map((job) => ({ title: title([job]), sql: this.#ownSql(job) })),
    ];
  }

  #compiled(): readonly Compiled[] {
    return this.#request.tasks.map((task) => this.#judgeable(compile(task, this.#table, this.#request.lists)));
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
    await backend.keep?.(PROFILE, sql);
  }

  /** The jobs with what costs much to test per event (patterns, names in any case) tested once per value of its column instead. */
  async #resolved(backend: Backend, jobs: readonly Job[]): Promise<readonly Job[]> {
    const leaves = jobs.flatMap(({ compiled }) => compiled.conditions.flatMap(leavesOf));
    const found = new Map<string, string[] | null>();
    const columns = [...new Set(leaves.map(({ lookup }) => lookup))].filter((column) => column !== null);
    const look = async (column: string): Promise<void> => {
      const tests = new Map(leaves.filter(({ lookup }) => lookup === column).map((leaf) => [leaf.sql, leaf.folded]));
      const asked = [...tests].flatMap(([sql, folded]) => (folded === null ? [sql] : []));
      const told = asked.map((sql, at) => `CASE WHEN ${sql} THEN '${at}' END`);
      const source = this.#table.profile.includes(column)
        ? `main.${PROFILE}`
        : `main.${this.#table.name} WHERE ${dayFilter(reading(jobs))}`;
      const { rows } = await backend.query(
        // The LIMIT also keeps an engine from testing before it has reduced the values to distinct ones.
        `SELECT value, lower(value) AS folded, ${told.length === 0 ? "''" : `array_join(ARRAY[${told.join(', ')}], ',')`} AS tests FROM (SELECT ${column}, ${column} AS value
 FROM (SELECT DISTINCT ${column} FROM ${source} LIMIT ${DISTINCT_MAX + 1}) AS known) AS named`,
      );
      const isWhole = rows.length <= DISTINCT_MAX;
      for (const [sql, folded] of tests) {
        const number = String(asked.indexOf(sql));
        const passes = (row: Row): boolean => {
          const value = asText(row['folded']);
          return folded === null
            ? textOf(row, 'tests').split(',').includes(number)
            : value !== null && folded.includes(value);
        };
        const those = rows.filter(passes).map((row) => textOf(row, 'value'));
        const isUsable = isWhole && those.length <= LOOKUP_MAX && !those.some((value) => value.includes('\0'));
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
            const values = leaf.lookup === null ? null : (found.get(leaf.sql) ?? null);
            return values === null ? leaf : lookedUp(leaf, values);
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
    const counts = conditional.map(
      (job, index) => `sum(CASE WHEN ${necessaryOf(job, isProfiled)} THEN n ELSE 0 END) AS c${index}`,
    );
    const told = conditional.map(
      (_, index) => `CASE WHEN c${index} > 0 THEN concat('${index}:', CAST(c${index} AS VARCHAR)) END`,
    );
    const { rows } = await backend.query(
      `SELECT ${this.#name}, total, array_join(ARRAY[${told.join(', ')}], ',') AS counts FROM (SELECT ${this.#name}, sum(n) AS total, ${counts.join(', ')}
 FROM main.${PROFILE} GROUP BY ${this.#name}) AS names`,
    );
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
    const total = rows.reduce((sum, row) => sum + numberOf(row, 'total'), 0);
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
              isBroad: counted.events > BROAD_ROWS && mayBeBroad(job),
              names: isNarrow ? counted.names : null,
            },
          ];
    });
  }

  /** The events that any of these jobs wants, with a flag for each condition: the one wide scan. */
  #keptSql(jobs: readonly Job[]): string {
    const flags = jobs.flatMap(({ at, compiled, names: known }) =>
      compiled.conditions.map((condition, step) => {
        const [cheap, whole] = [necessarySql(condition, isPlain), conditionSql(condition)];
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
    const { rows } = await backend.query(
      `SELECT ${jobs.map((job, index) => `count_if(${flagsOf(job)}) AS c${index}`).join(', ')} FROM ${KEPT_SOURCE}`,
    );
    return jobs.filter((_, index) => Number(rows[0]?.[`c${index}`] ?? 0) > 0);
  }

  /** Statements for jobs of which each event is a finding: one where its text is not too long. Events come from the kept ones, or else from a scan of their own. */
  #singles(
    jobs: readonly Job[],
    kept: string | null,
  ): readonly { readonly sql: string; readonly jobs: readonly Job[] }[] {
    if (jobs.length === 0) return [];
    const tests = jobs.map(({ at, compiled }) => {
      const test = kept === null ? compiled.conditions.map(conditionSql).join(' AND ') : flag(at, 0);
      return { at, test: `${test} AND ${inWindow('event_time', compiled.window)}` };
    });
    const sql = eventsSql(
      jobs,
      this.#shared,
      kept === null
        ? {
            // Each in a lambda of its own, which Trino compiles on its own: all in one expression are more than it takes.
            source: `(SELECT ${this.#columnsRead(jobs).join(', ')}, flatten(ARRAY[${tests.map(({ at, test }) => `filter(ARRAY[${at}], task -> ${test})`).join(',\n ')}]) AS tasks
 FROM main.${this.#table.name} WHERE ${timeFilter(reading(jobs))}) AS events`,
            meant: 'tasks',
          }
        : {
            source: kept,
            meant: `ARRAY[${tests.map(({ at, test }) => `CASE WHEN ${test} THEN ${at} END`).join(', ')}]`,
          },
    );
    if (sql.length <= STATEMENT_LENGTH_MAX || jobs.length === 1) return [{ sql, jobs }];
    const half = Math.ceil(jobs.length / 2);
    return [...this.#singles(jobs.slice(0, half), kept), ...this.#singles(jobs.slice(half), kept)];
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
    return (await backend.query(this.#hotSql(job, within), {}, { window: within ?? reading([job]) })).rows;
  }

  /** When a broad threshold could be hot at all, mostly never, which is far cheaper to tell than where; null for never, undefined for whenever. */
  async #crowdedWindow(backend: Backend, job: Job): Promise<Window | null | undefined> {
    const { kind, subject, readFromMs, window } = job.compiled;
    if (kind.kind !== 'threshold') return undefined;
    const lean = `(${this.#qualifying(job, '')})`;
    const stretches = crowdedStretches(lean, names('s', subject.length), kind);
    const { rows } = await backend.query(
      `SELECT count(*) AS n, min(stretch) AS first_stretch, max(stretch) AS last_stretch FROM (${stretches}) AS crowded`,
    );
    const [row] = rows;
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
      await this.#collect(
        backend,
        `WITH hot (${keys.join(', ')}, slot, lo, hi, peak) AS (VALUES ${values}),\nq AS (${q})\n${evidence}`,
        [job],
        window,
      );
    }
  }

  /** Baselines that rest on the same history. */
  #baselineGroups(jobs: readonly Job[]): readonly (readonly Job[])[] {
    const groupOf = ({ compiled }: Job): string => JSON.stringify([perOf(compiled.kind), compiled.slotMs]);
    return [...new Set(jobs.map(groupOf))].map((key) => jobs.filter((job) => groupOf(job) === key));
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
    const columns = per.map((sql, at) => `${sql} AS p${at}`).join(', ');
    const { rows } = await backend.query(
      `SELECT DISTINCT ${columns}, ${slotSql(first?.compiled.slotMs ?? DAY_MS, 'event_time')} AS slot FROM main.${this.#table.name} WHERE ${timeFilter(reading(jobs))} ORDER BY slot, ${names('p', per.length).join(', ')}`,
      {},
      { window: reading(jobs) },
    );
    return new History(rows, per);
  }

  /** The qualifying events of a job, under the names of hot.ts: out of the kept ones, or for a broad job from the table. */
  #qualifying(job: Job, extra: string, within?: Window): string {
    const { kind, subject, conditions, readFromMs, window } = job.compiled;
    const steps = conditions.map((condition, step) => (job.isBroad ? conditionSql(condition) : flag(job.at, step)));
    const reach = within ?? { fromMs: readFromMs, toMs: window.toMs };
    const from = job.isBroad
      ? `(SELECT * FROM main.${this.#table.name} WHERE ${timeFilter(reach)}${this.#namesFilter(job)}) AS events`
      : KEPT_SOURCE;
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
    const tables = [...new Set([detector.table, ...(detector.reads ?? [])])].map((name) => {
      if (name !== detector.table || isFreeSql(job))
        return `${name} AS (SELECT * FROM main.${name} WHERE ${timeFilter(reach)})`;
      return job.isBroad
        ? `${name} AS (SELECT ${this.#columnsOf([job]).join(', ')} FROM main.${name} WHERE ${timeFilter(reach)}${this.#namesFilter(job)} AND ${job.compiled.conditions.map(conditionSql).join(' AND ')})`
        : `${name} AS (SELECT * FROM ${KEPT_SOURCE} WHERE ${flag(job.at, 0)} AND ${inWindow('event_time', reach)})`;
    });
    return kind.kind === 'sql' ? withTables(kind.sql, tables) : '';
  }

  async #runSql(backend: Backend, job: Job): Promise<void> {
    const { parameters, window, slotMs } = job.compiled;
    const params = { ...parameters, from: new Date(window.fromMs), to: new Date(window.toMs) } as Readonly<
      Record<string, Param>
    >;
    const { rows } = await backend.query(this.#ownSql(job), params, { window: reading([job]) });
    for (const row of rows) {
      const finding = findingOfSql(row, job.compiled, this.#shared);
      const slot = Date.parse(finding.window.from);
      if (slot >= window.fromMs && slot + (slotMs ?? 0) <= window.toMs) this.#findings[job.at]?.push(finding);
    }
  }

  async #collect(backend: Backend, sql: string, jobs: readonly Job[], window: Window): Promise<void> {
    const compiledAt = new Map(jobs.map(({ at, compiled }) => [at, compiled]));
    const { rows } = await backend.query(sql, {}, { window });
    for (const row of rows) {
      const at = numberOf(row, 'task');
      const compiled = compiledAt.get(at);
      if (compiled !== undefined) this.#findings[at]?.push(findingOf(row, compiled, this.#shared));
    }
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
    const words = new Set(
      [...texts, ...this.#shared, ...evidenceInputs(this.#table.roles), 'event_time'].flatMap(
        (text) => text.toLowerCase().match(/[a-z_][a-z0-9_]*/gu) ?? [],
      ),
    );
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

/** Those with slots to judge. */
const jobsOf = (compiled: readonly Compiled[]): readonly Job[] =>
  compiled
    .map((one, at): Job => ({ at, compiled: one, isBroad: false, names: null }))
    .filter((job) => job.compiled.window.fromMs < job.compiled.window.toMs);

/** As they are judged where no rows are kept: one scan for those of which each event is a finding, and one statement for each of the others. */
const alone = (jobs: readonly Job[]): readonly Job[] => jobs.map((job) => ({ ...job, isBroad: !isEvent(job) }));

const isEvent = ({ compiled: { kind } }: Job): boolean => kind.kind === 'event';
const isSql = ({ compiled: { kind } }: Job): boolean => kind.kind === 'sql';
const isBaseline = ({ compiled: { kind } }: Job): boolean => kind.kind === 'first-seen' || kind.kind === 'times-usual';
const isEach = ({ compiled: { kind } }: Job): boolean => kind.kind === 'each';
/** These fire rarely even where events qualify: first where they are hot, then the evidence. */
const isHotFirst = ({ compiled: { kind } }: Job): boolean => kind.kind === 'threshold' || kind.kind === 'sequence';
/** SQL that looks at all events of its window. */
const isFreeSql = (job: Job): boolean => isSql(job) && job.compiled.conditions.length === 0;
const mayBeBroad = (job: Job): boolean =>
  (job.compiled.kind.kind === 'threshold' || isBaseline(job) || isSql(job)) && !looksIntoJson(job);
const isKept = (job: Job): boolean => !isFreeSql(job) && !job.isBroad;

/** What is known beside the logs is joined to them, which costs more than reading a column. */
const isPlain = (column: Column): boolean => column.json !== true && !isContext(column);

/** Whether its conditions read columns that are costly to read: those are read once, in the wide scan. */
const looksIntoJson = ({ compiled: { conditions } }: Job): boolean =>
  conditions.some((condition) => necessarySql(condition, isPlain) !== conditionSql(condition));

/** A costly test behind a cheap one that it implies. */
const guarded = (whole: string, cheap: string | true | null): string =>
  cheap === true || cheap === null || cheap === whole ? whole : `CASE WHEN ${cheap} THEN ${whole} ELSE false END`;

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
