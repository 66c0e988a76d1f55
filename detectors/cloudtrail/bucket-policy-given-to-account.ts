/** The policy of a bucket allows something to another AWS account. */
import { defineDetector, z } from '../../src/detector.ts';

const put = (Principal: unknown, change: object = {}) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'PutBucketPolicy',
  requestParameters: {
    bucketName: 'amzn-s3-demo-bucket',
    bucketPolicy: {
      Statement: [
        {
          Effect: 'Allow',
          Principal,
          Action: 's3:GetObject',
          Resource: 'arn:aws:s3:::amzn-s3-demo-bucket/*',
          ...change,
        },
      ],
    },
  },
});
const foreign = put({ AWS: 'arn:aws:iam::444455556666:root' });
const ALERT = [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice', bucket: 'amzn-s3-demo-bucket' } }];

export const detector = defineDetector({
  id: 'bucket-policy-given-to-account',
  title: 'A bucket policy was opened to another account',
  description:
    'A statement of the new policy allows something to the root, a user or a role of an account that is neither the own one nor in known_accounts.',
  severity: 'medium',
  severityReason: 'A quiet way to carry data off; sister accounts and vendors are let in the same way.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1537', version: 16 }],
  tags: ['exfiltration', 'data-protection'],
  when: { event_source: 's3.amazonaws.com', event_name: 'PutBucketPolicy', outcome: 'success' },
  sql: `-- One row per principal, bucket and hour in which a policy was opened to another account.
WITH opened AS (
  SELECT date_trunc('hour', event_time) AS slot, event_time, event_id, account_id, principal, principal_arn, aws_region, source_ip, source_address,
    coalesce(json_extract_scalar(request_parameters, '$.bucketName'), 'unknown') AS bucket
  FROM cloudtrail
  WHERE cardinality(filter(
      coalesce(TRY_CAST(json_extract(request_parameters, '$.bucketPolicy.Statement') AS ARRAY(JSON)),
        ARRAY[json_extract(request_parameters, '$.bucketPolicy.Statement')]),
      statement -> json_extract_scalar(statement, '$.Effect') = 'Allow'
        AND cardinality(filter(regexp_extract_all(json_format(json_extract(statement, '$.Principal.AWS')), '[0-9]{12}'),
          account -> account <> account_id AND strpos(:known_accounts, account) = 0)) > 0
    )) > 0
)
SELECT slot, account_id, principal, bucket, min(principal_arn) AS principal_arn, min(aws_region) AS aws_region, min(source_ip) AS source_ip,
  min(source_address) AS source_address, min(event_time) AS first_seen, max(event_time) AS last_seen, count(*) AS count,
  array_agg(event_id ORDER BY event_time, event_id) AS event_ids
FROM opened
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  slot: '1h',
  subject: ['account_id', 'principal', 'bucket'],
  summary: '{principal} opened {bucket} to another account from {source_address}',
  parameters: {
    known_accounts: z
      .string()
      .regex(/^([0-9]{12}(,[0-9]{12})*)?$/)
      .default('')
      .describe(
        'account ids, separated by commas, that may be let in: those of your organization, of vendors, of log delivery',
      ),
  },
  falsePositives: ['Sister accounts, vendors, and the accounts from which AWS delivers load balancer logs: add them.'],
  blindSpots: [
    'Everybody at once: bucket-policy-public.',
    'An account of the list that was broken into.',
    'Canonical user ids.',
  ],
  response: ['Find out whose the account is; delete the statement; read the S3 access log for that account.'],
  examples: [
    { name: 'another account may read', records: [foreign], alerts: ALERT },
    {
      name: 'one of several roles is foreign',
      records: [put({ AWS: ['arn:aws:iam::111122223333:role/A', 'arn:aws:iam::444455556666:role/B'] })],
      alerts: ALERT,
    },
    {
      name: 'the own account, and a service',
      records: [put({ AWS: '111122223333' }), put({ Service: 'cloudtrail.amazonaws.com' })],
      alerts: [],
    },
    { name: 'another account is denied', records: [put({ AWS: '444455556666' }, { Effect: 'Deny' })], alerts: [] },
    {
      name: 'a known account',
      records: [foreign],
      alerts: [],
      parameters: { known_accounts: '222233334444,444455556666' },
    },
    {
      name: 'refused, read, or another service',
      records: [
        { ...foreign, errorCode: 'AccessDenied' },
        { ...foreign, eventName: 'GetBucketPolicy' },
        { ...foreign, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
