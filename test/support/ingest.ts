/** Runs an ingest in this process, with the built worker threads, into a store of its own. */
import { Readable } from 'node:stream';
import { TABLES } from '../../src/cli/wire.ts';
import { startWorkerThread } from '../../src/cli/worker-thread.ts';
import type { IngestOptions, IngestResult } from '../../src/ingest.ts';
import { ingest, startThreads } from '../../src/pipeline/ingest.ts';
import { openSource } from '../../src/sources/open.ts';
import { openStore } from '../../src/store/store.ts';

export async function ingestInto(
  storeDir: string,
  sources: readonly string[],
  options: Partial<Pick<IngestOptions, 'limits' | 'workers' | 'scope' | 'signal' | 'redact'>> & {
    readonly stdin?: Readable;
  } = {},
): Promise<IngestResult> {
  const store = await openStore(storeDir, { create: true });
  try {
    const { stdin = Readable.from([]), ...rest } = options;
    const opened = await Promise.all(sources.map((source) => openSource(source, stdin)));
    return await ingest(
      {
        dir: store.dir,
        openWriter: () => store.openWriter(TABLES),
        threads: startThreads((worker) => startWorkerThread({ ...worker, stagingDir: `${store.dir}/staging` }), rest),
      },
      { sources: opened, scope: {}, signal: new AbortController().signal, ...rest },
    );
  } finally {
    await store.close();
  }
}
