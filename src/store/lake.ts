/** The lake as the catalog lists it: which segments are live, and what lies in the folders without being listed. */
import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { StagedSegment } from '../ingest.ts';
import type { Segment, SegmentRange } from '../store.ts';
import { DAY_MS, dayOf } from '../time.ts';
import type { CatalogSession } from './catalog.ts';
import type { StorePaths } from './files.ts';
import { fromJson, num, sqlTime, text, timeOrNull } from './rows.ts';

/** Readers that took their list of segments before a compaction go on reading the old ones for this long. */
export const SUPERSEDED_GRACE_MS = 3_600_000;

/** Snapshots for readers lie in staging/ too; a reader deletes its own, one that was killed leaves it. */
export const SNAPSHOT_PREFIX = 'read-';
const SNAPSHOT_AGE_MAX_MS = DAY_MS;

export async function liveSegments(
  session: CatalogSession,
  paths: StorePaths,
  table: string,
  range: SegmentRange = {},
): Promise<Segment[]> {
  const rows = await session.rows(
    `SELECT table_name, CAST(event_date AS VARCHAR) AS event_date, path, row_count, size_bytes, min_time, max_time, seq, schema_version
    FROM segment
    WHERE table_name = $table AND superseded_at IS NULL AND seq > $after
    ORDER BY event_date, path`,
    { table, after: BigInt(range.afterSeq ?? 0) },
  );
  return rows
    .map((row) => ({
      table: text(row['table_name']),
      eventDate: text(row['event_date']),
      path: join(paths.dir, text(row['path'])),
      rows: num(row['row_count']),
      sizeBytes: num(row['size_bytes']),
      minTimeMs: timeOrNull(row['min_time']),
      maxTimeMs: timeOrNull(row['max_time']),
      seq: num(row['seq']),
      schemaVersion: num(row['schema_version']),
    }))
    .filter((segment) => mayHold(segment, range));
}

/** Prunes by the partition's day: rows without a time lie in the partition of their delivery day and must not be lost with it. */
function mayHold(segment: Segment, range: SegmentRange): boolean {
  const start = dayOf(segment.eventDate) * DAY_MS;
  return (
    (range.toMs === undefined || start < range.toMs) && (range.fromMs === undefined || start + DAY_MS > range.fromMs)
  );
}

/** Removes what a killed run left: staged files, and files in the lake that no commit names. Only for the holder of the lease. */
export function removeOrphans(paths: StorePaths, listed: ReadonlySet<string>): number {
  let removed = 0;
  const remove = (path: string): void => {
    unlinkSync(path);
    removed++;
  };
  for (const name of readdirSync(paths.staging)) {
    const path = join(paths.staging, name);
    const isFresh = Date.now() - statSync(path).mtimeMs < SNAPSHOT_AGE_MAX_MS;
    if (!(name.startsWith(SNAPSHOT_PREFIX) && isFresh)) remove(path);
  }
  for (const path of unlistedFiles(paths, listed)) remove(path);
  return removed;
}

/** Absolute paths of files in the lake that are not in `listed` (paths below the store's folder). */
export function unlistedFiles(paths: StorePaths, listed: ReadonlySet<string>): string[] {
  const unlisted: string[] = [];
  for (const table of readdirSync(paths.lake)) {
    for (const partition of readdirSync(join(paths.lake, table))) {
      for (const name of readdirSync(join(paths.lake, table, partition))) {
        if (!listed.has(join('lake', table, partition, name))) unlisted.push(join(paths.lake, table, partition, name));
      }
    }
  }
  return unlisted;
}

export interface PlacedSegment extends StagedSegment {
  /** Below the store's folder. */
  readonly placed: string;
}

/** Lists segments that lie in the lake. */
export async function insertSegments(
  session: CatalogSession,
  segments: readonly (PlacedSegment & { readonly seq: number; readonly schemaVersion: number })[],
): Promise<void> {
  await session.run(
    `INSERT INTO segment BY NAME SELECT *, CAST(NULL AS TIMESTAMP) AS superseded_at FROM ${fromJson('rows', {
      table_name: 'VARCHAR',
      event_date: 'DATE',
      path: 'VARCHAR',
      row_count: 'BIGINT',
      size_bytes: 'BIGINT',
      min_time: 'TIMESTAMP',
      max_time: 'TIMESTAMP',
      seq: 'BIGINT',
      schema_version: 'INTEGER',
    })}`,
    {
      rows: JSON.stringify(
        segments.map((segment) => ({
          table_name: segment.table,
          event_date: segment.eventDate,
          path: segment.placed,
          row_count: segment.rows,
          size_bytes: segment.sizeBytes,
          min_time: sqlTime(segment.minTimeMs),
          max_time: sqlTime(segment.maxTimeMs),
          seq: segment.seq,
          schema_version: segment.schemaVersion,
        })),
      ),
    },
  );
}
