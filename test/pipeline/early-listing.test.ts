/** Listing a source behind a network before anybody asks for its files: the same files, once, and the same failure. */
import { expect, test } from 'vitest';
import { listEarly } from '../../src/pipeline/early-listing.ts';
import type { LogFile, Source } from '../../src/source.ts';

const logFile = (key: string): LogFile => ({
  key,
  sizeBytes: 1,
  version: '1',
  hint: { service: null, account: null, region: null, day: null },
  content: { type: 'file', path: key, start: 0, length: 1, method: 'stored' },
});
const FILES = ['a', 'b', 'c'].map(logFile);
const COSTS = { listRequests: 0, headRequests: 0, keysListed: 0, foldersPruned: 0, keysPruned: 0 };

/** Counts how often it is listed. */
function source(list: Source['list'], isRemote = true): { readonly source: Source; readonly listings: () => number } {
  let listings = 0;
  return {
    listings: () => listings,
    source: {
      name: 'some',
      paths: [],
      list: (scope, signal) => {
        listings++;
        return list(scope, signal);
      },
      ...(isRemote && { costs: () => COSTS }),
      close: () => Promise.resolve(),
    },
  };
}

async function* all(): AsyncGenerator<LogFile> {
  yield* FILES;
}

async function filesOf(sources: readonly Source[]): Promise<string[]> {
  const keys: string[] = [];
  for (const one of sources) for await (const item of one.list({}, new AbortController().signal)) keys.push(item.key);
  return keys;
}

test('lists a remote source at once, and a local one when it is asked', async () => {
  const [remote, local] = [source(all), source(all, false)];
  const early = listEarly([remote.source, local.source], {}, new AbortController().signal);
  expect([remote.listings(), local.listings()]).toEqual([1, 0]);
  expect(await filesOf(early)).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
  expect([remote.listings(), local.listings()]).toEqual([1, 1]);
});

test('tells a failure to whoever lists, and to nobody else', async () => {
  const failing = source(async function* () {
    await Promise.reject(new Error('no answer'));
    yield* FILES;
  });
  const early = listEarly([failing.source], {}, new AbortController().signal);
  await new Promise((resolve) => setImmediate(resolve));
  await expect(filesOf(early)).rejects.toThrow('no answer');
});
