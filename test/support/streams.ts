/** Streams of bare events for the engine: the columns that matter to a test, all others NULL. */
import { tmpdir } from 'node:os';
import type { Backend } from '../../src/backend.ts';
import { createDuckdbBackend } from '../../src/backends/duckdb.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { type CountRow, SLOT_COUNT } from '../../src/hunt.ts';

export interface StreamEvent {
  readonly id: string;
  /** Seconds after STREAM_START_MS. */
  readonly t: number;
  readonly principal: string | null;
  readonly name: string | null;
  readonly account: string;
  readonly ip: string | null;
  readonly outcome: 'success' | 'denied';
}

export const STREAM_START_MS = Date.UTC(2025, 2, 3);
export const timeOf = ({ t }: Pick<StreamEvent, 't'>): number => STREAM_START_MS + t * 1000;

const SETTABLE = ['event_id', 'event_time', 'principal', 'event_name', 'account_id', 'source_ip', 'outcome'];
const CHUNK = 2000;

/** A backend to fill with one stream after another. */
export const openStreamBackend = (): Promise<Backend> =>
  createDuckdbBackend({
    tables: [],
    portable: true,
    locked: false,
    memoryLimitMb: 1024,
    threads: 2,
    tempDirectory: tmpdir(),
  });

/** Its table cloudtrail holds these events from now on, in this order. */
export async function fill(backend: Backend, events: readonly StreamEvent[]): Promise<void> {
  const text = (value: string | null): string => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);
  const columns = cloudtrailTable.columns.map(({ name, type }) =>
    SETTABLE.includes(name) ? `CAST(${name} AS ${type}) AS ${name}` : `CAST(NULL AS ${type}) AS ${name}`,
  );
  const parts: string[] = [];
  for (let first = 0; first < Math.max(events.length, 1); first += CHUNK) {
    const rows = events
      .slice(first, first + CHUNK)
      .map(
        (event) =>
          `(${text(event.id)}, TIMESTAMP '${new Date(timeOf(event)).toISOString().replace('T', ' ').replace('Z', '')}', ${text(event.principal)}, ${text(event.name)}, ${text(event.account)}, ${text(event.ip)}, '${event.outcome}')`,
      );
    const none = `SELECT ${SETTABLE.map((name) => `NULL AS ${name}`).join(', ')} WHERE false`;
    parts.push(rows.length === 0 ? none : `SELECT * FROM (VALUES ${rows.join(', ')}) AS v(${SETTABLE.join(', ')})`);
  }
  await backend.keep?.(
    'cloudtrail',
    `SELECT ${columns.join(', ')}, CAST(event_time AS DATE) AS event_date FROM (${parts.join(' UNION ALL ')}) AS rows`,
  );
}

/** Its table of counts holds these rows from now on. */
export async function fillCounts(backend: Backend, rows: readonly CountRow[]): Promise<void> {
  const text = (value: string | null): string =>
    value === null ? 'CAST(NULL AS VARCHAR)' : `'${value.replaceAll("'", "''")}'`;
  const values = rows.map(
    ([key, k, slotMs, n]) =>
      `(${text(key)}, ARRAY[${k.map(text).join(', ')}], TIMESTAMP '${new Date(slotMs).toISOString().replace('T', ' ').replace('Z', '')}', ${n})`,
  );
  await backend.keep?.(
    SLOT_COUNT.name,
    values.length === 0
      ? `SELECT ${SLOT_COUNT.columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${name}`).join(', ')} WHERE false`
      : `SELECT * FROM (VALUES ${values.join(', ')}) AS v(key, k, slot, n)`,
  );
}
