/** The Athena backend: the contract of every backend, by the real client against a server on loopback; then what only Athena has. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../../src/backend.ts';
import { transported } from '../../../src/backends/athena/backend.ts';
import type { SessionOptions } from '../../../src/backends/athena/session.ts';
import type { Table } from '../../../src/table.ts';
import { DAY_MS } from '../../../src/time.ts';
import { BAD, backendContract, contextContract, KNOWN, VISITS } from '../../contracts/backend.ts';
import { DATABASE, openSession, type TestSession } from '../../support/athena.ts';
import { type AthenaServer, startAthena } from '../../support/athena-server.ts';

const column = (name: string, type: Table['columns'][number]['type'], athena: string | null = name) => ({
  name,
  type,
  doc: 'Test.',
  athena,
});
const visit: Table = {
  name: 'visit',
  doc: 'Test.',
  schemaVersion: 1,
  columns: [
    column('event_id', 'VARCHAR'),
    column('event_time', 'TIMESTAMP'),
    column('principal', 'VARCHAR'),
    column('bytes', 'BIGINT'),
    column('ok', 'BOOLEAN'),
    column('tags', 'VARCHAR[]'),
    column('detail', 'VARCHAR'),
    column('secret', 'VARCHAR', null),
  ],
  identity: { id: ['event_id'], facts: ['event_time'] },
  roles: {
    eventId: 'event_id',
    eventName: 'detail',
    eventSource: null,
    accountId: null,
    region: null,
    sourceIp: null,
    principalArn: null,
    origin: 'principal',
  },
  profile: ['detail'],
};
const ghost: Table = { ...visit, name: 'ghost' };
const absent: Table = { ...visit, name: 'absent' };
const WINDOW = { fromMs: Date.UTC(2025, 2, 1), toMs: Date.UTC(2025, 2, 3) };

let server: AthenaServer;
const opened: TestSession[] = [];
const backends: Backend[] = [];

const text = (value: string | null): string => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);
const COLUMNS = 'event_id, event_time, principal, bytes, ok, tags, detail, event_date, day';

beforeAll(async () => {
  server = await startAthena();
  const rows = VISITS.map(
    (row) =>
      `SELECT ${text(row.event_id)}, TIMESTAMP ${text(row.event_time.replace('Z', ''))}, CAST(${text(row.principal)} AS VARCHAR), CAST(${row.bytes ?? 'NULL'} AS BIGINT), CAST(${row.ok} AS BOOLEAN),` +
      ` CAST(${row.tags === null ? 'NULL' : `[${row.tags.map(text).join(', ')}]`} AS VARCHAR[]), CAST(${text(row.detail)} AS VARCHAR), DATE ${text(row.event_time.slice(0, 10))}, ${text(row.event_time.slice(0, 10).replaceAll('-', '/'))}`,
  );
  await server.run(`CREATE SCHEMA ${DATABASE}`);
  await server.run(
    `CREATE TABLE ${DATABASE}.visit_delivered AS SELECT * FROM (${rows.join(' UNION ALL ')}) AS t(${COLUMNS}) UNION ALL SELECT * FROM (${rows[0]}) AS t(${COLUMNS})`,
  );
  await server.run(`CREATE TABLE ${DATABASE}.ghost_delivered AS SELECT * FROM ${DATABASE}.visit_delivered WHERE false`);
});
afterEach(() => {
  server.faults.length = 0;
});
afterAll(async () => {
  for (const backend of backends) await backend.close();
  for (const one of opened) one.close();
  await server.close();
});

const root = {
  location: 's3://logs/',
  template: '${account}/',
  keys: [{ name: 'account', values: ['1', '2'] }],
  since: '2020/01/01',
};

async function open(
  changes: Partial<SessionOptions> = {},
  window: typeof WINDOW | null = WINDOW,
  tables: readonly Table[] = [visit, ghost],
) {
  const one = openSession(server, {
    tables: [visit, ghost, absent],
    lists: [{ name: 'bad', values: BAD }],
    ...changes,
  });
  opened.push(one);
  const { session } = one;
  // The catalog of the server knows no such tables: they were made without DDL.
  session.deployed = async () => tables.map((table) => ({ table, roots: [{ ...root, table: table.name }] }));
  const backend = await session.backend(window);
  backends.push(backend);
  return { ...one, backend };
}

backendContract({ name: 'athena', open: async () => (await open()).backend });

const known = [visit, ghost].map((table) => ({
  ...table,
  roles: { ...table.roles, sourceIp: 'principal', accountId: 'event_id' },
}));
contextContract({ name: 'athena', open: async () => (await open({ enrichment: KNOWN }, WINDOW, known)).backend });

test('addresses are asked for once in a window, and not where nothing is to be known of them', async () => {
  const { backend } = await open({ enrichment: KNOWN }, WINDOW, known);
  const asked = (from: number) =>
    server
      .statements()
      .slice(from)
      .filter((sql) => sql.includes('SELECT DISTINCT principal'));
  const before = server.statements().length;
  await backend.query('SELECT principal FROM visit');
  await backend.query('SELECT account_name FROM visit');
  expect(asked(before)).toEqual([]);
  const window = { fromMs: Date.UTC(2025, 2, 1), toMs: Date.UTC(2025, 2, 2) };
  await backend.query('SELECT source_country FROM visit', {}, { window });
  await backend.query('SELECT source_asn FROM visit');
  expect(asked(before)).toHaveLength(1);
  expect(server.statements().at(-1)).toContain("VALUES ('ann', 64496)");
});

const errorOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'it ran',
    (error: unknown) => error,
  );
const startsOf = () => server.requests.filter(({ operation }) => operation === 'StartQueryExecution');

test('a statement that is interrupted while it is tried out is not started', async () => {
  const { backend } = await open();
  const before = server.statements().length;
  const asked = errorOf(backend.query('SELECT count(*) AS n FROM visit'));
  backend.interrupt();
  expect(await asked).toMatchObject({ code: 'interrupted' });
  expect(server.statements().length).toBe(before);
});

describe('what a statement reads', () => {
  test('only the days of its window, and those on which its events may come late', async () => {
    const { backend } = await open();
    await backend.query(
      'SELECT count(*) AS n FROM visit',
      {},
      { window: { fromMs: Date.UTC(2025, 2, 1), toMs: Date.UTC(2025, 2, 2) } },
    );
    const sql = server.statements().at(-1);
    expect(sql).toContain("day BETWEEN '2025/03/01' AND '2025/03/03'");
    expect(sql).toContain(
      "event_time >= TIMESTAMP '2025-03-01 00:00:00.000' AND event_time < TIMESTAMP '2025-03-02 00:00:00.000'",
    );
    expect(sql).toMatch(/^-- trailhound \{"visit":3\}\n/u);
  });

  test('nothing outside its window, whatever lies in those days', async () => {
    const { backend } = await open();
    const window = { fromMs: Date.UTC(2025, 2, 1, 10), toMs: Date.UTC(2025, 2, 1, 11) };
    expect((await backend.query('SELECT event_id FROM visit', {}, { window })).rows).toEqual([{ event_id: 'a' }]);
  });

  test('without a window there is no table to be read', async () => {
    const { backend } = await open({}, null);
    expect(await errorOf(backend.query('SELECT count(*) AS n FROM visit'))).toMatchObject({
      code: 'usage-invalid',
      message: expect.stringMatching(/visit/u),
    });
    expect((await backend.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  test('each event once', async () => {
    const { backend } = await open();
    expect((await backend.query("SELECT count(*) AS n FROM visit WHERE event_id = 'a'")).rows).toEqual([{ n: 1 }]);
  });

  test('not more partitions than Athena takes', async () => {
    const { backend } = await open();
    const daysBefore = (days: number) => ({ fromMs: WINDOW.toMs - days * DAY_MS, toMs: WINDOW.toMs });
    const prepared = await backend.prepare('SELECT event_id FROM visit', {}, { window: daysBefore(600) });
    expect(prepared.tables).toEqual([{ table: 'visit', scans: 1, days: 602, partitions: 1204, columns: ['event_id'] }]);
    expect(
      await errorOf(backend.prepare('SELECT event_id FROM visit', {}, { window: daysBefore(500_000) })),
    ).toMatchObject({
      code: 'sql-invalid',
      message:
        'cannot read visit of 500002 days in one statement: these are 1000004 partitions, and Athena takes 1000000',
    });
  });
});

describe('what is refused before Athena is asked', () => {
  const refused: readonly (readonly [name: string, sql: string, message: RegExp])[] = [
    ['a column that exists only locally', 'SELECT secret FROM visit', /visit\.secret exists only in the local store/u],
    ['a table that is not set up', 'SELECT * FROM absent', /absent is not set up/u],
    ['anything but a SELECT', 'DROP TABLE visit', /not a SELECT/u],
    ['two statements', 'SELECT 1; SELECT 2', /./u],
    ['a table of the engine', 'SELECT * FROM information_schema.tables', /information_schema/u],
    ['a file', "SELECT * FROM read_csv('/etc/passwd')", /read_csv/u],
    ['a table of another database', 'SELECT * FROM other.visit', /other\.visit/u],
    ['EXPLAIN', 'EXPLAIN SELECT 1', /explain/u],
    ['what is not portable', 'SELECT 1::BIGINT AS n', /::/u],
  ];
  test.each(refused)('%s', async (_, sql, message) => {
    const { backend } = await open();
    const before = startsOf().length;
    expect(await errorOf(backend.query(sql))).toMatchObject({
      code: expect.stringMatching(/sql-invalid|athena-missing/u),
      message: expect.stringMatching(message),
    });
    expect(startsOf().length).toBe(before);
  });
});

describe('results', () => {
  test('of several pages come whole, and the names of the columns are no row', async () => {
    const { backend } = await open();
    const { rows } = await backend.query("SELECT x, 'x' AS y FROM UNNEST(sequence(1, 2500)) AS t(x) ORDER BY x");
    expect(rows.length).toBe(2500);
    expect([rows[0], rows[999], rows[1000], rows[2499]]).toEqual([1, 1000, 1001, 2500].map((x) => ({ x, y: 'x' })));
    const pages = server.requests.filter(({ operation }) => operation === 'GetQueryResults').slice(-3);
    expect(pages.map(({ input }) => [input['MaxResults'], input['NextToken'] !== undefined])).toEqual([
      [1000, false],
      [1000, true],
      [1000, true],
    ]);
  });

  test('a first row that is like the names of the columns stays', async () => {
    const { backend } = await open();
    expect((await backend.query("SELECT 'a' AS a")).rows).toEqual([{ a: 'a' }]);
  });

  test('lists keep commas, brackets and quotes in their texts, in the order that was asked for', async () => {
    const { backend } = await open();
    const { rows, columns } = await backend.query(
      `SELECT n, ARRAY['a, b', '[c]', 'd"e', 'ü'] AS list FROM (VALUES (1), (2)) AS t(n) ORDER BY 1 DESC`,
    );
    expect(rows).toEqual([2, 1].map((n) => ({ n, list: ['a, b', '[c]', 'd"e', 'ü'] })));
    expect(columns[1]).toEqual({ name: 'list', type: 'VARCHAR[]' });
  });

  test('lists of whole numbers beyond 2^53 and of times keep their values', async () => {
    const { backend } = await open();
    const { rows } = await backend.query(
      "SELECT ARRAY[9007199254740993] AS numbers, ARRAY[TIMESTAMP '2025-03-01 10:00:00.5'] AS times",
    );
    expect(rows).toEqual([{ numbers: [9007199254740993n], times: ['2025-03-01T10:00:00.500Z'] }]);
  });

  test('a value that is none of its type is told with its column', async () => {
    const { backend } = await open();
    server.faults.push({ on: 'result', value: 'many' });
    expect(await errorOf(backend.query('SELECT count(*) AS n FROM visit'))).toMatchObject({
      code: 'query-failed',
      message: "cannot read what Athena answered: the column 'n' holds 'many', expected bigint",
    });
  });

  test('an equal statement is answered from the earlier result where no file can still come', async () => {
    const { backend, session } = await open();
    await backend.query('SELECT count(*) AS reused FROM visit');
    const { rows } = await backend.query('SELECT count(*) AS reused FROM visit');
    expect(rows).toEqual([{ reused: 3 }]);
    expect([session.meter.statements, session.meter.reused]).toEqual([2, 1]);
    const now = { fromMs: Date.now() - 3_600_000, toMs: Date.now() };
    await backend.query('SELECT count(*) AS fresh FROM visit', {}, { window: now });
    expect(
      startsOf()
        .slice(-3)
        .map(({ input }) => 'ResultReuseConfiguration' in input),
    ).toEqual([true, true, false]);
  });
});

describe('a statement with lists in its result', () => {
  const columns = [
    { name: 'a', type: 'VARCHAR' },
    { name: 'list', type: 'VARCHAR[]' },
  ];
  test('is left as it is where it has none', () => {
    expect(transported('SELECT a FROM t', columns.slice(0, 1))).toBeNull();
  });

  test('is ordered by columns of its result, by their names or numbers', () => {
    const sql = 'SELECT a, list FROM t ORDER BY a DESC NULLS LAST, 1 LIMIT 5';
    expect(transported(sql, columns)).toBe(
      `SELECT result."a", json_format(CAST(result."list" AS JSON)) AS "list" FROM (\n${sql}\n) AS result ORDER BY result."a" DESC NULLS LAST, result."a"`,
    );
  });

  test('is ordered by what is not in its result', () => {
    expect(
      transported(
        'WITH t AS (SELECT 1 ORDER BY 2) SELECT a, list FROM t GROUP BY 1 ORDER BY coalesce(b, c) DESC, count(*)',
        columns,
      ),
    ).toBe(
      'SELECT result."a", json_format(CAST(result."list" AS JSON)) AS "list" FROM (\n' +
        'WITH t AS (SELECT 1 ORDER BY 2) SELECT a, list , coalesce(b, c) AS trailhound_order_0, count(*) AS trailhound_order_1 FROM t GROUP BY 1 ORDER BY coalesce(b, c) DESC, count(*)\n' +
        ') AS result ORDER BY result.trailhound_order_0 DESC, result.trailhound_order_1',
    );
  });

  test('is refused where its columns cannot be told apart', () => {
    expect(() =>
      transported(
        'SELECT a, list AS a FROM t',
        columns.map(({ type }) => ({ name: 'a', type })),
      ),
    ).toThrow(/one name/u);
  });
});
