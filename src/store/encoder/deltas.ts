/** Parquet's DELTA_BINARY_PACKED, for numbers near each other: https://parquet.apache.org/docs/file-format/data-pages/encodings/#DELTAENC. */
import type { Bytes } from './bytes.ts';

const BLOCK = 128;
const MINIBLOCKS = 4;
const MINIBLOCK = BLOCK / MINIBLOCKS;
const WORD = 2 ** 32;

const deltas = new Float64Array(BLOCK);

/** Writes whole numbers between -2^52 and 2^52, the largest less than 2^52 above the smallest. */
export function putDeltas(to: Bytes, values: Float64Array | Int32Array): void {
  const count = values.length;
  to.varint(BLOCK);
  to.varint(MINIBLOCKS);
  to.varint(count);
  to.zigzag(values[0] ?? 0);
  for (let from = 1; from < count; from += BLOCK) {
    const size = Math.min(BLOCK, count - from);
    let least = Number.POSITIVE_INFINITY;
    for (let at = 0; at < size; at++) {
      const delta = (values[from + at] ?? 0) - (values[from + at - 1] ?? 0);
      deltas[at] = delta;
      if (delta < least) least = delta;
    }
    to.zigzag(least);
    putBlock(to, size, least);
  }
}

/** The widths of all miniblocks, then those that hold a value, the last one filled up with zeros. */
function putBlock(to: Bytes, size: number, least: number): void {
  const widths = to.length;
  for (let miniblock = 0; miniblock < MINIBLOCKS; miniblock++) to.byte(0);
  for (let start = 0, miniblock = 0; start < size; start += MINIBLOCK, miniblock++) {
    const end = Math.min(start + MINIBLOCK, size);
    let most = 0;
    for (let at = start; at < end; at++) {
      const rest = (deltas[at] ?? 0) - least;
      deltas[at] = rest;
      if (rest > most) most = rest;
    }
    const width = most < WORD ? (most === 0 ? 0 : 32 - Math.clz32(most)) : 64 - Math.clz32(Math.floor(most / WORD));
    deltas.fill(0, end, start + MINIBLOCK);
    const memory = to.reserve(width * (MINIBLOCK / 8));
    memory[widths + miniblock] = width;
    if (width > 0) to.length = pack(memory, to.length, start, width);
  }
}

function pack(memory: Uint8Array, from: number, start: number, width: number): number {
  let length = from;
  // What is left of the values before: fewer than eight bits, and then a byte at a time, so 24 bits more always fit.
  let bits = 0;
  let filled = 0;
  for (let at = start; at < start + MINIBLOCK; at++) {
    let rest = deltas[at] ?? 0;
    for (let left = width; left > 0; ) {
      const taken = Math.min(left, 24);
      const part = taken === left ? rest : rest % 0x1000000;
      bits |= part << filled;
      filled += taken;
      left -= taken;
      if (left > 0) rest = Math.floor(rest / 0x1000000);
      while (filled >= 8) {
        memory[length++] = bits;
        bits >>>= 8;
        filled -= 8;
      }
    }
  }
  return length;
}
