/** The window of a scanner as a Batch. */
import {
  type Batch,
  type ColumnBuffer,
  IDENTITY_BYTES,
  type PackedRepeated,
  type PackedTexts,
  type RowGroups,
} from '../format.ts';
import type { ScannerExports, ScannerHost } from './scanner-host.ts';

/** The rows of the scanner's window. Columns are judged when they are asked for: whoever wants only the number of rows does not pay for it. */
export class ScannerBatch implements Batch {
  readonly rows: number;
  readonly #scanner: ScannerHost<ScannerExports>;
  #columns: readonly ColumnBuffer[] | undefined;

  constructor(scanner: ScannerHost<ScannerExports>) {
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
