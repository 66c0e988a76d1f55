/** What a window would cost on Athena: from the sizes of its log files, or from what earlier statements scanned. */
import pLimit from 'p-limit';
import type { Folders } from '../../source.ts';
import { DAY_MS, type Window } from '../../time.ts';
import { billedBytes, type Requests, requestDollars, scanDollars } from './cost.ts';
import { dataOf, type LogRoot } from './ddl.ts';
import { partitionsOf } from './scale.ts';
import type { DeployedTable } from './setup.ts';
import { deliveryDays, pathDay } from './views.ts';

export interface TableEstimate {
  readonly table: string;
  readonly days: number;
  /** Of these, days that are read for the sake of files that come late. */
  readonly lateDays: number;
  readonly partitions: number;
  /** Folders that were listed; fewer than there are: the rest is extrapolated from them. */
  readonly listed: number;
  readonly objects: number;
  /** What one statement that reads the table once scans. */
  readonly bytes: number;
  /** One standard error of `bytes`; 0 where everything was listed. */
  readonly uncertainty: number;
  /** Of such a statement. */
  readonly requests: Requests;
  /** US dollars: of Athena, of requests to S3, and of decryption where the objects have a key of one's own and the bucket has no bucket key. */
  readonly dollars: { readonly scan: number; readonly requests: number; readonly decrypt: number };
}

/** Folders that are listed for an estimate; of more this many are, evenly spread. */
const LISTED_MAX = 1000;
const LANES = 16;
const KEYS_PER_REQUEST = 1000;

/** Lists what a statement over the window would read of a table. Costs one request for each of the folders listed, at least. */
export async function estimateTable(
  { table, roots }: DeployedTable,
  window: Window,
  {
    folders,
    latenessMs,
    signal,
    listedMax = LISTED_MAX,
  }: {
    readonly folders: Folders;
    readonly latenessMs: number;
    readonly signal: AbortSignal;
    readonly listedMax?: number;
  },
): Promise<TableEstimate> {
  const { count: days } = deliveryDays(window, latenessMs);
  const partitions = roots.reduce((sum, root) => sum + partitionsOf(root, window, latenessMs), 0);
  let sums = { listed: 0, objects: 0, bytes: 0, variance: 0, list: 0 };
  for (const root of roots) {
    const all = partitionsOf(root, window, latenessMs);
    const places = root.template === null ? [root.location] : placesOf(root, window, latenessMs, all, listedMax);
    const measured = await pLimit(LANES).map(places, (place) => {
      const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/su.exec(place) ?? [];
      return folders.measure(bucket, prefix, signal);
    });
    const scale = root.template === null ? 1 : all / places.length;
    const bytes = measured.map((one) => one.bytes);
    const total = bytes.reduce((sum, size) => sum + size, 0);
    const objects = measured.reduce((sum, one) => sum + one.objects, 0);
    sums = {
      listed: sums.listed + places.length,
      objects: sums.objects + objects * scale,
      bytes: sums.bytes + total * scale,
      variance: sums.variance + (scale > 1 ? varianceOf(bytes) * places.length * scale ** 2 : 0),
      list: sums.list + Math.max(all, 1) + Math.floor((objects * scale) / KEYS_PER_REQUEST),
    };
  }
  const objects = Math.round(sums.objects);
  const bytes = Math.round(sums.bytes);
  return {
    table: table.name,
    days,
    lateDays: days - deliveryDays(window, 0).count,
    partitions,
    listed: sums.listed,
    objects,
    bytes,
    uncertainty: Math.round(Math.sqrt(sums.variance)),
    requests: { list: sums.list, get: objects, decrypt: objects },
    dollars: {
      scan: scanDollars(billedBytes(bytes)),
      requests: requestDollars({ list: sums.list, get: objects, decrypt: 0 }),
      decrypt: requestDollars({ list: 0, get: 0, decrypt: objects }),
    },
  };
}

/** Variance of one of several values around their mean. */
function varianceOf(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
}

/** The golden ratio spreads numbers evenly over a range, whatever period accounts, Regions and days repeat in. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Folders of days: all of them, or as many as may be listed. */
function placesOf(
  root: LogRoot,
  window: Window,
  latenessMs: number,
  all: number,
  listedMax: number,
): readonly string[] {
  const { count: days } = deliveryDays(window, latenessMs);
  const numbers =
    all <= listedMax
      ? Array.from({ length: all }, (_, at) => at)
      : [...new Set(Array.from({ length: listedMax }, (_, at) => Math.floor((((at + 1) * GOLDEN) % 1) * all)))];
  return numbers.map((number) => {
    let rest = Math.floor(number / days);
    let path = root.template ?? '';
    for (const { name, values } of root.keys) {
      path = path.replace(`\${${name}}`, values[rest % values.length] ?? '');
      rest = Math.floor(rest / values.length);
    }
    return `${root.isExport ? dataOf(root) : root.location}${path}${pathDay(window.fromMs + (number % days) * DAY_MS)}/`;
  });
}

/** What a statement tells of itself in its first line: for each table it reads, how many days of delivery (each as often as it is read), so that later ones can learn from what it scanned. */
export const tagOf = (days: ReadonlyMap<string, number>): string =>
  `-- trailhound ${JSON.stringify(Object.fromEntries([...days].toSorted(([a], [b]) => (a < b ? -1 : 1))))}`;

function tagIn(text: string): ReadonlyMap<string, number> | null {
  const tag = /^-- trailhound (\{.*\})$/mu.exec(text)?.[1];
  if (tag === undefined) return null;
  try {
    return new Map(Object.entries(JSON.parse(tag) as Record<string, number>));
  } catch {
    return null;
  }
}

/** Bytes that a statement scanned of each table for a day of delivery, from those that read one table only: the latest counts. */
export function bytesPerDay(
  history: readonly { readonly text: string; readonly scannedBytes: number }[],
): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const { text, scannedBytes } of history) {
    const [entry, ...others] = tagIn(text) ?? [];
    if (entry === undefined || others.length > 0 || entry[1] <= 0) continue;
    const [table, days] = entry;
    if (!found.has(table)) found.set(table, scannedBytes / days);
  }
  return found;
}
