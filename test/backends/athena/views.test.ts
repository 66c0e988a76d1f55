/** The logical tables of Athena against those of the store, over the same log files: each portable column of each event, each event once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Backend, Row } from '../../../src/backend.ts';
import { portableColumns, viewSql } from '../../../src/backends/athena/views.ts';
import { createDuckdbBackend } from '../../../src/backends/duckdb.ts';
import { TABLES } from '../../../src/cli/wire.ts';
import { openStore } from '../../../src/store/store.ts';
import { readsOf, type Table } from '../../../src/table.ts';
import { CREDENTIALS } from '../../sources/s3-support.ts';
import { openSession, setUp, type TestSession } from '../../support/athena.ts';
import { ARCHIVE_BUCKET, type Archive, writeArchive } from '../../support/athena-archive.ts';
import { type AthenaServer, startAthena } from '../../support/athena-server.ts';
import { ingestInto } from '../../support/ingest.ts';
import { objectsIn, type S3Peer, startS3Peer } from '../../support/s3-peer.ts';

/** All that any of the logs holds. */
const ALL = { fromMs: Date.UTC(2019, 0, 1), toMs: Date.UTC(2026, 11, 1) };

let archive: Archive;
let server: AthenaServer;
let peer: S3Peer;
let opened: TestSession;
let athena: Backend;
let store: Backend;
const storeDir = mkdtempSync(join(tmpdir(), 'trailhound-views-'));

beforeAll(async () => {
  for (const [name, value] of Object.entries(CREDENTIALS)) vi.stubEnv(name, value);
  archive = writeArchive();
  server = await startAthena({ buckets: { [ARCHIVE_BUCKET]: archive.dir } });
  peer = await startS3Peer({ bucket: ARCHIVE_BUCKET, objects: objectsIn(archive.dir) });
  opened = openSession(server);
  await setUp(opened.session, peer.url, ARCHIVE_BUCKET, ['']);
  athena = await opened.session.backend(ALL);
  await ingestInto(join(storeDir, 'store'), [archive.dir]);
  const filled = await openStore(join(storeDir, 'store'));
  store = await createDuckdbBackend({
    tables: await Promise.all(TABLES.map(async (table) => ({ table, segments: await filled.segments(table) }))),
    portable: true,
    locked: false,
    memoryLimitMb: 512,
    threads: 2,
    tempDirectory: storeDir,
  });
  await filled.close();
}, 300_000);
afterAll(async () => {
  await athena?.close();
  await store?.close();
  opened?.close();
  await peer?.close();
  await server?.close();
  archive?.close();
  rmSync(storeDir, { recursive: true, force: true });
});

/** Rows in an order of their own, JSON as values. */
async function rowsOf(backend: Backend, table: Table): Promise<readonly string[]> {
  const columns = portableColumns(table);
  const { rows } = await backend.query(
    `SELECT ${columns.map(({ name }) => name).join(', ')}, event_date FROM ${table.name}`,
  );
  const isJson = new Set(columns.flatMap(({ name, json }) => (json === true ? [name] : [])));
  const comparable = (row: Row): string =>
    JSON.stringify(
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => [
          name,
          isJson.has(name) && typeof value === 'string' ? sorted(JSON.parse(value)) : value,
        ]),
      ),
      (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value),
    );
  return rows.map(comparable).toSorted();
}

/** Members that are null say no more than absent ones, in whatever order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== null)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => [name, sorted(member)]),
  );
}

describe('the logical tables', () => {
  test.each(TABLES.map((table) => [table.name, table] as const))('%s holds what the store holds', async (_, table) => {
    const [there, here] = [await rowsOf(athena, table), await rowsOf(store, table)];
    expect(here.length).toBeGreaterThan(0);
    expect(there.filter((row) => !here.includes(row)).slice(0, 3)).toEqual(
      here.filter((row) => !there.includes(row)).slice(0, 3),
    );
    expect(there).toEqual(here);
  });

  test('copies that came on a later day are left out, and are there to be seen', async () => {
    const delivered = await opened.session.athena.answer(
      'SELECT count(*) AS n, count(DISTINCT event_id) AS ids FROM "trailhound"."cloudtrail_delivered"',
      { meter: opened.session.meter, signal: opened.control.signal },
    );
    const [[records, ids] = []] = delivered.rows;
    const once = await athena.query('SELECT count(*) AS n FROM cloudtrail');
    expect(Number(records)).toBeGreaterThan(Number(once.rows[0]?.['n']));
    expect(Number(once.rows[0]?.['n'])).toBeGreaterThanOrEqual(Number(ids));
  });

  test('derivations rest on portable columns', () => {
    const wrong = TABLES.flatMap((table) =>
      portableColumns(table)
        .filter(({ derive, athena: text }) => derive !== undefined && derive === text)
        .flatMap((column) =>
          readsOf(column, table)
            .filter((read) => read.athena === null)
            .map((read) => `${table.name}.${column.name} reads ${read.name}`),
        ),
    );
    expect(wrong).toEqual([]);
  });

  test('a view is one statement over one raw relation', async () => {
    await server.run('CREATE OR REPLACE VIEW main.lonely AS SELECT * FROM trailhound.cloudtrail_raw');
    const cloudtrail = TABLES[0] as Table;
    const { rows } = await opened.session.athena.answer(
      `SELECT count(*) AS n FROM (${viewSql(cloudtrail, { raw: 'main.lonely' })}) AS one`,
      { meter: opened.session.meter, signal: opened.control.signal },
    );
    expect(Number(rows[0]?.[0])).toBeGreaterThan(0);
  });
});
