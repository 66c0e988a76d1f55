/** Somebody signs with a key that AWS does not know, or wrongly. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const refused =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 - {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 403 InvalidAccessKeyId 290 - 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const many = (record: string) => ({ repeat: 20, every: '30s', record }) as const;

export const detector = defineDetector({
  id: 'refused-credentials',
  title: 'An address used credentials that S3 does not accept',
  description:
    'Requests with an access key that does not exist any more, or with a wrong signature, from one address. A leaked key that was withdrawn is still being tried; CloudTrail hardly shows it, since nobody is recognised.',
  severity: 'low',
  severityReason: 'The credentials do not work; a forgotten program with an old key looks the same.',
  table: 's3_access',
  // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['initial-access'],
  when: { error_code: ['InvalidAccessKeyId', 'SignatureDoesNotMatch'] },
  threshold: { atLeast: parameter('requests'), within: '1h' },
  slot: '1d',
  subject: ['source_ip'],
  summary: '{source_ip} made {count} requests with refused credentials, first {operation} in {bucket}: {error_code}',
  parameters: {
    requests: z.int().min(1).default(20).describe('requests in an hour; a person who mistypes a key tries a few times'),
  },
  falsePositives: ['A program that nobody told of the new key.', 'A proxy that changes signed headers.'],
  blindSpots: ['Which key it was: access logs do not tell.', 'Expired sessions, which are ordinary.'],
  response: [
    'Run the saved question s3-requests-of-address for source_ip.',
    'Find keys that were deleted lately: DeleteAccessKey and UpdateAccessKey in CloudTrail.',
  ],
  examples: [
    {
      name: 'a deleted key is tried twenty times',
      records: [many(refused)],
      alerts: [{ subject: { source_ip: '192.0.2.44' }, count: 20 }],
    },
    { name: 'one request fewer', records: [{ ...many(refused), repeat: 19 }], alerts: [] },
    { name: 'as many over a week', records: [{ ...many(refused), every: '8h' }], alerts: [] },
    {
      name: 'a session that has run out, and good credentials without permission',
      records: [
        many(refused.replace('403 InvalidAccessKeyId', '400 ExpiredToken')),
        many(refused.replace('403 InvalidAccessKeyId', '403 AccessDenied')),
      ],
      alerts: [],
    },
    {
      name: 'the same over nearly all of the time',
      records: [{ ...many(refused), every: '180s' }],
      alerts: [{ subject: { source_ip: '192.0.2.44' }, count: 20 }],
    },
  ],
});
