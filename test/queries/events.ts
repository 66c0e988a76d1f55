/** Events by which each saved question finds something. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { Param } from '../../src/backend.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { s3AccessTable } from '../../src/formats/s3-access-table.ts';
import { wafTable } from '../../src/formats/waf-table.ts';
import { parseQuery, type Query, queryValues } from '../../src/query.ts';
import type { Segment } from '../../src/store.ts';
import type { Table } from '../../src/table.ts';

const FOLDER = 'queries';
export const ids = readdirSync(FOLDER).map((name) => basename(name, '.sql'));
export const load = (id: string): Query => {
  const file = join(FOLDER, `${id}.sql`);
  return parseQuery(id, readFileSync(file, 'utf8'), file);
};

const NEWEST = Date.parse('2026-01-10T12:00:00Z');
export const clock = { nowMs: NEWEST, newestMs: () => Promise.resolve(NEWEST) };

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
export const ASKED: Readonly<Record<string, { values?: Readonly<Record<string, string>>; finds: string }>> = {
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
  'requester-activity': { values: { requester: 'dora' }, finds: 'private/x' },
  's3-requests-of-address': { values: { address: '203.0.113.0/24' }, finds: 'public/logo.png' },
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

/** Rows as a segment of their table. */
async function writeSegment(
  dir: string,
  table: Table,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<Segment> {
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

function writeCalls(dir: string): Promise<Segment> {
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
    dir,
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
  source_ip: '203.0.113.9',
};
const REQUEST = {
  event_time: TIME,
  web_acl_id: 'acl',
  web_acl_name: 'shop',
  client_ip: '203.0.113.9',
  source_ip: '203.0.113.9',
  uri: '/login',
};

export const QUERIED: readonly Table[] = [cloudtrailTable, s3AccessTable, wafTable];

/** The segments of these events below a folder. */
export async function writeEvents(dir: string): Promise<readonly Segment[]> {
  return [
    await writeCalls(dir),
    await writeSegment(dir, s3AccessTable, [
      { ...READ, request_id: 'A', is_anonymous: true },
      { ...READ, request_id: 'B', key: 'private/x', is_anonymous: false, principal: 'user/dora' },
    ]),
    await writeSegment(dir, wafTable, [
      { ...REQUEST, request_id: '1', action: 'BLOCK' },
      { ...REQUEST, request_id: '2', action: 'ALLOW' },
    ]),
  ];
}

/** The needed values, made up where the table has none. */
export const valuesOf = (query: Query): Promise<Record<string, Param>> =>
  queryValues(query, ASKED[query.id]?.values ?? {}, clock);
