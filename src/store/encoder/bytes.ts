/** Bytes that are written one behind the other, in memory that is used again. */
export class Bytes {
  #memory: Uint8Array<ArrayBuffer>;
  #view: DataView;
  length = 0;

  constructor(capacity: number) {
    this.#memory = new Uint8Array(capacity);
    this.#view = new DataView(this.#memory.buffer);
  }

  /** What was written; valid until more is. */
  get written(): Uint8Array<ArrayBuffer> {
    return this.#memory.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  /** Memory for `bytes` more, at `length`: whoever fills it adds to `length` what it used. */
  reserve(bytes: number): Uint8Array<ArrayBuffer> {
    if (this.length + bytes > this.#memory.length) {
      const larger = new Uint8Array(Math.max(this.length + bytes, this.#memory.length * 2));
      larger.set(this.written);
      this.#memory = larger;
      this.#view = new DataView(larger.buffer);
    }
    return this.#memory;
  }

  put(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes, this.length);
    this.length += bytes.length;
  }

  byte(value: number): void {
    this.reserve(1)[this.length++] = value;
  }

  /** Little-endian, as Parquet writes lengths. */
  uint32(value: number): void {
    this.reserve(4);
    this.#view.setUint32(this.length, value, true);
    this.length += 4;
  }

  /** LEB128 of a whole number of at most 53 bits. */
  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80);
    this.byte(rest);
  }

  /** Small numbers of either sign become small: 0, -1, 1, -2 … are 0, 1, 2, 3 … At most 2^52. */
  zigzag(value: number): void {
    this.varint(value < 0 ? -2 * value - 1 : 2 * value);
  }
}
