/** The host of the scanner of JSON values: puts text into its memory, and says where values end, what members an object has and what a string holds. */
import { hashOf, perfectHash } from './json-keys.ts';
import { compileScanner } from './scanner-host.ts';

/** All that a WebAssembly memory can have: 4 GiB. */
const MAX_PAGES = 65_536;
/** Bytes of what the module knows of a key. */
const KEY_INFO = 8;

interface Exports {
  readonly failedAt: Readonly<WebAssembly.Global>;
  readonly failure: Readonly<WebAssembly.Global>;
  readonly memberCount: Readonly<WebAssembly.Global>;
  readonly members: Readonly<WebAssembly.Global>;
  readonly MAX_KEYS: Readonly<WebAssembly.Global>;
  readonly MAX_DEPTH: Readonly<WebAssembly.Global>;
  readonly PADDING: Readonly<WebAssembly.Global>;
  readonly REJECT_NESTED_TOO_DEEP: Readonly<WebAssembly.Global>;
  readonly KEY_BYTES: Readonly<WebAssembly.Global>;
  readonly keyTable: Readonly<WebAssembly.Global>;
  readonly keyInfos: Readonly<WebAssembly.Global>;
  readonly keyTexts: Readonly<WebAssembly.Global>;
  readonly hashFirst: WebAssembly.Global;
  readonly hashLast: WebAssembly.Global;
  readonly hashMiddle: WebAssembly.Global;
  readonly hashBack: WebAssembly.Global;
  readonly scratchBase: WebAssembly.Global;
  freeAddress(): number;
  ensureMemory(address: number): void;
  skipSpace(at: number): number;
  valueEnd(at: number, depth: number): number;
  objectEnd(at: number): number;
  memberValue(at: number): number;
  decodeText(start: number, end: number): number;
}

/** Bytes in the memory, from `start` to before `end`. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Reads with the keys that it can tell apart in objects; MAX_KEYS - 1 of them at most, of up to KEY_BYTES bytes of ASCII. */
export async function loadJsonValues(keys: readonly string[]): Promise<JsonValues> {
  return new JsonValues(await compileScanner('json-values'), keys);
}

/**
 * Every address is one in `bytes`. What is read ends at the first NUL: load() and the functions that decode put some behind what they write, and bounded()
 * behind any other stretch. One text is at hand at a time, and what was decoded from it lies behind it, the last on top.
 */
export class JsonValues {
  /** The memory. Another object when it has grown: never kept over a call of load() or of what decodes. */
  bytes: Buffer;
  /** Bytes passed so far, over and over the same ones as well: what proves that time is linear. */
  passed = 0;
  readonly #exports: Exports;
  readonly #memory: WebAssembly.Memory;
  readonly #base: number;
  /** Two words for each key: where its value begins and ends. */
  #members: Uint32Array;
  /** The first byte that nothing lies in. */
  #top: number;

  constructor(module: WebAssembly.Module, keys: readonly string[]) {
    this.#memory = new WebAssembly.Memory({ initial: 16, maximum: MAX_PAGES });
    this.#exports = new WebAssembly.Instance(module, { env: { memory: this.#memory } }).exports as unknown as Exports;
    this.#base = this.#exports.freeAddress();
    this.#top = this.#base;
    this.bytes = Buffer.from(this.#memory.buffer);
    this.#members = this.#membersView();
    this.#writeKeys(keys);
  }

  /** Puts a text into the memory in place of all there is. */
  load(parts: readonly Uint8Array[]): Range {
    this.#top = this.#base;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    this.passed += length;
    this.#reserve(length);
    let at = this.#base;
    for (const part of parts) {
      this.bytes.set(part, at);
      at += part.length;
    }
    return this.#put(length);
  }

  /** Where the object at `at` ends, or 0. Its members can be asked for then, as far as they go, until the next call. */
  objectEnd(at: number): number {
    return this.#passed(at, this.#exports.objectEnd(at));
  }

  /** Where the value at `at` ends, or 0. A number that ends at a NUL counts as whole. */
  valueEnd(at: number): number {
    return this.#passed(at, this.#exports.valueEnd(at, 1));
  }

  /** Where the value of the member begins whose key begins at `at`, or 0. */
  memberValue(at: number): number {
    return this.#passed(at, this.#exports.memberValue(at));
  }

  skipSpace(at: number): number {
    return this.#exports.skipSpace(at);
  }

  /** Where the last value that has no end failed to go on; at the NUL behind the bytes, it may yet go on. */
  get failedAt(): number {
    return this.#exports.failedAt.value;
  }

  /** Whether it failed since it has more levels than a record may have. */
  get isTooDeep(): boolean {
    return this.#exports.failure.value === this.#exports.REJECT_NESTED_TOO_DEEP.value;
  }

  get maxDepth(): number {
    return this.#exports.MAX_DEPTH.value;
  }

  /** Members of the object passed last. */
  get memberCount(): number {
    return this.#exports.memberCount.value;
  }

  /** Where the value of its first member with this key begins, 0 when there is none. Keys are numbered from 1 on, in the order that they were given in. */
  memberStart(key: number): number {
    return this.#members[key * 2] ?? 0;
  }

  /** And where it ends, 0 when it is not whole. */
  memberEndOf(key: number): number {
    return this.#members[key * 2 + 1] ?? 0;
  }

  /** What the string [start, end) between quotes holds; an unpaired surrogate as U+FFFD. It lies there until release(). */
  decodeText({ start, end }: Range): Range {
    this.passed += end - start;
    this.#exports.scratchBase.value = this.#top;
    const length = this.#exports.decodeText(start + 1, end - 1);
    this.#refresh();
    return this.#put(length);
  }

  /** What the text [start, end) encodes, as lenient as Node is; it lies there until release(). */
  decodeBase64({ start, end }: Range): Range {
    this.passed += end - start;
    const text = this.bytes.toString('latin1', start, end);
    this.#reserve(end - start);
    return this.#put(this.bytes.write(text, this.#top, 'base64'));
  }

  /** Puts bytes on top; they lie there until release(). */
  add(bytes: Uint8Array): Range {
    this.passed += bytes.length;
    this.#reserve(bytes.length);
    this.bytes.set(bytes, this.#top);
    return this.#put(bytes.length);
  }

  /** Lets go of what was put on top, and of all above it. */
  release({ start }: Range): void {
    this.#top = start;
  }

  /** Calls `read` while [..., end) ends at a NUL. */
  bounded(end: number, read: () => void): void {
    const byte = this.bytes[end] ?? 0;
    this.bytes[end] = 0;
    read();
    this.bytes[end] = byte;
  }

  #passed(start: number, end: number): number {
    // What is decoded for a key with escapes may have made the memory grow.
    this.#refresh();
    this.passed += (end === 0 ? this.failedAt : end) - start;
    return end;
  }

  #reserve(length: number): void {
    this.#exports.ensureMemory(this.#top + length);
    this.#refresh();
  }

  #put(length: number): Range {
    const start = this.#top;
    const end = start + length;
    this.#top = end + this.#exports.PADDING.value;
    this.#exports.ensureMemory(this.#top);
    this.#refresh();
    this.bytes.fill(0, end, this.#top);
    // Keys with escapes are decoded on top, too.
    this.#exports.scratchBase.value = this.#top;
    return { start, end };
  }

  #refresh(): void {
    if (this.bytes.buffer === this.#memory.buffer) return;
    this.bytes = Buffer.from(this.#memory.buffer);
    this.#members = this.#membersView();
  }

  #membersView(): Uint32Array {
    return new Uint32Array(this.#memory.buffer, this.#exports.members.value, this.#exports.MAX_KEYS.value * 2);
  }

  #writeKeys(texts: readonly string[]): void {
    const { keyTable, keyInfos, keyTexts, KEY_BYTES, MAX_KEYS, hashFirst, hashLast, hashMiddle, hashBack } =
      this.#exports;
    if (texts.length >= MAX_KEYS.value)
      throw new Error(`${texts.length} keys are too many: expected at most ${MAX_KEYS.value - 1}`);
    const keys = texts.map((text) => ({ text, context: 0 }));
    const hash = perfectHash(keys, KEY_BYTES.value);
    hashFirst.value = hash.first;
    hashLast.value = hash.last;
    hashMiddle.value = hash.middle;
    hashBack.value = hash.back;
    for (const [index, { text }] of keys.entries()) {
      const key = index + 1;
      if (text.length > KEY_BYTES.value) throw new Error(`the key ${text} has more than ${KEY_BYTES.value} bytes`);
      this.bytes[keyTable.value + hashOf(text, hash)] = key;
      this.bytes[keyInfos.value + key * KEY_INFO] = text.length;
      this.bytes.write(text, keyTexts.value + key * KEY_BYTES.value, 'latin1');
    }
  }
}
