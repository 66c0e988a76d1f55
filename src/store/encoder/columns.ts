/** Writes rows of a decoded window as a Parquet file: repeated texts by their dictionary, numbers by their differences, other texts one behind the other. */
import type { Batch, ColumnBuffer, PackedRepeated } from '../../format.ts';
import { type Column, derivedColumns, rawColumns, type Table } from '../../table.ts';
import { Bytes } from './bytes.ts';
import { putDeltas } from './deltas.ts';
import { type Bounds, ENCODING, type Page, ParquetFile } from './file.ts';
import { bitsFor, putBits, putRuns } from './runs.ts';

/** A dictionary with more entries than this share of the values costs more than it saves. */
const DICTIONARY_SHARE = 0.5;
/** Numbers of values have 16 bits at most; lists may hold more different items than a window has rows. */
const DICTIONARY_ENTRIES_MAX = 65_536;
/** With more entries than this hardly a value lies outside of the bounds. */
const BOUNDED_ENTRIES = 256;
/** Bounds help who looks for a name or an address, not for a document. */
const BOUND_BYTES = 128;
const WORD = 2 ** 32;
/** Numbers below are exact as doubles, so are their doubles, and the differences of numbers that lie no farther apart. */
const EXACT = 2 ** 52;

/** A column of texts by their numbers: -1 stands for no value. A list is told as JSON. */
export interface NumberedTexts {
  readonly values: readonly string[];
  /** Per row of the window. */
  readonly numbers: Int32Array;
}

/** Rows of a window. */
interface Selection {
  readonly batch: Batch;
  readonly rows: Int32Array;
}

/** Texts and, for each value, which of them it is. */
interface Numbered {
  readonly texts: readonly string[];
  readonly codes: Uint32Array;
}

/** How the values of a page are laid out in rows and lists. */
interface Levels {
  readonly rows: number;
  /** Those that are NULL, or an empty list, too. */
  readonly values: number;
  readonly definition: Uint8Array;
  readonly repetition?: Uint8Array;
}

export class SegmentEncoder {
  readonly #table: Table;
  readonly #file = new ParquetFile();
  readonly #levels = new Bytes(8 * 1024);
  readonly #body = new Bytes(2 * 1024 * 1024);
  readonly #dictionary = new Bytes(256 * 1024);

  constructor(table: Table) {
    this.#table = table;
  }

  /** The rows as a file, which is valid until the next call. Derived columns are given, all of them. */
  encode(batch: Batch, derived: ReadonlyMap<string, NumberedTexts>, rows: Int32Array): Uint8Array {
    batch.select(rows);
    const selection: Selection = { batch, rows };
    this.#file.begin(this.#table.columns, rows.length);
    for (const [index, column] of rawColumns(this.#table).entries()) {
      const buffer = batch.columns[index];
      if (buffer === undefined) throw new Error(`the decoder gave no column ${column.name}`);
      this.#addRaw(column, index, buffer, selection);
    }
    for (const column of derivedColumns(this.#table)) {
      const texts = derived.get(column.name);
      if (texts === undefined) throw new Error(`the column ${column.name} was not derived`);
      if (column.type === 'VARCHAR[]') this.#addLists(column, texts, rows);
      else if (column.type === 'BOOLEAN') this.#addBooleans(column, texts, rows);
      else this.#addTexts(column, texts, rows);
    }
    return this.#file.end();
  }

  #addRaw(column: Column, index: number, buffer: ColumnBuffer, selection: Selection): void {
    const validity = validityOf(buffer, selection);
    const rows = selection.rows.length;
    if (isEmpty(validity)) {
      const page = { rows, values: rows, nulls: rows, encoding: ENCODING.plain, body: NO_BYTES };
      this.#file.add(column, null, [{ ...page, definition: this.#definition(validity, rows) }]);
    } else if (buffer.layout !== 'string') this.#addNumbers(column, buffer, validity, selection);
    else if (buffer.repeats) {
      const definition = this.#definition(validity, rows);
      this.#addRepeated(column, selection.batch.packRepeated(index), { rows, values: rows, definition });
    } else this.#file.add(column, null, this.#textPages(index, validity, selection));
  }

  #addNumbers(column: Column, buffer: ColumnBuffer, validity: Uint8Array, selection: Selection): void {
    const values = valuesOf(buffer, validity, selection);
    const body = this.#body;
    body.clear();
    let encoding: number = ENCODING.plain;
    let bounds: Bounds | undefined;
    if (values instanceof Uint8Array) putBooleans(body, values);
    else if (values instanceof BigInt64Array) body.put(new Uint8Array(values.buffer));
    else {
      encoding = ENCODING.deltas;
      putDeltas(body, values);
      bounds = numberBounds(values, buffer.layout === 'integer' ? 4 : 8);
    }
    const rows = selection.rows.length;
    const definition = this.#definition(validity, rows);
    const page = { rows, values: rows, nulls: rows - values.length, encoding, definition, body: body.written };
    this.#file.add(column, null, [page], bounds);
  }

  /** Texts that hardly repeat, about 1 MiB a page. */
  *#textPages(index: number, validity: Uint8Array, { batch, rows }: Selection): Generator<Page> {
    for (const { from, to, bytes, lengths } of batch.packTexts(index)) {
      const count = to - from;
      const isWhole = count === rows.length;
      yield {
        ...this.#textsBody(lengths, bytes),
        rows: count,
        values: count,
        nulls: count - lengths.length,
        definition: this.#definition(isWhole ? validity : partOf(validity, from, to), count),
      };
    }
  }

  #textsBody(lengths: Int32Array, bytes: Uint8Array): Pick<Page, 'encoding' | 'body'> {
    const body = this.#body;
    body.clear();
    putDeltas(body, lengths);
    body.put(bytes);
    return { encoding: ENCODING.lengthsAndTexts, body: body.written };
  }

  #addTexts(column: Column, { values, numbers }: NumberedTexts, rows: Int32Array): void {
    const validity = new Uint8Array(Math.ceil(rows.length / 8));
    const selected = selectNumbers(numbers, rows, validity);
    const definition = this.#definition(validity, rows.length);
    this.#addNumbered(column, renumber(selected, values), { rows: rows.length, values: rows.length, definition });
  }

  #addBooleans(column: Column, { values, numbers }: NumberedTexts, rows: Int32Array): void {
    const validity = new Uint8Array(Math.ceil(rows.length / 8));
    const selected = selectNumbers(numbers, rows, validity).filter((number) => number >= 0);
    const definition = this.#definition(validity, rows.length);
    const body = this.#body;
    body.clear();
    putBooleans(
      body,
      Uint8Array.from(selected, (number) => (values[number] === 'true' ? 1 : 0)),
    );
    const nulls = rows.length - selected.length;
    const page = { rows: rows.length, values: rows.length, nulls, encoding: ENCODING.plain, definition };
    this.#file.add(column, null, [{ ...page, body: body.written }]);
  }

  #addLists(column: Column, { values, numbers }: NumberedTexts, rows: Int32Array): void {
    const members = new Map<string, number>();
    const lists = values.map((value) => codesOf(JSON.parse(value) as readonly (string | null)[], members));
    const { repetition, definition, codes } = flatten(lists, numbers, rows);
    const levels = this.#levels;
    levels.clear();
    putRuns(levels, repetition, 1);
    const cut = levels.length;
    putRuns(levels, definition, bitsFor(ITEM));
    this.#addNumbered(
      column,
      { texts: [...members.keys()], codes },
      {
        rows: rows.length,
        values: repetition.length,
        definition: levels.written.subarray(cut),
        repetition: levels.written.subarray(0, cut),
      },
    );
  }

  /** Values that are told by their texts' numbers; the texts as a dictionary where it saves something. */
  #addNumbered(column: Column, { texts, codes }: Numbered, levels: Levels): void {
    const bytes = texts.map((text) => Buffer.from(text));
    if (bytes.length === 0 || bytes.length > Math.min(codes.length * DICTIONARY_SHARE, DICTIONARY_ENTRIES_MAX)) {
      const { encoding, body } = this.#textsBody(
        Int32Array.from(codes, (code) => bytes[code]?.length ?? 0),
        Buffer.concat(Array.from(codes, (code) => bytes[code] ?? NO_BYTES)),
      );
      this.#file.add(column, null, [{ ...levels, nulls: levels.values - codes.length, encoding, body }]);
      return;
    }
    const dictionary = this.#dictionary;
    dictionary.clear();
    for (const text of bytes) {
      dictionary.uint32(text.length);
      dictionary.put(text);
    }
    this.#addRepeated(
      column,
      { codes: Uint16Array.from(codes), size: bytes.length, texts: dictionary.written },
      levels,
    );
  }

  #addRepeated(column: Column, { codes, size, texts }: PackedRepeated, levels: Levels): void {
    const body = this.#body;
    body.clear();
    const width = bitsFor(size - 1);
    body.byte(width);
    putRuns(body, codes, width);
    const nulls = levels.values - codes.length;
    const page = { ...levels, nulls, encoding: ENCODING.dictionary, body: body.written };
    this.#file.add(column, { size, body: texts }, [page], textBounds(texts, size));
  }

  /** Which of `count` rows have a value. */
  #definition(validity: Uint8Array, count: number): Uint8Array {
    const levels = this.#levels;
    levels.clear();
    putBits(levels, validity, count);
    return levels.written;
  }
}

const NO_BYTES = new Uint8Array(0);
/** Stands for an item that is NULL. */
const NO_CODE = -1;

// Definition levels of a list's values.
const NO_LIST = 0;
const EMPTY_LIST = 1;
const NO_ITEM = 2;
const ITEM = 3;

export const isSet = (bits: Uint8Array, at: number): boolean => ((bits[at >> 3] ?? 0) & (1 << (at & 7))) !== 0;

function isEmpty(bits: Uint8Array): boolean {
  for (let at = 0; at < bits.length; at++) if (bits[at] !== 0) return false;
  return true;
}

function setBit(bits: Uint8Array, at: number): void {
  bits[at >> 3] = (bits[at >> 3] ?? 0) | (1 << (at & 7));
}

/** One bit for each of the rows; zeros behind the last. */
export function validityOf({ validity }: ColumnBuffer, { batch, rows }: Selection): Uint8Array {
  const bytes = new Uint8Array(batch.memory);
  const count = rows.length;
  const first = rows[0] ?? 0;
  const size = Math.ceil(count / 8);
  if ((rows[count - 1] ?? 0) - first === count - 1 && first % 8 === 0) {
    const bits = bytes.slice(validity + first / 8, validity + first / 8 + size);
    if (count % 8 > 0) bits[size - 1] = (bits[size - 1] ?? 0) & ((1 << (count & 7)) - 1);
    return bits;
  }
  const bits = new Uint8Array(size);
  for (let at = 0; at < count; at++) {
    const row = rows[at] ?? 0;
    if (((bytes[validity + (row >> 3)] ?? 0) & (1 << (row & 7))) !== 0) setBit(bits, at);
  }
  return bits;
}

function partOf(bits: Uint8Array, from: number, to: number): Uint8Array {
  const part = new Uint8Array(Math.ceil((to - from) / 8));
  for (let at = from; at < to; at++) if (isSet(bits, at)) setBit(part, at - from);
  return part;
}

// Hot loops have functions of their own: V8 would give up the optimized code of a larger one at each of its ends.

/** Sets the bits of those that have a value, too. */
function selectNumbers(numbers: Int32Array, rows: Int32Array, validity: Uint8Array): Int32Array {
  const selected = new Int32Array(rows.length);
  for (let at = 0; at < rows.length; at++) {
    const number = numbers[rows[at] ?? 0] ?? -1;
    selected[at] = number;
    if (number >= 0) setBit(validity, at);
  }
  return selected;
}

/** The items of a list by their numbers; new ones are added to the members. */
function codesOf(items: readonly (string | null)[], members: Map<string, number>): Int32Array {
  return Int32Array.from(items, (item) => {
    if (item === null) return NO_CODE;
    const code = members.get(item) ?? members.size;
    members.set(item, code);
    return code;
  });
}

/** Levels and items of the rows' lists. */
function flatten(
  lists: readonly Int32Array[],
  numbers: Int32Array,
  rows: Int32Array,
): { readonly repetition: Uint16Array; readonly definition: Uint16Array; readonly codes: Uint32Array } {
  let size = 0;
  for (let at = 0; at < rows.length; at++) size += Math.max(1, lists[numbers[rows[at] ?? 0] ?? -1]?.length ?? 0);
  const repetition = new Uint16Array(size);
  const definition = new Uint16Array(size);
  const codes = new Uint32Array(size);
  let place = 0;
  let count = 0;
  for (let at = 0; at < rows.length; at++) {
    const items = lists[numbers[rows[at] ?? 0] ?? -1];
    const length = items?.length ?? 0;
    if (length === 0) definition[place++] = items === undefined ? NO_LIST : EMPTY_LIST;
    for (let item = 0; item < length; item++) {
      const code = items?.[item] ?? NO_CODE;
      repetition[place] = item === 0 ? 0 : 1;
      definition[place++] = code === NO_CODE ? NO_ITEM : ITEM;
      if (code !== NO_CODE) codes[count++] = code;
    }
  }
  return { repetition, definition, codes: codes.subarray(0, count) };
}

/** Only the texts that occur, in the order of their first rows. */
function renumber(numbers: Int32Array, texts: readonly string[]): Numbered {
  const codes = new Uint32Array(numbers.length);
  const occurring: number[] = [];
  const count = fillCodes(numbers, new Int32Array(texts.length).fill(-1), codes, occurring);
  return { texts: occurring.map((number) => texts[number] ?? ''), codes: codes.subarray(0, count) };
}

/** Returns how many values there are. */
function fillCodes(numbers: Int32Array, codeOf: Int32Array, codes: Uint32Array, occurring: number[]): number {
  let count = 0;
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at] ?? -1;
    if (number < 0) continue;
    let code = codeOf[number] ?? -1;
    if (code < 0) {
      code = occurring.length;
      codeOf[number] = code;
      occurring.push(number);
    }
    codes[count++] = code;
  }
  return count;
}

/** The values that exist: one byte each for booleans; 64-bit numbers as such only where a double would not hold them, or their differences. */
function valuesOf(
  buffer: ColumnBuffer,
  validity: Uint8Array,
  { batch, rows }: Selection,
): Uint8Array | Int32Array | Float64Array | BigInt64Array {
  const { memory } = batch;
  const valid = validRows(rows, validity);
  if (buffer.layout === 'boolean') return selectBytes(new Uint8Array(memory, buffer.data, batch.rows), valid);
  if (buffer.layout === 'integer') return selectIntegers(new Int32Array(memory, buffer.data, batch.rows), valid);
  const values = selectLongs(new Int32Array(memory, buffer.data, batch.rows * 2), valid);
  const { least, most } = boundsOf(values);
  if (most < EXACT && least > -EXACT && most - least < EXACT) return values;
  const longs = new BigInt64Array(memory, buffer.data, batch.rows);
  return BigInt64Array.from(valid as Iterable<number>, (row) => longs[row] ?? 0n);
}

function validRows(rows: Int32Array, validity: Uint8Array): Int32Array {
  const valid = new Int32Array(rows.length);
  let count = 0;
  for (let at = 0; at < rows.length; at++) if (isSet(validity, at)) valid[count++] = rows[at] ?? 0;
  return valid.subarray(0, count);
}

function selectBytes(from: Uint8Array, rows: Int32Array): Uint8Array {
  const values = new Uint8Array(rows.length);
  for (let at = 0; at < rows.length; at++) values[at] = from[rows[at] ?? 0] ?? 0;
  return values;
}

function selectIntegers(from: Int32Array, rows: Int32Array): Int32Array {
  const values = new Int32Array(rows.length);
  for (let at = 0; at < rows.length; at++) values[at] = from[rows[at] ?? 0] ?? 0;
  return values;
}

/** `words` are the lower and upper halves of 64-bit numbers. */
function selectLongs(words: Int32Array, rows: Int32Array): Float64Array {
  const values = new Float64Array(rows.length);
  for (let at = 0; at < rows.length; at++) {
    const word = (rows[at] ?? 0) * 2;
    values[at] = (words[word + 1] ?? 0) * WORD + ((words[word] ?? 0) >>> 0);
  }
  return values;
}

function boundsOf(values: Int32Array | Float64Array): { readonly least: number; readonly most: number } {
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < values.length; at++) {
    const value = values[at] ?? 0;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return { least, most };
}

function putBooleans(to: Bytes, values: Uint8Array): void {
  for (let from = 0; from < values.length; from += 8) {
    let byte = 0;
    for (let bit = 0; bit < 8; bit++) byte |= (values[from + bit] ?? 0) << bit;
    to.byte(byte);
  }
}

function numberBounds(values: Int32Array | Float64Array, width: 4 | 8): Bounds {
  const { least, most } = boundsOf(values);
  const plain = (value: number): Uint8Array => {
    const bytes = Buffer.alloc(width);
    if (width === 4) bytes.writeInt32LE(value);
    else bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  };
  return { min: plain(least), max: plain(most) };
}

/** Of texts behind their lengths. */
function textBounds(texts: Uint8Array, size: number): Bounds | undefined {
  if (size > BOUNDED_ENTRIES) return undefined;
  const view = new DataView(texts.buffer, texts.byteOffset, texts.byteLength);
  let min: Uint8Array | null = null;
  let max: Uint8Array | null = null;
  for (let at = 0; at < texts.length; ) {
    const length = view.getUint32(at, true);
    if (length > BOUND_BYTES) return undefined;
    const text = texts.subarray(at + 4, at + 4 + length);
    if (min === null || Buffer.compare(text, min) < 0) min = text;
    if (max === null || Buffer.compare(text, max) > 0) max = text;
    at += 4 + length;
  }
  return min === null || max === null ? undefined : { min, max };
}
