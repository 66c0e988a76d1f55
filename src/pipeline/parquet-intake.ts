/** How the rows of a Parquet file reach the lanes: all at once, when its last byte is there, since it is read from its end. */
import { type FileOutcome, REJECT_TEXT_BYTES, type Reject } from '../format.ts';
import type { ParquetFile, ParquetRows } from '../parquet.ts';
import type { Intake, RecordsIntake } from './intake.ts';

const NEWLINE = Buffer.from('\n');
const NO_BYTES = new Uint8Array(0);

export interface ParquetIntakeOptions {
  readonly file: ParquetFile;
  readonly records: RecordsIntake;
  /** Names the format of a record, or of nothing of ours null. */
  readonly formatOf: (record: Uint8Array) => string | null;
  /** Called between rows: a file of nothing but broken records does not fill the memory with them. Throws when the reading is to stop. */
  readonly pause: () => Promise<void>;
}

export class ParquetIntake implements Intake {
  readonly #options: ParquetIntakeOptions;
  /** Of the file. */
  #bytes = 0;
  /** So far. */
  #rows = 0;

  constructor(options: ParquetIntakeOptions) {
    this.#options = options;
  }

  get overflowed(): boolean {
    return this.#options.records.overflowed;
  }

  async push(bytes: Uint8Array, last: boolean): Promise<void> {
    const { file, records, pause } = this.#options;
    file.write(bytes);
    this.#bytes += bytes.length;
    if (!last) return;
    try {
      for await (const rows of file.rows()) {
        if ('reason' in rows) {
          // Nothing follows; at the end of the file it says what became of it.
          await records.take(this.#reject({ ...rows, length: this.#bytes }));
          break;
        }
        await this.#take(rows);
        await pause();
      }
    } finally {
      file.close();
      await records.finish();
    }
  }

  takeRejects(): readonly Reject[] {
    return this.#options.records.takeRejects();
  }

  end(): FileOutcome {
    return this.#options.records.end();
  }

  async #take({ format, records }: ParquetRows): Promise<void> {
    const byFormat = new Map<string, { readonly lines: Uint8Array[]; readonly numbers: number[] }>();
    for (const record of records) {
      const own = record === null ? null : (format ?? this.#options.formatOf(record));
      if (record === null || own === null) {
        await this.#options.records.take(this.#rejectRow(record));
        continue;
      }
      const known = byFormat.get(own) ?? { lines: [], numbers: [] };
      known.lines.push(record, NEWLINE);
      known.numbers.push(this.#rows++);
      byFormat.set(own, known);
    }
    for (const [own, { lines, numbers }] of byFormat) {
      let length = 0;
      const starts: number[] = [];
      for (const line of lines) {
        if (line !== NEWLINE) starts.push(length);
        length += line.length;
      }
      // Where in the file a row lies, nobody can say: its columns are apart.
      await this.#options.records.take({
        format: own,
        bytes: Buffer.concat(lines, length),
        starts,
        numbers,
        offsets: [],
      });
    }
  }

  #rejectRow(record: Uint8Array | null): Reject {
    return record === null
      ? this.#reject({ reason: 'envelope-empty', detail: 'the row holds no record' })
      : this.#reject({
          reason: 'envelope-foreign',
          detail: 'the row is no record that trailhound knows',
          length: record.length,
          text: record.subarray(0, REJECT_TEXT_BYTES),
        });
  }

  #reject(part: Pick<Reject, 'reason' | 'detail'> & Partial<Reject>): Reject {
    return { recordNo: this.#rows++, offset: 0, length: 0, text: NO_BYTES, ...part };
  }
}
