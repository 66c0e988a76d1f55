/** Which event ids a large stored day may hold: 32 bits of each, so that a run of new events need not read what says whether records are the same. */
import { hashId, SALT_A, SALT_B } from './event-ids.ts';

const MAX_LOAD = 0.6;

export class IdFilter {
  readonly #slots: Int32Array;
  readonly #mask: number;

  /** `expected`: no more than so many ids. */
  constructor(expected: number) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(expected, 1) / MAX_LOAD));
    this.#slots = new Int32Array(capacity);
    this.#mask = capacity - 1;
  }

  get bytes(): number {
    return this.#slots.byteLength;
  }

  /** The id at words[at], four words. */
  add(words: Int32Array, at: number): void {
    const mark = markOf(words, at);
    let slot = hashId(words, at, SALT_A) & this.#mask;
    for (let held = this.#slots[slot]; held !== 0 && held !== mark; held = this.#slots[slot])
      slot = (slot + 1) & this.#mask;
    this.#slots[slot] = mark;
  }

  /** False means surely not. */
  mayHold(words: Int32Array, at: number): boolean {
    const mark = markOf(words, at);
    let slot = hashId(words, at, SALT_A) & this.#mask;
    for (let held = this.#slots[slot]; held !== 0; held = this.#slots[slot]) {
      if (held === mark) return true;
      slot = (slot + 1) & this.#mask;
    }
    return false;
  }
}

/** Never 0, which is an empty slot. */
const markOf = (words: Int32Array, at: number): number => hashId(words, at, SALT_B) | 0 || 1;
