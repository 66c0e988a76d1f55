/** A window without what the config says is not to be stored. */
import type { Batch, ColumnBuffer, PackedRepeated, PackedTexts, RowGroups } from '../format.ts';
import type { Redaction } from '../redaction.ts';
import { rawColumns, type Table } from '../table.ts';
import { withoutMembers } from './json-members.ts';

export interface Redacted {
  readonly batch: Batch;
  /** Values that were taken out or cut; those of duplicates too. */
  readonly count: number;
}

/** Null when everything of the table is stored. */
export function createRedactor(table: Table, redactions: readonly Redaction[]): ((batch: Batch) => Redacted) | null {
  const own = redactions.filter((redaction) => redaction.table === table.name);
  if (own.length === 0) return null;
  const names = rawColumns(table).map(({ name }) => name);
  const whole = new Set(own.filter(({ path }) => path.length === 0).map(({ column }) => names.indexOf(column)));
  const cut = new Map<number, (readonly string[])[]>();
  for (const { column, path } of own) {
    const index = names.indexOf(column);
    if (!whole.has(index)) cut.set(index, [...(cut.get(index) ?? []), path]);
  }
  const extra = names.indexOf('extra');
  const repeated = (table.repeatedInExtra ?? []).map((member) => [member]);
  if (repeated.length > 0 && !whole.has(extra)) cut.set(extra, [...(cut.get(extra) ?? []), ...repeated]);
  return (batch) => {
    let count = 0;
    for (const index of whole) count += clear(batch, index);
    const texts = new Map<number, ReadonlyMap<number, Uint8Array>>();
    for (const [index, paths] of cut) texts.set(index, cutTexts(batch, index, paths));
    for (const changed of texts.values()) count += changed.size;
    return { batch: texts.size === 0 ? batch : new RedactedBatch(batch, texts), count };
  };
}

function validityOf(batch: Batch, column: number): Uint8Array {
  const buffer = batch.columns[column];
  if (buffer === undefined) throw new Error(`the window has no column number ${column}`);
  return new Uint8Array(batch.memory, buffer.validity, Math.ceil(batch.rows / 8));
}

const hasValue = (validity: Uint8Array, row: number): boolean => ((validity[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;

/** Takes every value of the column; returns how many there were. */
function clear(batch: Batch, column: number): number {
  const validity = validityOf(batch, column);
  let count = 0;
  for (let row = 0; row < batch.rows; row++) if (hasValue(validity, row)) count++;
  validity.fill(0);
  return count;
}

/** By row what is left of the texts that lose something. */
function cutTexts(
  batch: Batch,
  column: number,
  paths: readonly (readonly string[])[],
): ReadonlyMap<number, Uint8Array> {
  const rows = Int32Array.from({ length: batch.rows }, (_, row) => row);
  const changed = new Map<number, Uint8Array>();
  batch.select(rows);
  for (const part of batch.packTexts(column)) {
    for (const [row, text] of textsOf(part, rows, validityOf(batch, column))) {
      const left = withoutMembers(Buffer.from(text).toString('utf8'), paths);
      if (left !== null) changed.set(row, Buffer.from(left));
    }
  }
  return changed;
}

function* textsOf(
  { from, to, bytes, lengths }: PackedTexts,
  rows: Int32Array,
  validity: Uint8Array,
): Generator<readonly [row: number, text: Uint8Array]> {
  let at = 0;
  let text = 0;
  for (const row of rows.subarray(from, to)) {
    if (!hasValue(validity, row)) continue;
    const length = lengths[text++] ?? 0;
    yield [row, bytes.subarray(at, at + length)];
    at += length;
  }
}

/** The window with other texts in some rows of some columns. Groups are those of the texts before: at most finer than need be. */
class RedactedBatch implements Batch {
  readonly rows: number;
  readonly columns: readonly ColumnBuffer[];
  readonly #batch: Batch;
  readonly #texts: ReadonlyMap<number, ReadonlyMap<number, Uint8Array>>;
  #selected = new Int32Array(0);

  constructor(batch: Batch, texts: ReadonlyMap<number, ReadonlyMap<number, Uint8Array>>) {
    this.#batch = batch;
    this.#texts = texts;
    this.rows = batch.rows;
    this.columns = batch.columns.map((buffer, index) => (texts.has(index) ? { ...buffer, repeats: false } : buffer));
  }

  get memory(): ArrayBuffer {
    return this.#batch.memory;
  }

  get eventDay(): Int32Array {
    return this.#batch.eventDay;
  }

  get identity(): Uint8Array {
    return this.#batch.identity;
  }

  get hasIdentity(): Uint8Array {
    return this.#batch.hasIdentity;
  }

  select(rows: Int32Array): void {
    this.#selected = rows.slice();
    this.#batch.select(rows);
  }

  *packTexts(column: number): Iterable<PackedTexts> {
    const changed = this.#texts.get(column);
    if (changed === undefined || changed.size === 0) {
      yield* this.#batch.packTexts(column);
      return;
    }
    for (const part of this.#batch.packTexts(column)) {
      const validity = validityOf(this.#batch, column);
      const texts = [...textsOf(part, this.#selected, validity)].map(([row, text]) => changed.get(row) ?? text);
      yield {
        from: part.from,
        to: part.to,
        bytes: Buffer.concat(texts),
        lengths: Int32Array.from(texts, ({ length }) => length),
      };
    }
  }

  packRepeated(column: number): PackedRepeated {
    return this.#batch.packRepeated(column);
  }

  groups(columns: readonly number[]): RowGroups | null {
    return this.#batch.groups(columns);
  }
}
