/** One presigned URL was used from many addresses. */
import { defineDetector, z } from '../../src/detector.ts';

const url =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=86400&X-Amz-Signature=aeeed9bb HTTP/1.1" 200 - 4096 4096 12 10 "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 QueryString amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const from = (index: number, record = url) => record.replace('192.0.2.44', `198.51.100.${index + 1}`);
const many = (repeat: number, record: (index: number) => string = (index) => from(index)) =>
  ({ repeat, every: '10m', record }) as const;
const ALERT = [
  { subject: { bucket: 'amzn-s3-demo-bucket', key: 'reports/2025.csv', signature: 'aeeed9bb' }, count: 5 },
];

export const detector = defineDetector({
  id: 'presigned-url-shared',
  title: 'A presigned URL was used from many addresses',
  description:
    'Whoever holds a presigned URL has the rights of its signer until it runs out. One meant for one person that is fetched from many addresses was passed on or has leaked. URLs are told apart by their signature, so that a popular object with a URL for each visitor stays silent.',
  severity: 'medium',
  severityReason: 'The object is out; what it is worth the key tells.',
  table: 's3_access',
  attack: [{ technique: 'T1530', version: 16 }],
  tags: ['exfiltration', 'data-protection'],
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html
  when: { authentication_type: 'QueryString', operation: 'REST.GET.OBJECT', outcome: 'success' },
  sql: `-- One row per presigned URL and day in which it was used from many addresses.
WITH requests AS (
  SELECT date_trunc('day', s.event_time) AS slot, s.bucket, s.key, s.principal, s.principal_arn, s.account_id, s.source_ip, s.event_time, s.request_id,
    coalesce(regexp_extract(s.request_uri, '[?&](X-Amz-Signature|Signature)=([^& ]+)', 2), 'unknown') AS signature
  FROM s3_access AS s
)
SELECT r.slot, r.bucket, r.key, r.signature, min(r.principal) AS principal, min(r.principal_arn) AS principal_arn, min(r.account_id) AS account_id,
  min(r.source_ip) AS source_ip, count(DISTINCT r.source_ip) AS addresses, min(r.event_time) AS first_seen, max(r.event_time) AS last_seen,
  count(*) AS count, array_agg(r.request_id ORDER BY r.event_time, r.request_id) AS event_ids
FROM requests AS r
WHERE r.signature <> 'unknown'
GROUP BY 1, 2, 3, 4
HAVING count(DISTINCT r.source_ip) >= :addresses
ORDER BY 1, 2, 3, 4`,
  slot: '1d',
  subject: ['bucket', 'key', 'signature'],
  summary:
    'A URL for {key} of {bucket}, signed by {principal}, was used {count} times from {addresses} addresses, {source_ip} among them',
  parameters: {
    addresses: z
      .int()
      .min(2)
      .default(5)
      .describe('distinct addresses in a day; a telephone on the move has two or three'),
  },
  falsePositives: [
    'A URL that is meant for many, in a newsletter or on a page: a public bucket or CloudFront serves that better.',
    'Providers that send each request from another address.',
  ],
  blindSpots: [
    'Records in which the signature does not stand in request_uri.',
    'URLs of CloudFront, which has signatures of its own.',
  ],
  response: [
    'A presigned URL ends with the credentials that signed it: withdraw the session of principal.',
    'Run the saved question object-history for the key.',
  ],
  examples: [
    { name: 'a URL is passed on to four others', records: [many(5)], alerts: ALERT },
    {
      name: 'an old signature, in SigV2',
      records: [many(5, (index) => from(index).replace('X-Amz-Signature', 'Signature').replace('SigV4', 'SigV2'))],
      alerts: ALERT,
    },
    { name: 'one address fewer', records: [many(4)], alerts: [] },
    {
      name: 'the operator asks for fewer',
      records: [many(3)],
      alerts: [{ subject: { signature: 'aeeed9bb' }, count: 3 }],
      parameters: { addresses: 3 },
    },
    { name: 'one address again and again', records: [many(50, () => url)], alerts: [] },
    {
      name: 'a popular object, with a URL for each visitor, or without a signature in the record',
      records: [
        many(9, (index) => from(index).replace('aeeed9bb', `aeeed9b${index}`)),
        many(9, (index) => from(index).replace(/[?]X-Amz\S+/u, '')),
      ],
      alerts: [],
    },
    {
      name: 'used after it ran out, for an upload, or with a header',
      records: [
        many(9, (index) => from(index).replace('200 -', '403 AccessDenied')),
        many(9, (index) => from(index).replace('REST.GET', 'REST.PUT')),
        many(9, (index) => from(index).replace('QueryString', 'AuthHeader')),
      ],
      alerts: [],
    },
  ],
});
