/** Ingest from end to end: lists, skips what the ledger knows, feeds the worker threads, judges their rows and commits what is complete. */
import { availableParallelism } from 'node:os';
import { AppError } from '../errors.ts';
import {
  type CommitUnit,
  type FromWorker,
  type IngestLimits,
  type IngestOptions,
  type IngestResult,
  type IngestStore,
  type KnownContent,
  type LogFileIdentity,
  type LogFileResult,
  type PackedResults,
  PROBLEMS_MAX,
  type StoreWriter,
  type WorkerOptions,
  type WorkerThread,
  type WorkItem,
} from '../ingest.ts';
import type { ListingProblem, LogFile, Settlement, Source } from '../source.ts';
import { DAY_MS, dayOf } from '../time.ts';
import { CommitQueue } from './commit-queue.ts';
import { Fetcher } from './fetcher.ts';
import { sha256At, unpackResults } from './packed-results.ts';
import { ReadAhead } from './read-ahead.ts';

export const INGEST_LIMITS: IngestLimits = {
  recordBytes: 32 * 1024 * 1024,
  windowBytes: 64 * 1024 * 1024,
  maxRatio: 400,
  maxFileBytes: 2 ** 40,
};

/** More threads than cores win nothing, and each derivation holds one of libuv's four threads. */
const WORKERS_MAX = 3;
/** Files whose ledger state is looked up together; grows, so that the first ones start at once and millions cost few queries. */
const PAGE_FIRST = 1024;
const PAGE_MAX = 32_768;
/** Work that waits for a thread: enough to keep them busy, little enough to hold in memory. */
const QUEUE_FILES_MAX = 20_000;
const QUEUE_BYTES_MAX = 32 * 1024 * 1024;
/** One portion of work, about a tenth of a second: small enough that no thread is left with much while others idle. */
const BATCH_FILES = 1024;
const BATCH_BYTES = 2 * 1024 * 1024;
/** From so many files on it ends with the day: one thread makes one segment of what several would make several of. */
const DAY_FILES_MIN = 256;
/** Contents that only this thread can read travel whole up to this size. */
const WHOLE_BYTES_MAX = 8 * 1024 * 1024;
/** Of what is fetched over a network and no thread has taken yet. */
const FETCHED_BYTES_MAX = 64 * 1024 * 1024;
/** A source that pauses this long gets what it listed so far read. */
const LISTING_PAUSE_MS = 500;
/**
 * A commit opens the catalog and syncs the disk: every two seconds they took 3 % of a long ingest. So each comes half as long after the one before as the
 * run takes by then, within these bounds. A kill costs what was read since the last one.
 */
const COMMIT_MIN_MS = 1000;
const COMMIT_MAX_MS = 5000;
/** Hunts between commits take longer than commits. */
const HUNT_FIRST_MS = 2000;
const HUNT_EVERY_MS = 5000;
/** A run that does not end merges what it committed, about every two minutes: each hunt after a commit opens the segments of the day again. */
const COMPACT_EVERY_COMMITS = 24;

/** Starts the threads of one ingest. They load their engine while the store is opened; until they are listened to, their messages wait. */
export function startThreads(
  start: (options: WorkerOptions) => WorkerThread,
  options: Pick<IngestOptions, 'limits' | 'workers' | 'format' | 'redact'>,
): readonly WorkerThread[] {
  const limits = { ...INGEST_LIMITS, ...options.limits };
  const count = Math.max(1, Math.min(options.workers ?? availableParallelism(), WORKERS_MAX));
  return Array.from({ length: count }, (_, index) =>
    start({ index, limits, format: options.format ?? null, redact: options.redact ?? [] }),
  );
}

/** Ends threads that have nothing to do. */
export async function stopThreads(threads: readonly WorkerThread[]): Promise<void> {
  for (const thread of threads) thread.post({ type: 'stop' });
  await Promise.all(threads.map((thread) => thread.ended));
}

/** Runs one ingest under the store's lease, with its threads, which have ended then. Throws what no further run can do without help; everything else is told in the result. */
export async function ingest(store: IngestStore, options: IngestOptions): Promise<IngestResult> {
  const { threads } = store;
  let writer: StoreWriter;
  try {
    writer = await store.openWriter();
  } catch (error) {
    await stopThreads(threads);
    throw error;
  }
  try {
    return await new IngestRun(threads, writer, options).run();
  } finally {
    await writer.close();
  }
}

const NOTHING = (): void => undefined;

interface Feeder {
  readonly pieces: ReadAhead;
  /** It has been read to its end. */
  done(): void;
}

/** A log file that was given to a thread, or will be. */
interface Listed {
  readonly identity: LogFileIdentity;
  readonly settled: LogFile['settled'];
}

interface Queued {
  readonly item: WorkItem;
  /** A thread has it now: what it took in memory is free. */
  taken(): void;
}

class IngestRun {
  readonly #writer: StoreWriter;
  readonly #options: IngestOptions;
  readonly #startedAt = performance.now();
  readonly #threads: readonly WorkerThread[];
  readonly #commits: CommitQueue;
  /** Work that no thread has yet. */
  readonly #queue: Queued[] = [];
  /** Taken from the front so far; shifting an array of thousands for each would be quadratic. */
  #queueTaken = 0;
  /** Bytes of it that lie in memory and that the fetcher does not count. */
  #queueBytes = 0;
  #listingEnded = false;
  readonly #idle: number[] = [];
  #roomInQueue: (() => void) | null = null;
  readonly #listed = new Map<number, Listed>();
  /** Of them, those that no thread has told the end of. */
  #untold = 0;
  readonly #fetcher: Fetcher;
  readonly #stopped = new AbortController();
  readonly #feeders = new Map<number, Feeder>();
  /** Contents of this run that are not committed yet, and the log files that have them first. */
  readonly #pendingContents = new Map<string, number>();
  #failure: Error | null = null;
  #stopping = false;
  #commitTimer: NodeJS.Timeout | null = null;
  #committing: Promise<void> = Promise.resolve();
  #committedAtMs = 0;
  #hunting: Promise<void> = Promise.resolve();
  #huntAgain = false;
  #isHunting = false;
  #huntFromMs = HUNT_FIRST_MS;
  readonly #isEndless: boolean;
  /** The first one as well: a run that is killed and begun again, time after time, would merge nothing. */
  #commitsUntilCompaction = 1;
  readonly #seqBefore: number;
  #seqAfter: number;
  readonly #sums = {
    files: { listed: 0, known: 0, done: 0, damaged: 0, failed: 0, copies: 0, digests: 0, insights: 0 },
    records: { in: 0, stored: 0, duplicate: 0, rejected: 0, id_conflicts: 0, without_time: 0 },
    redacted: 0,
    compressedBytes: 0,
    uncompressedBytes: 0,
  };
  readonly #progress = { filesListed: 0, bytesListed: 0, filesDone: 0, bytesDone: 0, records: 0, uncompressedBytes: 0 };
  readonly #warnings = new Map<string, { count: number; example: string }>();
  readonly #problems: ListingProblem[] = [];
  #problemsTotal = 0;
  #span: { fromMs: number; toMs: number } | null = null;

  constructor(threads: readonly WorkerThread[], writer: StoreWriter, options: IngestOptions) {
    this.#threads = threads;
    this.#writer = writer;
    this.#options = options;
    this.#commits = new CommitQueue();
    this.#fetcher = new Fetcher(FETCHED_BYTES_MAX, this.#stopped.signal);
    this.#isEndless = options.sources.some(({ endless }) => endless === true);
    this.#seqBefore = writer.lastSeq;
    this.#seqAfter = writer.lastSeq;
  }

  async run(): Promise<IngestResult> {
    const stop = (): void => {
      if (!this.#isEndless) this.#stop();
    };
    this.#options.signal.addEventListener('abort', stop);
    try {
      for (const [index, thread] of this.#threads.entries()) this.#listen(index, thread);
      if (this.#options.signal.aborted) stop();
      await this.#list().catch((error: unknown) => this.#fail(error));
      this.#listingEnded = true;
      this.#dispatch();
      let running = this.#threads.length;
      const onEnd = async (): Promise<void> => {
        running--;
        if (running === 0 || this.#isWorthCommitting()) await this.#commitReady();
      };
      await Promise.all(
        this.#threads.map(({ ended }) => ended.then(onEnd).catch((error: unknown) => this.#fail(error))),
      );
      if (this.#failure !== null) throw this.#failure;
      if (!this.#stopping && this.#listed.size > 0)
        throw new Error(`the threads ended without a word on ${this.#listed.size} log files`);
      if (!this.#stopping && this.#seqAfter > this.#seqBefore) {
        await this.#writer.compact({ full: false, signal: this.#options.signal });
      }
      await this.#hunting;
    } finally {
      this.#options.signal.removeEventListener('abort', stop);
      if (this.#commitTimer !== null) clearTimeout(this.#commitTimer);
    }
    return this.#result();
  }

  #elapsedMs(): number {
    return performance.now() - this.#startedAt;
  }

  #result(): IngestResult {
    return {
      ...this.#sums,
      warnings: [...this.#warnings].map(([reason, { count, example }]) => ({ reason, count, example })),
      problems: this.#problems,
      problemsTotal: this.#problemsTotal,
      seqBefore: this.#seqBefore,
      seqAfter: this.#seqAfter,
      span: this.#span,
      interrupted: this.#options.signal.aborted,
      elapsedMs: this.#elapsedMs(),
    };
  }

  #stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#stopped.abort();
    for (const thread of this.#threads) thread.post({ type: 'stop' });
    this.#makeRoom();
    for (const feeder of this.#feeders.values()) feeder.done();
  }

  #fail(error: unknown): void {
    this.#failure ??= error instanceof Error ? error : new Error(String(error));
    this.#stop();
  }

  // Listing

  async #list(): Promise<void> {
    let page: LogFile[] = [];
    let pageSize = PAGE_FIRST;
    let waited = 0;
    let enqueued: Promise<void> = Promise.resolve();
    const settle = (): Promise<void> => {
      const files = page;
      page = [];
      pageSize = Math.min(pageSize * 2, PAGE_MAX);
      enqueued = enqueued.then(() => this.#enqueueNew(files));
      return enqueued;
    };
    const pause = setInterval(() => {
      // One that never pauses is not to fill a page first.
      const isPaused = page.length > 0 && (this.#isEndless || waited === this.#progress.filesListed);
      waited = this.#progress.filesListed;
      if (isPaused) settle().catch((error: unknown) => this.#fail(error));
    }, LISTING_PAUSE_MS);
    const read = async (source: Source): Promise<void> => {
      for await (const item of source.list(this.#options.scope, this.#options.signal)) {
        if (this.#stopping) return;
        if ('error' in item) {
          this.#problem(item);
          continue;
        }
        this.#progress.filesListed++;
        this.#progress.bytesListed += item.sizeBytes;
        this.#sums.files.listed++;
        page.push(item);
        // A stream can be read only now: the listing goes on behind it.
        if (page.length >= pageSize || item.content.type === 'stream') await settle();
      }
    };
    try {
      const isEndless = (source: Source): boolean => source.endless === true;
      const inOrder = async (): Promise<void> => {
        for (const source of this.#options.sources) if (!isEndless(source)) await read(source);
      };
      // Whoever interrupts an endless run still wants committed what is in work.
      const unlessInterrupted = (error: unknown): void => {
        if (!(this.#isEndless && this.#isInterrupted(error))) throw error;
      };
      await Promise.all([inOrder().catch(unlessInterrupted), ...this.#options.sources.filter(isEndless).map(read)]);
      await settle();
      await this.#fetcher.idle();
    } finally {
      clearInterval(pause);
    }
  }

  #isInterrupted(error: unknown): boolean {
    return this.#options.signal.aborted && error instanceof AppError && error.code === 'interrupted';
  }

  #problem(problem: ListingProblem): void {
    this.#problemsTotal++;
    if (this.#problems.length < PROBLEMS_MAX) this.#problems.push(problem);
  }

  async #enqueueNew(files: readonly LogFile[]): Promise<void> {
    const known = await this.#writer.known(files, this.#isEndless);
    const fresh = files.filter((file, index) => {
      const before = known[index] ?? null;
      if (before === null) return true;
      this.#sums.files.known++;
      this.#progress.filesDone++;
      this.#progress.bytesDone += file.sizeBytes;
      this.#widenSpan(before.minTimeMs, before.maxTimeMs);
      file.settled?.({ outcome: 'stored' });
      return false;
    });
    let logFile = this.#writer.takeLogFileIds(fresh.length);
    for (const file of fresh) {
      if (this.#stopping) return;
      const waiting = this.#enqueue(file, logFile++);
      if (waiting !== null) await waiting;
    }
  }

  /** Null when there is nothing to wait for: of thousands of small files hardly one. */
  #enqueue(file: LogFile, logFile: number): Promise<void> | null {
    const { key, sizeBytes, version, content, settled } = file;
    this.#listed.set(logFile, { identity: { key, sizeBytes, version }, settled });
    this.#untold++;
    const base = { logFile, key, deliveredDay: deliveredDay(file), sizeBytes };
    switch (content.type) {
      case 'file':
        return this.#put({ ...base, content });
      case 'object':
      case 'stream':
        return this.#fetch(base, content);
    }
  }

  async #fetch(base: Omit<WorkItem, 'content'>, content: Exclude<LogFile['content'], { type: 'file' }>): Promise<void> {
    const { sizeBytes } = base;
    const isSmall = sizeBytes > 0 && sizeBytes <= WHOLE_BYTES_MAX;
    switch (content.type) {
      case 'object': {
        if (!isSmall) return this.#feed(base, () => content.open(this.#stopped.signal));
        return this.#fetcher.fetch(content, sizeBytes, async ({ bytes, error }) => {
          const taken = (): void => this.#fetcher.taken(sizeBytes);
          if (error === null) {
            await this.#put({ ...base, content: { type: 'bytes', bytes } }, taken);
            return;
          }
          taken();
          await this.#feed(base, () => Promise.resolve(broken([], error)));
        });
      }
      case 'stream': {
        const stream = await content.open();
        if (!isSmall) return this.#feedNow(base, () => Promise.resolve(stream));
        const chunks: Uint8Array[] = [];
        try {
          for await (const chunk of stream) chunks.push(chunk as Uint8Array);
        } catch (error) {
          return this.#feedNow(base, () => Promise.resolve(broken(chunks, error)));
        }
        const bytes = Uint8Array.from(Buffer.concat(chunks));
        this.#queueBytes += bytes.length;
        await this.#put({ ...base, content: { type: 'bytes', bytes } }, () => {
          this.#queueBytes -= bytes.length;
        });
      }
    }
  }

  /** Queues a content that a thread takes piece by piece. */
  async #feed(
    base: Omit<WorkItem, 'content'>,
    open: () => Promise<AsyncIterable<Uint8Array>>,
    done: () => void = () => undefined,
  ): Promise<void> {
    this.#feeders.set(base.logFile, { pieces: new ReadAhead(open), done });
    await this.#put({ ...base, content: { type: 'port' } });
  }

  /** The same, and waits until it has been read: what is listed behind it comes after it. */
  async #feedNow(base: Omit<WorkItem, 'content'>, open: () => Promise<AsyncIterable<Uint8Array>>): Promise<void> {
    const read = new Promise<void>((resolve, reject) => {
      this.#feed(base, open, resolve).catch(reject);
    });
    if (!this.#stopping) await read;
  }

  /** Null when it went in at once. */
  #put(item: WorkItem, taken: () => void = NOTHING): Promise<void> | null {
    if (this.#isFull) return this.#putLater({ item, taken });
    this.#queue.push({ item, taken });
    this.#dispatch();
    return null;
  }

  async #putLater(queued: Queued): Promise<void> {
    while (!this.#stopping && this.#isFull) {
      await new Promise<void>((resolve) => {
        const before = this.#roomInQueue;
        this.#roomInQueue = () => {
          before?.();
          resolve();
        };
      });
    }
    this.#queue.push(queued);
    this.#dispatch();
  }

  get #isFull(): boolean {
    return this.#queued >= QUEUE_FILES_MAX || this.#queueBytes > QUEUE_BYTES_MAX;
  }

  // Threads

  #listen(index: number, thread: WorkerThread): void {
    thread.onMessage((message) => {
      this.#onMessage(index, message).catch((error: unknown) => this.#fail(error));
    });
    thread.onError((error) => this.#fail(error));
  }

  /** Gives work to every thread that waits for some, or tells it that there will be none. */
  #dispatch(): void {
    while (this.#idle.length > 0 && (this.#queued > 0 || this.#listingEnded)) {
      const items: WorkItem[] = [];
      let bytes = 0;
      // What is left at the end is shared.
      const most = this.#listingEnded ? Math.ceil(this.#queued / this.#threads.length) : BATCH_FILES;
      while (items.length < Math.min(most, BATCH_FILES) && bytes < BATCH_BYTES) {
        if (items.length >= DAY_FILES_MIN && this.#next?.item.deliveredDay !== items.at(-1)?.deliveredDay) break;
        const queued = this.#take();
        if (queued === undefined) break;
        items.push(queued.item);
        bytes += queued.item.sizeBytes;
        queued.taken();
      }
      const thread = this.#threads[this.#idle.shift() ?? 0];
      const transfer = items.flatMap(({ content }) =>
        content.type === 'bytes' ? [content.bytes.buffer as ArrayBuffer] : [],
      );
      thread?.post({ type: 'files', items, last: this.#listingEnded && this.#queued === 0 }, transfer);
    }
    if (this.#queued < QUEUE_FILES_MAX / 2) this.#makeRoom();
  }

  get #queued(): number {
    return this.#queue.length - this.#queueTaken;
  }

  #makeRoom(): void {
    const room = this.#roomInQueue;
    this.#roomInQueue = null;
    room?.();
  }

  get #next(): Queued | undefined {
    return this.#queue[this.#queueTaken];
  }

  #take(): Queued | undefined {
    const queued = this.#next;
    if (queued !== undefined) this.#queueTaken++;
    if (this.#queueTaken >= QUEUE_FILES_MAX) {
      this.#queue.splice(0, this.#queueTaken);
      this.#queueTaken = 0;
    }
    return queued;
  }

  async #onMessage(index: number, message: FromWorker): Promise<void> {
    const thread = this.#threads[index];
    switch (message.type) {
      case 'need-files':
        this.#idle.push(index);
        this.#dispatch();
        break;
      case 'need-bytes':
        await this.#sendBytes(thread, message.logFile);
        break;
      case 'judge': {
        const { verdicts, dependsOn } = await this.#writer.admission.judge(message, message.unit);
        this.#commits.dependsOn(message.unit, dependsOn);
        thread?.post({ type: 'verdicts', table: message.table, verdicts }, [verdicts.buffer as ArrayBuffer]);
        break;
      }
      case 'contents':
        thread?.post({
          type: 'contents',
          question: message.question,
          contents: await this.#contents(message),
        });
        break;
      case 'progress':
        this.#progress.filesDone += message.files;
        this.#progress.bytesDone += message.compressedBytes;
        this.#progress.records += message.records;
        this.#sums.redacted += message.redacted;
        this.#progress.uncompressedBytes += message.uncompressedBytes;
        this.#options.onProgress?.({
          ...this.#progress,
          listingEnded: this.#listingEnded,
          elapsedMs: this.#elapsedMs(),
        });
        break;
      case 'unit':
        this.#ready(message);
        break;
      case 'failed':
        this.#fail(failureOf(message));
        break;
    }
  }

  async #sendBytes(thread: WorkerThread | undefined, logFile: number): Promise<void> {
    const feeder = this.#feeders.get(logFile);
    if (feeder === undefined) return;
    try {
      const { bytes, last } = await feeder.pieces.next();
      thread?.post({ type: 'bytes', logFile, bytes, last }, [bytes.buffer]);
      if (last) this.#fed(logFile);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      thread?.post({ type: 'bytes', logFile, bytes: new Uint8Array(0), last: true, error: text });
      this.#fed(logFile);
    }
  }

  #fed(logFile: number): void {
    this.#feeders.get(logFile)?.done();
    this.#feeders.delete(logFile);
  }

  /** Who has a content first is decided here, in one place and in one order; the others are copies. */
  async #contents(asked: Extract<FromWorker, { type: 'contents' }>): Promise<(KnownContent | null)[]> {
    const answers: (KnownContent | null)[] = [];
    const claimed: { readonly at: number; readonly sha256: string }[] = [];
    for (const [at, logFile] of asked.logFiles.entries()) {
      const sha256 = sha256At(asked.sha256s, at);
      const pending = this.#pendingContents.get(sha256);
      answers.push(
        pending === undefined ? null : { id: pending, records: 0, kind: 'log', minTimeMs: null, maxTimeMs: null },
      );
      if (pending !== undefined) continue;
      this.#pendingContents.set(sha256, logFile);
      claimed.push({ at, sha256 });
    }
    const stored = await this.#writer.contents(claimed.map(({ sha256 }) => sha256));
    for (const [index, { at, sha256 }] of claimed.entries()) {
      const known = stored[index] ?? null;
      if (known === null) continue;
      answers[at] = known;
      this.#pendingContents.delete(sha256);
    }
    return answers;
  }

  #ready(message: Extract<FromWorker, { type: 'unit' }>): void {
    const unit = this.#unitOf(message);
    this.#commits.ready(message.unit, unit, this.#originals(message.files));
    this.#untold -= unit.files.length;
    // Nothing else will come: what follows need not wait until the threads have ended.
    if (this.#listingEnded && this.#untold === 0) this.#commitReady().catch((error: unknown) => this.#fail(error));
    else this.#scheduleCommit();
  }

  #unitOf(message: Extract<FromWorker, { type: 'unit' }>): CommitUnit {
    const files = unpackResults(message.files, (logFile) => {
      const listed = this.#listed.get(logFile);
      if (listed === undefined) throw new Error(`a worker told of log file ${logFile}, which it was not given`);
      return listed.identity;
    });
    return { files, segments: message.segments, conflicts: message.conflicts, rejectFiles: message.rejectFiles };
  }

  /** Log files that are not committed yet and of which this unit has copies. */
  #originals({ others }: PackedResults): number[] {
    return others.flatMap(({ copyOf }) => (copyOf !== null && this.#listed.has(copyOf) ? [copyOf] : []));
  }

  // Commits

  #scheduleCommit(): void {
    this.#commitTimer ??= setTimeout(() => {
      this.#commitTimer = null;
      this.#commitReady().catch((error: unknown) => this.#fail(error));
    }, this.#commitDelayMs());
  }

  /** When a thread has ended, what is staged is committed while the others go on; not if that was done just now, or if they will be through before. */
  #isWorthCommitting(): boolean {
    return this.#elapsedMs() - this.#committedAtMs > COMMIT_MIN_MS && this.#untold > this.#listed.size / 4;
  }

  #commitDelayMs(): number {
    if (this.#seqAfter === this.#seqBefore) return COMMIT_MIN_MS;
    return Math.min(COMMIT_MAX_MS, Math.max(COMMIT_MIN_MS, this.#elapsedMs() / 2));
  }

  /** Commits every unit whose dependencies are complete as well, one commit after the other. */
  #commitReady(): Promise<void> {
    this.#committing = this.#committing.then(async () => {
      const numbers = this.#commits.takeComplete();
      if (numbers.length === 0) return;
      const units = await this.#withCopies(numbers.map(([, unit]) => unit));
      this.#seqAfter = await this.#writer.commit(units);
      this.#committedAtMs = this.#elapsedMs();
      for (const [number, unit] of numbers) {
        this.#commits.committed(number, unit);
        this.#writer.admission.committed(number);
      }
      for (const unit of units) for (const file of unit.files) this.#count(file);
      this.#hunt();
      if (this.#isEndless && --this.#commitsUntilCompaction === 0) {
        this.#commitsUntilCompaction = COMPACT_EVERY_COMMITS;
        await this.#writer.compact({ full: false, signal: this.#options.signal });
      }
    });
    return this.#committing;
  }

  /** A copy of a file of this run takes over what that one turned out to hold. */
  async #withCopies(units: readonly CommitUnit[]): Promise<readonly CommitUnit[]> {
    if (!units.some(({ files }) => files.some(({ copyOf }) => copyOf !== null))) return units;
    const results = new Map<number, LogFileResult>();
    for (const unit of units) for (const file of unit.files) results.set(file.logFile, file);
    const resolve = async (file: CommitUnit['files'][number]): Promise<CommitUnit['files'][number]> => {
      if (file.copyOf === null || file.sha256 === null) return file;
      let original = results.get(file.copyOf);
      while (original?.copyOf != null) original = results.get(original.copyOf);
      const [stored = null] = original === undefined ? await this.#writer.contents([file.sha256]) : [null];
      const records = original?.records.in ?? stored?.records ?? file.records.in;
      return {
        ...file,
        kind: original?.kind ?? stored?.kind ?? file.kind,
        copyOf: original?.logFile ?? stored?.id ?? file.copyOf,
        records: { ...file.records, in: records, duplicate: records },
        minTimeMs: original?.minTimeMs ?? stored?.minTimeMs ?? file.minTimeMs,
        maxTimeMs: original?.maxTimeMs ?? stored?.maxTimeMs ?? file.maxTimeMs,
      };
    };
    const resolved: CommitUnit[] = [];
    for (const unit of units) {
      const files: CommitUnit['files'][number][] = [];
      for (const file of unit.files) files.push(await resolve(file));
      resolved.push({ ...unit, files });
    }
    return resolved;
  }

  #count(file: CommitUnit['files'][number]): void {
    const { files, records } = this.#sums;
    files[file.status]++;
    if (file.copyOf !== null) files.copies++;
    if (file.kind === 'digest') files.digests++;
    if (file.kind === 'insights') files.insights++;
    records.in += file.records.in;
    records.stored += file.records.stored;
    records.duplicate += file.records.duplicate;
    records.rejected += file.records.rejected;
    records.id_conflicts += file.records.id_conflicts;
    records.without_time += file.records.without_time;
    this.#sums.compressedBytes += file.file.sizeBytes;
    this.#sums.uncompressedBytes += file.uncompressedBytes;
    this.#widenSpan(file.minTimeMs, file.maxTimeMs);
    if (file.sha256 !== null && this.#pendingContents.get(file.sha256) === file.logFile)
      this.#pendingContents.delete(file.sha256);
    for (const [reason, count] of Object.entries(file.rejectReasons)) {
      const seen = this.#warnings.get(reason);
      if (seen === undefined) this.#warnings.set(reason, { count, example: file.file.key });
      else seen.count += count;
    }
    this.#settle(file);
    if (file.status === 'failed') {
      this.#problem({
        key: file.file.key,
        error: new AppError('source-unreadable', file.error ?? `cannot read ${file.file.key}`),
      });
    }
  }

  #settle({ logFile, status, error, file }: CommitUnit['files'][number]): void {
    const settlement: Settlement =
      status === 'failed' ? { outcome: 'failed', error: error ?? `cannot read ${file.key}` } : { outcome: 'stored' };
    this.#listed.get(logFile)?.settled?.(settlement);
    this.#listed.delete(logFile);
  }

  #widenSpan(minTimeMs: number | null, maxTimeMs: number | null): void {
    if (minTimeMs === null || maxTimeMs === null) return;
    if (this.#span !== null && minTimeMs >= this.#span.fromMs && maxTimeMs < this.#span.toMs) return;
    this.#span = {
      fromMs: Math.min(this.#span?.fromMs ?? minTimeMs, minTimeMs),
      toMs: Math.max(this.#span?.toMs ?? 0, maxTimeMs + 1),
    };
  }

  /** Tells of commits while ingest goes on; what comes meanwhile is told once afterwards. */
  #hunt(): void {
    const { onCommit } = this.#options;
    if (onCommit === undefined || (!this.#isEndless && this.#elapsedMs() < this.#huntFromMs)) return;
    this.#huntFromMs = this.#elapsedMs() + HUNT_EVERY_MS;
    this.#huntAgain = true;
    if (this.#isHunting) return;
    this.#isHunting = true;
    this.#hunting = (async () => {
      while (this.#huntAgain && !this.#stopping && !this.#options.signal.aborted) {
        this.#huntAgain = false;
        await onCommit(this.#seqAfter);
      }
    })()
      .catch((error: unknown) => {
        if (!(this.#isEndless && this.#isInterrupted(error))) this.#fail(error);
      })
      .finally(() => {
        this.#isHunting = false;
      });
  }
}

/** What was read before a stream broke, and then the break. */
async function* broken(chunks: readonly Uint8Array[], error: unknown): AsyncGenerator<Uint8Array> {
  yield* chunks;
  await Promise.reject(error);
}

function failureOf(message: Extract<FromWorker, { type: 'failed' }>): Error {
  if (message.code !== null)
    return new AppError(message.code, message.message, message.hint === null ? {} : { hint: message.hint });
  const error = new Error(message.message);
  error.stack = message.stack;
  return error;
}

/** The day in the key; else the day of the file's last change; else today. */
function deliveredDay(file: LogFile): number {
  if (file.hint.day !== null) return dayOf(file.hint.day);
  // Of a local file the version is the time of its last change.
  const isTime = file.content.type !== 'object' && /^\d+(\.\d+)?$/.test(file.version);
  const changedMs = isTime ? Number(file.version) : Date.now();
  return Math.floor(changedMs / DAY_MS);
}
