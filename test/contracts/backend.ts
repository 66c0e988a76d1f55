/** What every backend must do with a statement, whatever engine is behind it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend, Param, Value } from '../../src/backend.ts';
import { CONTEXT_SOURCES, type Enrichment } from '../../src/enrichment.ts';
import { AppError } from '../../src/errors.ts';

export interface BackendUnderTest {
  readonly name: string;
  /** A backend with the table `visit` of VISITS, the empty table `ghost` of the same columns, and the list `list_bad` with BAD. */
  open(): Promise<Backend>;
}

export const VISITS = [
  {
    event_id: 'a',
    event_time: '2025-03-01T10:00:00Z',
    principal: 'ann',
    bytes: 5n,
    ok: true,
    tags: ['x', 'y'],
    detail: '{"a":{"b":[{"c":1},{"c":2}]}}',
  },
  {
    event_id: 'b',
    event_time: '2025-03-01T23:59:59.123Z',
    principal: "o'hara",
    bytes: 9007199254740993n,
    ok: false,
    tags: [],
    detail: 'no json',
  },
  {
    event_id: 'c',
    event_time: '2025-03-02T00:00:00Z',
    principal: null,
    bytes: null,
    ok: null,
    tags: null,
    detail: null,
  },
] as const;
export const BAD = ['ann', '10.0.0.0/8'];

const CASES: readonly {
  readonly name: string;
  readonly sql: string;
  readonly params?: Readonly<Record<string, Param>>;
  readonly rows: readonly Readonly<Record<string, Value>>[];
}[] = [
  {
    name: 'times are ISO 8601 in UTC',
    sql: 'SELECT event_time FROM visit ORDER BY event_id',
    rows: [
      { event_time: '2025-03-01T10:00:00Z' },
      { event_time: '2025-03-01T23:59:59.123Z' },
      { event_time: '2025-03-02T00:00:00Z' },
    ],
  },
  {
    name: 'whole numbers are numbers up to 2^53 and bigint beyond, lists are arrays, NULL is null',
    sql: "SELECT bytes, ok, tags, principal FROM visit WHERE event_id <> 'x' ORDER BY event_id",
    rows: [
      { bytes: 5, ok: true, tags: ['x', 'y'], principal: 'ann' },
      { bytes: 9007199254740993n, ok: false, tags: [], principal: "o'hara" },
      { bytes: null, ok: null, tags: null, principal: null },
    ],
  },
  {
    name: 'a sum is a number like any other',
    sql: "SELECT sum(bytes) AS total, count(*) AS n FROM visit WHERE event_id = 'a'",
    rows: [{ total: 5, n: 1 }],
  },
  {
    name: 'parameters are values, never text',
    sql: 'SELECT event_id FROM visit WHERE principal = :who AND event_time >= :since AND ok = :ok AND bytes > :least',
    params: { who: "o'hara", since: new Date('2025-03-01T23:00:00Z'), ok: false, least: 5 },
    rows: [{ event_id: 'b' }],
  },
  {
    name: 'a parameter may be used twice, others may go unused',
    sql: 'SELECT :x AS a, :x AS b',
    params: { x: 'v', y: 'w' },
    rows: [{ a: 'v', b: 'v' }],
  },
  {
    name: 'a list is a parameter',
    sql: 'SELECT cardinality(:names) AS n',
    params: { names: ['a', 'b'] },
    rows: [{ n: 2 }],
  },
  {
    name: 'null is a parameter',
    sql: 'SELECT count(*) AS n FROM visit WHERE principal = :who',
    params: { who: null },
    rows: [{ n: 0 }],
  },
  {
    name: 'what looks like a parameter in a text, a comment or a quoted name is none',
    sql: `SELECT ':who' AS a, 'it''s :x' AS b, 1 AS ":c" -- :d\n/* :e /* :f */ :g */`,
    rows: [{ a: ':who', b: "it's :x", ':c': 1 }],
  },
  {
    name: 'arrays of JSON are unnested',
    sql: `SELECT json_extract_scalar(item, '$.c') AS c FROM visit CROSS JOIN UNNEST(CAST(json_extract(detail, '$.a.b') AS ARRAY(JSON))) AS t(item)
      WHERE event_id = 'a' ORDER BY 1`,
    rows: [{ c: '1' }, { c: '2' }],
  },
  {
    name: 'a text with ARRAY(x) in it stays as it is',
    sql: "SELECT 'ARRAY(x)' AS a, cardinality(ARRAY[1, 2]) AS n",
    rows: [{ a: 'ARRAY(x)', n: 2 }],
  },
  { name: 'division of whole numbers is whole', sql: 'SELECT 7 / 2 AS n', rows: [{ n: 3 }] },
  { name: 'a table without segments is empty', sql: 'SELECT count(*) AS n FROM ghost', rows: [{ n: 0 }] },
  {
    name: 'a table has its partition date',
    sql: "SELECT event_id FROM visit WHERE event_date = DATE '2025-03-02'",
    rows: [{ event_id: 'c' }],
  },
  { name: 'a list is a table', sql: "SELECT value FROM list_bad WHERE value LIKE 'a%'", rows: [{ value: 'ann' }] },
  {
    name: 'a common table expression may take the name of a table',
    sql: "WITH visit AS (SELECT * FROM main.visit WHERE event_id = 'a') SELECT count(*) AS n FROM visit",
    rows: [{ n: 1 }],
  },
];

const ERRORS: readonly { readonly name: string; readonly sql: string; readonly message: RegExp }[] = [
  { name: 'a parameter without a value is named', sql: 'SELECT :missing AS x', message: /:missing/u },
  { name: 'a table that is not there is named', sql: 'SELECT 1 FROM nowhere', message: /nowhere/u },
  { name: 'a column that is not there is named', sql: 'SELECT nothing FROM visit', message: /nothing/u },
  { name: 'a text that is no SQL is refused', sql: 'SELEKT 1', message: /SELEKT/u },
  {
    name: 'a value that cannot be cast is named',
    sql: "SELECT CAST(principal AS INTEGER) FROM visit WHERE event_id = 'a'",
    message: /ann/u,
  },
];

export function backendContract({ name, open }: BackendUnderTest): void {
  describe(`the backend ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await open();
    });
    afterAll(() => backend.close());

    test.each(CASES)('$name', async ({ sql, params, rows }) => {
      expect((await backend.query(sql, params)).rows).toEqual(rows);
    });

    test.each(ERRORS)('$name', async ({ sql, message }) => {
      const error = await backend.query(sql).then(
        () => null,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(AppError);
      expect(error).toMatchObject({ code: 'sql-invalid', message: expect.stringMatching(message) });
    });

    test('columns carry name and type, also without rows', async () => {
      const { columns, rows } = await backend.query('SELECT event_id, event_time, bytes FROM visit WHERE false');
      expect({ columns, rows }).toEqual({
        columns: [
          { name: 'event_id', type: 'VARCHAR' },
          { name: 'event_time', type: 'TIMESTAMP' },
          { name: 'bytes', type: 'BIGINT' },
        ],
        rows: [],
      });
    });

    test('a stream gives the same rows in batches of arrays', async () => {
      const { columns, batches } = await backend.stream('SELECT event_id, ok FROM visit ORDER BY event_id');
      const rows: (readonly Value[])[] = [];
      for await (const batch of batches) rows.push(...batch);
      expect({ names: columns.map((column) => column.name), rows }).toEqual({
        names: ['event_id', 'ok'],
        rows: [
          ['a', true],
          ['b', false],
          ['c', null],
        ],
      });
    });

    test('a stream that nobody reads to its end leaves the backend usable', async () => {
      const { batches } = await backend.stream(
        'SELECT x, y FROM UNNEST(sequence(1, 1000)) AS a(x) CROSS JOIN UNNEST(sequence(1, 1000)) AS b(y)',
      );
      for await (const batch of batches) {
        expect(batch.length).toBeGreaterThan(0);
        break;
      }
      expect((await backend.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    });

    test('statements run beside each other', async () => {
      const results = await Promise.all([1, 2, 3].map((n) => backend.query('SELECT :n AS n', { n })));
      expect(results.map(({ rows }) => rows[0])).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
    });

    test('interrupt ends what runs, and the next statement runs as ever', async () => {
      const endless = backend.query(
        'SELECT count(*) AS n FROM UNNEST(sequence(1, 10000)) AS a(x), UNNEST(sequence(1, 10000)) AS b(y), UNNEST(sequence(1, 10000)) AS c(z), UNNEST(sequence(1, 10000)) AS d(w) WHERE x * y * z * w % 7 = 3',
      );
      const timer = setInterval(() => backend.interrupt(), 50);
      await expect(endless).rejects.toMatchObject({ code: 'interrupted' });
      clearInterval(timer);
      expect((await backend.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    });
  });
}

/** Of the addresses, which are the principals of VISITS here, and of the accounts, which are their events. */
export const KNOWN: Enrichment = {
  sources: new Set(CONTEXT_SOURCES),
  fingerprint: () => '',
  accounts: new Map([
    ['a', { name: "Ann's", ou: 'Root/Prod', tags: { env: 'prod' } }],
    ['b', { name: null, ou: 'Root', tags: {} }],
  ]),
  address: (text) => {
    const nothing = { network: null, aws_service: null, aws_region: null, threat: null };
    if (text === 'ann') return { ...nothing, country: 'DE', asn: 64_496, as_name: "Ann's Net" };
    return text === "o'hara" ? { ...nothing, country: 'IE', asn: null, as_name: null } : null;
  },
};

/** What is known beside the logs, as every backend joins it: its table `visit` has its principals for addresses and its events for accounts. */
export function contextContract({ name, open }: BackendUnderTest): void {
  describe(`what is known beside the logs, on ${name}`, () => {
    let backend: Backend;
    beforeAll(async () => {
      backend = await open();
    });

    test.each<readonly [sql: string, rows: readonly Readonly<Record<string, Value>>[]]>([
      [
        'SELECT event_id, source_country, source_asn, source_as_name, source_threat FROM visit ORDER BY event_id',
        [
          { event_id: 'a', source_country: 'DE', source_asn: 64_496, source_as_name: "Ann's Net", source_threat: null },
          { event_id: 'b', source_country: 'IE', source_asn: null, source_as_name: null, source_threat: null },
          { event_id: 'c', source_country: null, source_asn: null, source_as_name: null, source_threat: null },
        ],
      ],
      [
        "SELECT account_name, json_extract_scalar(account_tags, '$.env') AS env FROM main.visit WHERE account_ou IS NOT NULL ORDER BY event_id",
        [
          { account_name: "Ann's", env: 'prod' },
          { account_name: null, env: null },
        ],
      ],
      [
        "SELECT v.event_id, w.source_country FROM visit AS v JOIN visit AS w ON w.event_id = v.event_id WHERE w.source_country = 'DE'",
        [{ event_id: 'a', source_country: 'DE' }],
      ],
      [
        "WITH visit AS (SELECT * FROM main.visit WHERE source_country = 'IE') SELECT event_id, source_country FROM visit",
        [{ event_id: 'b', source_country: 'IE' }],
      ],
      ['SELECT visit.source_country FROM visit WHERE visit.event_id = :id', [{ source_country: 'DE' }]],
      ['SELECT count(*) AS n FROM ghost WHERE source_country IS NULL', [{ n: 0 }]],
      [
        'SELECT account_id, name, ou FROM known_account ORDER BY account_id',
        [
          { account_id: 'a', name: "Ann's", ou: 'Root/Prod' },
          { account_id: 'b', name: null, ou: 'Root' },
        ],
      ],
    ])('%s', async (sql, rows) => {
      expect((await backend.query(sql, sql.includes(':id') ? { id: 'a' } : {})).rows).toEqual(rows);
    });

    test('* leaves it out', async () => {
      const { columns } = await backend.query('SELECT * FROM visit');
      expect(columns.map((column) => column.name)).not.toContain('source_country');
    });
  });
}
