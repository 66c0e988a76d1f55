/** The published JSON of `trailhound status`: what the store holds, and what those who watch it have to tell. */
import type { DeliveryCount } from '../outbox.ts';
import type { HuntRun, SourceState, Store, StoreStatus } from '../store.ts';
import { formatTime, SECOND_MS } from '../time.ts';
import type { Run } from './command.ts';
import { type ListedSuppression, listSuppressions } from './suppressions.ts';

/** Property order is the order of printing; see docs/reference/status.schema.json. */
export interface Status extends StoreStatus {
  /** Ids, by what the suppressions do. */
  readonly suppressions: Readonly<Record<ListedSuppression['state'], readonly ListedSuppression['id'][]>>;
  readonly deliveries: readonly DeliveryCount[];
  /** The last run of each. */
  readonly hunts: readonly ReturnType<typeof huntOf>[];
  readonly sources: readonly ReturnType<typeof sourceOf>[];
}

export async function statusOf(store: Store, run: Run<unknown>): Promise<Status> {
  const [status, suppressions, deliveries, runs, sources] = await Promise.all([
    store.status(),
    listSuppressions(store, run),
    store.outbox.counts(),
    store.watching.latestRuns(),
    store.watching.sources(),
  ]);
  const idsOf = (wanted: ListedSuppression['state']) =>
    suppressions.filter(({ state }) => state === wanted).map(({ id }) => id);
  return {
    ...status,
    suppressions: { expired: idsOf('expired'), idle: idsOf('idle'), active: idsOf('active') },
    ...run.terminal.mask.value({
      deliveries,
      hunts: runs.map(huntOf),
      sources: sources.map((source) => sourceOf(source, run.nowMs)),
    }),
  };
}

function huntOf({ hunt, state, dueAtMs, startedAtMs, endedAtMs, found, fresh, error, scannedBytes }: HuntRun) {
  return {
    hunt,
    state,
    due_at: formatTime(dueAtMs),
    started_at: formatTime(startedAtMs),
    ended_at: formatTime(endedAtMs),
    found,
    fresh,
    error,
    scanned_bytes: scannedBytes,
  };
}

const timeOrNull = (ms: number | null): string | null => (ms === null ? null : formatTime(ms));
const seconds = (ms: number | null): number | null => (ms === null ? null : Math.round(ms / SECOND_MS));

function sourceOf(state: SourceState, nowMs: number) {
  const { source, listedAtMs, arrivedAtMs, files, usualGapMs, silentSinceMs, error } = state;
  return {
    source,
    listed_at: timeOrNull(listedAtMs),
    arrived_at: timeOrNull(arrivedAtMs),
    /** Since a log file arrived that was new. */
    lag_seconds: seconds(arrivedAtMs === null ? null : Math.max(0, nowMs - arrivedAtMs)),
    usual_gap_seconds: seconds(usualGapMs),
    silent_since: timeOrNull(silentSinceMs),
    files,
    error,
  };
}
