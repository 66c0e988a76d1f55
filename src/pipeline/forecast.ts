/** What `--dry-run` tells: which files would be read, and what that would take, from a sample of the archive itself. */
import type { IngestForecast, IngestOptions, StoreWriter } from '../ingest.ts';
import { readWhole } from '../payload.ts';
import type { ListingCosts, ListingProblem, LogFile, Source } from '../source.ts';

/** Evenly spread over the listing, these are inflated to see how many records a compressed byte holds. */
const SAMPLE_FILES = 48;
/** One file in so many is a candidate; doubled when the sample is full, so that it stays spread over a listing of unknown length. */
const SAMPLE_FULL = SAMPLE_FILES * 2;
/** Where nothing can be sampled: CloudTrail's gzip files hold a record in about 160 bytes. */
const BYTES_PER_EVENT = 160;
/** Two cores, all included (docs/benchmarks.md); a forecast, not a promise. */
const EVENTS_PER_SECOND = 110_000;
/** Opening, reading and recording a tiny file (docs/benchmarks.md). */
const SECONDS_PER_FILE = 0.00025;
/** Segments in relation to the gzip files they come from (docs/benchmarks.md). */
const STORE_RATIO = 0.65;
const PAGE = 16_384;

/** Lists everything, reads SAMPLE_FILES small files, writes nothing. `known` is null when there is no store yet. */
export async function forecastIngest(
  known: StoreWriter['known'] | null,
  options: Pick<IngestOptions, 'sources' | 'scope' | 'signal'>,
): Promise<IngestForecast> {
  const sums = { files: 0, known: 0, compressedBytes: 0 };
  let getRequests = 0;
  const problems: ListingProblem[] = [];
  let sample: LogFile[] = [];
  let every = 1;
  const count = async (page: readonly LogFile[]): Promise<void> => {
    const before = known === null ? [] : await known(page);
    for (const [index, file] of page.entries()) {
      sums.files++;
      if ((before[index] ?? null) !== null) {
        sums.known++;
        continue;
      }
      sums.compressedBytes += file.sizeBytes;
      if (file.content.type === 'object') getRequests++;
      if (file.content.type !== 'file' || (sums.files - sums.known) % every !== 0) continue;
      sample.push(file);
      if (sample.length < SAMPLE_FULL) continue;
      sample = sample.filter((_, at) => at % 2 === 0);
      every *= 2;
    }
  };
  for (const source of options.sources) {
    let page: LogFile[] = [];
    for await (const item of source.list(options.scope, options.signal)) {
      if ('error' in item) {
        problems.push(item);
        continue;
      }
      page.push(item);
      if (page.length < PAGE) continue;
      await count(page);
      page = [];
    }
    await count(page);
  }
  const bytesPerEvent = sampleBytesPerEvent(sample) ?? BYTES_PER_EVENT;
  const estimatedEvents = Math.round(sums.compressedBytes / bytesPerEvent);
  return {
    ...sums,
    estimatedEvents,
    estimatedSeconds:
      Math.round((estimatedEvents / EVENTS_PER_SECOND + (sums.files - sums.known) * SECONDS_PER_FILE) * 10) / 10,
    estimatedStoreBytes: Math.round(estimatedEvents * BYTES_PER_EVENT * STORE_RATIO),
    requests: requestsOf(options.sources, getRequests),
    problems,
  };
}

/** US dollars a request, S3 Standard in us-east-1: https://aws.amazon.com/s3/pricing/ on 2026-11-26. Other regions differ by up to a half. */
const DOLLARS_PER_LIST = 0.005 / 1000;
const DOLLARS_PER_GET = 0.0004 / 1000;

function requestsOf(sources: readonly Source[], getRequests: number): IngestForecast['requests'] {
  const costs = sources.flatMap((source) => source.costs?.() ?? []);
  if (costs.length === 0) return null;
  const sum = (name: keyof ListingCosts): number => costs.reduce((total, cost) => total + cost[name], 0);
  const listRequests = sum('listRequests');
  return {
    listRequests,
    keysListed: sum('keysListed'),
    foldersPruned: sum('foldersPruned'),
    keysPruned: sum('keysPruned'),
    getRequests,
    // Listing again for the run costs the same once more.
    dollars: listRequests * DOLLARS_PER_LIST + getRequests * DOLLARS_PER_GET,
  };
}

function sampleBytesPerEvent(sample: readonly LogFile[]): number | null {
  let bytes = 0;
  let events = 0;
  for (const file of sample.slice(0, SAMPLE_FILES)) {
    if (file.content.type !== 'file') continue;
    try {
      const payload = readWhole(file.content);
      if (payload === null) continue;
      const text = Buffer.from(payload.bytes.buffer, payload.bytes.byteOffset, payload.bytes.byteLength);
      for (let at = text.indexOf(EVENT_KEY); at >= 0; at = text.indexOf(EVENT_KEY, at + EVENT_KEY.length)) events++;
      bytes += file.sizeBytes;
    } catch {
      // A file that cannot be read now is told of by the run itself.
    }
  }
  return events === 0 ? null : bytes / events;
}

/** Each CloudTrail record carries this key once. */
const EVENT_KEY = '"eventID"';
