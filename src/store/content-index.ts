/** Which contents the ledger may hold: the first 64 bits of each SHA-256, so that a new content costs no query. */

const FIRST_CAPACITY = 4096;
const MAX_LOAD = 0.6;

/** Never 0,0: that would be an empty entry. */
const words = (sha256: string): [number, number] => [
  Number.parseInt(sha256.slice(0, 8), 16),
  Number.parseInt(sha256.slice(8, 16), 16) || 1,
];

export class ContentIndex {
  /** Two words an entry; 0,0 is an empty one. */
  #words: Uint32Array;
  #capacity: number;
  #count = 0;

  /** Makes room for so many entries at once. */
  constructor(expected = 0) {
    this.#capacity = Math.max(FIRST_CAPACITY, 2 ** Math.ceil(Math.log2((expected + 1) / MAX_LOAD)));
    this.#words = new Uint32Array(this.#capacity * 2);
  }

  add(sha256: string): void {
    this.#insert(...words(sha256));
  }

  /** Content hashes as they lie in memory: the lower half of each, and the upper one. */
  addAll(hashes: Int32Array): void {
    for (let at = 0; at < hashes.length; at += 2)
      this.#insert((hashes[at + 1] ?? 0) >>> 0, (hashes[at] ?? 0) >>> 0 || 1);
  }

  /** False means surely not; true must be looked up. */
  mayHold(sha256: string): boolean {
    const [high, low] = words(sha256);
    for (let at = high & (this.#capacity - 1); !this.#isEmpty(at); at = (at + 1) & (this.#capacity - 1)) {
      if (this.#words[at * 2] === high && this.#words[at * 2 + 1] === low) return true;
    }
    return false;
  }

  #isEmpty(at: number): boolean {
    return this.#words[at * 2] === 0 && this.#words[at * 2 + 1] === 0;
  }

  #insert(high: number, low: number): void {
    if ((this.#count + 1) / this.#capacity > MAX_LOAD) this.#grow();
    let at = high & (this.#capacity - 1);
    while (!this.#isEmpty(at)) at = (at + 1) & (this.#capacity - 1);
    this.#words[at * 2] = high;
    this.#words[at * 2 + 1] = low;
    this.#count++;
  }

  #grow(): void {
    const old = this.#words;
    this.#capacity *= 2;
    this.#words = new Uint32Array(this.#capacity * 2);
    this.#count = 0;
    for (let at = 0; at < old.length; at += 2) {
      const high = old[at] ?? 0;
      const low = old[at + 1] ?? 0;
      if (high !== 0 || low !== 0) this.#insert(high, low);
    }
  }
}
