/** The format `cloudtrail`: decodes CloudTrail log files with a WebAssembly scanner, which validates, splits and types them in one pass. */
import { isUtf8 } from 'node:buffer';
import { AppError } from '../errors.ts';
import {
  type Batch,
  type ColumnBuffer,
  type ContentKind,
  type DecodeLimits,
  type Decoder,
  type FileContext,
  type FileOutcome,
  type Format,
  IDENTITY_BYTES,
  type PackedRepeated,
  type PackedTexts,
  REJECT_TEXT_BYTES,
  type Reject,
  type RowGroups,
} from '../format.ts';
import { rawColumns } from '../table.ts';
import { loadScanner, type RejectSink, type Scanner } from './cloudtrail-scanner.ts';
import { cloudtrailTable } from './cloudtrail-table.ts';

/** Rows of a window: whole vectors of DuckDB's (2048 rows), and a segment that compresses well while it takes some 50 MB to build. */
const MAX_ROWS = 20_480;
/** Room beside the largest incomplete record, so that a slice always fits. */
const SLICE_BYTES = 2 * 1024 * 1024;
const MICROS_PER_MS = 1000n;
const DAY_MS = 86_400_000n;
/** Rejects of a file in which nothing of CloudTrail was seen yet: they become one, so only a few are kept apart. */
const FOREIGN_REJECTS_MAX = 1000;
/** What a file of another kind that is shaped like a log is full of. */
const FOREIGN_REASONS: ReadonlySet<string> = new Set([
  'not-cloudtrail-record',
  'record-not-object',
  'records-not-array',
]);

const COLUMNS = rawColumns(cloudtrailTable);

/** The rows of the scanner's window. Columns are judged when they are asked for: whoever wants only the number of rows does not pay for it. */
class ScannerBatch implements Batch {
  readonly rows: number;
  readonly #scanner: Scanner;
  #columns: readonly ColumnBuffer[] | undefined;

  constructor(scanner: Scanner) {
    this.#scanner = scanner;
    this.rows = scanner.rows;
  }

  get memory(): ArrayBuffer {
    return this.#scanner.memory;
  }

  get columns(): readonly ColumnBuffer[] {
    this.#columns ??= this.#withRepeats();
    return this.#columns;
  }

  select(rows: Int32Array): void {
    this.#scanner.select(rows);
  }

  packTexts(column: number): Iterable<PackedTexts> {
    return this.#scanner.packTexts(column);
  }

  packRepeated(column: number): PackedRepeated {
    return this.#scanner.packRepeated(column);
  }

  groups(columns: readonly number[]): RowGroups | null {
    return this.#scanner.groups(columns);
  }

  get eventDay(): Int32Array {
    return new Int32Array(this.memory, this.#scanner.layout.eventDays, this.rows);
  }

  get identity(): Uint8Array {
    return new Uint8Array(this.memory, this.#scanner.layout.identities, this.rows * IDENTITY_BYTES);
  }

  get hasIdentity(): Uint8Array {
    return new Uint8Array(this.memory, this.#scanner.layout.identityFlags, this.rows);
  }

  #withRepeats(): readonly ColumnBuffer[] {
    return this.#scanner.layout.columns.map((place, index) => ({ ...place, repeats: this.#scanner.repeats(index) }));
  }
}

/** Insights events before the first log event: such a file holds nothing else, and then they are no rejects. */
interface InsightsRun {
  readonly recordNo: number;
  readonly offset: number;
  readonly text: Uint8Array;
  count: number;
  end: number;
}

class CloudtrailDecoder implements Decoder, RejectSink {
  readonly table = cloudtrailTable;
  readonly maxRows = MAX_ROWS;
  #scanner!: Scanner;
  #batch: ScannerBatch | null = null;
  #rejects: Reject[] = [];
  #rejectCount = 0;
  /** True while every reject could be one of a file of another kind. */
  #onlyForeign = true;
  /** End of a stretch from the file's beginning whose rejects were too many to keep apart; 0 when there is none. */
  #foreignEnd = 0;
  #insights: InsightsRun | null = null;
  #fileBytes = 0;
  /** First bytes of the file, while it may still turn out to be of another kind. */
  #head: Uint8Array[] = [];
  #headBytes = 0;

  static async create(limits: DecodeLimits): Promise<CloudtrailDecoder> {
    const decoder = new CloudtrailDecoder();
    decoder.#scanner = await loadScanner({
      columns: COLUMNS,
      maxRows: MAX_ROWS,
      recordBytes: limits.recordBytes,
      textBytes: Math.max(limits.windowBytes, limits.recordBytes + SLICE_BYTES),
      sink: decoder,
    });
    return decoder;
  }

  begin(file: FileContext): void {
    this.#rejects = [];
    this.#rejectCount = 0;
    this.#onlyForeign = true;
    this.#foreignEnd = 0;
    this.#insights = null;
    this.#fileBytes = 0;
    this.#head = [];
    this.#headBytes = 0;
    const latestMicros = (BigInt(Math.floor(file.ingestedAtMs)) + DAY_MS) * MICROS_PER_MS;
    this.#scanner.beginFile(file.logFile, file.deliveredDay, latestMicros);
  }

  push(bytes: Uint8Array, last: boolean): 'more' | 'full' {
    const room = this.roomBytes();
    if (bytes.length > room) throw new Error(`push() got ${bytes.length} bytes and has room for ${room}`);
    this.#batch = null;
    this.#fileBytes += bytes.length;
    this.#scanner.write(bytes, isUtf8(bytes));
    const isFull = this.#scanner.scan(last);
    this.#settle(bytes);
    return isFull ? 'full' : 'more';
  }

  roomBytes(): number {
    return this.#scanner.room();
  }

  takeRejects(): readonly Reject[] {
    if (!this.#scanner.sawCloudtrail && this.#insights === null) return [];
    const taken = this.#rejects;
    this.#rejects = [];
    return taken;
  }

  end(): FileOutcome {
    if (this.#fileBytes === 0 || (!this.#scanner.sawValue && this.#rejectCount === 0)) {
      this.#add({
        recordNo: 0,
        offset: 0,
        length: this.#fileBytes,
        reason: 'empty-file',
        detail: 'the file holds no byte, or only white space',
        text: this.#headText(),
      });
      return { kind: 'empty', recordsIn: 1, rejects: this.#rejects };
    }
    const kind = this.#kind();
    if (kind === 'other' && !this.#scanner.sawCloudtrail) {
      this.#rejects = [this.#foreignReject(this.#fileBytes)];
      this.#rejectCount = 1;
    }
    return { kind, recordsIn: this.#scanner.fileRows + this.#rejectCount, rejects: this.#rejects };
  }

  batch(): Batch {
    this.#batch ??= new ScannerBatch(this.#scanner);
    return this.#batch;
  }

  reset(): void {
    this.#batch = null;
    this.#scanner.reset();
  }

  reject(reject: Reject): void {
    this.#rejectInsights();
    this.#onlyForeign &&= FOREIGN_REASONS.has(reject.reason);
    this.#add(reject);
  }

  insight(recordNo: number, offset: number, length: number, text: Uint8Array): void {
    if (this.#scanner.fileRows > 0) {
      this.#rejectInsights();
      this.#add({
        recordNo,
        offset,
        length,
        reason: 'insights-record',
        detail: 'an Insights event in a log file',
        text,
      });
      return;
    }
    this.#insights ??= { recordNo, offset, text, count: 0, end: 0 };
    this.#insights.count++;
    this.#insights.end = offset + length;
  }

  #add(reject: Reject): void {
    this.#rejects.push(reject);
    this.#rejectCount++;
  }

  /** What the bytes just scanned decided about the file as a whole. */
  #settle(bytes: Uint8Array): void {
    this.#rejectInsights();
    if (this.#scanner.sawCloudtrail) {
      if (this.#foreignEnd > 0) {
        this.#rejects.unshift(this.#foreignReject(this.#foreignEnd));
        this.#foreignEnd = 0;
      }
      this.#head = [];
      return;
    }
    if (this.#headBytes < REJECT_TEXT_BYTES) {
      const part = bytes.slice(0, REJECT_TEXT_BYTES - this.#headBytes);
      this.#head.push(part);
      this.#headBytes += part.length;
    }
    const latest = this.#rejects.at(-1);
    if (latest !== undefined && this.#rejects.length > FOREIGN_REJECTS_MAX) {
      this.#foreignEnd = latest.offset + latest.length;
      this.#rejects = [];
      this.#rejectCount = 1;
    }
  }

  /** Insights events before a log event are one reject: the file holds both. */
  #rejectInsights(): void {
    if (this.#insights === null || this.#scanner.fileRows === 0) return;
    const { recordNo, offset, text, count, end } = this.#insights;
    this.#insights = null;
    const detail = `${count} Insights events before the first event of a log file`;
    this.#add({ recordNo, offset, length: end - offset, reason: 'insights-record', detail, text });
  }

  #foreignReject(end: number): Reject {
    const detail =
      'nothing here is a CloudTrail record: no list of `Records`, no eventVersion, eventName, eventSource or eventID';
    return { recordNo: 0, offset: 0, length: end, reason: 'not-cloudtrail', detail, text: this.#headText() };
  }

  #headText(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.#head));
  }

  #kind(): ContentKind {
    if (this.#scanner.isDigest) return 'digest';
    if (this.#scanner.fileRows > 0) return 'log';
    if (this.#insights !== null) return 'insights';
    if (this.#rejectCount === 0) return 'empty';
    return this.#scanner.sawCloudtrail && !this.#onlyForeign ? 'log' : 'other';
  }
}

/** What the content of CloudTrail's files shows in its first bytes. */
const SIGNATURE =
  /"(?:eventVersion|eventSource|eventName|eventID|digestStartTime|digestS3Object|insightDetails)"\s*:|^\s*\{\s*"Records"\s*:/;
/** `…/CloudTrail/…`, its digests and Insights, and file names with `_CloudTrail_`. */
const KEY = /(?:^|[/_!])CloudTrail(?:-Digest|-Insight)?[/_]/;

export const cloudtrailFormat: Format = {
  name: 'cloudtrail',
  table: cloudtrailTable,
  sniff(head, key) {
    const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, REJECT_TEXT_BYTES))
      .toString('latin1')
      .replace(/^\xef\xbb\xbf/, '');
    if (/^\s*[[{]/.test(text) && SIGNATURE.test(text)) return 'content';
    return KEY.test(key) ? 'key' : null;
  },
  async createDecoder(limits) {
    for (const [name, bytes] of Object.entries(limits)) {
      if (!Number.isSafeInteger(bytes) || bytes < 1) {
        throw new AppError(
          'config-invalid',
          `cannot decode with ${name} = ${bytes}: expected a whole number of bytes, at least 1`,
        );
      }
    }
    return CloudtrailDecoder.create(limits);
  },
};
