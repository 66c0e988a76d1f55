/** A principal deletes far more objects in an hour than it usually does. */
import { defineDetector, z } from '../../src/detector.ts';

const deletion =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.DELETE.OBJECT reports/2025.csv "DELETE /reports/2025.csv HTTP/1.1" 204 - - - 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const many = (repeat: number, date: string, record = deletion) =>
  ({ repeat, every: '2s', record: record.replace('{time}', `${date}/Mar/2025:03:00:00 +0000`) }) as const;
const ALERT = [
  { subject: { bucket: 'amzn-s3-demo-bucket', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1000 },
];

export const detector = defineDetector({
  id: 'bucket-objects-deleted-in-bulk',
  title: 'Objects of a bucket were deleted in great number',
  description:
    'Counts deleted objects per bucket, principal and hour, each object of a batch by itself, and compares them with the median of the busy hours of that principal in that bucket in the two weeks before: a nightly clean-up is told once, on its first night. Deletions that name a version are final.',
  severity: 'high',
  severityReason: 'Destroys data unless versions are kept, and ransom begins like this.',
  table: 's3_access',
  attack: [{ technique: 'T1485', version: 16 }],
  tags: ['impact', 'data-protection', 'baseline'],
  when: {
    all: [
      // Batches: https://docs.aws.amazon.com/AmazonS3/latest/userguide/LogFormat.html
      { operation: ['REST.DELETE.OBJECT', 'BATCH.DELETE.OBJECT'], outcome: 'success' },
      { not: { requester: { startswith: 'svc:' } } },
    ],
  },
  sql: `-- One row per bucket, principal and hour in which far more objects were deleted than in its usual hours.
WITH hourly AS (
  SELECT date_trunc('hour', s.event_time) AS slot, s.bucket, s.principal, count(*) AS objects
  FROM s3_access AS s
  GROUP BY 1, 2, 3
), loud AS (
  SELECT h.slot, h.bucket, h.principal, h.objects
  FROM hourly AS h
  WHERE h.objects >= :objects
), ranked AS (
  SELECT l.slot, l.bucket, l.principal, h.objects, row_number() OVER (PARTITION BY l.slot, l.bucket, l.principal ORDER BY h.objects) AS place,
    count(*) OVER (PARTITION BY l.slot, l.bucket, l.principal) AS hours
  FROM loud AS l
  JOIN hourly AS h ON h.bucket = l.bucket AND h.principal = l.principal AND h.slot < l.slot AND h.slot >= l.slot - INTERVAL '14' DAY
), usual AS (
  SELECT r.slot, r.bucket, r.principal, max(r.objects) AS objects
  FROM ranked AS r
  WHERE r.place = (r.hours + 1) / 2
  GROUP BY 1, 2, 3
)
SELECT l.slot, s.bucket, s.principal, min(s.principal_arn) AS principal_arn, min(s.account_id) AS account_id, min(s.source_ip) AS source_ip,
  min(s.key) AS key, count(s.version_id) AS versions, coalesce(min(u.objects), 0) AS usual,
  min(s.event_time) AS first_seen, max(s.event_time) AS last_seen, count(*) AS count,
  array_agg(DISTINCT s.request_id ORDER BY s.request_id) AS event_ids
FROM loud AS l
JOIN s3_access AS s ON s.bucket = l.bucket AND s.principal = l.principal AND date_trunc('hour', s.event_time) = l.slot
LEFT JOIN usual AS u ON u.slot = l.slot AND u.bucket = l.bucket AND u.principal = l.principal
GROUP BY 1, 2, 3
HAVING count(*) >= :times * coalesce(min(u.objects), 0)
ORDER BY 1, 2, 3`,
  lookback: '14d',
  slot: '1h',
  subject: ['bucket', 'principal'],
  summary:
    '{principal} deleted {count} objects of {bucket} from {source_ip}, {versions} of them by version and for good; usual are {usual} in an hour',
  parameters: {
    objects: z
      .int()
      .min(1)
      .default(1000)
      .describe(
        'objects in an hour of the clock: one full batch; applications that tidy up after themselves stay below',
      ),
    times: z
      .number()
      .min(1)
      .default(10)
      .describe('multiple of the median of its hours with deletions in the two weeks before; 0 where it had none'),
  },
  falsePositives: ['The first night of a clean-up job, a bucket that is given up.'],
  blindSpots: [
    'Lifecycle rules, which the log shows as S3.EXPIRE.OBJECT: log-bucket-lifecycle-shortened for log buckets.',
    'Slow deletion, and a job that deletes that much every night.',
  ],
  response: [
    'Withdraw the session of the principal first.',
    'Where versions are kept, objects come back by removing the delete markers; run object-history for a key to see.',
  ],
  examples: [
    { name: 'a thousand objects in half an hour', records: [many(1000, '11')], alerts: ALERT },
    {
      name: 'a batch with versions, by somebody who deletes a few each day',
      records: [
        ...['07', '08', '09', '10'].map((date) => many(5, date)),
        many(
          1000,
          '11',
          deletion.replace('REST.DELETE', 'BATCH.DELETE').replace('" - s9lz', '" 3HL4kqtJvjVBH40Nrjfkd s9lz'),
        ),
      ],
      alerts: ALERT,
    },
    {
      name: 'the operator asks for fewer',
      records: [many(50, '11')],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket' }, count: 50 }],
      parameters: { objects: 50 },
    },
    { name: 'one object fewer', records: [many(999, '11')], alerts: [] },
    {
      name: 'a clean-up job, seen with a lower threshold: every night as much',
      records: ['08', '09', '10', '11'].map((date) => many(60, date)),
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket' }, count: 60 }],
      parameters: { objects: 50 },
    },
    {
      name: 'the operator wants every such night',
      records: ['10', '11'].map((date) => many(60, date)),
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket' } }, { subject: { bucket: 'amzn-s3-demo-bucket' } }],
      parameters: { objects: 50, times: 1 },
    },
    {
      name: 'refused, stored, or by an AWS service',
      records: [
        many(1000, '11', deletion.replace('204 -', '403 AccessDenied')),
        many(1000, '11', deletion.replace('REST.DELETE', 'REST.PUT')),
        many(1000, '11', deletion.replace('arn:aws:iam::111122223333:user/Alice', 'svc:example.amazonaws.com')),
      ],
      alerts: [],
    },
  ],
});
