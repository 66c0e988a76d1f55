/** Somebody changed who may read a bucket, and within a week it was read without credentials. */
import { defineDetector } from '../../src/detector.ts';

const read =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 - {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= - TLS_AES_128_GCM_SHA256 - amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const change = {
  eventSource: 's3.amazonaws.com',
  eventName: 'PutBucketPolicy',
  eventTime: '2025-03-03T09:00:00Z',
  requestParameters: { bucketName: 'amzn-s3-demo-bucket' },
};
const opened = read.replace('{time}', '03/Mar/2025:11:00:00 +0000');
const ALERT = [
  { subject: { bucket: 'amzn-s3-demo-bucket', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
];

export const detector = defineDetector({
  id: 'bucket-opened-then-read',
  title: 'A bucket was opened and then read without credentials',
  description:
    'Joins two logs: CloudTrail tells who changed the policy, the ACL or Block Public Access of a bucket, the access log that the first anonymous read in a week came after it. One tells whose mistake it was, the other that it was noticed.',
  severity: 'high',
  severityReason: 'The change worked and somebody has found it; a new web site is opened and visited the same way.',
  table: 's3_access',
  reads: ['cloudtrail'],
  attack: [
    { technique: 'T1530', version: 16 },
    { technique: 'T1537', version: 16 },
  ],
  tags: ['exfiltration', 'data-protection'],
  when: { operation: ['REST.GET.OBJECT', 'WEBSITE.GET.OBJECT'], is_anonymous: true, outcome: 'success' },
  // The events: https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html
  sql: `-- One row per bucket and hour with the first anonymous read in a week, told with the last change of access before it.
WITH anonymous AS (
  SELECT s.bucket, s.event_time, s.request_id, s.key, s.source_ip,
    lag(s.event_time) OVER (PARTITION BY s.bucket ORDER BY s.event_time, s.request_id) AS read_before
  FROM s3_access AS s
), first_reads AS (
  SELECT a.bucket, a.event_time, a.request_id, a.key, a.source_ip
  FROM anonymous AS a
  WHERE a.read_before IS NULL OR a.read_before < a.event_time - INTERVAL '7' DAY
), changes AS (
  SELECT json_extract_scalar(c.request_parameters, '$.bucketName') AS bucket, c.event_time, c.event_id, c.event_name, c.account_id,
    c.aws_region, c.principal, c.principal_arn
  FROM cloudtrail AS c
  WHERE c.event_source = 's3.amazonaws.com' AND c.outcome = 'success'
    AND c.event_name IN ('PutBucketPolicy', 'PutBucketAcl', 'PutBucketPublicAccessBlock', 'DeleteBucketPublicAccessBlock', 'PutObjectAcl')
), joined AS (
  SELECT r.bucket, r.event_time, r.request_id, r.key, r.source_ip, c.event_id, c.event_name, c.account_id, c.aws_region, c.principal,
    c.principal_arn, row_number() OVER (PARTITION BY r.bucket, r.request_id ORDER BY c.event_time DESC, c.event_id) AS place
  FROM first_reads AS r
  JOIN changes AS c ON c.bucket = r.bucket AND c.event_time <= r.event_time AND c.event_time > r.event_time - INTERVAL '7' DAY
)
SELECT date_trunc('hour', j.event_time) AS slot, j.bucket, j.principal, min(j.principal_arn) AS principal_arn, min(j.account_id) AS account_id,
  min(j.aws_region) AS aws_region, min(j.event_name) AS event_name, min(j.key) AS key, min(j.source_ip) AS source_ip,
  min(j.event_time) AS first_seen, max(j.event_time) AS last_seen, count(*) AS count,
  array_agg(DISTINCT j.request_id ORDER BY j.request_id) AS event_ids
FROM joined AS j
WHERE j.place = 1
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3`,
  lookback: '7d',
  slot: '1h',
  subject: ['bucket', 'principal'],
  summary: '{principal} opened {bucket} by {event_name}, then {source_ip} read {key} without credentials',
  falsePositives: [
    'A new public web site.',
    'A policy that changed shortly before a rare visitor came to a public bucket.',
  ],
  blindSpots: [
    'A bucket of which CloudTrail or the access log is not kept.',
    'Block Public Access of the whole account, which names no bucket: account-public-access-block-removed.',
  ],
  response: [
    'Look at the change with the saved question event, and undo it.',
    'Run the saved question anonymous-reads for the bucket since then.',
  ],
  examples: [
    { name: 'the policy is changed, two hours later a stranger reads', records: [change, opened], alerts: ALERT },
    {
      name: 'Block Public Access is taken off',
      records: [{ ...change, eventName: 'DeleteBucketPublicAccessBlock' }, opened],
      alerts: ALERT,
    },
    { name: 'nobody changed anything', records: [opened], alerts: [] },
    { name: 'nobody reads', records: [change, opened.replace('200 -', '403 AccessDenied')], alerts: [] },
    {
      name: 'the bucket was read before the change as well',
      records: [read.replace('{time}', '02/Mar/2025:11:00:00 +0000'), change, opened],
      alerts: [],
    },
    {
      name: 'another bucket, a refused change, a question',
      records: [
        { ...change, requestParameters: { bucketName: 'amzn-s3-demo-website' } },
        { ...change, errorCode: 'AccessDenied' },
        { ...change, eventName: 'GetBucketPolicy' },
        { ...change, eventSource: 'example.amazonaws.com' },
        opened,
      ],
      alerts: [],
    },
    {
      name: 'the change came later, or long before',
      records: [
        { ...change, eventTime: '2025-02-20T09:00:00Z' },
        opened,
        { ...change, eventTime: '2025-03-03T12:00:00Z' },
      ],
      alerts: [],
    },
    {
      name: 'asked for its size only, or read with credentials',
      records: [
        change,
        opened.replace('REST.GET.OBJECT', 'REST.HEAD.OBJECT'),
        opened.replace(' - {id}', ' arn:aws:iam::111122223333:user/Alice {id}').replace('= - TLS', '= SigV4 TLS'),
      ],
      alerts: [],
    },
    {
      name: 'the same by WEBSITE.GET.OBJECT',
      records: [change, opened.replace('REST.GET.OBJECT', 'WEBSITE.GET.OBJECT')],
      alerts: [
        { subject: { bucket: 'amzn-s3-demo-bucket', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
  ],
});
