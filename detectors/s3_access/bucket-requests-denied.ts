/** A principal is refused by S3 again and again; CloudTrail tells why. */
import { defineDetector, z } from '../../src/detector.ts';

const denied =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 403 AccessDenied 243 - 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const many = (record: string) => ({ repeat: 50, every: '10s', record }) as const;
const ALERT = [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 50 }];

export const detector = defineDetector({
  id: 'bucket-requests-denied',
  title: 'Many S3 requests of one principal were refused',
  description:
    'Refusals by bucket policy, endpoint or identity of one principal within an hour, over all its buckets. Where CloudTrail logs the data events, the same request id leads to the reason and the access key.',
  severity: 'medium',
  severityReason:
    'Nothing was obtained by these requests; they show that somebody is trying out what a credential opens.',
  table: 's3_access',
  reads: ['cloudtrail'],
  attack: [
    { technique: 'T1619', version: 16 },
    { technique: 'T1530', version: 16 },
  ],
  tags: ['discovery'],
  when: {
    all: [{ outcome: 'denied', requester: { exists: true } }, { not: { requester: { startswith: 'svc:' } } }],
  },
  sql: `-- One row per principal and hour with many refused requests, told with what CloudTrail knows of them.
WITH refused AS (
  SELECT date_trunc('hour', s.event_time) AS slot, s.account_id, s.principal, s.principal_arn, s.source_ip, s.bucket, s.operation, s.key,
    s.event_time, s.request_id
  FROM s3_access AS s
), bursts AS (
  SELECT r.slot, r.principal
  FROM refused AS r
  GROUP BY 1, 2
  HAVING count(*) >= :refusals
), told AS (
  SELECT c.request_id, min(c.error_message) AS error_message, min(c.access_key_id) AS access_key_id
  FROM cloudtrail AS c
  WHERE c.event_source = 's3.amazonaws.com' AND c.outcome = 'denied'
  GROUP BY 1
)
SELECT r.slot, r.account_id, r.principal, min(r.principal_arn) AS principal_arn, min(r.source_ip) AS source_ip,
  count(DISTINCT r.bucket) AS buckets, min(r.bucket) AS bucket, min(r.operation) AS operation,
  coalesce(min(t.error_message), 'CloudTrail has no data events of them') AS reason, coalesce(min(t.access_key_id), 'unknown') AS access_key_id,
  min(r.event_time) AS first_seen, max(r.event_time) AS last_seen, count(*) AS count,
  array_agg(r.request_id ORDER BY r.event_time, r.request_id) AS event_ids
FROM refused AS r
JOIN bursts AS b ON b.slot = r.slot AND b.principal = r.principal
LEFT JOIN told AS t ON t.request_id = r.request_id
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3`,
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} was refused {count} times in {buckets} buckets, first {bucket}, from {source_ip} with key {access_key_id}: {reason}',
  parameters: {
    refusals: z
      .int()
      .min(1)
      .default(50)
      .describe('refused requests in an hour of the clock; programs that lack one permission retry a few times'),
  },
  falsePositives: ['A job that has lost a permission and retries without end.'],
  blindSpots: [
    'Slow probing below the threshold.',
    'Requests without credentials: object-keys-guessed and bucket-configuration-probed.',
    'Requests whose credentials AWS does not accept: refused-credentials.',
  ],
  response: [
    'Run the saved question requester-activity for the principal: what worked before and after.',
    'If access_key_id is known, run access-key-activity for it.',
  ],
  examples: [
    { name: 'fifty refusals in eight minutes', records: [many(denied)], alerts: ALERT },
    {
      name: 'CloudTrail knows one of them',
      records: [
        many(denied),
        {
          eventSource: 's3.amazonaws.com',
          eventName: 'GetObject',
          requestID: 'EXAMPLE000000001',
          errorCode: 'AccessDenied',
          errorMessage: 'no resource-based policy allows the s3:GetObject action',
        },
      ],
      alerts: ALERT,
    },
    { name: 'one refusal fewer', records: [{ ...many(denied), repeat: 49 }], alerts: [] },
    {
      name: 'the operator asks for fewer',
      records: [{ ...many(denied), repeat: 5 }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 }],
      parameters: { refusals: 5 },
    },
    { name: 'as many over a day', records: [{ ...many(denied), every: '30m' }], alerts: [] },
    {
      name: 'as many keys that do not exist',
      records: [many(denied.replace('403 AccessDenied', '404 NoSuchKey'))],
      alerts: [],
    },
    {
      name: 'a stranger, or CloudFront for a missing page',
      records: [
        many(denied.replace('arn:aws:iam::111122223333:user/Alice', '-')),
        many(denied.replace('arn:aws:iam::111122223333:user/Alice', 'svc:cloudfront.amazonaws.com')),
      ],
      alerts: [],
    },
  ],
});
