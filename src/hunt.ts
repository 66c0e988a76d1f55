/** What hunting promises: detectors and a window in, findings out; the contract between the pipeline and the engine that evaluates detectors. */
import type { Backend } from './backend.ts';
import type { Detector } from './detector.ts';
import type { Column } from './table.ts';
import type { Window } from './time.ts';

/** A row of a detector, before suppression and de-duplication. Times are ISO 8601 in UTC. */
export interface Finding {
  /** Identity of the alert that it becomes. */
  readonly id: string;
  /** The subject's columns and values as text, in the order of the detector; a missing value is null. */
  readonly subject: Readonly<Record<string, string | null>>;
  /** The slot, half-open; for slot `event` the event's own time at both ends. */
  readonly window: { readonly from: string; readonly to: string };
  readonly count: number;
  /** For a threshold the highest live count. */
  readonly peak: number | null;
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** The first EVIDENCE_MAX by (event_time, event_id). */
  readonly eventIds: readonly string[];
  readonly accounts: readonly string[];
  readonly regions: readonly string[];
  /** At most EVIDENCE_MAX. */
  readonly sourceIps: readonly string[];
  /** Null if several or none. */
  readonly principalArn: string | null;
  /** Text for each placeholder of the summary, from the first event. As AWS wrote it: make it printable before it is shown. */
  readonly texts: Readonly<Record<string, string | null>>;
  /** Of the columns asked for, the value that all its events share; null where they differ or have none. */
  readonly columns: Readonly<Record<string, string | null>>;
}

export interface HuntTask {
  readonly detector: Detector;
  /** Checked values: see parameterValues. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Widened outward to whole slots by the engine. */
  readonly window: Window;
}

export interface HuntTaskResult {
  readonly findings: readonly Finding[];
  /** The whole slots that were judged; null where none could be. A recorded alert of a refutable detector in them that was not found again no longer follows. */
  readonly judged: Window | null;
  /** Why it stays silent, as sentences that name the detector. */
  readonly notes: readonly string[];
}

export interface HuntRequest {
  readonly tasks: readonly HuntTask[];
  readonly lists: Readonly<Record<string, readonly string[]>>;
  /** Columns whose common value each finding should tell (suppressions need them). Unknown ones are ignored. */
  readonly columns: readonly string[];
  readonly nowMs: number;
  /** Default LATENESS_MS. */
  readonly latenessMs?: number;
  /** Days that counts() named, of which the backend holds the counts as the table SLOT_COUNT. The findings are the same without it; their events are read then. */
  readonly counted?: Window | null;
  /** Is told of each statement that has run. */
  readonly onStatement?: (statement: RunStatement) => void;
}

/** A statement of a hunt. */
export interface HuntStatement {
  readonly title: string;
  readonly sql: string;
  /** Ids of the detectors that it is for. */
  readonly detectors: readonly string[];
  /** The columns of the table that it reads; none where it reads what earlier statements kept. */
  readonly columns: readonly string[];
}

export interface RunStatement extends HuntStatement {
  readonly ms: number;
}

/** How many events each slot of a day held, which is what a baseline needs to know of its past: rows (k, slot, n) over the events of the table that are there; k is a list of texts. Portable. */
export interface CountQuery extends HuntStatement {
  /** Says what is counted: queries of one key count the same, whatever detectors they are for. */
  readonly key: string;
}

/** A row of SLOT_COUNT; the slot's start in ms. */
export type CountRow = readonly [key: string, k: readonly (string | null)[], slotMs: number, n: number];

/** The table in which an engine finds counts. */
export const SLOT_COUNT: {
  readonly name: string;
  readonly schemaVersion: number;
  readonly columns: readonly Column[];
} = {
  name: 'slot_count',
  schemaVersion: 1,
  columns: [
    { name: 'key', type: 'VARCHAR', doc: 'What is counted.', athena: null },
    { name: 'k', type: 'VARCHAR[]', doc: 'Of which values.', athena: null },
    { name: 'slot', type: 'TIMESTAMP', doc: 'Start of the slot, UTC.', athena: null },
    { name: 'n', type: 'BIGINT', doc: 'How many events.', athena: null },
  ],
};

export interface HuntEngine {
  /** How far an event's weight reaches: history read before a window, and slots after an event that it may change. */
  reachMs(detector: Detector): number;
  /** Late data can refute its findings; it judges a slot once slot end + lateness has passed. */
  isRefutable(detector: Detector): boolean;
  /** The whole days before the windows on which baselines rest, and what they need to know of them; null where no baseline does. Throws `detector-invalid`. */
  counts(request: HuntRequest): { readonly days: Window; readonly queries: readonly CountQuery[] } | null;
  /** Results in the order of the tasks. The same stored events and window give the same findings. Throws `detector-invalid`. */
  run(backend: Backend, request: HuntRequest): Promise<readonly HuntTaskResult[]>;
  /**
   * The statements that look for findings, in the portable subset. Which of them a run takes together depends on the data; on a backend that keeps no rows
   * (`keeps: false`) it takes just these, and asks again only for the evidence of what they find and for the history behind baselines. Throws `detector-invalid`.
   */
  explain(request: HuntRequest, options?: { readonly keeps?: boolean }): readonly HuntStatement[];
}

/** How long after its end a slot's events may still arrive as a matter of course: CloudTrail delivers within minutes, with outliers of a quarter of an hour. */
export const LATENESS_MS = 3_600_000;
