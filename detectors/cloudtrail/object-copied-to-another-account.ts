/** Objects are written into a bucket of another AWS account, or locked with its key. */
import { defineDetector, z } from '../../src/detector.ts';

const STRANGER = '444455556666';
const copy = (accountId: string) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'CopyObject',
  requestParameters: {
    bucketName: 'amzn-s3-demo-destination-bucket',
    key: 'customers.csv',
    'x-amz-copy-source': 'amzn-s3-demo-bucket/customers.csv',
  },
  resources: [
    { type: 'AWS::S3::Object', ARN: 'arn:aws:s3:::amzn-s3-demo-destination-bucket/customers.csv' },
    { accountId, type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::amzn-s3-demo-destination-bucket' },
    { accountId: '111122223333', type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::amzn-s3-demo-bucket' },
  ],
});
const foreign = copy(STRANGER);
const keyed = (account: string) => ({
  ...copy('111122223333'),
  requestParameters: {
    bucketName: 'amzn-s3-demo-destination-bucket',
    key: 'customers.csv',
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': `arn:aws:kms:us-east-1:${account}:key/1234abcd-12ab-34cd-56ef-1234567890ab`,
  },
});
const ALERT = { subject: { principal: 'arn:aws:iam::111122223333:user/Alice', other_account: '444455556666' } };

export const detector = defineDetector({
  id: 'object-copied-to-another-account',
  title: 'Objects were written to a bucket, or under a key, of another account',
  description:
    'Calls of own principals whose target bucket belongs to another account, or that encrypt with a key of another account. The first carries data off, the second makes it unreadable for you. One alert a day for each principal and account that did not go together in the 30 days before.',
  severity: 'medium',
  severityReason:
    'Data leaves for, or is locked by, an account that this principal never wrote to; partners receive data in this way as well.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1537', version: 16 },
    { technique: 'T1486', version: 16 },
  ],
  tags: ['exfiltration', 'impact', 'data-protection', 'baseline'],
  when: {
    all: [
      {
        event_source: 's3.amazonaws.com',
        event_name: ['PutObject', 'CopyObject', 'CreateMultipartUpload'],
        outcome: 'success',
      },
      { not: { actor_type: 'service' } },
    ],
  },
  sql: `-- One row per principal, foreign account and day in which the principal wrote to it and had not done so before.
WITH written AS (
  SELECT date_trunc('day', event_time) AS slot, event_time, event_id, account_id, principal, principal_arn, aws_region, source_ip, source_address, user_account_id,
    coalesce(json_extract_scalar(request_parameters, '$.bucketName'), 'unknown') AS bucket,
    nullif(regexp_extract(json_extract_scalar(request_parameters, '$.x-amz-server-side-encryption-aws-kms-key-id'), '^arn:aws[a-z-]*:kms:[^:]*:([0-9]{12}):', 1), '') AS key_account,
    json_extract_scalar(element_at(filter(TRY_CAST(json_extract(resources, '$') AS ARRAY(JSON)),
      resource -> json_extract_scalar(resource, '$.accountId') <> user_account_id
        AND json_extract_scalar(resource, '$.type') = 'AWS::S3::Bucket'
        AND NOT starts_with(coalesce(json_extract_scalar(request_parameters, '$.x-amz-copy-source'), ''),
          concat(regexp_extract(coalesce(json_extract_scalar(resource, '$.ARN'), ''), '[^:]*$'), '/'))), 1), '$.accountId') AS bucket_account
  FROM cloudtrail
  WHERE user_account_id = account_id
    AND (request_parameters LIKE '%-aws-kms-key-id%' OR replace(resources, concat('"accountId":"', user_account_id, '"'), '') LIKE '%accountId%'
      OR request_parameters LIKE '%\\u%' OR resources LIKE '%\\u%')
), foreigners AS (
  SELECT written.*, CASE WHEN bucket_account IS NOT NULL THEN bucket_account WHEN key_account <> user_account_id THEN key_account END AS other_account
  FROM written
), days AS (
  SELECT slot, account_id, principal, other_account
  FROM foreigners
  WHERE other_account IS NOT NULL AND strpos(:known_accounts, other_account) = 0
  GROUP BY 1, 2, 3, 4
), fresh AS (
  SELECT d.slot, d.account_id, d.principal, d.other_account
  FROM days AS d
  LEFT JOIN days AS e ON e.account_id = d.account_id AND e.principal = d.principal AND e.other_account = d.other_account
    AND e.slot < d.slot AND e.slot >= d.slot - INTERVAL '30' DAY
  WHERE e.slot IS NULL
)
SELECT f.slot, f.account_id, f.principal, f.other_account, min(w.bucket) AS bucket, min(w.principal_arn) AS principal_arn, min(w.aws_region) AS aws_region,
  min(w.source_ip) AS source_ip, min(w.source_address) AS source_address, min(w.event_time) AS first_seen, max(w.event_time) AS last_seen,
  count(*) AS count, array_agg(w.event_id ORDER BY w.event_time, w.event_id) AS event_ids
FROM fresh AS f
JOIN foreigners AS w ON w.slot = f.slot AND w.account_id = f.account_id AND w.principal = f.principal AND w.other_account = f.other_account
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  lookback: '30d',
  slot: '1d',
  subject: ['account_id', 'principal', 'other_account'],
  summary:
    '{principal} wrote {count} objects to {bucket} or under a key of account {other_account}, from {source_address}',
  parameters: {
    known_accounts: z
      .string()
      .regex(/^([0-9]{12}(,[0-9]{12})*)?$/)
      .default('')
      .describe(
        'account ids, separated by commas, that may receive objects: those of your organization and of partners',
      ),
  },
  falsePositives: ['Data that is sent to a partner or to a log archive: add the account.'],
  blindSpots: [
    'A call is seen where data events of the target bucket, or of all buckets, are logged.',
    'Replication: bucket-replicated-to-another-account. Downloads: object-bytes-above-usual.',
  ],
  needsDataEvents: 'AWS::S3::Object',
  response: [
    'Find out whose other_account is; x-amz-copy-source in request_parameters says where the data came from.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    { name: 'copied into a foreign bucket', records: [foreign], alerts: [ALERT] },
    { name: 'encrypted with a foreign key', records: [keyed(STRANGER)], alerts: [ALERT] },
    {
      name: 'a single file, and the first part of a large one',
      records: [
        { ...foreign, eventName: 'PutObject' },
        { ...foreign, eventName: 'CreateMultipartUpload' },
      ],
      alerts: [{ ...ALERT, count: 2 }],
    },
    {
      name: 'each day of a week: only the first is new',
      records: [{ repeat: 7, every: '1d', record: foreign }],
      alerts: [{ ...ALERT, count: 1 }],
    },
    {
      name: 'written to it five weeks ago',
      records: [
        { ...foreign, eventTime: '2025-01-20T10:00:00Z' },
        { ...foreign, eventTime: '2025-02-24T10:00:00Z' },
      ],
      alerts: [ALERT, ALERT],
    },
    {
      name: 'own bucket, own key, a key by its id, a foreign source, a foreign object in the list',
      records: [
        copy('111122223333'),
        keyed('111122223333'),
        {
          ...foreign,
          resources: [],
          requestParameters: {
            bucketName: 'amzn-s3-demo-destination-bucket',
            'x-amz-server-side-encryption-aws-kms-key-id': '1234abcd-12ab-34cd-56ef-1234567890ab',
          },
        },
        {
          ...foreign,
          requestParameters: {
            bucketName: 'amzn-s3-demo-bucket',
            'x-amz-copy-source': 'amzn-s3-demo-destination-bucket/customers.csv',
          },
        },
        {
          ...foreign,
          resources: [
            { type: 'AWS::S3::Object', accountId: STRANGER, ARN: 'arn:aws:s3:::amzn-s3-demo-destination-bucket' },
          ],
        },
      ],
      alerts: [],
    },
    {
      name: 'a caller of the foreign account writes to it',
      records: [
        { ...foreign, userIdentity: { type: 'AWSAccount', principalId: 'AIDAEXAMPLE', accountId: '777788889999' } },
      ],
      alerts: [],
    },
    {
      name: 'a known account',
      records: [foreign],
      alerts: [],
      parameters: { known_accounts: '222233334444,444455556666' },
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...foreign, errorCode: 'AccessDenied' },
        { ...foreign, eventName: 'GetObject' },
        { ...foreign, eventSource: 'example.amazonaws.com' },
        { ...foreign, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
    {
      name: 'a role that AWS made for itself',
      records: [
        {
          ...foreign,
          userIdentity: {
            type: 'AssumedRole',
            principalId: 'AROAEXAMPLE:batch',
            arn: 'arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForExample/batch',
            accountId: '111122223333',
            sessionContext: {
              sessionIssuer: {
                type: 'Role',
                principalId: 'AROAEXAMPLE',
                arn: 'arn:aws:iam::111122223333:role/aws-service-role/example.amazonaws.com/AWSServiceRoleForExample',
                accountId: '111122223333',
              },
            },
          },
        },
      ],
      alerts: [],
    },
  ],
});
