/**
 * One column of a CSV file (RFC 4180) that arrives in slices: each row's value of it, or why the row has none. Results of CloudTrail Lake are such files; their column
 * `eventJson` holds whole records. https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-download-cloudtrail-lake-query-results.html
 */
import { REJECT_TEXT_BYTES } from '../format.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Offsets are those of the row in the file. */
export type CsvValue =
  | { readonly value: Buffer; readonly offset: number }
  | {
      readonly reason: 'csv-row-invalid' | 'record-too-large' | 'envelope-truncated';
      readonly detail: string;
      /** Its first REJECT_TEXT_BYTES bytes. */
      readonly text: Buffer;
      readonly length: number;
      readonly offset: number;
    };

/** The names in the first line, in lower case; empty where these bytes hold no whole line. */
export function csvHeader(head: Buffer): readonly string[] {
  const start = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0;
  const end = head.indexOf(LINE_FEED, start);
  if (end < 0) return [];
  return (fieldsOf(head.subarray(start, end)) ?? []).map((field) => field.toString('latin1').toLowerCase());
}

export class CsvColumn {
  readonly #fields: number;
  readonly #index: number;
  readonly #limit: number;
  /** Slices of the row that is not whole yet, what it has in all, and where it begins in the file. */
  #parts: Buffer[] = [];
  #length = 0;
  #offset = 0;
  #inQuotes = false;
  #isHeader = true;

  /** `header`: as csvHeader() has it; `limit`: bytes over which a row becomes a reject. */
  constructor(header: readonly string[], column: string, limit: number) {
    this.#fields = header.length;
    this.#index = header.indexOf(column);
    this.#limit = limit;
  }

  /** `isCut`, with `last`: the file broke off there, so that a last row without an end is not whole. */
  *push(bytes: Buffer, last: boolean, isCut = false): Generator<CsvValue, void> {
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      // Within quotes a quote stands twice: it ends them and begins them again.
      if (byte === QUOTE) this.#inQuotes = !this.#inQuotes;
      else if (byte === LINE_FEED && !this.#inQuotes) {
        this.#keep(bytes.subarray(start, at));
        yield* this.#row(1);
        start = at + 1;
      }
    }
    this.#keep(bytes.subarray(start));
    if (last && this.#length > 0) yield* this.#row(0, isCut);
  }

  /** Keeps what a reject may show of a row that is too long, and else all of it. */
  #keep(bytes: Buffer): void {
    const room = (this.#length > this.#limit ? REJECT_TEXT_BYTES : this.#limit + 1) - this.#length;
    // A view would keep the whole slice.
    if (room > 0 && bytes.length > 0) this.#parts.push(Buffer.from(bytes.subarray(0, room)));
    this.#length += bytes.length;
  }

  *#row(ending: number, isCut = false): Generator<CsvValue, void> {
    const row = this.#parts.length === 1 ? (this.#parts[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#parts);
    const [offset, length] = [this.#offset, this.#length];
    const isHeader = this.#isHeader;
    this.#isHeader = false;
    this.#offset += length + ending;
    this.#parts = [];
    this.#length = 0;
    if (isHeader || length === 0 || (length === 1 && row[0] === CARRIAGE_RETURN)) return;
    const reject = (
      reason: 'csv-row-invalid' | 'record-too-large' | 'envelope-truncated',
      detail: string,
    ): CsvValue => ({
      reason,
      detail,
      text: row.subarray(0, REJECT_TEXT_BYTES),
      length,
      offset,
    });
    if (length > this.#limit) {
      yield reject('record-too-large', `the row has more than ${this.#limit} bytes`);
      return;
    }
    if (isCut) {
      yield reject('envelope-truncated', 'the file ends inside a row');
      return;
    }
    const fields = fieldsOf(row);
    const value = fields?.[this.#index];
    if (fields?.length !== this.#fields || value === undefined)
      yield reject(
        'csv-row-invalid',
        fields === null
          ? 'a quote stands where none can be'
          : `the row has ${fields.length} values, the header ${this.#fields}`,
      );
    else yield { value, offset };
  }
}

/** The values of a row without its line end; null where quotes stand wrong. */
function fieldsOf(row: Buffer): readonly Buffer[] | null {
  const end = row.at(-1) === CARRIAGE_RETURN ? row.length - 1 : row.length;
  const fields: Buffer[] = [];
  for (let at = 0; ; at++) {
    const field = row[at] === QUOTE && at < end ? quotedAt(row, at, end) : plainAt(row, at, end);
    if (field === null) return null;
    fields.push(field.value);
    at = field.end;
    if (at >= end) return fields;
    if (row[at] !== COMMA) return null;
  }
}

interface Field {
  readonly value: Buffer;
  /** The byte behind it. */
  readonly end: number;
}

function plainAt(row: Buffer, start: number, end: number): Field | null {
  const comma = row.indexOf(COMMA, start);
  const to = comma < 0 || comma > end ? end : comma;
  const value = row.subarray(start, to);
  return value.includes(QUOTE) ? null : { value, end: to };
}

function quotedAt(row: Buffer, start: number, end: number): Field | null {
  const parts: Buffer[] = [];
  for (let at = start + 1; ; ) {
    const quote = row.indexOf(QUOTE, at);
    if (quote < 0 || quote >= end) return null;
    const isDoubled = quote + 1 < end && row[quote + 1] === QUOTE;
    parts.push(row.subarray(at, isDoubled ? quote + 1 : quote));
    at = quote + (isDoubled ? 2 : 1);
    if (!isDoubled) return { value: parts.length === 1 ? (parts[0] ?? row) : Buffer.concat(parts), end: at };
  }
}
