/** The writing side of a store, under its lease: looks up the ledger and publishes commit units. */
import { hash, randomBytes } from 'node:crypto';
import { renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import duckdb from '@duckdb/node-bindings';
import type { ContentKind } from '../format.ts';
import type { CommitUnit, KnownContent, KnownFile, LogFileIdentity, StoreWriter } from '../ingest.ts';
import type { Table } from '../table.ts';
import { createAdmission } from './admission.ts';
import { Catalog, type CatalogRow, type CatalogSession } from './catalog.ts';
import { ID_CONFLICT, LOG_FILE } from './catalog-tables.ts';
import { compact, isSmall, mergesDue, SMALL_SEGMENTS_MAX } from './compaction.ts';
import { ContentIndex } from './content-index.ts';
import { asStoreError, makeFolder, partitionDir, type StorePaths, syncPaths } from './files.ts';
import { insertSegments, type PlacedSegment, removeOrphans, SUPERSEDED_GRACE_MS } from './lake.ts';
import { takeLease } from './lease.ts';
import { sqlList } from './parquet.ts';
import { unlinkSuperseded } from './retention.ts';
import {
  type AppendedColumn,
  appendColumns,
  appendRows,
  type Cell,
  columnTypes,
  num,
  sqlTime,
  text,
  timeOrNull,
} from './rows.ts';
import { createStoredDays } from './stored-days.ts';
import { words32 } from './vectors.ts';

/** A small run asks a few times and is done; one that asks more often reads all hashes once: of two millions that takes as long as five questions. */
const QUESTIONS_MAX = 4;
/** One that has more new files will ask more often. */
const NEW_FILES_FEW = 200;
/** Four megabytes of them. */
const HASHES_AT_ONCE = 524_288;

/** `tables`: all that the store may hold, the one that most records go to first. */
export async function openWriter(paths: StorePaths, tables: readonly Table[]): Promise<StoreWriter> {
  // Copies of a store (object storage, some backups) come without empty folders.
  for (const folder of [paths.staging, paths.lake]) makeFolder(folder);
  const lease = await takeLease(paths);
  const catalog = new Catalog(paths.catalog);
  const state = await catalog.write(async (session) => {
    const [row] = await session.rows(
      `SELECT (SELECT coalesce(max(id), 0) FROM log_file) AS log_files, (SELECT coalesce(max(seq), 0) FROM ingest_commit) AS seq,
        (SELECT count(*) FROM log_file) AS ledger`,
    );
    const listed = await session.rows(
      'SELECT table_name, CAST(event_date AS VARCHAR) AS event_date, path, row_count, superseded_at FROM segment',
    );
    removeOrphans(paths, new Set(listed.map((one) => text(one['path']))));
    const failed = await session.rows(`SELECT key FROM log_file WHERE ${FAILED}`);
    return {
      logFiles: num(row?.['log_files']),
      seq: num(row?.['seq']),
      ledger: num(row?.['ledger']),
      failed: failed.map((one) => text(one['key'])),
      segments: listed.map((one) => ({
        day: dayName(text(one['table_name']), text(one['event_date'])),
        isSmall: one['superseded_at'] === null && isSmall(num(one['row_count'])),
      })),
      superseded: listed.map((one) => timeOrNull(one['superseded_at'])).filter((time) => time !== null),
    };
  });
  const isOld = (time: number): boolean => Date.now() - time > SUPERSEDED_GRACE_MS;
  if (state.superseded.some(isOld)) await unlinkSuperseded(catalog, paths);
  /** When files were last superseded, or it was seen that some are; null when none are left. */
  let superseded = state.superseded.length > 0 ? Date.now() : null;
  const failed = new Set(state.failed);
  /** Small segments of each day that has, or had, any segment: nobody else brings some while this writer holds the lease. */
  const smallOf = new Map<string, number>();
  const hasSegment = (day: string, small: boolean): void =>
    void smallOf.set(day, (smallOf.get(day) ?? 0) + (small ? 1 : 0));
  for (const { day, isSmall: small } of state.segments) hasSegment(day, small);
  /** Null until so much was asked that reading all hashes is cheaper than asking for each group. */
  let contents: ContentIndex | null = state.ledger === 0 ? new ContentIndex() : null;
  let questions = 0;
  let newFiles = 0;
  let reading: Promise<ContentIndex> | null = null;
  const committedHere: string[] = [];
  /** No look-up can find anything in a ledger that was empty when this writer came and that holds only what this run reads. */
  const ledgerWasEmpty = state.ledger === 0;

  /** All hashes, once, whoever asks for them meanwhile. */
  const readContents = (): Promise<ContentIndex> => {
    reading ??= loadContents(catalog, state.ledger, state.logFiles).then((loaded) => {
      // What was committed while it was read may be missing in it.
      for (const sha256 of committedHere.splice(0)) loaded.add(sha256);
      contents = loaded;
      return loaded;
    });
    return reading;
  };

  const storedDays = createStoredDays(catalog, paths, tables, (table, eventDate) =>
    smallOf.has(dayName(table, eventDate)),
  );
  const admission = createAdmission(storedDays, paths.staging);

  return {
    lastSeq: state.seq,
    admission,

    known: async (files, listsAgain = false) => {
      if ((ledgerWasEmpty && !listsAgain) || files.length === 0) return files.map(() => null);
      return catalog.read((session) => knownFiles(session, files));
    },

    contents: async (sha256s) => {
      if (contents === null && ++questions > QUESTIONS_MAX) await readContents();
      const index = contents ?? (await reading);
      if (index !== null && !sha256s.some((sha256) => index.mayHold(sha256))) return sha256s.map(() => null);
      return catalog.read((session) => knownContents(session, sha256s));
    },

    takeLogFileIds: (count) => {
      const first = state.logFiles + 1;
      state.logFiles += count;
      newFiles += count;
      // Their contents are asked about soon. Who asks is told if it fails.
      if (contents === null && newFiles > NEW_FILES_FEW) readContents().catch(() => undefined);
      return first;
    },

    commit: async (units) => {
      const seq = state.seq + 1;
      try {
        const placed = await placeSegments(paths, units, seq);
        await catalog.write((session) => insertCommit(session, tables, units, placed, seq, failed));
      } catch (error) {
        throw asStoreError(error, `publish what was read in the store ${paths.dir}`);
      }
      state.seq = seq;
      for (const { table, eventDate, rows } of units.flatMap((unit) => unit.segments))
        hasSegment(dayName(table, eventDate), isSmall(rows));
      for (const path of units.flatMap((unit) => unit.rejectFiles)) unlinkSync(path);
      for (const file of units.flatMap((unit) => unit.files)) {
        if (file.sha256 !== null && file.copyOf === null) {
          if (contents === null) committedHere.push(file.sha256);
          else contents.add(file.sha256);
        }
        if (file.status === 'failed' && file.records.in === 0) failed.add(file.file.key);
        else failed.delete(file.file.key);
      }
      return seq;
    },

    compact: async (options) => {
      const sums = { replaced: 0, written: 0 };
      const mayMerge = [...smallOf.values()].some((count) => count > SMALL_SEGMENTS_MAX);
      const mayUnlink = superseded !== null && isOld(superseded);
      if (!options.full && !mayMerge && !mayUnlink) return sums;
      const merges = await mergesDue(catalog, paths, tables, options);
      for (const { table, groups } of merges) {
        const { replaced, written } = await compact(catalog, paths, table, groups, options.signal);
        sums.replaced += replaced;
        sums.written += written;
      }
      if (mayMerge) smallOf.forEach((_, day) => void smallOf.set(day, 0));
      await unlinkSuperseded(catalog, paths);
      if (sums.replaced > 0) superseded = Date.now();
      else if (mayUnlink) superseded = null;
      return sums;
    },

    close: () => {
      admission.close();
      storedDays.close();
      lease.release();
      return Promise.resolve();
    },
  };
}

const dayName = (table: string, eventDate: string): string => `${table} ${eventDate}`;

async function loadContents(catalog: Catalog, expected: number, lastId: number): Promise<ContentIndex> {
  const index = new ContentIndex(expected);
  await catalog.read(async ({ connection }) => {
    // Long lists: a thousand chunks would be a thousand turns of this thread, which has other things to do.
    for (let from = 0; from <= lastId; from += HASHES_AT_ONCE) {
      const result = await connection.stream(
        `SELECT list(content_hash) FROM log_file
        WHERE id BETWEEN ${from} AND ${from + HASHES_AT_ONCE - 1} AND content_hash IS NOT NULL AND copy_of IS NULL`,
      );
      const chunk = await result.fetchChunk();
      if (chunk === null) continue;
      const lists = duckdb.data_chunk_get_vector(chunk.chunk, 0);
      const bytes = duckdb.list_vector_get_size(lists) * 8;
      index.addAll(words32(duckdb.vector_get_data(duckdb.list_vector_get_child(lists), bytes)));
    }
  });
  return index;
}

/** A temporary table `asked(c0, c1, …)` to join the ledger with: one pass over millions of rows, however many are asked for. */
async function askFor(
  session: CatalogSession,
  rows: readonly (readonly Cell[])[],
  types: readonly ('BIGINT' | 'VARCHAR')[],
): Promise<void> {
  await session.run(
    `CREATE OR REPLACE TEMP TABLE asked (${types.map((type, index) => `c${index} ${type}`).join(', ')})`,
  );
  await appendRows(session.connection, 'asked', types, rows, 'temp');
}

/** The first 64 bits of a hex SHA-256, as DuckDB's signed number. */
const contentHash = (sha256: string): bigint => BigInt.asIntN(64, BigInt(`0x${sha256.slice(0, 16)}`));

/** 64 bits that stand for a file as it was listed. A false match is found out by the key itself. */
function listingHash(file: LogFileIdentity): bigint {
  return hash('sha256', `${file.key}\u001f${file.sizeBytes}\u001f${file.version}`, 'buffer').readBigInt64LE(0);
}

/** Rows of the ledger whose number in `column` is asked for: numbers first, and only then the few rows that they name, because the texts of millions are gigabytes. */
async function matchedRows(
  session: CatalogSession,
  column: string,
  columns: string,
  condition: string,
): Promise<readonly CatalogRow[]> {
  const matches = await session.rows(`SELECT c0, id FROM asked JOIN log_file ON ${column} = c1`);
  if (matches.length === 0) return [];
  await askFor(
    session,
    matches.map((row) => [num(row['c0']), num(row['id'])]),
    ['BIGINT', 'BIGINT'],
  );
  return session.rows(
    `SELECT c0, id, ${columns} FROM asked JOIN log_file ON id = c1
    WHERE id BETWEEN (SELECT min(c1) FROM asked) AND (SELECT max(c1) FROM asked) AND ${condition} ORDER BY id`,
  );
}

export async function knownFiles(
  session: CatalogSession,
  files: readonly LogFileIdentity[],
): Promise<(KnownFile | null)[]> {
  await askFor(
    session,
    files.map((file, index) => [index, listingHash(file)]),
    ['BIGINT', 'BIGINT'],
  );
  const found: (KnownFile | null)[] = files.map(() => null);
  const rows = await matchedRows(
    session,
    'listing_hash',
    'key, size_bytes, version, first_event, last_event',
    "status <> 'failed'",
  );
  for (const row of rows) {
    const index = num(row['c0']);
    const file = files[index];
    if (
      file?.key !== text(row['key']) ||
      file.sizeBytes !== num(row['size_bytes']) ||
      file.version !== text(row['version'])
    )
      continue;
    found[index] = {
      id: num(row['id']),
      minTimeMs: timeOrNull(row['first_event']),
      maxTimeMs: timeOrNull(row['last_event']),
    };
  }
  return found;
}

async function knownContents(session: CatalogSession, sha256s: readonly string[]): Promise<(KnownContent | null)[]> {
  await askFor(
    session,
    sha256s.map((sha256, index) => [index, contentHash(sha256)]),
    ['BIGINT', 'BIGINT'],
  );
  const rows = await matchedRows(
    session,
    'content_hash',
    'sha256, records_in, kind, first_event, last_event',
    "copy_of IS NULL AND status <> 'failed'",
  );
  const found: (KnownContent | null)[] = sha256s.map(() => null);
  for (const row of rows) {
    if (sha256s[num(row['c0'])] !== text(row['sha256'])) continue;
    found[num(row['c0'])] = {
      id: num(row['id']),
      records: num(row['records_in']),
      kind: text(row['kind']) as ContentKind,
      minTimeMs: timeOrNull(row['first_event']),
      maxTimeMs: timeOrNull(row['last_event']),
    };
  }
  return found;
}

/** Renames staged files into the lake. A crash before the catalog's commit leaves files that nobody lists. */
async function placeSegments(
  paths: StorePaths,
  units: readonly CommitUnit[],
  seq: number,
): Promise<readonly PlacedSegment[]> {
  const placed: PlacedSegment[] = [];
  const folders = new Set<string>();
  // A number alone would come again after a crash and could meet a file that a slow reader still holds open.
  const run = randomBytes(4).toString('hex');
  for (const segment of units.flatMap((unit) => unit.segments)) {
    const folder = partitionDir(paths, segment.table, segment.eventDate);
    if (!folders.has(folder)) makeFolder(folder);
    folders.add(folder);
    const name = `${String(seq).padStart(8, '0')}-${run}-${placed.length}.parquet`;
    renameSync(segment.path, join(folder, name));
    placed.push({ ...segment, placed: join('lake', segment.table, `event_date=${segment.eventDate}`, name) });
  }
  for (const { table } of placed) folders.add(join(paths.lake, table));
  await syncPaths(folders);
  return placed;
}

/** Nothing came of these: the next try replaces them. */
const FAILED = "status = 'failed' AND records_in = 0";

/** How a log file of this commit becomes a row of LOG_FILE. */
function ledgerColumns(seq: number, now: number): AppendedColumn<CommitUnit['files'][number]>[] {
  const values: ((file: CommitUnit['files'][number]) => Cell)[] = [
    (file) => file.logFile,
    ({ file }) => file.key,
    ({ file }) => file.sizeBytes,
    ({ file }) => file.version,
    (file) => file.sha256,
    (file) => file.status,
    (file) => file.kind,
    (file) => file.copyOf,
    (file) => file.uncompressedBytes,
    ({ records }) => records.in,
    ({ records }) => records.stored,
    ({ records }) => records.duplicate,
    ({ records }) => records.rejected,
    ({ records }) => records.id_conflicts,
    ({ records }) => records.without_time,
    (file) => file.minTimeMs,
    (file) => file.maxTimeMs,
    (file) => file.error,
    ({ sha256 }) => (sha256 === null ? null : contentHash(sha256)),
    ({ file }) => listingHash(file),
    () => seq,
    () => now,
  ];
  return columnTypes(LOG_FILE).map((type, column) => ({ type, of: values[column] ?? (() => null) }));
}

/** `failed`: keys of the ledger's FAILED rows. */
async function insertCommit(
  session: CatalogSession,
  tables: readonly Table[],
  units: readonly CommitUnit[],
  segments: readonly PlacedSegment[],
  seq: number,
  failed: ReadonlySet<string>,
): Promise<void> {
  const files = units.flatMap((unit) => unit.files);
  const now = Date.now();
  const again = files.filter((file) => failed.has(file.file.key));
  if (again.length > 0) {
    await askFor(
      session,
      again.map((file, index) => [index, file.file.key]),
      ['BIGINT', 'VARCHAR'],
    );
    await session.run(`DELETE FROM log_file WHERE ${FAILED} AND key IN (SELECT c1 FROM asked)`);
  }
  await appendColumns(session.connection, LOG_FILE.name, ledgerColumns(seq, now), files);
  const rejectFiles = units.flatMap((unit) => unit.rejectFiles);
  if (rejectFiles.length > 0)
    await session.run(`INSERT INTO reject BY NAME SELECT * FROM read_parquet(${sqlList(rejectFiles)})`);
  await appendRows(
    session.connection,
    ID_CONFLICT.name,
    columnTypes(ID_CONFLICT),
    units.flatMap((unit) =>
      unit.conflicts.map((conflict) => [conflict.eventId, conflict.eventDate, conflict.logFile, conflict.recordNo]),
    ),
  );
  const filled = tables.filter(({ name }) => segments.some((segment) => segment.table === name));
  for (const table of filled) {
    await insertSegments(
      session,
      segments
        .filter((segment) => segment.table === table.name)
        .map((segment) => ({ ...segment, seq, schemaVersion: table.schemaVersion })),
    );
  }
  // A commit of log files without rows counts too: numbers of commits never come again.
  for (const { name } of filled.length > 0 ? filled : tables.slice(0, 1)) {
    const times = segments
      .filter(({ table }) => table === name)
      .flatMap((segment) => [segment.minTimeMs, segment.maxTimeMs])
      .filter((time) => time !== null);
    await session.run(
      `INSERT INTO ingest_commit VALUES (CAST($seq AS BIGINT), $table, CAST($min AS TIMESTAMP), CAST($max AS TIMESTAMP), CAST($now AS TIMESTAMP))`,
      {
        seq: BigInt(seq),
        table: name,
        min: sqlTime(times.length === 0 ? null : times.reduce((a, b) => Math.min(a, b))),
        max: sqlTime(times.length === 0 ? null : times.reduce((a, b) => Math.max(a, b))),
        now: sqlTime(now),
      },
    );
  }
}
