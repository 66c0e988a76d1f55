/** The encodings of segments, against decoders that follow the specification word by word. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bytes } from '../../src/store/encoder/bytes.ts';
import { putDeltas } from '../../src/store/encoder/deltas.ts';
import { bitsFor, putBits, putRuns } from '../../src/store/encoder/runs.ts';

/** Reads what was written, byte by byte. */
class Reader {
  readonly #bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get ended(): boolean {
    return this.at === this.#bytes.length;
  }

  byte(): number {
    const byte = this.#bytes[this.at++];
    if (byte === undefined) throw new Error('read past the end');
    return byte;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  }

  zigzag(): bigint {
    const value = this.varint();
    return value % 2n === 0n ? value / 2n : -(value + 1n) / 2n;
  }

  /** `count` values of `width` bits, least significant first; a multiple of eight bits in all. */
  packed(count: number, width: number): bigint[] {
    let bits = 0n;
    for (let byte = 0; byte < (count * width) / 8; byte++) bits |= BigInt(this.byte()) << BigInt(8 * byte);
    return Array.from({ length: count }, (_, at) => (bits >> BigInt(at * width)) & ((1n << BigInt(width)) - 1n));
  }
}

function readRuns(reader: Reader, width: number): number[] {
  const values: number[] = [];
  while (!reader.ended) {
    const header = Number(reader.varint());
    if (header % 2 === 1) values.push(...reader.packed(((header - 1) / 2) * 8, width).map(Number));
    else {
      const value = reader.byte() + (width > 8 ? reader.byte() * 256 : 0);
      for (let n = 0; n < header / 2; n++) values.push(value);
    }
  }
  return values;
}

function readDeltas(reader: Reader): number[] {
  const blockSize = Number(reader.varint());
  const miniblocks = Number(reader.varint());
  const count = Number(reader.varint());
  const values = [reader.zigzag()];
  while (values.length < count) {
    const least = reader.zigzag();
    const widths = Array.from({ length: miniblocks }, () => reader.byte());
    for (const width of widths) {
      if (values.length >= count) break;
      for (const rest of reader.packed(blockSize / miniblocks, width))
        values.push((values.at(-1) ?? 0n) + least + rest);
    }
  }
  return values.slice(0, count).map(Number);
}

/** Runs of equal values among others, as columns have them. */
const runs = (max: number) =>
  fc
    .array(fc.tuple(fc.nat(max), fc.oneof(fc.constant(1), fc.nat(70))), { maxLength: 60 })
    .map((pairs) => pairs.flatMap(([value, count]) => Array.from({ length: count }, () => value)));

test('runs and packed values are what was written', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(1, 3, 255, 256, 5119, 65_535).chain((max) => fc.tuple(fc.constant(max), runs(max))),
      ([max, values]) => {
        const bytes = new Bytes(1);
        putRuns(bytes, Uint16Array.from(values), bitsFor(max));
        const read = readRuns(new Reader(bytes.written), bitsFor(max));
        expect(read.slice(0, values.length)).toEqual(values);
        expect(read.length - values.length).toBeLessThan(8);
      },
    ),
    { numRuns: 500 },
  );
});

test('bits are what was written, and long runs take few bytes', () => {
  fc.assert(
    fc.property(runs(1), (values) => {
      const bits = new Uint8Array(Math.ceil(values.length / 8));
      for (const [at, value] of values.entries()) bits[at >> 3] = (bits[at >> 3] ?? 0) | (value << (at & 7));
      const bytes = new Bytes(1);
      putBits(bytes, bits, values.length);
      expect(readRuns(new Reader(bytes.written), 1).slice(0, values.length)).toEqual(values);
    }),
    { numRuns: 500 },
  );
  for (const byte of [0, 0xff]) {
    const bytes = new Bytes(1);
    putBits(bytes, new Uint8Array(2560).fill(byte), 20_480);
    expect(bytes.length).toBeLessThan(8);
  }
});

test('differences are what was written, up to the largest that a double holds', () => {
  const around = (middle: number, spread: number) =>
    fc.array(fc.integer({ min: middle - spread, max: middle + spread }), { minLength: 1, maxLength: 400 });
  const numbers = fc.oneof(
    around(0, 3),
    around(0, 2 ** 31 - 1),
    around(1.77e15, 86_400e6),
    around(2 ** 51, 2 ** 51 - 1),
    around(-(2 ** 51), 2 ** 51 - 1),
    fc
      .tuple(fc.nat(2 ** 40), fc.nat(9), fc.integer({ min: 1, max: 400 }))
      .map(([first, step, count]) => Array.from({ length: count }, (_, at) => first + step * at)),
  );
  fc.assert(
    fc.property(numbers, (values) => {
      const bytes = new Bytes(1);
      putDeltas(bytes, Float64Array.from(values));
      const reader = new Reader(bytes.written);
      expect(readDeltas(reader)).toEqual(values);
      expect(reader.ended).toBe(true);
    }),
    { numRuns: 500 },
  );
});
