import { describe, expect, it } from 'vitest';
import { s3AccessTable } from '../../src/formats/s3-access-table.ts';
import { derivedColumns, rawColumns } from '../../src/table.ts';
import { type DerivationCase, derive } from './derive.ts';

const OWNER = '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be';
const SESSION = 'arn:aws:sts::111122223333:assumed-role/deploy/alice@example.com';
const SIGNED = { signature_version: 'SigV4', authentication_type: 'AuthHeader' };

const CASES: readonly DerivationCase[] = [
  {
    title: 'nothing',
    values: {},
    expected: {
      account_id: null,
      principal_arn: null,
      session_name: null,
      is_anonymous: true,
      principal: 'anonymous',
      outcome: 'success',
      method: null,
      resource_type: null,
      source_ip: null,
    },
  },
  {
    title: 'a role session',
    values: { requester: SESSION, ...SIGNED },
    expected: {
      account_id: '111122223333',
      principal_arn: 'arn:aws:iam::111122223333:role/deploy',
      principal: 'arn:aws:iam::111122223333:role/deploy',
      session_name: 'alice@example.com',
      is_anonymous: false,
    },
  },
  {
    title: 'a role session in another partition',
    values: { requester: 'arn:aws-cn:sts::111122223333:assumed-role/r/s/t', ...SIGNED },
    expected: { principal_arn: 'arn:aws-cn:iam::111122223333:role/r', session_name: 's/t' },
  },
  {
    title: 'a user',
    values: { requester: 'arn:aws:iam::111122223333:user/path/bob', ...SIGNED },
    expected: {
      account_id: '111122223333',
      principal: 'arn:aws:iam::111122223333:user/path/bob',
      session_name: null,
      is_anonymous: false,
    },
  },
  {
    title: 'a federated user',
    values: { requester: 'arn:aws:sts::111122223333:federated-user/bob', ...SIGNED },
    expected: { account_id: '111122223333', principal: 'arn:aws:sts::111122223333:federated-user/bob' },
  },
  {
    title: 'a canonical user id',
    values: { requester: OWNER, ...SIGNED },
    expected: { account_id: null, principal_arn: null, principal: OWNER, is_anonymous: false },
  },
  {
    title: 'a canonical user id in a record from before signatures were logged',
    values: { requester: OWNER },
    expected: { principal: OWNER, is_anonymous: false },
  },
  {
    title: 'lifecycle',
    values: { requester: 'AmazonS3', operation: 'S3.EXPIRE.OBJECT' },
    expected: {
      principal: 'AmazonS3',
      is_anonymous: false,
      method: 'EXPIRE',
      resource_type: 'OBJECT',
      outcome: 'success',
    },
  },
  {
    title: 'a service',
    values: { requester: 'svc:delivery.logs.amazonaws.com', ...SIGNED },
    expected: { principal: 'svc:delivery.logs.amazonaws.com', account_id: null },
  },
  ...['Anonymous', '65a011a29cdf8ec533ec3d1ccaae921c'].map((requester) => ({
    title: `the requester ${requester}`,
    values: { requester },
    expected: { is_anonymous: true, principal: 'anonymous' },
  })),
  {
    title: 'credentials that were refused',
    values: { ...SIGNED, http_status: '403', error_code: 'InvalidAccessKeyId' },
    expected: { is_anonymous: false, principal: 'unknown', outcome: 'denied' },
  },

  ...(
    [
      ['200', null, 'success'],
      ['304', 'NotModified', 'success'],
      ['401', null, 'denied'],
      ['403', 'AccessDenied', 'denied'],
      ['404', 'NoSuchKey', 'failed'],
      ['400', null, 'failed'],
      ['503', 'SlowDown', 'failed'],
      [null, 'AccessDenied', 'denied'],
      [null, 'InternalError', 'failed'],
      [null, null, 'success'],
    ] as const
  ).map(([status, code, outcome]) => ({
    title: `status ${status} with ${code}`,
    values: { ...(status === null ? {} : { http_status: status }), ...(code === null ? {} : { error_code: code }) },
    expected: { outcome },
  })),

  ...(
    [
      ['REST.GET.OBJECT', 'GET', 'OBJECT'],
      ['REST.COPY.OBJECT_GET', 'COPY', 'OBJECT_GET'],
      ['WEBSITE.HEAD.OBJECT', 'HEAD', 'OBJECT'],
      ['BATCH.DELETE.OBJECT', 'DELETE', 'OBJECT'],
      ['S3.COMPUTE.OBJECT.CHECKSUM', 'COMPUTE', 'OBJECT.CHECKSUM'],
      ['S3.TRANSITION_GDA.OBJECT', 'TRANSITION_GDA', 'OBJECT'],
      ['SOAP.CreateBucket', 'CreateBucket', null],
      ['odd', null, null],
    ] as const
  ).map(([operation, method, resourceType]) => ({
    title: operation,
    values: { operation },
    expected: { method, resource_type: resourceType },
  })),

  { title: 'an IPv4 address', values: { remote_ip: '192.0.2.3' }, expected: { source_ip: '192.0.2.3' } },
  { title: 'an IPv6 address', values: { remote_ip: '2001:db8::1' }, expected: { source_ip: '2001:db8::1' } },
  { title: 'no address', values: { remote_ip: '999.1.1.1' }, expected: { source_ip: null } },
];

describe('derivations', () => {
  it.each(CASES)('derives from $title', async ({ values, expected }) => {
    expect(await derive(s3AccessTable, values)).toMatchObject(expected);
  });
});

describe('the table', () => {
  const raw = rawColumns(s3AccessTable);

  it('documents every column and names each once', () => {
    expect(s3AccessTable.columns.filter(({ doc }) => !doc.endsWith('.'))).toEqual([]);
    expect(new Set(s3AccessTable.columns.map(({ name }) => name)).size).toBe(s3AccessTable.columns.length);
    expect(raw.filter((column) => (column.raw === undefined) !== (column.aws === undefined))).toEqual([]);
  });

  it('has raw columns first, as the decoder fills them', () => {
    expect(s3AccessTable.columns).toEqual([...raw, ...derivedColumns(s3AccessTable)]);
  });

  it('names columns that exist in its identity, roles and profile', () => {
    const names = new Set(s3AccessTable.columns.map(({ name }) => name));
    const { identity, roles, profile } = s3AccessTable;
    const named = [...identity.id, ...identity.facts, ...Object.values(roles), ...profile];
    expect(named.filter((name) => name !== null && !names.has(name))).toEqual([]);
    expect(profile).toContain(roles.eventName);
  });

  it('keeps only these columns from portable SQL', () => {
    expect(s3AccessTable.columns.filter(({ athena }) => athena === null).map(({ name }) => name)).toEqual([
      'log_file',
      'record_no',
      'source_region',
      'extra',
    ]);
  });
});
