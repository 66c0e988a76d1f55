/** The whole catalogue over an organisation on Athena: every statement that it would get, and what each would read. Nothing is asked of AWS. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Prepared } from '../../src/backends/athena/backend.ts';
import { partitionsPerDay, piecesOf } from '../../src/backends/athena/scale.ts';
import { Session } from '../../src/backends/athena/session.ts';
import { TABLES } from '../../src/cli/wire.ts';
import { createEngine } from '../../src/detection/planner.ts';
import type { Detector } from '../../src/detector.ts';
import { CONTEXT_SOURCES, type Enrichment, NO_CONTEXT } from '../../src/enrichment.ts';
import { DELIVERY_LATENESS_MS } from '../../src/keys.ts';
import { explainArchive } from '../../src/pipeline/hunt.ts';
import type { Table } from '../../src/table.ts';
import { DAY_MS, type Window } from '../../src/time.ts';

const ACCOUNTS = 400;
const REGIONS = 17;
/** Sources of WAF logs and of access logs. */
const SOURCES = 500;

const numbered = (count: number, name: (at: number) => string): string[] =>
  Array.from({ length: count }, (_, at) => name(at));

/** An organisation trail, and logs of the other kinds beside it. */
const organizationTables = () =>
  TABLES.map((table) => ({
    table,
    roots: [
      table.name.startsWith('cloudtrail')
        ? {
            table: table.name,
            location: 's3://example-logs/AWSLogs/o-exampleorgid/',
            template: '${account}/CloudTrail/${region}/',
            keys: [
              { name: 'account', values: numbered(ACCOUNTS, (at) => String(111_122_223_333 + at)) },
              { name: 'region', values: numbered(REGIONS, (at) => `eu-example-${at + 1}`) },
            ],
            since: '2013/11/01',
          }
        : {
            table: table.name,
            location: 's3://example-logs/',
            template: '${source}/',
            keys: [{ name: 'source', values: numbered(SOURCES, (at) => `source-${at}`) }],
            since: '2013/11/01',
          },
    ],
  }));

export interface CatalogueStatement extends Prepared {
  readonly title: string;
}

export interface CataloguePlan {
  /** With all detectors in one hunt. */
  readonly together: readonly CatalogueStatement[];
  /** Each detector in a hunt of its own; none where they are not compared. */
  readonly apart: readonly CatalogueStatement[];
  /** How many pieces the window of CloudTrail is cut into. */
  readonly pieces: number;
}

/** All of it is configured, so that no detector stays silent. */
const KNOWING: Enrichment = { ...NO_CONTEXT, sources: new Set(CONTEXT_SOURCES) };

export async function planCatalogue(
  detectors: readonly Detector[],
  days: number,
  { isCompared = true } = {},
): Promise<CataloguePlan> {
  const tempDirectory = mkdtempSync(join(tmpdir(), 'trailhound-catalogue-'));
  const nowMs = (): number => Date.UTC(2026, 10, 27);
  const window: Window = { fromMs: nowMs() - (days + 7) * DAY_MS, toMs: nowMs() - 7 * DAY_MS };
  const deployed = organizationTables();
  const session = new Session({
    client: { region: 'us-east-1', credentials: { accessKeyId: 'none', secretAccessKey: 'none' } },
    place: { database: 'trailhound', catalog: 'AwsDataCatalog', workgroup: 'primary', outputLocation: null },
    maxScanBytes: null,
    latenessMs: null,
    tables: TABLES,
    enrichment: KNOWING,
    lists: [],
    signal: new AbortController().signal,
    tempDirectory,
    nowMs,
  });
  session.deployed = async () => deployed;
  const backend = await session.backend(null, { locked: false });
  const tables = TABLES.map((table) => ({ table, engine: createEngine(table) }));
  const perDay = Math.max(...deployed.map(({ roots }) => roots.reduce((sum, root) => sum + partitionsPerDay(root), 0)));
  let pieces = 0;
  const cut = (table: Table, reachMs: number): readonly Window[] => {
    const windows = piecesOf(window, { perDay, reachMs, latenessMs: DELIVERY_LATENESS_MS });
    if (table.name === 'cloudtrail') pieces = Math.max(pieces, windows.length);
    return windows;
  };
  const plan = async (some: readonly Detector[]): Promise<CatalogueStatement[]> => {
    const statements = explainArchive(
      { tables, nowMs },
      { detectors: some, parameters: {}, enrichment: KNOWING, lists: {} },
      cut,
    );
    const prepared: CatalogueStatement[] = [];
    for (const { title, sql, params, window: reading } of statements)
      prepared.push({ title, ...(await backend.prepare(sql, params, { window: reading })) });
    return prepared;
  };
  try {
    const together = await plan(detectors);
    const apart: CatalogueStatement[] = [];
    if (isCompared) for (const detector of detectors) apart.push(...(await plan([detector])));
    return { together, apart, pieces };
  } finally {
    await backend.close();
    session.close();
    rmSync(tempDirectory, { recursive: true, force: true });
  }
}

/** Days of logs of one table that statements read, a day as often as it is read. */
export const daysRead = (statements: readonly Prepared[], table: string): number =>
  statements
    .flatMap(({ tables }) => tables)
    .filter((one) => one.table === table)
    .reduce((sum, { scans, days }) => sum + scans * days, 0);
