/** A bucket of which it is known who uses it was used by somebody else. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const read =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:sts::111122223333:assumed-role/etl/nightly {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const stranger = read.replace('assumed-role/etl/nightly', 'assumed-role/Developer/mjackson');
const EXPECTED = {
  buckets: '^amzn-s3-demo-bucket$',
  expected: '^amzn-s3-demo-bucket arn:aws:iam::111122223333:role/(etl|backup)$',
};

export const detector = defineDetector({
  id: 'bucket-requester-not-expected',
  title: 'A guarded bucket was used by somebody who is not expected there',
  description:
    'You say which buckets are guarded and who may use each of them; every other principal whose request succeeds is told. Without these parameters it says nothing.',
  severity: 'high',
  severityReason: 'You have said that this must not happen.',
  table: 's3_access',
  attack: [{ technique: 'T1530', version: 16 }],
  tags: ['collection', 'data-protection'],
  when: { outcome: 'success', bucket: { re: parameter('buckets') } },
  sql: `-- One row per bucket, principal and hour with requests of somebody who is not expected in this bucket.
SELECT date_trunc('hour', s.event_time) AS slot, s.bucket, s.principal, min(s.principal_arn) AS principal_arn, min(s.account_id) AS account_id,
  min(s.remote_ip) AS remote_ip, min(s.source_ip) AS source_ip, min(s.operation) AS operation, min(s.key) AS key,
  min(s.event_time) AS first_seen, max(s.event_time) AS last_seen, count(*) AS count,
  array_agg(s.request_id ORDER BY s.event_time, s.request_id) AS event_ids
FROM s3_access AS s
WHERE NOT regexp_like(concat(s.bucket, ' ', s.principal), :expected)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3`,
  slot: '1h',
  subject: ['bucket', 'principal'],
  summary:
    '{principal} made {count} requests in the guarded bucket {bucket}, among them {operation} {key} from {remote_ip}',
  parameters: {
    buckets: z.string().default('^$').describe('RE2 pattern of names of guarded buckets; the default fits no bucket'),
    expected: z
      .string()
      .default('^$')
      .describe(
        'RE2 pattern of `<bucket> <principal>` pairs that are expected, alternatives joined by |; of a role without its path, as the log names it',
      ),
  },
  falsePositives: ['A principal that was forgotten in expected; AWS services (svc:…) stand there too.'],
  blindSpots: ['An expected principal whose credentials were stolen: requester-network-first-seen.'],
  response: ['Run the saved question requester-activity for principal, and object-history for the keys.'],
  examples: [
    {
      name: 'a developer in the bucket of the nightly job',
      records: [stranger],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', principal: 'arn:aws:iam::111122223333:role/Developer' } }],
      parameters: EXPECTED,
    },
    { name: 'the nightly job', records: [read], alerts: [], parameters: EXPECTED },
    { name: 'nothing was said', records: [stranger], alerts: [] },
    { name: 'refused', records: [stranger.replace('200 -', '403 AccessDenied')], alerts: [], parameters: EXPECTED },
    {
      name: 'a bucket that is not guarded',
      records: [stranger.replaceAll('amzn-s3-demo-bucket', 'amzn-s3-demo-website')],
      alerts: [],
      parameters: EXPECTED,
    },
  ],
});
