/** Merges the small segments of a day into few larger ones, in order of their first events. Readers see either the old or the new ones, never both. */
import { randomBytes } from 'node:crypto';
import { chmodSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '../duckdb.ts';
import { AppError } from '../errors.ts';
import type { Segment } from '../store.ts';
import type { Table } from '../table.ts';
import type { Catalog } from './catalog.ts';
import { asStoreError, FILE_MODE, partitionDir, type StorePaths, syncPath } from './files.ts';
import { insertSegments, liveSegments } from './lake.ts';
import { PARQUET_OPTIONS, sqlList, sqlText } from './parquet.ts';
import { num, sqlTime } from './rows.ts';

/** Larger segments read hardly faster; this many rows of some 1.6 kB fit into MEMORY_LIMIT while they are written. */
const SEGMENT_ROWS = 61_440;
/** A segment of so many rows is left alone when everything is merged: half of what it could become. */
const FULL_ROWS = SEGMENT_ROWS / 2;
/** And of so many when nobody asked, half a window of ingest: a day of ten million events is then not written twice. */
const GOOD_ROWS = 10_240;
/** Each open segment costs a query about 0.2 ms: a day with more small ones than this is merged without being asked. */
export const SMALL_SEGMENTS_MAX = 12;
const MEMORY_LIMIT = '240MB';

/** Of so few rows that it is merged without being asked once there are too many. */
export const isSmall = (rows: number): boolean => rows < GOOD_ROWS;

export interface CompactionOptions {
  /** True: every day with more than one small segment. False: only days with too many. */
  readonly full: boolean;
  readonly signal: AbortSignal;
}

/** What is to be merged, by table: groups of segments that become one each. */
export function mergesDue(
  catalog: Catalog,
  paths: StorePaths,
  tables: readonly Table[],
  { full }: Pick<CompactionOptions, 'full'>,
): Promise<readonly { readonly table: Table; readonly groups: readonly (readonly Segment[])[] }[]> {
  return catalog.read(async (session) => {
    const merges = [];
    for (const table of tables) {
      const segments = await liveSegments(session, paths, table.name);
      merges.push({ table, groups: planMerges(segments, table.schemaVersion, full) });
    }
    return merges;
  });
}

/** Merges until it is done, or asked to stop. */
export async function compact(
  catalog: Catalog,
  paths: StorePaths,
  table: Table,
  groups: readonly (readonly Segment[])[],
  signal: AbortSignal,
): Promise<{ replaced: number; written: number }> {
  const sums = { replaced: 0, written: 0 };
  if (groups.length === 0) return sums;
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: MEMORY_LIMIT,
    // A second one buffers as much again and spills to the disk where one does not; merging took twice the processor time with it, and longer.
    threads: '1',
    temp_directory: paths.staging,
  });
  const connection = await instance.connect();
  const stop = (): void => connection.interrupt();
  signal.addEventListener('abort', stop);
  try {
    for (const group of groups) {
      if (signal.aborted) break;
      const first = group[0];
      if (first === undefined) continue;
      const rows = group.reduce((sum, segment) => sum + segment.rows, 0);
      const name = `${String(Math.max(...group.map((segment) => segment.seq))).padStart(8, '0')}-${randomBytes(4).toString('hex')}-merged.parquet`;
      const staged = join(paths.staging, name);
      try {
        await connection.run(
          `COPY (SELECT * FROM read_parquet(${sqlList(group.map((segment) => segment.path))}, hive_partitioning = false)) TO ${sqlText(staged)} ${PARQUET_OPTIONS}`,
        );
        const [count] = (
          await connection.runAndReadAll(`SELECT count(*) AS n FROM read_parquet(${sqlText(staged)})`)
        ).getRowObjects();
        if (num(count?.['n']) !== rows)
          throw new Error(`compaction of ${table.name} ${first.eventDate} wrote ${num(count?.['n'])} rows of ${rows}`);
        chmodSync(staged, FILE_MODE);
        syncPath(staged);
        const folder = partitionDir(paths, table.name, first.eventDate);
        renameSync(staged, join(folder, name));
        syncPath(folder);
      } catch (error) {
        rmSync(staged, { force: true });
        if (signal.aborted) break;
        const reason = asStoreError(error, `compact the store ${paths.dir}`);
        if (reason instanceof AppError || !(error instanceof Error) || !error.message.startsWith('IO Error'))
          throw reason;
        throw new AppError('store-damaged', `cannot compact the store ${paths.dir}: ${error.message.split('\n')[0]}`, {
          hint: '`trailhound store check` lists the files that are missing or damaged.',
          cause: error,
        });
      }
      const placed = join('lake', table.name, `event_date=${first.eventDate}`, name);
      const times = group.flatMap((segment) => [segment.minTimeMs, segment.maxTimeMs]).filter((time) => time !== null);
      await catalog.write(async (session) => {
        await session.run(
          `UPDATE segment SET superseded_at = CAST($now AS TIMESTAMP) WHERE path IN (SELECT unnest(from_json($paths, '["VARCHAR"]')))`,
          {
            now: sqlTime(Date.now()),
            paths: JSON.stringify(group.map((segment) => segment.path.slice(paths.dir.length + 1))),
          },
        );
        await insertSegments(session, [
          {
            table: table.name,
            eventDate: first.eventDate,
            path: staged,
            placed,
            rows,
            sizeBytes: statSync(join(paths.dir, placed)).size,
            minTimeMs: times.length === 0 ? null : Math.min(...times),
            maxTimeMs: times.length === 0 ? null : Math.max(...times),
            seq: Math.max(...group.map((segment) => segment.seq)),
            schemaVersion: table.schemaVersion,
          },
        ]);
      });
      sums.replaced += group.length;
      sums.written++;
    }
    return sums;
  } finally {
    signal.removeEventListener('abort', stop);
    connection.closeSync();
    instance.closeSync();
  }
}

/** Groups of segments of one day that become one segment each. */
function planMerges(segments: readonly Segment[], schemaVersion: number, full: boolean): Segment[][] {
  const days = new Map<string, Segment[]>();
  for (const segment of segments) {
    if (segment.schemaVersion !== schemaVersion || (full ? segment.rows >= FULL_ROWS : !isSmall(segment.rows)))
      continue;
    days.set(segment.eventDate, [...(days.get(segment.eventDate) ?? []), segment]);
  }
  const groups: Segment[][] = [];
  for (const small of days.values()) {
    if (!full && small.length <= SMALL_SEGMENTS_MAX) continue;
    small.sort((a, b) => (a.minTimeMs ?? 0) - (b.minTimeMs ?? 0) || (a.path < b.path ? -1 : 1));
    let group: Segment[] = [];
    let rows = 0;
    for (const segment of small) {
      if (group.length > 0 && rows + segment.rows > SEGMENT_ROWS) {
        groups.push(group);
        group = [];
        rows = 0;
      }
      group.push(segment);
      rows += segment.rows;
    }
    if (group.length > 0) groups.push(group);
  }
  return groups.filter((group) => group.length > 1);
}
