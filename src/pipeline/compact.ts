/**
 * Compacts the log files of a table where they lie, day by day, into what an export of a store is: the same files, lists and marker. A day's files are written into a folder
 * of their own, counted, noted down, and only then listed: whatever ends a run before that leaves the day as it was.
 */
import pLimit from 'p-limit';
import type { Table } from '../table.ts';
import type { Target } from '../target.ts';
import { dayOf } from '../time.ts';
import { all } from './all-settled.ts';
import { claim, dataPrefix, dayPrefix, type ExportedFile, relist, verify } from './exported-days.ts';

/** Beside a day's files: what they are, and what they were made of. */
const NOTE = 'compacted.json';
/** Statements that write beside each other. Athena runs many more, but those of a person must not wait for these. */
const DAYS_AT_ONCE = 4;
/** Requests to the target beside each other. */
const REQUESTS = 8;

/** From `first` to `last`, `YYYY-MM-DD`, both included. */
interface Days {
  readonly first: string;
  readonly last: string;
}

interface DayCount {
  readonly records: number;
  readonly events: number;
}

export interface CompactDeps {
  readonly target: Target;
  /** Names the place that the log files are read from. */
  readonly owner: string;
  /** The log files in which events of these days may be, and the bytes that a statement over them reads. With another digest they may give other events. */
  readonly filesOf: (days: Days) => { readonly objects: number; readonly digest: string; readonly scanBytes: number };
  /** Days that count() takes at a time, at most. */
  readonly countedTogether: number;
  /** By day, records that were delivered, and the events that they are. `outside`: records delivered in these days whose events are looked for in no file of theirs. */
  readonly count: (days: Days) => Promise<{ readonly days: ReadonlyMap<string, DayCount>; readonly outside: number }>;
  /** Writes the events of a day as Parquet below the folder, each once. A try that fails may leave files there, so the next one asks for another folder. */
  readonly unload: (day: string, folder: () => string) => Promise<void>;
  /** Rows of the Parquet file that `name` names in messages, by its end. */
  readonly rowsOf: (readEnd: (bytes: number) => Promise<Uint8Array>, name: string) => Promise<number>;
  readonly newId: () => string;
}

export interface CompactOptions {
  readonly table: Table;
  /** `YYYY-MM-DD`, in order. */
  readonly days: readonly string[];
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onDay?: (done: number, all: number) => void;
}

export interface CompactResult {
  readonly table: string;
  readonly days: number;
  /** Days of which there is no log file, and was none before. */
  readonly empty: number;
  /** Days that are as a former run left them, since their log files are. */
  readonly unchanged: number;
  /** Days that were compacted; in a dry run those that would be. */
  readonly compacted: number;
  /** Of the days that were compacted. */
  readonly records: number;
  readonly rows: number;
  readonly files: number;
  readonly bytes: number;
  /** Files of former runs that no reader can be at any more. */
  readonly removed: number;
  /** Records that are in no day, since they came too long after it. */
  readonly outside: number;
  /** Bytes that each statement reads, by the list of the log files. */
  readonly scans: readonly number[];
  /** Days that were left as they were, and why. */
  readonly problems: readonly DayProblem[];
}

export interface DayProblem {
  readonly day: string;
  readonly why: string;
}

interface Note {
  readonly schema: 1;
  readonly digest: string;
  readonly objects: number;
  readonly records: number;
  readonly files: readonly ExportedFile[];
}

/** A day as a run finds it. */
interface FoundDay {
  readonly day: string;
  /** `noted`: its files are there, and its log files have nothing to add. */
  readonly state: 'empty' | 'noted' | 'open';
  readonly note: Note | null;
  /** Keys of the files below it, but for the note. */
  readonly present: readonly string[];
}

interface DayEnd {
  readonly note: Note | null;
  readonly removed: number;
  readonly problem: DayProblem | null;
}

/** Idempotent, and goes on where it was interrupted. Throws `target-foreign` where something else was exported to. */
export async function compactTable(deps: CompactDeps, options: CompactOptions): Promise<CompactResult> {
  const { target, owner } = deps;
  const { table, dryRun, signal } = options;
  await claim(target, table, { store: owner, where: null }, { look: dryRun });
  const present = await presentByDay(target, table);
  const requests = pLimit(REQUESTS);
  const found = await all(
    options.days.map((day) => () => {
      signal.throwIfAborted();
      return lookAt(deps, table, day, present.get(day) ?? new Map());
    }),
    requests,
  );
  const noted = found.filter(({ state }) => state === 'noted');
  const open = found.filter(({ state }) => state === 'open');
  const pieces = piecesOf(
    open.map(({ day }) => day),
    deps.countedTogether,
  );

  let removed = 0;
  let outside = 0;
  const ends: DayEnd[] = [];
  if (!dryRun) {
    // What a dead run noted down may not be listed yet, and it may have left files.
    const tidied = await all(
      noted.map((one) => () => publish(target, table, one)),
      requests,
    );
    removed = tidied.reduce((sum, count) => sum + count, 0);
    const writes = pLimit(DAYS_AT_ONCE);
    for (const piece of pieces) {
      const counted = await deps.count(spanOf(piece));
      outside += counted.outside;
      const works = open
        .filter(({ day }) => piece.includes(day))
        .map((one) => async () => {
          signal.throwIfAborted();
          const end = await compactDay(deps, table, one, counted.days.get(one.day) ?? { records: 0, events: 0 });
          options.onDay?.(ends.length + 1, open.length);
          ends.push(end);
        });
      await all(works, writes);
    }
  }
  const made = ends.flatMap(({ note }) => (note === null ? [] : [note]));
  const files = made.flatMap((note) => note.files);
  const before = noted.flatMap(({ note }) => note?.files ?? []);
  if (!dryRun) await verify(target, table, [...before, ...files]);
  return {
    table: table.name,
    days: found.length,
    empty: found.filter(({ state }) => state === 'empty').length,
    unchanged: noted.length,
    compacted: dryRun ? open.length : made.length,
    records: made.reduce((sum, { records }) => sum + records, 0),
    rows: rowsOf(files),
    files: files.length,
    bytes: files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    removed: removed + ends.reduce((sum, end) => sum + end.removed, 0),
    outside,
    scans: pieces.flatMap((piece) =>
      [spanOf(piece), ...piece.map((day) => spanOf([day]))].map((days) => deps.filesOf(days).scanBytes),
    ),
    problems: ends
      .flatMap(({ problem }) => (problem === null ? [] : [problem]))
      .toSorted((a, b) => (a.day < b.day ? -1 : 1)),
  };
}

const rowsOf = (files: readonly ExportedFile[]): number => files.reduce((sum, { rows }) => sum + rows, 0);

const spanOf = (days: readonly string[]): Days => ({ first: days[0] ?? '', last: days.at(-1) ?? '' });

const noteKey = (table: Table, day: string): string => `${dayPrefix(table, day)}${NOTE}`;

/** Sizes by key. */
type Present = ReadonlyMap<string, number>;

/** The files below the days of a table. */
async function presentByDay(target: Target, table: Table): Promise<ReadonlyMap<string, Present>> {
  const prefix = dataPrefix(table);
  const days = new Map<string, Map<string, number>>();
  for await (const { key, sizeBytes } of target.list(prefix)) {
    const day = key.slice(prefix.length, prefix.length + 'yyyy/mm/dd'.length).replaceAll('/', '-');
    days.set(day, (days.get(day) ?? new Map()).set(key, sizeBytes));
  }
  return days;
}

async function lookAt({ target, filesOf }: CompactDeps, table: Table, day: string, there: Present): Promise<FoundDay> {
  const key = noteKey(table, day);
  const note = there.has(key) ? parseNote(await target.readText(key)) : null;
  const { objects, digest } = filesOf(spanOf([day]));
  const present = [...there.keys()].filter((one) => one !== key);
  if (note === null) return { day, state: objects === 0 ? 'empty' : 'open', note, present };
  const isWhole = note.files.every((file) => there.get(file.key) === file.sizeBytes);
  // Log files that are gone have been compacted, and are not to be missed.
  const hasNews = note.digest !== digest && objects >= note.objects;
  return { day, state: isWhole && !hasNews ? 'noted' : 'open', note, present };
}

/** Null for one that this version does not understand. */
function parseNote(text: string | null): Note | null {
  try {
    const note = JSON.parse(text ?? '') as Partial<Note>;
    return note.schema === 1 && Array.isArray(note.files) ? (note as Note) : null;
  } catch {
    return null;
  }
}

/** Days that follow each other, as many together as one statement counts. */
function piecesOf(days: readonly string[], most: number): readonly (readonly string[])[] {
  const pieces: string[][] = [];
  for (const day of days) {
    const piece = pieces.at(-1);
    const follows = piece !== undefined && dayOf(day) === dayOf(piece.at(-1) ?? '') + 1;
    if (follows && piece.length < most) piece.push(day);
    else pieces.push([day]);
  }
  return pieces;
}

async function compactDay(
  deps: CompactDeps,
  table: Table,
  { day, note: former }: FoundDay,
  { records, events }: DayCount,
): Promise<DayEnd> {
  const { target } = deps;
  const left = (why: string): DayEnd => ({ note: null, removed: 0, problem: { day, why } });
  const before = rowsOf(former?.files ?? []);
  if (events < before) return left(`its log files have ${events} events, and ${before} were compacted before`);
  // As they were before the statement: what comes while it runs is for the next run.
  const { digest, objects } = deps.filesOf(spanOf([day]));
  let folder = '';
  const nextFolder = (): string => {
    folder = `${dayPrefix(table, day)}${deps.newId()}/`;
    return target.addressOf(folder);
  };
  if (events > 0) await deps.unload(day, nextFolder);
  const present: string[] = [];
  const files: ExportedFile[] = [];
  for await (const { key, sizeBytes } of target.list(dayPrefix(table, day))) {
    if (key !== noteKey(table, day)) present.push(key);
    if (folder === '' || !key.startsWith(folder)) continue;
    const rows = await deps.rowsOf((bytes) => target.readEnd(key, bytes), target.addressOf(key));
    files.push({ key, rows, sizeBytes });
  }
  if (rowsOf(files) !== events) {
    for (const { key } of files) await target.remove(key);
    return left(`${rowsOf(files)} rows were written, expected ${events}, as many as its log files have events`);
  }
  const note: Note = { schema: 1, digest, objects, records, files };
  await target.writeText(noteKey(table, day), JSON.stringify(note));
  return { note, removed: await publish(target, table, { day, note, present }), problem: null };
}

/** Lists the files that are noted down for readers; returns how many others are gone. A day without events has no list, since an empty one names a file without a name. */
async function publish(
  target: Target,
  table: Table,
  { day, note, present }: Pick<FoundDay, 'day' | 'note' | 'present'>,
): Promise<number> {
  const keys = note?.files.map(({ key }) => key) ?? [];
  if (keys.length > 0) return (await relist(target, table, day, { keys, present })).removed;
  for (const key of present) await target.remove(key);
  return present.length;
}
