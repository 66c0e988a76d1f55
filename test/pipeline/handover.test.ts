/** Two tasks of one thread: one puts ahead of the other, and neither is left waiting for one that has ended. */
import { describe, expect, test } from 'vitest';
import { Handover } from '../../src/pipeline/handover.ts';

/** What has become of a promise by the next turn of the loop. */
async function stateOf(promise: Promise<unknown>): Promise<unknown> {
  let state: unknown = 'waits';
  promise.then(
    (value) => {
      state = value;
    },
    (error: unknown) => {
      state = error;
    },
  );
  await new Promise((resolve) => setImmediate(resolve));
  return state;
}

describe('Handover', () => {
  test('gives in order what was put, then null', async () => {
    const handover = new Handover<string>(10);
    expect(await stateOf(handover.put('a', 4))).toBe(true);
    expect(await stateOf(handover.put('b', 4))).toBe(true);
    handover.end();
    expect([await handover.take(), await handover.take(), await handover.take()]).toEqual(['a', 'b', null]);
  });

  test('has no room while what was taken last is in work', async () => {
    const handover = new Handover<string>(10);
    const put = handover.put('giant', 100);
    expect(await stateOf(put)).toBe('waits');
    expect(await handover.take()).toBe('giant');
    expect(await stateOf(put)).toBe('waits');
    const next = handover.take();
    expect(await stateOf(put)).toBe(true);
    void handover.put('b', 1);
    expect(await next).toBe('b');
  });

  test('has as much room as was said last', async () => {
    const handover = new Handover<string>(10);
    const put = handover.put('a', 10);
    expect(await stateOf(put)).toBe('waits');
    handover.widen(20);
    expect(await stateOf(put)).toBe(true);
    handover.widen(10);
    expect(await stateOf(handover.put('b', 0))).toBe('waits');
  });

  test('tells the one that puts when nobody takes any more', async () => {
    const handover = new Handover<string>(10);
    const put = handover.put('a', 10);
    handover.end();
    expect(await stateOf(put)).toBe(false);
  });

  test('throws what the reader failed with behind what it had read', async () => {
    const handover = new Handover<string>(10);
    const failure = new Error('the disk');
    void handover.put('a', 1);
    handover.end(failure);
    handover.end();
    expect(await handover.take()).toBe('a');
    expect(await stateOf(handover.take())).toBe(failure);
  });

  test('wakes the one that waits to take', async () => {
    const handover = new Handover<string>(10);
    const taking = handover.take();
    expect(await stateOf(taking)).toBe('waits');
    handover.end();
    expect(await stateOf(taking)).toBe(null);
  });
});
