/** Turns a decoded window into Parquet files in staging/: one COPY per event_date, derived columns included, fsynced. */
import { chmodSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '../duckdb.ts';
import type { Batch } from '../format.ts';
import { DUPLICATE, type SegmentWriter, type StagedSegment } from '../ingest.ts';
import { rawColumns, type Table } from '../table.ts';
import { formatDay } from '../time.ts';
import { REJECT } from './catalog-tables.ts';
import { createDerivation } from './derivation.ts';
import { type NumberedTexts, SegmentEncoder } from './encoder/columns.ts';
import { readyZstd } from './encoder/zstd.ts';
import { asStoreError, FILE_MODE, syncPath, syncPaths } from './files.ts';
import { PARQUET_OPTIONS, sqlText } from './parquet.ts';
import { appendRows, columnTypes, num, numOrNull } from './rows.ts';

/** What derivations need stays far below this, unless a caller's name has tens of megabytes. */
const MEMORY_LIMIT = '1GB';

export interface SegmentWriterOptions {
  readonly table: Table;
  readonly stagingDir: string;
  /** Distinguishes the files of the threads of one process. */
  readonly name: string;
  /** The macro prelude that the derived columns are written in. */
  readonly prelude: readonly string[];
}

export async function createSegmentWriter(options: SegmentWriterOptions): Promise<SegmentWriter> {
  const { table, stagingDir, name } = options;
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    memory_limit: MEMORY_LIMIT,
    preserve_insertion_order: 'false',
    temp_directory: stagingDir,
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  await connection.run(options.prelude.join(';\n'));

  const [derivation] = await Promise.all([createDerivation(connection, table), readyZstd()]);
  const encoder = new SegmentEncoder(table);
  let files = 0;

  const writeDay = (
    batch: Batch,
    derived: ReadonlyMap<string, NumberedTexts>,
    rows: Int32Array,
    day: number,
  ): StagedSegment => {
    const path = join(stagingDir, `${name}-${files++}.parquet`);
    const bytes = encoder.encode(batch, derived, rows);
    try {
      writeFileSync(path, bytes, { mode: FILE_MODE });
    } catch (error) {
      throw asStoreError(error, `write the segment ${path}`);
    }
    return {
      table: table.name,
      eventDate: formatDay(day),
      path,
      rows: rows.length,
      sizeBytes: bytes.length,
      ...timeRange(batch, table, rows),
    };
  };

  return {
    write: async (batch, pending) => {
      // Awaited once the derivation is through, whatever becomes of them: nothing may end while a statement runs.
      pending.catch(() => undefined);
      const derived = await derivation.derive(batch);
      const segments: StagedSegment[] = [];
      for (const [day, rows] of admittedByDay(batch, await pending)) segments.push(writeDay(batch, derived, rows, day));
      return { segments, synced: sync(segments) };
    },
    dropRows: async (segments, logFile, which) => {
      const kept: StagedSegment[] = [];
      const drop = `log_file = ${logFile}${which === 'all' ? '' : " AND coalesce(event_id, '') = ''"}`;
      for (const segment of segments) {
        const path = join(stagingDir, `${name}-${files++}.parquet`);
        await connection.run(
          `COPY (SELECT * FROM read_parquet(${sqlText(segment.path)}) WHERE NOT (${drop})) TO ${sqlText(path)} ${PARQUET_OPTIONS}`,
        );
        const left = await connection.runAndReadAll(
          `SELECT count(*) AS n, epoch_ms(min(event_time)) AS first, epoch_ms(max(event_time)) AS last FROM read_parquet(${sqlText(path)})`,
        );
        const row = left.getRowObjects()[0] ?? {};
        unlinkSync(segment.path);
        if (num(row['n']) === 0) {
          unlinkSync(path);
          continue;
        }
        chmodSync(path, FILE_MODE);
        syncPath(path);
        kept.push({
          ...segment,
          path,
          rows: num(row['n']),
          sizeBytes: statSync(path).size,
          minTimeMs: numOrNull(row['first']),
          maxTimeMs: numOrNull(row['last']),
        });
      }
      return kept;
    },
    writeRejects: async (rejects) => {
      const path = join(stagingDir, `${name}-${files++}-rejects.parquet`);
      await connection.run(
        `CREATE OR REPLACE TEMP TABLE staged (${REJECT.columns.map((column) => `${column.name} ${column.type}`).join(', ')})`,
      );
      await appendRows(
        connection,
        'staged',
        columnTypes(REJECT),
        rejects.map(({ logFile, reject }) => [
          logFile,
          reject.recordNo,
          reject.offset,
          reject.length,
          reject.reason,
          reject.detail,
          Buffer.from(reject.text).toString('base64'),
        ]),
        'temp',
      );
      try {
        await connection.run(`COPY staged TO ${sqlText(path)} ${PARQUET_OPTIONS}`);
        await connection.run('DROP TABLE staged');
        chmodSync(path, FILE_MODE);
      } catch (error) {
        throw asStoreError(error, `write rejects to ${path}`);
      }
      return path;
    },
    close: () => {
      connection.closeSync();
      instance.closeSync();
      return Promise.resolve();
    },
  };
}

/** On libuv's threads: the next window is read meanwhile. */
async function sync(segments: readonly StagedSegment[]): Promise<void> {
  try {
    await syncPaths(segments.map(({ path }) => path));
  } catch (error) {
    throw asStoreError(error, 'write segments to the disk');
  }
}

/** Row numbers of the admitted rows, by day, in order. */
function admittedByDay(batch: Batch, verdicts: Uint8Array): Map<number, Int32Array> {
  const { rows, eventDay } = batch;
  const counts = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    if (verdicts[row] === DUPLICATE) continue;
    const day = eventDay[row] ?? 0;
    counts.set(day, (counts.get(day) ?? 0) + 1);
  }
  const days = new Map<number, Int32Array>();
  for (const [day, count] of counts) {
    const admitted = new Int32Array(count);
    let at = 0;
    for (let row = 0; row < rows; row++) if (eventDay[row] === day && verdicts[row] !== DUPLICATE) admitted[at++] = row;
    days.set(day, admitted);
  }
  return days;
}

/** First and last event time of the rows, in ms. */
function timeRange(batch: Batch, table: Table, rows: Int32Array): Pick<StagedSegment, 'minTimeMs' | 'maxTimeMs'> {
  const column = batch.columns[rawColumns(table).findIndex((one) => one.name === 'event_time')];
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  if (column !== undefined) {
    const words = new Int32Array(batch.memory, column.data, batch.rows * 2);
    const validity = new Uint8Array(batch.memory, column.validity, Math.ceil(batch.rows / 8));
    for (const row of rows) {
      if (((validity[row >> 3] ?? 0) & (1 << (row & 7))) === 0) continue;
      const micros = (words[row * 2 + 1] ?? 0) * 0x100000000 + ((words[row * 2] ?? 0) >>> 0);
      if (micros < min) min = micros;
      if (micros > max) max = micros;
    }
  }
  return min > max
    ? { minTimeMs: null, maxTimeMs: null }
    : { minTimeMs: Math.floor(min / 1000), maxTimeMs: Math.ceil(max / 1000) };
}
