/** Counts of events by day, for baselines: a cache beside the lake, in files that say of which segments they were made. */
import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DuckDBInstance } from '../duckdb.ts';
import { type CountRow, SLOT_COUNT } from '../hunt.ts';
import type { Segment, SlotCounts } from '../store.ts';
import { DAY_MS } from '../time.ts';
import { asStoreError, FILE_MODE, makeFolder, type StorePaths } from './files.ts';
import { SUPERSEDED_GRACE_MS } from './lake.ts';
import { PARQUET_OPTIONS, sqlText } from './parquet.ts';
import { appendRows } from './rows.ts';

/** A day that is in more files is counted anew, into one. */
const FILES_MAX = 8;
/** Of files that serve other keys so many of a day stay, the newest. */
const OTHERS_MAX = 4;
const MEMORY_LIMIT = '256MB';
const PARTITION = 'event_date=';
/** What is written and not yet named lies beside it. A run that was killed leaves it. */
const PARTIAL = '.partial';

/** What a file of counts holds; it stands beside it as JSON, and what has none is not there. */
interface Contents {
  /** What is counted, for all segments alike. */
  readonly keys: readonly string[];
  /** Names of segments of its day. */
  readonly segments: readonly string[];
  readonly sha256: string;
  readonly rows: number;
}

interface CountFile {
  readonly path: string;
  readonly contents: Contents;
}

export function slotCounts(paths: StorePaths): SlotCounts {
  const dayDir = (table: string, day: string): string => join(paths.counts, table, `${PARTITION}${day}`);
  return {
    find: async ({ name }, segments, keys) => {
      const files: Segment[] = [];
      const missing: Segment[] = [];
      const days = new Map<string, Segment[]>();
      for (const segment of segments) days.set(segment.eventDate, [...(days.get(segment.eventDate) ?? []), segment]);
      for (const [day, live] of days) {
        const kept = filesIn(dayDir(name, day));
        const chosen = choose(kept, new Set(live.map(nameOf)), keys);
        sweep(kept, chosen, new Set(live.map(nameOf)));
        sweepPartial(dayDir(name, day), kept);
        const done = new Set(chosen.flatMap(({ contents }) => contents.segments));
        files.push(...chosen.map((file) => asSegment(day, file)));
        missing.push(...live.filter((segment) => !done.has(nameOf(segment))));
      }
      return { files, missing };
    },

    add: async ({ name }, segments, keys, rows) => {
      const day = segments[0]?.eventDate ?? '';
      const path = join(dayDir(name, day), `${randomBytes(8).toString('hex')}.parquet`);
      try {
        makeFolder(dayDir(name, day));
        await writeRows(`${path}${PARTIAL}`, rows, paths.staging);
        const contents: Contents = {
          keys: keys.toSorted(),
          segments: segments.map(nameOf).toSorted(),
          sha256: hashOf(`${path}${PARTIAL}`),
          rows: rows.length,
        };
        renameSync(`${path}${PARTIAL}`, path);
        writeFileSync(`${jsonOf(path)}${PARTIAL}`, JSON.stringify(contents), { mode: FILE_MODE });
        renameSync(`${jsonOf(path)}${PARTIAL}`, jsonOf(path));
        return asSegment(day, { path, contents });
      } catch (error) {
        throw asStoreError(error, `keep counts in ${paths.counts}`);
      }
    },
  };
}

/** Days that have left the store take their counts with them: what is not stored counts no more. */
export function pruneCounts(paths: StorePaths, table: string, before: string): void {
  const dir = join(paths.counts, table);
  for (const name of existsSync(dir) ? readdirSync(dir) : []) {
    const isReadable = Date.now() - statSync(join(dir, name)).mtimeMs < SUPERSEDED_GRACE_MS;
    if (name.slice(PARTITION.length) < before && !isReadable) rmSync(join(dir, name), { recursive: true, force: true });
  }
}

/** What is wrong with files of counts, one sentence each. */
export function checkCounts(paths: StorePaths): string[] {
  if (!existsSync(paths.counts)) return [];
  return readdirSync(paths.counts).flatMap((table) =>
    readdirSync(join(paths.counts, table)).flatMap((day) =>
      filesIn(join(paths.counts, table, day)).flatMap(({ path, contents }) =>
        isWhole(path, contents) ? [] : [`${path}: damaged; the next hunt counts its day anew`],
      ),
    ),
  );
}

const nameOf = (segment: Pick<Segment, 'path'>): string => basename(segment.path, '.parquet');
const jsonOf = (path: string): string => path.replace(/parquet$/u, 'json');
const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

function isWhole(path: string, { sha256 }: Contents): boolean {
  try {
    return hashOf(path) === sha256;
  } catch {
    return false;
  }
}

function filesIn(dir: string): readonly CountFile[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir).flatMap((name) => {
    if (!name.endsWith('.json')) return [];
    const path = join(dir, name.replace(/json$/u, 'parquet'));
    try {
      return [{ path, contents: JSON.parse(readFileSync(join(dir, name), 'utf8')) as Contents }];
    } catch {
      // Cut off, or gone by now: counted anew.
      return [];
    }
  });
}

/** As many segments as there are in files that hold the keys, and each of them once. */
function choose(kept: readonly CountFile[], live: ReadonlySet<string>, keys: readonly string[]): readonly CountFile[] {
  const usable = kept.filter(
    ({ contents }) =>
      keys.every((key) => contents.keys.includes(key)) && contents.segments.every((name) => live.has(name)),
  );
  const chosen: CountFile[] = [];
  const done = new Set<string>();
  const size = ({ contents }: CountFile): number => contents.segments.length;
  for (const file of usable.toSorted((a, b) => size(b) - size(a) || (a.path < b.path ? -1 : 1))) {
    if (file.contents.segments.some((name) => done.has(name))) continue;
    if (!isWhole(file.path, file.contents)) {
      remove(file.path);
      continue;
    }
    chosen.push(file);
    for (const name of file.contents.segments) done.add(name);
  }
  return chosen.length > FILES_MAX ? [] : chosen;
}

/** Removes files that serve nobody any more: of segments that are replaced, and those that too many newer ones stand beside. */
function sweep(kept: readonly CountFile[], chosen: readonly CountFile[], live: ReadonlySet<string>): void {
  const ageOf = ({ path }: CountFile): number => Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  const others = kept.filter((file) => !chosen.includes(file)).toSorted((a, b) => ageOf(a) - ageOf(b));
  let spared = 0;
  for (const file of others) {
    const isDead = file.contents.segments.some((name) => !live.has(name));
    // A hunt that found it before may read it still, or know of newer segments.
    if (ageOf(file) < SUPERSEDED_GRACE_MS || (!isDead && ++spared <= OTHERS_MAX)) continue;
    remove(file.path);
  }
}

/** First what makes it one. */
function remove(path: string): void {
  rmSync(jsonOf(path), { force: true });
  rmSync(path, { force: true });
}

/** What runs that were killed left of a day. */
function sweepPartial(dir: string, kept: readonly CountFile[]): void {
  const known = new Set(kept.flatMap(({ path }) => [path, jsonOf(path)]));
  for (const name of existsSync(dir) ? readdirSync(dir) : []) {
    const path = join(dir, name);
    const ageMs = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (!known.has(path) && ageMs >= SUPERSEDED_GRACE_MS) rmSync(path, { force: true });
  }
}

/** As a backend takes it. */
function asSegment(eventDate: string, { path, contents }: CountFile): Segment {
  const start = Date.parse(`${eventDate}T00:00:00Z`);
  return {
    table: SLOT_COUNT.name,
    eventDate,
    path,
    rows: contents.rows,
    sizeBytes: statSync(path, { throwIfNoEntry: false })?.size ?? 0,
    minTimeMs: start,
    maxTimeMs: start + DAY_MS - 1,
    seq: 0,
    schemaVersion: SLOT_COUNT.schemaVersion,
  };
}

async function writeRows(path: string, rows: readonly CountRow[], tempDir: string): Promise<void> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: MEMORY_LIMIT,
    temp_directory: tempDir,
  });
  const connection = await instance.connect();
  try {
    await connection.run('CREATE TABLE counted (key VARCHAR, k VARCHAR, slot TIMESTAMP, n BIGINT)');
    await appendRows(
      connection,
      'counted',
      ['VARCHAR', 'VARCHAR', 'TIMESTAMP', 'BIGINT'],
      rows.map(([key, k, slotMs, n]) => [key, JSON.stringify(k), slotMs, n]),
    );
    await connection.run(
      `COPY (SELECT key, from_json(k, '["VARCHAR"]') AS k, slot, n FROM counted ORDER BY key, counted.k, slot) TO ${sqlText(path)} ${PARQUET_OPTIONS}`,
    );
    chmodSync(path, FILE_MODE);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
