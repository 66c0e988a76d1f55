/** How large the heaps of an ingest become. V8 trades memory for time, and an ingest of millions of small files has hundreds of megabytes to trade. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Of a thread, before its first whole collection. Less than 10 MB of it are alive, and what it makes lives outside of it for milliseconds. V8 begins with a
 * small limit and then marks the whole heap for every 64 MB of such buffers: 5 to 10 % of the processor time of an ingest.
 */
const THREAD_FLAG = '--initial-old-space-size=96';
/** How much more than what is alive a heap holds before the next collection. V8 itself goes up to four times that. */
const GROWTH_FLAG = '--heap-growing-percent=100';
/** V8 would let the main thread's grow to 512 MB before it looks for the first time: what waits for a commit outlives its young generation. */
const FIRST_COLLECTION_BYTES = 128 * 1024 * 1024;

/** THREAD_FLAG is for threads that are started from now on, GROWTH_FLAG for every heap of the process. */
export function setHeapFlags(): void {
  setFlagsFromString(THREAD_FLAG);
  setFlagsFromString(GROWTH_FLAG);
}

let isCollected = false;

/** The first collection of this thread's whole heap, once it has grown: after that V8 keeps to GROWTH_FLAG. To be called now and then. */
export function boundHeap(): void {
  if (isCollected || getHeapStatistics().used_heap_size < FIRST_COLLECTION_BYTES) return;
  isCollected = true;
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
