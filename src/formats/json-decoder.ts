/** Decodes log files of JSON records: judges each file as a whole, around the scanner that reads its records. */
import { isUtf8 } from 'node:buffer';
import {
  type Batch,
  type ContentKind,
  type DecodeLimits,
  type Decoder,
  type FileContext,
  type FileOutcome,
  REJECT_TEXT_BYTES,
  type Reject,
} from '../format.ts';
import type { Table } from '../table.ts';
import { type JsonScanner, type JsonShape, type JsonSink, loadJsonScanner } from './json-scanner.ts';
import { ScannerBatch } from './scanner-batch.ts';
import { MAX_ROWS } from './scanner-host.ts';

/** Rejects of a file in which nothing of the format was seen yet: they become one, so only a few are kept apart. */
const FOREIGN_REJECTS_MAX = 1000;
/** What a file of another kind that is shaped like a log is full of, beside objects that are no records. */
const FOREIGN_REASONS: ReadonlySet<string> = new Set(['record-not-object', 'records-not-array']);

/** Records of another table before the first of this one: such a file holds nothing else, and then they are no rejects. */
interface AsideRun {
  readonly recordNo: number;
  readonly offset: number;
  readonly text: Uint8Array;
  count: number;
  end: number;
}

/** What a decoder of JSON records must know of its format. */
export interface JsonRecords extends JsonShape {
  /** What a file with records of this table is. */
  readonly kind: 'log' | 'insights';
  /** A file in which nothing is of this format. */
  readonly foreign: Pick<Reject, 'reason' | 'detail'>;
  /** What a file with nothing but records of the other table is, and what is said of such records in a file of this one. Null when none are set aside. */
  readonly other: {
    readonly kind: ContentKind;
    readonly reason: string;
    readonly one: string;
    readonly before: (count: number) => string;
  } | null;
}

export async function createJsonDecoder(records: JsonRecords, limits: DecodeLimits): Promise<Decoder> {
  return JsonDecoder.create(records, limits);
}

class JsonDecoder implements Decoder, JsonSink {
  readonly table: Table;
  readonly maxRows = MAX_ROWS;
  readonly #records: JsonRecords;
  #scanner!: JsonScanner;
  #batch: ScannerBatch | null = null;
  #rejects: Reject[] = [];
  #rejectCount = 0;
  /** True while every reject could be one of a file of another kind. */
  #onlyForeign = true;
  /** End of a stretch from the file's beginning whose rejects were too many to keep apart; 0 when there is none. */
  #foreignEnd = 0;
  #aside: AsideRun | null = null;
  #fileBytes = 0;
  /** See FileContext.isUnwrapped. */
  #isUnwrapped = false;
  /** First bytes of the file, while it may still turn out to be of another kind. */
  #head: Uint8Array[] = [];
  #headBytes = 0;

  private constructor(records: JsonRecords) {
    this.table = records.table;
    this.#records = records;
  }

  static async create(records: JsonRecords, limits: DecodeLimits): Promise<JsonDecoder> {
    const decoder = new JsonDecoder(records);
    decoder.#scanner = await loadJsonScanner(records, limits, decoder);
    return decoder;
  }

  begin(file: FileContext): void {
    this.#rejects = [];
    this.#rejectCount = 0;
    this.#onlyForeign = true;
    this.#foreignEnd = 0;
    this.#aside = null;
    this.#fileBytes = 0;
    this.#head = [];
    this.#headBytes = 0;
    this.#isUnwrapped = file.isUnwrapped === true;
    this.#scanner.beginFile(file);
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
    if (!this.#isUnwrapped && !this.#scanner.sawOwn && this.#aside === null) return [];
    const taken = this.#rejects;
    this.#rejects = [];
    return taken;
  }

  end(): FileOutcome {
    if (this.#isUnwrapped)
      return { kind: this.#kind(), recordsIn: this.#scanner.fileRows + this.#rejectCount, rejects: this.#rejects };
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
    if (kind === 'other' && !this.#scanner.sawOwn) {
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
    this.#rejectAside();
    this.#onlyForeign &&= FOREIGN_REASONS.has(reject.reason) || reject.reason === this.#records.notRecord.reason;
    this.#add(reject);
  }

  setAside(recordNo: number, offset: number, length: number, text: Uint8Array): void {
    if (this.#scanner.fileRows > 0 || this.#isUnwrapped) {
      this.#rejectAside();
      const { reason, one: detail } = this.#other;
      this.#add({ recordNo, offset, length, reason, detail, text });
      return;
    }
    this.#aside ??= { recordNo, offset, text, count: 0, end: 0 };
    this.#aside.count++;
    this.#aside.end = offset + length;
  }

  get #other(): NonNullable<JsonRecords['other']> {
    if (this.#records.other === null) throw new Error('a record was set aside in a format that sets none aside');
    return this.#records.other;
  }

  #add(reject: Reject): void {
    this.#rejects.push(reject);
    this.#rejectCount++;
  }

  /** What the bytes just scanned decided about the file as a whole. */
  #settle(bytes: Uint8Array): void {
    if (this.#isUnwrapped) return;
    this.#rejectAside();
    if (this.#scanner.sawOwn) {
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

  /** Records of another table before one of this are one reject: the file holds both. */
  #rejectAside(): void {
    if (this.#aside === null || this.#scanner.fileRows === 0) return;
    const { recordNo, offset, text, count, end } = this.#aside;
    this.#aside = null;
    const { reason, before } = this.#other;
    this.#add({ recordNo, offset, length: end - offset, reason, detail: before(count), text });
  }

  #foreignReject(end: number): Reject {
    return { recordNo: 0, offset: 0, length: end, ...this.#records.foreign, text: this.#headText() };
  }

  #headText(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.#head));
  }

  #kind(): ContentKind {
    if (this.#scanner.isDigest) return 'digest';
    if (this.#scanner.fileRows > 0) return this.#records.kind;
    if (this.#aside !== null) return this.#other.kind;
    if (this.#rejectCount === 0) return 'empty';
    return this.#scanner.sawOwn && !this.#onlyForeign ? this.#records.kind : 'other';
  }
}
