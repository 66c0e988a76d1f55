/** Somebody of ours touched a resource of an account that is none of ours. */
import { defineDetector, z } from '../../src/detector.ts';

const copy = (...accounts: readonly string[]) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'CopyObject',
  requestParameters: { bucketName: 'amzn-s3-demo-destination', key: 'orders.csv' },
  resources: accounts.map((accountId) => ({
    type: 'AWS::S3::Bucket',
    ARN: `arn:aws:s3:::bucket-of-${accountId}`,
    accountId,
  })),
});
const OURS = { accounts: '^(111122223333|222233334444)$' };
const out = copy('111122223333', '999999999999');

export const detector = defineDetector({
  id: 'resource-outside-organization',
  title: 'Somebody of ours touched a resource outside the organization',
  description:
    'Records of several services name the account of each resource that a call touched. Name the accounts of your organization; a call of your own people that succeeds on a resource of any other account is told once an hour: data copied away, a foreign key used to encrypt, a role entered elsewhere. Silent until accounts are named.',
  severity: 'medium',
  severityReason: 'A way for data to leave; public data sets and vendors are touched the same way.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1537', version: 16 }],
  tags: ['exfiltration', 'fence'],
  when: {
    all: [{ outcome: 'success' }, { not: { actor_type: 'service' } }],
  },
  sql: `-- One row per principal, foreign account and hour in which the principal touched resources of that account.
WITH touched AS (
  SELECT date_trunc('hour', c.event_time) AS slot, c.event_time, c.event_id, c.account_id, c.principal, c.principal_arn, c.aws_region, c.source_ip,
    c.source_address, c.event_name, json_extract_scalar(r.item, '$.accountId') AS resource_account, json_extract_scalar(r.item, '$.ARN') AS resource
  FROM cloudtrail AS c
  CROSS JOIN UNNEST(TRY_CAST(json_extract(c.resources, '$') AS ARRAY(JSON))) AS r(item)
  WHERE :accounts <> ''
), calls AS (
  SELECT t.slot, t.account_id, t.principal, t.resource_account, t.event_time, t.event_id, min(t.principal_arn) AS principal_arn, min(t.aws_region) AS aws_region,
    min(t.source_ip) AS source_ip, min(t.source_address) AS source_address, min(t.event_name) AS event_name, min(t.resource) AS resource
  FROM touched AS t
  WHERE regexp_like(t.resource_account, '^[0-9]{12}$') AND NOT regexp_like(t.resource_account, :accounts)
  GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT c.slot, c.account_id, c.principal, c.resource_account, min(c.principal_arn) AS principal_arn, min(c.aws_region) AS aws_region,
  min(c.source_ip) AS source_ip, min(c.source_address) AS source_address, min(c.event_name) AS event_name, min(c.resource) AS resource,
  min(c.event_time) AS first_seen, max(c.event_time) AS last_seen, count(*) AS count,
  array_agg(c.event_id ORDER BY c.event_time, c.event_id) AS event_ids
FROM calls AS c
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  slot: '1h',
  subject: ['account_id', 'principal', 'resource_account'],
  summary:
    '{principal} called {event_name} on {resource} of account {resource_account}, which is none of ours, from {source_address} ({count} calls in the hour)',
  parameters: {
    accounts: z
      .string()
      .default('')
      .describe(
        'RE2 pattern of account ids of the organization, such as ^(111122223333|222233334444)$; the default judges nothing',
      ),
  },
  falsePositives: ['A public data set, an image or a key of a vendor: put its account on the list.'],
  blindSpots: [
    'Services that name no accounts of resources in the field resources.',
    'Objects, unless data events are logged.',
    'AWS leaves out the account of a bucket that the caller may not see.',
  ],
  response: [
    'Run the saved question principal-timeline for the principal.',
    'Find out whose account resource_account is, and whether the key or bucket of it may be used.',
  ],
  examples: [
    {
      name: 'an object is copied to a bucket of a stranger, twice',
      records: [out, out],
      alerts: [
        {
          subject: { principal: 'arn:aws:iam::111122223333:user/Alice', resource_account: '999999999999' },
          count: 2,
        },
      ],
      parameters: OURS,
    },
    {
      name: 'two resources of one stranger in a call count once, in two hours twice',
      records: [
        { ...copy('999999999999', '999999999999'), eventTime: '2025-03-03T10:59:59Z' },
        { ...copy('999999999999'), eventTime: '2025-03-03T11:00:00Z' },
      ],
      alerts: [
        { subject: { resource_account: '999999999999' }, count: 1 },
        { subject: { resource_account: '999999999999' }, count: 1 },
      ],
      parameters: OURS,
    },
    { name: 'inside the organization', records: [copy('111122223333', '222233334444')], alerts: [], parameters: OURS },
    { name: 'no accounts are named', records: [out], alerts: [] },
    {
      name: 'a refusal, an AWS service, an odd account, or no resources',
      records: [
        { ...out, errorCode: 'AccessDenied' },
        { ...out, userIdentity: { type: 'AWSService', invokedBy: 's3.amazonaws.com' } },
        copy('aws'),
        copy(),
      ],
      alerts: [],
      parameters: OURS,
    },
  ],
});
