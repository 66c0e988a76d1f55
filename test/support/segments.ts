/** Writes rows as segments of a lake, for tests that need a table without an ingest. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Segment } from '../../src/store.ts';
import { PARTITION_COLUMN, type Table } from '../../src/table.ts';

/** One Parquet file of one day. `select` gives the rows in the table's columns, without event_date. */
export async function writeSegment(
  dir: string,
  table: Table,
  eventDate: string,
  name: string,
  select: string,
  extra: Partial<Segment> = {},
): Promise<Segment> {
  const path = join(dir, 'lake', table.name, `${PARTITION_COLUMN}=${eventDate}`, `${name}.parquet`);
  mkdirSync(dirname(path), { recursive: true });
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run(`COPY (${select}) TO '${path.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION zstd)`);
  const reader = await connection.runAndReadAll(
    `SELECT count(*)::INTEGER, epoch_ms(min(event_time))::DOUBLE, epoch_ms(max(event_time))::DOUBLE FROM (${select})`,
  );
  const [rows, minTimeMs, maxTimeMs] = reader.getRows()[0] as [number, number | null, number | null];
  connection.closeSync();
  instance.closeSync();
  return {
    table: table.name,
    eventDate,
    path,
    rows,
    sizeBytes: statSync(path).size,
    minTimeMs,
    maxTimeMs,
    seq: 1,
    schemaVersion: table.schemaVersion,
    ...extra,
  };
}
