/** The writing side of a store, under its lease: looks up the ledger and publishes commit units. */
import { randomBytes } from 'node:crypto';
import { renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import type { ContentKind } from '../format.ts';
import type { CommitUnit, KnownContent, KnownFile, LogFileIdentity, StoreWriter } from '../ingest.ts';
import type { Table } from '../table.ts';
import { formatDay } from '../time.ts';
import { createAdmission } from './admission.ts';
import { Catalog, type CatalogSession } from './catalog.ts';
import { ID_CONFLICT, LOG_FILE } from './catalog-tables.ts';
import { compact } from './compaction.ts';
import { ContentIndex } from './content-index.ts';
import { asStoreError, makeFolder, partitionDir, type StorePaths, syncPath } from './files.ts';
import { identityQuery } from './identity.ts';
import { insertSegments, liveSegments, type PlacedSegment, removeOrphans } from './lake.ts';
import { takeLease } from './lease.ts';
import { sqlList } from './parquet.ts';
import { unlinkSuperseded } from './retention.ts';
import { appendRows, type Cell, columnTypes, num, sqlTime, text, timeOrNull } from './rows.ts';

/** Reading the ids of a stored day; beside the workers' own instances. */
const READER_MEMORY_LIMIT = '128MB';

export async function openWriter(paths: StorePaths, table: Table): Promise<StoreWriter> {
  const lease = await takeLease(paths.lock);
  const catalog = new Catalog(paths.catalog);
  const state = await catalog.write(async (session) => {
    const [row] = await session.rows(
      `SELECT (SELECT coalesce(max(id), 0) FROM log_file) AS log_files, (SELECT coalesce(max(seq), 0) FROM ingest_commit) AS seq,
        (SELECT count(*) FROM log_file) AS ledger`,
    );
    const listed = await session.rows('SELECT path FROM segment');
    removeOrphans(paths, new Set(listed.map((one) => text(one['path']))));
    return { logFiles: num(row?.['log_files']), seq: num(row?.['seq']), ledger: num(row?.['ledger']) };
  });
  await unlinkSuperseded(catalog, paths);
  const contents = await loadContents(catalog);
  let reader: { readonly instance: DuckDBInstance; readonly connection: DuckDBConnection } | null = null;
  /** No look-up can find anything in a ledger that was empty when this writer came and that holds only what this run reads. */
  const ledgerWasEmpty = state.ledger === 0;

  const openReader = async (): Promise<DuckDBConnection> => {
    if (reader === null) {
      const instance = await DuckDBInstance.create(':memory:', {
        memory_limit: READER_MEMORY_LIMIT,
        threads: '1',
        preserve_insertion_order: 'false',
      });
      reader = { instance, connection: await instance.connect() };
    }
    return reader.connection;
  };

  async function* loadDay(day: number): AsyncGenerator<{ words: Int32Array; rows: number }> {
    const eventDate = formatDay(day);
    const segments = await catalog.read((session) => liveSegments(session, paths, table.name));
    const files = segments.filter((segment) => segment.eventDate === eventDate).map((segment) => segment.path);
    if (files.length === 0) return;
    const result = await (await openReader()).stream(identityQuery(sqlList(files)));
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      const rows = chunk.rowCount;
      const ids = words32(duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk.chunk, 0), rows * 16));
      const facts = words32(duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk.chunk, 1), rows * 8));
      const words = new Int32Array(rows * 6);
      for (let row = 0; row < rows; row++) {
        for (let word = 0; word < 4; word++) words[row * 6 + word] = ids[row * 4 + word] ?? 0;
        // DuckDB keeps a UUID's highest bit flipped, so that signed order is the order of the text.
        words[row * 6 + 3] = (words[row * 6 + 3] ?? 0) ^ 0x80000000;
        words[row * 6 + 4] = facts[row * 2] ?? 0;
        words[row * 6 + 5] = facts[row * 2 + 1] ?? 0;
      }
      yield { words, rows };
    }
  }

  const admission = createAdmission(loadDay, paths.staging);

  return {
    lastSeq: state.seq,
    admission,

    known: async (files) => {
      if (ledgerWasEmpty || files.length === 0) return files.map(() => null);
      return catalog.read((session) => knownFiles(session, files));
    },

    contents: async (sha256s) => {
      if (!sha256s.some((sha256) => contents.mayHold(sha256))) return sha256s.map(() => null);
      return catalog.read((session) => knownContents(session, sha256s));
    },

    takeLogFileIds: (count) => {
      const first = state.logFiles + 1;
      state.logFiles += count;
      return first;
    },

    commit: async (units) => {
      const seq = state.seq + 1;
      try {
        const placed = placeSegments(paths, units, seq);
        await catalog.write((session) => insertCommit(session, table, units, placed, seq));
      } catch (error) {
        throw asStoreError(error, `publish what was read in the store ${paths.dir}`);
      }
      state.seq = seq;
      for (const path of units.flatMap((unit) => unit.rejectFiles)) unlinkSync(path);
      for (const { sha256, copyOf } of units.flatMap((unit) => unit.files))
        if (sha256 !== null && copyOf === null) contents.add(sha256);
      return seq;
    },

    compact: (options) => compact(catalog, paths, table, options),

    close: async () => {
      admission.close();
      reader?.connection.closeSync();
      reader?.instance.closeSync();
      lease.release();
      await Promise.resolve();
    },
  };
}

async function loadContents(catalog: Catalog): Promise<ContentIndex> {
  const index = new ContentIndex();
  await catalog.read(async ({ connection }) => {
    const result = await connection.stream('SELECT sha256 FROM log_file WHERE sha256 IS NOT NULL AND copy_of IS NULL');
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      for (const sha256 of chunk.getColumnValues(0)) index.add(String(sha256));
    }
  });
  return index;
}

const words32 = (bytes: Uint8Array): Int32Array => {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
};

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

export async function knownFiles(
  session: CatalogSession,
  files: readonly LogFileIdentity[],
): Promise<(KnownFile | null)[]> {
  await askFor(
    session,
    files.map((file, index) => [index, file.key, file.sizeBytes, file.version]),
    ['BIGINT', 'VARCHAR', 'BIGINT', 'VARCHAR'],
  );
  const rows = await session.rows(
    `SELECT c0, max(id) AS id, arg_max(first_event, id) AS first_event, arg_max(last_event, id) AS last_event
    FROM asked JOIN log_file ON key = c1 AND size_bytes = c2 AND version = c3 AND status <> 'failed'
    GROUP BY c0`,
  );
  const found: (KnownFile | null)[] = files.map(() => null);
  for (const row of rows) {
    found[num(row['c0'])] = {
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
    sha256s.map((hash, index) => [index, hash]),
    ['BIGINT', 'VARCHAR'],
  );
  const rows = await session.rows(
    `SELECT c0, id, records_in, kind, first_event, last_event
    FROM asked JOIN log_file ON sha256 = c1 AND copy_of IS NULL AND status <> 'failed'`,
  );
  const found: (KnownContent | null)[] = sha256s.map(() => null);
  for (const row of rows) {
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
function placeSegments(paths: StorePaths, units: readonly CommitUnit[], seq: number): PlacedSegment[] {
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
  for (const folder of folders) syncPath(folder);
  if (folders.size > 0) for (const table of new Set(placed.map((one) => one.table))) syncPath(join(paths.lake, table));
  return placed;
}

async function insertCommit(
  session: CatalogSession,
  table: Table,
  units: readonly CommitUnit[],
  segments: readonly PlacedSegment[],
  seq: number,
): Promise<void> {
  const files = units.flatMap((unit) => unit.files);
  const now = Date.now();
  await askFor(
    session,
    files.map((file, index) => [index, file.file.key]),
    ['BIGINT', 'VARCHAR'],
  );
  await session.run(
    "DELETE FROM log_file WHERE status = 'failed' AND records_in = 0 AND key IN (SELECT c1 FROM asked)",
  );
  await appendRows(
    session.connection,
    LOG_FILE.name,
    columnTypes(LOG_FILE),
    files.map((file) => [
      file.logFile,
      file.file.key,
      file.file.sizeBytes,
      file.file.version,
      file.sha256,
      file.status,
      file.kind,
      file.copyOf,
      file.uncompressedBytes,
      file.records.in,
      file.records.stored,
      file.records.duplicate,
      file.records.rejected,
      file.records.id_conflicts,
      file.records.without_time,
      file.minTimeMs,
      file.maxTimeMs,
      file.error,
      seq,
      now,
    ]),
  );
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
  if (segments.length > 0)
    await insertSegments(
      session,
      segments.map((segment) => ({ ...segment, seq, schemaVersion: table.schemaVersion })),
    );
  const times = segments.flatMap((segment) => [segment.minTimeMs, segment.maxTimeMs]).filter((time) => time !== null);
  await session.run(
    `INSERT INTO ingest_commit VALUES (CAST($seq AS BIGINT), $table, CAST($min AS TIMESTAMP), CAST($max AS TIMESTAMP), CAST($now AS TIMESTAMP))`,
    {
      seq: BigInt(seq),
      table: table.name,
      min: sqlTime(times.length === 0 ? null : times.reduce((a, b) => Math.min(a, b))),
      max: sqlTime(times.length === 0 ? null : times.reduce((a, b) => Math.max(a, b))),
      now: sqlTime(now),
    },
  );
}
