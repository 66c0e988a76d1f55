/** The entry of a worker thread: puts the formats, the segment writers and the worker together. */
import { parentPort, workerData } from 'node:worker_threads';
import { PRELUDE } from '../backends/prelude.ts';
import { cloudtrailFormat } from '../formats/cloudtrail.ts';
import { cloudtrailInsightFormat } from '../formats/cloudtrail-insight.ts';
import { createEnvelopes, loadEnvelopeValues } from '../formats/envelopes.ts';
import { parquetShapeOf } from '../formats/parquet-shapes.ts';
import { s3AccessFormat } from '../formats/s3-access.ts';
import { wafFormat } from '../formats/waf.ts';
import type { FromWorker, ToWorker } from '../ingest.ts';
import { runWorker } from '../pipeline/worker.ts';
import { createParquetReader } from '../store/parquet-reader.ts';
import { createSegmentWriter } from '../store/segment-writer.ts';
import type { ThreadOptions } from './worker-thread.ts';

const { index, limits, format, redact, stagingDir } = workerData as ThreadOptions;
const port = parentPort;
if (port === null) throw new Error('worker.ts runs in a worker thread only');

const parquet = createParquetReader({ stagingDir, name: `parquet-w${index}`, shapeOf: parquetShapeOf });
await runWorker({
  formats: [cloudtrailFormat, s3AccessFormat, wafFormat, cloudtrailInsightFormat],
  envelopes: createEnvelopes({ recordBytes: limits.recordBytes, values: await loadEnvelopeValues() }),
  parquet,
  openWriter: (table) => createSegmentWriter({ table, stagingDir, name: `${table.name}-w${index}`, prelude: PRELUDE }),
  index,
  limits,
  format,
  redact,
  port: {
    post: (message: FromWorker, transfer: readonly ArrayBuffer[] = []) => port.postMessage(message, [...transfer]),
    onMessage: (listener) => port.on('message', (message: ToWorker) => listener(message)),
  },
});
parquet.close();
// Nothing keeps the thread alive any more: it ends by itself. Ending it by force during a statement would abort the process.
port.close();
