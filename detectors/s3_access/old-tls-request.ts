/** Somebody uses S3 with a version of TLS that is no longer safe. */
import { defineDetector } from '../../src/detector.ts';

const old =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 ECDHE-RSA-AES128-SHA AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.1 - - -';

export const detector = defineDetector({
  id: 'old-tls-request',
  title: 'A bucket was used with an old version of TLS',
  description:
    'Requests over TLS 1.0 or 1.1, which AWS has stopped to accept on most endpoints. What still uses it will break or was already moved aside.',
  severity: 'low',
  severityReason: 'Hygiene: breaking the old versions takes a capable listener on the way.',
  table: 's3_access',
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/network-isolation.html
  attack: [{ technique: 'T1040', version: 16 }],
  tags: ['data-protection', 'compliance'],
  when: { outcome: 'success', tls_version: { re: '(?i)^TLSv1([.][01])?$' } },
  slot: '1d',
  subject: ['bucket', 'principal'],
  summary: '{principal} made {count} requests over {tls_version} in {bucket} with {user_agent}',
  falsePositives: ['Visitors of a public site with very old browsers.'],
  blindSpots: ['Plain HTTP: signed-request-without-tls.'],
  response: ['Find the program by user_agent and remote_ip and renew its libraries.'],
  examples: [
    {
      name: 'TLS 1.1 and 1.0, as both spellings have it',
      records: [old, old.replace('TLSv1.1', 'TLSV1.1'), old.replace('TLSv1.1', 'TLSv1')],
      alerts: [
        { subject: { bucket: 'amzn-s3-demo-bucket', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 },
      ],
    },
    {
      name: 'TLS 1.2 and 1.3',
      records: [old.replace('TLSv1.1', 'TLSv1.2'), old.replace('TLSv1.1', 'TLSv1.3')],
      alerts: [],
    },
    { name: 'refused', records: [old.replace('200 -', '403 AccessDenied')], alerts: [] },
  ],
});
