/** The wiring of `watch`: sources that are listed again and again, hunters, questions and destinations around one store. */
import type { Severity } from '../alert.ts';
import type { Backend } from '../backend.ts';
import type { Clock } from '../clock.ts';
import type { Detector } from '../detector.ts';
import type { Enrichment } from '../enrichment.ts';
import { AppError } from '../errors.ts';
import { LATENESS_MS } from '../hunt.ts';
import type { IngestOptions } from '../ingest.ts';
import { DELIVERY_LATENESS_MS, keyOf } from '../keys.ts';
import type { Log } from '../log.ts';
import type { OpenSink } from '../pipeline/dispatch.ts';
import { refuseStoreInside } from '../pipeline/evidence.ts';
import { testMessage } from '../pipeline/messages.ts';
import { polled } from '../pipeline/polling.ts';
import type { SinkRules } from '../pipeline/route.ts';
import { Schedule } from '../pipeline/schedule.ts';
import { beatTo, Vigil, type WatchedSource } from '../pipeline/vigil.ts';
import { type Tally, Watch, type WatchArchiveHunter, type WatchedHunt } from '../pipeline/watch.ts';
import type { Query } from '../query.ts';
import { realPath } from '../real-path.ts';
import type { Message, ReportTable } from '../sink.ts';
import { checkSinkOptions as checkOptions, openSink, SINK_TYPES } from '../sinks/open.ts';
import { formatBytes } from '../size.ts';
import type { AwsOptions, Source } from '../source.ts';
import type { Suppression } from '../store.ts';
import { formatTime, MINUTE_MS, parseTime, SECOND_MS } from '../time.ts';
import { tellUnknownAccounts } from './backend.ts';
import { leftOutTexts, refuseLeftOut } from './hunt.ts';
import type { Indicator } from './lists.ts';
import {
  type AthenaSession,
  type AthenaSettings,
  archiveKeys,
  type HunterOptions,
  ingestInto,
  type LocalStore,
  type Override,
  openArchiveHunter,
  openHunter,
  openSources,
  startThreads,
  stopThreads,
  useAthena,
  useBackend,
  withTempDirectory,
} from './wire.ts';

export type { TurnResult, Watch } from '../pipeline/watch.ts';
export { SINK_TYPES };

/** What is wrong with the options of a destination of this type. */
export async function checkSinkOptions(
  type: string,
  options: unknown,
): Promise<readonly { readonly path: readonly PropertyKey[]; readonly message: string }[]> {
  return checkOptions(type, options);
}

/** Throws `config-invalid` for an expression that cannot be read. */
export function checkSchedule(expression: string, timeZone: string): void {
  scheduleOf({ expression, timeZone });
}

const scheduleOf = ({ expression, timeZone }: NonNullable<PreparedHunt['schedule']>): Schedule =>
  new Schedule(expression, timeZone);

/** A hunt of the config, checked. */
export interface PreparedHunt {
  readonly id: string;
  readonly schedule: { readonly expression: string; readonly timeZone: string } | null;
  readonly windowMs: number | null;
  readonly task:
    | {
        readonly type: 'detectors';
        readonly detectors: readonly Detector[];
        /** Ids of those that the config names. */
        readonly named: readonly string[];
        readonly parameters: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
        readonly latenessMs: number | null;
      }
    | {
        readonly type: 'question';
        readonly query: Query;
        readonly given: Readonly<Record<string, string>>;
        readonly sinks: readonly string[] | null;
      };
}

/** A destination of the config; `options` are those of its type, not checked yet. */
export interface PreparedSink {
  readonly id: string;
  readonly type: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly minSeverity: Severity;
  readonly detectors: readonly string[] | null;
  readonly accounts: readonly string[] | null;
  readonly updates: boolean;
  /** Null: as is usual for its type. */
  readonly notices: boolean | null;
  readonly groupBy: 'none' | 'detector' | 'account';
  /** Null: as is usual for its type. */
  readonly rate: { readonly messages: number; readonly perMs: number } | null;
  readonly dryRun: boolean;
  readonly giveUpAfterMs: number;
}

export interface WatchSetup {
  readonly store: LocalStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly aws: AwsOptions;
  /** The folder of the config. */
  readonly dir: string;
  /** Where hunts read the archive instead of the store, and nothing is ingested; else null. */
  readonly athena: AthenaSettings | null;
  readonly sources: readonly string[];
  readonly ingest: Pick<IngestOptions, 'limits' | 'workers' | 'format' | 'redact' | 'scope'>;
  readonly reconcileDays: number | null;
  readonly hunts: readonly PreparedHunt[];
  readonly sinks: readonly PreparedSink[];
  readonly lists: ReadonlyMap<string, readonly Indicator[]>;
  readonly enrichment: Enrichment;
  readonly overrides: readonly Override[];
  /** Those of the config. */
  readonly suppressions: readonly Suppression[];
  readonly mask: HunterOptions['mask'];
  readonly pollMs: number;
  /** One turn: sources have an end. */
  readonly once: boolean;
  readonly notifySinceMs: number | null;
  readonly silence: boolean;
  readonly quiet: { readonly expression: string; readonly timeZone: string } | null;
  readonly heartbeatUrl: string | null;
  readonly write: (text: string) => Promise<void>;
  prune(): Promise<void>;
}

/** A heartbeat that hangs is none. */
const HEARTBEAT_MS = 10 * SECOND_MS;
/** Rows of an answer that are read for a message; it says how many there are. */
const ROWS_MAX = 1000;
/** Machines that count or page have no use for words. */
const WITHOUT_NOTICES: readonly string[] = ['cloudwatch', 'pagerduty', 'securityhub'];
/** Where people read, a flood is one message. */
const READ_BY_PEOPLE: readonly string[] = ['email', 'pagerduty', 'slack'];
const PEOPLES_RATE = { messages: 30, perMs: MINUTE_MS };

/** Puts a watch together; destinations are closed with it. */
export function useWatch<T>(setup: WatchSetup, use: (watch: Watch, vigil: Vigil) => Promise<T>): Promise<T> {
  return withTempDirectory(async (dir) => {
    const { store, clock, log } = setup;
    const abort = new AbortController();
    const sinks = await openSinks(setup);
    try {
      const hunts: WatchedHunt[] = [];
      const place: HuntPlace = {
        dir,
        signal: abort.signal,
        alive: () => {
          watch.report.lastLookMs = clock.nowMs();
        },
      };
      for (const hunt of setup.hunts) hunts.push(await watchedHunt(setup, hunt, place));
      const vigil = new Vigil({
        store,
        clock,
        log,
        suppressions: setup.suppressions,
        sources: setup.silence ? setup.sources.map(watchedSource) : [],
        isOverArchive: setup.athena !== null,
        quiet: setup.quiet === null ? null : scheduleOf(setup.quiet),
        beat: setup.heartbeatUrl === null ? null : (signal) => beatTo(setup.heartbeatUrl ?? '', signal, HEARTBEAT_MS),
        tell: (message) => watch.tell((_, notices) => notices, message),
      });
      const watch: Watch = new Watch({
        store,
        storeId: store.id(),
        clock,
        log,
        random: Math.random,
        hunts,
        sinks,
        notifySinceMs: setup.notifySinceMs,
        ingest:
          setup.athena === null
            ? (onCommit, signal) => ingestSources(setup, { onCommit, signal, watch: () => watch, vigil })
            : null,
        prune: () => setup.prune(),
        attend: (report, signal) => vigil.attend(report, signal),
      });
      return await use(watch, vigil);
    } finally {
      abort.abort();
      for (const { sink } of sinks) await sink.close();
    }
  });
}

interface Ingesting {
  readonly onCommit: () => Promise<void>;
  readonly signal: AbortSignal;
  readonly watch: () => Watch;
  readonly vigil: Vigil;
}

async function ingestSources(setup: WatchSetup, { onCommit, signal, watch, vigil }: Ingesting) {
  const { store, clock, log, once, pollMs } = setup;
  const opened = await openWatched(setup);
  try {
    refuseStoreInside(store.dir, opened);
    // A queue has no end of its own: what comes from it is new.
    const waiting = new Set(opened.filter(({ endless }) => endless !== true).map(({ name }) => name));
    if (waiting.size === 0 && !once) watch().caughtUp();
    const sources = once
      ? opened
      : opened.map((source) =>
          source.endless === true
            ? source
            : polled(source, {
                everyMs: pollMs,
                clock,
                onListed: (name, error, inWork) => {
                  vigil.listed(name, error);
                  if (error !== null) log('warn', 'a source could not be listed', { source: name, error });
                  else watch().report.lastListedMs = clock.nowMs();
                  if (error === null && inWork === 0) waiting.delete(name);
                  if (waiting.size === 0) watch().caughtUp();
                },
                onProblem: (name, key, error) =>
                  log('warn', 'a log file or folder could not be read', { source: name, key, error }),
              }),
        );
    const threads = await startThreads(store.dir, setup.ingest);
    try {
      return await ingestInto(store, threads, { ...setup.ingest, sources, signal, onCommit });
    } finally {
      await stopThreads(threads);
    }
  } finally {
    for (const source of opened) await source.close();
  }
}

/** One that cannot be opened now is tried again at every listing, and the others need not wait for it. */
async function openWatched({ sources, aws, once, reconcileDays, log }: WatchSetup): Promise<readonly Source[]> {
  const open = (names: readonly string[]): Promise<readonly Source[]> =>
    openSources(names, null, { aws, queue: { once, reconcileDays }, warn: (message) => log('warn', message) });
  // A queue that is reconciled lists the buckets beside it.
  if (reconcileDays !== null) return open(sources);
  const opened: Source[] = [];
  for (const name of sources) {
    try {
      opened.push(...(await open([name])));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      opened.push(once ? unopened(name, error) : openedLater(name, () => open([name])));
    }
  }
  return opened;
}

/** Its error is a problem of the turn. */
const unopened = (name: string, error: AppError): Source => ({
  name,
  paths: [],
  async *list() {
    yield { key: name, error };
  },
  close: async () => {},
});

const openedLater = (name: string, open: () => Promise<readonly Source[]>): Source => ({
  name,
  paths: [],
  async *list(scope, signal) {
    const opened = await open();
    try {
      for (const source of opened) yield* source.list(scope, signal);
    } finally {
      for (const source of opened) await source.close();
    }
  },
  close: async () => {},
});

/** What its keys begin with: of a folder where its path really leads, of a queue nothing that is known. */
function watchedSource(name: string): WatchedSource {
  if (name.startsWith('sqs://')) return { name, prefix: '' };
  const plain = name.replace(/[*?[{].*$/su, '');
  return { name, prefix: name.startsWith('s3://') ? plain : keyOf(realPath(plain)) };
}

/** What the hunts of a watch share. */
interface HuntPlace {
  /** For what does not fit into memory. */
  readonly dir: string;
  /** Raised when the watch has ended. */
  readonly signal: AbortSignal;
  /** A statement goes on. */
  readonly alive: () => void;
}

async function watchedHunt(setup: WatchSetup, prepared: PreparedHunt, place: HuntPlace): Promise<WatchedHunt> {
  const { id, schedule, windowMs, task } = prepared;
  const due = schedule === null ? null : scheduleOf(schedule);
  if (task.type === 'question') {
    const { query, sinks } = task;
    const { athena } = setup;
    const ask =
      athena === null
        ? (dueMs: number) => askStore(setup, prepared, task, dueMs)
        : (dueMs: number, tally: Tally, signal: AbortSignal) =>
            askArchive({ setup, athena, place, hunt: id, signal, tally }, prepared, task, dueMs);
    return { id, schedule: due, task: { type: 'question', title: query.title, ask, sinks } };
  }
  const { store, clock, lists, enrichment, overrides, suppressions, mask } = setup;
  const { detectors, parameters, latenessMs } = task;
  const options = {
    detectors,
    parameters,
    lists,
    enrichment,
    overrides,
    suppressions,
    ...(mask && { mask }),
    ...(latenessMs !== null && { latenessMs }),
  };
  if (setup.athena === null) {
    const hunter = await openHunter(store, { ...options, signal: place.signal }, { dir: place.dir, clock });
    return { id, schedule: due, task: { type: 'detectors', hunter, windowMs } };
  }
  const hunter = await archiveHunter({ setup, athena: setup.athena, place, hunt: id }, task.named, options);
  const backMs = Math.max(setup.athena.latenessMs ?? DELIVERY_LATENESS_MS, latenessMs ?? LATENESS_MS);
  return { id, schedule: due, task: { type: 'archive', hunter, windowMs, backMs } };
}

interface OnAthena {
  readonly setup: WatchSetup;
  readonly athena: AthenaSettings;
  readonly place: HuntPlace;
  readonly hunt: string;
}

/** Each run has a session of its own: its limit is for that run, and tables that were set up meanwhile are seen. */
async function onAthena<T>(
  { setup, athena, place, hunt, signal, tally }: OnAthena & { readonly signal: AbortSignal; readonly tally: Tally },
  use: (session: AthenaSession) => Promise<T>,
): Promise<T> {
  const { lists, enrichment, clock, log } = setup;
  return useAthena(athena, { lists, enrichment, signal, clock, onProgress: place.alive }, async (session) => {
    try {
      return await use(session);
    } finally {
      const { statements, reused, scannedBytes, dollars } = session.spent();
      tally.scannedBytes = scannedBytes;
      if (statements > 0)
        log('info', 'Athena was asked', {
          hunt,
          statements,
          reused,
          scanned: formatBytes(scannedBytes),
          dollars: Number(dollars.toFixed(4)),
        });
    }
  });
}

async function archiveHunter(
  on: OnAthena,
  named: readonly string[],
  options: Omit<HunterOptions, 'signal'>,
): Promise<WatchArchiveHunter> {
  const { store, clock, log } = on.setup;
  const told = new Set<string>();
  const tellOnce = (level: 'info' | 'warn', text: string): void => {
    if (!told.has(text)) log(level, text.replaceAll('\n', ' '), { hunt: on.hunt });
    told.add(text);
  };
  return {
    keys: await archiveKeys(options),
    run: (tally, signal, use) =>
      onAthena({ ...on, signal, tally }, async (session) => {
        const deliveredWithinMs = on.athena.latenessMs;
        const hunter = await openArchiveHunter(store, session, { ...options, signal, deliveredWithinMs, clock });
        refuseLeftOut(hunter.leftOut, named);
        for (const text of leftOutTexts(hunter.leftOut)) tellOnce('info', text);
        const terminal = { warn: (text: string) => tellOnce('warn', text), debug: () => undefined };
        await tellUnknownAccounts(session, terminal);
        await use((window) => hunter.hunt(window));
      }),
  };
}

type QuestionTask = Extract<PreparedHunt['task'], { type: 'question' }>;

async function askStore(
  { store, lists, enrichment }: WatchSetup,
  { windowMs }: PreparedHunt,
  { query, given }: QuestionTask,
  dueMs: number,
): Promise<ReportTable> {
  const bounds = boundsOf(query, windowMs, dueMs);
  return useBackend(store, { portable: true, lists, enrichment }, (backend) =>
    answerOf(backend, query, { ...bounds, ...given }, dueMs, dueMs),
  );
}

/** What the statement reads is the window of the hunt, or that of the question's own `from` and `to`. */
async function askArchive(
  on: OnAthena & { readonly signal: AbortSignal; readonly tally: Tally },
  { windowMs }: PreparedHunt,
  { query, given }: QuestionTask,
  dueMs: number,
): Promise<ReportTable> {
  const bounds = { ...boundsOf(query, windowMs, dueMs), ...given };
  const at = (name: 'from' | 'to', otherwise: number): number => {
    const text = bounds[name];
    return text === undefined || text === 'newest' ? otherwise : parseTime(text, dueMs);
  };
  const window = { fromMs: at('from', dueMs - (windowMs ?? 0)), toMs: at('to', dueMs) };
  return onAthena(on, async (session) =>
    answerOf(await session.backend(window), query, bounds, dueMs, window.toMs - 1),
  );
}

/** The window of a hunt as the question's own parameters of these names, where it has them. */
function boundsOf(query: Query, windowMs: number | null, dueMs: number): Record<string, string> {
  const bounds = windowMs === null ? {} : { from: formatTime(dueMs - windowMs), to: formatTime(dueMs) };
  return Object.fromEntries(
    Object.entries(bounds).filter(([name]) => query.parameters.some((parameter) => parameter.name === name)),
  );
}

async function answerOf(
  backend: Backend,
  query: Query,
  given: Readonly<Record<string, string>>,
  dueMs: number,
  newestMs: number,
): Promise<ReportTable> {
  const { queryValues } = await import('../query.ts');
  const values = await queryValues(query, given, { nowMs: dueMs, newestMs: async () => newestMs });
  const { columns, batches } = await backend.stream(query.sql, values);
  const rows: ReportTable['rows'][number][] = [];
  let total = 0;
  for await (const batch of batches) {
    total += batch.length;
    rows.push(...batch.slice(0, Math.max(0, ROWS_MAX - rows.length)));
  }
  return { columns, rows, total };
}

/** Opens every destination, or none. */
export async function openSinks({
  sinks,
  aws,
  dir,
  write,
}: Pick<WatchSetup, 'sinks' | 'aws' | 'dir' | 'write'>): Promise<readonly OpenSink[]> {
  const opened: OpenSink[] = [];
  try {
    for (const prepared of sinks) {
      const { id, type, options, notices, rate, ...rest } = prepared;
      const rules: SinkRules = {
        ...rest,
        id,
        notices: notices ?? !WITHOUT_NOTICES.includes(type),
        rate: rate ?? (READ_BY_PEOPLE.includes(type) ? PEOPLES_RATE : null),
      };
      opened.push({ rules, sink: await openSink(type, options, { id, aws, dir, write }) });
    }
    return opened;
  } catch (error) {
    for (const { sink } of opened) await sink.close();
    throw error;
  }
}

/** A message that says hello. */
export const trialMessage = (sink: string, nowMs: number): Message => ({
  ...testMessage(sink, nowMs),
  reference: null,
});
