/** An object was written without the encryption that its bucket requires. */
import { defineDetector, z } from '../../src/detector.ts';

const KEY = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const OTHER_KEY = 'arn:aws:kms:us-east-1:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321';
const put = (SSEApplied: string | undefined, change: object = {}) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'PutObject',
  requestParameters: { bucketName: 'amzn-s3-demo-finance', key: 'report.csv' },
  additionalEventData: { SignatureVersion: 'SigV4', SSEApplied },
  ...change,
});
const withKey = (key: string) => ({
  responseElements: { 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': key },
});
const asked = {
  requestParameters: {
    bucketName: 'amzn-s3-demo-finance',
    key: 'report.csv',
    'x-amz-server-side-encryption': 'AES256',
  },
};
const IN_2022 = { eventTime: '2022-06-01T09:00:00Z' };
const ALERT = [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice', bucket: 'amzn-s3-demo-finance' } }];
const MUST_BE_KMS = { kms_buckets: '^amzn-s3-demo-finance$' };
const MUST_BE_KEY = { kms_buckets: '-finance$', required_key: KEY };

export const detector = defineDetector({
  id: 'put-object-without-required-encryption',
  title: 'An object was written without the required encryption',
  description:
    'Since 5 January 2023 S3 encrypts every new object, so a request without an encryption header is harmless by itself; what counts is additionalEventData.SSEApplied, which says what was applied. Four things are reported. ' +
    'In records from before that day: an object that was not encrypted at all. In buckets that kms_buckets names: an object without KMS encryption, and one under another key than required_key. ' +
    'And in any bucket whose default is KMS, as another object of the same day shows: an object for which the caller asked for less.',
  severity: 'medium',
  severityReason: 'A breach of the rules of the house; the object still lies behind the permissions of its bucket.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1530', version: 16 }],
  tags: ['data-protection', 'compliance'],
  when: {
    event_source: 's3.amazonaws.com',
    event_name: ['PutObject', 'CopyObject', 'CreateMultipartUpload'],
    outcome: 'success',
  },
  // SSEApplied and its values: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-encryption-tracking.html
  sql: `-- One row per principal, bucket and day in which objects were written without the required encryption.
WITH written AS (
  SELECT date_trunc('day', c.event_time) AS slot, c.event_time, c.event_id, c.account_id, c.principal, c.principal_arn, c.aws_region, c.source_ip,
    c.source_address, c.request_parameters, c.response_elements, coalesce(json_extract_scalar(c.request_parameters, '$.bucketName'), 'unknown') AS bucket,
    coalesce(json_extract_scalar(c.additional_event_data, '$.SSEApplied'), '') AS applied
  FROM cloudtrail AS c
  WHERE (nullif(strpos(c.additional_event_data, '"SSEApplied":"SSE_KMS"'), 0) IS NULL OR :kms_buckets <> '^$')
    AND (nullif(strpos(c.additional_event_data, '"SSEApplied":"Default_SSE_S3"'), 0) IS NULL OR :kms_buckets <> '^$')
), kms_by_default AS (
  SELECT w.slot, w.bucket
  FROM written AS w
  WHERE w.applied = 'Default_SSE_KMS'
  GROUP BY 1, 2
), judged AS (
  SELECT w.slot, w.event_time, w.event_id, w.account_id, w.principal, w.principal_arn, w.aws_region, w.source_ip, w.source_address, w.bucket, CASE
      WHEN w.event_time < TIMESTAMP '2023-01-05 00:00:00' AND w.applied = ''
        AND coalesce(json_extract_scalar(w.response_elements, '$.x-amz-server-side-encryption'),
          json_extract_scalar(w.request_parameters, '$.x-amz-server-side-encryption'),
          json_extract_scalar(w.request_parameters, '$.x-amz-server-side-encryption-customer-algorithm'), '') = '' THEN 'no encryption'
      WHEN regexp_like(w.bucket, :kms_buckets) AND w.applied <> '' AND w.applied NOT LIKE '%KMS' THEN concat(w.applied, ' instead of KMS')
      WHEN regexp_like(w.bucket, :kms_buckets) AND :required_key <> '' AND coalesce(json_extract_scalar(w.response_elements,
        '$.x-amz-server-side-encryption-aws-kms-key-id'), json_extract_scalar(w.request_parameters, '$.x-amz-server-side-encryption-aws-kms-key-id'), '')
        NOT IN ('', :required_key) THEN 'another key than required'
      WHEN d.bucket IS NOT NULL AND w.applied = 'SSE_S3' THEN 'SSE_S3 instead of the default of the bucket'
    END AS flaw
  FROM written AS w
  LEFT JOIN kms_by_default AS d ON d.slot = w.slot AND d.bucket = w.bucket
)
SELECT j.slot, j.account_id, j.principal, j.bucket, min(j.flaw) AS flaw, min(j.principal_arn) AS principal_arn, min(j.aws_region) AS aws_region,
  min(j.source_ip) AS source_ip, min(j.source_address) AS source_address, min(j.event_time) AS first_seen, max(j.event_time) AS last_seen,
  count(*) AS count, array_agg(j.event_id ORDER BY j.event_time, j.event_id) AS event_ids
FROM judged AS j
WHERE j.flaw IS NOT NULL
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  slot: '1d',
  subject: ['account_id', 'principal', 'bucket'],
  summary: '{principal} wrote {count} objects to {bucket} with {flaw}, from {source_address}',
  parameters: {
    kms_buckets: z
      .string()
      .default('^$')
      .describe('RE2 pattern of names of buckets that must be encrypted with KMS; the default fits no bucket'),
    required_key: z
      .string()
      .default('')
      .describe('ARN of the key that these buckets must use; empty allows any KMS key'),
  },
  falsePositives: [
    'Old programs that still ask for AES256: let them leave the header away, and the default of the bucket applies.',
  ],
  blindSpots: [
    'The default of a bucket on a day on which nothing was written with it.',
    'Objects that were written before the trail recorded data events.',
    'S3 access logs say nothing of encryption: only data events of CloudTrail do.',
  ],
  needsDataEvents: 'AWS::S3::Object',
  response: [
    'Set the default encryption of the bucket, deny other writes with a bucket policy (s3:x-amz-server-side-encryption), copy the objects over themselves.',
  ],
  examples: [
    { name: 'in 2022 an object is written in the clear', records: [put(undefined, IN_2022)], alerts: ALERT },
    {
      name: 'in 2022 the default or the caller encrypts it',
      records: [put('Default_SSE_S3', IN_2022), put(undefined, { ...IN_2022, ...asked })],
      alerts: [],
    },
    {
      name: 'today a request without header is harmless',
      records: [put(undefined), put('Default_SSE_S3')],
      alerts: [],
    },
    {
      name: 'a bucket that must be KMS has another default',
      records: [put('Default_SSE_S3')],
      alerts: ALERT,
      parameters: MUST_BE_KMS,
    },
    { name: 'a bucket that must be KMS gets less', records: [put('SSE_S3')], alerts: ALERT, parameters: MUST_BE_KMS },
    {
      name: 'the bucket gets KMS, of its own accord or as asked',
      records: [put('Default_SSE_KMS', withKey(KEY)), put('SSE_KMS', withKey(OTHER_KEY))],
      alerts: [],
      parameters: MUST_BE_KMS,
    },
    {
      name: 'another bucket than the one that must be KMS',
      records: [put('SSE_S3', { requestParameters: { bucketName: 'amzn-s3-demo-website', key: 'index.html' } })],
      alerts: [],
      parameters: MUST_BE_KMS,
    },
    {
      name: 'another key than the required one',
      records: [put('SSE_KMS', withKey(OTHER_KEY))],
      alerts: ALERT,
      parameters: MUST_BE_KEY,
    },
    {
      name: 'the required key, and another bucket with another key',
      records: [
        put('SSE_KMS', withKey(KEY)),
        put('SSE_KMS', {
          ...withKey(OTHER_KEY),
          requestParameters: { bucketName: 'amzn-s3-demo-website', key: 'index.html' },
        }),
      ],
      alerts: [],
      parameters: MUST_BE_KEY,
    },
    {
      name: 'the caller asks for less than the default of the bucket',
      records: [put('Default_SSE_KMS', withKey(KEY)), put('SSE_S3', asked)],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-finance' }, count: 1 }],
    },
    {
      name: 'the default of another bucket does not matter',
      records: [
        put('Default_SSE_KMS', {
          ...withKey(KEY),
          requestParameters: { bucketName: 'amzn-s3-demo-website', key: 'index.html' },
        }),
        put('SSE_S3', asked),
      ],
      alerts: [],
    },
    {
      name: 'refused, read, or another service',
      records: [
        put(undefined, { ...IN_2022, errorCode: 'AccessDenied' }),
        put(undefined, { ...IN_2022, eventName: 'GetObject' }),
        put(undefined, { ...IN_2022, eventSource: 'example.amazonaws.com' }),
      ],
      alerts: [],
    },
    {
      name: 'the other calls that it is about',
      records: ['CopyObject', 'CreateMultipartUpload'].map((eventName) => ({
        eventName,
        eventSource: 's3.amazonaws.com',
        eventTime: '2022-06-01T10:00:00Z',
        requestParameters: { bucketName: 'amzn-s3-demo-finance', key: 'report.csv' },
        additionalEventData: { SignatureVersion: 'SigV4', SSEApplied: undefined },
      })),
      alerts: [
        {
          subject: {
            account_id: '111122223333',
            principal: 'arn:aws:iam::111122223333:user/Alice',
            bucket: 'amzn-s3-demo-finance',
          },
          count: 2,
        },
      ],
    },
  ],
});
