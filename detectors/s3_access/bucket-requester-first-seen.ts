/** A principal reached a bucket that it had not touched for a month. */
import { defineDetector } from '../../src/detector.ts';

const read =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const usual = { repeat: 10, every: '1d', record: read.replace('{time}', '01/Mar/2025:08:00:00 +0000') } as const;
const later = read.replace('{time}', '11/Mar/2025:09:00:00 +0000');
const stranger = later.replace('user/Alice', 'user/Mateo_Jackson');

export const detector = defineDetector({
  id: 'bucket-requester-first-seen',
  title: 'A principal used a bucket for the first time',
  description:
    'Principals of a bucket hardly change. Told is whoever made a request that succeeded and had made none in this bucket during the last 30 days.',
  severity: 'low',
  severityReason: 'New programs and new colleagues come every week; it is worth a line, not a call.',
  table: 's3_access',
  attack: [
    { technique: 'T1530', version: 16 },
    { technique: 'T1078.004', version: 16 },
  ],
  tags: ['collection', 'baseline'],
  when: {
    all: [{ outcome: 'success', is_anonymous: false }, { not: { requester: { startswith: 'svc:' } } }],
  },
  baseline: { firstSeen: ['principal'], over: '30d' },
  slot: '1d',
  subject: ['bucket', 'principal'],
  summary: '{principal} used {bucket} for the first time in 30 days: {operation} {key} from {remote_ip}',
  falsePositives: ['A new program, a new colleague, a job that runs once a quarter.'],
  blindSpots: [
    'Silent until the bucket has three days of log.',
    'A known principal whose credentials were stolen: requester-network-first-seen.',
  ],
  response: ['Run the saved question requester-activity for principal.'],
  examples: [
    {
      name: 'a second user after ten days of the first',
      records: [usual, stranger],
      alerts: [
        { subject: { bucket: 'amzn-s3-demo-bucket', principal: 'arn:aws:iam::111122223333:user/Mateo_Jackson' } },
      ],
    },
    { name: 'the usual user', records: [usual, later], alerts: [] },
    { name: 'there is no history yet', records: [stranger], alerts: [] },
    { name: 'refused', records: [usual, stranger.replace('200 -', '403 AccessDenied')], alerts: [] },
    {
      name: 'a stranger without credentials, and an AWS service',
      records: [
        usual,
        later.replace('arn:aws:iam::111122223333:user/Alice', '-').replace('= SigV4', '= -').replace('AuthHeader', '-'),
        later.replace('arn:aws:iam::111122223333:user/Alice', 'svc:cloudfront.amazonaws.com'),
      ],
      alerts: [],
    },
  ],
});
