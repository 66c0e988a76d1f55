/** Runs one SqlJob in a process of its own, so that its time and memory can be told from ours. */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const instance = await DuckDBInstance.create(':memory:', {
  preserve_insertion_order: 'false',
  temp_directory: dirname(process.argv[2]),
});
const connection = await instance.connect();
for (const sql of job.setup) await connection.run(sql);
for (const { sql, staging, publish } of job.steps) {
  if (staging !== undefined) mkdirSync(dirname(staging), { recursive: true });
  await connection.run(sql);
  if (staging === undefined) continue;
  for (const entry of readdirSync(staging, { recursive: true, withFileTypes: true })) {
    const handle = openSync(join(entry.parentPath, entry.name), 'r');
    fsyncSync(handle);
    closeSync(handle);
  }
  mkdirSync(dirname(publish), { recursive: true });
  renameSync(staging, publish);
}
connection.closeSync();
