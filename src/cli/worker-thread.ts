/** Starts a worker thread and speaks with it in the pipeline's messages. */
import { Worker } from 'node:worker_threads';
import type { FromWorker, WorkerOptions, WorkerThread } from '../ingest.ts';

export interface ThreadOptions extends WorkerOptions {
  readonly stagingDir: string;
}

/** Node runs threads from JavaScript only: from a source tree the built worker is used. */
const entry = import.meta.url.endsWith('.ts')
  ? new URL('../../dist/src/cli/worker.js', import.meta.url)
  : new URL('./worker.js', import.meta.url);

export function startWorkerThread(options: ThreadOptions): WorkerThread {
  const worker = new Worker(entry, { workerData: options });
  const early: FromWorker[] = [];
  let listener = (message: FromWorker): void => {
    early.push(message);
  };
  let failure: Error | null = null;
  let failed = (error: Error): void => {
    failure = error;
  };
  worker.on('message', (message: FromWorker) => listener(message));
  worker.on('error', (error: Error) => failed(error));
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
    ended: new Promise((resolve) => {
      worker.once('exit', () => resolve());
    }),
  };
}
