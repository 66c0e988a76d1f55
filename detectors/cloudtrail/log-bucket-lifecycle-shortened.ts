/** Logs are to be deleted after a few days. */
import { defineDetector, z } from '../../src/detector.ts';

const rule = (Days: number, Status = 'Enabled') => ({
  ID: 'expire',
  Status,
  Filter: { Prefix: '' },
  Expiration: { Days },
});
const put = (Rule: unknown, bucketName = 'amzn-s3-demo-cloudtrail-logs') => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'PutBucketLifecycle',
  requestParameters: { bucketName, lifecycle: '', LifecycleConfiguration: { Rule } },
});
const short = put(rule(1));
/** CloudTrail looks at the access list of the buckets it delivers to. */
const check = {
  eventSource: 's3.amazonaws.com',
  eventName: 'GetBucketAcl',
  userIdentity: { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' },
  requestParameters: { bucketName: 'amzn-s3-demo-archive', acl: '' },
};
const ALERT = [
  { subject: { principal: 'arn:aws:iam::111122223333:user/Alice', bucket: 'amzn-s3-demo-cloudtrail-logs' } },
];

export const detector = defineDetector({
  id: 'log-bucket-lifecycle-shortened',
  title: 'A log bucket was told to delete its logs within days',
  description:
    'A lifecycle rule with a short expiry empties a bucket in silence and without a single DeleteObject. A bucket counts as one for logs when its name says so, or when CloudTrail itself looked at it on the same day, as it does where it delivers.',
  severity: 'high',
  severityReason: 'Destroys the evidence by itself, days after the intruder has gone.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1562.008', version: 16 },
    { technique: 'T1485.001', version: 16 },
  ],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    any: [
      {
        all: [
          {
            event_source: 's3.amazonaws.com',
            event_name: 'PutBucketLifecycle',
            outcome: 'success',
          },
          { not: { actor_type: 'service' } },
        ],
      },
      // What CloudTrail does in a bucket that it delivers to: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
      {
        event_source: 's3.amazonaws.com',
        event_name: ['GetBucketAcl', 'PutObject'],
        invoked_by: 'cloudtrail.amazonaws.com',
      },
    ],
  },
  sql: `-- One row per principal, bucket and day in which a log bucket was given a short expiry.
WITH shortened AS (
  SELECT date_trunc('day', event_time) AS slot, event_time, event_id, account_id, principal, principal_arn, aws_region, source_ip, source_address,
    coalesce(json_extract_scalar(request_parameters, '$.bucketName'), '') AS bucket
  FROM cloudtrail
  WHERE cardinality(filter(
      coalesce(TRY_CAST(json_extract(request_parameters, '$.LifecycleConfiguration.Rule') AS ARRAY(JSON)),
        ARRAY[json_extract(request_parameters, '$.LifecycleConfiguration.Rule')]),
      rule -> json_extract_scalar(rule, '$.Status') = 'Enabled'
        AND TRY_CAST(json_extract_scalar(rule, '$.Expiration.Days') AS BIGINT) <= :days
    )) > 0
), delivered AS (
  SELECT date_trunc('day', event_time) AS slot, json_extract_scalar(request_parameters, '$.bucketName') AS bucket
  FROM cloudtrail
  WHERE event_name <> 'PutBucketLifecycle'
  GROUP BY 1, 2
)
SELECT s.slot, s.account_id, s.principal, s.bucket, min(s.principal_arn) AS principal_arn, min(s.aws_region) AS aws_region,
  min(s.source_ip) AS source_ip, min(s.source_address) AS source_address, min(s.event_time) AS first_seen, max(s.event_time) AS last_seen,
  count(*) AS count, array_agg(s.event_id ORDER BY s.event_time, s.event_id) AS event_ids
FROM shortened AS s
LEFT JOIN delivered AS d ON d.slot = s.slot AND d.bucket = s.bucket
WHERE d.bucket IS NOT NULL OR regexp_like(s.bucket, :bucket_names)
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  slot: '1d',
  subject: ['account_id', 'principal', 'bucket'],
  summary: '{principal} set a short expiry on {bucket} from {source_address}',
  parameters: {
    days: z
      .int()
      .min(1)
      .default(7)
      .describe('days; logs that live a week or less are gone before anybody asks for them'),
    bucket_names: z
      .string()
      .default('trail|log|audit')
      .describe('RE2 pattern of names of buckets that hold logs, in lower case as bucket names are'),
  },
  falsePositives: ['A bucket for temporary logs.', 'A rule that expires only a prefix of the bucket.'],
  blindSpots: [
    'A log bucket with an unusual name that CloudTrail did not touch that day: add it to bucket_names.',
    'Rules that expire at a date.',
  ],
  response: [
    'Remove the rule at once: what it has not yet deleted is safe.',
    'Run the saved question bucket-access for the bucket.',
  ],
  examples: [
    { name: 'logs live for a day', records: [short], alerts: ALERT },
    { name: 'one rule of two is short', records: [put([rule(400), rule(2)])], alerts: ALERT },
    {
      name: 'the name says nothing, but CloudTrail delivers there',
      records: [check, put(rule(1), 'amzn-s3-demo-archive')],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-archive' }, count: 1 }],
    },
    {
      name: 'somebody else looks at the bucket, or CloudTrail at another',
      records: [
        { ...check, userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' } },
        put(rule(1), 'amzn-s3-demo-archive'),
        put(rule(1), 'amzn-s3-demo-uploads'),
      ],
      alerts: [],
    },
    {
      name: 'CloudTrail writes there',
      records: [
        {
          ...check,
          eventName: 'PutObject',
          requestParameters: { bucketName: 'amzn-s3-demo-archive', key: 'AWSLogs/111122223333/CloudTrail/a.json.gz' },
        },
        put(rule(1), 'amzn-s3-demo-archive'),
      ],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-archive' }, count: 1 }],
    },
    {
      name: 'CloudTrail asks another service about it, or reads from it',
      records: [
        { ...check, eventSource: 'example.amazonaws.com' },
        { ...check, eventName: 'GetObject' },
        put(rule(1), 'amzn-s3-demo-archive'),
      ],
      alerts: [],
    },
    { name: 'logs live for two years', records: [put(rule(730)), put([rule(730), rule(400)])], alerts: [] },
    {
      name: 'the operator wants logs for a year',
      records: [put(rule(300))],
      alerts: ALERT,
      parameters: { days: 365 },
    },
    { name: 'the rule is not in force', records: [put(rule(1, 'Disabled')), put([rule(1, 'Disabled')])], alerts: [] },
    {
      name: 'the operator names other buckets',
      records: [short],
      alerts: [],
      parameters: { bucket_names: '^company-evidence$' },
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...short, errorCode: 'AccessDenied' },
        { ...short, eventName: 'GetBucketLifecycle' },
        { ...short, eventSource: 'example.amazonaws.com' },
        { ...short, userIdentity: { type: 'AWSService', invokedBy: 'controltower.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
