/** What ingest promises: options in, sums out, and the contracts between the pipeline, its worker threads and the store. */
import type { AppError } from './errors.ts';
import type { Batch, ContentKind, Reject } from './format.ts';
import type { Redaction } from './redaction.ts';
import type { Content, ListingCosts, ListingProblem, LogFile, Scope, Source } from './source.ts';
import type { LogFileStatus } from './store.ts';

/** All bounds that keep memory and disk a matter of configuration, not of input. */
export interface IngestLimits {
  /** A record over this size becomes a reject. */
  readonly recordBytes: number;
  /** Text of a window at most. */
  readonly windowBytes: number;
  /** Inflated size over compressed size that no honest log file reaches. */
  readonly maxRatio: number;
  /** Inflated size of one log file at most. */
  readonly maxFileBytes: number;
}

export interface IngestOptions {
  readonly sources: readonly Source[];
  readonly scope: Scope;
  readonly limits?: Partial<IngestLimits>;
  /** Worker threads; default one per core, at most 3. */
  readonly workers?: number;
  /** Name of the format of all log files; null where their contents tell. */
  readonly format?: string | null;
  /** What is not stored. */
  readonly redact?: readonly Redaction[];
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: IngestProgress) => void;
  /** Called after commits, not after each, never concurrently; ingest goes on meanwhile. `scan` hunts the new segments here. */
  readonly onCommit?: (seq: number) => Promise<void>;
}

export interface IngestProgress {
  /** Files listed so far and whether the listing has ended: only then `filesListed` is a total. */
  readonly filesListed: number;
  readonly bytesListed: number;
  readonly listingEnded: boolean;
  /** Files read or recognised as known. */
  readonly filesDone: number;
  readonly bytesDone: number;
  readonly records: number;
  readonly uncompressedBytes: number;
  readonly elapsedMs: number;
}

export interface RecordSums {
  readonly in: number;
  readonly stored: number;
  readonly duplicate: number;
  readonly rejected: number;
  readonly id_conflicts: number;
  readonly without_time: number;
}

export interface IngestResult {
  /** `known` were in the ledger and not read again; the others add up to what this run read. */
  readonly files: {
    readonly listed: number;
    readonly known: number;
    readonly done: number;
    readonly damaged: number;
    readonly failed: number;
    /** Of the done ones: same content as a log file read before. */
    readonly copies: number;
    readonly digests: number;
    readonly insights: number;
  };
  readonly records: RecordSums;
  /** Values that were not stored, or not whole; those of duplicates too. */
  readonly redacted: number;
  readonly compressedBytes: number;
  readonly uncompressedBytes: number;
  /** Each kind of broken content once, with how often and the first log file it was seen in. */
  readonly warnings: readonly { readonly reason: string; readonly count: number; readonly example: string }[];
  /** Files and folders that could not be read and may be tomorrow: exit status 3. The first PROBLEMS_MAX by name, and how many in all. */
  readonly problems: readonly ListingProblem[];
  readonly problemsTotal: number;
  /** Sequence numbers of this run's commits lie in (seqBefore, seqAfter]. */
  readonly seqBefore: number;
  readonly seqAfter: number;
  /** Event times of the log files that the sources named, known ones included; null when none has a time. */
  readonly span: { readonly fromMs: number; readonly toMs: number } | null;
  readonly interrupted: boolean;
  readonly elapsedMs: number;
}

export const PROBLEMS_MAX = 100;

/** What `--dry-run` tells before a byte is read. */
export interface IngestForecast {
  readonly files: number;
  readonly known: number;
  readonly compressedBytes: number;
  /** Estimates from this archive's own sample, or from stated averages when nothing could be sampled. */
  readonly estimatedEvents: number;
  readonly estimatedSeconds: number;
  readonly estimatedStoreBytes: number;
  /** Log files that were read for these estimates, and their bytes as delivered. */
  readonly sampleFiles: number;
  readonly sampleBytes: number;
  /** What requests there were for the listing and the sample and would be for the reading, and what they cost; null for sources that cost nothing. */
  readonly requests:
    | (ListingCosts & { readonly sampleRequests: number; readonly getRequests: number; readonly dollars: number })
    | null;
  readonly problems: readonly ListingProblem[];
}

/** A log file as a worker thread is asked to read it. `bytes` and `port` stand for contents that only the main thread can read: all at once, or piece by piece. */
export interface WorkItem {
  readonly logFile: number;
  readonly key: string;
  readonly deliveredDay: number;
  readonly sizeBytes: number;
  readonly content:
    | Extract<Content, { type: 'file' }>
    | { readonly type: 'bytes'; readonly bytes: Uint8Array }
    | { readonly type: 'port' };
}

/** A Parquet file that a worker wrote and fsynced under staging/. */
export interface StagedSegment {
  readonly table: string;
  readonly eventDate: string;
  /** Absolute, in staging/. */
  readonly path: string;
  readonly rows: number;
  readonly sizeBytes: number;
  readonly minTimeMs: number | null;
  readonly maxTimeMs: number | null;
}

/** What became of one log file; sums over all its windows. */
export interface LogFileResult {
  readonly logFile: number;
  readonly status: LogFileStatus;
  readonly kind: ContentKind;
  /** Hex SHA-256 of the uncompressed bytes; null when not all of them could be read. */
  readonly sha256: string | null;
  /** The ledger id of the log file of which this one is a copy. */
  readonly copyOf: number | null;
  readonly uncompressedBytes: number;
  readonly records: RecordSums;
  readonly minTimeMs: number | null;
  readonly maxTimeMs: number | null;
  /** How many rejects for each reason; the rejects themselves are staged. */
  readonly rejectReasons: Readonly<Record<string, number>>;
  readonly error: string | null;
}

/** Results on their way out of a thread; see pipeline/packed-results.ts. */
export interface PackedResults {
  readonly numbers: Float64Array;
  /** In hex, one behind the other. */
  readonly sha256s: string;
  /** Those of which there is more to tell. */
  readonly others: readonly LogFileResult[];
}

export interface IdConflict {
  readonly logFile: number;
  readonly recordNo: number;
  readonly eventId: string;
  readonly eventDate: string;
}

/** Log files that become visible together, with all their segments: one transaction. */
export interface CommitUnit {
  readonly files: readonly (LogFileResult & { readonly file: LogFileIdentity })[];
  readonly segments: readonly StagedSegment[];
  readonly conflicts: readonly IdConflict[];
  /** Files of rejects in staging/, as SegmentWriter.writeRejects() gave them. */
  readonly rejectFiles: readonly string[];
}

export type LogFileIdentity = Pick<LogFile, 'key' | 'sizeBytes' | 'version'>;

/** What the ledger knows of a listed file. */
export interface KnownFile {
  readonly id: number;
  readonly minTimeMs: number | null;
  readonly maxTimeMs: number | null;
}

/** A content that was read before: a log file with these bytes adds nothing. */
export interface KnownContent extends KnownFile {
  readonly records: number;
  readonly kind: ContentKind;
}

/** Verdict over one row: stored, dropped as the same record, or stored although its id was seen with other facts. */
export const ADMITTED = 0;
export const DUPLICATE = 1;
export const CONFLICT = 2;

/** The one owner of event ids. All calls come from the main thread. */
export interface Admission {
  /**
   * Judges the rows of a window of commit unit `unit` and remembers the admitted ones. `dependsOn` are the uncommitted units that hold the first copy of
   * some duplicate: this unit must not become visible before them.
   */
  judge(
    rows: {
      readonly table: string;
      readonly identity: Uint8Array;
      readonly hasIdentity: Uint8Array;
      readonly eventDay: Int32Array;
    },
    unit: number,
  ): Promise<{
    readonly verdicts: Uint8Array;
    readonly dependsOn: readonly number[];
  }>;
  committed(unit: number): void;
  close(): void;
}

/** The writing side of a store, held under its lease. */
export interface StoreWriter {
  /** Sequence number of the last commit when the writer was opened. */
  readonly lastSeq: number;
  /** For each file what the ledger knows of it (same key, size and version, and not `failed`), else null. `listsAgain`: this run may name what it has committed itself. */
  known(files: readonly LogFileIdentity[], listsAgain?: boolean): Promise<readonly (KnownFile | null)[]>;
  /** For each hex SHA-256 a log file of that content that was read to its end, else null. */
  contents(sha256s: readonly string[]): Promise<readonly (KnownContent | null)[]>;
  /** Ids for new log files, never used before. */
  takeLogFileIds(count: number): number;
  readonly admission: Admission;
  /** Publishes units in one transaction and returns its sequence number. Throws `store-unwritable`. */
  commit(units: readonly CommitUnit[]): Promise<number>;
  /** Merges small segments of days with many of them, in every table. Returns how many segments were replaced. Stops at the next day when the signal is raised. */
  compact(options: {
    readonly full: boolean;
    readonly signal: AbortSignal;
  }): Promise<{ readonly replaced: number; readonly written: number }>;
  /** Gives the lease back. */
  close(): Promise<void>;
}

/** What ingest needs of a store and of the machine; cli/wire.ts puts it together. */
export interface IngestStore {
  readonly dir: string;
  openWriter(): Promise<StoreWriter>;
  /** They run pipeline/worker.ts over the store's staging folder. */
  readonly threads: readonly WorkerThread[];
}

export interface WorkerOptions {
  readonly index: number;
  readonly limits: IngestLimits;
  /** See IngestOptions.format. */
  readonly format: string | null;
  readonly redact: readonly Redaction[];
}

/** The main thread's end of a worker thread. */
export interface WorkerThread {
  post(message: ToWorker, transfer?: readonly ArrayBuffer[]): void;
  /** Messages and an error that came before anybody listened are told at once. */
  onMessage(listener: (message: FromWorker) => void): void;
  /** A thread that dies by itself is a bug; the error says why. */
  onError(listener: (error: Error) => void): void;
  /** Resolves when the thread has ended by itself after `stop`; never terminates it by force. */
  ended: Promise<void>;
}

export type ToWorker =
  | {
      readonly type: 'files';
      readonly items: readonly WorkItem[] /** True when no further files will come. */;
      readonly last: boolean;
    }
  | {
      readonly type: 'bytes';
      readonly logFile: number;
      readonly bytes: Uint8Array;
      readonly last: boolean /** Set when the stream broke. */;
      readonly error?: string;
    }
  | { readonly type: 'verdicts'; readonly table: string; readonly verdicts: Uint8Array }
  | { readonly type: 'contents'; readonly question: number; readonly contents: readonly (KnownContent | null)[] }
  | { readonly type: 'stop' };

export type FromWorker =
  | { readonly type: 'need-files' }
  | { readonly type: 'need-bytes'; readonly logFile: number }
  /** Asks for a verdict per row; the arrays are copies. */
  | {
      readonly type: 'judge';
      readonly table: string;
      readonly unit: number;
      readonly identity: Uint8Array;
      readonly hasIdentity: Uint8Array;
      readonly eventDay: Int32Array;
    }
  /** Asks whether these contents were read before; the answer is `contents`, in order. Whoever asks first for a content that nobody has is to read it. */
  | {
      readonly type: 'contents';
      /** The answer carries it as well: a thread asks the next one before the last is answered. */
      readonly question: number;
      readonly logFiles: readonly number[];
      /** In hex, one behind the other: one text travels faster than hundreds. */
      readonly sha256s: string;
    }
  | {
      readonly type: 'progress';
      readonly files: number;
      readonly compressedBytes: number;
      readonly uncompressedBytes: number;
      readonly records: number;
      readonly redacted: number;
    }
  /** Everything of this unit is staged. */
  | {
      readonly type: 'unit';
      readonly unit: number;
      readonly files: PackedResults;
      readonly segments: readonly StagedSegment[];
      readonly conflicts: readonly IdConflict[];
      readonly rejectFiles: readonly string[];
    }
  | {
      readonly type: 'failed';
      readonly code: AppError['code'] | null;
      readonly message: string;
      readonly hint: string | null;
      readonly stack: string;
    };

/** Writes the admitted rows of a batch as Parquet files in staging/, one per event_date. Only store/ knows how. */
export interface SegmentWriter {
  /** Resolves when all files are written; the batch is free again then. They are durable only once `synced` resolves. Begins before the verdicts are there. */
  write(
    batch: Batch,
    verdicts: Promise<Uint8Array>,
  ): Promise<{ readonly segments: readonly StagedSegment[]; readonly synced: Promise<unknown> }>;
  /** Takes rows of one log file out of staged segments again: all of them, or those without an event id. Segments without rows are gone. */
  dropRows(
    segments: readonly StagedSegment[],
    logFile: number,
    which: 'all' | 'without-id',
  ): Promise<readonly StagedSegment[]>;
  /** Stages rejects, so that they do not gather in memory. Absolute path of the file. */
  writeRejects(rejects: readonly { readonly logFile: number; readonly reject: Reject }[]): Promise<string>;
  close(): Promise<void>;
}
