import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Fetcher } from '../../src/pipeline/fetcher.ts';

const content = (bytes: Uint8Array, before: () => Promise<unknown> = () => Promise.resolve()) => ({
  type: 'object' as const,
  open: () => Promise.reject(new Error('not as a stream')),
  read: async () => {
    await before();
    return Uint8Array.from(bytes);
  },
});

test('fetches several at once and stays within its bytes', async () => {
  const fetcher = new Fetcher(1000, new AbortController().signal);
  let held = 0;
  let most = 0;
  let open = 0;
  let mostOpen = 0;
  for (let at = 0; at < 40; at++) {
    const slow = async (): Promise<void> => {
      mostOpen = Math.max(mostOpen, ++open);
      await setTimeout(2);
      open--;
    };
    await fetcher.fetch(content(new Uint8Array(100), slow), 100, async () => {
      held += 100;
      most = Math.max(most, held);
      await setTimeout(1);
      held -= 100;
      fetcher.taken(100);
    });
  }
  await fetcher.idle();
  expect([held, most <= 1000, mostOpen > 3 && mostOpen <= 10]).toEqual([0, true, true]);
});

test('takes a content that is larger than all of its room, alone', async () => {
  const fetcher = new Fetcher(10, new AbortController().signal);
  const sizes: number[] = [];
  for (const size of [50, 60]) {
    await fetcher.fetch(content(new Uint8Array(size)), size, ({ bytes }) => {
      sizes.push(bytes?.length ?? 0);
      fetcher.taken(size);
      return Promise.resolve();
    });
  }
  await fetcher.idle();
  expect(sizes).toEqual([50, 60]);
});

test('hands over a failure', async () => {
  const fetcher = new Fetcher(1000, new AbortController().signal);
  const got: unknown[] = [];
  await fetcher.fetch(
    content(new Uint8Array(20), () => Promise.reject(new Error('reset'))),
    20,
    ({ bytes, error }) => {
      got.push(bytes, error?.message);
      return Promise.resolve();
    },
  );
  await fetcher.idle();
  expect(got).toEqual([null, 'reset']);
});

test('tells what its taker threw, and lets nobody wait once it was stopped', async () => {
  const abort = new AbortController();
  const fetcher = new Fetcher(10, abort.signal);
  await fetcher.fetch(content(new Uint8Array(10)), 10, () => Promise.reject(new Error('full')));
  await expect(fetcher.idle()).rejects.toThrow('full');
  const waits = fetcher.fetch(content(new Uint8Array(10)), 10, () => Promise.resolve());
  abort.abort();
  await waits;
});
