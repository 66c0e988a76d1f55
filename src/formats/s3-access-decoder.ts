/** Decodes S3 server access logs: judges each file as a whole, around the scanner that reads its lines. */
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
import { loadS3AccessScanner, type S3AccessScanner } from './s3-access-scanner.ts';
import { s3AccessTable } from './s3-access-table.ts';
import { ScannerBatch } from './scanner-batch.ts';
import { MAX_ROWS, type RejectSink } from './scanner-host.ts';

/** Rejects of a file in which nothing of the format was seen yet: they become one, so only a few are kept apart. */
const FOREIGN_REJECTS_MAX = 1000;

export async function createS3AccessDecoder(limits: DecodeLimits): Promise<Decoder> {
  return S3AccessDecoder.create(limits);
}

class S3AccessDecoder implements Decoder, RejectSink {
  readonly table = s3AccessTable;
  readonly maxRows = MAX_ROWS;
  #scanner!: S3AccessScanner;
  #batch: ScannerBatch | null = null;
  #rejects: Reject[] = [];
  #rejectCount = 0;
  /** End of a stretch from the file's beginning whose rejects were too many to keep apart; 0 when there is none. */
  #foreignEnd = 0;
  #fileBytes = 0;
  /** See FileContext.isUnwrapped. */
  #isUnwrapped = false;
  /** First bytes of the file, while it may still turn out to be of another kind. */
  #head: Uint8Array[] = [];
  #headBytes = 0;

  static async create(limits: DecodeLimits): Promise<S3AccessDecoder> {
    const decoder = new S3AccessDecoder();
    decoder.#scanner = await loadS3AccessScanner(s3AccessTable, limits, decoder);
    return decoder;
  }

  begin(file: FileContext): void {
    this.#rejects = [];
    this.#rejectCount = 0;
    this.#foreignEnd = 0;
    this.#fileBytes = 0;
    this.#head = [];
    this.#headBytes = 0;
    this.#isUnwrapped = file.isUnwrapped === true;
    this.#scanner.beginFile(file);
  }

  push(bytes: Uint8Array, last: boolean, isCut = false): 'more' | 'full' {
    const room = this.roomBytes();
    if (bytes.length > room) throw new Error(`push() got ${bytes.length} bytes and has room for ${room}`);
    this.#batch = null;
    this.#fileBytes += bytes.length;
    this.#keepHead(bytes);
    this.#scanner.write(bytes, isUtf8(bytes));
    const isFull = this.#scanner.scan(last, isCut);
    this.#settle();
    return isFull ? 'full' : 'more';
  }

  roomBytes(): number {
    return this.#scanner.room();
  }

  takeRejects(): readonly Reject[] {
    if (!this.#isUnwrapped && !this.#scanner.sawOwn) return [];
    const taken = this.#rejects;
    this.#rejects = [];
    return taken;
  }

  end(): FileOutcome {
    const kind = this.#kind();
    if (this.#isUnwrapped)
      return { kind, recordsIn: this.#scanner.fileRows + this.#rejectCount, rejects: this.#rejects };
    if (kind === 'empty') {
      this.#rejects = [
        {
          recordNo: 0,
          offset: 0,
          length: this.#fileBytes,
          reason: 'empty-file',
          detail: 'the file holds no byte, or only line ends',
          text: this.#headText(),
        },
      ];
      this.#rejectCount = 1;
    } else if (kind === 'other') {
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
    this.#rejects.push(reject);
    this.#rejectCount++;
    if (this.#isUnwrapped || this.#rejects.length <= FOREIGN_REJECTS_MAX || this.#scanner.sawOwn) return;
    this.#foreignEnd = reject.offset + reject.length;
    this.#rejects = [];
    this.#rejectCount = 1;
  }

  #keepHead(bytes: Uint8Array): void {
    if (this.#isUnwrapped || this.#headBytes === REJECT_TEXT_BYTES || this.#scanner.sawOwn) return;
    const part = bytes.slice(0, REJECT_TEXT_BYTES - this.#headBytes);
    this.#head.push(part);
    this.#headBytes += part.length;
  }

  /** The first record decides what the file is: what was rejected before is then of another kind. */
  #settle(): void {
    if (!this.#scanner.sawOwn) return;
    if (this.#foreignEnd > 0) this.#rejects.unshift(this.#foreignReject(this.#foreignEnd));
    this.#foreignEnd = 0;
    this.#head = [];
  }

  #foreignReject(end: number): Reject {
    const detail =
      'nothing here is an S3 access record: no line begins with a canonical user id, a bucket and a time in brackets';
    return {
      recordNo: 0,
      offset: 0,
      length: end,
      reason: 'not-s3-access',
      detail,
      text: this.#headText().subarray(0, end),
    };
  }

  #headText(): Uint8Array {
    return Uint8Array.from(Buffer.concat(this.#head));
  }

  #kind(): ContentKind {
    if (this.#scanner.sawOwn) return 'log';
    return this.#rejectCount === 0 ? 'empty' : 'other';
  }
}
