/** The host of a WebAssembly scanner, whatever its format: lays out its memory, tells it the columns and the identity of the table, and speaks to it in JavaScript's terms. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { AppError, damagedInstall } from '../errors.ts';
import {
  type DecodeLimits,
  type FileContext,
  type PackedRepeated,
  type PackedTexts,
  type Reject,
  type RowGroups,
} from '../format.ts';
import { type Column, rawColumns, type Table } from '../table.ts';
import { layOut, type ScannerLayout, WIDTH } from './scanner-layout.ts';

/** Rows of a window: whole vectors of DuckDB's (2048 rows), and a segment that compresses well while it takes some 50 MB to build. */
export const MAX_ROWS = 20_480;
/** Room beside the largest incomplete record, so that a slice always fits. */
const SLICE_BYTES = 2 * 1024 * 1024;
/** Texts are gathered by so many bytes: a page of a segment, twice what zstd looks back at its fastest. */
const PACK_BYTES = 1024 * 1024;
/** All that a WebAssembly memory can have: 4 GiB. */
const MAX_PAGES = 65_536;
const MICROS_PER_MS = 1000n;
const DAY_MS = 86_400_000n;

/** Columns that every scanner itself reads or fills, by its name for them. */
const OWN_COLUMNS = {
  logFileColumn: 'log_file',
  recordNoColumn: 'record_no',
  eventTimeColumn: 'event_time',
  extraColumn: 'extra',
} as const;

type IdentityKind = `IDENTITY_${'TEXT' | 'LONG' | 'INTEGER'}`;

/** The scanner's numbers: the same names as in scanner/. */
type ConstantName = IdentityKind | 'WINDOW_FULL' | 'MAX_ENTRIES' | 'PLACES' | 'MAX_GROUPS' | 'GROUP_PLACES';

/** Its tables and settings, which are written before the first byte is scanned. */
type SettingName =
  | 'columnInfos'
  | 'dictionaryInfos'
  | 'identityColumns'
  | 'idCount'
  | 'factCount'
  | 'columnCount'
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
type StateName = 'rows' | 'fileRows' | 'packedAt' | 'packedBytes' | 'packedTexts';

/** What every scanner exports: window.ts of scanner/, and how bytes come in. */
export type ScannerExports = Readonly<Record<ConstantName, Readonly<WebAssembly.Global>>> &
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
    /** A scanner whose records tell their own end has no use for `isCut`. */
    scan(last: number, isCut: number): number;
    resetWindow(): void;
    dictionarySize(column: number): number;
    beginGroups(): void;
    splitGroups(column: number): number;
    packTexts(column: number, from: number, count: number): number;
    packRepeated(column: number, count: number): number;
  };

export interface ScannerOptions {
  readonly table: Table;
  readonly limits: DecodeLimits;
}

/** Told of what is no row, in the order of the file. */
export interface RejectSink {
  reject(reject: Reject): void;
}

function checkLimits(limits: DecodeLimits): void {
  for (const [name, bytes] of Object.entries(limits)) {
    if (!Number.isSafeInteger(bytes) || bytes < 1) {
      throw new AppError(
        'config-invalid',
        `cannot decode with ${name} = ${bytes}: expected a whole number of bytes, at least 1`,
      );
    }
  }
}

function identityKindOf({ name, type }: Column): IdentityKind {
  switch (type) {
    case 'VARCHAR':
      return 'IDENTITY_TEXT';
    case 'TIMESTAMP':
    case 'BIGINT':
      return 'IDENTITY_LONG';
    case 'INTEGER':
      return 'IDENTITY_INTEGER';
    case 'BOOLEAN':
    case 'VARCHAR[]':
      throw new Error(`the identity has no place for ${name}, which is ${type}`);
  }
}

const moduleUrl = (name: string): URL =>
  import.meta.url.endsWith('.ts')
    ? new URL(`../../dist/src/formats/${name}.wasm`, import.meta.url)
    : new URL(`./${name}.wasm`, import.meta.url);

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** The module `dist/src/formats/<name>.wasm`, compiled once. */
export function compileScanner(name: string): Promise<WebAssembly.Module> {
  const known = compiled.get(name) ?? load(name);
  compiled.set(name, known);
  return known;
}

/** A module with one wrong bit may compile and decode all wrong: it must be what was built. */
async function load(name: string): Promise<WebAssembly.Module> {
  const url = moduleUrl(name);
  const [bytes, built] = await Promise.all([readFile(url), readFile(new URL(`${url.href}.sha256`), 'utf8')]);
  if (createHash('sha256').update(bytes).digest('hex') !== built)
    throw damagedInstall(`load ${name}.wasm`, new Error('it is not what was built, its SHA-256 is another'));
  return WebAssembly.compile(bytes);
}

/** The format's scanner extends this, tells its module what else it needs to know, and calls start(). */
export abstract class ScannerHost<Exports extends ScannerExports, Sink extends RejectSink = RejectSink> {
  readonly layout: ScannerLayout;
  protected readonly columns: readonly Column[];
  protected readonly limits: DecodeLimits;
  protected readonly exports: Exports;
  protected readonly sink: Sink;
  readonly #memory: WebAssembly.Memory;
  readonly #reasons: ReadonlyMap<number, string>;
  #selected = 0;

  constructor(module: WebAssembly.Module, { table, limits }: ScannerOptions, sink: Sink) {
    checkLimits(limits);
    this.sink = sink;
    this.limits = limits;
    this.columns = rawColumns(table);
    this.#memory = new WebAssembly.Memory({ initial: 16, maximum: MAX_PAGES });
    const instance = new WebAssembly.Instance(module, {
      env: { memory: this.#memory },
      host: this.imports(),
    });
    this.exports = instance.exports as unknown as Exports;
    this.#reasons = reasonsOf(instance.exports);
    this.layout = layOut(
      {
        columns: this.columns,
        maxRows: MAX_ROWS,
        packBytes: PACK_BYTES,
        textBytes: Math.max(limits.windowBytes, limits.recordBytes + SLICE_BYTES),
      },
      {
        freeAddress: this.exports.freeAddress(),
        dictionaryEntries: this.exports.MAX_ENTRIES.value,
        dictionaryPlaces: this.exports.PLACES.value,
        groups: this.exports.MAX_GROUPS.value,
        groupPlaces: this.exports.GROUP_PLACES.value,
      },
    );
    this.#configure();
    this.#writeIdentity(table);
  }

  /** A reject in words, from the name of its constant. Offsets are those of the file; the byte is -1 at its end. */
  protected abstract explain(reason: string, errorOffset: number, errorByte: number): Pick<Reject, 'reason' | 'detail'>;

  /** Functions that the module calls. It does so only after start(). */
  protected imports(): Record<string, (...args: never[]) => void> {
    return { reject: (...args: Parameters<typeof this.reject>) => this.reject(...args) };
  }

  protected start(): void {
    this.exports.prepare();
  }

  get memory(): ArrayBuffer {
    return this.#memory.buffer;
  }

  get rows(): number {
    return this.exports.rows.value;
  }

  /** Rows of the current file in all windows so far. */
  get fileRows(): number {
    return this.exports.fileRows.value;
  }

  beginFile({ logFile, deliveredDay, ingestedAtMs }: FileContext): void {
    this.exports.logFile.value = BigInt(logFile);
    this.exports.deliveredDay.value = deliveredDay;
    this.exports.latestTime.value = (BigInt(Math.floor(ingestedAtMs)) + DAY_MS) * MICROS_PER_MS;
    this.exports.beginFile();
  }

  /** Bytes that write() can take. */
  room(): number {
    this.exports.makeRoom();
    return Math.max(this.exports.inputRoom() | 0, 0);
  }

  write(bytes: Uint8Array, isUtf8: boolean): void {
    new Uint8Array(this.memory).set(bytes, this.exports.inputAddress() >>> 0);
    this.exports.takeInput(bytes.length, isUtf8 ? 1 : 0);
  }

  /** Decodes what was written. True when the window must be reset before it can go on. */
  scan(last: boolean, isCut = false): boolean {
    return this.exports.scan(last ? 1 : 0, isCut ? 1 : 0) === this.exports.WINDOW_FULL.value;
  }

  reset(): void {
    this.exports.resetWindow();
  }

  /** See ColumnBuffer.repeats. */
  repeats(column: number): boolean {
    return this.layout.dictionaries[column] !== null && this.exports.dictionarySize(column) > 0;
  }

  /** See Batch.groups(). */
  groups(columns: readonly number[]): RowGroups | null {
    const { rows } = this;
    let count = rows > 0 ? 1 : 0;
    this.exports.beginGroups();
    for (const column of columns) {
      count = this.exports.splitGroups(column);
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
      const to = this.exports.packTexts(column, from, this.#selected);
      const lengths = new Int32Array(this.memory, this.layout.packLengths, this.exports.packedTexts.value);
      yield { from, to, bytes: this.#packed(), lengths };
      from = to;
    }
  }

  /** See Batch.packRepeated(). */
  packRepeated(column: number): PackedRepeated {
    const count = this.exports.packRepeated(column, this.#selected);
    return {
      codes: new Uint16Array(this.memory, this.layout.packCodes, count),
      size: this.exports.packedTexts.value,
      texts: this.#packed(),
    };
  }

  #packed(): Uint8Array {
    return new Uint8Array(this.memory, this.exports.packedAt.value >>> 0, this.exports.packedBytes.value >>> 0);
  }

  #configure(): void {
    const { layout, columns } = this;
    const scanner: ScannerExports = this.exports;
    scanner.maxRows.value = MAX_ROWS;
    scanner.recordLimit.value = this.limits.recordBytes;
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
    for (const [setting, name] of Object.entries(OWN_COLUMNS) as [keyof typeof OWN_COLUMNS, string][])
      scanner[setting].value = this.columnNumber(name);
    const view = new DataView(this.memory);
    for (const [index, place] of layout.columns.entries()) {
      const at = scanner.columnInfos.value + index * 16;
      view.setUint32(at, place.data, true);
      view.setUint32(at + 4, place.validity, true);
      view.setUint32(at + 8, WIDTH[place.layout], true);
      const dictionary = layout.dictionaries[index];
      if (dictionary === undefined || dictionary === null) continue;
      const dictionaryAt = scanner.dictionaryInfos.value + index * 32;
      view.setUint32(dictionaryAt, dictionary.codes, true);
      view.setUint32(dictionaryAt + 4, dictionary.entries, true);
      view.setUint32(dictionaryAt + 8, dictionary.places, true);
    }
  }

  #writeIdentity({ identity }: Table): void {
    const scanner: ScannerExports = this.exports;
    const view = new DataView(this.memory);
    for (const [index, name] of [...identity.id, ...identity.facts].entries()) {
      const number = this.columnNumber(name);
      const column = this.columns[number];
      if (column === undefined) throw new Error(`the table has no column number ${number}`);
      view.setUint8(scanner.identityColumns.value + index * 2, number);
      view.setUint8(scanner.identityColumns.value + index * 2 + 1, scanner[identityKindOf(column)].value);
    }
    scanner.idCount.value = identity.id.length;
    scanner.factCount.value = identity.facts.length;
  }

  /** Number of the raw column with this name. */
  protected columnNumber(name: string): number {
    const index = this.columns.findIndex((column) => column.name === name);
    if (index < 0) throw new Error(`the table has no raw column ${name}, which the scanner needs`);
    return index;
  }

  private reject(
    recordNo: number,
    offset: number,
    length: number,
    reasonNumber: number,
    errorOffset: number,
    errorByte: number,
    text: number,
    textLength: number,
  ): void {
    const name = this.#reasons.get(reasonNumber);
    if (name === undefined) throw new Error(`the scanner gave the reason ${reasonNumber}, which has no name`);
    const { reason, detail } = this.explain(name, errorOffset, errorByte);
    this.sink.reject({ recordNo, offset, length, reason, detail, text: this.copy(text, textLength) });
  }

  protected copy(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory, address >>> 0, length).slice();
  }
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

/** For a person: how a byte is written, and its number. */
export function describeByte(byte: number): string {
  const hex = `0x${byte.toString(16).padStart(2, '0')}`;
  return byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}' (${hex})` : hex;
}
