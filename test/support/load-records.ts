/** Puts raw CloudTrail records into a backend by SQL alone: raw fields by their paths, then each derived column by its own text. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Backend } from '../../src/backend.ts';
import { createDuckdbBackend } from '../../src/backends/duckdb.ts';
import { PRELUDE } from '../../src/backends/prelude.ts';
import type { ExampleRecord } from '../../src/detector.ts';
import { type Enrichment, NO_CONTEXT } from '../../src/enrichment.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import type { Segment } from '../../src/store.ts';
import { type Column, derivedColumns, PARTITION_COLUMN, rawColumns } from '../../src/table.ts';

/** Where a record has no usable time, it is delivered on that day. */
const DELIVERED = '2025-03-03';

function rawSql(column: Column): string {
  if (column.name === 'log_file') return 'CAST(1 AS BIGINT)';
  if (column.name === 'record_no') return 'CAST(record_no AS INTEGER)';
  if (column.raw === undefined) return `CAST(NULL AS ${column.type})`;
  const path = `'/${column.raw.split('.').join('/')}'`;
  const text = `json_extract_string(r, ${path})`;
  if (column.json === true)
    return `CASE WHEN json_type(r, ${path}) <> 'NULL' THEN CAST(json_extract(r, ${path}) AS VARCHAR) END`;
  switch (column.type) {
    case 'BOOLEAN':
      return `CASE lower(${text}) WHEN 'true' THEN true WHEN 'false' THEN false END`;
    case 'TIMESTAMP':
      return `CAST(TRY_CAST(${text} AS TIMESTAMPTZ) AS TIMESTAMP)`;
    case 'VARCHAR':
    case 'INTEGER':
    case 'BIGINT':
    case 'VARCHAR[]':
      return `TRY_CAST(${text} AS ${column.type})`;
  }
}

/** Every row of `source` (with `r` JSON and `record_no`) in the table's columns and event_date. */
function rowsSql(source: string): string {
  const raw = rawColumns(cloudtrailTable);
  let sql = `SELECT ${raw.map((column) => `${rawSql(column)} AS "${column.name}"`).join(', ')} FROM (${source})`;
  for (const column of derivedColumns(cloudtrailTable))
    sql = `SELECT *, CAST(${column.derive} AS ${column.type}) AS "${column.name}" FROM (${sql})`;
  return `SELECT *, coalesce(CAST(event_time AS DATE), DATE '${DELIVERED}') AS ${PARTITION_COLUMN} FROM (${sql})`;
}

let writer: Promise<DuckDBInstance> | undefined;
async function openWriter(): Promise<DuckDBInstance> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  for (const statement of PRELUDE) await connection.run(statement);
  connection.closeSync();
  return instance;
}

/** The segments of these records under `dir`. */
export async function writeRecords(
  dir: string,
  records: readonly ExampleRecord[],
  seq = 1,
): Promise<readonly Segment[]> {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, `records-${seq}.jsonl`);
  writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  writer ??= openWriter();
  const connection = await (await writer).connect();
  const lake = join(dir, `lake-${seq}`);
  try {
    const source = `SELECT json AS r, row_number() OVER () - 1 AS record_no FROM read_json_objects('${file}', format = 'newline_delimited')`;
    await connection.run(`COPY (${rowsSql(source)}) TO '${lake}' (FORMAT parquet, PARTITION_BY (${PARTITION_COLUMN}))`);
    const segments: Segment[] = [];
    for (const folder of readdirSync(lake)) {
      for (const name of readdirSync(join(lake, folder))) {
        const path = join(lake, folder, name);
        const reader = await connection.runAndReadAll(
          `SELECT count(*)::INTEGER, epoch_ms(min(event_time))::DOUBLE, epoch_ms(max(event_time))::DOUBLE FROM read_parquet('${path}')`,
        );
        const [rows, minTimeMs, maxTimeMs] = reader.getRows()[0] as [number, number | null, number | null];
        const eventDate = folder.slice(PARTITION_COLUMN.length + 1);
        segments.push({
          table: cloudtrailTable.name,
          eventDate,
          path,
          rows,
          sizeBytes: 1,
          minTimeMs,
          maxTimeMs,
          seq,
          schemaVersion: cloudtrailTable.schemaVersion,
        });
      }
    }
    return segments;
  } finally {
    connection.closeSync();
  }
}

/** A backend over segments of the table cloudtrail, as detectors get it. */
function openBackend(segments: readonly Segment[], tempDirectory: string, enrichment: Enrichment): Promise<Backend> {
  return createDuckdbBackend({
    tables: [{ table: cloudtrailTable, segments }],
    enrichment,
    portable: true,
    locked: false,
    memoryLimitMb: 512,
    threads: 2,
    tempDirectory,
  });
}

/** A backend that holds these records and nothing else; its files go when it is closed. */
export async function loadRecords(
  records: readonly { readonly record: ExampleRecord }[],
  enrichment: Enrichment = NO_CONTEXT,
): Promise<Backend> {
  const dir = mkdtempSync(join(tmpdir(), 'trailhound-records-'));
  const backend = await openBackend(
    records.length === 0
      ? []
      : await writeRecords(
          dir,
          records.map(({ record }) => record),
        ),
    dir,
    enrichment,
  );
  const close = backend.close.bind(backend);
  return Object.assign(backend, {
    close: async () => {
      await close();
      rmSync(dir, { recursive: true, force: true });
    },
  });
}
