/** What became of log files, on its way out of a thread. Of most there is nothing to tell but numbers: as objects they would take longer to travel than tiny files to read. */
import type { CommitUnit, LogFileIdentity, LogFileResult, PackedResults } from '../ingest.ts';
import { firstMs, lastMs, type OpenFile, resultOf } from './open-file.ts';

/** Numbers of a file, in order: its own; bytes; records in, duplicate, id conflicts, without a time; first and last event, NaN for none. */
const NUMBERS = 8;

const isPlain = ({ status, kind, copyOf, error, sha256, rejected }: OpenFile): boolean =>
  status === 'done' && kind === 'log' && copyOf === null && error === null && sha256 !== null && rejected === 0;

export function packResults(files: readonly OpenFile[]): PackedResults {
  const numbers = new Float64Array(files.length * NUMBERS);
  const sha256s: string[] = [];
  const others: LogFileResult[] = [];
  for (const file of files) {
    if (!isPlain(file)) {
      others.push(resultOf(file));
      continue;
    }
    const at = sha256s.push(file.sha256 ?? '') * NUMBERS - NUMBERS;
    numbers[at] = file.item.logFile;
    numbers[at + 1] = file.uncompressedBytes;
    numbers[at + 2] = file.rows;
    numbers[at + 3] = file.duplicate;
    numbers[at + 4] = file.conflicts;
    numbers[at + 5] = file.withoutTime;
    numbers[at + 6] = firstMs(file) ?? Number.NaN;
    numbers[at + 7] = lastMs(file) ?? Number.NaN;
  }
  return { numbers: numbers.slice(0, sha256s.length * NUMBERS), sha256s: sha256s.join(''), others };
}

/** The plain ones first. `identityOf` says which log file has a number. */
export function unpackResults(
  { numbers, sha256s, others }: PackedResults,
  identityOf: (logFile: number) => LogFileIdentity,
): CommitUnit['files'] {
  const files: CommitUnit['files'][number][] = [];
  const at = (index: number): number => numbers[index] ?? 0;
  const timeAt = (index: number): number | null => (Number.isNaN(numbers[index]) ? null : at(index));
  for (let from = 0; from < numbers.length; from += NUMBERS) {
    files.push({
      file: identityOf(at(from)),
      logFile: at(from),
      status: 'done',
      kind: 'log',
      sha256: sha256At(sha256s, from / NUMBERS),
      copyOf: null,
      uncompressedBytes: at(from + 1),
      records: {
        in: at(from + 2),
        stored: at(from + 2) - at(from + 3),
        duplicate: at(from + 3),
        rejected: 0,
        id_conflicts: at(from + 4),
        without_time: at(from + 5),
      },
      minTimeMs: timeAt(from + 6),
      maxTimeMs: timeAt(from + 7),
      rejectReasons: NO_REASONS,
      error: null,
    });
  }
  for (const result of others) files.push({ ...result, file: identityOf(result.logFile) });
  return files;
}

const NO_REASONS = {};
const SHA256_CHARS = 64;

/** Of hashes in hex, one behind the other. */
export const sha256At = (sha256s: string, index: number): string =>
  sha256s.slice(index * SHA256_CHARS, (index + 1) * SHA256_CHARS);
