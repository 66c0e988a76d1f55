/** One table in a worker thread: the window of its decoder, which of its rows belong to which log file, and what became of them. */
import { type Batch, type Decoder, type FileOutcome, IDENTITY_BYTES } from '../format.ts';
import {
  CONFLICT,
  DUPLICATE,
  type FromWorker,
  type IdConflict,
  type SegmentWriter,
  type StagedSegment,
} from '../ingest.ts';
import { rawColumns } from '../table.ts';
import { formatDay } from '../time.ts';
import type { Mailbox } from './mailbox.ts';
import type { OpenFile } from './open-file.ts';

/** Rows that are judged together: a fifth of a window, so that little is left to wait for when it is full. */
const JUDGE_ROWS = 4096;
/** Records are rarely smaller: tells whether a log file may overflow what is left of a window. */
const RECORD_BYTES_TYPICAL = 700;
/** A window that is so full is closed at a new day, unless one more like the last will fit in: its rows then make one segment, not two. */
const NEW_DAY_SHARE = 0.5;
const NO_BYTES = new Uint8Array(0);

export interface LaneOptions {
  readonly decoder: Decoder;
  readonly writer: SegmentWriter;
  readonly mailbox: Mailbox;
  readonly post: (message: FromWorker, transfer?: readonly ArrayBuffer[]) => void;
  /** So many rows were judged and go to the disk. */
  readonly onRows: (rows: number) => void;
  /** Takes out of a window what is not to be stored. */
  readonly redact: (batch: Batch) => Batch;
}

export class Lane {
  readonly #decoder: Decoder;
  readonly #writer: SegmentWriter;
  readonly #mailbox: Mailbox;
  readonly #post: LaneOptions['post'];
  readonly #onRows: LaneOptions['onRows'];
  readonly #redact: LaneOptions['redact'];
  readonly #timeColumn: number;
  readonly #idColumn: number;
  readonly #recordNoColumn: number;
  /** Which rows of the window belong to which file, in order. */
  #ranges: { readonly file: OpenFile; readonly from: number }[] = [];
  /** The file whose rows go on in the next window. */
  #current: OpenFile | null = null;
  /** Of the file decoded last. */
  #deliveredDay = 0;
  /** Where the rows of that day begin in the window. */
  #dayFrom = 0;
  /** Rows of the window over which verdicts were asked for, and how many with each question that is not answered yet. */
  #judged = 0;
  readonly #asked: number[] = [];
  #segments: StagedSegment[] = [];
  #conflicts: IdConflict[] = [];
  /** Resolve when the segments are on the disk. */
  #synced: Promise<unknown>[] = [];

  constructor({ decoder, writer, mailbox, post, onRows, redact }: LaneOptions) {
    this.#redact = redact;
    this.#decoder = decoder;
    this.#writer = writer;
    this.#mailbox = mailbox;
    this.#post = post;
    this.#onRows = onRows;
    const { roles, identity } = decoder.table;
    const names = rawColumns(decoder.table).map((column) => column.name);
    this.#timeColumn = names.indexOf('event_time');
    this.#recordNoColumn = names.indexOf('record_no');
    this.#idColumn = names.includes(roles.eventId) ? names.indexOf(roles.eventId) : names.indexOf(identity.id[0] ?? '');
  }

  /** Rows that no segment holds yet. */
  get rows(): number {
    return this.#decoder.batch().rows;
  }

  /** Must the window be written before a file of this day and size that lies in memory whole? */
  isFullFor(deliveredDay: number, bytes: number): boolean {
    const { rows } = this;
    if (rows === 0) return false;
    const mayOverflow = rows + bytes / RECORD_BYTES_TYPICAL > this.#decoder.maxRows;
    const isNewDay = deliveredDay !== this.#deliveredDay && rows >= this.#decoder.maxRows * NEW_DAY_SHARE;
    const fitsIn = 2 * rows - this.#dayFrom <= this.#decoder.maxRows;
    return (isNewDay && !fitsIn) || mayOverflow || this.#decoder.roomBytes() < bytes;
  }

  /** `isUnwrapped`: its records come out of envelopes. */
  begin(file: OpenFile, isUnwrapped = false): void {
    const { logFile, deliveredDay } = file.item;
    if (deliveredDay !== this.#deliveredDay) this.#dayFrom = this.rows;
    this.#deliveredDay = deliveredDay;
    this.#decoder.begin({ logFile, deliveredDay, ingestedAtMs: Date.now(), isUnwrapped });
    this.#ranges.push({ file, from: this.rows });
    this.#current = file;
  }

  /** Pushes bytes and makes room as often as it takes. True when the file goes on in another window. */
  async push(bytes: Uint8Array, last: boolean, unit: number, isCut = false): Promise<boolean> {
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
        await this.flush(unit);
      }
      if (at === bytes.length) return overflowed;
      overflowed = true;
      await this.flush(unit);
    }
  }

  takeRejects(): FileOutcome['rejects'] {
    return this.#decoder.takeRejects();
  }

  /** After the last push of a file. */
  end(): FileOutcome {
    this.#current = null;
    return this.#decoder.end();
  }

  /** Asks for verdicts over the rows that nobody was asked about yet, if they are so many: the main thread looks them up while the next files are read. */
  judge(unit: number, atLeast = JUDGE_ROWS): void {
    const batch = this.#decoder.batch();
    const from = this.#judged;
    const to = batch.rows;
    if (to - from < atLeast) return;
    const identity = batch.identity.slice(from * IDENTITY_BYTES, to * IDENTITY_BYTES);
    const hasIdentity = batch.hasIdentity.slice(from, to);
    const eventDay = batch.eventDay.slice(from, to);
    this.#post({ type: 'judge', table: this.#decoder.table.name, unit, identity, hasIdentity, eventDay }, [
      identity.buffer,
      hasIdentity.buffer,
      eventDay.buffer,
    ]);
    this.#judged = to;
    this.#asked.push(to - from);
  }

  /** Has the window judged and staged. */
  async flush(unit: number): Promise<void> {
    const batch = this.#decoder.batch();
    if (batch.rows > 0) {
      const { segments, synced } = await this.#writer.write(this.#redact(batch), this.#verdicts(batch, unit));
      this.#segments.push(...segments);
      // Awaited later, before anybody is told; a failure until then must not count as unhandled.
      synced.catch(() => undefined);
      this.#synced.push(synced);
      this.#decoder.reset();
      this.#dayFrom = 0;
    }
    this.#ranges = this.#current === null ? [] : [{ file: this.#current, from: 0 }];
  }

  /** Takes rows of a file back that are staged and not committed. */
  async dropRows(file: OpenFile, which: 'all' | 'without-id'): Promise<number> {
    await Promise.all(this.#synced);
    this.#synced = [];
    const count = (): number => this.#segments.reduce((sum, segment) => sum + segment.rows, 0);
    const before = count();
    const { logFile } = file.item;
    this.#segments = [...(await this.#writer.dropRows(this.#segments, logFile, which))];
    if (which === 'all') this.#conflicts = this.#conflicts.filter((conflict) => conflict.logFile !== logFile);
    return before - count();
  }

  /** Hands over what was staged; `synced` resolves when it is on the disk. */
  takeStaged(): {
    readonly segments: readonly StagedSegment[];
    readonly conflicts: readonly IdConflict[];
    readonly synced: Promise<unknown>;
  } {
    const staged = { segments: this.#segments, conflicts: this.#conflicts, synced: Promise.all(this.#synced) };
    this.#segments = [];
    this.#conflicts = [];
    this.#synced = [];
    return staged;
  }

  /** The verdicts over all rows of the window; counts what they say. */
  async #verdicts(batch: Batch, unit: number): Promise<Uint8Array> {
    this.judge(unit, 1);
    const { name } = this.#decoder.table;
    const verdicts = new Uint8Array(batch.rows);
    let row = 0;
    for (const rows of this.#asked.splice(0)) {
      verdicts.set((await this.#mailbox.take('verdicts', ({ table }) => table === name)).verdicts, row);
      row += rows;
    }
    this.#judged = 0;
    this.#onRows(batch.rows);
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
    const recordNo = batch.columns[this.#recordNoColumn]?.data ?? 0;
    return {
      logFile: file.item.logFile,
      recordNo: new DataView(batch.memory).getInt32(recordNo + row * 4, true),
      eventId: readText(batch, this.#idColumn, row),
      eventDate: formatDay(batch.eventDay[row] ?? 0),
    };
  }
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
