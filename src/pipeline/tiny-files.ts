/** Tiny log files are inflated together, as one gzip of many members: for each alone, setting up takes as long as inflating. */
import { crc32, gunzipSync } from 'node:zlib';
import { type FileRange, readInto } from '../payload.ts';

/** Of one file, compressed. Larger ones win nothing. */
const TINY_BYTES = 16 * 1024;
/** What is inflated at once stays in the processor's cache. */
const FILES_MAX = 64;
const BYTES_MAX = 256 * 1024;
/** DEFLATE expands 1032 times: a file that is full of nothing is read alone. */
const RATIO_MAX = 64;
/** A header of ten bytes, and a trailer with the CRC-32 and the length of what was compressed: https://www.rfc-editor.org/rfc/rfc1952. */
const GZIP_BYTES_MIN = 18;
const TRAILER_BYTES = 8;
const GZIP = 0x08_8b_1f;

export class TinyFiles {
  readonly #input = Buffer.allocUnsafeSlow(BYTES_MAX);
  /** Where each file ends in it. */
  #ends: number[] = [];

  get count(): number {
    return this.#ends.length;
  }

  get isFull(): boolean {
    return this.count === FILES_MAX || this.#length + TINY_BYTES > BYTES_MAX;
  }

  get #length(): number {
    return this.#ends.at(-1) ?? 0;
  }

  /** Reads one more, unless it is full. False for what is to be read alone. Throws `source-unreadable`. */
  add(file: FileRange): boolean {
    if (
      file.length > TINY_BYTES ||
      file.length < GZIP_BYTES_MIN ||
      file.method !== 'stored' ||
      file.crc32 !== undefined
    )
      return false;
    const bytes = this.#input.subarray(this.#length, this.#length + file.length);
    readInto(bytes, file);
    if (bytes.readUIntLE(0, 3) !== GZIP || lengthOf(bytes) > RATIO_MAX * file.length) return false;
    this.#ends.push(this.#length + file.length);
    return true;
  }

  /** What each file holds, in order, all of it in one buffer; null when not every one is a whole gzip of one member. No file is left then. */
  inflate(): readonly Buffer[] | null {
    const ends = this.#ends;
    const input = this.#input.subarray(0, this.#length);
    this.#ends = [];
    const files = ends.map((end, index) => input.subarray(ends[index - 1] ?? 0, end));
    const length = files.reduce((sum, file) => sum + lengthOf(file), 0);
    let all: Buffer;
    try {
      all = gunzipSync(input, { chunkSize: length + 64, maxOutputLength: length + 64 });
    } catch {
      // Whatever is wrong with whichever: each is judged alone.
      return null;
    }
    if (all.length !== length) return null;
    let from = 0;
    const contents: Buffer[] = [];
    for (const file of files) {
      const content = all.subarray(from, from + lengthOf(file));
      // Where one ends, its own trailer must say so: only then it is what it would be alone.
      if (crc32(content) !== file.readUInt32LE(file.length - TRAILER_BYTES)) return null;
      contents.push(content);
      from += content.length;
    }
    return contents;
  }
}

/** Modulo 2^32. */
const lengthOf = (gzip: Buffer): number => gzip.readUInt32LE(gzip.length - 4);
