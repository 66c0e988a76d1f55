/** Saved questions: each says what it answers, is portable, and runs over an empty and over a filled table. */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend, Param } from '../../src/backend.ts';
import { createDuckdbBackend } from '../../src/backends/duckdb.ts';
import { toDuckdb } from '../../src/backends/lexer.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { s3AccessTable } from '../../src/formats/s3-access-table.ts';
import { wafTable } from '../../src/formats/waf-table.ts';
import { parseQuery, type Query, queryValues } from '../../src/query.ts';
import type { Segment } from '../../src/store.ts';
import type { Table } from '../../src/table.ts';

const folder = 'queries';
const ids = readdirSync(folder).map((name) => basename(name, '.sql'));
const load = (id: string): Query => {
  const file = join(folder, `${id}.sql`);
  return parseQuery(id, readFileSync(file, 'utf8'), file);
};

const NEWEST = Date.parse('2026-01-10T12:00:00Z');
const clock = { nowMs: NEWEST, newestMs: () => Promise.resolve(NEWEST) };

/** One event for each question, with what it must be found by. */
const EVENTS: readonly Readonly<Record<string, unknown>>[] = [
  {
    id: 'deleted',
    event_source: 'rds.amazonaws.com',
    event_name: 'DeleteDBInstance',
    request_parameters: '{"dBInstanceIdentifier":"Prod-DB"}',
  },
  {
    id: 'denied',
    event_source: 'iam.amazonaws.com',
    event_name: 'ListUsers',
    outcome: 'denied',
    error_code: 'AccessDenied',
    read_only: true,
  },
  {
    id: 'login',
    event_name: 'ConsoleLogin',
    event_source: 'signin.amazonaws.com',
    user_type: 'IAMUser',
    additional_event_data: '{"MFAUsed":"No"}',
  },
  {
    id: 'login-failed',
    event_name: 'ConsoleLogin',
    event_source: 'signin.amazonaws.com',
    user_type: 'IAMUser',
    outcome: 'failed',
    user_name: 'dora',
  },
  {
    id: 'first-hop',
    event_source: 'sts.amazonaws.com',
    event_name: 'AssumeRole',
    request_parameters: '{"roleArn":"arn:aws:iam::111122223333:role/first"}',
    response_elements: '{"credentials":{"accessKeyId":"ASIAFIRSTHOP00000000"}}',
  },
  {
    id: 'second-hop',
    event_source: 'sts.amazonaws.com',
    event_name: 'AssumeRole',
    access_key_id: 'ASIAFIRSTHOP00000000',
    request_parameters: '{"roleArn":"arn:aws:iam::444455556666:role/second"}',
    response_elements: '{"credentials":{"accessKeyId":"ASIASECONDHOP0000000"}}',
  },
  {
    id: 'root',
    user_type: 'Root',
    principal: 'arn:aws:iam::111122223333:root',
    event_name: 'CreateAccessKey',
    event_source: 'iam.amazonaws.com',
  },
  {
    id: 'secret',
    event_source: 'secretsmanager.amazonaws.com',
    event_name: 'GetSecretValue',
    request_parameters: '{"secretId":"prod/payments"}',
    read_only: true,
  },
  {
    id: 'object',
    event_source: 's3.amazonaws.com',
    event_name: 'GetObject',
    event_category: 'Data',
    management_event: false,
    read_only: true,
    request_parameters: '{"bucketName":"crown-jewels","key":"a"}',
    additional_event_data: '{"bytesTransferredOut":12}',
  },
  {
    id: 'group',
    event_source: 'ec2.amazonaws.com',
    event_name: 'AuthorizeSecurityGroupIngress',
    request_parameters: '{"groupId":"sg-0a1b2c3d"}',
  },
  {
    id: 'instance',
    event_source: 'ec2.amazonaws.com',
    event_name: 'StopInstances',
    request_parameters: '{"instancesSet":{"items":[{"instanceId":"i-0abc"}]}}',
  },
  {
    id: 'foreign',
    user_account_id: '999988887777',
    principal: 'arn:aws:iam::999988887777:role/partner',
    event_name: 'GetObject',
  },
];

/** Values by which a question finds its event, and a text that the rows then hold. */
const ASKED: Readonly<Record<string, { values?: Readonly<Record<string, string>>; finds: string }>> = {
  'access-key-activity': { values: { key: 'AKIAEXAMPLE000000000' }, finds: 'DeleteDBInstance' },
  'access-keys': { finds: 'AKIAEXAMPLE000000000' },
  'activity-per-hour': { finds: '2026-01-10T12' },
  'address-activity': { values: { address: '198.51.100.0/24' }, finds: '198.51.100.7' },
  'assumed-role-chains': { finds: 'role/second' },
  'bucket-access': { values: { bucket: 'crown-jewels' }, finds: 'GetObject' },
  'console-logins-without-mfa': { finds: 'IAMUser' },
  'cross-account-callers': { finds: '999988887777' },
  'data-events-per-bucket': { finds: 'crown-jewels' },
  'errors-by-service': { finds: 'AccessDenied' },
  event: { values: { id: 'object' }, finds: 'crown-jewels' },
  'iam-changes': { finds: 'CreateAccessKey' },
  'instance-life': { values: { instance: 'i-0abc' }, finds: 'StopInstances' },
  'login-failures': { finds: 'dora' },
  'anonymous-reads': { finds: 'public/logo.png' },
  'egress-per-requester': { finds: '2500' },
  'object-requests': { values: { key: 'LOGO' }, finds: 'public/logo.png' },
  'waf-blocked-then-allowed': { finds: '203.0.113.9' },
  'waf-requests-of-address': { values: { address: '203.0.113.9' }, finds: '/login' },
  logins: { finds: 'IAMUser' },
  'most-denied-principals': { finds: 'user/dora' },
  'new-principals': { finds: 'role/partner' },
  'principal-timeline': { values: { principal: 'user/dora' }, finds: 'StopInstances' },
  'recent-changes': { finds: 'DeleteDBInstance' },
  'regions-in-use': { finds: 'eu-central-1' },
  'role-assumptions': { values: { role: 'role/first' }, finds: 'role/first' },
  'root-activity': { finds: 'CreateAccessKey' },
  'secret-reads': { values: { secret: 'payments' }, finds: 'prod/payments' },
  'security-group-changes': { values: { group: 'sg-0a1b' }, finds: 'AuthorizeSecurityGroupIngress' },
  'top-user-agents': { finds: 'aws-cli' },
  'who-deleted': { values: { name: 'prod-db' }, finds: 'DeleteDBInstance' },
  'why-denied': { values: { principal: 'dora' }, finds: 'ListUsers' },
};

const dir = mkdtempSync(join(tmpdir(), 'trailhound-queries-'));
let empty: Backend;
let filled: Backend;

/** Rows as a segment of their table. */
async function writeSegment(table: Table, rows: readonly Readonly<Record<string, unknown>>[]): Promise<Segment> {
  const path = join(dir, table.name, 'event_date=2026-01-10', 'segment.parquet');
  mkdirSync(dirname(path), { recursive: true });
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  await connection.run(
    `CREATE TABLE filled (${table.columns.map(({ name, type }) => `"${name}" ${type}`).join(', ')})`,
  );
  for (const row of rows) {
    const values = Object.values(row).map((value) => (typeof value === 'string' ? `'${value}'` : String(value)));
    await connection.run(`INSERT INTO filled (${Object.keys(row).join(', ')}) VALUES (${values.join(', ')})`);
  }
  await connection.run(`COPY filled TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
  const sizes = { rows: rows.length, sizeBytes: 1, minTimeMs: NEWEST, maxTimeMs: NEWEST, seq: 1 };
  return { table: table.name, eventDate: '2026-01-10', path, ...sizes, schemaVersion: table.schemaVersion };
}

function writeCalls(): Promise<Segment> {
  const defaults = {
    event_time: '2026-01-10 12:00:00',
    account_id: '111122223333',
    user_account_id: '111122223333',
    principal: 'arn:aws:iam::111122223333:user/dora',
    aws_region: 'eu-central-1',
    source_ip: '198.51.100.7',
    access_key_id: 'AKIAEXAMPLE000000000',
    user_agent: 'aws-cli/2.0',
    outcome: 'success',
    actor_type: 'user',
    user_type: 'IAMUser',
    event_type: 'AwsApiCall',
    event_source: 's3.amazonaws.com',
    management_event: true,
    read_only: false,
  };
  return writeSegment(
    cloudtrailTable,
    EVENTS.map(({ id, ...event }) => ({ ...defaults, event_id: id, ...event })),
  );
}

const TIME = '2026-01-10 12:00:00';
const READ = {
  event_time: TIME,
  bucket: 'assets',
  key: 'public/logo.png',
  operation: 'REST.GET.OBJECT',
  method: 'GET',
  outcome: 'success',
  bytes_sent: 2500,
  remote_ip: '203.0.113.9',
};
const REQUEST = {
  event_time: TIME,
  web_acl_id: 'acl',
  web_acl_name: 'shop',
  client_ip: '203.0.113.9',
  source_ip: '203.0.113.9',
  uri: '/login',
};

beforeAll(async () => {
  const segments = [
    await writeCalls(),
    await writeSegment(s3AccessTable, [
      { ...READ, request_id: 'A', is_anonymous: true },
      { ...READ, request_id: 'B', key: 'private/x', is_anonymous: false, principal: 'user/dora' },
    ]),
    await writeSegment(wafTable, [
      { ...REQUEST, request_id: '1', action: 'BLOCK' },
      { ...REQUEST, request_id: '2', action: 'ALLOW' },
    ]),
  ];
  const backend = (all: readonly Segment[]) =>
    createDuckdbBackend({
      tables: [cloudtrailTable, s3AccessTable, wafTable].map((table) => ({
        table,
        segments: all.filter((segment) => segment.table === table.name),
      })),
      portable: true,
      locked: true,
      memoryLimitMb: 256,
      threads: 1,
      tempDirectory: dir,
    });
  empty = await backend([]);
  filled = await backend(segments);
});

afterAll(async () => {
  await empty.close();
  await filled.close();
  rmSync(dir, { recursive: true });
});

/** The needed values, made up where the table has none. */
const valuesOf = (query: Query): Promise<Record<string, Param>> =>
  queryValues(query, ASKED[query.id]?.values ?? {}, clock);

/** What both engines know, and a name that DuckDB's parser gives to an operator or a clause. */
const PORTABLE_FUNCTIONS = new Set(
  (
    'array_agg array_join cidr_match coalesce concat count count_if count_star date_add date_trunc json_extract_scalar lower ' +
    'max min regexp_like starts_with strpos sum - + * / ~~'
  ).split(' '),
);

/** Why a statement would not run on Athena, by the rules of docs/detector-sql.md, as DuckDB's own syntax tree shows them. */
async function notPortable(sql: string): Promise<string[]> {
  const problems: string[] = [];
  const code = sql.replaceAll(/'(?:[^']|'')*'|--[^\n]*/gu, "''");
  for (const refused of [
    '::',
    '->',
    'ILIKE',
    'QUALIFY',
    '//',
    'EXCLUDE',
    'DISTINCT ON',
    'SEMI JOIN',
    'ANTI JOIN',
    'GROUP BY ALL',
    '[',
  ]) {
    if (code.includes(refused)) problems.push(refused);
  }
  const { sql: bound } = toDuckdb(sql, true);
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [bound]);
  connection.closeSync();
  instance.closeSync();
  const local = new Set(
    [cloudtrailTable, s3AccessTable, wafTable]
      .flatMap(({ columns }) => columns)
      .filter(({ athena }) => athena === null)
      .map(({ name }) => name),
  );
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const child of Object.values(value)) visit(child);
    const node = value as Readonly<Record<string, unknown>>;
    const name = node['function_name'];
    if (typeof name === 'string' && name !== '' && !PORTABLE_FUNCTIONS.has(name)) problems.push(`${name}()`);
    const columns = node['type'] === 'COLUMN_REF' ? (node['column_names'] as string[]) : [];
    problems.push(...columns.filter((column) => local.has(column)));
  };
  visit(JSON.parse(String(reader.getRows()[0]?.[0])));
  return problems;
}

describe('the saved questions', () => {
  test('are at least twenty-two, and each has a value here by which it finds something', () => {
    expect(ids.length).toBeGreaterThanOrEqual(22);
    expect(Object.keys(ASKED).toSorted()).toEqual(ids.toSorted());
  });
});

describe.each(ids)('the question %s', (id) => {
  const query = load(id);

  test('uses each of its parameters', () => {
    const unused = query.parameters.filter(({ name }) => !new RegExp(`:${name}\\b`, 'u').test(query.sql));
    expect(unused).toEqual([]);
  });

  test('answers nothing from an empty table', async () => {
    expect((await empty.query(query.sql, await valuesOf(query))).rows).toEqual([]);
  });

  test('finds what it asks for', async () => {
    const { rows } = await filled.query(query.sql, await valuesOf(query));
    expect(JSON.stringify(rows)).toContain(ASKED[id]?.finds);
  });

  test('keeps to what Athena understands', async () => {
    expect(await notPortable(query.sql)).toEqual([]);
  });

  test('orders its rows', () => {
    expect(query.sql).toMatch(/\nORDER BY /);
  });
});

test.each([
  ["SELECT event_name FROM cloudtrail WHERE getenv('X') = 'x'", ['getenv()']],
  ['SELECT log_file FROM cloudtrail', ['log_file']],
  ["SELECT request_parameters->>'a' FROM cloudtrail", ['->']],
  ['SELECT event_time::DATE FROM cloudtrail', ['::']],
])('the check of portability finds what is wrong with %s', async (sql, expected) => {
  expect(await notPortable(sql)).toEqual(expect.arrayContaining(expected));
});

describe('a question that leaves the window', () => {
  test('of the events finds none of them', async () => {
    for (const id of ids) {
      const query = load(id);
      if (!query.parameters.some(({ name }) => name === 'to')) continue;
      const values = await queryValues(query, { ...ASKED[id]?.values, to: '2026-01-01' }, clock);
      expect([id, (await filled.query(query.sql, values)).rows]).toEqual([id, []]);
    }
  });
});

describe('a header', () => {
  const good =
    '-- title: A?\n-- description: One row per a.\n-- parameters:\n--   n: { type: integer, default: 3, doc: "A number." }\nSELECT :n AS n';

  test('is read', () => {
    expect(parseQuery('a', good, 'a.sql')).toEqual({
      id: 'a',
      title: 'A?',
      description: 'One row per a.',
      parameters: [{ name: 'n', type: 'integer', default: '3', doc: 'A number.' }],
      sql: 'SELECT :n AS n',
      file: 'a.sql',
    });
  });

  test.each([
    ['without a comment', 'SELECT 1'],
    ['without a title', '-- description: One row per a.\nSELECT 1'],
    ['with another description', '-- title: A?\n-- description: Rows.\nSELECT 1'],
    ['with an unknown type', good.replace('integer', 'float')],
    ['with an unknown key', good.replace('doc:', 'docs:')],
    ['that is no YAML', '-- title: [\nSELECT 1'],
  ])('%s is refused, naming the file', (_, text) => {
    expect(() => parseQuery('a', text, 'a.sql')).toThrow(
      expect.objectContaining({ code: 'sql-invalid', message: expect.stringContaining('a.sql') }),
    );
  });

  test.each([
    ['an unknown parameter', { x: '1' }, "has no parameter 'x'"],
    ['no number', { n: 'many' }, "cannot use 'many' for the parameter 'n'"],
    ['a number beyond what is exact', { n: '9007199254740993' }, "cannot use '9007199254740993'"],
  ])('given %s says so', async (_, given, message) => {
    await expect(queryValues(parseQuery('a', good, 'a.sql'), given, clock)).rejects.toThrow(message);
  });

  test('without a needed value says which', async () => {
    await expect(queryValues(load('who-deleted'), {}, clock)).rejects.toThrow(
      "the question 'who-deleted' needs a value for 'name'",
    );
  });
});
