/** Objects of a bucket are read without credentials, which did not happen before. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const read =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const anonymous =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 - {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "Mozilla/5.0 (X11; Linux x86_64) Firefox/148.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= - TLS_AES_128_GCM_SHA256 - amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const usual = { repeat: 10, every: '1d', record: read.replace('{time}', '01/Mar/2025:08:00:00 +0000') } as const;
const opened = anonymous.replace('{time}', '11/Mar/2025:09:00:00 +0000');

export const detector = defineDetector({
  id: 'anonymous-read-of-private-bucket',
  title: 'A private bucket was read without credentials',
  description:
    'Somebody without credentials fetched an object from a bucket in which that had not happened during the last 30 days: a policy, an ACL or Block Public Access has changed, or an object was uploaded as public.',
  severity: 'high',
  severityReason: 'What was private is on the internet; a new web site looks the same on its first day.',
  table: 's3_access',
  attack: [{ technique: 'T1530', version: 16 }],
  tags: ['collection', 'data-protection', 'baseline'],
  when: {
    all: [
      { operation: ['REST.GET.OBJECT', 'WEBSITE.GET.OBJECT'], is_anonymous: true, outcome: 'success' },
      { not: { bucket: { re: parameter('public_buckets') } } },
    ],
  },
  baseline: { firstSeen: ['bucket'], over: '30d' },
  slot: '1h',
  subject: ['bucket'],
  summary:
    '{bucket} was read without credentials for the first time in 30 days: {key} from {remote_ip} with {user_agent}',
  parameters: {
    public_buckets: z
      .string()
      .default('^$')
      .describe('RE2 pattern of names of buckets that are meant to be public; the default fits no bucket'),
  },
  falsePositives: [
    'A bucket that begins to serve a public web site.',
    'A public bucket that nobody visited for a month.',
  ],
  blindSpots: [
    'Silent until the bucket has three days of log.',
    'A bucket that was public all along: the saved question anonymous-reads shows it.',
    'Reading by any AWS account, which comes with credentials: bucket-requester-account-first-seen.',
  ],
  response: [
    'Run the saved question anonymous-reads for the bucket: keys, addresses and bytes.',
    'Find who opened it: bucket-opened-then-read, or PutBucketPolicy, PutBucketAcl and PutObjectAcl in CloudTrail.',
  ],
  examples: [
    {
      name: 'a bucket is read by its users for ten days, then by a stranger',
      records: [usual, opened],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket' }, count: 1 }],
    },
    {
      name: 'a bucket that is public every day',
      records: [{ ...usual, record: anonymous.replace('{time}', '01/Mar/2025:08:00:00 +0000') }, opened],
      alerts: [],
    },
    { name: 'there is no history yet', records: [opened], alerts: [] },
    { name: 'refused', records: [usual, opened.replace('200 -', '403 AccessDenied')], alerts: [] },
    {
      name: 'asked for its size, not read',
      records: [usual, opened.replace('REST.GET.OBJECT', 'REST.HEAD.OBJECT')],
      alerts: [],
    },
    {
      name: 'read by a user for the first time',
      records: [
        { ...usual, record: usual.record.replace('REST.GET', 'REST.PUT') },
        read.replace('{time}', '11/Mar/2025:09:00:00 +0000'),
      ],
      alerts: [],
    },
    {
      name: 'the bucket is meant to be public',
      records: [usual, opened],
      alerts: [],
      parameters: { public_buckets: '^amzn-s3-demo-bucket$' },
    },
    {
      name: 'the same by WEBSITE.GET.OBJECT',
      records: [
        { ...usual, record: usual.record.replace('REST.GET.OBJECT', 'WEBSITE.GET.OBJECT') },
        opened.replace('REST.GET.OBJECT', 'WEBSITE.GET.OBJECT'),
      ],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket' }, count: 1 }],
    },
    {
      name: 'the first time in a while, though not in all of the history',
      records: [opened.replace(/\[[^\]]+\]/u, '[16/Feb/2025:21:00:00 +0000]'), usual, opened],
      alerts: [],
    },
  ],
});
