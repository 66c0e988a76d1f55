/** What a worker thread does: reads log files, decodes them into windows, has each window judged, and stages its rows as segments. */
import { createHash, hash } from 'node:crypto';
import type { Envelopes } from '../envelope.ts';
import { AppError, asInstallError } from '../errors.ts';
import { type FileOutcome, type Format, HEAD_BYTES, type Reject } from '../format.ts';
import type { FromWorker, IngestLimits, KnownContent, SegmentWriter, ToWorker, WorkItem } from '../ingest.ts';
import { isParquetMagic, type ParquetReader } from '../parquet.ts';
import {
  type Damage,
  decodeWhole,
  openPayload,
  PAYLOAD_LIMITS,
  type PayloadLimits,
  readWhole,
  release,
} from '../payload.ts';
import type { Redaction } from '../redaction.ts';
import { createMask, type Mask } from '../secrets.ts';
import type { Table } from '../table.ts';
import { Handover } from './handover.ts';
import { type Intake, PlainIntake, RecordsIntake, WrappedIntake } from './intake.ts';
import { Lane } from './lane.ts';
import { Mailbox } from './mailbox.ts';
import { close, type OpenFile, openFile } from './open-file.ts';
import { packResults } from './packed-results.ts';
import { ParquetIntake } from './parquet-intake.ts';
import { createRedactor } from './redact.ts';
import { TinyFiles } from './tiny-files.ts';

/** Contents are looked up in the ledger in groups: one question costs a message there and back. */
const GROUP_FILES = 128;
const GROUP_BYTES = 2 * 1024 * 1024;
/** In memory while files are decoded: the group that is in work, and two whose contents are being looked up. More would leave the processor's cache. */
const AHEAD_BYTES = 3 * GROUP_BYTES;
/** While a window waits for its verdicts and its derived columns, more is read: there is nothing else to do. */
const AHEAD_WAITING_BYTES = 6 * GROUP_BYTES;
/** Log files without a row, such as digests and copies, are reported when so many have gathered. */
const UNIT_FILES_MAX = 4096;
/** A source that pauses this long gets what was read so far committed. */
const IDLE_MS = 2000;
/** And one that never pauses, but brings little, at least so often. */
const UNIT_MS = 5000;
/** Units of one thread are numbered apart from those of the others. */
const THREADS_MAX = 64;
const NO_BYTES = new Uint8Array(0);
/** Between two pieces of this size rejects are staged: a file of nothing but broken records does not fill the memory with them. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** So much rejected text is kept of one log file; a store must not grow by what it could not read. Every reject is counted and listed all the same. */
const REJECT_BYTES_MAX = 64 * 1024 * 1024;
/** Rejects in memory before they are staged. */
const SPOOL_BYTES = 8 * 1024 * 1024;
const SPOOL_REJECTS = 20_000;
/** Often enough for a person to watch. */
const PROGRESS_MS = 100;
const NO_PROGRESS = () => ({ files: 0, compressedBytes: 0, uncompressedBytes: 0, records: 0, redacted: 0 });

export interface WorkerPort {
  post(message: FromWorker, transfer?: readonly ArrayBuffer[]): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

export interface WorkerDeps {
  readonly port: WorkerPort;
  /** Asked in this order whether a log file is theirs. The first one gets what nobody claims; it is opened at once, the others when they are needed. */
  readonly formats: readonly Format[];
  readonly envelopes: Envelopes;
  readonly parquet: ParquetReader;
  /** For the segments of a table. */
  readonly openWriter: (table: Table) => Promise<SegmentWriter>;
  readonly index: number;
  readonly limits: IngestLimits;
  /** Name of the format of all log files; null where their contents tell. */
  readonly format: string | null;
  readonly redact: readonly Redaction[];
}

/** Small files that lie in memory and whose contents are looked up together. */
interface Group {
  readonly type: 'group';
  readonly question: number;
  readonly members: readonly Member[];
}

interface Member {
  readonly file: OpenFile;
  readonly bytes: Uint8Array;
  /** No longer needed after it. */
  readonly frees: Uint8Array;
}

/** What the reading task hands to the decoding one, in the order of the files. */
type Read =
  | Group
  /** It does not lie in memory. */
  | { readonly type: 'stream'; readonly file: OpenFile }
  | { readonly type: 'failed'; readonly file: OpenFile; readonly error: unknown }
  /** The source brings nothing for a while. */
  | { readonly type: 'pause' };

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Runs until the last file is staged, or until it is asked to stop. Tells the main thread everything, a failure too. */
export async function runWorker(deps: WorkerDeps): Promise<void> {
  const worker = new IngestWorker(deps);
  try {
    await worker.run();
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'interrupted')) {
      deps.port.post({
        type: 'failed',
        code: error instanceof AppError ? error.code : null,
        message: message(error),
        hint: error instanceof AppError ? (error.hint ?? null) : null,
        stack: error instanceof Error ? (error.stack ?? '') : '',
      });
    }
  } finally {
    await worker.close();
  }
}

class IngestWorker {
  readonly #deps: WorkerDeps;
  readonly #port: WorkerPort;
  readonly #payloadLimits: PayloadLimits;
  /** Of rejects, whose fields nobody can name: null when everything is stored. */
  readonly #rejectMask: Mask | null;
  readonly #mailbox = new Mailbox();
  readonly #writers: SegmentWriter[] = [];
  readonly #lanes = new Map<string, Lane>();
  #unit: number;
  #files: OpenFile[] = [];
  /** When the first of them ended. */
  #unitSince = 0;
  #rejects: { readonly logFile: number; readonly reject: Reject }[] = [];
  #rejectFiles: string[] = [];
  /** Resolves when the unit before this one was told to the main thread. */
  #telling: Promise<void> = Promise.resolve();
  /** From the task that reads to the one that decodes. */
  readonly #ahead = new Handover<Read>(AHEAD_BYTES);
  /** Of the group that is being read. */
  #members: Member[] = [];
  #memberBytes = 0;
  /** Those that come next in it, read and not inflated. */
  readonly #tiny = new TinyFiles();
  #tinyFiles: OpenFile[] = [];
  /** So far. */
  #questions = 0;
  /** The file that is being decoded. */
  #current: OpenFile | null = null;
  /** Since the last report. */
  #progress = NO_PROGRESS();
  #reportedAt = 0;

  constructor(deps: WorkerDeps) {
    this.#deps = deps;
    this.#port = deps.port;
    this.#unit = deps.index + 1;
    this.#rejectMask = deps.redact.length === 0 ? null : createMask(namesOf(deps));
    const { limits } = deps;
    this.#payloadLimits = { ...PAYLOAD_LIMITS, maxRatio: limits.maxRatio, maxBytes: limits.maxFileBytes };
    deps.port.onMessage((received) => this.#mailbox.put(received));
  }

  async run(): Promise<void> {
    await this.#laneOf(this.#deps.formats[0]);
    const reading = this.#readFiles().then(
      () => this.#ahead.end(),
      (error: unknown) => this.#ahead.end(error instanceof Error ? error : new Error(String(error))),
    );
    try {
      await this.#decodeFiles();
    } finally {
      this.#ahead.end();
      this.#mailbox.stop();
      await reading;
    }
  }

  async close(): Promise<void> {
    for (const writer of this.#writers) await writer.close();
  }

  /** Reads what the main thread sends: small files in groups whose contents are looked up together, the others one by one. */
  async #readFiles(): Promise<void> {
    this.#port.post({ type: 'need-files' });
    for (;;) {
      // What was read need not wait for what comes next.
      if (!this.#mailbox.has('files') && !((await this.#inflateTiny()) && (await this.#handOver()))) return;
      const batch = await this.#mailbox.takeSoon('files', IDLE_MS);
      if (batch === null) {
        if (!(await this.#ahead.put({ type: 'pause' }, AHEAD_WAITING_BYTES))) return;
        continue;
      }
      // The next batch travels while this one is read.
      if (!batch.last) this.#port.post({ type: 'need-files' });
      for (const item of batch.items) if (!(await this.#readFile(item))) return;
      if (batch.last) break;
    }
    if (await this.#inflateTiny()) await this.#handOver();
  }

  /** False when nobody decodes any more. */
  async #readFile(item: WorkItem): Promise<boolean> {
    const file = openFile(item);
    if (this.#readTiny(file)) return !this.#tiny.isFull || this.#inflateTiny();
    return (await this.#inflateTiny()) && this.#readAlone(file);
  }

  /** False when it is to be read alone. */
  #readTiny(file: OpenFile): boolean {
    const { content } = file.item;
    try {
      if (content.type !== 'file' || !this.#tiny.add(content)) return false;
    } catch {
      // Alone it fails again, and is told of in its turn.
      return false;
    }
    this.#tinyFiles.push(file);
    return true;
  }

  /** False when nobody decodes any more. */
  async #inflateTiny(): Promise<boolean> {
    const files = this.#tinyFiles;
    if (files.length === 0) return true;
    this.#tinyFiles = [];
    const contents = this.#tiny.inflate();
    for (const [index, file] of files.entries()) {
      const bytes = contents?.[index];
      if (bytes === undefined) {
        if (!(await this.#readAlone(file))) return false;
        continue;
      }
      const isLast = index === files.length - 1;
      if (!(await this.#keep(file, bytes, isLast ? new Uint8Array(bytes.buffer) : NO_BYTES))) return false;
    }
    return true;
  }

  /** False when nobody decodes any more. */
  async #readAlone(file: OpenFile): Promise<boolean> {
    const { item } = file;
    let bytes: Uint8Array | null = null;
    try {
      bytes = this.#readSmall(item);
    } catch (error) {
      return (await this.#handOver()) && this.#ahead.put({ type: 'failed', file, error }, 0);
    }
    if (bytes === null)
      return (await this.#handOver()) && this.#ahead.put({ type: 'stream', file }, AHEAD_WAITING_BYTES);
    return this.#keep(file, bytes, bytes);
  }

  /** False when nobody decodes any more. */
  async #keep(file: OpenFile, bytes: Uint8Array, frees: Uint8Array): Promise<boolean> {
    file.uncompressedBytes = bytes.length;
    this.#progress.uncompressedBytes += bytes.length;
    file.sha256 = hash('sha256', bytes, 'hex');
    this.#members.push({ file, bytes, frees });
    this.#memberBytes += bytes.length;
    const isFull = this.#members.length >= GROUP_FILES || this.#memberBytes >= GROUP_BYTES;
    return !isFull || this.#handOver();
  }

  /** Hands over what was read, and asks about it. False when nobody decodes any more. */
  async #handOver(): Promise<boolean> {
    const members = this.#members;
    const bytes = this.#memberBytes;
    if (members.length === 0) return true;
    this.#members = [];
    this.#memberBytes = 0;
    const question = this.#ask(members.map(({ file }) => file));
    // However little it is, no thread takes many files that others could read.
    return this.#ahead.put({ type: 'group', question, members }, Math.max(bytes, GROUP_BYTES));
  }

  async #decodeFiles(): Promise<void> {
    for (let read = await this.#ahead.take(); read !== null; read = await this.#ahead.take()) {
      switch (read.type) {
        case 'group':
          await this.#decodeGroup(read);
          break;
        case 'stream':
          await this.#decodeStream(read.file);
          break;
        case 'failed':
          this.#failed(read.file, read.error);
          break;
        case 'pause':
          await this.#flush();
      }
      if (this.#files.length > 0 && performance.now() - this.#unitSince > UNIT_MS) await this.#flush();
    }
    await this.#flush();
    await this.#telling;
  }

  async #decodeGroup({ question, members }: Group): Promise<void> {
    const contents = await this.#answer(question);
    for (const [index, { file, bytes, frees }] of members.entries()) {
      const known = contents[index] ?? null;
      if (known === null) await this.#decodeWhole(file, bytes);
      else this.#isCopy(file, known);
      release(frees);
    }
    this.#judge();
    this.#reportProgress();
  }

  /** Null when the file must be read as a stream. */
  #readSmall(item: WorkItem): Uint8Array | null {
    switch (item.content.type) {
      case 'file':
        return readWhole(item.content, this.#payloadLimits)?.bytes ?? null;
      case 'bytes':
        return decodeWhole(item.content.bytes, this.#payloadLimits)?.bytes ?? null;
      case 'port':
        return null;
    }
  }

  /** Returns the number of the question. */
  #ask(files: readonly OpenFile[]): number {
    const question = this.#questions++;
    const logFiles = files.map(({ item }) => item.logFile);
    this.#port.post({ type: 'contents', question, logFiles, sha256s: files.map(({ sha256 }) => sha256).join('') });
    return question;
  }

  async #answer(question: number): Promise<readonly (KnownContent | null)[]> {
    return (await this.#mailbox.take('contents', (answer) => answer.question === question)).contents;
  }

  async #laneOf(format: Format | undefined): Promise<Lane> {
    if (format === undefined) throw new Error('a worker was given no such format');
    const known = this.#lanes.get(format.name);
    if (known !== undefined) return known;
    const { limits, openWriter } = this.#deps;
    const decoding = format.createDecoder({ recordBytes: limits.recordBytes, windowBytes: limits.windowBytes });
    // The writer's engine is at work by the time a decoder fails: it has to be there to be closed.
    const [writer] = await Promise.allSettled([openWriter(format.table), decoding]);
    if (writer.status === 'rejected') throw writer.reason;
    this.#writers.push(writer.value);
    const decoder = await decoding.catch((error: unknown) => {
      throw asInstallError(error, `load the decoder of ${format.name}`);
    });
    const redactor = createRedactor(format.table, this.#deps.redact);
    const { write } = writer.value;
    const lane = new Lane({
      decoder,
      writer: { ...writer.value, write: (batch, verdicts) => this.#readingMeanwhile(write(batch, verdicts)) },
      mailbox: this.#mailbox,
      post: (told, transfer) => this.#port.post(told, transfer),
      onRows: (rows) => {
        this.#progress.records += rows;
      },
      redact: (batch) => {
        if (redactor === null) return batch;
        const redacted = redactor(batch);
        this.#progress.redacted += redacted.count;
        return redacted.batch;
      },
    });
    this.#lanes.set(format.name, lane);
    return lane;
  }

  async #readingMeanwhile<T>(waiting: Promise<T>): Promise<T> {
    this.#ahead.widen(AHEAD_WAITING_BYTES);
    try {
      return await waiting;
    } finally {
      this.#ahead.widen(AHEAD_BYTES);
    }
  }

  /** Opens a file that begins like this; `whole` when this is all of it. */
  async #open(file: OpenFile, head: Uint8Array, whole: boolean): Promise<Intake> {
    const { formats, format: wanted, envelopes } = this.#deps;
    const { key } = file.item;
    const named = formats.find(({ name }) => name === wanted);
    const formatOf = (record: Uint8Array): string | null => (named ?? claimantOf(record, formats))?.name ?? null;
    const laneOf = (name: string) => this.#laneOf(formats.find((format) => format.name === name));
    const delivered = wanted === null ? formats.find((format) => format.isAsDelivered?.(head)) : undefined;
    if (delivered !== undefined) return this.#openPlain(file, delivered, head, whole);
    if (isParquetMagic(head)) {
      this.#current = file;
      return this.#openParquet(file, whole, formatOf, new RecordsIntake(file, laneOf, this.#unit));
    }
    const unwrapper = envelopes.open(head, formatOf);
    if (unwrapper !== null) {
      this.#current = file;
      return new WrappedIntake(unwrapper, new RecordsIntake(file, laneOf, this.#unit));
    }
    return this.#openPlain(file, named ?? claimantOf(head, formats, key) ?? formats[0], head, whole);
  }

  async #openPlain(file: OpenFile, format: Format | undefined, head: Uint8Array, whole: boolean): Promise<Intake> {
    const lane = await this.#laneOf(format);
    const { deliveredDay } = file.item;
    if (whole && lane.isFullFor(deliveredDay, head.length)) await this.#flush();
    this.#current = file;
    return new PlainIntake(file, lane, this.#unit);
  }

  #openParquet(
    file: OpenFile,
    whole: boolean,
    formatOf: (record: Uint8Array) => string | null,
    records: RecordsIntake,
  ): Intake {
    const { key, content } = file.item;
    // What lies in memory has been read already, and cannot vanish any more.
    const isThere = !whole && content.type === 'file' && content.start === 0 && content.method === 'stored';
    const intake: Intake = new ParquetIntake({
      file: this.#deps.parquet.open(key, isThere ? content.path : null),
      records,
      formatOf,
      pause: async () => {
        if (this.#mailbox.stopped) throw new AppError('interrupted', 'the worker was asked to stop');
        this.#judge();
        await this.#spoolRejects(file, intake.takeRejects());
        this.#reportProgress();
      },
    });
    return intake;
  }

  /** Decodes a file that lies in memory whole. */
  async #decodeWhole(file: OpenFile, bytes: Uint8Array): Promise<void> {
    const intake = await this.#open(file, bytes, true);
    let at = 0;
    for (; bytes.length - at > PIECE_BYTES; at += PIECE_BYTES) {
      await intake.push(bytes.subarray(at, at + PIECE_BYTES), false);
      await this.#spoolRejects(file, intake.takeRejects());
    }
    await intake.push(bytes.subarray(at), true);
    this.#finish(file, intake.end(), null);
    if (intake.overflowed || this.#files.length >= UNIT_FILES_MAX) await this.#flush();
  }

  #judge(): void {
    for (const lane of this.#lanes.values()) lane.judge(this.#unit);
  }

  /** Decodes a file of any size, slice by slice. */
  async #decodeStream(file: OpenFile): Promise<void> {
    const { content } = file.item;
    const digest = createHash('sha256');
    let intake: Intake | null = null;
    /** Slices before the file could be opened: what it is must not depend on where they end. */
    let head = Buffer.alloc(0);
    let damage: Damage | null = null;
    let failure: unknown = null;
    this.#current = file;
    try {
      const source =
        content.type === 'file'
          ? content
          : content.type === 'bytes'
            ? once(content.bytes)
            : this.#portBytes(file.item.logFile);
      const payload = openPayload(source, this.#payloadLimits, file.item.key);
      for await (const slice of payload) {
        if (this.#mailbox.stopped) throw new AppError('interrupted', 'the worker was asked to stop');
        digest.update(slice);
        file.uncompressedBytes += slice.length;
        this.#progress.uncompressedBytes += slice.length;
        if (intake === null) {
          head = Buffer.concat([head, slice]);
          if (head.length < HEAD_BYTES) continue;
          intake = await this.#open(file, head, false);
          await intake.push(head, false);
          head = Buffer.alloc(0);
        } else await intake.push(slice, false);
        this.#judge();
        await this.#spoolRejects(file, intake.takeRejects());
        this.#reportProgress();
      }
      damage = payload.damage;
    } catch (error) {
      failure = unreadableOf(error);
    }
    intake ??= await this.#open(file, head, false);
    try {
      await intake.push(head, true, damage !== null || failure !== null);
    } catch (error) {
      failure = unreadableOf(error);
    }
    const outcome = intake.end();
    if (failure === null) {
      file.sha256 = digest.digest('hex');
      this.#finish(file, outcome, damage);
      const [known = null] = await this.#answer(this.#ask([file]));
      if (known !== null) await this.#dropCopy(file, known);
      else if (intake.overflowed) await this.#flush();
    } else {
      // What broke off may be whole tomorrow; the incomplete end is not a reject today.
      this.#finish(file, { ...outcome, rejects: [] }, null);
      await this.#flushLanes();
      // Read again tomorrow, records with an id are recognised; those without one, and rejects, would be there twice.
      file.rows -= await this.#dropRows(file, 'without-id');
      this.#forgetRejects(file);
      this.#failed(file, failure);
      await this.#flush();
    }
    this.#reportProgress();
  }

  /** Takes rows of a file back that are staged and not committed; returns how many. */
  async #dropRows(file: OpenFile, which: 'all' | 'without-id'): Promise<number> {
    let dropped = 0;
    for (const lane of this.#lanes.values()) dropped += await lane.dropRows(file, which);
    return dropped;
  }

  async *#portBytes(logFile: number): AsyncGenerator<Uint8Array> {
    for (;;) {
      this.#port.post({ type: 'need-bytes', logFile });
      const answer = await this.#mailbox.take('bytes');
      if (answer.error !== undefined) throw new AppError('source-unreadable', answer.error);
      if (answer.bytes.length > 0) yield answer.bytes;
      if (answer.last) return;
    }
  }

  #finish(file: OpenFile, outcome: FileOutcome, damage: Damage | null): void {
    this.#keepRejects(file, close(file, outcome, damage));
    this.#rejectFiles.push(...file.rejectFiles);
    this.#current = null;
    this.#ended(file);
  }

  #keepRejects(file: OpenFile, rejects: readonly Reject[]): void {
    for (const reject of rejects) {
      file.rejected++;
      file.rejectReasons[reject.reason] = (file.rejectReasons[reject.reason] ?? 0) + 1;
      file.rejectBytes += reject.text.length;
      const kept = file.rejectBytes <= REJECT_BYTES_MAX ? this.#masked(reject) : { ...reject, text: NO_BYTES };
      this.#rejects.push({ logFile: file.item.logFile, reject: kept });
    }
  }

  #masked(reject: Reject): Reject {
    if (this.#rejectMask === null) return reject;
    const text = this.#rejectMask.text(Buffer.from(reject.text).toString('latin1'));
    return { ...reject, text: Uint8Array.from(Buffer.from(text, 'latin1')) };
  }

  /** Stages what a long file has rejected so far. */
  async #spoolRejects(file: OpenFile, rejects: readonly Reject[]): Promise<void> {
    if (rejects.length === 0) return;
    // What other files of this unit rejected must not share a file with what may be taken back.
    if (this.#rejects.some(({ logFile }) => logFile !== file.item.logFile)) await this.#stageRejects(this.#rejectFiles);
    this.#keepRejects(file, rejects);
    const bytes = this.#rejects.reduce((sum, { reject }) => sum + reject.text.length, 0);
    if (bytes >= SPOOL_BYTES || this.#rejects.length >= SPOOL_REJECTS) await this.#stageRejects(file.rejectFiles);
  }

  async #stageRejects(into: string[]): Promise<void> {
    if (this.#rejects.length === 0) return;
    const [writer] = this.#writers;
    if (writer === undefined) throw new Error('a worker read a file without a lane');
    into.push(await writer.writeRejects(this.#rejects));
    this.#rejects = [];
  }

  #forgetRejects(file: OpenFile): void {
    this.#rejects = this.#rejects.filter(({ logFile }) => logFile !== file.item.logFile);
    this.#rejectFiles = this.#rejectFiles.filter((path) => !file.rejectFiles.includes(path));
    file.rejectFiles = [];
    file.rejected = 0;
    file.rejectReasons = {};
  }

  #isCopy(file: OpenFile, known: KnownContent): void {
    file.copyOf = known;
    file.kind = known.kind;
    this.#ended(file);
  }

  /** A large file turned out to be a copy only at its last byte: what was staged of it goes again. */
  async #dropCopy(file: OpenFile, known: KnownContent): Promise<void> {
    await this.#flushLanes();
    await this.#dropRows(file, 'all');
    this.#forgetRejects(file);
    file.copyOf = known;
    file.status = 'done';
    file.error = null;
    await this.#flush();
  }

  #failed(file: OpenFile, error: unknown): void {
    file.status = 'failed';
    file.sha256 = null;
    file.error = message(error);
    if (!this.#files.includes(file)) this.#ended(file);
  }

  /** Every file ends here, once. */
  #ended(file: OpenFile): void {
    if (this.#files.length === 0) this.#unitSince = performance.now();
    this.#files.push(file);
    this.#progress.files++;
    this.#progress.compressedBytes += file.item.sizeBytes;
  }

  async #flushLanes(): Promise<void> {
    for (const lane of this.#lanes.values()) await lane.flush(this.#unit);
  }

  /** Has all windows judged and staged. Outside of a file this ends the unit: the main thread may commit it. */
  async #flush(): Promise<void> {
    await this.#flushLanes();
    if (this.#current !== null || this.#files.length === 0) return;
    await this.#stageRejects(this.#rejectFiles);
    this.#port.post({ type: 'progress', ...this.#progress });
    this.#progress = NO_PROGRESS();
    const staged = [...this.#lanes.values()].map((lane) => lane.takeStaged());
    const unit = {
      type: 'unit' as const,
      unit: this.#unit,
      files: packResults(this.#files),
      segments: staged.flatMap(({ segments }) => segments),
      conflicts: staged.flatMap(({ conflicts }) => conflicts),
      rejectFiles: this.#rejectFiles,
    };
    // The next window is read while the disk catches up with this one; one unit at a time waits for it.
    await this.#telling;
    this.#telling = Promise.all(staged.map(({ synced }) => synced)).then(() => this.#port.post(unit));
    this.#telling.catch(() => undefined);
    this.#unit += THREADS_MAX;
    this.#files = [];
    this.#rejectFiles = [];
  }

  #reportProgress(): void {
    if (performance.now() - this.#reportedAt < PROGRESS_MS) return;
    this.#reportedAt = performance.now();
    this.#port.post({ type: 'progress', ...this.#progress });
    this.#progress = NO_PROGRESS();
  }
}

/** What redacted fields are called in records. */
function namesOf({ formats, redact }: WorkerDeps): string[] {
  const columns = formats.flatMap(({ table }) => table.columns.map((column) => ({ ...column, table: table.name })));
  return redact.flatMap(({ table, column, path }) => {
    const raw = columns.find((one) => one.table === table && one.name === column)?.raw;
    return [path.at(-1) ?? raw?.split('.').at(-1) ?? column];
  });
}

/** Throws what does not say that a file cannot be read now. */
function unreadableOf(error: unknown): AppError {
  if (error instanceof AppError && error.code === 'source-unreadable') return error;
  throw error;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  await Promise.resolve();
}

/** The format that says by content that bytes are its own; else the first one whose keys look like this. */
function claimantOf(head: Uint8Array, formats: readonly Format[], key = ''): Format | undefined {
  let byKey: Format | undefined;
  for (const format of formats) {
    const claim = format.sniff(head, key);
    if (claim === 'content') return format;
    if (claim === 'key') byKey ??= format;
  }
  return byKey;
}
