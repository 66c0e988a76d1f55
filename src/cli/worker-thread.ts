/** Starts a worker thread and speaks with it in the pipeline's messages. */
import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { asInstallError, damagedInstall } from '../errors.ts';
import type { FromWorker, WorkerOptions, WorkerThread } from '../ingest.ts';
import { boundHeap, setHeapFlags } from './heap.ts';

/** V8 optimizes what has run a little, over and over in each thread; what ingest lives in runs for long. Waiting eight times as long saves 2 to 3 % of the processor time. */
const OPTIMIZER_FLAG = '--interrupt-budget=1080000';
/** Node 20's. Later ones have other tiers, and complain of the flag. */
const OPTIMIZER_FLAG_V8 = '11.';

export interface ThreadOptions extends WorkerOptions {
  readonly stagingDir: string;
}

/** Node runs threads from JavaScript only: from a source tree the built worker is used. */
const entry = import.meta.url.endsWith('.ts')
  ? new URL('../../dist/src/cli/worker.js', import.meta.url)
  : new URL('./worker.js', import.meta.url);

export function startWorkerThread(options: ThreadOptions): WorkerThread {
  setHeapFlags();
  if (process.versions.v8.startsWith(OPTIMIZER_FLAG_V8)) setFlagsFromString(OPTIMIZER_FLAG);
  const worker = new Worker(entry, { workerData: options });
  const early: FromWorker[] = [];
  let listener = (message: FromWorker): void => {
    early.push(message);
  };
  let failure: Error | null = null;
  let failed = (error: Error): void => {
    failure ??= error;
  };
  let isLoaded = false;
  worker.on('message', (message: FromWorker) => {
    isLoaded = true;
    boundHeap();
    listener(message);
  });
  worker.on('error', (error: Error) => failed(isLoaded ? error : asInstallError(error, 'load a worker thread')));
  const ended = new Promise<void>((resolve) => {
    worker.once('exit', () => {
      // Every thread asks for work first, whatever it is told.
      if (!isLoaded) failed(damagedInstall('load a worker thread', new Error('it ended at once')));
      resolve();
    });
  });
  return {
    post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
    onMessage: (listen) => {
      listener = listen;
      for (const message of early.splice(0)) listen(message);
    },
    onError: (listen) => {
      failed = listen;
      if (failure !== null) listen(failure);
    },
    ended,
  };
}
