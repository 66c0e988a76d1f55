/** Parquet's RLE/bit-packed hybrid, for dictionary indexes and levels: https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE. */
import type { Bytes } from './bytes.ts';

/** Values are packed in groups of eight. */
const GROUP = 8;
/** A shorter run costs more as one than packed among the others. */
const SHORTEST_RUN = 24;

/** How many bits the values up to `max` take; at least one. */
export const bitsFor = (max: number): number => Math.max(1, 32 - Math.clz32(max));

/** Writes values of at most `width` bits, up to 16: long runs of one value as such, others packed. */
export function putRuns(to: Bytes, values: Uint16Array, width: number): void {
  const count = values.length;
  let packed = 0;
  for (let at = 0; at < count; ) {
    const value = values[at];
    let end = at + 1;
    while (end < count && values[end] === value) end++;
    // Whole groups are packed, so a run lends its first values to the group before it.
    const lent = (GROUP - ((at - packed) % GROUP)) % GROUP;
    if (end - at - lent >= SHORTEST_RUN) {
      putPacked(to, values, packed, at + lent, width);
      putRun(to, value ?? 0, end - at - lent, width);
      packed = end;
    }
    at = end;
  }
  putPacked(to, values, packed, count, width);
}

/** `count` times the same value. */
function putRun(to: Bytes, value: number, count: number, width: number): void {
  to.varint(count * 2);
  to.byte(value & 0xff);
  if (width > 8) to.byte(value >> 8);
}

/** Writes `count` values of one bit each, least significant first, as validity is kept: a byte is a group. */
export function putBits(to: Bytes, bits: Uint8Array, count: number): void {
  const whole = count >> 3;
  let packed = 0;
  for (let at = 0; at < whole; ) {
    const byte = bits[at];
    let end = at + 1;
    if (byte === 0 || byte === 0xff) while (end < whole && bits[end] === byte) end++;
    if ((end - at) * GROUP >= SHORTEST_RUN) {
      putGroups(to, bits, packed, at);
      putRun(to, (byte ?? 0) & 1, (end - at) * GROUP, 1);
      packed = end;
    }
    at = end;
  }
  putGroups(to, bits, packed, Math.ceil(count / GROUP));
}

function putGroups(to: Bytes, bits: Uint8Array, from: number, end: number): void {
  if (from === end) return;
  to.varint((end - from) * 2 + 1);
  to.put(bits.subarray(from, end));
}

function putPacked(to: Bytes, values: Uint16Array, from: number, end: number, width: number): void {
  if (from === end) return;
  const groups = Math.ceil((end - from) / GROUP);
  to.varint(groups * 2 + 1);
  pack(to.reserve(groups * width), to.length, values, from, from + groups * GROUP, end, width);
  to.length += groups * width;
}

/** The values in [from, stop), of which those from `end` on are zeros: they fill the last group up. */
function pack(
  memory: Uint8Array,
  at: number,
  values: Uint16Array,
  from: number,
  stop: number,
  end: number,
  width: number,
): void {
  let place = at;
  let bits = 0;
  let filled = 0;
  for (let index = from; index < stop; index++) {
    if (index < end) bits |= (values[index] ?? 0) << filled;
    filled += width;
    while (filled >= 8) {
      memory[place++] = bits;
      bits >>>= 8;
      filled -= 8;
    }
  }
}
