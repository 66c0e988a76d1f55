/** What statements on Athena cost, and the limit that a run keeps to. */
import { AppError } from '../../errors.ts';
import { formatBytes } from '../../size.ts';

/** US dollars for a terabyte scanned, us-east-1: https://aws.amazon.com/athena/pricing/ on 2026-11-26. Other regions differ by up to the double. */
const DOLLARS_PER_TB = 5;
/** Of bytes as disks are sold: the price that it gives is never too low. */
const TB = 1e12;
/** Billed at least, and in whole ones: the same page. */
const BILLED_BYTES_MIN = 10_000_000;
const MB = 1_000_000;

/** US dollars a request, S3 Standard in us-east-1: https://aws.amazon.com/s3/pricing/ on 2026-11-26. */
const DOLLARS_PER_LIST = 0.005 / 1000;
const DOLLARS_PER_GET = 0.0004 / 1000;
/** Of a key in AWS KMS: https://aws.amazon.com/kms/pricing/ on 2026-11-26. With a bucket key there are far fewer. */
const DOLLARS_PER_DECRYPT = 0.03 / 10_000;

export interface Requests {
  readonly list: number;
  readonly get: number;
  /** Zero where objects are not encrypted with a key of one's own. */
  readonly decrypt: number;
}

/** What Athena bills for one statement. Failed ones are free, cancelled ones are not, a result that is reused scans nothing. */
export const billedBytes = (scanned: number): number =>
  scanned === 0 ? 0 : Math.max(BILLED_BYTES_MIN, Math.ceil(scanned / MB) * MB);

export const scanDollars = (billed: number): number => (billed / TB) * DOLLARS_PER_TB;

export const requestDollars = ({ list, get, decrypt }: Requests): number =>
  list * DOLLARS_PER_LIST + get * DOLLARS_PER_GET + decrypt * DOLLARS_PER_DECRYPT;

/** How much a run has scanned, and how much it may. */
export class ScanMeter {
  readonly maxBytes: number | null;
  statements = 0;
  reused = 0;
  /** Of statements that ended. */
  #scanned = 0;
  #billed = 0;
  readonly #running = new Map<string, number>();

  constructor(maxBytes: number | null) {
    this.maxBytes = maxBytes;
  }

  /** Of everything so far, with what runs. */
  get scannedBytes(): number {
    return this.#scanned + [...this.#running.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  get billedBytes(): number {
    return this.#billed;
  }

  get dollars(): number {
    return scanDollars(this.#billed);
  }

  /** Before a statement starts. Throws `scan-limit` where nothing is left of the limit, or less than the statement is expected to scan. */
  admit(expectedBytes: number | null): void {
    if (this.maxBytes === null) return;
    const left = this.maxBytes - this.scannedBytes;
    if (left > 0 && (expectedBytes === null || expectedBytes <= left)) return;
    throw new AppError(
      'scan-limit',
      expectedBytes === null || left <= 0
        ? `${formatBytes(this.scannedBytes)} were scanned, and --max-scan allows ${formatBytes(this.maxBytes)}: no further statement is run`
        : `the statement would scan about ${formatBytes(expectedBytes)}, and --max-scan leaves ${formatBytes(Math.max(left, 0))}: it is not run`,
      { hint: LIMIT_HINT },
    );
  }

  /** While it runs. False where the limit is passed: the statement is to be stopped. */
  progress(id: string, bytes: number): boolean {
    this.#running.set(id, bytes);
    return this.maxBytes === null || this.scannedBytes <= this.maxBytes;
  }

  /** At its end; a statement that failed is not billed. */
  end(id: string, bytes: number, outcome: 'done' | 'reused' | 'cancelled' | 'failed'): void {
    this.#running.delete(id);
    this.statements += 1;
    if (outcome === 'reused') this.reused += 1;
    if (outcome === 'failed' || outcome === 'reused') return;
    this.#scanned += bytes;
    this.#billed += billedBytes(bytes);
  }

  /** What a statement that was stopped for it is told as. */
  exceeded(): AppError {
    return new AppError(
      'scan-limit',
      `stopped after ${formatBytes(this.scannedBytes)}: --max-scan allows ${formatBytes(this.maxBytes ?? 0)}`,
      { hint: LIMIT_HINT },
    );
  }
}

const LIMIT_HINT =
  'Narrow --from and --to, or raise --max-scan; `trailhound athena estimate` tells what a window holds.';
