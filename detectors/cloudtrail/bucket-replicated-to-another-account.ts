/** A bucket copies its objects to another AWS account. */
import { defineDetector, z } from '../../src/detector.ts';

const rule = (Account: string | undefined) => ({
  Status: 'Enabled',
  Destination: { Bucket: 'arn:aws:s3:::amzn-s3-demo-destination-bucket', Account },
});
const put = (Rule: unknown) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'PutBucketReplication',
  requestParameters: {
    bucketName: 'amzn-s3-demo-bucket',
    replication: '',
    ReplicationConfiguration: { Role: 'arn:aws:iam::111122223333:role/Replicator', Rule },
  },
});
const foreign = put(rule('444455556666'));
const ALERT = { subject: { principal: 'arn:aws:iam::111122223333:user/Alice', bucket: 'amzn-s3-demo-bucket' } };

export const detector = defineDetector({
  id: 'bucket-replicated-to-another-account',
  title: 'A bucket was told to replicate to another account',
  description:
    'A replication rule names the account that owns the destination. From then on each new object leaves the account by itself, without a call that reads it.',
  severity: 'high',
  severityReason: 'All that is written from then on leaves the account in silence; sister accounts can be named.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1537', version: 16 }],
  tags: ['exfiltration', 'data-protection'],
  when: {
    all: [
      { event_source: 's3.amazonaws.com', event_name: 'PutBucketReplication', outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  sql: `-- One row per principal, bucket and hour in which a rule sends objects to a foreign account.
WITH rules AS (
  SELECT date_trunc('hour', event_time) AS slot, event_time, event_id, account_id, principal, principal_arn, aws_region, source_ip, source_address,
    coalesce(json_extract_scalar(request_parameters, '$.bucketName'), 'unknown') AS bucket,
    filter(coalesce(TRY_CAST(json_extract(request_parameters, '$.ReplicationConfiguration.Rule') AS ARRAY(JSON)),
        ARRAY[json_extract(request_parameters, '$.ReplicationConfiguration.Rule')]),
      rule -> json_extract_scalar(rule, '$.Destination.Account') <> account_id
        AND strpos(:known_accounts, json_extract_scalar(rule, '$.Destination.Account')) = 0
        AND coalesce(json_extract_scalar(rule, '$.Status'), 'Enabled') <> 'Disabled') AS foreign_rules
  FROM cloudtrail
)
SELECT slot, account_id, principal, bucket, min(json_extract_scalar(element_at(foreign_rules, 1), '$.Destination.Bucket')) AS destination,
  min(principal_arn) AS principal_arn, min(aws_region) AS aws_region, min(source_ip) AS source_ip, min(source_address) AS source_address,
  min(event_time) AS first_seen, max(event_time) AS last_seen, count(*) AS count, array_agg(event_id ORDER BY event_time, event_id) AS event_ids
FROM rules
WHERE cardinality(foreign_rules) > 0
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  slot: '1h',
  subject: ['account_id', 'principal', 'bucket'],
  summary: '{principal} replicates {bucket} to {destination} of another account, from {source_address}',
  parameters: {
    known_accounts: z
      .string()
      .regex(/^([0-9]{12}(,[0-9]{12})*)?$/)
      .default('')
      .describe('account ids, separated by commas, that may receive replicas: those of your organization'),
  },
  falsePositives: ['A backup in an account of its own: add the account.'],
  blindSpots: [
    'A destination in a foreign account that the rule does not name: the ARN of a bucket holds no account.',
    'Batch replication and copies that are made by hand: object-copied-to-another-account.',
  ],

  response: [
    'Delete the rule; destination names the bucket, request_parameters.ReplicationConfiguration the account.',
    'Run the saved question bucket-access for the bucket: what was written since first_seen has left.',
  ],
  examples: [
    { name: 'to a foreign account', records: [foreign], alerts: [ALERT] },
    { name: 'one of several rules', records: [put([rule('111122223333'), rule('444455556666')])], alerts: [ALERT] },
    {
      name: 'within the account, to an account that is not named, or a rule that is disabled',
      records: [put(rule('111122223333')), put(rule(undefined)), put({ ...rule('444455556666'), Status: 'Disabled' })],
      alerts: [],
    },
    { name: 'a known account', records: [foreign], alerts: [], parameters: { known_accounts: '444455556666' } },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...foreign, errorCode: 'AccessDenied' },
        { ...foreign, eventName: 'GetBucketReplication' },
        { ...foreign, eventSource: 'example.amazonaws.com' },
        { ...foreign, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
