/** The event ids of one UTC day, exact and in bounded memory: a hash table in front, sorted runs with filters on disk behind it. */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';

/** 4 words of id, 2 of facts (Batch.identity), 1 of owner. */
const ENTRY_WORDS = 7;
const ENTRY_BYTES = ENTRY_WORDS * 4;
const OWNER = 6;
/** Owner of what the store already holds. Units are positive; 0 is an empty slot. */
export const COMMITTED = -1;
const FIRST_CAPACITY = 1024;
/** Beyond this share of used slots, probing gets long. */
const MAX_LOAD = 0.7;
/** A flood of different records under one id must not make probing quadratic: further ones go to a set by full identity. */
const SAME_ID_MAX = 8;
/** Entries per block of a run: 3.5 kB, one read. */
const BLOCK_ENTRIES = 128;
/** 10 bits and 5 probes an id: under 1% false positives. */
const FILTER_BITS = 10;
const FILTER_PROBES = 5;

/** What a look-up found: nothing, the same record, or the same id with other facts. `owner` is set for the same record. */
export interface Found {
  kind: 'none' | 'same' | 'other-facts';
  owner: number;
}

/** 32 well-mixed bits of an id; `salt` gives independent ones. */
export function hashId(words: Int32Array, at: number, salt: number): number {
  let h = salt;
  for (let word = 0; word < 4; word++) {
    h = Math.imul(h ^ (words[at + word] ?? 0), 0x85ebca6b);
    h = (h ^ (h >>> 15)) | 0;
    h = Math.imul(h, 0xc2b2ae35) ^ (h >>> 13);
  }
  h = Math.imul(h ^ (h >>> 16), 0x9e3779b1);
  return (h ^ (h >>> 15)) >>> 0;
}

/** Salts are drawn per process: nobody can prepare ids that collide. */
export const SALT_A = Math.floor(Math.random() * 0x100000000) | 0;
export const SALT_B = Math.floor(Math.random() * 0x100000000) | 0;

const sameId = (a: Int32Array, at: number, b: Int32Array, bt: number): boolean =>
  a[at] === b[bt] && a[at + 1] === b[bt + 1] && a[at + 2] === b[bt + 2] && a[at + 3] === b[bt + 3];
const sameFacts = (a: Int32Array, at: number, b: Int32Array, bt: number): boolean =>
  a[at + 4] === b[bt + 4] && a[at + 5] === b[bt + 5];

/** Word by word: a view for each entry would cost more than the entry. */
function copyWords(from: Int32Array, at: number, to: Int32Array, toAt: number, count: number): void {
  for (let word = 0; word < count; word++) to[toAt + word] = from[at + word] ?? 0;
}

/** An immutable, sorted file of entries with a filter in front of it. The file has no name: it goes when the process goes. */
class Run {
  readonly #fd: number;
  readonly #entries: number;
  /** First hash of each block. */
  readonly #fences: Uint32Array;
  readonly #filter: Uint32Array;
  readonly #block = new Int32Array(BLOCK_ENTRIES * ENTRY_WORDS);
  #blockNo = -1;
  #blockEntries = 0;

  /** Takes `count` entries from the slots of a table. */
  constructor(slots: Int32Array, count: number, path: string) {
    const order = new Float64Array(count);
    let used = 0;
    for (let slot = 0; slot < slots.length / ENTRY_WORDS; slot++) {
      // Hash and slot in one exact double: 32 and 21 bits.
      if (slots[slot * ENTRY_WORDS + OWNER] !== 0)
        order[used++] = hashId(slots, slot * ENTRY_WORDS, SALT_A) * 0x200000 + slot;
    }
    order.sort();
    const sorted = new Int32Array(count * ENTRY_WORDS);
    this.#entries = count;
    this.#fences = new Uint32Array(Math.ceil(count / BLOCK_ENTRIES));
    this.#filter = new Uint32Array(2 ** Math.max(0, Math.ceil(Math.log2((count * FILTER_BITS) / 32))));
    for (let entry = 0; entry < count; entry++) {
      const key = order[entry] ?? 0;
      const hash = Math.floor(key / 0x200000);
      const slot = key - hash * 0x200000;
      copyWords(slots, slot * ENTRY_WORDS, sorted, entry * ENTRY_WORDS, ENTRY_WORDS);
      if (entry % BLOCK_ENTRIES === 0) this.#fences[entry / BLOCK_ENTRIES] = hash;
      this.#setBits(hash, hashId(slots, slot * ENTRY_WORDS, SALT_B));
    }
    this.#fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    const bytes = new Uint8Array(sorted.buffer);
    for (let written = 0; written < bytes.length; )
      written += writeSync(this.#fd, bytes, written, bytes.length - written, written);
  }

  get filterBytes(): number {
    return this.#filter.byteLength + this.#fences.byteLength;
  }

  #setBits(a: number, b: number): void {
    const mask = this.#filter.length * 32 - 1;
    for (let probe = 0; probe < FILTER_PROBES; probe++) {
      const bit = (a + Math.imul(probe, b | 1)) & mask;
      this.#filter[bit >>> 5] = (this.#filter[bit >>> 5] ?? 0) | (1 << (bit & 31));
    }
  }

  mayHold(a: number, b: number): boolean {
    const mask = this.#filter.length * 32 - 1;
    for (let probe = 0; probe < FILTER_PROBES; probe++) {
      const bit = (a + Math.imul(probe, b | 1)) & mask;
      if (((this.#filter[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }

  find(words: Int32Array, at: number, hash: number, found: Found): void {
    let low = 0;
    let high = this.#fences.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#fences[middle] ?? 0) < hash) low = middle + 1;
      else high = middle;
    }
    for (let block = Math.max(0, low - 1); block < this.#fences.length && (this.#fences[block] ?? 0) <= hash; block++) {
      this.#load(block);
      for (let entry = 0; entry < this.#blockEntries; entry++) {
        const here = entry * ENTRY_WORDS;
        if (!sameId(this.#block, here, words, at)) continue;
        if (sameFacts(this.#block, here, words, at)) {
          found.kind = 'same';
          found.owner = this.#block[here + OWNER] ?? COMMITTED;
          return;
        }
        found.kind = 'other-facts';
      }
    }
  }

  #load(block: number): void {
    if (block === this.#blockNo) return;
    this.#blockEntries = Math.min(BLOCK_ENTRIES, this.#entries - block * BLOCK_ENTRIES);
    readSync(
      this.#fd,
      new Uint8Array(this.#block.buffer, 0, this.#blockEntries * ENTRY_BYTES),
      0,
      this.#blockEntries * ENTRY_BYTES,
      block * BLOCK_ENTRIES * ENTRY_BYTES,
    );
    this.#blockNo = block;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Tables that were outgrown, by their length, at most one of each: the next day's table grows through the same sizes, and new memory costs more than cleared one. */
const SPARE_BYTES_MAX = 4 * 1024 * 1024;
const spareSlots = new Map<number, Int32Array<ArrayBuffer>>();

function emptySlots(capacity: number): Int32Array<ArrayBuffer> {
  const length = capacity * ENTRY_WORDS;
  const spare = spareSlots.get(length);
  if (spare === undefined) return new Int32Array(length);
  spareSlots.delete(length);
  return spare.fill(0);
}

export class EventIds {
  #slots = new Int32Array(FIRST_CAPACITY * ENTRY_WORDS);
  #capacity = FIRST_CAPACITY;
  #count = 0;
  readonly #runs: Run[] = [];
  /** Full identities beyond SAME_ID_MAX under one id, with their owner. */
  readonly #overflow = new Map<string, number>();
  readonly #found: Found = { kind: 'none', owner: 0 };

  /** Bytes of the table that spill() would free. */
  get tableBytes(): number {
    return this.#slots.byteLength;
  }

  get filterBytes(): number {
    return this.#runs.reduce((sum, run) => sum + run.filterBytes, 0);
  }

  /** Looks for the identity at words[at]; unless it is the same record, remembers it for `owner`. The result is valid until the next call. */
  admit(words: Int32Array, at: number, owner: number): Found {
    const found = this.#found;
    found.kind = 'none';
    const hash = hashId(words, at, SALT_A);
    let slot = hash & (this.#capacity - 1);
    let sameIds = 0;
    for (;;) {
      const here = slot * ENTRY_WORDS;
      if (this.#slots[here + OWNER] === 0) break;
      if (sameId(this.#slots, here, words, at)) {
        if (sameFacts(this.#slots, here, words, at)) {
          found.kind = 'same';
          found.owner = this.#slots[here + OWNER] ?? COMMITTED;
          return found;
        }
        found.kind = 'other-facts';
        if (++sameIds === SAME_ID_MAX) return this.#admitOverflow(words, at, owner, hash);
      }
      slot = (slot + 1) & (this.#capacity - 1);
    }
    if (this.#inRuns(words, at, hash)) return found;
    copyWords(words, at, this.#slots, slot * ENTRY_WORDS, OWNER);
    this.#slots[slot * ENTRY_WORDS + OWNER] = owner;
    this.#count++;
    if (this.#count > this.#capacity * MAX_LOAD) this.#grow();
    return found;
  }

  #inRuns(words: Int32Array, at: number, hash: number): boolean {
    if (this.#runs.length === 0) return false;
    const second = hashId(words, at, SALT_B);
    for (const run of this.#runs) {
      if (!run.mayHold(hash, second)) continue;
      run.find(words, at, hash, this.#found);
      if (this.#found.kind === 'same') return true;
    }
    return false;
  }

  #admitOverflow(words: Int32Array, at: number, owner: number, hash: number): Found {
    const found = this.#found;
    const key = words.subarray(at, at + OWNER).join();
    const known = this.#overflow.get(key);
    if (known !== undefined) {
      found.kind = 'same';
      found.owner = known;
    } else if (!this.#inRuns(words, at, hash)) {
      this.#overflow.set(key, owner);
    }
    return found;
  }

  #grow(): void {
    const old = this.#slots;
    this.#capacity *= 2;
    this.#slots = emptySlots(this.#capacity);
    for (let here = 0; here < old.length; here += ENTRY_WORDS) {
      if (old[here + OWNER] === 0) continue;
      let slot = hashId(old, here, SALT_A) & (this.#capacity - 1);
      while (this.#slots[slot * ENTRY_WORDS + OWNER] !== 0) slot = (slot + 1) & (this.#capacity - 1);
      copyWords(old, here, this.#slots, slot * ENTRY_WORDS, ENTRY_WORDS);
    }
    if (old.byteLength <= SPARE_BYTES_MAX) spareSlots.set(old.length, old);
  }

  /** Moves the table to a sorted run on disk. `path` must not exist; it is unlinked at once. */
  spill(path: string): void {
    if (this.#count === 0) return;
    this.#runs.push(new Run(this.#slots, this.#count, path));
    this.#capacity = FIRST_CAPACITY;
    this.#slots = new Int32Array(FIRST_CAPACITY * ENTRY_WORDS);
    this.#count = 0;
  }

  close(): void {
    for (const run of this.#runs) run.close();
    this.#runs.length = 0;
  }
}
