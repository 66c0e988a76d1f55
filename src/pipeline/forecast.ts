/** What `--dry-run` tells: which files would be read, and what that would take, from a sample of the archive itself. */
import type { IngestForecast, IngestOptions, StoreWriter } from '../ingest.ts';
import { decodeWhole, type Payload, readWhole } from '../payload.ts';
import type { ListingCosts, ListingProblem, LogFile, Source } from '../source.ts';

/** Evenly spread over the listing, these are inflated to see how many records a compressed byte holds. */
const SAMPLE_FILES = 48;
/** Of them, those that are paid for by the request. */
const SAMPLE_OBJECTS = 16;
/** Objects above this are too dear for a sample: where traffic is paid for, a gigabyte costs more than two hundred thousand requests. */
const SAMPLE_OBJECT_BYTES_MAX = 4 * 1024 * 1024;
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

/** Lists everything, reads a few small files, writes nothing. `known` is null when there is no store yet. */
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
      if (!canSample(file) || (sums.files - sums.known) % every !== 0) continue;
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
  const read = await readSample(sample, options.signal);
  const estimatedEvents = Math.round(sums.compressedBytes / (read.bytesPerEvent ?? BYTES_PER_EVENT));
  return {
    ...sums,
    sampleFiles: read.files,
    sampleBytes: read.bytes,
    estimatedEvents,
    estimatedSeconds:
      Math.round((estimatedEvents / EVENTS_PER_SECOND + (sums.files - sums.known) * SECONDS_PER_FILE) * 10) / 10,
    estimatedStoreBytes: Math.round(estimatedEvents * BYTES_PER_EVENT * STORE_RATIO),
    requests: requestsOf(options.sources, read.requests, getRequests),
    problems,
  };
}

/** US dollars a request, S3 Standard in us-east-1: https://aws.amazon.com/s3/pricing/ on 2026-11-26. Other regions differ by up to a half. */
const DOLLARS_PER_LIST = 0.005 / 1000;
/** And HEAD. */
const DOLLARS_PER_GET = 0.0004 / 1000;

function requestsOf(
  sources: readonly Source[],
  sampleRequests: number,
  getRequests: number,
): IngestForecast['requests'] {
  const costs = sources.flatMap((source) => source.costs?.() ?? []);
  if (costs.length === 0) return null;
  const sum = (name: keyof ListingCosts): number => costs.reduce((total, cost) => total + cost[name], 0);
  const [listRequests, headRequests] = [sum('listRequests'), sum('headRequests')];
  return {
    listRequests,
    headRequests,
    keysListed: sum('keysListed'),
    foldersPruned: sum('foldersPruned'),
    keysPruned: sum('keysPruned'),
    sampleRequests,
    getRequests,
    // Listing again for the run costs the same once more.
    dollars: listRequests * DOLLARS_PER_LIST + (headRequests + sampleRequests + getRequests) * DOLLARS_PER_GET,
  };
}

interface Sample {
  files: number;
  bytes: number;
  /** Objects that were asked for. */
  requests: number;
  /** Null where no event was found. */
  bytesPerEvent: number | null;
}

function canSample({ content, sizeBytes }: LogFile): boolean {
  return (
    content.type === 'file' || (content.type === 'object' && sizeBytes > 0 && sizeBytes <= SAMPLE_OBJECT_BYTES_MAX)
  );
}

async function readSample(candidates: readonly LogFile[], signal: AbortSignal): Promise<Sample> {
  const sample: Sample = { files: 0, bytes: 0, requests: 0, bytesPerEvent: null };
  let events = 0;
  const objects = spread(
    candidates.filter(({ content }) => content.type === 'object'),
    SAMPLE_OBJECTS,
  );
  const files = candidates.filter(({ content }) => content.type === 'file').slice(0, SAMPLE_FILES);
  sample.requests = objects.length;
  await Promise.all(
    [...files, ...objects].map(async (file) => {
      try {
        const payload = await payloadOf(file, signal);
        if (payload === null) return;
        events += countEvents(payload.bytes);
        sample.bytes += file.sizeBytes;
        sample.files++;
      } catch (error) {
        if (signal.aborted) throw error;
        // A file that cannot be read now is told of by the run itself.
      }
    }),
  );
  return { ...sample, bytesPerEvent: events === 0 ? null : sample.bytes / events };
}

/** At most so many of them, from first to last. */
function spread<T>(all: readonly T[], count: number): readonly T[] {
  const every = Math.ceil(all.length / count);
  return all.filter((_, index) => index % every === 0);
}

async function payloadOf({ content }: LogFile, signal: AbortSignal): Promise<Payload | null> {
  if (content.type === 'file') return readWhole(content);
  return content.type === 'object' ? decodeWhole(await content.read(signal)) : null;
}

/** Each CloudTrail record carries this key once. */
const EVENT_KEY = '"eventID"';

function countEvents({ buffer, byteOffset, byteLength }: Uint8Array): number {
  const text = Buffer.from(buffer, byteOffset, byteLength);
  let events = 0;
  for (let at = text.indexOf(EVENT_KEY); at >= 0; at = text.indexOf(EVENT_KEY, at + EVENT_KEY.length)) events++;
  return events;
}
