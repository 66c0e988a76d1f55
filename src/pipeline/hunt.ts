/** Hunting: which detectors judge which stretch of time, what becomes of their findings, and how far each has judged. */
import { createHash } from 'node:crypto';
import type { Alert } from '../alert.ts';
import type { Backend, Param } from '../backend.ts';
import { type Detector, parameterValues, slotMs } from '../detector.ts';
import { type Enrichment, NO_CONTEXT } from '../enrichment.ts';
import { AppError } from '../errors.ts';
import {
  type CountRow,
  type HuntEngine,
  type HuntRequest,
  type HuntStatement,
  type HuntTask,
  LATENESS_MS,
  type RunStatement,
  SLOT_COUNT,
} from '../hunt.ts';
import { defaultMask, type Mask } from '../secrets.ts';
import type { Commit, HuntKey, RecordedHunt, Segment, Store, Suppression } from '../store.ts';
import type { Table } from '../table.ts';
import { DAY_MS, dayOf, formatDay, joinedAcross, type Window } from '../time.ts';
import { alertOf, suppressionColumns } from './alerts.ts';
import { isOfScope, missingFor, neededBy, type Override, type Scope, scoped, scopesOf, silenceNotes } from './scope.ts';

/** A table that detectors look at, and the engine that runs them over it. */
export interface HuntTable {
  readonly table: Table;
  readonly engine: HuntEngine;
}

export interface HuntDeps {
  readonly store: Store;
  readonly tables: readonly HuntTable[];
  /** A portable backend over exactly these segments; the hunt closes it. */
  readonly openBackend: (tables: readonly StoredTable[]) => Promise<Backend>;
  readonly nowMs: () => number;
}

/** A table as it lies in segments. */
export interface StoredTable {
  readonly table: Pick<Table, 'name' | 'columns' | 'schemaVersion'>;
  readonly segments: readonly Segment[];
}

export interface HuntOptions {
  readonly detectors: readonly Detector[];
  /** Values that were given, by detector id; unchecked. */
  readonly parameters: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Values that hold for some accounts only. */
  readonly overrides?: readonly Override[];
  /** What is known beside the logs (default: nothing). Detectors that need what is not configured stay silent. */
  readonly enrichment?: Enrichment;
  readonly lists: Readonly<Record<string, readonly string[]>>;
  /** Those of the config; the store's are added. */
  readonly suppressions: readonly Suppression[];
  /** Default: that of the secrets that everybody has. */
  readonly mask?: Mask;
  /** How long after its end a slot's events may still come: see LATENESS_MS. */
  readonly latenessMs?: number;
  /** Is told of each statement that has run. */
  readonly onStatement?: (statement: RunStatement) => void;
  readonly signal?: AbortSignal;
}

export interface HuntResult {
  /** By first event. All that was found or withdrawn now; `new` marks what the store did not know. */
  readonly alerts: readonly Alert[];
  /** Why detectors stay silent, as sentences. */
  readonly notes: readonly string[];
}

/** Separate stretches of new data that are judged each for itself; more of them are joined across their smallest gaps. */
const STRETCHES_MAX = 4;
/** A longer stretch is judged piece by piece, the newest first, and what each finds is recorded at once: years of archive are no single step. */
const PIECE_MS = 60 * DAY_MS;

/** Events that are counted at a time: their counts are held in memory until they are kept. */
const COUNTED_ROWS = 2_000_000;
/** Of every table that has overrides: whose events they are. */
const ACCOUNT_COLUMN = 'account_id';

type JudgeOptions = Pick<HuntOptions, 'detectors' | 'parameters' | 'overrides' | 'enrichment' | 'lists'>;

/** A detector with its checked values and what it has judged. */
interface Judge {
  readonly detector: Detector;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly scope: Scope;
  readonly key: HuntKey;
}

interface JudgedSeq {
  readonly key: HuntKey;
  readonly seq: number;
}

/** Judges a window of event time; an absent bound is that of the store. Throws `config-invalid`, `detector-invalid`, `interrupted`. */
export async function huntWindow(deps: HuntDeps, options: HuntOptions, bounds: Partial<Window>): Promise<HuntResult> {
  const session = new Hunt(deps, options);
  const [seq] = await Promise.all([deps.store.lastSeq(), session.begin()]);
  // Only a look at everything leaves nothing for later.
  const isWhole = bounds.fromMs === undefined && bounds.toMs === undefined;
  const seqs: JudgedSeq[] = [];
  for (const [hunted, judges] of byTable(deps.tables, judgesOf(options))) {
    const commits = await deps.store.commits(hunted.table, 0);
    if ((await judgeWindow(deps, session, hunted, judges, bounds)) === null || !isWhole) continue;
    seqs.push(
      ...judges.map((judge) => ({ key: judge.key, seq: judgedSeq(deps, options, hunted, judge, commits, seq) })),
    );
  }
  return session.record(seqs);
}

/** What detectors would have found in a window of event time, had they run. */
export interface Rehearsal extends HuntResult {
  /** What was looked at: from the first to the last event of these tables, within the bounds. Null where there is none. */
  readonly window: Window | null;
  /** Events in it by table. */
  readonly events: Readonly<Record<string, number>>;
}

/** Judges a window as huntWindow() does, but records nothing, and withdraws nothing. Throws as it does. */
export async function rehearse(deps: HuntDeps, options: HuntOptions, bounds: Partial<Window>): Promise<Rehearsal> {
  const session = new Hunt(deps, options);
  await session.begin();
  const windows: Window[] = [];
  const events: Record<string, number> = {};
  for (const [hunted, judges] of byTable(deps.tables, judgesOf(options))) {
    const window = await judgeWindow(deps, session, hunted, judges, bounds);
    if (window === null) continue;
    windows.push(window);
    events[hunted.table.name] = await countOf(deps, hunted.table, window);
  }
  const window =
    windows.length === 0
      ? null
      : { fromMs: smallest(windows.map(({ fromMs }) => fromMs)), toMs: -smallest(windows.map(({ toMs }) => -toMs)) };
  return { ...session.found(), window, events };
}

async function countOf({ store, openBackend }: HuntDeps, table: Table, window: Window): Promise<number> {
  const backend = await openBackend([{ table, segments: await store.segments(table, window) }]);
  try {
    const { rows } = await backend.query(
      `SELECT count(*) AS n FROM main.${table.name} WHERE event_time >= :from AND event_time < :to`,
      { from: new Date(window.fromMs), to: new Date(window.toMs) },
    );
    return Number(rows[0]?.['n'] ?? 0);
  } finally {
    await backend.close();
  }
}

/** The window that was judged; null where there are no events in it. */
async function judgeWindow(
  { store }: HuntDeps,
  session: Hunt,
  hunted: HuntTable,
  judges: readonly Judge[],
  bounds: Partial<Window>,
): Promise<Window | null> {
  const segments = await store.segments(hunted.table);
  const window = windowOf(segments, bounds);
  if (window === null) return null;
  const isWhole = bounds.fromMs === undefined && bounds.toMs === undefined;
  await session.judge(hunted, judges, () => window, rangeOf(hunted, judges, window), isWhole ? segments : null);
  return window;
}

/**
 * Which detectors judge new data. `event`: those for which each event is a finding, over the new segments alone. `prompt`: all that late data cannot refute,
 * so that nothing has to be waited for.
 */
export type HuntPart = 'event' | 'prompt' | 'all';

/** What a detector has judged is known by these. Throws `config-invalid` for parameters that it does not take. */
export function huntKeys(options: JudgeOptions): readonly HuntKey[] {
  return judgesOf(options).map(({ key }) => key);
}

/** Judges what commits since the last time touch. */
export async function huntNew(deps: HuntDeps, options: HuntOptions, part: HuntPart): Promise<HuntResult> {
  const takesPart = ({ detector }: Judge): boolean => {
    if (part === 'event') return detector.slot === 'event';
    const engine = deps.tables.find(({ table }) => table.name === detector.table)?.engine;
    return part === 'all' || engine?.isRefutable(detector) === false;
  };
  const judges = judgesOf(options).filter(takesPart);
  const session = new Hunt(deps, options);
  const [seq, seen] = await Promise.all([
    deps.store.lastSeq(),
    deps.store.huntSeqs(judges.map(({ key }) => key)),
    session.begin(),
  ]);
  const seqs: JudgedSeq[] = [];
  for (const [afterSeq, since] of groupedBy(judges, (_, at) => seen[at] ?? 0)) {
    if (afterSeq >= seq) continue;
    for (const [hunted, group] of byTable(deps.tables, since)) {
      const [commits, fresh] = await Promise.all([
        deps.store.commits(hunted.table, afterSeq),
        deps.store.segments(hunted.table, { afterSeq }),
      ]);
      seqs.push(
        ...group.map((judge) => ({ key: judge.key, seq: judgedSeq(deps, options, hunted, judge, commits, seq) })),
      );
      const lonely = group.filter(({ detector }) => detector.slot === 'event');
      const span = windowOf(fresh, {});
      if (span !== null && lonely.length > 0) await session.judge(hunted, lonely, () => span, span, fresh);
      const others = group.filter(({ detector }) => detector.slot !== 'event');
      for (const stretch of others.length === 0 ? [] : stretchesOf(commits)) {
        for (const piece of daysOf(stretch)) {
          const windowFor = ({ detector }: Judge): Window => ({
            fromMs: piece.fromMs,
            // What reaches into the next piece was judged with it.
            toMs: piece.toMs === stretch.toMs ? piece.toMs + hunted.engine.reachMs(detector) : piece.toMs,
          });
          await session.judge(hunted, others, windowFor, rangeOf(hunted, others, piece), null);
          if (piece.fromMs !== stretch.fromMs) await session.save();
        }
      }
    }
  }
  return session.record(seqs);
}

/**
 * Judges a window of an archive that the store does not hold, on a backend that reads it where it lies; the store keeps the alerts. `piecesOf`: the window in pieces of
 * whole slots, one after the other, of which each can be read together with so much before it. Throws as huntWindow().
 */
export async function huntArchive(
  deps: HuntDeps,
  options: HuntOptions,
  piecesOf: (table: Table, reachMs: number) => readonly Window[],
): Promise<HuntResult> {
  const session = new Hunt(deps, options);
  await session.begin();
  for (const [hunted, judges] of byTable(deps.tables, judgesOf(options))) {
    const reachMs = Math.max(0, ...judges.map(({ detector }) => hunted.engine.reachMs(detector)));
    for (const piece of piecesOf(hunted.table, reachMs)) {
      await session.judge(hunted, judges, () => piece, rangeOf(hunted, judges, piece), []);
      // What was paid for is kept, whatever becomes of the rest.
      await session.save();
    }
  }
  return session.record([]);
}

/** A statement that a hunt over an archive would run. */
export interface ArchiveStatement {
  /** The detectors that it is for. */
  readonly title: string;
  readonly sql: string;
  readonly params: Readonly<Record<string, Param>>;
  /** What it reads. */
  readonly window: Window;
}

/** The statements of huntArchive(), none of them run. */
export function explainArchive(
  { tables, nowMs }: Pick<HuntDeps, 'tables' | 'nowMs'>,
  options: JudgeOptions,
  piecesOf: (table: Table, reachMs: number) => readonly Window[],
): readonly ArchiveStatement[] {
  return byTable(tables, judgesOf(options)).flatMap(([{ table, engine }, judges]) => {
    const reachOf = (some: readonly Judge[]): number =>
      Math.max(0, ...some.map(({ detector }) => engine.reachMs(detector)));
    return piecesOf(table, reachOf(judges)).flatMap((window) => {
      const tasks = judges.map(({ detector, parameters }) => ({ detector, parameters, window }));
      return engine
        .explain({ tasks, lists: options.lists, columns: [], nowMs: nowMs() }, { keeps: false })
        .map(({ title, sql }) => {
          const named = judges.filter(({ detector }) => title.split(', ').includes(detector.id));
          const [only] = named;
          return {
            title,
            sql,
            params: {
              ...(named.length === 1 ? (only?.parameters as Record<string, Param>) : {}),
              from: new Date(window.fromMs),
              to: new Date(window.toMs),
            },
            window: { fromMs: window.fromMs - reachOf(named.length === 0 ? judges : named), toMs: window.toMs },
          };
        });
    });
  });
}

/** The statements of a hunt over a window, none of them run. */
export async function explainHunt(
  deps: HuntDeps,
  options: HuntOptions,
  bounds: Partial<Window>,
): Promise<readonly HuntStatement[]> {
  const statements: HuntStatement[] = [];
  for (const [{ table, engine }, judges] of byTable(deps.tables, judgesOf(options))) {
    const segments = await deps.store.segments(table);
    const window = windowOf(segments, bounds) ?? { fromMs: deps.nowMs() - DAY_MS, toMs: deps.nowMs() };
    const tasks = judges.map(({ detector, parameters }) => ({ detector, parameters, window }));
    const request = { tasks, lists: options.lists, columns: [], nowMs: deps.nowMs() };
    const counts = engine.counts(request);
    const isCounted = counts !== null && segmentsOf(segments, counts.days).length > 0;
    if (isCounted) statements.push(...counts.queries);
    statements.push(...engine.explain({ ...request, counted: isCounted ? counts.days : null }));
  }
  return statements;
}

/** The statements of a hunt over a window, run: what each took. Nothing is recorded. Throws as huntWindow(). */
export async function analyzeHunt(
  deps: HuntDeps,
  options: HuntOptions,
  bounds: Partial<Window>,
): Promise<readonly RunStatement[]> {
  const statements: RunStatement[] = [];
  const session = new Hunt(deps, { ...options, onStatement: (statement) => statements.push(statement) });
  await session.begin();
  for (const [hunted, judges] of byTable(deps.tables, judgesOf(options)))
    await judgeWindow(deps, session, hunted, judges, bounds);
  return statements;
}

/** The judges of each table that has any. */
function byTable(
  tables: HuntDeps['tables'],
  judges: readonly Judge[],
): readonly (readonly [HuntTable, readonly Judge[]])[] {
  return tables
    .map((hunted) => [hunted, judges.filter(({ detector }) => detector.table === hunted.table.name)] as const)
    .filter(([, group]) => group.length > 0);
}

/** Those that can judge, each once for the accounts of each set of values. */
function judgesOf({
  detectors,
  parameters,
  overrides = [],
  enrichment = NO_CONTEXT,
  lists,
}: JudgeOptions): readonly Judge[] {
  return detectors
    .filter((detector) => missingFor(detector, enrichment).length === 0)
    .flatMap((detector) =>
      scopesOf(detector.id, parameters[detector.id] ?? {}, overrides).map((scope): Judge => {
        const values = parameterValues(detector, scope.given);
        // A list is a value of the detectors that look at it, and so is what is known beside the logs.
        const looksAtLists = /"list":|list_/u.test(JSON.stringify([detector.when, detector.sequence, detector.sql]));
        const known = neededBy(detector).map((source) => [source, enrichment.fingerprint(source)]);
        const parts: unknown[] = [
          ...(looksAtLists ? [lists] : []),
          ...(known.length > 0 ? [known] : []),
          ...(scope.accounts !== null || scope.without.length > 0 ? [[scope.accounts, scope.without]] : []),
        ];
        const hash = createHash('sha256').update(JSON.stringify(parts.length === 0 ? values : [values, ...parts]));
        return {
          detector: scoped(detector, scope, ACCOUNT_COLUMN),
          parameters: values,
          scope,
          key: { detector: detector.id, version: detector.version, parametersHash: hash.digest('hex') },
        };
      }),
    );
}

/** The bounds given, else those of the segments' events; null where there are none. */
function windowOf(segments: readonly Segment[], { fromMs, toMs }: Partial<Window>): Window | null {
  const first = segments.map(({ minTimeMs }) => minTimeMs).filter((time) => time !== null);
  const last = segments.map(({ maxTimeMs }) => maxTimeMs).filter((time) => time !== null);
  if (first.length === 0) return null;
  const window = { fromMs: fromMs ?? smallest(first), toMs: toMs ?? -smallest(last.map((time) => -time)) + 1 };
  return window.fromMs < window.toMs ? window : null;
}

/** Math.min takes its arguments from the stack: a store may have more segments than fit there. */
const smallest = (values: readonly number[]): number =>
  values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);

/** What has to be readable around a window: whole slots, what counts before them, what they may change after them. */
function rangeOf({ engine }: HuntTable, judges: readonly Judge[], { fromMs, toMs }: Window): Window {
  const reach = Math.max(0, ...judges.map(({ detector }) => engine.reachMs(detector)));
  return { fromMs: fromMs - reach - DAY_MS, toMs: toMs + reach + DAY_MS };
}

/** Up to which commit a detector has judged all: not beyond one with events in slots that are still open. */
function judgedSeq(
  { nowMs }: HuntDeps,
  { latenessMs = LATENESS_MS }: HuntOptions,
  { engine }: HuntTable,
  { detector }: Judge,
  commits: readonly Commit[],
  lastSeq: number,
): number {
  const length = slotMs(detector);
  if (!engine.isRefutable(detector) || length === null) return lastSeq;
  const readyMs = Math.floor((nowMs() - latenessMs) / length) * length;
  const open = commits.filter(({ maxTimeMs }) => maxTimeMs !== null && maxTimeMs >= readyMs).map(({ seq }) => seq - 1);
  return Math.min(lastSeq, smallest(open));
}

/** Stretches of time that commits touch, apart by more than a day, at most STRETCHES_MAX. */
function stretchesOf(commits: readonly Commit[]): readonly Window[] {
  const sorted = commits
    .flatMap(({ minTimeMs, maxTimeMs }) =>
      minTimeMs === null || maxTimeMs === null ? [] : [{ fromMs: minTimeMs, toMs: maxTimeMs + 1 }],
    )
    .toSorted((a, b) => a.fromMs - b.fromMs);
  let stretches = joinedAcross(sorted, DAY_MS);
  for (let gap = 2 * DAY_MS; stretches.length > STRETCHES_MAX; gap *= 2) stretches = joinedAcross(stretches, gap);
  return stretches;
}

/** In whole days, the newest first. */
function daysOf({ fromMs, toMs }: Window): readonly Window[] {
  const pieces: Window[] = [];
  let end = toMs;
  while (end - fromMs > PIECE_MS) {
    const start = Math.floor((end - PIECE_MS) / DAY_MS) * DAY_MS;
    pieces.push({ fromMs: start, toMs: end });
    end = start;
  }
  return [...pieces, { fromMs, toMs: end }];
}

function groupedBy<T>(
  values: readonly T[],
  keyOf: (value: T, at: number) => number,
): ReadonlyMap<number, readonly T[]> {
  const groups = new Map<number, T[]>();
  for (const [at, value] of values.entries()) {
    const key = keyOf(value, at);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [value]);
    else group.push(value);
  }
  return groups;
}

const byFirst = (a: Alert, b: Alert): number =>
  Date.parse(a.first_seen) - Date.parse(b.first_seen) || (a.id < b.id ? -1 : 1);

/** Days whose events are counted by the same statements. */
function countedTogether(segments: readonly Segment[]): readonly ReadonlyMap<string, readonly Segment[]>[] {
  const parts: Map<string, Segment[]>[] = [];
  let rows = Number.POSITIVE_INFINITY;
  for (const day of new Set(segments.map(({ eventDate }) => eventDate))) {
    const those = segments.filter(({ eventDate }) => eventDate === day);
    const more = those.reduce((sum, segment) => sum + segment.rows, 0);
    if (rows + more > COUNTED_ROWS) {
      parts.push(new Map());
      rows = 0;
    }
    parts.at(-1)?.set(day, those);
    rows += more;
  }
  return parts;
}

/** Those of whole days. */
const segmentsOf = (segments: readonly Segment[], days: Window): readonly Segment[] =>
  segments.filter(({ eventDate }) => {
    const startMs = dayOf(eventDate) * DAY_MS;
    return startMs >= days.fromMs && startMs < days.toMs;
  });

/**
 * The counts of the days on which baselines rest and of which there are segments among these; what nobody has counted yet is counted now and kept. Null where there are
 * no such days, or nothing can be kept: then their events are read.
 */
async function countDays(
  { store, openBackend }: HuntDeps,
  { signal, onStatement }: HuntOptions,
  { table, engine }: HuntTable,
  request: HuntRequest,
  segments: readonly Segment[],
): Promise<{ readonly days: Window; readonly files: readonly Segment[] } | null> {
  const wanted = engine.counts(request);
  if (wanted === null) return null;
  const { days, queries } = wanted;
  const past = segmentsOf(segments, days);
  if (past.length === 0) return null;
  const keys = queries.map(({ key }) => key);
  const { files, missing } = await store.slotCounts.find(table, past, keys);
  const added: Segment[] = [];
  try {
    for (const byDay of countedTogether(missing)) {
      const backend = await openBackend([{ table, segments: [...byDay.values()].flat() }]);
      const interrupt = (): void => backend.interrupt();
      signal?.addEventListener('abort', interrupt);
      try {
        if (signal?.aborted) throw new AppError('interrupted', 'the hunt was interrupted');
        const rows = new Map<string, CountRow[]>([...byDay.keys()].map((day) => [day, []]));
        for (const { key, ...statement } of queries) {
          const started = performance.now();
          for (const { k, slot, n } of (await backend.query(statement.sql)).rows) {
            const startMs = Date.parse(slot as string);
            // Events of a segment are of its day.
            const ofDay = rows.get(formatDay(Math.floor(startMs / DAY_MS)));
            ofDay?.push([key, k as readonly (string | null)[], startMs, Number(n)]);
          }
          onStatement?.({ ...statement, ms: performance.now() - started });
        }
        for (const [day, those] of byDay)
          added.push(await store.slotCounts.add(table, those, keys, rows.get(day) ?? []));
      } finally {
        signal?.removeEventListener('abort', interrupt);
        await backend.close();
      }
    }
  } catch (error) {
    if (error instanceof AppError && error.code === 'store-unwritable') return null;
    throw error;
  }
  return { days, files: [...files, ...added] };
}

/** Gathers the alerts of one hunt, and records them at its end in one transaction. */
class Hunt {
  readonly #deps: HuntDeps;
  readonly #options: HuntOptions;
  readonly #found = new Map<string, Alert>();
  readonly #withdrawn = new Map<string, Alert>();
  readonly #notes = new Set<string>();
  readonly #fresh = new Set<string>();
  #suppressions: readonly Suppression[] = [];

  constructor(deps: HuntDeps, options: HuntOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Before the first judgement. */
  async begin(): Promise<void> {
    const { suppressions, detectors, enrichment = NO_CONTEXT } = this.#options;
    for (const note of silenceNotes(detectors, enrichment)) this.#notes.add(note);
    this.#suppressions = [...suppressions, ...(await this.#deps.store.suppressions())];
  }

  /** `segments`: those of the judges' table, where they are known; else, as those of other tables that they read, the ones of the range. */
  async judge(
    { table, engine }: HuntTable,
    judges: readonly Judge[],
    windowFor: (judge: Judge) => Window,
    range: Window,
    segments: readonly Segment[] | null,
  ): Promise<void> {
    const { store, tables, openBackend, nowMs } = this.#deps;
    const { lists, signal, latenessMs, onStatement, mask = defaultMask, enrichment = NO_CONTEXT } = this.#options;
    const suppressions = this.#suppressions;
    const tasks = judges.map(
      (judge): HuntTask => ({ detector: judge.detector, parameters: judge.parameters, window: windowFor(judge) }),
    );
    const reads = new Set(judges.flatMap(({ detector }) => detector.reads ?? []));
    const request: HuntRequest = {
      tasks,
      lists,
      columns: suppressionColumns(suppressions),
      nowMs: nowMs(),
      ...(latenessMs !== undefined && { latenessMs }),
      ...(onStatement && { onStatement }),
    };
    const own = segments ?? (await store.segments(table, range));
    const counted = await countDays(this.#deps, this.#options, { table, engine }, request, own);
    const backend = await openBackend([
      { table, segments: own },
      ...(await Promise.all(
        tables
          .map((other) => other.table)
          .filter((other) => other !== table && reads.has(other.name))
          .map(async (other) => ({ table: other, segments: await store.segments(other, range) })),
      )),
      ...(counted === null ? [] : [{ table: SLOT_COUNT, segments: counted.files }]),
    ]);
    const interrupt = (): void => backend.interrupt();
    signal?.addEventListener('abort', interrupt);
    try {
      if (signal?.aborted) throw new AppError('interrupted', 'the hunt was interrupted');
      const results = await engine.run(backend, { ...request, counted: counted?.days ?? null });
      const refutable: Promise<void>[] = [];
      for (const [at, { findings, judged, notes }] of results.entries()) {
        const { detector, parameters, scope } = judges[at] as Judge;
        const alerts = findings.map((finding) =>
          alertOf(finding, { detector, parameters, suppressions, lists, enrichment, mask, nowMs: nowMs() }),
        );
        for (const alert of alerts) this.#add(alert);
        for (const note of notes) this.#notes.add(note);
        if (judged !== null && engine.isRefutable(detector))
          refutable.push(this.#withdraw({ detector, parameters, scope }, judged));
      }
      await Promise.all(refutable);
    } finally {
      signal?.removeEventListener('abort', interrupt);
      await backend.close();
    }
  }

  /** A subject of several accounts may be found once for each set of values that they have: the larger finding stays. */
  #add(alert: Alert): void {
    const other = this.#found.get(alert.id);
    if (other === undefined || other.count <= alert.count) this.#found.set(alert.id, alert);
  }

  /** Recorded alerts of these slots that were not found again follow no longer, unless they were found with other values. */
  async #withdraw({ detector, parameters, scope }: Omit<Judge, 'key'>, judged: Window): Promise<void> {
    const recorded = await this.#deps.store.alerts({ detector: detector.id, fromMs: judged.fromMs, toMs: judged.toMs });
    for (const alert of recorded) {
      const isJudged = Date.parse(alert.window.from) >= judged.fromMs && Date.parse(alert.window.to) <= judged.toMs;
      const isSame =
        alert.detector_version === detector.version &&
        JSON.stringify(alert.parameters) === JSON.stringify(parameters) &&
        isOfScope(alert.accounts, scope);
      if (isJudged && isSame && alert.status !== 'withdrawn')
        this.#withdrawn.set(alert.id, { ...alert, status: 'withdrawn' });
    }
  }

  /** What was found so far, by first event. */
  found(): HuntResult {
    return { alerts: [...this.#found.values()].toSorted(byFirst), notes: [...this.#notes] };
  }

  /** Records what was found so far. */
  async save(): Promise<void> {
    await this.#save([]);
  }

  async #save(seqs: readonly JudgedSeq[]): Promise<RecordedHunt> {
    const found = [...this.#found.values()];
    const withdrawn = [...this.#withdrawn.keys()].filter((id) => !this.#found.has(id));
    if (found.length + withdrawn.length + seqs.length === 0) return { fresh: new Set(), statuses: new Map() };
    const recorded = await this.#deps.store.recordHunt({ alerts: found, withdrawn, seqs });
    for (const id of recorded.fresh) this.#fresh.add(id);
    return recorded;
  }

  async record(seqs: readonly JudgedSeq[]): Promise<HuntResult> {
    const { statuses } = await this.#save(seqs);
    const fresh = this.#fresh;
    const found = [...this.#found.values()];
    const withdrawn = [...this.#withdrawn.values()].filter(({ id }) => !this.#found.has(id));
    const alerts = [
      ...found.map((alert) => ({ ...alert, status: statuses.get(alert.id) ?? alert.status, new: fresh.has(alert.id) })),
      ...withdrawn,
    ];
    return { alerts: alerts.toSorted(byFirst), notes: [...this.#notes] };
  }
}
