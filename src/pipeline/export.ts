/** Exports a table's segments for other engines: a day's data files lie beside those of former exports, and its list names the ones that count. */
import { rm, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import pLimit from 'p-limit';
import type { Segment } from '../store.ts';
import type { Table } from '../table.ts';
import type { Target } from '../target.ts';
import { all } from './all-settled.ts';
import { claim, dataPrefix, dayPrefix, type ExportedFile, relist, verify } from './exported-days.ts';

/** Each is in memory while it is sent, up to some 60 MB. */
const UPLOADS = 4;

export interface ExportDeps {
  readonly storeId: string;
  readonly target: Target;
  /** Writes the rows of a segment that fulfil the condition to a file of its own, which the caller deletes. Null: exports are of whole segments. */
  readonly select: ((segment: Segment) => Promise<{ readonly path: string; readonly rows: number }>) | null;
}

export interface ExportOptions {
  readonly table: Table;
  readonly segments: readonly Segment[];
  /** The condition, as it was written; null for all rows. */
  readonly where: string | null;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly progress?: (done: number, all: number) => void;
}

export interface ExportResult {
  readonly table: string;
  readonly days: number;
  readonly files: number;
  /** Rows that a reader of the export sees in these days; null in a dry run with a condition. */
  readonly rows: number | null;
  /** Rows of the store in these days. */
  readonly stored: number;
  readonly bytes: number;
  /** Files that were not there before. */
  readonly uploaded: number;
  readonly uploadedBytes: number;
  /** Files of former exports that no reader can be at any more. */
  readonly removed: number;
  /** Days whose list changed. */
  readonly changedDays: number;
}

/** What a segment became. */
interface Piece extends ExportedFile {
  readonly isNew: boolean;
}

/** Idempotent, and goes on where it was interrupted. Throws `target-foreign` where the export of another store or condition lies. */
export async function exportTable(deps: ExportDeps, options: ExportOptions): Promise<ExportResult> {
  const { target } = deps;
  const { table, segments, dryRun, signal } = options;
  await claim(target, table, { store: deps.storeId, where: options.where }, { look: dryRun });
  const exported = await Exported.read(target, table);

  const limit = pLimit(UPLOADS);
  let done = 0;
  const pieces = await all(
    segments.map((segment) => async () => {
      signal.throwIfAborted();
      const piece = await pieceOf(deps, options, segment, exported);
      options.progress?.(++done, segments.length);
      return piece;
    }),
    limit,
  );
  const days = new Map<string, string[]>(segments.map(({ eventDate }) => [eventDate, []]));
  for (const [at, { key }] of pieces.entries()) days.get(segments[at]?.eventDate ?? '')?.push(key);
  const ends = await all(
    [...days].map(([day, keys]) => () => {
      signal.throwIfAborted();
      return relist(target, table, day, { keys, present: exported.ofDay(table, day), dryRun });
    }),
    limit,
  );
  if (!dryRun) await verify(target, table, pieces);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
  const fresh = pieces.filter(({ isNew }) => isNew);
  return {
    table: table.name,
    days: days.size,
    files: pieces.length,
    rows: dryRun && options.where !== null ? null : sum(pieces.map(({ rows }) => rows)),
    stored: sum(segments.map(({ rows }) => rows)),
    bytes: sum(pieces.map(({ sizeBytes }) => sizeBytes)),
    uploaded: fresh.length,
    uploadedBytes: sum(fresh.map(({ sizeBytes }) => sizeBytes)),
    removed: sum(ends.map(({ removed }) => removed)),
    changedDays: ends.filter(({ isChanged }) => isChanged).length,
  };
}

/** Files of former exports, by the name that they were given for their segment. */
class Exported {
  readonly #files = new Map<string, ExportedFile>();

  static async read(target: Target, table: Table): Promise<Exported> {
    const exported = new Exported();
    for await (const { key, sizeBytes } of target.list(dataPrefix(table))) {
      const parts = /^(.+)[.](\d+)[.]parquet$/u.exec(key);
      if (parts !== null) exported.#files.set(parts[1] ?? '', { key, sizeBytes, rows: Number(parts[2]) });
    }
    return exported;
  }

  get(base: string): ExportedFile | undefined {
    return this.#files.get(base);
  }

  ofDay(table: Table, day: string): readonly string[] {
    return [...this.#files.values()].map(({ key }) => key).filter((key) => key.startsWith(dayPrefix(table, day)));
  }
}

/** The file of a segment, put there unless it is. Segments never change, so one of its name is the same; its rows stand in the name, so that a list tells them. */
async function pieceOf(
  { target, select }: ExportDeps,
  { table, dryRun }: ExportOptions,
  segment: Segment,
  exported: Exported,
): Promise<Piece> {
  const base = `${dayPrefix(table, segment.eventDate)}${basename(segment.path, '.parquet')}`;
  const known = exported.get(base);
  if (known !== undefined && (select !== null || known.sizeBytes === segment.sizeBytes))
    return { ...known, isNew: false };
  if (dryRun) return { key: base, rows: segment.rows, sizeBytes: segment.sizeBytes, isNew: true };
  const { path, rows } = select === null ? segment : await select(segment);
  try {
    const key = `${base}.${rows}.parquet`;
    const { size } = await stat(path);
    await target.writeFile(key, path);
    return { key, rows, sizeBytes: size, isNew: true };
  } finally {
    if (select !== null) await rm(path, { force: true });
  }
}
