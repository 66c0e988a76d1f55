/** The host of the JSON scanner: tells it the keys of the table and what a record of the format shows, and puts into words what it rejects. */
import type { DecodeLimits, FileContext, Reject } from '../format.ts';
import type { Column, Table } from '../table.ts';
import { hashOf, perfectHash } from './json-keys.ts';
import { compileScanner, describeByte, type RejectSink, type ScannerExports, ScannerHost } from './scanner-host.ts';

/** What a record may show: one of these keys, or a column with one of these texts. */
export interface Trait {
  readonly keys?: readonly string[];
  readonly texts?: readonly TextTest[];
}

/** A text column is, or begins with, a text of at most 32 bytes. */
interface TextTest {
  readonly column: string;
  readonly is?: string;
  readonly startsWith?: string;
}

/** How the records of a format are told from other JSON. */
export interface JsonShape {
  readonly table: Table;
  /** How the column `event_time` is written: as ISO 8601 text or as milliseconds since 1970. */
  readonly eventTime: 'text' | 'milliseconds';
  /** Keys of a document that is no record: it has the records in a list, or it is a digest. */
  readonly frame: Readonly<Record<string, 'records' | 'digest'>>;
  /** The key that a record begins with. */
  readonly firstKey: string;
  /** Keys that nothing but this format has: one in a file, and what is broken there is a broken record. */
  readonly ownKeys: readonly string[];
  /** A record shows all of these, */
  readonly needed: readonly Trait[];
  /** and none of these. */
  readonly refused: readonly Trait[];
  /** Records that show one of these are told to the sink by setAside(), and are neither rows nor rejects. */
  readonly aside: readonly Trait[];
  /** What is said of an object that is no record. */
  readonly notRecord: Pick<Reject, 'reason' | 'detail'>;
}

export interface JsonSink extends RejectSink {
  setAside(recordNo: number, offset: number, length: number, text: Uint8Array): void;
}

type KindName =
  `KIND_${'TEXT' | 'TIMESTAMP' | 'EVENT_TIME' | 'EVENT_MILLIS' | 'BOOLEAN' | 'INTEGER' | 'LONG' | 'JSON' | 'OBJECT' | 'RECORDS' | 'DIGEST' | 'MARK'}`;

type ConstantName =
  | KindName
  | 'FLAG_OWN'
  | 'FLAG_BEGINS'
  | 'FIRST_MARK'
  | 'NO_COLUMN'
  | 'KEY_BYTES'
  | 'TEXT_TEST_BYTES'
  | 'MAX_DEPTH';

type SettingName =
  | 'keyTable'
  | 'keyInfos'
  | 'keyTexts'
  | 'contextKeys'
  | 'contextCount'
  | 'keptContexts'
  | 'hashFirst'
  | 'hashLast'
  | 'hashMiddle'
  | 'hashBack'
  | 'textTests'
  | 'testCount'
  | 'neededMarks'
  | 'refusedMarks'
  | 'asideMarks';

type StateName = 'framesSeen' | 'topValues' | 'isDigest' | 'seenOwn';

type JsonExports = ScannerExports &
  Readonly<Record<ConstantName, Readonly<WebAssembly.Global>>> &
  Readonly<Record<SettingName | 'isUnwrapped', WebAssembly.Global>> &
  Readonly<Record<StateName, Readonly<WebAssembly.Global>>>;

interface Key {
  readonly text: string;
  readonly context: number;
  readonly kind: KindName;
  /** Index of the column, or null. */
  column: number | null;
  readonly inner: number;
}

const FRAME_KINDS = { records: 'KIND_RECORDS', digest: 'KIND_DIGEST' } as const;
const EVENT_TIME_COLUMN = 'event_time';

function kindOf(column: Column, { eventTime }: JsonShape): KindName {
  if (column.json === true) return 'KIND_JSON';
  switch (column.type) {
    case 'VARCHAR':
      return 'KIND_TEXT';
    case 'TIMESTAMP':
      if (column.name !== EVENT_TIME_COLUMN) return 'KIND_TIMESTAMP';
      return eventTime === 'text' ? 'KIND_EVENT_TIME' : 'KIND_EVENT_MILLIS';
    case 'BOOLEAN':
      return 'KIND_BOOLEAN';
    case 'INTEGER':
      return 'KIND_INTEGER';
    case 'BIGINT':
      return 'KIND_LONG';
    case 'VARCHAR[]':
      throw new Error(`the scanner fills no lists, and ${column.name} is one`);
  }
}

/** The known keys, from the paths of the columns: an object on the way to a column has a context of its own. */
function keysOf(columns: readonly Column[], shape: JsonShape): readonly Key[] {
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
    const kind = kindOf(column, shape);
    keys.set(column.raw, { text: column.raw.slice(cut + 1), context, kind, column: index, inner: 0 });
  }
  const addToRecord = (text: string, kind: KindName): void => {
    if (!keys.has(text)) keys.set(text, { text, context: 0, kind, column: null, inner: 0 });
  };
  for (const [text, kind] of Object.entries(shape.frame)) addToRecord(text, FRAME_KINDS[kind]);
  for (const { keys: traitKeys = [] } of [...shape.needed, ...shape.refused, ...shape.aside])
    for (const text of traitKeys) addToRecord(text, 'KIND_MARK');
  return [...keys.values()];
}

/** One bit for the record, and for each object whose raw text no column has: what is unknown there goes to `extra`. */
function keptContextsOf(keys: readonly Key[]): number {
  let kept = 1;
  for (const key of keys) {
    if (key.inner === 0 || key.column !== null || (kept & (1 << key.context)) === 0) continue;
    if (key.context !== 0) throw new Error(`the object ${key.text} lies too deep: what is unknown in it would be lost`);
    kept |= 1 << key.inner;
  }
  return kept;
}

export async function loadJsonScanner(shape: JsonShape, limits: DecodeLimits, sink: JsonSink): Promise<JsonScanner> {
  return new JsonScanner(await compileScanner('json-scanner'), shape, limits, sink);
}

export class JsonScanner extends ScannerHost<JsonExports, JsonSink> {
  readonly #notRecord: JsonShape['notRecord'];

  constructor(module: WebAssembly.Module, shape: JsonShape, limits: DecodeLimits, sink: JsonSink) {
    super(module, { table: shape.table, limits }, sink);
    this.#notRecord = shape.notRecord;
    this.#writeShape(shape);
    this.start();
  }

  override beginFile(file: FileContext): void {
    this.exports.isUnwrapped.value = file.isUnwrapped === true ? 1 : 0;
    super.beginFile(file);
  }

  get isDigest(): boolean {
    return this.exports.isDigest.value !== 0;
  }

  /** Whether the current file holds something that only this format has, broken or whole. */
  get sawOwn(): boolean {
    return this.exports.seenOwn.value !== 0 || this.exports.framesSeen.value > 0 || this.isDigest;
  }

  /** Whether the current file holds any JSON value at all. */
  get sawValue(): boolean {
    return this.exports.topValues.value > 0;
  }

  protected override imports(): Record<string, (...args: never[]) => void> {
    return {
      ...super.imports(),
      setAside: (recordNo: number, offset: number, length: number, text: number, textLength: number) =>
        this.sink.setAside(recordNo, offset, length, this.copy(text, textLength)),
    };
  }

  #writeShape(shape: JsonShape): void {
    const keys = keysOf(this.columns, shape);
    const flags = new Map<string, number>();
    const flag = (key: string, bits: number): void => void flags.set(key, (flags.get(key) ?? 0) | bits);
    for (const key of shape.ownKeys) flag(key, this.exports.FLAG_OWN.value);
    flag(shape.firstKey, this.exports.FLAG_BEGINS.value);

    let mark = this.exports.FIRST_MARK.value;
    const marksOf = (traits: readonly Trait[]): number => {
      let marks = 0;
      for (const { keys: traitKeys = [], texts = [] } of traits) {
        for (const key of traitKeys) flag(key, mark);
        for (const test of texts) this.#writeTest(test, mark);
        marks |= mark;
        mark *= 2;
      }
      return marks;
    };
    this.exports.neededMarks.value = marksOf(shape.needed);
    this.exports.refusedMarks.value = marksOf(shape.refused);
    this.exports.asideMarks.value = marksOf(shape.aside);
    this.#writeKeys(keys, flags);
  }

  #writeTest({ column, is, startsWith }: TextTest, mark: number): void {
    const text = is ?? startsWith ?? '';
    const bytes = this.exports.TEXT_TEST_BYTES.value;
    if (text === '' || text.length > bytes - 16)
      throw new Error(`the scanner compares 1 to ${bytes - 16} bytes, and '${text}' has ${text.length}`);
    const view = new DataView(this.memory);
    const at = this.exports.textTests.value + this.exports.testCount.value++ * bytes;
    view.setUint8(at, this.columnNumber(column));
    view.setUint8(at + 1, is === undefined ? 1 : 0);
    view.setUint16(at + 2, text.length, true);
    view.setUint32(at + 4, mark, true);
    this.#writeText(at + 16, text);
  }

  #writeKeys(keys: readonly Key[], flags: ReadonlyMap<string, number>): void {
    const scanner = this.exports;
    const view = new DataView(this.memory);
    const keyBytes = scanner.KEY_BYTES.value;
    const hash = perfectHash(keys, keyBytes);
    scanner.hashFirst.value = hash.first;
    scanner.hashLast.value = hash.last;
    scanner.hashMiddle.value = hash.middle;
    scanner.hashBack.value = hash.back;
    scanner.keptContexts.value = keptContextsOf(keys);
    scanner.contextCount.value = 1 + keys.filter(({ inner }) => inner > 0).length;
    for (const [index, key] of keys.entries()) {
      // 0 stands for an unknown key.
      const number = index + 1;
      if (key.text.length > keyBytes)
        throw new Error(`the key ${key.text} is longer than the ${keyBytes} bytes that the scanner compares`);
      view.setUint8(scanner.keyTable.value + key.context * 256 + hashOf(key.text, hash), number);
      if (key.inner > 0) view.setUint8(scanner.contextKeys.value + key.inner, number);
      const info = scanner.keyInfos.value + number * 8;
      view.setUint8(info, key.text.length);
      view.setUint8(info + 1, scanner[key.kind].value);
      view.setUint8(info + 2, key.column ?? scanner.NO_COLUMN.value);
      view.setUint8(info + 3, key.inner);
      view.setUint32(info + 4, key.context === 0 ? (flags.get(key.text) ?? 0) : 0, true);
      this.#writeText(scanner.keyTexts.value + number * keyBytes, key.text);
    }
  }

  /** ASCII, as all of AWS's names are. */
  #writeText(address: number, text: string): void {
    const bytes = new Uint8Array(this.memory, address, text.length);
    for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  }

  protected override explain(
    reason: string,
    errorOffset: number,
    errorByte: number,
  ): Pick<Reject, 'reason' | 'detail'> {
    if (reason === 'not-record') return this.#notRecord;
    return { reason, detail: this.#detail(reason, errorOffset, errorByte) };
  }

  #detail(reason: string, errorOffset: number, errorByte: number): string {
    switch (reason) {
      case 'json-invalid':
        return errorByte < 0
          ? `the JSON ends at ${this.place(errorOffset)}`
          : `no JSON goes on with ${describeByte(errorByte)} at ${this.place(errorOffset)}`;
      case 'nested-too-deep':
        return `more than ${this.exports.MAX_DEPTH.value} levels of objects and arrays at ${this.place(errorOffset)}`;
      case 'invalid-utf8':
        return 'the record holds bytes that are not UTF-8';
      case 'records-not-array':
        return '`Records` holds no list';
      case 'truncated':
        return 'the file ends before the record, or the list of records, does';
      case 'trailing-garbage':
        return `what follows the last value begins with ${describeByte(errorByte)} at ${this.place(errorOffset)}`;
      case 'record-not-object':
        return 'an item of the list of records is no object';
      case 'record-too-large':
        return `the record has more than ${this.limits.recordBytes} bytes`;
      default:
        return reason;
    }
  }
}
