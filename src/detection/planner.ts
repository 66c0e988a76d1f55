/** The engine: fuses the conditions of all detectors over one table into one scan, and runs on their own only those that would drag too many rows along. */
import type { Backend, Param, Row } from '../backend.ts';
import { type Finding, type HuntEngine, type HuntRequest, type HuntTaskResult, LATENESS_MS } from '../hunt.ts';
import type { Column, Table } from '../table.ts';
import { DAY_MS, type Window } from '../time.ts';
import { type Compiled, compile, isRefutable, reachOf, slotSql, textOrNull, timeFilter } from './compile.ts';
import { conditionSql, necessarySql } from './condition.ts';
import {
  EVIDENCE_COLUMNS,
  eventSql,
  evidenceColumns,
  evidenceSql,
  findingOf,
  findingOfSql,
  merged,
} from './findings.ts';
import { hotCtes, inWindow, keyCount, names, same } from './hot.ts';

/** Columns of few distinct values: the first look at the data groups by them, which tells how many events each detector concerns. */
const PROFILE_COLUMNS = ['event_source', 'event_name', 'outcome', 'user_type', 'actor_type'];
/** A detector that concerns more events than this runs on its own over few columns; below it, one more pass costs more than it saves. */
const BROAD_ROWS = 20_000;
/** Rows of one VALUES list. */
const HOT_ROWS_MAX = 2000;

/** The engine for one table. */
export function createEngine(table: Table): HuntEngine {
  return {
    reachMs: reachOf,
    isRefutable,
    run: (backend, request) => new Run(table, request).run(backend),
    explain: (request) => new Run(table, request).explain(),
  };
}

/** A detector that can be judged, with its place in the request. */
interface Job {
  readonly at: number;
  readonly compiled: Compiled;
}

class Run {
  readonly #table: Table;
  readonly #request: HuntRequest;
  /** Columns whose common value is asked for. */
  readonly #shared: readonly string[];
  readonly #findings: Finding[][];
  readonly #notes: string[][];

  constructor(table: Table, request: HuntRequest) {
    this.#table = table;
    this.#request = request;
    this.#shared = request.columns.filter((name) => table.columns.some((column) => column.name === name));
    this.#findings = request.tasks.map(() => []);
    this.#notes = request.tasks.map(() => []);
  }

  async run(backend: Backend): Promise<readonly HuntTaskResult[]> {
    const compiled = this.#compiled();
    const jobs = jobsOf(compiled);
    for (const job of jobs) await this.#runSql(backend, job);

    const conditional = jobs.filter((job) => job.compiled.kind.kind !== 'sql');
    const concerned = await this.#eventsConcerned(backend, conditional);
    const active = conditional.filter((_, index) => concerned[index] !== 0);
    const isAlone = (job: Job): boolean =>
      isBaseline(job) ||
      (job.compiled.kind.kind === 'threshold' && (concerned[conditional.indexOf(job)] ?? 0) > BROAD_ROWS);
    const together = active.filter((job) => !isAlone(job));
    if (together.length > 0) await this.#collect(backend, this.#togetherSql(together), together);
    for (const job of active.filter(isAlone)) await this.#runAlone(backend, job);
    for (const job of active.filter(isBaseline)) await this.#noteHistory(backend, job);

    return compiled.map(({ window }, at) => ({
      findings: merged(this.#findings[at] ?? []),
      judged: window.fromMs < window.toMs ? window : null,
      notes: this.#notes[at] ?? [],
    }));
  }

  /** What would run: all that can go together in one statement, the others as they look for where they are hot. */
  explain(): readonly { readonly title: string; readonly sql: string }[] {
    const jobs = jobsOf(this.#compiled());
    const isSql = ({ compiled }: Job): boolean => compiled.kind.kind === 'sql';
    const together = jobs.filter((job) => !isSql(job) && !isBaseline(job));
    const title = (some: readonly Job[]): string => some.map(({ compiled }) => compiled.detector.id).join(', ');
    return [
      ...(together.length > 0 ? [{ title: title(together), sql: this.#togetherSql(together) }] : []),
      ...jobs.filter(isBaseline).map((job) => ({ title: title([job]), sql: this.#hotSql(job) })),
      ...jobs.filter(isSql).map((job) => ({ title: title([job]), sql: ownSql(job) })),
    ];
  }

  #compiled(): readonly Compiled[] {
    return this.#request.tasks.map((task) => this.#judgeable(compile(task, this.#table, this.#request.lists)));
  }

  /** Takes off the slots whose events may still be under way, where late data could refute a finding. */
  #judgeable(compiled: Compiled): Compiled {
    if (!isRefutable(compiled.detector) || compiled.slotMs === null) return compiled;
    const readyMs = Math.floor((this.#request.nowMs - LATENESS_MS) / compiled.slotMs) * compiled.slotMs;
    return { ...compiled, window: { ...compiled.window, toMs: Math.min(compiled.window.toMs, readyMs) } };
  }

  #add(at: number, finding: Finding): void {
    this.#findings[at]?.push(finding);
  }

  /** How many events pass the cheap part of each job's conditions. */
  async #eventsConcerned(backend: Backend, jobs: readonly Job[]): Promise<readonly number[]> {
    if (jobs.length === 0) return [];
    const isProfiled = (column: Column): boolean => PROFILE_COLUMNS.includes(column.name);
    const counts = jobs.map(
      (job, index) => `coalesce(sum(CASE WHEN ${necessaryOf(job, isProfiled)} THEN n ELSE 0 END), 0) AS c${index}`,
    );
    const { rows } = await backend.query(
      `SELECT ${counts.join(', ')} FROM (SELECT ${PROFILE_COLUMNS.join(', ')}, count(*) AS n FROM main.${this.#table.name} WHERE ${timeFilter(reading(jobs))} GROUP BY ${PROFILE_COLUMNS.map((_, at) => at + 1).join(', ')}) AS profile`,
    );
    return jobs.map((_, index) => Number(rows[0]?.[`c${index}`] ?? 0));
  }

  /** One scan for all these jobs: rows that any of them wants, with a flag for each condition; then a branch per job over what is left. */
  #togetherSql(jobs: readonly Job[]): string {
    const isPlain = (column: Column): boolean => column.json !== true;
    const flags = jobs.flatMap(({ at, compiled }) =>
      compiled.conditions.map((condition, step) => {
        const [cheap, whole] = [necessarySql(condition, isPlain), conditionSql(condition)];
        return {
          name: flag(at, step),
          cheap,
          sql: cheap === true || cheap === whole ? whole : `CASE WHEN ${cheap} THEN ${whole} ELSE false END`,
        };
      }),
    );
    const needed = this.#columnsOf(jobs);
    const cheap = flags.map((one) => one.cheap);
    const ctes = [
      `scan AS (SELECT ${needed.join(', ')}, ${flags.map(({ name, sql }) => `${sql} AS ${name}`).join(', ')}
 FROM main.${this.#table.name} WHERE ${timeFilter(reading(jobs))}${cheap.includes(true) ? '' : ` AND (${[...new Set(cheap)].join(' OR ')})`})`,
      `hit AS (SELECT ${[...needed, ...flags.map(({ name }) => name)].join(', ')} FROM scan WHERE ${flags.map(({ name }) => name).join(' OR ')})`,
    ];
    const branches = jobs.map(({ at, compiled }) => {
      if (compiled.kind.kind === 'event') {
        return eventSql(
          compiled,
          at,
          this.#shared,
          `hit WHERE ${flag(at, 0)} AND ${inWindow('event_time', compiled.window)}`,
        );
      }
      const x = `t${at}_`;
      ctes.push(
        `${x}q AS (${this.#qualifying(compiled, 'hit', (step) => flag(at, step), evidenceColumns(compiled, this.#shared))})`,
        ...hotCtes(compiled, x, ''),
      );
      return evidenceSql(compiled, at, this.#shared, { hot: `${x}hot`, q: `${x}q` });
    });
    return `WITH ${ctes.join(',\n')}\n${branches.join('\nUNION ALL ')}`;
  }

  /** Where a job is hot, over few columns. */
  #hotSql({ at, compiled }: Job): string {
    const { kind } = compiled;
    const s = names('s', compiled.subject.length);
    const lean = this.#qualifying(compiled, this.#events(reading([{ at, compiled }])), conditionAt(compiled), '');
    const q = kind.kind === 'threshold' ? crowded(lean, s, kind) : lean;
    const history =
      kind.kind === 'first-seen'
        ? this.#historySql(compiled, kind.per)
        : kind.kind === 'times-usual'
          ? this.#historySql(compiled, ['account_id'])
          : '';
    return `WITH q AS (${q}),\n${hotCtes(compiled, '', history).join(',\n')}
SELECT ${[...s, ...names('k', keyCount(compiled))].join(', ')}, slot, lo, hi, peak FROM hot ORDER BY slot, ${s.join(', ')}`;
  }

  /** First only where it is hot; then, if anywhere, the evidence. */
  async #runAlone(backend: Backend, job: Job): Promise<void> {
    const { at, compiled } = job;
    const keys = [...names('s', compiled.subject.length), ...names('k', keyCount(compiled))];
    const { rows } = await backend.query(this.#hotSql(job));
    for (let first = 0, end = 0; first < rows.length; first = end) {
      end = Math.min(first + HOT_ROWS_MAX, rows.length);
      // One finding may have several rows.
      while (end < rows.length && rows[end]?.['slot'] === rows[end - 1]?.['slot']) end += 1;
      const hot = rows.slice(first, end);
      const full = this.#qualifying(
        compiled,
        this.#events(evidenceWindow(hot)),
        conditionAt(compiled),
        evidenceColumns(compiled, this.#shared),
      );
      const values = hot.map((row) => hotValues(row, keys)).join(',\n');
      const evidence = evidenceSql(compiled, at, this.#shared, { hot: 'hot', q: 'q' });
      await this.#collect(
        backend,
        `WITH hot (${keys.join(', ')}, slot, lo, hi, peak) AS (VALUES ${values}),\nq AS (${full})\n${evidence}`,
        [job],
      );
    }
  }

  #events(window: Window): string {
    return `(SELECT * FROM main.${this.#table.name} WHERE ${timeFilter(window)}) AS events`;
  }

  /** The qualifying events of a job, under the names of hot.ts. */
  #qualifying(
    { kind, subject, conditions, readFromMs, window }: Compiled,
    source: string,
    condition: (step: number) => string,
    extra: string,
  ): string {
    const steps = conditions.map((_, step) => condition(step));
    const keys =
      kind.kind === 'sequence'
        ? kind.by
        : kind.kind === 'first-seen'
          ? [...subject, ...kind.per, ...kind.values]
          : subject;
    const columns = [
      ...subject.map((sql, at) => `${sql} AS s${at}`),
      ...keys.map((sql, at) => `${sql} AS k${at}`),
      'event_time AS t',
      ...(kind.kind === 'threshold' && kind.distinct !== null ? [`${kind.distinct} AS v`] : []),
      ...(kind.kind === 'first-seen'
        ? [...kind.per.map((sql, at) => `${sql} AS p${at}`), ...kind.values.map((sql, at) => `${sql} AS f${at}`)]
        : []),
      ...(kind.kind === 'times-usual' ? ['account_id AS p0'] : []),
      ...(kind.kind === 'sequence'
        ? [
            ...steps.map((sql, at) => `${sql} AS f${at + 1}`),
            `CASE ${steps
              .map((sql, at) => `WHEN ${sql} THEN ${at + 1}`)
              .toReversed()
              .join(' ')} END AS top`,
          ]
        : []),
      ...(extra === '' ? [] : [extra]),
    ];
    const joined = kind.kind === 'sequence' ? kind.by.map((sql) => ` AND ${sql} IS NOT NULL`).join('') : '';
    return `SELECT ${columns.join(', ')} FROM ${source} WHERE (${steps.join(' OR ')}) AND ${inWindow('event_time', { fromMs: readFromMs, toMs: window.toMs })}${joined}`;
  }

  /** Slots in which each `per` has events of any kind. */
  #historySql(compiled: Compiled, per: readonly string[]): string {
    const columns = per.map((sql, at) => `${sql} AS p${at}`).join(', ');
    return `SELECT DISTINCT ${columns}, ${slotSql(compiled.slotMs ?? DAY_MS, 'event_time')} AS slot FROM main.${this.#table.name} WHERE ${timeFilter({ fromMs: compiled.readFromMs, toMs: compiled.window.toMs })}`;
  }

  /** Says where no slot of the window had the history that a baseline needs. */
  async #noteHistory(backend: Backend, { at, compiled }: Job): Promise<void> {
    const { kind, window, detector } = compiled;
    if (kind.kind !== 'first-seen' && kind.kind !== 'times-usual') return;
    const per = kind.kind === 'first-seen' ? kind.per : ['account_id'];
    const { rows } = await backend.query(
      `SELECT ${per.map((sql, index) => `${sql} AS p${index}`).join(', ')}, min(event_time) AS first_seen FROM main.${this.#table.name}
 WHERE ${timeFilter({ fromMs: compiled.readFromMs, toMs: window.toMs })} GROUP BY ${per.map((_, index) => index + 1).join(', ')} ORDER BY ${per.map((_, index) => index + 1).join(', ')}`,
    );
    const daysOf = (row: Row): number => (window.toMs - Date.parse(String(row['first_seen']))) / DAY_MS;
    const needed = kind.warmUpMs / DAY_MS;
    const young = rows.filter((row) => daysOf(row) <= needed);
    const isAccount = per.length === 1 && per[0] === 'account_id';
    if (isAccount) {
      for (const row of young)
        this.#notes[at]?.push(
          `detector ${detector.id}: silent, account ${row['p0'] ?? 'unknown'} has only ${daysOf(row).toFixed(1)} of ${needed} days of history`,
        );
    } else if (young.length > 0) {
      this.#notes[at]?.push(
        `detector ${detector.id}: silent for ${young.length} of ${rows.length} values of ${per.join(', ')}, which have less than ${needed} days of history`,
      );
    }
  }

  async #runSql(backend: Backend, job: Job): Promise<void> {
    const { at, compiled } = job;
    const { kind, window, slotMs } = compiled;
    if (kind.kind !== 'sql') return;
    const params = { ...compiled.parameters, from: new Date(window.fromMs), to: new Date(window.toMs) } as Readonly<
      Record<string, Param>
    >;
    const { rows } = await backend.query(ownSql(job), params);
    for (const row of rows) {
      const finding = findingOfSql(row, compiled, this.#shared);
      const slot = Date.parse(finding.window.from);
      if (slot >= window.fromMs && slot + (slotMs ?? 0) <= window.toMs) this.#add(at, finding);
    }
  }

  async #collect(backend: Backend, sql: string, jobs: readonly Job[]): Promise<void> {
    const compiledAt = new Map(jobs.map(({ at, compiled }) => [at, compiled]));
    const { rows } = await backend.query(sql);
    for (const row of rows) {
      const at = Number(row['task']);
      const compiled = compiledAt.get(at);
      if (compiled !== undefined) this.#add(at, findingOf(row, compiled, this.#shared));
    }
  }

  /** Columns of the table that the branches of these jobs may read. */
  #columnsOf(jobs: readonly Job[]): readonly string[] {
    const texts = jobs.flatMap(({ compiled }) => {
      const { kind, subject, placeholders } = compiled;
      const keys =
        kind.kind === 'sequence' ? kind.by : kind.kind === 'threshold' && kind.distinct !== null ? [kind.distinct] : [];
      return [...subject, ...keys, ...placeholders.map(({ sql }) => sql)];
    });
    const words = new Set(
      [...texts, ...this.#shared, ...EVIDENCE_COLUMNS, 'event_time'].flatMap(
        (text) => text.match(/[a-z_][a-z0-9_]*/gu) ?? [],
      ),
    );
    return this.#table.columns.map(({ name }) => name).filter((name) => words.has(name));
  }
}

/** Those with slots to judge. */
const jobsOf = (compiled: readonly Compiled[]): readonly Job[] =>
  compiled
    .map((one, at): Job => ({ at, compiled: one }))
    .filter((job) => job.compiled.window.fromMs < job.compiled.window.toMs);

/** SQL of the condition of a step. */
const conditionAt =
  ({ conditions }: Compiled) =>
  (step: number): string =>
    conditionSql(conditions[step] ?? { kind: 'all', nodes: [] });

/** The detector's own statement, over a window of the tables that it reads. */
function ownSql({ compiled: { kind, detector, readFromMs, window } }: Job): string {
  const filter = timeFilter({ fromMs: readFromMs, toMs: window.toMs });
  const tables = [...new Set([detector.table, ...(detector.reads ?? [])])].map(
    (name) => `${name} AS (SELECT * FROM main.${name} WHERE ${filter})`,
  );
  return kind.kind === 'sql' ? withTables(kind.sql, tables) : '';
}

const isBaseline = ({ compiled: { kind } }: Job): boolean => kind.kind === 'first-seen' || kind.kind === 'times-usual';
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
  fromMs: Math.min(...hot.map((row) => Date.parse(String(row['lo'])))),
  toMs: Math.max(...hot.map((row) => Date.parse(String(row['hi'])))) + 1,
});

function hotValues(row: Row, keys: readonly string[]): string {
  const texts = keys.map((key) => textOrNull(row[key] === null ? null : String(row[key])));
  const times = ['slot', 'lo', 'hi'].map((key) => `TIMESTAMP '${String(row[key]).replace('T', ' ').replace('Z', '')}'`);
  return `(${[...texts, ...times, row['peak'] === null ? 'CAST(NULL AS BIGINT)' : `CAST(${row['peak']} AS BIGINT)`].join(', ')})`;
}

/**
 * Only events of stretches as long as the span that could be hot: those which, with the stretch before, hold enough events or values. Two hot rows of one stretch
 * see all the events that decide about them, so nothing changes but the number of rows.
 */
function crowded(
  lean: string,
  s: readonly string[],
  { atLeast, distinct, withinMs }: Extract<Compiled['kind'], { readonly kind: 'threshold' }>,
): string {
  const keys = s.join(', ');
  const stretched = `(SELECT *, CAST(floor(to_unixtime(t) / ${withinMs / 1000}) AS BIGINT) AS stretch FROM (${lean}) AS l)`;
  const counted =
    distinct === null ? stretched : `(SELECT DISTINCT ${keys}, stretch, v FROM ${stretched} AS w WHERE v IS NOT NULL)`;
  return `SELECT w.* FROM ${stretched} AS w JOIN (
 WITH counts AS (SELECT ${keys}, stretch, count(*) AS n FROM ${counted} AS w GROUP BY ${keys}, stretch),
 pairs AS (SELECT ${keys}, stretch, n, lag(stretch) OVER (PARTITION BY ${keys} ORDER BY stretch) AS last_stretch, lag(n) OVER (PARTITION BY ${keys} ORDER BY stretch) AS last_n FROM counts),
 hot AS (SELECT ${keys}, stretch FROM pairs WHERE n + CASE WHEN last_stretch = stretch - 1 THEN last_n ELSE 0 END >= ${atLeast})
 SELECT ${keys}, stretch FROM hot UNION SELECT ${keys}, stretch - 1 FROM hot) AS c ON ${same('w', 'c', [...s, 'stretch'])}`;
}

/** Puts common table expressions in front of a statement's own. */
function withTables(sql: string, tables: readonly string[]): string {
  const [blank = ''] = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*/u.exec(sql) ?? [];
  const rest = sql.slice(blank.length).replace(/;\s*$/u, '');
  const [withWord] = /^with\s+(?:recursive\s+)?/iu.exec(rest) ?? [];
  const prefix = `${withWord?.trimEnd() ?? 'WITH'} ${tables.join(', ')}`;
  return withWord === undefined ? `${prefix} ${rest}` : `${prefix}, ${rest.slice(withWord.length)}`;
}
