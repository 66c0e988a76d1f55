/** A hunt over an archive with copies, late files and records without ids: on DuckDB over the store, on Trino over the raw files as they were delivered, the same alerts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { plan } from '../../bench/corpus.ts';
import { logFileText } from '../../bench/world.ts';
import { rawTableOf } from '../../src/backends/athena/raw.ts';
import { deliveredSql, distinctSql, pathDay } from '../../src/backends/athena/views.ts';
import { createDuckdbBackend } from '../../src/backends/duckdb.ts';
import { createEngine } from '../../src/detection/planner.ts';
import { timeMsOf } from '../../src/detection/rows.ts';
import { parameterValues } from '../../src/detector.ts';
import { NO_CONTEXT } from '../../src/enrichment.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import type { HuntTaskResult } from '../../src/hunt.ts';
import { missingFor } from '../../src/pipeline/scope.ts';
import { openStore } from '../../src/store/store.ts';
import { DAY_MS } from '../../src/time.ts';
import { ingestInto } from '../support/ingest.ts';
import { openTrino, trinoAtHand } from './engines.ts';
import { loadDetectors } from './examples.ts';
import { trinoType } from './raw-tables.ts';

/** Events before copies; `TRAILHOUND_TRINO_EVENTS` asks for another number, such as a million. */
const EVENTS = Number(process.env['TRAILHOUND_TRINO_EVENTS'] ?? 20_000);
const DAYS = 10;
const LATE_MS = 7 * DAY_MS;
/** Of 100 files so many come again a week later, and of 1000 records so many have no id. */
const COPIES = 27;
const WITHOUT_ID = 5;

const dir = mkdtempSync(join(tmpdir(), 'trailhound-archive-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

type LoggedRecord = { readonly eventID?: string };

interface Delivered {
  readonly records: number;
  readonly copies: number;
  readonly days: readonly string[];
}

/** The files as AWS would deliver them below `logs`, and their records, one a line, by day of delivery below `raw`. */
function deliver(): Delivered {
  const jobs = plan({ name: 'archive', events: EVENTS, days: DAYS, seed: 27 });
  const counts = { records: 0, copies: 0 };
  const days = new Set<string>();
  for (const [at, job] of jobs.entries()) {
    const { Records: all } = JSON.parse(logFileText(job).text) as { readonly Records: readonly LoggedRecord[] };
    const records = all.map((record, place) => {
      if ((at * 131 + place) % 1000 >= WITHOUT_ID) return record;
      const { eventID: _, ...rest } = record;
      return rest;
    });
    const isCopied = (at * 37) % 100 < COPIES;
    const isLate = (at * 37) % 100 >= 95;
    const times = [...(isLate ? [] : [job.delivered]), ...(isLate || isCopied ? [job.delivered + LATE_MS] : [])];
    for (const [copy, time] of times.entries()) {
      const day = pathDay(time);
      days.add(day);
      const path = job.path.replace(/\/\d{4}\/\d{2}\/\d{2}\//u, `/${day}/`).replace('.json.gz', `${copy}.json.gz`);
      // In another order: a file with the very content of another is known by it, records without ids and all.
      const shuffled = copy === 0 ? records : records.toReversed();
      write(join(dir, 'logs', path), JSON.stringify({ Records: shuffled }));
      const lines = shuffled.map((record) => JSON.stringify(record)).join('\n');
      write(join(dir, 'raw', `day=${day.replaceAll('/', '-')}`, `${at}-${copy}.json.gz`), lines);
      counts.records += records.length;
      counts.copies += copy * records.length;
    }
  }
  return { ...counts, days: [...days] };
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, gzipSync(text, { level: 1 }));
}

/** Without the notes: where rows are kept, a detector that concerns no event is not looked at further, and says nothing of its history. */
const byId = (results: readonly HuntTaskResult[]): unknown =>
  results.map(({ findings, judged }) => ({ judged, findings: findings.toSorted((a, b) => (a.id < b.id ? -1 : 1)) }));

describe.skipIf(trinoAtHand === null)(`an archive of ${EVENTS} events`, () => {
  test('has the same alerts on both engines', { timeout: 3_600_000 }, async () => {
    const delivered = deliver();
    expect(delivered.copies / (delivered.records - delivered.copies)).toBeGreaterThan(0.2);
    const { records } = await ingestInto(join(dir, 'store'), [join(dir, 'logs')]);
    expect(records.in).toBe(delivered.records);
    // Copies of records without an id are never merged.
    expect(records.duplicate).toBeGreaterThan(delivered.copies * 0.98);
    expect(records.duplicate).toBeLessThan(delivered.copies);

    const store = await openStore(join(dir, 'store'));
    const segments = await store.segments(cloudtrailTable);
    const duckdb = await createDuckdbBackend({
      tables: [{ table: cloudtrailTable, segments }],
      portable: true,
      locked: false,
      memoryLimitMb: 4096,
      threads: 2,
      tempDirectory: dir,
    });
    const trino = await rawArchive();
    const count =
      'SELECT count(*) AS events, count(event_id) AS ids, min(event_time) AS first_seen, max(event_time) AS last_seen FROM cloudtrail';
    const [ours] = (await duckdb.query(count)).rows;
    expect((await trino.query(count)).rows).toEqual([ours]);
    expect(ours?.['events']).toBe(records.stored);

    const detectors = (await loadDetectors()).filter(
      (detector) =>
        detector.table === 'cloudtrail' &&
        detector.reads === undefined &&
        missingFor(detector, NO_CONTEXT).length === 0,
    );
    const window = {
      fromMs: timeMsOf(ours ?? {}, 'first_seen'),
      toMs: timeMsOf(ours ?? {}, 'last_seen') + 1,
    };
    const request = {
      tasks: detectors.map((detector) => ({ detector, parameters: parameterValues(detector, {}), window })),
      lists: {},
      columns: ['event_name'],
      nowMs: window.toMs + 400 * DAY_MS,
    };
    const engine = createEngine(cloudtrailTable);
    const [here, there] = [await engine.run(duckdb, request), await engine.run(trino, request)];
    expect(byId(there)).toEqual(byId(here));
    expect(here.flatMap(({ findings }) => findings).length).toBeGreaterThan(0);
    await duckdb.close();
    await store.close();
  });
});

/** The raw files, read once into a table of what was delivered; each statement takes each event once out of it. */
async function rawArchive(): Promise<ReturnType<typeof openTrino>> {
  const trino = openTrino();
  const schema = `archive_${process.pid}`;
  const fields = Object.entries(rawTableOf('cloudtrail').columns).map(([name, type]) => `"${name}" ${trinoType(type)}`);
  await trino.run(`CREATE SCHEMA hive.${schema}`);
  await trino.run(
    `CREATE TABLE hive.${schema}.raw (${fields.join(', ')}, day varchar) WITH (external_location = 'local://${join(dir, 'raw')}', format = 'OPENX_JSON', partitioned_by = ARRAY['day'])`,
  );
  await trino.run(`CALL hive.system.sync_partition_metadata('${schema}', 'raw', 'FULL')`);
  const raws = [{ relation: `hive.${schema}.raw`, day: "replace(day, '-', '/')" }];
  await trino.run(
    `CREATE TABLE hive.${schema}.delivered WITH (format = 'PARQUET') AS SELECT * FROM (${deliveredSql(cloudtrailTable, raws)})`,
  );
  const relation = distinctSql(cloudtrailTable, `hive.${schema}.delivered`);
  return trino.over({ relations: [{ table: cloudtrailTable, relation: `(${relation})`, prune: () => null }] });
}
