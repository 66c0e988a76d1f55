/** The host of the scanner of S3 server access logs: tells it where its fields go, and puts into words what it rejects. */
import type { DecodeLimits, Reject } from '../format.ts';
import type { Table } from '../table.ts';
import { compileScanner, describeByte, type RejectSink, type ScannerExports, ScannerHost } from './scanner-host.ts';

/** The first field of a line; the columns after it follow in the order of the line. */
const FIRST_FIELD = 'bucket_owner';

type S3AccessExports = ScannerExports &
  Readonly<Record<'firstFieldColumn', WebAssembly.Global>> &
  Readonly<Record<'seenOwn', Readonly<WebAssembly.Global>>>;

export async function loadS3AccessScanner(
  table: Table,
  limits: DecodeLimits,
  sink: RejectSink,
): Promise<S3AccessScanner> {
  return new S3AccessScanner(await compileScanner('s3-access'), { table, limits }, sink);
}

export class S3AccessScanner extends ScannerHost<S3AccessExports> {
  constructor(...args: ConstructorParameters<typeof ScannerHost<S3AccessExports>>) {
    super(...args);
    this.exports.firstFieldColumn.value = this.columnNumber(FIRST_FIELD);
    this.start();
  }

  /** Whether a line of the current file begins as only records of this format do, or is one. */
  get sawOwn(): boolean {
    return this.exports.seenOwn.value !== 0;
  }

  protected override explain(
    reason: string,
    errorOffset: number,
    errorByte: number,
  ): Pick<Reject, 'reason' | 'detail'> {
    return { reason, detail: this.#detail(reason, errorOffset, errorByte) };
  }

  #detail(reason: string, errorOffset: number, errorByte: number): string {
    switch (reason) {
      case 's3-access-line-invalid':
        return `no field of an S3 access record goes on with ${describeByte(errorByte)} at byte ${errorOffset} of the file`;
      case 's3-access-line-truncated':
        return `the line ends at byte ${errorOffset} of the file, before its user agent does`;
      case 'nul-byte':
        return `the line holds a NUL at byte ${errorOffset} of the file`;
      case 'record-too-large':
        return `the line has more than ${this.limits.recordBytes} bytes`;
      case 'truncated':
        return 'the file ends before the line does';
      default:
        return reason;
    }
  }
}
