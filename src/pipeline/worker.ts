/** What a worker thread does: reads log files, decodes them into windows, has each window judged, and stages its rows as segments. */
import { createHash, hash } from 'node:crypto';
import { AppError } from '../errors.ts';
import { type Batch, type Decoder, type FileOutcome, IDENTITY_BYTES, type Reject } from '../format.ts';
import {
  CONFLICT,
  DUPLICATE,
  type FromWorker,
  type IdConflict,
  type IngestLimits,
  type KnownContent,
  type LogFileResult,
  type SegmentWriter,
  type StagedSegment,
  type ToWorker,
  type WorkItem,
} from '../ingest.ts';
import {
  type Damage,
  decodeWhole,
  openPayload,
  PAYLOAD_LIMITS,
  type PayloadLimits,
  readWhole,
  release,
} from '../payload.ts';
import { rawColumns } from '../table.ts';
import { formatDay } from '../time.ts';

/** Contents are looked up in the ledger in groups: one question costs a message there and back. Larger ones leave the processor's cache, and their memory comes anew each time. */
const GROUP_FILES = 256;
const GROUP_BYTES = 4 * 1024 * 1024;
/** Log files without a row, such as digests and copies, are reported when so many have gathered. */
const UNIT_FILES_MAX = 4096;
/** A source that pauses this long gets what was read so far committed. */
const IDLE_MS = 2000;
/** Units of one thread are numbered apart from those of the others. */
const THREADS_MAX = 64;
/** Records are rarely smaller: tells whether a log file may overflow what is left of a window. */
const RECORD_BYTES_TYPICAL = 700;
/** A window that is so full is closed at a new day: its rows then make one segment, not two. */
const NEW_DAY_SHARE = 0.5;
/** Rows that are judged together: a fifth of a window, so that little is left to wait for when it is full. */
const JUDGE_ROWS = 4096;
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
const NO_PROGRESS = () => ({ files: 0, compressedBytes: 0, uncompressedBytes: 0, records: 0 });

/** Content that ended early or that somebody added to: the file is not what was delivered. */
const DAMAGE_REASONS: ReadonlySet<string> = new Set(['truncated', 'trailing-garbage', 'empty-file']);

export interface WorkerPort {
  post(message: FromWorker, transfer?: readonly ArrayBuffer[]): void;
  onMessage(listener: (message: ToWorker) => void): void;
}

export interface WorkerDeps {
  readonly port: WorkerPort;
  readonly decoder: Decoder;
  readonly writer: SegmentWriter;
  readonly index: number;
  readonly limits: IngestLimits;
}

/** Messages by type; at most one of each kind is awaited at a time. */
class Mailbox {
  readonly #arrived: ToWorker[] = [];
  #wake: (() => void) | null = null;
  stopped = false;

  put(message: ToWorker): void {
    if (message.type === 'stop') this.stopped = true;
    else this.#arrived.push(message);
    this.#wake?.();
  }

  /** Null when nothing came within `idleMs`. Throws `interrupted` after a stop. */
  async take<T extends ToWorker['type']>(type: T, idleMs?: number): Promise<Extract<ToWorker, { type: T }> | null> {
    for (;;) {
      if (this.stopped) throw new AppError('interrupted', 'the worker was asked to stop');
      const at = this.#arrived.findIndex((message) => message.type === type);
      const [message] = at < 0 ? [] : this.#arrived.splice(at, 1);
      if (message !== undefined) return message as Extract<ToWorker, { type: T }>;
      let timer: NodeJS.Timeout | undefined;
      const idle = await new Promise<boolean>((resolve) => {
        this.#wake = () => resolve(false);
        if (idleMs !== undefined) timer = setTimeout(() => resolve(true), idleMs);
      });
      this.#wake = null;
      clearTimeout(timer);
      if (idle) return null;
    }
  }
}

/** A log file on its way through the windows. */
interface OpenFile {
  readonly item: WorkItem;
  sha256: string | null;
  copyOf: KnownContent | null;
  uncompressedBytes: number;
  duplicate: number;
  conflicts: number;
  withoutTime: number;
  rows: number;
  minMicros: number;
  maxMicros: number;
  rejected: number;
  rejectReasons: Record<string, number>;
  /** Bytes of rejects whose text was kept. */
  rejectBytes: number;
  /** Rejects of a file that is read as a stream, staged apart until its end is known to count. */
  rejectFiles: string[];
  kind: LogFileResult['kind'];
  status: LogFileResult['status'];
  error: string | null;
}

const openFile = (item: WorkItem): OpenFile => ({
  item,
  sha256: null,
  copyOf: null,
  uncompressedBytes: 0,
  duplicate: 0,
  conflicts: 0,
  withoutTime: 0,
  rows: 0,
  minMicros: Number.POSITIVE_INFINITY,
  maxMicros: Number.NEGATIVE_INFINITY,
  rejected: 0,
  rejectReasons: {},
  rejectBytes: 0,
  rejectFiles: [],
  kind: 'log',
  status: 'done',
  error: null,
});

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
    await deps.writer.close();
  }
}

class IngestWorker {
  readonly #port: WorkerPort;
  readonly #decoder: Decoder;
  readonly #writer: SegmentWriter;
  readonly #payloadLimits: PayloadLimits;
  readonly #mailbox = new Mailbox();
  readonly #timeColumn: number;
  readonly #idColumn: number;
  #unit: number;
  #files: OpenFile[] = [];
  #segments: StagedSegment[] = [];
  #conflicts: IdConflict[] = [];
  #rejects: { readonly logFile: number; readonly reject: Reject }[] = [];
  #rejectFiles: string[] = [];
  /** Resolve when the segments of this unit are on the disk. */
  #synced: Promise<unknown>[] = [];
  /** Resolves when the unit before this one was told to the main thread. */
  #telling: Promise<void> = Promise.resolve();
  /** Which rows of the window belong to which file, in order. */
  #ranges: { readonly file: OpenFile; readonly from: number }[] = [];
  /** Of the file decoded last. */
  #deliveredDay = 0;
  /** Rows of the window over which verdicts were asked for, and how many with each question that is not answered yet. */
  #judged = 0;
  readonly #asked: number[] = [];
  /** The file whose rows go on in the next window. */
  #current: OpenFile | null = null;
  /** Since the last report. */
  #progress = NO_PROGRESS();
  #reportedAt = 0;

  constructor({ port, decoder, writer, index, limits }: WorkerDeps) {
    this.#port = port;
    this.#decoder = decoder;
    this.#writer = writer;
    this.#unit = index + 1;
    this.#payloadLimits = { ...PAYLOAD_LIMITS, maxRatio: limits.maxRatio, maxBytes: limits.maxFileBytes };
    const names = rawColumns(decoder.table).map((column) => column.name);
    this.#timeColumn = names.indexOf('event_time');
    this.#idColumn = names.indexOf('event_id');
    port.onMessage((received) => this.#mailbox.put(received));
  }

  async run(): Promise<void> {
    this.#port.post({ type: 'need-files' });
    for (;;) {
      const batch = await this.#mailbox.take('files', IDLE_MS);
      if (batch === null) {
        await this.#flush();
        continue;
      }
      // The next batch travels while this one is read.
      if (!batch.last) this.#port.post({ type: 'need-files' });
      await this.#readAll(batch.items);
      if (batch.last) break;
    }
    await this.#flush();
    await this.#telling;
  }

  /** Small files in groups whose contents are looked up together; the others one by one. */
  async #readAll(items: readonly WorkItem[]): Promise<void> {
    let group: { readonly file: OpenFile; readonly bytes: Uint8Array }[] = [];
    let groupBytes = 0;
    const decodeGroup = async (): Promise<void> => {
      const contents = await this.#lookUp(group.map(({ file }) => file));
      for (const [index, { file, bytes }] of group.entries()) {
        const known = contents[index] ?? null;
        if (known === null) await this.#decodeWhole(file, bytes);
        else this.#isCopy(file, known);
        release(bytes);
      }
      group = [];
      groupBytes = 0;
      this.#reportProgress();
    };
    for (const item of items) {
      const file = openFile(item);
      let bytes: Uint8Array | null = null;
      try {
        bytes = this.#readSmall(item);
      } catch (error) {
        this.#failed(file, error);
        continue;
      }
      if (bytes === null) {
        await decodeGroup();
        await this.#decodeStream(file);
        continue;
      }
      file.uncompressedBytes = bytes.length;
      this.#progress.uncompressedBytes += bytes.length;
      file.sha256 = hash('sha256', bytes, 'hex');
      group.push({ file, bytes });
      groupBytes += bytes.length;
      if (group.length >= GROUP_FILES || groupBytes >= GROUP_BYTES) await decodeGroup();
    }
    await decodeGroup();
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

  async #lookUp(files: readonly OpenFile[]): Promise<readonly (KnownContent | null)[]> {
    if (files.length === 0) return [];
    const asked = files.map((file) => ({ logFile: file.item.logFile, sha256: file.sha256 ?? '' }));
    this.#port.post({ type: 'contents', unit: this.#unit, files: asked });
    return (await this.#mailbox.take('contents'))?.contents ?? [];
  }

  #begin(file: OpenFile): void {
    this.#decoder.begin({ logFile: file.item.logFile, deliveredDay: file.item.deliveredDay, ingestedAtMs: Date.now() });
    this.#ranges.push({ file, from: this.#decoder.batch().rows });
    this.#current = file;
  }

  /** Decodes a file that lies in memory whole. */
  async #decodeWhole(file: OpenFile, bytes: Uint8Array): Promise<void> {
    const rows = this.#decoder.batch().rows;
    const mayOverflow = rows + bytes.length / RECORD_BYTES_TYPICAL > this.#decoder.maxRows;
    const isNewDay = file.item.deliveredDay !== this.#deliveredDay && rows >= this.#decoder.maxRows * NEW_DAY_SHARE;
    if (rows > 0 && (isNewDay || mayOverflow || this.#decoder.roomBytes() < bytes.length)) await this.#flush();
    this.#deliveredDay = file.item.deliveredDay;
    this.#begin(file);
    let overflowed = false;
    let at = 0;
    for (; bytes.length - at > PIECE_BYTES; at += PIECE_BYTES) {
      if (await this.#push(bytes.subarray(at, at + PIECE_BYTES), false)) overflowed = true;
      await this.#spoolRejects(file);
    }
    if (await this.#push(bytes.subarray(at), true)) overflowed = true;
    this.#finish(file, this.#decoder.end(), null);
    if (overflowed || this.#files.length >= UNIT_FILES_MAX) await this.#flush();
    else this.#judge(JUDGE_ROWS);
  }

  /** Pushes bytes and makes room as often as it takes. True when the file goes on in another window. */
  async #push(bytes: Uint8Array, last: boolean, isCut = false): Promise<boolean> {
    let overflowed = false;
    for (let at = 0; ; ) {
      const part = bytes.subarray(at, at + this.#decoder.roomBytes());
      at += part.length;
      const isLast = last && at === bytes.length;
      for (
        let result = this.#decoder.push(part, isLast, isCut);
        result === 'full';
        result = this.#decoder.push(NO_BYTES, isLast, isCut)
      ) {
        overflowed = true;
        await this.#flush();
      }
      if (at === bytes.length) return overflowed;
      overflowed = true;
      await this.#flush();
    }
  }

  /** Decodes a file of any size, slice by slice. */
  async #decodeStream(file: OpenFile): Promise<void> {
    const { content } = file.item;
    const digest = createHash('sha256');
    this.#begin(file);
    let overflowed = false;
    let damage: Damage | null = null;
    let failure: unknown = null;
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
        if (await this.#push(slice, false)) overflowed = true;
        this.#judge(JUDGE_ROWS);
        await this.#spoolRejects(file);
        this.#progress.uncompressedBytes += slice.length;
        this.#reportProgress();
      }
      damage = payload.damage;
    } catch (error) {
      if (!(error instanceof AppError && error.code === 'source-unreadable')) throw error;
      failure = error;
    }
    if (await this.#push(NO_BYTES, true, damage !== null || failure !== null)) overflowed = true;
    const outcome = this.#decoder.end();
    if (failure === null) {
      file.sha256 = digest.digest('hex');
      this.#finish(file, outcome, damage);
      const [known = null] = await this.#lookUp([file]);
      if (known !== null) await this.#dropCopy(file, known);
      else if (overflowed) await this.#flush();
    } else {
      // What broke off may be whole tomorrow; the incomplete end is not a reject today.
      this.#finish(file, { ...outcome, rejects: [] }, null);
      await this.#flush({ keepUnit: true });
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
    await Promise.all(this.#synced);
    this.#synced = [];
    const count = (): number => this.#segments.reduce((sum, segment) => sum + segment.rows, 0);
    const before = count();
    this.#segments = [...(await this.#writer.dropRows(this.#segments, file.item.logFile, which))];
    return before - count();
  }

  async *#portBytes(logFile: number): AsyncGenerator<Uint8Array> {
    for (;;) {
      this.#port.post({ type: 'need-bytes', logFile });
      let answer = await this.#mailbox.take('bytes', IDLE_MS);
      while (answer === null) answer = await this.#mailbox.take('bytes', IDLE_MS);
      if (answer.error !== undefined) throw new AppError('source-unreadable', answer.error);
      if (answer.bytes.length > 0) yield answer.bytes;
      if (answer.last) return;
    }
  }

  #finish(file: OpenFile, outcome: FileOutcome, damage: Damage | null): void {
    const rejects = [...outcome.rejects];
    if (damage !== null) {
      const tail = rejects.at(-1);
      const told = { reason: damage.reason, detail: `${damage.detail} (compressed byte ${damage.compressedOffset})` };
      // The incomplete record at the cut, or nothing at all before it, and the cut are one thing.
      if (tail?.reason === 'truncated' || tail?.reason === 'empty-file')
        rejects[rejects.length - 1] = { ...tail, ...told };
      else
        rejects.push({
          ...told,
          recordNo: outcome.recordsIn,
          offset: damage.offset,
          length: damage.text.length,
          text: damage.text,
        });
    }
    const broken = damage === null ? rejects.find((reject) => DAMAGE_REASONS.has(reject.reason)) : rejects.at(-1);
    file.kind = outcome.kind;
    file.status = broken === undefined ? 'done' : 'damaged';
    file.error = broken === undefined ? null : `${broken.reason}: ${broken.detail}`;
    this.#keepRejects(file, rejects);
    this.#rejectFiles.push(...file.rejectFiles);
    this.#current = null;
    this.#ended(file);
  }

  #keepRejects(file: OpenFile, rejects: readonly Reject[]): void {
    for (const reject of rejects) {
      file.rejected++;
      file.rejectReasons[reject.reason] = (file.rejectReasons[reject.reason] ?? 0) + 1;
      file.rejectBytes += reject.text.length;
      const kept = file.rejectBytes <= REJECT_BYTES_MAX ? reject : { ...reject, text: NO_BYTES };
      this.#rejects.push({ logFile: file.item.logFile, reject: kept });
    }
  }

  /** Stages what a long file has rejected so far. */
  async #spoolRejects(file: OpenFile): Promise<void> {
    const rejects = this.#decoder.takeRejects();
    if (rejects.length === 0) return;
    // What other files of this unit rejected must not share a file with what may be taken back.
    if (this.#rejects.some(({ logFile }) => logFile !== file.item.logFile)) await this.#stageRejects(this.#rejectFiles);
    this.#keepRejects(file, rejects);
    const bytes = this.#rejects.reduce((sum, { reject }) => sum + reject.text.length, 0);
    if (bytes >= SPOOL_BYTES || this.#rejects.length >= SPOOL_REJECTS) await this.#stageRejects(file.rejectFiles);
  }

  async #stageRejects(into: string[]): Promise<void> {
    if (this.#rejects.length === 0) return;
    into.push(await this.#writer.writeRejects(this.#rejects));
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
    await this.#flush({ keepUnit: true });
    await this.#dropRows(file, 'all');
    this.#conflicts = this.#conflicts.filter((conflict) => conflict.logFile !== file.item.logFile);
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
    this.#files.push(file);
    this.#progress.files++;
    this.#progress.compressedBytes += file.item.sizeBytes;
  }

  /** Has the window judged and staged. Outside of a file this ends the unit: the main thread may commit it. */
  async #flush(options: { readonly keepUnit?: boolean } = {}): Promise<void> {
    const batch = this.#decoder.batch();
    if (batch.rows > 0) {
      const { segments, synced } = await this.#writer.write(batch, this.#verdicts(batch));
      this.#segments.push(...segments);
      // Awaited below, before anybody is told; a failure until then must not count as unhandled.
      synced.catch(() => undefined);
      this.#synced.push(synced);
      this.#decoder.reset();
    }
    this.#ranges = this.#current === null ? [] : [{ file: this.#current, from: 0 }];
    if (this.#current !== null || options.keepUnit === true || this.#files.length === 0) return;
    await this.#stageRejects(this.#rejectFiles);
    this.#port.post({ type: 'progress', ...this.#progress });
    this.#progress = NO_PROGRESS();
    const unit = {
      type: 'unit' as const,
      unit: this.#unit,
      files: this.#files.map(resultOf),
      segments: this.#segments,
      conflicts: this.#conflicts,
      rejectFiles: this.#rejectFiles,
    };
    // The next window is read while the disk catches up with this one; one unit at a time waits for it.
    await this.#telling;
    this.#telling = Promise.all(this.#synced).then(() => this.#port.post(unit));
    this.#telling.catch(() => undefined);
    this.#synced = [];
    this.#unit += THREADS_MAX;
    this.#files = [];
    this.#segments = [];
    this.#conflicts = [];
    this.#rejectFiles = [];
  }

  /** Asks for verdicts over the rows that nobody was asked about yet, if they are so many: the main thread looks them up while the next files are read. */
  #judge(atLeast = 1): void {
    const batch = this.#decoder.batch();
    const from = this.#judged;
    const to = batch.rows;
    if (to - from < atLeast) return;
    const identity = batch.identity.slice(from * IDENTITY_BYTES, to * IDENTITY_BYTES);
    const hasIdentity = batch.hasIdentity.slice(from, to);
    const eventDay = batch.eventDay.slice(from, to);
    this.#port.post({ type: 'judge', unit: this.#unit, identity, hasIdentity, eventDay }, [
      identity.buffer,
      hasIdentity.buffer,
      eventDay.buffer,
    ]);
    this.#judged = to;
    this.#asked.push(to - from);
  }

  /** The verdicts over all rows of the window; counts what they say. */
  async #verdicts(batch: Batch): Promise<Uint8Array> {
    this.#judge();
    const verdicts = new Uint8Array(batch.rows);
    let row = 0;
    for (const rows of this.#asked.splice(0)) {
      verdicts.set((await this.#mailbox.take('verdicts'))?.verdicts ?? NO_BYTES, row);
      row += rows;
    }
    this.#judged = 0;
    this.#countRows(batch, verdicts);
    return verdicts;
  }

  #countRows(batch: Batch, verdicts: Uint8Array): void {
    const time = batch.columns[this.#timeColumn];
    if (time === undefined) throw new Error('the decoder gave no event_time');
    const words = new Int32Array(batch.memory, time.data, batch.rows * 2);
    const valid = new Uint8Array(batch.memory, time.validity, Math.ceil(batch.rows / 8));
    for (const [index, { file, from }] of this.#ranges.entries()) {
      const to = this.#ranges[index + 1]?.from ?? batch.rows;
      file.rows += to - from;
      this.#progress.records += to - from;
      for (let row = from; row < to; row++) {
        const verdict = verdicts[row];
        if (verdict === DUPLICATE) file.duplicate++;
        if (verdict === CONFLICT) {
          file.conflicts++;
          this.#conflicts.push(this.#conflictOf(batch, row, file));
        }
        if (((valid[row >> 3] ?? 0) & (1 << (row & 7))) === 0) {
          if (verdict !== DUPLICATE) file.withoutTime++;
          continue;
        }
        const micros = (words[row * 2 + 1] ?? 0) * 0x100000000 + ((words[row * 2] ?? 0) >>> 0);
        if (micros < file.minMicros) file.minMicros = micros;
        if (micros > file.maxMicros) file.maxMicros = micros;
      }
    }
  }

  #conflictOf(batch: Batch, row: number, file: OpenFile): IdConflict {
    const recordNo = rawColumns(this.#decoder.table).findIndex((column) => column.name === 'record_no');
    return {
      logFile: file.item.logFile,
      recordNo: new DataView(batch.memory).getInt32((batch.columns[recordNo]?.data ?? 0) + row * 4, true),
      eventId: readText(batch, this.#idColumn, row),
      eventDate: formatDay(batch.eventDay[row] ?? 0),
    };
  }

  #reportProgress(): void {
    if (performance.now() - this.#reportedAt < PROGRESS_MS) return;
    this.#reportedAt = performance.now();
    this.#port.post({ type: 'progress', ...this.#progress });
    this.#progress = NO_PROGRESS();
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  await Promise.resolve();
}

/** The text of a string column. */
function readText(batch: Batch, column: number, row: number): string {
  const buffer = batch.columns[column];
  if (buffer === undefined) return '';
  const view = new DataView(batch.memory);
  const slot = buffer.data + row * 16;
  const length = view.getUint32(slot, true);
  return Buffer.from(batch.memory, length <= 12 ? slot + 4 : view.getUint32(slot + 8, true), length).toString('utf8');
}

function resultOf(file: OpenFile): LogFileResult {
  const { copyOf } = file;
  const base = {
    logFile: file.item.logFile,
    status: file.status,
    kind: file.kind,
    sha256: file.sha256,
    uncompressedBytes: file.uncompressedBytes,
    error: file.error,
  };
  if (copyOf !== null) {
    return {
      ...base,
      copyOf: copyOf.id,
      records: {
        in: copyOf.records,
        stored: 0,
        duplicate: copyOf.records,
        rejected: 0,
        id_conflicts: 0,
        without_time: 0,
      },
      minTimeMs: copyOf.minTimeMs,
      maxTimeMs: copyOf.maxTimeMs,
      rejectReasons: {},
    };
  }
  const { rejected } = file;
  return {
    ...base,
    copyOf: null,
    records: {
      in: file.rows + rejected,
      stored: file.rows - file.duplicate,
      duplicate: file.duplicate,
      rejected,
      id_conflicts: file.conflicts,
      without_time: file.withoutTime,
    },
    minTimeMs: file.minMicros === Number.POSITIVE_INFINITY ? null : Math.floor(file.minMicros / 1000),
    maxTimeMs: file.maxMicros === Number.NEGATIVE_INFINITY ? null : Math.ceil(file.maxMicros / 1000),
    rejectReasons: file.rejectReasons,
  };
}
