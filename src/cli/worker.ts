/** The entry of a worker thread: puts the format, the segment writer and the worker together. */
import { parentPort, workerData } from 'node:worker_threads';
import { PRELUDE } from '../backends/prelude.ts';
import { cloudtrailFormat } from '../formats/cloudtrail.ts';
import type { FromWorker, ToWorker } from '../ingest.ts';
import { runWorker } from '../pipeline/worker.ts';
import { createSegmentWriter } from '../store/segment-writer.ts';
import type { ThreadOptions } from './worker-thread.ts';

const { index, limits, stagingDir } = workerData as ThreadOptions;
const port = parentPort;
if (port === null) throw new Error('worker.ts runs in a worker thread only');

const [decoder, writer] = await Promise.all([
  cloudtrailFormat.createDecoder({ recordBytes: limits.recordBytes, windowBytes: limits.windowBytes }),
  createSegmentWriter({ table: cloudtrailFormat.table, stagingDir, name: `w${index}`, prelude: PRELUDE }),
]);
await runWorker({
  decoder,
  writer,
  index,
  limits,
  port: {
    post: (message: FromWorker, transfer: readonly ArrayBuffer[] = []) => port.postMessage(message, [...transfer]),
    onMessage: (listener) => port.on('message', (message: ToWorker) => listener(message)),
  },
});
// Nothing keeps the thread alive any more: it ends by itself. Ending it by force during a statement would abort the process.
port.close();
