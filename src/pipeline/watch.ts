/** Watching: ingest, hunts and deliveries side by side in one process, for months or for one turn. */
import type { Clock } from '../clock.ts';
import { AppError } from '../errors.ts';
import type { IngestResult } from '../ingest.ts';
import type { Log, LogFields } from '../log.ts';
import type { ReportTable } from '../sink.ts';
import type { HuntKey, Store } from '../store.ts';
import { DAY_MS, formatTime, MINUTE_MS, SECOND_MS, type Window } from '../time.ts';
import { type Backlog, begun, judged, piecesOf, takenUp } from './backlog.ts';
import { Dispatcher, type OpenSink } from './dispatch.ts';
import type { HuntPart, HuntResult } from './hunt.ts';
import { pastMessage, reportMessage } from './messages.ts';
import { routeChanges } from './route.ts';
import type { Schedule } from './schedule.ts';

/** Runs the detectors of one hunt over the store. */
export interface WatchHunter {
  readonly keys: readonly HuntKey[];
  huntNew(part: HuntPart): Promise<HuntResult>;
  huntWindow(window: Window): Promise<HuntResult>;
}

/** What a run of a hunt came to so far. */
export interface Tally {
  found: number;
  fresh: number;
  /** Null where nothing is billed by it. */
  scannedBytes: number | null;
}

/** Runs the detectors of one hunt over an archive that the store does not hold. */
export interface WatchArchiveHunter {
  readonly keys: readonly HuntKey[];
  /** One run: all that it judges shares one limit, and what it scans is added to the tally, however it ends. A raised signal stops what is on its way. */
  run(
    tally: Tally,
    signal: AbortSignal,
    use: (judge: (window: Window) => Promise<HuntResult>) => Promise<void>,
  ): Promise<void>;
}

/** A hunt of the config. */
export interface WatchedHunt {
  readonly id: string;
  /** Null: on every commit. A question, and a hunt over an archive, have one. */
  readonly schedule: Schedule | null;
  readonly task:
    | {
        readonly type: 'detectors';
        readonly hunter: WatchHunter;
        /** Judges so much before each time that it is due; null: all that is new since the last one. */
        readonly windowMs: number | null;
      }
    | {
        readonly type: 'archive';
        readonly hunter: WatchArchiveHunter;
        /** As above. */
        readonly windowMs: number | null;
        /** Without a window: so much before the last time is judged again, for log files that came late. */
        readonly backMs: number;
      }
    | {
        readonly type: 'question';
        readonly title: string;
        ask(dueMs: number, tally: Tally, signal: AbortSignal): Promise<ReportTable>;
        /** Destinations of its answer; null for all that take notices. */
        readonly sinks: readonly string[] | null;
      };
}

export interface WatchDeps {
  readonly store: Store;
  readonly storeId: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly hunts: readonly WatchedHunt[];
  readonly sinks: readonly OpenSink[];
  /** From when on people are told, where nobody has watched this store before; null: from now. */
  readonly notifySinceMs: number | null;
  /** Ingests all sources; endless ones until the signal is raised. Null where hunts read an archive instead. */
  readonly ingest: ((onCommit: () => Promise<void>, signal: AbortSignal) => Promise<IngestResult>) | null;
  /** Between two ingests, about once a day: takes old events out of the store. */
  prune(): Promise<void>;
  /** Once a minute, and at the end of a single turn: what is not about single events. `isGood`: nothing has failed since the last time. */
  attend(state: WatchReport, signal: AbortSignal): Promise<void>;
}

/** What a watch has done so far, for whoever looks at it. */
export interface WatchReport {
  readonly startedAtMs: number;
  commits: number;
  hunts: number;
  huntMs: number;
  alerts: number;
  /** By statements that are billed for it; null where there are none. */
  scannedBytes: number | null;
  failures: number;
  /** The last failure of each part that has not worked since, by its name. */
  readonly failing: Map<string, string>;
  lastCommitMs: number | null;
  lastHuntMs: number | null;
  lastListedMs: number | null;
  /** When somebody last looked at the schedules, or a statement over an archive was seen to go on. */
  lastLookMs: number | null;
  caughtUp: boolean;
}

/** What one turn came to. */
export interface TurnResult {
  readonly ingest: IngestResult | null;
  readonly alerts: number;
  readonly fresh: number;
  /** Messages that could not be delivered now. */
  readonly undelivered: number;
  readonly failing: ReadonlyMap<string, string>;
}

/** The detectors that have to wait for a slot to be complete are asked so often. */
const WHOLE_EVERY_MS = 5 * MINUTE_MS;
/** Threads, connections and folders are taken up afresh so often, and old events pruned. */
const ROTATE_EVERY_MS = DAY_MS;
const BACKOFF_MIN_MS = SECOND_MS;
const BACKOFF_MAX_MS = 5 * MINUTE_MS;
const FIRST_WATCH = 'first_watch';
const PAST_TOLD = 'past_told';
const dueNote = (hunt: string): string => `due:${hunt}`;
const backlogNote = (hunt: string): string => `backlog:${hunt}`;
const huntPart = (hunt: string): string => `hunt ${hunt}`;

const noTally = (): Tally => ({ found: 0, fresh: 0, scannedBytes: null });

type Ingest = NonNullable<WatchDeps['ingest']>;
type ArchiveTask = Extract<WatchedHunt['task'], { type: 'archive' }>;

export class Watch {
  readonly report: WatchReport;
  readonly #deps: WatchDeps;
  readonly #dispatchers: readonly Dispatcher[];
  readonly #since = new Map<string, number>();
  #found = 0;
  #fresh = 0;
  #poked = false;
  #isTurnOfSchedules = false;
  #nextHunt = 0;
  #wake = new AbortController();
  #wholeAtMs = 0;

  constructor(deps: WatchDeps) {
    this.#deps = deps;
    const { outbox } = deps.store;
    this.#dispatchers = deps.sinks.map((sink) => new Dispatcher(sink, { ...deps, outbox }));
    this.report = {
      startedAtMs: deps.clock.nowMs(),
      commits: 0,
      hunts: 0,
      huntMs: 0,
      alerts: 0,
      scannedBytes: null,
      failures: 0,
      failing: new Map(),
      lastCommitMs: null,
      lastHuntMs: null,
      lastListedMs: null,
      lastLookMs: null,
      caughtUp: false,
    };
  }

  /** Every source was read to its end: what is in the store now is the past. */
  caughtUp(): void {
    if (this.report.caughtUp) return;
    this.report.caughtUp = true;
    this.#wholeAtMs = 0;
    this.#wakeUp();
  }

  /** Until the signal is raised. What is on its way then is brought to its end, within seconds. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#begin();
    // A part that ends by a bug ends the others as well.
    const bug = new AbortController();
    const ending = AbortSignal.any([signal, bug.signal]);
    const { ingest } = this.#deps;
    const parts = [
      ...(ingest === null ? [] : [this.#ingestLoop(ingest, ending)]),
      this.#huntLoop(ending),
      this.#attendLoop(ending),
      ...this.#dispatchers.map((dispatcher) => dispatcher.run(ending)),
    ];
    for (const part of parts) part.catch(() => bug.abort());
    const ends = await Promise.allSettled(parts);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  /** What is there and due now. */
  async turn(signal: AbortSignal): Promise<TurnResult> {
    await this.#begin();
    const { ingest } = this.#deps;
    let result: IngestResult | null = null;
    if (ingest !== null) {
      result = await this.#attempt('ingest', () => this.#ingest(ingest, signal));
      this.report.caughtUp = true;
    }
    this.#wholeAtMs = 0;
    // What becomes due meanwhile is for the next turn.
    const untilMs = this.#deps.clock.nowMs();
    while (!signal.aborted && (await this.#huntStep(signal, untilMs))) await this.#route();
    await this.#route();
    await this.#deps.attend(this.report, signal);
    const { outbox } = this.#deps.store;
    let undelivered = 0;
    await Promise.all(
      this.#dispatchers.map((dispatcher) => this.#attempt('deliveries', () => dispatcher.drain(signal))),
    );
    for (const { sink, state, count } of await outbox.counts())
      if (state === 'pending' && this.#deps.sinks.some(({ rules }) => rules.id === sink)) undelivered += count;
    return { ingest: result, alerts: this.#found, fresh: this.#fresh, undelivered, failing: this.report.failing };
  }

  async #begin(): Promise<void> {
    const { store, clock, hunts, notifySinceMs } = this.#deps;
    const now = clock.nowMs();
    const isFirst = (await store.watching.get(FIRST_WATCH)) === null;
    const keys = hunts.flatMap(({ task }) => (task.type === 'question' ? [] : task.hunter.keys));
    const sinceMs = isFirst && notifySinceMs !== null ? notifySinceMs : now;
    const since = await store.watching.notifySince(keys, sinceMs);
    for (const [at, { detector }] of keys.entries())
      this.#since.set(detector, Math.max(this.#since.get(detector) ?? 0, since[at] ?? now));
    for (const { id, schedule, task } of hunts) {
      if (task.type === 'archive') {
        const backlog = await this.#backlog(id);
        if (backlog === null) await this.#keep(id, begun(sinceMs, now));
        // Until it is made up for, also for those who run turn by turn.
        else if (backlog.failed !== null) this.report.failing.set(huntPart(id), backlog.failed);
      } else if (schedule !== null && (await store.watching.get(dueNote(id))) === null)
        await store.watching.set(dueNote(id), String(now));
    }
    if (isFirst) await store.watching.set(FIRST_WATCH, String(now));
    if (this.#deps.ingest === null) await this.#seeCaughtUp();
  }

  // Ingest

  async #ingestLoop(ingest: Ingest, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    let failures = 0;
    while (!signal.aborted) {
      const rotate = new AbortController();
      const ending = AbortSignal.any([signal, rotate.signal]);
      const startedAt = clock.nowMs();
      const timer = clock
        .sleep(ROTATE_EVERY_MS, ending)
        .then(() => rotate.abort())
        .catch(() => undefined);
      const result = await this.#attempt('ingest', () => this.#ingest(ingest, ending));
      rotate.abort();
      await timer;
      if (signal.aborted) return;
      failures = result === null && clock.nowMs() - startedAt < BACKOFF_MAX_MS ? failures + 1 : 0;
      await this.#attempt('retention', () => this.#deps.prune());
      if (failures > 0) {
        const pause = Math.min(BACKOFF_MIN_MS * 2 ** failures, BACKOFF_MAX_MS);
        log('info', 'ingest begins again soon', { in_ms: pause });
        await clock.sleep(pause, signal);
      }
    }
  }

  async #ingest(ingest: Ingest, signal: AbortSignal): Promise<IngestResult> {
    const { log } = this.#deps;
    const result = await ingest(async () => {
      this.report.commits++;
      this.report.lastCommitMs = this.#deps.clock.nowMs();
      this.#poked = true;
      this.#wakeUp();
    }, signal);
    const { files, records } = result;
    log('info', 'ingest ended', {
      files: files.done + files.damaged,
      failed: files.failed,
      events: records.stored,
      duplicate: records.duplicate,
      rejected: records.rejected,
    });
    for (const { reason, count, example } of result.warnings)
      log('warn', 'records or files were not as expected', { reason, count, example });
    return result;
  }

  // Hunts

  async #huntLoop(signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      this.report.lastLookMs = clock.nowMs();
      const worked = await this.#attempt('hunts', () => this.#huntStep(signal));
      if (worked !== false) {
        await this.#attempt('routing', () => this.#route());
        if (worked === true) continue;
      }
      if (this.#poked || signal.aborted) continue;
      const next = Math.min(this.#wholeAtMs, clock.nowMs() + MINUTE_MS, ...(await this.#nextDueMs()));
      // After a failure not at once.
      const least = worked === null ? 10 * SECOND_MS : 20;
      await clock.sleep(Math.max(next - clock.nowMs(), least), AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  async #nextDueMs(): Promise<number[]> {
    const times: number[] = [];
    for (const { id, schedule, task } of this.#deps.hunts) {
      const lastMs =
        task.type === 'archive'
          ? (await this.#backlog(id))?.dueMs
          : Number(await this.#deps.store.watching.get(dueNote(id)));
      const next = schedule?.nextMs(lastMs ?? this.#deps.clock.nowMs());
      if (next !== null && next !== undefined) times.push(next);
    }
    return times;
  }

  /** One piece of hunting; false when nothing is to be done now. New data goes before schedules, so that these delay no alert; where it never ends, they take turns. */
  async #huntStep(signal: AbortSignal, untilMs = this.#deps.clock.nowMs()): Promise<boolean> {
    const { clock, hunts } = this.#deps;
    const onCommit = hunts.filter(({ schedule }) => schedule === null);
    if (clock.nowMs() >= this.#wholeAtMs) {
      this.#poked = false;
      this.#wholeAtMs = clock.nowMs() + WHOLE_EVERY_MS;
      for (const hunt of onCommit) await this.#huntNew(hunt, 'all');
      if (this.report.caughtUp) await this.#tellPast();
      return true;
    }
    if (this.#poked && !this.#isTurnOfSchedules) {
      this.#poked = false;
      this.#isTurnOfSchedules = true;
      for (const hunt of onCommit) await this.#huntNew(hunt, 'prompt');
      return true;
    }
    this.#isTurnOfSchedules = false;
    // One that is due again at its end lets the others go first.
    const order = [...hunts.slice(this.#nextHunt), ...hunts.slice(0, this.#nextHunt)];
    for (const hunt of order) {
      if (hunt.schedule === null || !(await this.#runDue(hunt, hunt.schedule, untilMs, signal))) continue;
      this.#nextHunt = hunts.indexOf(hunt) + 1;
      return true;
    }
    return this.#poked;
  }

  async #huntNew({ id, task }: WatchedHunt, part: HuntPart): Promise<void> {
    if (task.type === 'detectors') await this.#hunting(id, noTally(), () => task.hunter.huntNew(part));
  }

  /** Every time that was missed while nobody watched counts; the newest goes first. True when it did something. */
  async #runDue(hunt: WatchedHunt, schedule: Schedule, untilMs: number, signal: AbortSignal): Promise<boolean> {
    const { store } = this.#deps;
    const { id, task } = hunt;
    if (task.type === 'archive') return this.#runArchive(id, task, schedule, untilMs, signal);
    const times = schedule.timesBetween(Number(await store.watching.get(dueNote(id))), untilMs);
    const [newest] = times;
    if (newest === undefined) return false;
    if (task.type === 'question' || task.windowMs === null) {
      const isDone = await this.#due(id, newest, signal, async (tally) => {
        if (task.type === 'question') await this.#ask(id, task, newest, tally, signal);
        else await this.#hunting(id, tally, () => task.hunter.huntNew('all'));
      });
      // What was interrupted is due still.
      if (!isDone && signal.aborted) return true;
    } else {
      let coveredFrom = Number.POSITIVE_INFINITY;
      for (const dueMs of times) {
        const window = { fromMs: dueMs - task.windowMs, toMs: dueMs };
        if (signal.aborted) return true;
        // Newer ones have judged all of it.
        if (window.fromMs >= coveredFrom) continue;
        coveredFrom = window.fromMs;
        await this.#due(id, dueMs, signal, (tally) => this.#hunting(id, tally, () => task.hunter.huntWindow(window)));
        await this.#route();
        if (this.#poked) {
          this.#poked = false;
          for (const one of this.#deps.hunts) if (one.schedule === null) await this.#huntNew(one, 'prompt');
          await this.#route();
        }
      }
    }
    await store.watching.set(dueNote(id), String(newest));
    return true;
  }

  /** What became due, what failed before, and what a run left that was cut short. */
  async #runArchive(
    id: string,
    task: ArchiveTask,
    schedule: Schedule,
    untilMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { log } = this.#deps;
    let backlog = await this.#backlog(id);
    if (backlog === null) return false;
    const keep = async (changed: Backlog): Promise<void> => {
      backlog = changed;
      await this.#keep(id, changed);
    };
    const times = schedule.timesBetween(backlog.dueMs, untilMs);
    if (times.length > 0) await keep(takenUp(backlog, times, task));
    if (backlog.waits || backlog.open.length === 0) return false;
    const pieces = piecesOf(backlog);
    const isDone = await this.#due(id, backlog.dueMs, signal, (tally) =>
      task.hunter.run(tally, signal, async (judge) => {
        const errors: AppError[] = [];
        for (const piece of pieces) {
          try {
            await this.#hunting(id, tally, () => judge(piece));
          } catch (error) {
            if (!(error instanceof AppError) || error.code === 'interrupted') throw error;
            errors.push(error);
            const [from, to] = [formatTime(piece.fromMs), formatTime(piece.toMs)];
            log('warn', 'a stretch of time could not be judged', { hunt: id, from, to, error: error.message });
            continue;
          }
          await keep(judged(backlog as Backlog, piece));
          await this.#route();
        }
        const [first] = errors;
        if (first !== undefined)
          throw new AppError(
            first.code,
            `${errors.length} of ${pieces.length} stretches of time could not be judged, and stay due: ${first.message}`,
            first.hint === undefined ? { cause: first } : { cause: first, hint: first.hint },
          );
      }),
    );
    if (isDone) {
      await keep({ ...backlog, failed: null });
      await this.#seeCaughtUp();
    } else if (!signal.aborted)
      await keep({ ...backlog, failed: this.report.failing.get(huntPart(id)) ?? null, waits: true });
    return true;
  }

  async #backlog(hunt: string): Promise<Backlog | null> {
    const note = await this.#deps.store.watching.get(backlogNote(hunt));
    return note === null ? null : (JSON.parse(note) as Backlog);
  }

  #keep(hunt: string, backlog: Backlog): Promise<void> {
    return this.#deps.store.watching.set(backlogNote(hunt), JSON.stringify(backlog));
  }

  /** Over an archive, the past has been seen once each hunt has had its first run. */
  async #seeCaughtUp(): Promise<void> {
    for (const { id, task } of this.#deps.hunts)
      if (task.type === 'archive' && (await this.#backlog(id))?.caughtUp !== true) return;
    this.caughtUp();
  }

  /** Runs what is due, and notes down how it went: a failure is told, and the schedule goes on. False when it failed or was interrupted, which is no run. */
  async #due(
    hunt: string,
    dueAtMs: number,
    signal: AbortSignal,
    work: (tally: Tally) => Promise<void>,
  ): Promise<boolean> {
    const { clock, store } = this.#deps;
    const startedAtMs = clock.nowMs();
    const tally = noTally();
    const part = huntPart(hunt);
    const isDone = (await this.#attempt(part, () => work(tally).then(() => true))) === true;
    if (tally.scannedBytes !== null) this.report.scannedBytes = (this.report.scannedBytes ?? 0) + tally.scannedBytes;
    if (!isDone && signal.aborted) return false;
    await store.watching.recordRun({
      hunt,
      dueAtMs,
      startedAtMs,
      endedAtMs: clock.nowMs(),
      state: isDone ? 'done' : 'failed',
      ...tally,
      error: isDone ? null : (this.report.failing.get(part) ?? null),
    });
    return isDone;
  }

  async #hunting(hunt: string, tally: Tally, work: () => Promise<HuntResult>): Promise<void> {
    const { clock, log } = this.#deps;
    const started = performance.now();
    const { alerts } = await work();
    const fresh = alerts.filter((alert) => alert.new).length;
    this.report.hunts++;
    this.report.huntMs += performance.now() - started;
    this.report.alerts += fresh;
    this.report.lastHuntMs = clock.nowMs();
    this.#found += alerts.length;
    this.#fresh += fresh;
    tally.found += alerts.length;
    tally.fresh += fresh;
    if (alerts.length > 0) log('info', 'hunt found alerts', { hunt, alerts: alerts.length, new: fresh });
  }

  async #ask(
    hunt: string,
    { title, ask, sinks }: Extract<WatchedHunt['task'], { type: 'question' }>,
    dueMs: number,
    tally: Tally,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#deps;
    const table = await ask(dueMs, tally, signal);
    tally.found = table.total;
    const message = reportMessage(hunt, title, table, dueMs, clock.nowMs());
    await this.tell((id, notices) => (sinks === null ? notices : sinks.includes(id)), message);
    this.#deps.log('info', 'question answered', { hunt, rows: table.total });
  }

  // What people are told

  /** Queues one message for every destination that it is for. */
  async tell(
    isFor: (sink: string, takesNotices: boolean) => boolean,
    message: ReturnType<typeof reportMessage>,
  ): Promise<void> {
    const sinks = this.#deps.sinks.filter(({ rules }) => isFor(rules.id, rules.notices));
    await this.#deps.store.outbox.queue(
      sinks.map(({ rules }) => ({ sink: rules.id, alertId: null, message })),
      null,
    );
    for (const dispatcher of this.#dispatchers) dispatcher.poke();
  }

  async #route(): Promise<void> {
    const { store, sinks, clock } = this.#deps;
    const since = (detector: string): number => this.#since.get(detector) ?? this.report.startedAtMs;
    const rules = sinks.map((sink) => sink.rules);
    if ((await routeChanges(store, rules, since, clock.nowMs())) > 0)
      for (const dispatcher of this.#dispatchers) dispatcher.poke();
  }

  /** Once in the life of a store: what lay in the logs before anybody watched. */
  async #tellPast(): Promise<void> {
    const { store, storeId, clock, notifySinceMs } = this.#deps;
    if ((await store.watching.get(PAST_TOLD)) !== null) return;
    const firstMs = Number(await store.watching.get(FIRST_WATCH));
    const sinceMs = Math.min(firstMs, notifySinceMs ?? firstMs);
    const alerts = (await store.alerts({ statuses: ['open', 'acknowledged'] })).filter(
      ({ last_seen }) => Date.parse(last_seen) < sinceMs,
    );
    if (alerts.length > 0) await this.tell((_, notices) => notices, pastMessage(storeId, alerts, clock.nowMs()));
    await store.watching.set(PAST_TOLD, formatTime(clock.nowMs()));
  }

  async #attendLoop(signal: AbortSignal): Promise<void> {
    const { clock, attend } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(MINUTE_MS, signal);
      if (!signal.aborted) await this.#attempt('housekeeping', () => attend(this.report, signal));
    }
  }

  // Failures

  /** Null when it failed: told, counted, and not the end of the rest. A bug ends everything. */
  async #attempt<T>(part: string, work: () => Promise<T>): Promise<T | null> {
    try {
      const result = await work();
      this.report.failing.delete(part);
      return result;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'interrupted') return null;
      this.report.failures++;
      this.report.failing.set(part, error.message);
      const fields: LogFields = { part, error: error.message, ...(error.hint !== undefined && { hint: error.hint }) };
      this.#deps.log('error', 'failed, and will be tried again', fields);
      return null;
    }
  }

  #wakeUp(): void {
    this.#wake.abort();
  }
}
