/** What a store does: it keeps segments, the ledger of log files, rejects, alerts and hunt state, and shows each reader one consistent whole. */
import type { Alert, AlertChange, AlertOutline, AlertStatus, Severity } from './alert.ts';
import type { CountRow } from './hunt.ts';
import type { Outbox } from './outbox.ts';
import type { Column, Table } from './table.ts';

/** An immutable Parquet file of rows of one table and one event_date. */
export interface Segment {
  readonly table: string;
  /** `YYYY-MM-DD`. */
  readonly eventDate: string;
  /** Absolute. */
  readonly path: string;
  readonly rows: number;
  readonly sizeBytes: number;
  /** Event times in ms; null when no row has a time. */
  readonly minTimeMs: number | null;
  readonly maxTimeMs: number | null;
  /** Sequence number of the commit that made its rows visible; compaction keeps the highest of its inputs. */
  readonly seq: number;
  readonly schemaVersion: number;
}

export interface SegmentRange {
  /** Only segments that may hold events of [fromMs, toMs). Segments with rows without a time are never pruned by it. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Only segments committed after this sequence number. */
  readonly afterSeq?: number;
}

/** `done`: every record accounted for. `damaged`: read to the damage, the rest is one reject. `failed`: could not be read; tried again next time. */
export type LogFileStatus = 'done' | 'damaged' | 'failed';

/** A relation of the catalog as a Parquet file that only the caller uses; delete the file when done. */
export interface Snapshot {
  readonly name: string;
  readonly file: string;
}

/** The relations of the catalog that SQL may read, with their columns. Defined in store/catalog-tables.ts. */
export interface CatalogTable {
  readonly name: string;
  readonly doc: string;
  readonly columns: readonly Pick<Column, 'name' | 'type' | 'doc'>[];
}

export interface TableSums {
  readonly name: string;
  readonly rows: number;
  readonly segments: number;
  readonly bytes: number;
  /** ISO 8601 of the first and last event, null when there is none. */
  readonly first: string | null;
  readonly last: string | null;
}

/** The published JSON of `trailhound status --output json`. */
export interface StoreStatus {
  readonly schema: 1;
  readonly store: string;
  readonly version: number;
  readonly tables: readonly TableSums[];
  readonly files: { readonly seen: number; readonly done: number; readonly damaged: number; readonly failed: number };
  readonly records: {
    readonly in: number;
    readonly stored: number;
    readonly duplicate: number;
    readonly rejected: number;
    readonly id_conflicts: number;
    readonly without_time: number;
  };
  /** in = stored + duplicate + rejected, for every log file and in total, and the rows of the segments are the stored and the pruned ones. */
  readonly balanced: boolean;
  readonly watermark: string | null;
  readonly writer: { readonly pid: number } | null;
}

export interface RejectRow {
  readonly logFileKey: string;
  readonly recordNo: number;
  readonly offset: number;
  readonly length: number;
  readonly reason: string;
  readonly detail: string;
  readonly text: string;
}

/** Events that match are stored and hunted, but their alerts are marked `suppressed`. */
export interface Suppression {
  /** 0 for one of the config. */
  readonly id: number;
  /** Detector id, or null for every detector. */
  readonly detector: string | null;
  /** Column of the subject or of the alert (`principal`, `account_id`, `source_ips`, …) and a value; `*` stands for any text, CIDR for addresses. */
  readonly where: Readonly<Record<string, string>>;
  readonly reason: string;
  readonly owner: string;
  /** ISO 8601; null never expires. */
  readonly until: string | null;
  /** ISO 8601, our clock; absent where nobody noted it down, as in the config. */
  readonly createdAt?: string;
}

export interface AlertFilter {
  readonly ids?: readonly string[];
  readonly detector?: string;
  readonly minSeverity?: Severity;
  readonly statuses?: readonly AlertStatus[];
  /** Alerts that this suppression hides, as they name it. */
  readonly suppressedBy?: string;
  /** Alerts whose events touch [fromMs, toMs). */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** Which come first, and are left when `limit` cuts: the newest last_seen (default), or by rank the weightiest. */
  readonly sort?: 'newest' | 'rank';
  readonly limit?: number;
}

/** What a hunt of one detector has seen; a change of version or parameters starts afresh. */
export interface HuntKey {
  readonly detector: string;
  readonly version: number;
  /** SHA-256 over the parameters' JSON. */
  readonly parametersHash: string;
}

/** One commit of log files: what newer data touches. */
export interface Commit {
  readonly seq: number;
  readonly table: string;
  readonly minTimeMs: number | null;
  readonly maxTimeMs: number | null;
}

/** What a person can make of an alert. */
export type DecidedStatus = Extract<AlertStatus, 'open' | 'acknowledged' | 'closed'>;

/** An alert as a decision left it. */
export interface DecidedAlert {
  readonly alert: Alert;
  /** Its status before; the same as now where the decision changed nothing. */
  readonly was: AlertStatus;
}

/** What a suppression has hidden. */
export interface SuppressionUse {
  /** As alerts name it. */
  readonly suppression: string;
  /** Alerts that it hides. */
  readonly alerts: number;
  /** ISO 8601: the last event of the newest of them. */
  readonly lastSeen: string;
  /** ISO 8601, our clock: when a hunt last found one of them. */
  readonly usedAt: string;
}

/** A run of a hunt of the config that was due. */
export interface HuntRun {
  readonly hunt: string;
  readonly dueAtMs: number;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly state: 'done' | 'failed' | 'skipped';
  /** Alerts that it found, or rows of its question. */
  readonly found: number;
  readonly fresh: number;
  readonly error: string | null;
  /** That its statements on Athena scanned; null over the store. */
  readonly scannedBytes: number | null;
}

/** What `watch` knows of a source of the config. */
export interface SourceState {
  readonly source: string;
  readonly listedAtMs: number | null;
  readonly arrivedAtMs: number | null;
  readonly files: number;
  readonly usualGapMs: number | null;
  readonly silentSinceMs: number | null;
  readonly error: string | null;
}

/** What the store says of the alerts that it was given. */
export interface RecordedHunt {
  /** Ids that were not known before. */
  readonly fresh: ReadonlySet<string>;
  /** What each of them is now, by id: a person's decision outlives a finding. */
  readonly statuses: ReadonlyMap<string, AlertStatus>;
}

/** When log files were ingested, to the minute. */
export interface Arrivals {
  readonly files: number;
  readonly lastMs: number | null;
  /** Days of ours on which some came. */
  readonly days: number;
  /** 19 of 20 gaps between two of them are no longer; null where there are none. */
  readonly usualGapMs: number | null;
}

/** What `watch` leaves for its next run, and for those who look at it. */
export interface WatchState {
  /** A note of its own; null where there is none. */
  get(name: string): Promise<string | null>;
  set(name: string, value: string): Promise<void>;
  /** From when on people are told of what each of these finds; those that are new are noted down with `ms`. In the order of `keys`. */
  notifySince(keys: readonly HuntKey[], ms: number): Promise<readonly number[]>;
  recordRun(run: HuntRun): Promise<void>;
  /** The newest runs, of one hunt or of all. */
  runs(filter: { readonly hunt?: string; readonly limit: number }): Promise<readonly HuntRun[]>;
  /** When log files came whose keys begin so, since `sinceMs`. */
  arrivals(prefix: string, sinceMs: number): Promise<Arrivals>;
  /** The newest run of each hunt, by the hunts' ids. */
  latestRuns(): Promise<readonly HuntRun[]>;
  recordSource(state: SourceState): Promise<void>;
  sources(): Promise<readonly SourceState[]>;
}

/**
 * Counts of the events of days, kept so that baselines need not read these events again. A cache: nothing is lost with it. Each file holds the counts of whole segments,
 * so that neither the order in which files come nor a compaction counts an event twice or not at all.
 */
export interface SlotCounts {
  /** Files that hold all these keys of segments among these, no segment in two of them; and the segments that are in none. Damaged files are not among them. */
  find(
    table: Pick<Table, 'name'>,
    segments: readonly Segment[],
    keys: readonly string[],
  ): Promise<{ readonly files: readonly Segment[]; readonly missing: readonly Segment[] }>;
  /** Keeps the counts of these segments of one day. Throws `store-unwritable`. */
  add(
    table: Pick<Table, 'name'>,
    segments: readonly Segment[],
    keys: readonly string[],
    rows: readonly CountRow[],
  ): Promise<Segment>;
}

export interface Store {
  /** Absolute. */
  readonly dir: string;
  segments(table: Table, range?: SegmentRange): Promise<readonly Segment[]>;
  /** Commits after `seq`, in order. */
  commits(table: Table, afterSeq: number): Promise<readonly Commit[]>;
  lastSeq(): Promise<number>;
  status(): Promise<StoreStatus>;
  /** Events that have no time: they stand in no window. */
  withoutTime(): Promise<number>;
  rejects(options: { readonly limit: number }): Promise<readonly RejectRow[]>;
  /** A copy of a catalog relation as a Parquet file under `dir`/staging; the caller deletes it. */
  snapshot(name: string): Promise<Snapshot>;

  /** Sequence number up to which each of these hunts has judged; 0 where it never ran. In the order of `keys`. */
  huntSeqs(keys: readonly HuntKey[]): Promise<readonly number[]>;
  /**
   * One transaction: inserts or refreshes alerts by id (a person's status survives, but closed ones that grow and `withdrawn` ones that follow again are
   * re-opened), marks `withdrawn` the ids given, notes down what people are told of, and moves the hunts' sequence numbers.
   */
  recordHunt(result: {
    readonly alerts: readonly Alert[];
    readonly withdrawn: readonly string[];
    readonly seqs: readonly { readonly key: HuntKey; readonly seq: number }[];
  }): Promise<RecordedHunt>;
  /** `new` is false in what is read back. */
  alerts(filter: AlertFilter): Promise<readonly Alert[]>;
  /** Of all alerts, in no order. */
  alertOutlines(): Promise<readonly AlertOutline[]>;
  /** By id or a unique beginning of it (at least 4 digits). Throws `alert-unknown`. */
  alert(idPrefix: string): Promise<Alert>;
  /**
   * By ids or unique beginnings, in one transaction: all of them or none. In the order in which they are named, each once. What has that status already, and what is
   * withdrawn, stays as it is. Throws `alert-unknown`.
   */
  setAlertStatus(
    idPrefixes: readonly string[],
    status: DecidedStatus,
    by: string,
    why: string | null,
  ): Promise<readonly DecidedAlert[]>;
  /** What happened to an alert, in order. */
  alertHistory(id: string): Promise<readonly AlertChange[]>;

  suppressions(): Promise<readonly Suppression[]>;
  /** Of those that hide an alert, also of the config's and of removed ones. */
  suppressionUses(): Promise<readonly SuppressionUse[]>;
  addSuppression(suppression: Omit<Suppression, 'id' | 'createdAt'>): Promise<Suppression>;
  /** False when there is none of this id. */
  removeSuppression(id: number): Promise<boolean>;

  readonly slotCounts: SlotCounts;
  readonly outbox: Outbox;
  readonly watching: WatchState;
  close(): Promise<void>;
}
