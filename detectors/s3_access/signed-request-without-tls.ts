/** Somebody sent signed requests to S3 in the clear. */
import { defineDetector } from '../../src/detector.ts';

const plain =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 - AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com - - - -';

export const detector = defineDetector({
  id: 'signed-request-without-tls',
  title: 'A bucket was used with credentials over plain HTTP',
  description:
    'Requests with a signature that came without TLS. Everybody on the way reads the object; of a presigned URL he can use the URL himself until it runs out.',
  severity: 'medium',
  severityReason: 'The data was readable on the way; whether somebody listened nobody can tell.',
  table: 's3_access',
  attack: [{ technique: 'T1040', version: 16 }],
  tags: ['data-protection', 'compliance'],
  // A signature stands only in records that also tell the cipher: both came with the same generation of the format.
  when: {
    all: [{ outcome: 'success', signature_version: { exists: true } }, { not: { cipher_suite: { exists: true } } }],
  },
  slot: '1d',
  subject: ['bucket', 'principal'],
  summary:
    '{principal} made {count} signed requests over plain HTTP in {bucket}, first {operation} {key} from {remote_ip}',
  falsePositives: ['A program inside a private network that was told to do so.'],
  blindSpots: ['Requests without credentials, which public web sites get over HTTP all the time.'],
  response: [
    'Deny requests with aws:SecureTransport false in the bucket policy (https://docs.aws.amazon.com/AmazonS3/latest/userguide/security-best-practices.html), and mend the program: user_agent names it.',
  ],
  examples: [
    {
      name: 'a user, and a presigned URL',
      records: [plain, plain.replace('AuthHeader', 'QueryString')],
      alerts: [
        { subject: { bucket: 'amzn-s3-demo-bucket', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    { name: 'with TLS', records: [plain.replace('SigV4 -', 'SigV4 TLS_AES_128_GCM_SHA256')], alerts: [] },
    { name: 'the policy refuses it', records: [plain.replace('200 -', '403 AccessDenied')], alerts: [] },
    {
      name: 'a visitor of a public site, and an old record without these fields',
      records: [
        plain.replace('arn:aws:iam::111122223333:user/Alice', '-').replace('= SigV4', '= -').replace('AuthHeader', '-'),
        plain.replace(/ s9lz.*$/u, ''),
      ],
      alerts: [],
    },
  ],
});
