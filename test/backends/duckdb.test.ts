/** The DuckDB backend: the contract, tables over segments, relations on demand, and what a locked one refuses. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend.ts';
import { createDuckdbBackend, type DuckdbOptions } from '../../src/backends/duckdb.ts';
import type { Segment } from '../../src/store.ts';
import type { Table } from '../../src/table.ts';
import { BAD, backendContract, contextContract, KNOWN, VISITS } from '../contracts/backend.ts';
import { writeSegment } from '../support/segments.ts';

const column = (name: string, type: Table['columns'][number]['type']) => ({ name, type, doc: 'Test.', athena: name });
const visit: Table = {
  name: 'visit',
  doc: 'Test.',
  schemaVersion: 2,
  columns: [
    column('event_id', 'VARCHAR'),
    column('event_time', 'TIMESTAMP'),
    column('principal', 'VARCHAR'),
    column('bytes', 'BIGINT'),
    column('ok', 'BOOLEAN'),
    column('tags', 'VARCHAR[]'),
    column('detail', 'VARCHAR'),
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

const text = (value: string | null): string => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);
const selectOf = (rows: readonly (typeof VISITS)[number][]): string =>
  rows
    .map(
      (row) =>
        `SELECT ${text(row.event_id)} AS event_id, TIMESTAMP ${text(row.event_time.replace('Z', ''))} AS event_time, CAST(${text(row.principal)} AS VARCHAR) AS principal,` +
        ` CAST(${row.bytes ?? 'NULL'} AS BIGINT) AS bytes, CAST(${row.ok} AS BOOLEAN) AS ok,` +
        ` CAST(${row.tags === null ? 'NULL' : `[${row.tags.map(text).join(', ')}]`} AS VARCHAR[]) AS tags, CAST(${text(row.detail)} AS VARCHAR) AS detail`,
    )
    .join(' UNION ALL ');

/** A folder whose name would be a glob, a hive partition and the end of a text, if it were read as one. */
const root = mkdtempSync(join(tmpdir(), "trail[1]*?'x="));
const secret = join(root, 'secret.csv');
let segments: readonly Segment[];
let options: DuckdbOptions;
const backends: Backend[] = [];

async function open(changes: Partial<DuckdbOptions> = {}): Promise<Backend> {
  const backend = await createDuckdbBackend({ ...options, ...changes });
  backends.push(backend);
  return backend;
}

async function build(): Promise<void> {
  if (segments !== undefined) return;
  writeFileSync(secret, 'password\nhunter2\n');
  mkdirSync(join(root, 'spill'));
  segments = [
    await writeSegment(root, visit, '2025-03-01', '1-0', selectOf(VISITS.slice(0, 2))),
    await writeSegment(root, visit, '2025-03-02', '2-0', selectOf(VISITS.slice(2))),
  ];
  options = {
    tables: [
      { table: visit, segments },
      { table: ghost, segments: [] },
    ],
    lists: [{ name: 'bad', values: BAD }],
    portable: true,
    locked: false,
    memoryLimitMb: 512,
    threads: 2,
    tempDirectory: join(root, 'spill'),
  };
}
beforeAll(build);
afterAll(async () => {
  for (const backend of backends) await backend.close();
  rmSync(root, { recursive: true, force: true });
});

backendContract({
  name: 'duckdb',
  open: async () => {
    await build();
    return open();
  },
});

backendContract({
  name: 'duckdb, locked',
  open: async () => {
    await build();
    return open({ locked: true });
  },
});

const inRole = ({ table, segments: of }: DuckdbOptions['tables'][number]) => ({
  table: { ...table, ...(table.roles && { roles: { ...table.roles, sourceIp: 'principal', accountId: 'event_id' } }) },
  segments: of,
});
for (const locked of [false, true]) {
  contextContract({
    name: locked ? 'duckdb, locked' : 'duckdb',
    open: async () => {
      await build();
      return open({ locked, tables: options.tables.map(inRole), enrichment: KNOWN });
    },
  });
}

test('a list without values is an empty table', async () => {
  await build();
  const backend = await open({ lists: [{ name: 'none', values: [] }] });
  expect((await backend.query("SELECT value FROM list_none WHERE value = 'x'")).rows).toEqual([]);
});

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;
const messageOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'it ran',
    (error: unknown) =>
      codeOf(error) === 'sql-invalid' ? (error as Error).message : `another error: ${String(error)}`,
  );

describe('tables over segments', () => {
  test('segments of an older version lack a column, and it reads as NULL', async () => {
    const old = await writeSegment(
      root,
      visit,
      '2025-02-28',
      '0-0',
      `SELECT 'z' AS event_id, TIMESTAMP '2025-02-28 01:00:00' AS event_time, 'old' AS principal`,
      { schemaVersion: 1 },
    );
    for (const chosen of [[...segments, old], [old]]) {
      const backend = await open({ tables: [{ table: visit, segments: chosen }] });
      const { rows } = await backend.query(
        "SELECT principal, bytes, tags, CAST(event_date AS VARCHAR) AS day FROM visit WHERE event_id = 'z'",
      );
      expect(rows).toEqual([{ principal: 'old', bytes: null, tags: null, day: '2025-02-28' }]);
    }
  });

  test('only the given segments are read', async () => {
    const backend = await open({ tables: [{ table: visit, segments: segments.slice(1) }] });
    expect((await backend.query('SELECT event_id FROM visit')).rows).toEqual([{ event_id: 'c' }]);
  });

  test('a relation is copied when a statement first names it, and only then', async () => {
    let copies = 0;
    const file = join(root, 'alert.parquet');
    const segment = await writeSegment(
      root,
      { ...visit, name: 'alert' },
      '2025-03-01',
      'x',
      "SELECT 'id1' AS id, TIMESTAMP '2025-01-01' AS event_time",
    );
    const relations = [
      {
        name: 'alert',
        columns: [{ name: 'id', type: 'VARCHAR' as const, doc: 'Id.' }],
        file: async () => (copies++, segment.path),
      },
      { name: 'reject', columns: [{ name: 'reason', type: 'VARCHAR' as const, doc: 'Why.' }], file: async () => null },
    ];
    for (const locked of [false, true]) {
      copies = 0;
      const backend = await open({ relations, locked });
      await backend.query('SELECT event_id FROM visit');
      expect(copies).toBe(0);
      expect((await backend.query('SELECT id FROM alert')).rows).toEqual([{ id: 'id1' }]);
      expect((await backend.query('SELECT a.id, r.reason FROM alert a LEFT JOIN reject r ON true')).rows).toEqual([
        { id: 'id1', reason: null },
      ]);
      expect(copies).toBe(1);
    }
    expect(existsSync(file)).toBe(false);
  });

  test('plain SQL has no prelude: division gives a fraction', async () => {
    const backend = await open({ portable: false });
    expect((await backend.query('SELECT 5 / 2 AS x')).rows).toEqual([{ x: 2.5 }]);
    await expect(backend.query("SELECT date_diff('day', now(), now()) AS x, cardinality([1])")).rejects.toMatchObject({
      code: 'sql-invalid',
    });
  });

  test('a stream of many rows does not gather them', async () => {
    const backend = await open();
    const { batches } = await backend.stream(
      'SELECT x, repeat(CAST(x AS VARCHAR), 20) AS t FROM range(1000000) AS r(x)',
    );
    let [rows, largest] = [0, 0];
    for await (const batch of batches) {
      rows += batch.length;
      largest = Math.max(largest, batch.length);
    }
    expect({ rows, small: largest <= 4096 }).toEqual({ rows: 1_000_000, small: true });
  });

  test('too little memory is said so', async () => {
    const backend = await open({ memoryLimitMb: 20, tempDirectory: '' });
    const error = await backend
      .query('SELECT count(*) AS n FROM (SELECT x, count(*) AS n FROM range(2000000) AS r(x) GROUP BY x)')
      .then(
        () => null,
        (thrown: unknown) => thrown,
      );
    expect(error).toMatchObject({ code: 'query-failed', message: expect.stringContaining('memory') });
  });
});

/** Each ends as `sql-invalid` with a message in which the named thing stands. */
const REFUSED: readonly (readonly [sql: string, named: RegExp])[] = [
  // The holes of the lock-down as they were found.
  [`COPY (SELECT 1) TO '${'$ROOT'}/evil.csv'`, /not a SELECT/u],
  [`EXPLAIN ANALYZE COPY (SELECT 1) TO '${'$ROOT'}/evil.csv'`, /not a SELECT/u],
  [`EXPLAIN ANALYZE EXPLAIN ANALYZE COPY (SELECT 1) TO '${'$ROOT'}/evil.csv'`, /not a SELECT/u],
  [`/* x */ explain -- y\n analyze COPY (SELECT 1) TO '${'$ROOT'}/evil.csv'`, /not a SELECT/u],
  [`ATTACH '${'$ROOT'}/e.db'`, /not a SELECT/u],
  ['DROP VIEW visit', /not a SELECT/u],
  ['SELECT * FROM duckdb_settings()', /duckdb_settings/u],
  ['SELECT 1; DROP TABLE visit', /./u],
  ['SELECT 1e400', /no DOUBLE can hold/u],
  ['SELECT 1; SELECT 2', /2 statements/u],
  ["SELECT * FROM read_csv('/etc/passwd')", /read_csv/u],
  ["SELECT * FROM read_text('/etc/passwd')", /read_text/u],
  ["SELECT * FROM glob('/**')", /glob/u],
  ["SELECT * FROM '/etc/passwd'", /\/etc\/passwd/u],
  ["SELECT * FROM read_csv('../../etc/passwd')", /read_csv/u],
  ["EXPORT DATABASE '/tmp/x'", /not a SELECT/u],
  ['INSTALL httpfs', /not a SELECT/u],
  ['LOAD httpfs', /not a SELECT/u],
  ["SELECT * FROM 'https://example.com/x.parquet'", /example[.]com/u],
  ["SELECT * FROM sniff_csv('/etc/passwd')", /sniff_csv/u],
  ["SET memory_limit = '1GB'", /not a SELECT/u],
  ['RESET memory_limit', /not a SELECT/u],
  ['PRAGMA database_list', /./u],
  ['SHOW TABLES', /SHOW/u],
  ['DESCRIBE visit', /DESCRIBE/u],
  ['SUMMARIZE visit', /SUMMARIZE/u],
  ['SELECT * FROM (DESCRIBE visit)', /DESCRIBE/u],
  ['CALL pragma_version()', /not a SELECT/u],
  ['CREATE TABLE x AS SELECT 1', /not a SELECT/u],
  // More of them.
  ["SELECT getenv('HOME')", /getenv/u],
  ["SELECT system.main.getenv('HOME')", /getenv/u],
  ["SELECT current_setting('temp_directory')", /current_setting/u],
  ["SELECT * FROM query('SELECT 1')", /query/u],
  ["SELECT * FROM query_table('visit')", /query_table/u],
  ["SELECT json_serialize_plan('SELECT * FROM read_csv(''/etc/passwd'')')", /json_serialize_plan/u],
  ["SELECT * FROM json_execute_serialized_sql('{}')", /json_execute_serialized_sql/u],
  ['SELECT * FROM information_schema.tables', /information_schema[.]tables/u],
  ['SELECT * FROM pg_catalog.pg_tables', /pg_catalog/u],
  ['SELECT * FROM duckdb_tables', /duckdb_tables/u],
  ['SELECT * FROM system.main.duckdb_secrets()', /duckdb_secrets/u],
  ['SELECT * FROM sqlite_master', /sqlite_master/u],
  ["WITH t AS (SELECT * FROM '/etc/passwd') SELECT * FROM t", /\/etc\/passwd/u],
  [`WITH "/etc/passwd" AS (SELECT * FROM "/etc/passwd") SELECT * FROM "/etc/passwd"`, /\/etc\/passwd/u],
  [
    `SELECT (WITH "/etc/passwd" AS (SELECT 1 AS x) SELECT x FROM "/etc/passwd"), * FROM "/etc/passwd"`,
    /\/etc\/passwd/u,
  ],
  ["SELECT * FROM visit WHERE event_id IN (SELECT content FROM read_text('/etc/passwd'))", /read_text/u],
  ["SELECT EXISTS (FROM read_blob('/etc/passwd'))", /read_blob/u],
  ["SELECT * FROM visit UNION ALL SELECT * FROM 'x.parquet'", /x[.]parquet/u],
  ["SELECT * FROM visit ORDER BY (SELECT count(*) FROM read_text('/etc/passwd'))", /read_text/u],
  ["SELECT * FROM visit LIMIT (SELECT count(*) FROM read_text('/etc/passwd'))", /read_text/u],
  ["SELECT list_transform([1], x -> (SELECT getenv('HOME')))", /getenv/u],
  ["SELECT sum(1) FILTER (WHERE getenv('HOME') = 'x') FROM visit", /getenv/u],
  ["SELECT sum(1) OVER (ORDER BY getenv('HOME')) FROM visit", /getenv/u],
  ["SELECT GETENV('HOME')", /getenv/u],
  ["SELECT nextval('s')", /nextval/u],
  ["SELECT write_log('x')", /write_log/u],
  ["SELECT * FROM parquet_metadata('x.parquet')", /parquet_metadata/u],
  ["SELECT * FROM read_json_auto('x')", /read_json_auto/u],
  ['SELECT * FROM "read_text"(\'/etc/passwd\')', /read_text/u],
  ['PREPARE p AS SELECT 1', /not a SELECT/u],
  ['VACUUM', /not a SELECT/u],
  ['CHECKPOINT', /not a SELECT/u],
  ['BEGIN', /not a SELECT/u],
  ['DELETE FROM list_bad', /not a SELECT/u],
  ["INSERT INTO list_bad VALUES ('x')", /not a SELECT/u],
  ["WITH x AS (SELECT 1) INSERT INTO list_bad SELECT '1' FROM x", /not a SELECT/u],
  ['SELECT * FROM memory.information_schema.columns', /information_schema/u],
  ['SELECT * FROM other.main.visit', /other/u],
  ['', /0 statements/u],
  ['-- nothing', /0 statements/u],
  ['SELECT 1 \0 FROM visit', /NUL/u],
  ['SELEC 1', /syntax error/u],
];

describe('a locked backend', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await open({ locked: true, portable: false });
  });

  test.each(REFUSED)('refuses %j', async (sql, named) => {
    expect(await messageOf(backend.query(sql.replaceAll('$ROOT', root.replaceAll("'", "''"))))).toMatch(named);
    expect(existsSync(join(root, 'evil.csv'))).toBe(false);
  });

  test.each([
    ['SELECT count(*) AS n FROM visit;', [{ n: 3 }]],
    ['FROM visit SELECT count(*) AS n', [{ n: 3 }]],
    ['SELECT count(*) AS n FROM MAIN.Visit', [{ n: 3 }]],
    [
      'WITH RECURSIVE c AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM c WHERE x < 3) SELECT max(x) AS n FROM c',
      [{ n: 3 }],
    ],
    ['WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT y FROM b', [{ y: 2 }]],
    ['SELECT x FROM range(2) AS r(x)', [{ x: 0 }, { x: 1 }]],
    ['SELECT count(*) AS n FROM visit, unnest(tags) AS u(tag)', [{ n: 2 }]],
    ['VALUES (1)', [{ col0: 1 }]],
    ["SELECT 'read_csv(''/etc/passwd'')' AS x", [{ x: "read_csv('/etc/passwd')" }]],
  ])('runs %s', async (sql, rows) => {
    expect((await backend.query(sql)).rows).toEqual(rows);
  });

  test.each([
    'EXPLAIN SELECT * FROM visit',
    'explain analyze select * from visit',
    '/* why */ EXPLAIN -- it\nSELECT 1',
  ])('explains a SELECT: %j', async (sql) => {
    const { rows } = await backend.query(sql);
    expect(rows.length).toBeGreaterThan(0);
  });

  test('the engine itself is shut, should the check ever miss something', async () => {
    const unchecked = await open({ locked: false, portable: false });
    const quotedRoot = root.replaceAll("'", "''");
    for (const sql of [
      `SELECT * FROM read_text('${quotedRoot}/secret.csv')`,
      "SELECT * FROM read_text('/etc/passwd')",
      `COPY (SELECT 1) TO '${quotedRoot}/evil.csv'`,
      `ATTACH '${quotedRoot}/e.db'`,
      "SET memory_limit = '9GB'",
      'INSTALL httpfs',
      `COPY (SELECT 1) TO '${segments[0]?.path.replaceAll("'", "''")}.new'`,
    ]) {
      await expect(unchecked.query(sql), sql).rejects.toThrow(/Permission|disabled|locked|Cannot/u);
    }
    expect(existsSync(join(root, 'evil.csv'))).toBe(false);
  });
});
