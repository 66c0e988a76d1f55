/**
 * Results of CloudTrail Lake: CSV files with a column `eventJson`, each value of which is a record as it was delivered. Other columns repeat parts of it in a notation
 * that nothing reads back, so that results without this one hold no records.
 */
import type { Piece, Unwrapper } from '../envelope.ts';
import { REJECT_TEXT_BYTES } from '../format.ts';
import { CsvColumn, csvHeader } from './csv-column.ts';
import { BATCH_BYTES, RecordBatches } from './record-batches.ts';

const COLUMN = 'eventjson';

type FormatOf = (record: Uint8Array) => string | null;

/** Null when a file that starts with these bytes is no such result. A row over `recordBytes` becomes a reject. */
export function openLakeResults(head: Uint8Array, formatOf: FormatOf, recordBytes: number): Unwrapper | null {
  const header = csvHeader(Buffer.from(head.buffer, head.byteOffset, head.length));
  return header.includes(COLUMN) ? new LakeResults(new CsvColumn(header, COLUMN, recordBytes), formatOf) : null;
}

class LakeResults implements Unwrapper {
  readonly #column: CsvColumn;
  readonly #formatOf: FormatOf;
  readonly #batches = new RecordBatches();
  #count = 0;

  constructor(column: CsvColumn, formatOf: FormatOf) {
    this.#column = column;
    this.#formatOf = formatOf;
  }

  *push(bytes: Uint8Array, last: boolean, isCut = false): Generator<Piece, void> {
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const row of this.#column.push(buffer, last, isCut)) {
      if (!('value' in row)) {
        yield { recordNo: this.#count++, ...row };
        continue;
      }
      const { value, offset } = row;
      const format = value.length === 0 ? null : this.#formatOf(value);
      if (format !== null) this.#batches.add(format, value, this.#count++, offset);
      else {
        const [reason, detail] =
          value.length === 0
            ? ['envelope-empty', 'its eventJson is empty']
            : ['envelope-foreign', 'its eventJson is no record that trailhound knows'];
        yield {
          recordNo: this.#count++,
          offset,
          length: value.length,
          reason,
          detail,
          text: value.subarray(0, REJECT_TEXT_BYTES),
        };
      }
      if (this.#batches.bytes >= BATCH_BYTES) yield* this.#batches.take();
    }
    yield* this.#batches.take();
  }
}
