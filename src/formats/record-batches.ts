/** Records of several formats on their way to their decoders, many together: a call for each would cost more than it decodes. */
import type { UnwrappedRecords } from '../envelope.ts';

/** So many bytes are handed over at once: more gains nothing. */
export const BATCH_BYTES = 1024 * 1024;
const FIRST_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

class RecordBatch {
  readonly format: string;
  starts: number[] = [];
  numbers: number[] = [];
  offsets: number[] = [];
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  constructor(format: string) {
    this.format = format;
  }

  add(record: Uint8Array, number: number, offset: number): void {
    const after = this.#length + record.length + 1;
    if (after > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(2 * after);
      larger.set(this.#buffer.subarray(0, this.#length));
      this.#buffer = larger;
    }
    this.#buffer.set(record, this.#length);
    this.#buffer[after - 1] = NEWLINE;
    this.starts.push(this.#length);
    this.numbers.push(number);
    this.offsets.push(offset);
    this.#length = after;
  }

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    // What one huge message took is given back.
    if (this.#buffer.length > 4 * BATCH_BYTES) this.#buffer = Buffer.allocUnsafe(FIRST_BYTES);
    this.#length = 0;
    this.starts = [];
    this.numbers = [];
    this.offsets = [];
  }
}

export class RecordBatches {
  readonly #batches = new Map<string, RecordBatch>();
  /** Of all records that were not taken yet. */
  bytes = 0;

  add(format: string, record: Uint8Array, number: number, offset: number): void {
    let batch = this.#batches.get(format);
    if (batch === undefined) {
      batch = new RecordBatch(format);
      this.#batches.set(format, batch);
    }
    batch.add(record, number, offset);
    this.bytes += record.length + 1;
  }

  /** Gives all there is, a format at a time. What is given is valid until the next is asked for. */
  *take(): Generator<UnwrappedRecords, void> {
    this.bytes = 0;
    for (const batch of this.#batches.values()) {
      const { format, bytes, starts, numbers, offsets } = batch;
      if (starts.length === 0) continue;
      yield { format, bytes, starts, numbers, offsets };
      batch.clear();
    }
  }
}
