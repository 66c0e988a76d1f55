/** The policy of a bucket allows something to everybody. */
import { defineDetector } from '../../src/detector.ts';

const put = (...Statement: object[]) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'PutBucketPolicy',
  requestParameters: {
    bucketName: 'amzn-s3-demo-bucket',
    policy: '',
    bucketPolicy: { Version: '2012-10-17', Statement },
  },
});
const read = {
  Effect: 'Allow',
  Principal: '*',
  Action: 's3:GetObject',
  Resource: 'arn:aws:s3:::amzn-s3-demo-bucket/*',
};
const open = put(read);
const ALERT = [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice', bucket: 'amzn-s3-demo-bucket' } }];

export const detector = defineDetector({
  id: 'bucket-policy-public',
  title: 'A bucket policy was opened to everybody',
  description:
    'A statement of the new policy allows something to the principal * without a condition. Statements are judged one by one: many good policies deny something to everybody, such as plain HTTP.',
  severity: 'high',
  severityReason: 'Data is on the internet from this moment on, unless Block Public Access holds it back.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1530', version: 16 },
    { technique: 'T1537', version: 16 },
  ],
  tags: ['exfiltration', 'data-protection'],
  when: {
    all: [
      { event_source: 's3.amazonaws.com', event_name: 'PutBucketPolicy', outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  sql: `-- One row per principal, bucket and hour in which a policy was opened to everybody.
WITH opened AS (
  SELECT date_trunc('hour', event_time) AS slot, event_time, event_id, account_id, principal, principal_arn, aws_region, source_ip, source_address,
    coalesce(json_extract_scalar(request_parameters, '$.bucketName'), 'unknown') AS bucket
  FROM cloudtrail
  WHERE cardinality(filter(
      coalesce(TRY_CAST(json_extract(request_parameters, '$.bucketPolicy.Statement') AS ARRAY(JSON)),
        ARRAY[json_extract(request_parameters, '$.bucketPolicy.Statement')]),
      statement -> json_extract_scalar(statement, '$.Effect') = 'Allow'
        AND json_extract(statement, '$.Condition') IS NULL
        AND regexp_like(json_format(json_extract(statement, '$.Principal')), '^"[*]"$|"AWS" *: *("[*]"|[[][^]]*"[*]")')
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
  summary: '{principal} opened {bucket} to everybody from {source_address}',
  falsePositives: ['A bucket that serves a public web site.'],
  blindSpots: [
    'A condition that holds nobody back.',
    'Access points and their own policies.',
    'A single foreign account: bucket-policy-given-to-account.',
  ],
  response: ['Delete the policy, switch Block Public Access on, and read the S3 access log for what was fetched.'],
  examples: [
    { name: 'everybody may read', records: [open], alerts: ALERT },
    {
      name: 'everybody among others, in a statement that stands alone',
      records: [
        {
          ...open,
          requestParameters: {
            ...open.requestParameters,
            bucketPolicy: { Statement: { ...read, Principal: { AWS: ['arn:aws:iam::111122223333:root', '*'] } } },
          },
        },
      ],
      alerts: ALERT,
    },
    {
      name: 'everybody is denied plain HTTP, and one role may read',
      records: [
        put(
          { ...read, Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } },
          { ...read, Effect: 'Deny' },
          { ...read, Principal: { AWS: 'arn:aws:iam::111122223333:role/Reader' } },
        ),
      ],
      alerts: [],
    },
    {
      name: 'everybody in the organization, and a service',
      records: [
        put({ ...read, Condition: { StringEquals: { 'aws:PrincipalOrgID': 'o-example' } } }),
        put({ ...read, Principal: { Service: 'cloudtrail.amazonaws.com' } }),
      ],
      alerts: [],
    },
    {
      name: 'refused, read, another service, or by an AWS service',
      records: [
        { ...open, errorCode: 'AccessDenied' },
        { ...open, eventName: 'GetBucketPolicy' },
        { ...open, eventSource: 'example.amazonaws.com' },
        { ...open, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
