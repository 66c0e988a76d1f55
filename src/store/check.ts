/** Reads the whole store and says whether it is what the catalog says it is. */
import { existsSync } from 'node:fs';
import { DuckDBInstance } from '../duckdb.ts';
import type { Table } from '../table.ts';
import type { Catalog } from './catalog.ts';
import type { StorePaths } from './files.ts';
import { liveSegments, unlistedFiles } from './lake.ts';
import { sqlText } from './parquet.ts';
import { num, text } from './rows.ts';
import { checkCounts } from './slot-counts.ts';

export interface CheckReport {
  readonly segments: number;
  readonly rows: number;
  /** What is wrong, one sentence each; empty when all is well. */
  readonly problems: readonly string[];
  /** Files in the lake that no commit lists: a run is under way, or was killed and the next one will remove them. Nobody reads them. */
  readonly unlisted: readonly string[];
}

/** Every segment is read to its end: rows are counted and each column's pages are decoded. */
export async function checkStore(catalog: Catalog, paths: StorePaths, tables: readonly Table[]): Promise<CheckReport> {
  const problems: string[] = checkCounts(paths);
  const sums = { segments: 0, rows: 0 };
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: '256MB',
    threads: '2',
    temp_directory: paths.staging,
  });
  const connection = await instance.connect();
  try {
    for (const table of tables) {
      const segments = await catalog.read((session) => liveSegments(session, paths, table.name));
      for (const segment of segments) {
        sums.segments++;
        sums.rows += segment.rows;
        if (!existsSync(segment.path)) {
          problems.push(`${segment.path}: the file is missing`);
          continue;
        }
        try {
          const result = await connection.runAndReadAll(
            `SELECT count(*) AS n, max(hash(COLUMNS(*))) FROM read_parquet(${sqlText(segment.path)})`,
          );
          const rows = num(result.getRowObjects()[0]?.['n']);
          if (rows !== segment.rows)
            problems.push(`${segment.path}: holds ${rows} rows, the catalog says ${segment.rows}`);
        } catch (error) {
          problems.push(
            `${segment.path}: cannot be read (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`,
          );
        }
      }
    }
    const unlisted = await catalog.read(async (session) => {
      const listed = await session.rows('SELECT path FROM segment');
      return unlistedFiles(paths, new Set(listed.map((row) => text(row['path']))));
    });
    await catalog.read(async (session) => {
      const unbalanced = await session.rows(
        'SELECT key, records_in, stored, duplicate, rejected FROM log_file WHERE records_in <> stored + duplicate + rejected',
      );
      for (const row of unbalanced) {
        problems.push(
          `${String(row['key'])}: ${num(row['records_in'])} records in, but ${num(row['stored'])} stored + ${num(row['duplicate'])} duplicate + ${num(row['rejected'])} rejected`,
        );
      }
      const [balance] = await session.rows(
        `SELECT (SELECT coalesce(sum(stored), 0) FROM log_file) AS stored, (SELECT coalesce(sum(row_count), 0) FROM pruned) AS gone`,
      );
      if (num(balance?.['stored']) !== sums.rows + num(balance?.['gone'])) {
        problems.push(
          `the ledger says ${num(balance?.['stored'])} records stored, the segments hold ${sums.rows} and ${num(balance?.['gone'])} were pruned`,
        );
      }
      const rejects = await session.rows(
        `SELECT log_file.key, log_file.rejected, count(reject.log_file) AS listed FROM log_file LEFT JOIN reject ON reject.log_file = log_file.id
        WHERE log_file.copy_of IS NULL GROUP BY log_file.id, log_file.key, log_file.rejected HAVING log_file.rejected <> count(reject.log_file)`,
      );
      for (const row of rejects)
        problems.push(`${String(row['key'])}: ${num(row['rejected'])} rejected, but ${num(row['listed'])} listed`);
    });
    return { ...sums, problems, unlisted };
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
