/** A store folder as the contract src/store.ts describes it. */
import { randomBytes } from 'node:crypto';
import { chmodSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError } from '../errors.ts';
import type { KnownFile, LogFileIdentity, StoreWriter } from '../ingest.ts';
import type { RejectRow, Store, StoreStatus, TableSums } from '../store.ts';
import type { Table } from '../table.ts';
import {
  alertOutlines,
  findAlert,
  listAlerts,
  listChanges,
  setStatus,
  upsertAlerts,
  withdrawAlerts,
} from './alerts.ts';
import { Catalog, type CatalogSession } from './catalog.ts';
import { CATALOG_TABLES, STORE_VERSION } from './catalog-tables.ts';
import { type CheckReport, checkStore } from './check.ts';
import { alertsByRank, makeDerived } from './derived.ts';
import { asStoreError, FILE_MODE, makeFolder, type StorePaths, storePaths } from './files.ts';
import { huntSeqs, moveHunts } from './hunts.ts';
import { liveSegments, SNAPSHOT_PREFIX } from './lake.ts';
import { type Lease, leaseHolder, takeLease, takeWatch } from './lease.ts';
import { catalogOutbox } from './outbox.ts';
import { sqlText } from './parquet.ts';
import { prune } from './retention.ts';
import { isoOrNull, num, text, timeOrNull } from './rows.ts';
import { pruneCounts, slotCounts } from './slot-counts.ts';
import { deleteSuppression, insertSuppression, listSuppressions, suppressionUses } from './suppressions.ts';
import { createStore, requireVersion, storeExists, storeId } from './version.ts';
import { catalogWatchState } from './watch-state.ts';
import { knownFiles, openWriter } from './writer.ts';

/** The local store: the contract, and what only the commands of the local store need. */
export interface LocalStore extends Store {
  /** See openWriter() of store/writer.ts. */
  openWriter(tables: readonly Table[]): Promise<StoreWriter>;
  /** As StoreWriter.known(), without the lease: what a run would skip. */
  known(files: readonly LogFileIdentity[]): Promise<readonly (KnownFile | null)[]>;
  /** Takes whole days before `before` (`YYYY-MM-DD`) out of the store. Throws `store-locked` while another process writes to it. */
  prune(table: Table, before: string): Promise<{ segments: number; rows: number }>;
  /** The right to run its schedules and deliveries. Throws `store-watched`. */
  holdWatch(): Promise<Lease>;
  /** Tells this store from every other one. */
  id(): string;
  /** Reads every segment and compares it with the catalog. */
  check(tables: readonly Table[]): Promise<CheckReport>;
}

/** Throws `store-missing` when there is none and it is not to be created. */
export async function openStore(dir: string, options: { readonly create?: boolean } = {}): Promise<LocalStore> {
  const paths = storePaths(resolve(dir));
  if (!storeExists(paths)) {
    if (options.create !== true) {
      throw new AppError('store-missing', `cannot open the store ${paths.dir}: there is none`, {
        hint: "Run 'trailhound scan <source>' or 'trailhound ingest <source>' first, or name another store with --store.",
      });
    }
    await createStore(paths);
  }
  await requireVersion(paths);
  return localStore(paths);
}

function localStore(paths: StorePaths): LocalStore {
  const catalog = new Catalog(paths.catalog);
  return {
    dir: paths.dir,
    segments: (table, range) => catalog.read((session) => liveSegments(session, paths, table.name, range)),
    commits: (table, afterSeq) =>
      catalog.read(async (session) => {
        const rows = await session.rows(
          'SELECT * FROM ingest_commit WHERE table_name = $table AND seq > $after ORDER BY seq',
          {
            table: table.name,
            after: BigInt(afterSeq),
          },
        );
        return rows.map((row) => ({
          seq: num(row['seq']),
          table: text(row['table_name']),
          minTimeMs: timeOrNull(row['min_time']),
          maxTimeMs: timeOrNull(row['max_time']),
        }));
      }),
    lastSeq: () =>
      catalog.read(async (session) =>
        num((await session.rows('SELECT coalesce(max(seq), 0) AS seq FROM ingest_commit'))[0]?.['seq']),
      ),
    status: async () => {
      const pid = await leaseHolder(paths.lock);
      return catalog.read((session) => readStatus(session, paths, pid));
    },
    withoutTime: () =>
      catalog.read(async (session) => {
        const [row] = await session.rows('SELECT coalesce(sum(without_time), 0) AS without_time FROM log_file');
        return num(row?.['without_time']);
      }),
    rejects: ({ limit }) => catalog.read((session) => readRejects(session, limit)),
    snapshot: async (name) => {
      const table = CATALOG_TABLES.find((one) => one.name === name);
      if (table === undefined) throw new Error(`the catalog has no relation ${name}`);
      const file = join(paths.staging, `${SNAPSHOT_PREFIX}${process.pid}-${randomBytes(6).toString('hex')}.parquet`);
      const columns = table.columns.map((column) => column.name).join(', ');
      try {
        makeFolder(paths.staging);
        await catalog.read(async (session) => {
          await makeDerived(session, table);
          await session.run(`COPY (SELECT ${columns} FROM ${name}) TO ${sqlText(file)} (FORMAT parquet)`);
        });
        chmodSync(file, FILE_MODE);
      } catch (error) {
        rmSync(file, { force: true });
        throw asStoreError(error, `copy the table ${name} for a reader`);
      }
      return { name, file };
    },
    huntSeqs: (keys) => catalog.read((session) => huntSeqs(session, keys)),
    recordHunt: (result) =>
      catalog.write(async (session) => {
        const recorded = await upsertAlerts(session, result.alerts);
        await withdrawAlerts(session, result.withdrawn);
        await moveHunts(session, result.seqs);
        return recorded;
      }),
    alerts: (filter) =>
      catalog.read((session) => (filter.sort === 'rank' ? alertsByRank(session, filter) : listAlerts(session, filter))),
    alertOutlines: () => catalog.read(alertOutlines),
    alert: (idPrefix) => catalog.read((session) => findAlert(session, idPrefix)),
    setAlertStatus: (ids, status, by, why) => catalog.write((session) => setStatus(session, ids, status, by, why)),
    alertHistory: (id) => catalog.read((session) => listChanges(session, { alertId: id })),
    slotCounts: slotCounts(paths),
    outbox: catalogOutbox(catalog),
    watching: catalogWatchState(catalog),
    suppressions: () => catalog.read(listSuppressions),
    suppressionUses: () => catalog.read(suppressionUses),
    addSuppression: (suppression) => catalog.write((session) => insertSuppression(session, suppression)),
    removeSuppression: (id) => catalog.write((session) => deleteSuppression(session, id)),
    openWriter: (tables) => openWriter(paths, tables),
    known: (files) => catalog.read((session) => knownFiles(session, files)),
    prune: async (table, before) => {
      // A compaction that read the segments before they were taken out would list their rows again.
      const lease = await takeLease(paths);
      try {
        const pruned = await prune(catalog, table, before);
        pruneCounts(paths, table.name, before);
        return pruned;
      } finally {
        lease.release();
      }
    },
    holdWatch: () => takeWatch(paths),
    id: () => storeId(paths),
    check: (tables) => checkStore(catalog, paths, tables),
    close: () => Promise.resolve(),
  };
}

async function readStatus(session: CatalogSession, paths: StorePaths, pid: number | null): Promise<StoreStatus> {
  const tables = await session.rows(
    `SELECT table_name, sum(row_count) AS row_count, count(*) AS segments, sum(size_bytes) AS bytes, min(min_time) AS first, max(max_time) AS last
    FROM segment WHERE superseded_at IS NULL GROUP BY table_name ORDER BY table_name`,
  );
  const sums: TableSums[] = tables.map((row) => ({
    name: text(row['table_name']),
    rows: num(row['row_count']),
    segments: num(row['segments']),
    bytes: num(row['bytes']),
    first: isoOrNull(row['first']),
    last: isoOrNull(row['last']),
  }));
  const [files] = await session.rows(
    `SELECT count(*) AS seen, count(*) FILTER (status = 'done') AS done, count(*) FILTER (status = 'damaged') AS damaged, count(*) FILTER (status = 'failed') AS failed,
      coalesce(sum(records_in), 0) AS records_in, coalesce(sum(stored), 0) AS stored, coalesce(sum(duplicate), 0) AS duplicate, coalesce(sum(rejected), 0) AS rejected,
      coalesce(sum(id_conflicts), 0) AS id_conflicts, coalesce(sum(without_time), 0) AS without_time,
      count(*) FILTER (records_in <> stored + duplicate + rejected) AS unbalanced
    FROM log_file`,
  );
  const [gone] = await session.rows('SELECT coalesce(sum(row_count), 0) AS row_count FROM pruned');
  const stored = num(files?.['stored']);
  const live = sums.reduce((sum, table) => sum + table.rows, 0);
  const last = sums.map((table) => table.last).filter((time) => time !== null);
  return {
    schema: 1,
    store: paths.dir,
    version: STORE_VERSION,
    tables: sums,
    files: {
      seen: num(files?.['seen']),
      done: num(files?.['done']),
      damaged: num(files?.['damaged']),
      failed: num(files?.['failed']),
    },
    records: {
      in: num(files?.['records_in']),
      stored,
      duplicate: num(files?.['duplicate']),
      rejected: num(files?.['rejected']),
      id_conflicts: num(files?.['id_conflicts']),
      without_time: num(files?.['without_time']),
    },
    balanced: num(files?.['unbalanced']) === 0 && stored === live + num(gone?.['row_count']),
    watermark: last.length === 0 ? null : last.reduce((a, b) => (a > b ? a : b)),
    writer: pid === null ? null : { pid },
  };
}

async function readRejects(session: CatalogSession, limit: number): Promise<RejectRow[]> {
  const rows = await session.rows(
    `SELECT log_file.key, reject.* FROM reject JOIN log_file ON log_file.id = reject.log_file ORDER BY log_file.key, reject.record_no LIMIT ${Math.trunc(limit)}`,
  );
  return rows.map((row) => ({
    logFileKey: text(row['key']),
    recordNo: num(row['record_no']),
    offset: num(row['byte_offset']),
    length: num(row['byte_length']),
    reason: text(row['reason']),
    detail: text(row['detail']),
    text: Buffer.from(text(row['raw_base64']), 'base64').toString('utf8'),
  }));
}
