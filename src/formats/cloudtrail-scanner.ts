/** The host of the WebAssembly scanner: lays out its memory, tells it the columns and keys of the table, and speaks to it in JavaScript's terms. */
import { readFile } from 'node:fs/promises';
import { AppError } from '../errors.ts';
import {
  type ColumnBuffer,
  IDENTITY_BYTES,
  type PackedRepeated,
  type PackedTexts,
  type Reject,
  type RowGroups,
} from '../format.ts';
import type { Column } from '../table.ts';

const EVENT_TIME_COLUMN = 'event_time';

/** Columns that the scanner itself reads or fills, by its name for them. */
const OWN_COLUMNS = {
  logFileColumn: 'log_file',
  recordNoColumn: 'record_no',
  eventIdColumn: 'event_id',
  eventTimeColumn: EVENT_TIME_COLUMN,
  eventSourceColumn: 'event_source',
  eventNameColumn: 'event_name_raw',
  accountIdColumn: 'account_id',
  eventTypeColumn: 'event_type',
  eventCategoryColumn: 'event_category',
  extraColumn: 'extra',
} as const;

/** A record carries one of these, or it is none of CloudTrail's. */
const IDENTIFYING_KEYS: ReadonlySet<string> = new Set(['eventName', 'eventSource', 'eventID']);
/** The key that a record of CloudTrail begins with. */
const FIRST_KEY = 'eventVersion';
/** Keys that belong to no column but tell what a file is. */
const FRAME_KEYS = {
  Records: 'KIND_RECORDS',
  digestStartTime: 'KIND_DIGEST',
  digestS3Object: 'KIND_DIGEST',
  insightDetails: 'KIND_INSIGHT',
} as const;

const WIDTH: Readonly<Record<ColumnBuffer['layout'], number>> = {
  string: 16,
  timestamp: 8,
  boolean: 1,
  integer: 4,
  bigint: 8,
};
/** Between buffers: the scanner may write some bytes past the last value of one. */
const GAP_BYTES = 64;
const PAGE_BYTES = 65_536;
/** All that a WebAssembly memory can have: 4 GiB. */
const MAX_PAGES = 65_536;

type KindName =
  `KIND_${'TEXT' | 'TIMESTAMP' | 'EVENT_TIME' | 'BOOLEAN' | 'JSON' | 'OBJECT' | 'RECORDS' | 'DIGEST' | 'INSIGHT'}`;

/** The scanner's numbers: the same names as in scanner/. */
type ConstantName =
  | KindName
  | 'FLAG_IDENTIFIES'
  | 'FLAG_SUGGESTS'
  | 'NO_COLUMN'
  | 'KEY_BYTES'
  | 'MAX_DEPTH'
  | 'WINDOW_FULL'
  | 'MAX_ENTRIES'
  | 'PLACES'
  | 'MAX_GROUPS'
  | 'GROUP_PLACES';

/** Its tables and settings, which are written before the first byte is scanned. */
type SettingName =
  | 'keyTable'
  | 'keyInfos'
  | 'keyTexts'
  | 'columnInfos'
  | 'dictionaryInfos'
  | 'columnCount'
  | 'hashFirst'
  | 'hashLast'
  | 'hashMiddle'
  | 'maxRows'
  | 'packRows'
  | 'packBytes'
  | 'packRoom'
  | 'packLengths'
  | 'packCodes'
  | 'groupNumbers'
  | 'groupFirstRows'
  | 'groupPlaces'
  | 'recordLimit'
  | 'textBase'
  | 'scratchBase'
  | 'eventDays'
  | 'identities'
  | 'identityFlags'
  | keyof typeof OWN_COLUMNS;

/** What it tells of the window, the file and the texts gathered last. */
type StateName =
  | 'rows'
  | 'fileRows'
  | 'framesSeen'
  | 'topValues'
  | 'isDigest'
  | 'seenCloudtrail'
  | 'packedAt'
  | 'packedBytes'
  | 'packedTexts';

type ScannerExports = Readonly<Record<ConstantName, Readonly<WebAssembly.Global>>> &
  Readonly<Record<SettingName | 'deliveredDay', WebAssembly.Global>> &
  Readonly<Record<'logFile' | 'latestTime', WebAssembly.Global<bigint>>> &
  Readonly<Record<StateName, Readonly<WebAssembly.Global>>> & {
    freeAddress(): number;
    prepare(): void;
    beginFile(): void;
    inputAddress(): number;
    inputRoom(): number;
    takeInput(bytes: number, isUtf8: number): void;
    makeRoom(): void;
    scan(last: number): number;
    resetWindow(): void;
    dictionarySize(column: number): number;
    beginGroups(): void;
    splitGroups(column: number): number;
    packTexts(column: number, from: number, count: number): number;
    packRepeated(column: number, count: number): number;
  };

/** Texts are gathered by so many bytes: a page of a segment, twice what zstd looks back at its fastest. */
const PACK_BYTES = 1024 * 1024;

/** Where a column's values are: a ColumnBuffer without what each window shows anew. */
type ColumnPlace = Omit<ColumnBuffer, 'repeats'>;

/** Room for the dictionary of a string column. */
interface DictionaryPlace {
  readonly codes: number;
  readonly entries: number;
  readonly places: number;
}

interface Layout {
  readonly columns: readonly ColumnPlace[];
  /** Null for columns that are no strings. */
  readonly dictionaries: readonly (DictionaryPlace | null)[];
  readonly eventDays: number;
  readonly identities: number;
  readonly identityFlags: number;
  readonly packRows: number;
  readonly packBytes: number;
  readonly packLengths: number;
  readonly packCodes: number;
  readonly groupNumbers: number;
  readonly groupFirstRows: number;
  readonly groupPlaces: number;
  readonly textBase: number;
  readonly scratchBase: number;
}

/** Told of what is no row, in the order of the file. */
export interface RejectSink {
  reject(reject: Reject): void;
  insight(recordNo: number, offset: number, length: number, text: Uint8Array): void;
}

interface ScannerOptions {
  readonly columns: readonly Column[];
  /** A multiple of 64. */
  readonly maxRows: number;
  /** A larger record becomes a reject. */
  readonly recordBytes: number;
  /** Room for the text of log files; more than `recordBytes`. */
  readonly textBytes: number;
  readonly sink: RejectSink;
}

function layoutOf(column: Column): ColumnBuffer['layout'] {
  switch (column.type) {
    case 'VARCHAR':
      return 'string';
    case 'TIMESTAMP':
      return 'timestamp';
    case 'BOOLEAN':
      return 'boolean';
    case 'INTEGER':
      return 'integer';
    case 'BIGINT':
      return 'bigint';
    case 'VARCHAR[]':
      throw new Error(`the scanner fills no lists, and ${column.name} is one`);
  }
}

/** What the module says of itself. */
interface Sizes {
  readonly freeAddress: number;
  readonly dictionaryEntries: number;
  readonly dictionaryPlaces: number;
  readonly groups: number;
  readonly groupPlaces: number;
}

/** Gives each buffer its place after the module's own data. */
function layOut(options: ScannerOptions, sizes: Sizes): Layout {
  let free = sizes.freeAddress;
  const take = (bytes: number): number => {
    const address = Math.ceil(free / GAP_BYTES) * GAP_BYTES;
    free = address + bytes + GAP_BYTES;
    return address;
  };
  const { maxRows } = options;
  const bits = (): number => take(maxRows / 8);
  const columns = options.columns.map((column): ColumnPlace => {
    const layout = layoutOf(column);
    return { layout, data: take(maxRows * WIDTH[layout]), validity: bits() };
  });
  const dictionaries = columns.map(({ layout }): DictionaryPlace | null => {
    if (layout !== 'string') return null;
    const entries = take(sizes.dictionaryEntries * WIDTH.string);
    return { codes: take(maxRows * 2), entries, places: take(sizes.dictionaryPlaces * 2) };
  });
  const eventDays = take(maxRows * 4);
  const identities = take(maxRows * IDENTITY_BYTES);
  const identityFlags = take(maxRows);
  const packRows = take(maxRows * 4);
  const packBytes = take(PACK_BYTES);
  const packLengths = take(maxRows * 4);
  const packCodes = take(maxRows * 2);
  const groupNumbers = take(maxRows * 2);
  const groupFirstRows = take(sizes.groups * 4);
  const groupPlaces = take(sizes.groupPlaces * 8);
  const textBase = take(options.textBytes);
  const scratchBase = take(0);
  // Decoded texts of a window take less than its text.
  if (scratchBase + options.textBytes + PAGE_BYTES > MAX_PAGES * PAGE_BYTES) {
    throw new AppError(
      'config-invalid',
      `cannot decode with windows of ${options.textBytes} bytes: a scanner addresses 4 GiB in all`,
      {
        hint: 'Lower the limits for the size of a record and of a window; 1 GiB is the most that fits.',
      },
    );
  }
  return {
    columns,
    dictionaries,
    eventDays,
    identities,
    identityFlags,
    packRows,
    packBytes,
    packLengths,
    packCodes,
    groupNumbers,
    groupFirstRows,
    groupPlaces,
    textBase,
    scratchBase,
  };
}

interface Key {
  readonly text: string;
  readonly context: number;
  readonly kind: KindName;
  /** Index of the column, or null. */
  column: number | null;
  readonly inner: number;
}

function kindOf(column: Column): KindName {
  if (column.json === true) return 'KIND_JSON';
  if (column.name === EVENT_TIME_COLUMN) return 'KIND_EVENT_TIME';
  switch (layoutOf(column)) {
    case 'timestamp':
      return 'KIND_TIMESTAMP';
    case 'boolean':
      return 'KIND_BOOLEAN';
    case 'string':
    case 'integer':
    case 'bigint':
      return 'KIND_TEXT';
  }
}

/** The known keys, from the paths of the columns: an object on the way to a column has a context of its own. */
function keysOf(columns: readonly Column[]): readonly Key[] {
  const keys = new Map<string, Key>();
  const contexts = new Map<string, number>([['', 0]]);
  const contextOf = (path: string): number => {
    const known = contexts.get(path);
    if (known !== undefined) return known;
    const cut = path.lastIndexOf('.');
    const outer = contextOf(path.slice(0, Math.max(cut, 0)));
    const inner = contexts.size;
    contexts.set(path, inner);
    const column = keys.get(path)?.column ?? null;
    keys.set(path, { text: path.slice(cut + 1), context: outer, kind: 'KIND_OBJECT', column, inner });
    return inner;
  };
  for (const [index, column] of columns.entries()) {
    if (column.raw === undefined) continue;
    const object = keys.get(column.raw);
    // An object with known keys inside whose raw text has a column too.
    if (object !== undefined) {
      object.column = index;
      continue;
    }
    const cut = column.raw.lastIndexOf('.');
    const context = contextOf(column.raw.slice(0, Math.max(cut, 0)));
    keys.set(column.raw, { text: column.raw.slice(cut + 1), context, kind: kindOf(column), column: index, inner: 0 });
  }
  for (const [text, kind] of Object.entries(FRAME_KEYS))
    keys.set(text, { text, context: 0, kind, column: null, inner: 0 });
  return [...keys.values()];
}

interface Multipliers {
  readonly first: number;
  readonly last: number;
  readonly middle: number;
}

function hashOf(text: string, { first, last, middle }: Multipliers): number {
  const byte = (at: number): number => text.charCodeAt(at);
  return (
    (text.length + first * byte(0) + last * byte(text.length - 1) + middle * byte(Math.max(text.length - 3, 0))) & 0xff
  );
}

/** Multipliers for which no two keys of a context share a hash. */
function perfectHash(keys: readonly Key[]): Multipliers {
  const LIMIT = 64;
  for (let first = 1; first < LIMIT; first++) {
    for (let last = 1; last < LIMIT; last++) {
      for (let middle = 1; middle < LIMIT; middle++) {
        const multipliers = { first, last, middle };
        const places = new Set(keys.map((key) => key.context * 256 + hashOf(key.text, multipliers)));
        if (places.size === keys.length) return multipliers;
      }
    }
  }
  throw new Error('no multipliers give the keys of the table different hashes');
}

const moduleUrl = (): URL =>
  import.meta.url.endsWith('.ts')
    ? new URL('../../dist/src/formats/scanner.wasm', import.meta.url)
    : new URL('./scanner.wasm', import.meta.url);

let compiled: Promise<WebAssembly.Module> | undefined;

export async function loadScanner(options: ScannerOptions): Promise<Scanner> {
  compiled ??= readFile(moduleUrl()).then((bytes) => WebAssembly.compile(bytes));
  return new Scanner(await compiled, options);
}

export class Scanner {
  readonly layout: Layout;
  readonly #memory: WebAssembly.Memory;
  readonly #exports: ScannerExports;
  readonly #reasons: ReadonlyMap<number, string>;
  readonly #options: ScannerOptions;
  #selected = 0;

  constructor(module: WebAssembly.Module, options: ScannerOptions) {
    this.#options = options;
    this.#memory = new WebAssembly.Memory({ initial: 16, maximum: MAX_PAGES });
    const instance = new WebAssembly.Instance(module, {
      env: { memory: this.#memory },
      host: {
        reject: (...args: Parameters<Scanner['reject']>) => this.reject(...args),
        insight: (recordNo: number, offset: number, length: number, text: number, textLength: number) =>
          options.sink.insight(recordNo, offset, length, this.#copy(text, textLength)),
      },
    });
    this.#exports = instance.exports as unknown as ScannerExports;
    this.#reasons = reasonsOf(instance.exports);
    this.layout = layOut(options, {
      freeAddress: this.#exports.freeAddress(),
      dictionaryEntries: this.#exports.MAX_ENTRIES.value,
      dictionaryPlaces: this.#exports.PLACES.value,
      groups: this.#exports.MAX_GROUPS.value,
      groupPlaces: this.#exports.GROUP_PLACES.value,
    });
    this.#configure();
  }

  get memory(): ArrayBuffer {
    return this.#memory.buffer;
  }

  get rows(): number {
    return this.#exports.rows.value;
  }

  get fileRows(): number {
    return this.#exports.fileRows.value;
  }

  get isDigest(): boolean {
    return this.#exports.isDigest.value !== 0;
  }

  /** Whether the current file holds something that only CloudTrail writes, broken or whole. */
  get sawCloudtrail(): boolean {
    return this.#exports.seenCloudtrail.value !== 0 || this.#exports.framesSeen.value > 0 || this.isDigest;
  }

  /** Whether the current file holds any JSON value at all. */
  get sawValue(): boolean {
    return this.#exports.topValues.value > 0;
  }

  beginFile(logFile: number, deliveredDay: number, latestMicros: bigint): void {
    this.#exports.logFile.value = BigInt(logFile);
    this.#exports.deliveredDay.value = deliveredDay;
    this.#exports.latestTime.value = latestMicros;
    this.#exports.beginFile();
  }

  /** Bytes that write() can take. */
  room(): number {
    this.#exports.makeRoom();
    return Math.max(this.#exports.inputRoom() | 0, 0);
  }

  write(bytes: Uint8Array, isUtf8: boolean): void {
    new Uint8Array(this.memory).set(bytes, this.#exports.inputAddress() >>> 0);
    this.#exports.takeInput(bytes.length, isUtf8 ? 1 : 0);
  }

  /** Decodes what was written. True when the window must be reset before it can go on. */
  scan(last: boolean): boolean {
    return this.#exports.scan(last ? 1 : 0) === this.#exports.WINDOW_FULL.value;
  }

  reset(): void {
    this.#exports.resetWindow();
  }

  /** See ColumnBuffer.repeats. */
  repeats(column: number): boolean {
    return this.layout.dictionaries[column] !== null && this.#exports.dictionarySize(column) > 0;
  }

  /** See Batch.groups(). */
  groups(columns: readonly number[]): RowGroups | null {
    const { rows } = this;
    let count = rows > 0 ? 1 : 0;
    this.#exports.beginGroups();
    for (const column of columns) {
      count = this.#exports.splitGroups(column);
      if (count === 0) return null;
    }
    return {
      numbers: new Uint16Array(this.memory, this.layout.groupNumbers, rows),
      firstRows: new Int32Array(this.memory, this.layout.groupFirstRows, count),
    };
  }

  /** See Batch.select(). */
  select(rows: Int32Array): void {
    new Int32Array(this.memory, this.layout.packRows, rows.length).set(rows);
    this.#selected = rows.length;
  }

  /** See Batch.packTexts(). */
  *packTexts(column: number): Generator<PackedTexts, void> {
    for (let from = 0; from < this.#selected; ) {
      const to = this.#exports.packTexts(column, from, this.#selected);
      const lengths = new Int32Array(this.memory, this.layout.packLengths, this.#exports.packedTexts.value);
      yield { from, to, bytes: this.#packed(), lengths };
      from = to;
    }
  }

  /** See Batch.packRepeated(). */
  packRepeated(column: number): PackedRepeated {
    const count = this.#exports.packRepeated(column, this.#selected);
    return {
      codes: new Uint16Array(this.memory, this.layout.packCodes, count),
      size: this.#exports.packedTexts.value,
      texts: this.#packed(),
    };
  }

  #packed(): Uint8Array {
    return new Uint8Array(this.memory, this.#exports.packedAt.value >>> 0, this.#exports.packedBytes.value >>> 0);
  }

  #configure(): void {
    const { layout } = this;
    const scanner = this.#exports;
    const { columns } = this.#options;
    scanner.maxRows.value = this.#options.maxRows;
    scanner.recordLimit.value = this.#options.recordBytes;
    scanner.textBase.value = layout.textBase;
    scanner.scratchBase.value = layout.scratchBase;
    scanner.packRows.value = layout.packRows;
    scanner.packBytes.value = layout.packBytes;
    scanner.packRoom.value = PACK_BYTES;
    scanner.packLengths.value = layout.packLengths;
    scanner.packCodes.value = layout.packCodes;
    scanner.groupNumbers.value = layout.groupNumbers;
    scanner.groupFirstRows.value = layout.groupFirstRows;
    scanner.groupPlaces.value = layout.groupPlaces;
    scanner.eventDays.value = layout.eventDays;
    scanner.identities.value = layout.identities;
    scanner.identityFlags.value = layout.identityFlags;
    scanner.columnCount.value = columns.length;
    for (const [setting, name] of Object.entries(OWN_COLUMNS) as [keyof typeof OWN_COLUMNS, string][]) {
      const index = columns.findIndex((column) => column.name === name);
      if (index < 0) throw new Error(`the table has no column ${name}, which the scanner fills`);
      scanner[setting].value = index;
    }
    const view = new DataView(this.memory);
    for (const [index, place] of layout.columns.entries()) {
      const at = scanner.columnInfos.value + index * 8;
      view.setUint32(at, place.data, true);
      view.setUint32(at + 4, place.validity, true);
      const dictionary = layout.dictionaries[index];
      if (dictionary === undefined || dictionary === null) continue;
      const dictionaryAt = scanner.dictionaryInfos.value + index * 32;
      view.setUint32(dictionaryAt, dictionary.codes, true);
      view.setUint32(dictionaryAt + 4, dictionary.entries, true);
      view.setUint32(dictionaryAt + 8, dictionary.places, true);
    }
    this.#writeKeys(view);
    this.#exports.prepare();
  }

  #writeKeys(view: DataView): void {
    const scanner = this.#exports;
    const keys = keysOf(this.#options.columns);
    const multipliers = perfectHash(keys);
    scanner.hashFirst.value = multipliers.first;
    scanner.hashLast.value = multipliers.last;
    scanner.hashMiddle.value = multipliers.middle;
    const keyBytes = scanner.KEY_BYTES.value;
    for (const [index, key] of keys.entries()) {
      // 0 stands for an unknown key.
      const number = index + 1;
      if (key.text.length > keyBytes)
        throw new Error(`the key ${key.text} is longer than the ${keyBytes} bytes that the scanner compares`);
      view.setUint8(scanner.keyTable.value + key.context * 256 + hashOf(key.text, multipliers), number);
      const info = scanner.keyInfos.value + number * 8;
      view.setUint8(info, key.text.length);
      view.setUint8(info + 1, scanner[key.kind].value);
      view.setUint8(info + 2, key.column ?? scanner.NO_COLUMN.value);
      view.setUint8(info + 3, key.inner);
      let flags = 0;
      if (key.context === 0 && IDENTIFYING_KEYS.has(key.text)) flags = scanner.FLAG_IDENTIFIES.value;
      if (key.context === 0 && key.text === FIRST_KEY) flags = scanner.FLAG_SUGGESTS.value;
      view.setUint32(info + 4, flags, true);
      for (let at = 0; at < key.text.length; at++)
        view.setUint8(scanner.keyTexts.value + number * keyBytes + at, key.text.charCodeAt(at));
    }
  }

  reject(
    recordNo: number,
    offset: number,
    length: number,
    reasonNumber: number,
    errorOffset: number,
    errorByte: number,
    text: number,
    textLength: number,
  ): void {
    const reason = this.#reasons.get(reasonNumber);
    if (reason === undefined) throw new Error(`the scanner gave the reason ${reasonNumber}, which has no name`);
    const detail = this.#detail(reason, errorOffset, errorByte);
    this.#options.sink.reject({ recordNo, offset, length, reason, detail, text: this.#copy(text, textLength) });
  }

  #copy(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory, address >>> 0, length).slice();
  }

  #detail(reason: string, errorOffset: number, errorByte: number): string {
    switch (reason) {
      case 'json-invalid':
        return errorByte < 0
          ? `the JSON ends at byte ${errorOffset} of the file`
          : `no JSON goes on with ${describeByte(errorByte)} at byte ${errorOffset} of the file`;
      case 'nested-too-deep':
        return `more than ${this.#exports.MAX_DEPTH.value} levels of objects and arrays at byte ${errorOffset} of the file`;
      case 'invalid-utf8':
        return 'the record holds bytes that are not UTF-8';
      case 'not-cloudtrail-record':
        return 'the object has none of eventName, eventSource and eventID, or its eventSource begins with `aws:`';
      case 'records-not-array':
        return '`Records` holds no list';
      case 'truncated':
        return 'the file ends before the record, or the list of records, does';
      case 'trailing-garbage':
        return `what follows the last value begins with ${describeByte(errorByte)} at byte ${errorOffset} of the file`;
      case 'record-not-object':
        return 'an item of the list of records is no object';
      case 'record-too-large':
        return `the record has more than ${this.#options.recordBytes} bytes`;
      default:
        return reason;
    }
  }
}

function describeByte(byte: number): string {
  const hex = `0x${byte.toString(16).padStart(2, '0')}`;
  return byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}' (${hex})` : hex;
}

/** Reasons by their number in the scanner, from the names of its constants: REJECT_JSON_INVALID is `json-invalid`. */
function reasonsOf(exports: Record<string, unknown>): ReadonlyMap<number, string> {
  const reasons = new Map<number, string>();
  for (const [name, value] of Object.entries(exports)) {
    const reason = /^REJECT_(?!TEXT_BYTES)(.*)$/.exec(name)?.[1];
    if (reason !== undefined)
      reasons.set((value as WebAssembly.Global).value, reason.toLowerCase().replaceAll('_', '-'));
  }
  return reasons;
}
