/** A source without an end, beside one that has one: committed as it comes, complete when it is told to end. */

import { once } from 'node:events';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorkerThread } from '../../src/cli/worker-thread.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import type { IngestResult } from '../../src/ingest.ts';
import { ingest, startThreads } from '../../src/pipeline/ingest.ts';
import type { LogFile, Source } from '../../src/source.ts';
import { openSource } from '../../src/sources/open.ts';
import { openStore } from '../../src/store/store.ts';

let folder: string;
beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'trailhound-endless-')));
});
afterAll(() => rmSync(folder, { recursive: true }));

const content = (id: number): Buffer =>
  Buffer.from(
    JSON.stringify({
      Records: [
        {
          eventVersion: '1.09',
          eventTime: '2026-03-01T10:00:00Z',
          eventSource: 's3.amazonaws.com',
          eventName: 'GetObject',
          awsRegion: 'us-east-1',
          eventID: `00000000-0000-4000-8000-${String(id).padStart(12, '0')}`,
        },
      ],
    }),
  );

async function run(name: string, sources: readonly Source[], signal: AbortSignal): Promise<IngestResult> {
  const store = await openStore(join(folder, name), { create: true });
  try {
    const threads = startThreads(
      (worker) => startWorkerThread({ ...worker, stagingDir: join(store.dir, 'staging') }),
      {},
    );
    const openWriter = () => store.openWriter([cloudtrailTable]);
    return await ingest({ dir: store.dir, openWriter, threads }, { sources, scope: {}, signal });
  } finally {
    await store.close();
  }
}

/** Lists the files that `next` comes to name until the signal is raised, and tells what was settled. */
function endless(next: (at: number, signal: AbortSignal) => Promise<number>): {
  source: Source;
  listed: number[];
  settled: number[];
} {
  const listed: number[] = [];
  const settled: number[] = [];
  const file = (id: number): LogFile => ({
    key: `memory://${id}`,
    sizeBytes: content(id).length,
    version: '1',
    hint: { service: null, account: null, region: null, day: '2026-03-01' },
    content: {
      type: 'object',
      open: () => Promise.resolve(Readable.from([content(id)])),
      read: () => Promise.resolve(Uint8Array.from(content(id))),
    },
    settled: ({ outcome }) => settled.push(outcome === 'stored' ? id : -1),
  });
  const source: Source = {
    name: 'memory',
    paths: [],
    endless: true,
    async *list(_scope, signal) {
      for (let at = 0; ; at++) {
        const id = await next(at, signal);
        if (signal.aborted) return;
        listed.push(id);
        yield file(id);
      }
    },
    close: () => Promise.resolve(),
  };
  return { source, listed, settled };
}

const until = async (condition: () => boolean): Promise<void> => {
  for (const deadline = Date.now() + 40_000; !condition() && Date.now() < deadline; ) await sleep(50);
  expect(condition()).toBe(true);
};

test('what trickles in without a pause is committed as it comes, and all that was listed when the signal is raised', async () => {
  const file = join(folder, 'beside.json');
  writeFileSync(file, content(1_000_000));
  const { source, listed, settled } = endless(async (at) => {
    await sleep(100);
    return at;
  });
  const abort = new AbortController();
  const running = run('trickle', [source, await openSource(file, Readable.from([]))], abort.signal);
  await until(() => settled.length > 0);
  expect(listed.length).toBeGreaterThan(settled.length);
  abort.abort();
  const result = await running;
  expect(result).toMatchObject({ interrupted: true, records: { in: listed.length + 1, stored: listed.length + 1 } });
  expect(settled.toSorted((a, b) => a - b)).toEqual(listed);
});

test('a file that is listed again is known, also where the run began with an empty store', async () => {
  const abort = new AbortController();
  const { source, settled } = endless(async (at, signal) => {
    await until(() => settled.length === Math.min(at, 1) || signal.aborted);
    if (at === 2) await once(signal, 'abort');
    return 7;
  });
  const running = run('again', [source], abort.signal);
  await until(() => settled.length === 2);
  abort.abort();
  expect((await running).files).toMatchObject({ listed: 2, known: 1, done: 1, copies: 0 });
});

test('small segments that runs before have left are merged at the first commit, and not only when it ends', async () => {
  // As many as a run that ends leaves alone.
  for (let id = 0; id < 12; id++) {
    const path = join(folder, `left-${id}.json`);
    writeFileSync(path, content(id));
    await run('left', [await openSource(path, Readable.from([]))], new AbortController().signal);
  }
  const store = await openStore(join(folder, 'left'));
  const segments = async (): Promise<number> => (await store.segments(cloudtrailTable)).length;
  expect(await segments()).toBe(12);
  const abort = new AbortController();
  const { source } = endless(async (at, signal) => {
    if (at === 1) await once(signal, 'abort');
    return 100;
  });
  const running = run('left', [source], abort.signal);
  await expect.poll(segments, { timeout: 40_000 }).toBe(1);
  abort.abort();
  expect((await running).records).toMatchObject({ in: 1, stored: 1 });
  await store.close();
});
