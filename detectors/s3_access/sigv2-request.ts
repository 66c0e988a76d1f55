/** Somebody still signs requests in the old way. */
import { defineDetector } from '../../src/detector.ts';

const old =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "Boto/2.49.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV2 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';

export const detector = defineDetector({
  id: 'sigv2-request',
  title: 'A request was signed with Signature Version 2',
  description:
    'Signature Version 2 rests on SHA-1 or SHA-256 without a date or region in its key, works only in regions from before 2014 and is on its way out. What uses it is old, and its keys mostly are as well.',
  severity: 'low',
  severityReason: 'Hygiene.',
  table: 's3_access',
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/optional-sigv4-auth.html
  attack: [{ technique: 'T1550.001', version: 16 }],
  tags: ['compliance'],
  when: { outcome: 'success', signature_version: 'SigV2' },
  slot: '1d',
  subject: ['bucket', 'principal'],
  summary: '{principal} made {count} requests with Signature Version 2 in {bucket}, with {user_agent} from {remote_ip}',
  falsePositives: ['An old program that you know of: suppress its principal.'],
  blindSpots: ['Buckets without access logs.'],
  response: ['Find the program by user_agent and renew it; deny s3:signatureversion AWS in the bucket policy.'],
  examples: [
    {
      name: 'a program of old',
      records: [{ repeat: 3, every: '1m', record: old }],
      alerts: [
        { subject: { bucket: 'amzn-s3-demo-bucket', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 },
      ],
    },
    { name: 'refused', records: [old.replace('200 -', '403 AccessDenied')], alerts: [] },
    { name: 'a program of today', records: [old.replace('SigV2', 'SigV4')], alerts: [] },
  ],
});
