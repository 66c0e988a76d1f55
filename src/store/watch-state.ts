/** What `watch` leaves in the catalog for its next run and for those who look at it. */
import type { HuntRun, SourceState, WatchState } from '../store.ts';
import type { Catalog, CatalogRow, CatalogSession } from './catalog.ts';
import { HUNT_RUN, SOURCE_STATE } from './catalog-tables.ts';
import { notifySince } from './hunts.ts';
import { appendRows, columnTypes, num, numOrNull, sqlTime, text, textOrNull, timeOrNull } from './rows.ts';

/** Older runs tell nobody anything. */
const RUNS_KEPT = 10_000;

export function catalogWatchState(catalog: Catalog): WatchState {
  return {
    get: (name) => catalog.read((session) => getState(session, name)),
    set: (name, value) => catalog.write((session) => setState(session, name, value)),
    notifySince: (keys, ms) => catalog.write((session) => notifySince(session, keys, ms)),
    recordRun: (run) =>
      catalog.write(async (session) => {
        const { hunt, dueAtMs, startedAtMs, endedAtMs, state, found, fresh, error, scannedBytes } = run;
        await appendRows(session.connection, HUNT_RUN.name, columnTypes(HUNT_RUN), [
          [hunt, dueAtMs, startedAtMs, endedAtMs, state, found, fresh, error, scannedBytes],
        ]);
        await session.run(
          `DELETE FROM hunt_run WHERE started_at < (SELECT min(started_at) FROM (SELECT started_at FROM hunt_run ORDER BY started_at DESC LIMIT ${RUNS_KEPT}))`,
        );
      }),
    runs: ({ hunt, limit }) =>
      catalog.read(async (session) => {
        const rows = await session.rows(
          `SELECT * FROM hunt_run WHERE $hunt IS NULL OR hunt = $hunt ORDER BY due_at DESC, started_at DESC LIMIT ${Math.trunc(limit)}`,
          { hunt: hunt ?? null },
        );
        return rows.map(runOf);
      }),
    arrivals: (prefix, sinceMs) =>
      catalog.read(async (session) => {
        const [row] = await session.rows(
          `WITH arrived AS (
            SELECT date_trunc('minute', ingested_at) AS minute FROM log_file
            WHERE ingested_at >= CAST($since AS TIMESTAMP) AND starts_with(key, $prefix) AND status <> 'failed'
          ), gaps AS (
            SELECT epoch_ms(minute) - lag(epoch_ms(minute)) OVER (ORDER BY minute) AS gap FROM (SELECT DISTINCT minute FROM arrived)
          )
          SELECT count(*) AS files, max(minute) AS last, count(DISTINCT CAST(minute AS DATE)) AS days,
            (SELECT quantile_disc(gap, 0.95) FROM gaps) AS usual_gap FROM arrived`,
          { prefix, since: sqlTime(sinceMs) },
        );
        return {
          files: num(row?.['files']),
          lastMs: timeOrNull(row?.['last']),
          days: num(row?.['days']),
          usualGapMs: numOrNull(row?.['usual_gap']),
        };
      }),
    latestRuns: () =>
      catalog.read(async (session) => {
        const rows = await session.rows(
          'SELECT * FROM hunt_run QUALIFY row_number() OVER (PARTITION BY hunt ORDER BY due_at DESC, started_at DESC) = 1 ORDER BY hunt',
        );
        return rows.map(runOf);
      }),
    recordSource: (state) =>
      catalog.write(async (session) => {
        const { source, listedAtMs, arrivedAtMs, files, usualGapMs, silentSinceMs, error } = state;
        await session.run('DELETE FROM source_state WHERE source = $source', { source });
        await appendRows(session.connection, SOURCE_STATE.name, columnTypes(SOURCE_STATE), [
          [source, listedAtMs, arrivedAtMs, files, usualGapMs, silentSinceMs, error],
        ]);
      }),
    sources: () =>
      catalog.read(async (session) => (await session.rows('SELECT * FROM source_state ORDER BY source')).map(sourceOf)),
  };
}

export async function getState(session: CatalogSession, name: string): Promise<string | null> {
  const [row] = await session.rows('SELECT value FROM watch_state WHERE name = $name', { name });
  return textOrNull(row?.['value']);
}

export async function setState(session: CatalogSession, name: string, value: string): Promise<void> {
  await session.run('DELETE FROM watch_state WHERE name = $name', { name });
  await session.run('INSERT INTO watch_state VALUES ($name, $value)', { name, value });
}

const runOf = (row: CatalogRow): HuntRun => ({
  hunt: text(row['hunt']),
  dueAtMs: timeOrNull(row['due_at']) ?? 0,
  startedAtMs: timeOrNull(row['started_at']) ?? 0,
  endedAtMs: timeOrNull(row['ended_at']) ?? 0,
  state: text(row['state']) as HuntRun['state'],
  found: num(row['found']),
  fresh: num(row['fresh']),
  error: textOrNull(row['error']),
  scannedBytes: numOrNull(row['scanned_bytes']),
});

const sourceOf = (row: CatalogRow): SourceState => ({
  source: text(row['source']),
  listedAtMs: timeOrNull(row['listed_at']),
  arrivedAtMs: timeOrNull(row['arrived_at']),
  files: num(row['files']),
  usualGapMs: numOrNull(row['usual_gap_ms']),
  silentSinceMs: timeOrNull(row['silent_since']),
  error: textOrNull(row['error']),
});
