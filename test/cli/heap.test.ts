/** What is dead in a heap that has grown is not left to lie until V8 looks. */
import { getHeapStatistics } from 'node:v8';
import { expect, test } from 'vitest';
import { boundHeap } from '../../src/cli/heap.ts';

const MB = 1024 * 1024;
const used = (): number => getHeapStatistics().used_heap_size;

test('what is dead in a heap that has grown is given back', () => {
  const held = [Array.from({ length: 5_000_000 }, (_, at) => ({ at }))];
  const grown = used();
  expect(grown).toBeGreaterThan(128 * MB);
  held.pop();
  boundHeap();
  expect(used()).toBeLessThan(grown - 100 * MB);
});
