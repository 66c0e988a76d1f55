/** Tiny log files are inflated together: each is what it would be alone, or all are left to be read alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FileRange, readWhole } from '../../src/payload.ts';
import { TinyFiles } from '../../src/pipeline/tiny-files.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'tiny-files-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

let files = 0;
function file(bytes: Uint8Array): FileRange {
  const path = join(dir, `${files++}`);
  writeFileSync(path, bytes);
  return { path, start: 0, length: bytes.length, method: 'stored' };
}

const text = (number: number): Buffer => Buffer.from(`{"Records":[{"eventID":"${'x'.repeat(number * 7)}"}]}`);

/** Those that were taken, and what became of them. */
function together(ranges: readonly FileRange[]): { taken: FileRange[]; contents: readonly Buffer[] | null } {
  const tiny = new TinyFiles();
  const taken = ranges.filter((range) => tiny.add(range));
  return { taken, contents: tiny.inflate() };
}

test('whole files come out in order, and the next ones start anew', () => {
  const tiny = new TinyFiles();
  for (const round of [0, 1]) {
    const numbers = [3, 0, 12, 5].map((number) => number + round);
    for (const number of numbers) expect(tiny.add(file(gzipSync(text(number))))).toBe(true);
    expect(tiny.inflate()).toEqual(numbers.map(text));
    expect(tiny.count).toBe(0);
  }
});

test('it is full before there is no room', () => {
  const tiny = new TinyFiles();
  const range = file(gzipSync(text(1)));
  while (!tiny.isFull) tiny.add(range);
  expect(tiny.count).toBe(64);
  expect(tiny.inflate()).toHaveLength(64);
});

test('what is no small gzip is not taken', () => {
  const others = [
    file(text(4)),
    file(Buffer.alloc(0)),
    file(deflateSync(text(4))),
    file(gzipSync(text(4)).subarray(0, 10)),
    file(gzipSync(Buffer.from(Array.from({ length: 40_000 }, (_, at) => ((at * 7919) % 251) ^ (at >> 8))))),
    { ...file(gzipSync(text(4))), crc32: 1 },
    // Says that it holds more than a gzip of its size may be trusted with.
    file(gzipSync(Buffer.alloc(1_000_000))),
  ];
  expect(together(others).taken).toEqual([]);
});

test('a file that cannot be read says so', () => {
  const tiny = new TinyFiles();
  expect(() => tiny.add({ path: join(dir, 'none'), start: 0, length: 100, method: 'stored' })).toThrow(/cannot read/);
  expect(tiny.count).toBe(0);
});

const damage: Readonly<Record<string, (bytes: Buffer, at: number) => Uint8Array>> = {
  none: (bytes) => bytes,
  members: (bytes) => Buffer.concat([bytes, gzipSync(text(2))]),
  cut: (bytes, at) => bytes.subarray(0, Math.max(18, bytes.length - 1 - (at % 20))),
  garbage: (bytes, at) => Buffer.concat([bytes, Buffer.from([at & 255, 1, 2])]),
  zeros: (bytes) => Buffer.concat([bytes, Buffer.alloc(5)]),
  flipped: (bytes, at) => {
    const copy = Buffer.from(bytes);
    copy[10 + (at % (copy.length - 10))] = (copy[10 + (at % (copy.length - 10))] ?? 0) ^ 0x10;
    return copy;
  },
};

test('each is what it is alone, whatever lies beside it', () => {
  const one = fc.record({
    number: fc.nat(60),
    how: fc.oneof({ weight: 8, arbitrary: fc.constant('none') }, fc.constantFrom(...Object.keys(damage))),
    at: fc.nat(1000),
  });
  let whole = 0;
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 12 }), (made) => {
      const ranges = made.map(({ number, how, at }) => file((damage[how] ?? Buffer.from)(gzipSync(text(number)), at)));
      const { taken, contents } = together(ranges);
      if (contents === null) return;
      whole++;
      expect(contents).toEqual(taken.map((range) => Buffer.from(readWhole(range)?.bytes ?? 'not whole')));
    }),
    { numRuns: 300 },
  );
  expect(whole).toBeGreaterThan(30);
});
