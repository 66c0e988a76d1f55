/** A log file on its way through a worker's windows, and what is told of it at its end. */

import type { FileOutcome, Reject } from '../format.ts';
import type { KnownContent, LogFileResult, WorkItem } from '../ingest.ts';
import type { Damage } from '../payload.ts';

export interface OpenFile {
  readonly item: WorkItem;
  sha256: string | null;
  copyOf: KnownContent | null;
  uncompressedBytes: number;
  duplicate: number;
  conflicts: number;
  withoutTime: number;
  rows: number;
  minMicros: number;
  maxMicros: number;
  rejected: number;
  rejectReasons: Record<string, number>;
  /** Bytes of rejects whose text was kept. */
  rejectBytes: number;
  /** Rejects of a file that is read as a stream, staged apart until its end is known to count. */
  rejectFiles: string[];
  kind: LogFileResult['kind'];
  status: LogFileResult['status'];
  error: string | null;
}

export const openFile = (item: WorkItem): OpenFile => ({
  item,
  sha256: null,
  copyOf: null,
  uncompressedBytes: 0,
  duplicate: 0,
  conflicts: 0,
  withoutTime: 0,
  rows: 0,
  minMicros: Number.POSITIVE_INFINITY,
  maxMicros: Number.NEGATIVE_INFINITY,
  rejected: 0,
  rejectReasons: {},
  rejectBytes: 0,
  rejectFiles: [],
  kind: 'log',
  status: 'done',
  error: null,
});

/** Content that ended early, that somebody added to, or that cannot be read to its end: the file is not what was delivered. */
const DAMAGE_REASONS: ReadonlySet<string> = new Set([
  'truncated',
  'trailing-garbage',
  'empty-file',
  'parquet-damaged',
  'parquet-too-large',
]);

/** Says in the file what its content turned out to be. Returns its rejects, the damage among them. */
export function close(file: OpenFile, outcome: FileOutcome, damage: Damage | null): readonly Reject[] {
  const rejects = [...outcome.rejects];
  if (damage !== null) {
    const tail = rejects.at(-1);
    const told = { reason: damage.reason, detail: `${damage.detail} (compressed byte ${damage.compressedOffset})` };
    // The incomplete record, or envelope, at the cut, or nothing at all before it, and the cut are one thing.
    const isCutEnvelope = tail?.reason === 'envelope-truncated' && tail.offset + tail.length === file.uncompressedBytes;
    if (tail?.reason === 'truncated' || tail?.reason === 'empty-file' || (tail !== undefined && isCutEnvelope))
      rejects[rejects.length - 1] = { ...tail, ...told };
    else
      rejects.push({
        ...told,
        recordNo: outcome.recordsIn,
        offset: damage.offset,
        length: damage.text.length,
        text: damage.text,
      });
  }
  const broken = damage === null ? rejects.find((reject) => DAMAGE_REASONS.has(reject.reason)) : rejects.at(-1);
  file.kind = outcome.kind;
  file.status = broken === undefined ? 'done' : 'damaged';
  file.error = broken === undefined ? null : `${broken.reason}: ${broken.detail}`;
  return rejects;
}

/** Null when none of its events has a time. */
export const firstMs = ({ minMicros }: OpenFile): number | null =>
  minMicros === Number.POSITIVE_INFINITY ? null : Math.floor(minMicros / 1000);
export const lastMs = ({ maxMicros }: OpenFile): number | null =>
  maxMicros === Number.NEGATIVE_INFINITY ? null : Math.ceil(maxMicros / 1000);

export function resultOf(file: OpenFile): LogFileResult {
  const { copyOf } = file;
  const base = {
    logFile: file.item.logFile,
    status: file.status,
    kind: file.kind,
    sha256: file.sha256,
    uncompressedBytes: file.uncompressedBytes,
    error: file.error,
  };
  if (copyOf !== null) {
    return {
      ...base,
      copyOf: copyOf.id,
      records: {
        in: copyOf.records,
        stored: 0,
        duplicate: copyOf.records,
        rejected: 0,
        id_conflicts: 0,
        without_time: 0,
      },
      minTimeMs: copyOf.minTimeMs,
      maxTimeMs: copyOf.maxTimeMs,
      rejectReasons: {},
    };
  }
  const { rejected } = file;
  return {
    ...base,
    copyOf: null,
    records: {
      in: file.rows + rejected,
      stored: file.rows - file.duplicate,
      duplicate: file.duplicate,
      rejected,
      id_conflicts: file.conflicts,
      without_time: file.withoutTime,
    },
    minTimeMs: firstMs(file),
    maxTimeMs: lastMs(file),
    rejectReasons: file.rejectReasons,
  };
}
