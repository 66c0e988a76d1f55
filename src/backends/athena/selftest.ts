/** Proves in the user's own account what no test elsewhere can: that Athena's SQL, its views over real log files, and the way its results are read do what they should. */
import type { Backend, Value } from '../../backend.ts';
import { AppError } from '../../errors.ts';
import type { Window } from '../../time.ts';
import { createDuckdbBackend } from '../duckdb.ts';
import type { Session } from './session.ts';
import { daySql, portableColumns } from './views.ts';

export interface Check {
  readonly name: string;
  /** `unseen`: the window holds nothing to judge by. */
  readonly outcome: 'ok' | 'failed' | 'unseen';
  /** What was seen, as a person reads it. */
  readonly detail: string;
}

/** Expressions of the portable subset whose values both engines must agree on; they read no table, so they cost nothing. */
const PROBES: Readonly<Record<string, string>> = {
  'texts keep quotes and other scripts': "'it''s äöü 日本'",
  'JSON: a text': 'json_extract_scalar(\'{"a":{"b":"c"}}\', \'$.a.b\')',
  'JSON: a number as text': "json_extract_scalar('{\"a\":17}', '$.a')",
  'JSON: what is not there': "json_extract_scalar('{\"a\":1}', '$.b')",
  'JSON: what is none': "json_extract_scalar('no json', '$.a')",
  'JSON: length of a list': "json_array_length('[1, 2, 3]')",
  'patterns: group': "regexp_extract('arn:aws:iam::111122223333:role/x', '::([0-9]{12}):', 1)",
  'patterns: no match': "regexp_extract('abc', 'x(.)', 1)",
  'patterns: replace with a group': "regexp_replace('a1b2', '([0-9])', '<$1>')",
  'patterns: regardless of case': "regexp_like('Access_Denied', '(?i)access_?denied')",
  'time: start of an hour': "date_trunc('hour', TIMESTAMP '2026-01-31 23:59:59.123')",
  'time: a month later': "date_add('month', 1, TIMESTAMP '2026-01-31 00:00:00')",
  'time: whole days between': "date_diff('day', TIMESTAMP '2026-01-01 23:00:00', TIMESTAMP '2026-01-03 22:00:00')",
  'time: milliseconds': "TIMESTAMP '2026-01-31 23:59:59.123'",
  'numbers: whole division': '7 / 2',
  'numbers: beyond 2^53': 'CAST(9007199254740993 AS bigint)',
  'numbers: decimal places': 'CAST(1.5 AS double)',
  'NULL: concat': "concat('a', CAST(NULL AS varchar))",
  'NULL: greatest': 'greatest(1, CAST(NULL AS integer))',
  'NULL: a boolean': 'CAST(NULL AS boolean)',
  'lists: with commas in texts': "ARRAY['a, b', '[c]', 'd\"e']",
  'lists: empty': 'CAST(ARRAY[] AS ARRAY(varchar))',
  'lists: element outside': "element_at(ARRAY['a'], 2)",
  'lists: sorted and joined': "array_join(array_sort(ARRAY['b', 'a']), '-')",
  'lists: filter': "cardinality(filter(ARRAY['a', 'bb'], x -> length(x) > 1))",
  'text: parts': "split_part('a:b:c', ':', 2)",
  'text: URL': "url_decode('a%20b')",
  'networks: inside': "cidr_match('10.0.0.0/8', '10.1.2.3')",
  'networks: outside': "cidr_match('10.0.0.0/8', '11.1.2.3')",
  'networks: no address': "cidr_match('10.0.0.0/8', 'AWS Internal')",
};

/** More than two pages of a result. */
const MANY_ROWS = 2500;
/** Rows of each table that are looked at. */
const SAMPLE_ROWS = 100;

/** In order; the tables' checks scan what the window holds. What cannot be asked at all is thrown. */
export async function* selftest(
  session: Session,
  window: Window,
  { tempDirectory, signal }: { readonly tempDirectory: string; readonly signal: AbortSignal },
): AsyncGenerator<Check, void, undefined> {
  const athena = await session.backend(window, { reuses: false });
  const local = await createDuckdbBackend({
    tables: [],
    portable: true,
    locked: false,
    memoryLimitMb: 256,
    threads: 1,
    tempDirectory,
  });
  const interrupt = (): void => athena.interrupt();
  signal.addEventListener('abort', interrupt);
  try {
    for (const [name, sql] of Object.entries(PROBES)) yield await probe(name, sql, athena, local);
    yield await paging(athena);
    for (const { table } of await session.deployed()) {
      const columns = portableColumns(table);
      yield await attempt(`${table.name}: columns and their types`, async () => {
        const { rows, columns: found } = await athena.query(
          `SELECT ${columns.map(({ name }) => name).join(', ')} FROM ${table.name} LIMIT ${SAMPLE_ROWS}`,
        );
        const wrong = columns.flatMap(({ name, type }, at) =>
          found[at]?.type === type ? [] : [`${name} is ${found[at]?.type}, expected ${type}`],
        );
        if (wrong.length > 0) return { outcome: 'failed', detail: wrong.join('; ') };
        return rows.length > 0
          ? { outcome: 'ok', detail: `${columns.length} columns, ${rows.length} rows looked at` }
          : { outcome: 'unseen', detail: 'no event in this window: choose another with --from and --to' };
      });
      yield await attempt(`${table.name}: the time of every record can be read`, async () => {
        const { rows } = await session.athena.answer(
          `SELECT count(*), count_if(event_time IS NULL) FROM ${session.delivered(table)} WHERE ${daySql(window, session.latenessMs)}`,
          { meter: session.meter, signal },
        );
        const [records = '0', without = '0'] = rows[0] ?? [];
        if (records === '0') return { outcome: 'unseen', detail: 'no record was delivered in these days' };
        return {
          outcome: without === '0' ? 'ok' : 'failed',
          detail: `${records} records delivered, ${without} without a time`,
        };
      });
    }
  } finally {
    signal.removeEventListener('abort', interrupt);
    await athena.close();
    await local.close();
  }
}

async function probe(name: string, sql: string, athena: Backend, local: Backend): Promise<Check> {
  const valueOf = async (backend: Backend): Promise<Value> =>
    (await backend.query(`SELECT ${sql} AS probe`)).rows[0]?.['probe'] ?? null;
  return attempt(name, async () => {
    const [seen, expected] = [textOf(await valueOf(athena)), textOf(await valueOf(local))];
    return seen === expected
      ? { outcome: 'ok', detail: seen }
      : { outcome: 'failed', detail: `${seen}, expected ${expected}` };
  });
}

const paging = (athena: Backend): Promise<Check> =>
  attempt('results of several pages', async () => {
    const { rows } = await athena.query(`SELECT x FROM UNNEST(sequence(1, ${MANY_ROWS})) AS t(x) ORDER BY x`);
    const isWhole = rows.length === MANY_ROWS && rows.every((row, at) => row['x'] === at + 1);
    return { outcome: isWhole ? 'ok' : 'failed', detail: `${rows.length} rows, expected ${MANY_ROWS} in order` };
  });

/** What a statement fails with is the outcome of its check; what ends the run is not. */
async function attempt(name: string, look: () => Promise<Omit<Check, 'name'>>): Promise<Check> {
  try {
    return { name, ...(await look()) };
  } catch (error) {
    if (!(error instanceof AppError) || !/^(?:sql-invalid|query-failed)$/u.test(error.code)) throw error;
    return { name, outcome: 'failed', detail: error.message };
  }
}

const textOf = (value: Value): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
