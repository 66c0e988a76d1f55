import { describe, expect, it } from 'vitest';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { derivedColumns, rawColumns } from '../../src/table.ts';
import { type DerivationCase, derive } from './derive.ts';

const RAW = rawColumns(cloudtrailTable);
const DERIVED = derivedColumns(cloudtrailTable);

const ISSUER = 'arn:aws:iam::111122223333:role/path/deploy';
const SESSION = 'arn:aws:sts::111122223333:assumed-role/deploy/alice';

const CASES: readonly DerivationCase[] = [
  {
    title: 'nothing',
    values: {},
    expected: {
      event_name: null,
      outcome: 'success',
      principal_arn: null,
      principal: 'unknown',
      session_name: null,
      actor_type: 'unknown',
      source_ip: null,
      resource_arns: null,
    },
  },

  { title: 'a plain name', values: { event_name_raw: 'RunInstances' }, expected: { event_name: 'RunInstances' } },
  {
    title: 'a lower-case name',
    values: { event_name_raw: 'updateDomainContact' },
    expected: { event_name: 'UpdateDomainContact' },
  },
  {
    title: 'a name with a date and version',
    values: { event_name_raw: 'AddPermission20150331v2' },
    expected: { event_name: 'AddPermission' },
  },
  {
    title: 'a name with an underscored date',
    values: { event_name_raw: 'CreateDistribution2020_05_31' },
    expected: { event_name: 'CreateDistribution' },
  },
  {
    title: 'a name with a number',
    values: { event_name_raw: 'ListObjectsV2' },
    expected: { event_name: 'ListObjectsV2' },
  },

  {
    title: 'a successful sign-in',
    values: { event_name_raw: 'ConsoleLogin', console_login: 'Success' },
    expected: { outcome: 'success' },
  },
  {
    title: 'a failed sign-in without a code',
    values: {
      event_name_raw: 'ConsoleLogin',
      console_login: 'Failure',
      error_message: 'Failed authentication',
    },
    expected: { outcome: 'failed' },
  },
  ...[
    'AccessDenied',
    'AccessDeniedException',
    'Client.UnauthorizedOperation',
    'UnauthorizedOperation',
    'VpceAccessDenied',
    'NotAuthorizedException',
    'AuthorizationError',
    'Forbidden',
  ].map((code) => ({
    title: code,
    values: { event_name_raw: 'GetObject', error_code: code },
    expected: { outcome: 'denied' },
  })),
  { title: 'another error', values: { error_code: 'ThrottlingException' }, expected: { outcome: 'failed' } },
  { title: 'an error without a code', values: { error_message: 'Internal' }, expected: { outcome: 'failed' } },
  { title: 'an empty error code', values: { error_code: '' }, expected: { outcome: 'success' } },

  {
    title: 'an IAM user',
    values: { user_type: 'IAMUser', user_arn: 'arn:aws:iam::111122223333:user/bob', principal_id: 'AIDAEXAMPLE' },
    expected: { principal: 'arn:aws:iam::111122223333:user/bob', actor_type: 'user' },
  },
  {
    title: 'a failed sign-in of an IAM user, which has no ARN',
    values: { user_type: 'IAMUser', user_name: 'bob', user_account_id: '111122223333', principal_id: 'AIDAEXAMPLE' },
    expected: { principal: 'arn:aws:iam::111122223333:user/bob' },
  },
  {
    title: 'the same in another partition',
    values: { user_type: 'IAMUser', user_name: 'bob', user_account_id: '111122223333', aws_region: 'cn-north-1' },
    expected: { principal: 'arn:aws-cn:iam::111122223333:user/bob' },
  },
  {
    title: 'a sign-in that named no known user',
    values: { user_type: 'IAMUser', user_name: 'HIDDEN_DUE_TO_SECURITY_REASONS', user_account_id: '111122223333' },
    expected: { principal_arn: null, principal: '111122223333' },
  },
  {
    title: 'a role session',
    values: {
      user_type: 'AssumedRole',
      user_arn: SESSION,
      session_issuer_arn: ISSUER,
      principal_id: 'AROAEXAMPLE:alice',
    },
    expected: { principal: ISSUER, principal_arn: ISSUER, session_name: 'alice', actor_type: 'role' },
  },
  {
    title: 'a role session without its issuer',
    values: { user_type: 'AssumedRole', user_arn: SESSION, session_issuer_arn: '' },
    expected: { principal: 'arn:aws:iam::111122223333:role/deploy' },
  },
  {
    title: 'a session of a service-linked role',
    values: { user_type: 'AssumedRole', session_issuer_arn: 'arn:aws:iam::1:role/aws-service-role/x/y' },
    expected: { actor_type: 'service' },
  },
  {
    title: 'a role called through a service',
    values: { user_type: 'AssumedRole', session_issuer_arn: ISSUER, invoked_by: 'cloudformation.amazonaws.com' },
    expected: { principal: ISSUER, actor_type: 'role' },
  },
  {
    title: 'a service',
    values: { user_type: 'AWSService', invoked_by: 'ec2.amazonaws.com' },
    expected: { principal: 'ec2.amazonaws.com', actor_type: 'service' },
  },
  {
    title: 'a caller of another account',
    values: {
      user_type: 'AWSAccount',
      principal_id: 'AROAEXAMPLE:x',
      user_account_id: '444455556666',
      invoked_by: 'AWS Internal',
    },
    expected: { principal: 'AROAEXAMPLE', actor_type: 'account', session_name: null },
  },
  {
    title: 'a SAML user',
    values: { user_type: 'SAMLUser', principal_id: 'hash=:alice' },
    expected: { principal: 'hash=:alice', actor_type: 'federated' },
  },
  {
    title: 'an Identity Center user',
    values: { user_type: 'IdentityCenterUser', user_account_id: '111122223333', on_behalf_of_user_id: 'user-1' },
    expected: { principal: 'user-1', actor_type: 'federated' },
  },
  {
    title: 'root',
    values: { user_type: 'Root', user_arn: 'arn:aws:iam::111122223333:root' },
    expected: { principal: 'arn:aws:iam::111122223333:root', actor_type: 'root' },
  },

  ...['203.0.113.7', '2001:db8::1', '::1', '::ffff:192.0.2.1'].map((address) => ({
    title: address,
    values: { source_address: address },
    expected: { source_ip: address },
  })),
  ...['ec2.amazonaws.com', 'AWS Internal', '203.0.113.256', '1.2.3', 'a:', ''].map((address) => ({
    title: `the source '${address}'`,
    values: { source_address: address },
    expected: { source_ip: null },
  })),

  {
    title: 'resources',
    values: { resources: '[{"ARN":"arn:1"},{"type":"x"},{"arn":"arn:2"},{"ARN":null}, 7]' },
    expected: { resource_arns: ['arn:1', 'arn:2'] },
  },
  {
    title: 'an ARN with escapes',
    values: { resources: '[{"ARN":"arn:\\"\\u00e9"}]' },
    expected: { resource_arns: ['arn:"é'] },
  },
  { title: 'no resources in the list', values: { resources: '[]' }, expected: { resource_arns: [] } },
  ...['{"ARN":"arn:1"}', '"arn:1"', '17', 'true'].map((resources) => ({
    title: `resources that are ${resources}`,
    values: { resources },
    expected: { resource_arns: null },
  })),
];

describe('derivations', () => {
  it.each(CASES)('derives from $title', async ({ values, expected }) => {
    expect(await derive(cloudtrailTable, values)).toMatchObject(expected);
  });
});

describe('the table', () => {
  it('documents every column and names each once', () => {
    expect(cloudtrailTable.columns.filter(({ doc }) => !doc.endsWith('.'))).toEqual([]);
    expect(new Set(cloudtrailTable.columns.map(({ name }) => name)).size).toBe(cloudtrailTable.columns.length);
    expect(RAW.filter(({ raw, aws }) => (raw === undefined) !== (aws === undefined))).toEqual([]);
  });

  it('has raw columns first, as the decoder fills them', () => {
    expect(cloudtrailTable.columns).toEqual([...RAW, ...DERIVED]);
    expect(RAW.slice(0, 2).map(({ name }) => name)).toEqual(['log_file', 'record_no']);
  });

  it('keeps only these columns from portable SQL', () => {
    expect(cloudtrailTable.columns.filter(({ athena }) => athena === null).map(({ name }) => name)).toEqual([
      'log_file',
      'record_no',
      'user_identity',
      'extra',
    ]);
  });
});
