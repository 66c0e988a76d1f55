/** The example records of all detectors, as log files in one store. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { TABLES } from '../../src/cli/wire.ts';
import { type FilledRecord, recordsOf } from '../../src/detection/example-records.ts';
import { knownIn } from '../../src/detection/examples.ts';
import type { Detector, ExampleRecord } from '../../src/detector.ts';
import { openStore } from '../../src/store/store.ts';
import type { Segment } from '../../src/store.ts';
import type { Table } from '../../src/table.ts';
import type { Window } from '../../src/time.ts';
import { ingestInto } from '../support/ingest.ts';

const FOLDER = join(import.meta.dirname, '../../detectors');

export async function loadDetectors(): Promise<readonly Detector[]> {
  const files = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const modules = await Promise.all(
    files
      .toSorted()
      .map((file) => import(pathToFileURL(join(FOLDER, file)).href) as Promise<{ readonly detector: Detector }>),
  );
  return modules.map(({ detector }) => detector);
}

const ACCOUNT = /(?<!\d)\d{4}(\d{8})(?!\d)/gu;
/** Bucket owner and bucket, with which a line of an access log begins. */
const LINE_START = /^(\S+) (\S+)/u;

/**
 * A record as if its example were alone: with ids, accounts and buckets that no other example has, so that neither histories nor subjects mix. Buckets that a parameter names
 * stay.
 */
function apart(record: ExampleRecord, example: number, isGeneral: boolean): ExampleRecord {
  const own = String(example + 1000).padStart(4, '0');
  if (typeof record === 'string') {
    const line = record.replaceAll(/EXAMPLE0\d{4}(\d{4})/gu, `EXAMPLE0${own}$1`).replaceAll(ACCOUNT, `${own}$1`);
    return isGeneral ? line.replace(LINE_START, `$1 $2-${own}`) : line;
  }
  const moved = JSON.parse(JSON.stringify(record).replaceAll(ACCOUNT, `${own}$1`)) as Exclude<ExampleRecord, string>;
  const { eventID, httpRequest } = moved;
  if (typeof eventID === 'string') return { ...moved, eventID: `${eventID}-${own}` };
  if (typeof httpRequest !== 'object' || httpRequest === null) return moved;
  const { requestId } = httpRequest as { readonly requestId?: unknown };
  return typeof requestId === 'string'
    ? { ...moved, httpRequest: { ...httpRequest, requestId: `${requestId}-${own}` } }
    : moved;
}

const INSIGHTS = join(import.meta.dirname, '../../sample-logs/AWSLogs/111122223333/CloudTrail-Insight');

/** No detector reads Insights events, so these come from the sample logs; the examples alone say what window is looked at. */
function insightRecords(): readonly FilledRecord[] {
  return readdirSync(INSIGHTS, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json.gz'))
    .flatMap((name) => {
      const text = gunzipSync(readFileSync(join(INSIGHTS, name))).toString();
      const { Records: records } = JSON.parse(text) as { readonly Records: readonly ExampleRecord[] };
      return records.map((record) => ({ table: 'cloudtrail_insight', record, timeMs: null }));
    });
}

/** All that the examples hold, and Insights events besides. */
export function exampleRecords(detectors: readonly Detector[]): readonly FilledRecord[] {
  const examples = detectors
    .flatMap(({ examples: own, table }) =>
      own.map((example) => ({ isGeneral: example.parameters === undefined, records: recordsOf(example, table) })),
    )
    .flatMap(({ isGeneral, records }, at) =>
      records.map((one) => ({ ...one, record: apart(one.record, at, isGeneral) })),
    );
  return [...examples, ...insightRecords()];
}

/** What all examples know together; where two tell of one address, both are known of it. */
export function exampleKnowledge(detectors: readonly Detector[]) {
  const examples = detectors.flatMap((detector) => detector.examples.flatMap(({ known }) => known ?? []));
  const addresses: Record<string, object> = {};
  for (const known of examples)
    for (const [address, context] of Object.entries(known.addresses ?? {}))
      addresses[address] = { ...addresses[address], ...context };
  const accounts = Object.assign({}, ...examples.map((known) => known.accounts ?? {})) as object;
  return { addresses: Object.keys(addresses), enrichment: knownIn({ known: { addresses, accounts } as never }) };
}

export interface RecordStore {
  readonly tables: readonly { readonly table: Table; readonly segments: readonly Segment[] }[];
  readonly window: Window;
  close(): Promise<void>;
}

/** Ingests records into a store of its own. Throws where one is rejected. */
export async function openRecordStore(records: readonly FilledRecord[]): Promise<RecordStore> {
  const dir = mkdtempSync(join(tmpdir(), 'trailhound-examples-'));
  const logs = join(dir, 'logs');
  mkdirSync(logs);
  for (const { name } of TABLES) {
    const own = records.filter(({ table }) => table === name).map(({ record }) => record);
    if (own.length === 0) continue;
    const isJson = name.startsWith('cloudtrail');
    const lines = own.map((record) => (typeof record === 'string' ? record : JSON.stringify(record)));
    writeFileSync(
      join(logs, `${name}${isJson ? '.json' : '.log'}`),
      isJson ? `{"Records":[${lines.join(',\n')}]}` : `${lines.join('\n')}\n`,
    );
  }
  const { records: sums, problemsTotal } = await ingestInto(join(dir, 'store'), [logs]);
  if (sums.stored + sums.duplicate !== records.length || problemsTotal > 0)
    throw new Error(`there are ${records.length} records, and the store got ${JSON.stringify(sums)}`);
  const store = await openStore(join(dir, 'store'));
  const tables = await Promise.all(TABLES.map(async (table) => ({ table, segments: await store.segments(table) })));
  await store.close();
  const times = records.map(({ timeMs }) => timeMs).filter((time) => time !== null);
  return {
    tables,
    window: { fromMs: times.reduce((a, b) => Math.min(a, b)), toMs: times.reduce((a, b) => Math.max(a, b)) + 1 },
    close: async () => rmSync(dir, { recursive: true, force: true }),
  };
}
