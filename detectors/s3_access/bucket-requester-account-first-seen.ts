/** Another AWS account reached a bucket for the first time. */
import { defineDetector } from '../../src/detector.ts';

const read =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const usual = { repeat: 10, every: '1d', record: read.replace('{time}', '01/Mar/2025:08:00:00 +0000') } as const;
const later = read.replace('{time}', '11/Mar/2025:09:00:00 +0000');
const stranger = later.replace('111122223333:user/Alice', '444455556666:user/Mateo_Jackson');

export const detector = defineDetector({
  id: 'bucket-requester-account-first-seen',
  title: 'An AWS account used a bucket for the first time',
  description:
    'Told is an account of which no principal had made a request that succeeded in this bucket during the last 30 days. Data that is carried off goes to an account of the thief, often with credentials of that account.',
  severity: 'medium',
  severityReason: 'The policy lets somebody in who was never there; new vendors and sister accounts come this way too.',
  table: 's3_access',
  attack: [
    { technique: 'T1537', version: 16 },
    { technique: 'T1530', version: 16 },
  ],
  tags: ['exfiltration', 'data-protection', 'baseline'],
  when: { outcome: 'success' },
  baseline: { firstSeen: ['account_id'], over: '30d' },
  slot: '1d',
  subject: ['bucket', 'account_id'],
  summary:
    'Account {account_id} used {bucket} for the first time in 30 days: {principal} did {operation} {key} from {remote_ip}',
  falsePositives: ['A new vendor or a sister account that was let in on purpose.'],
  blindSpots: [
    'Silent until the bucket has three days of log.',
    'Requesters that the log names by canonical user id, which tells no account.',
    'An account that comes every day and was itself broken into.',
  ],
  response: [
    'Find out whose the account is, and the call that let it in: PutBucketPolicy in CloudTrail.',
    'Run the saved question requester-activity for the account id.',
  ],
  examples: [
    {
      name: 'another account reads after ten days of the own one',
      records: [usual, stranger],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', account_id: '444455556666' } }],
    },
    { name: 'a new user of the own account', records: [usual, later.replace('Alice', 'Mateo_Jackson')], alerts: [] },
    { name: 'there is no history yet', records: [stranger], alerts: [] },
    { name: 'refused', records: [usual, stranger.replace('200 -', '403 AccessDenied')], alerts: [] },
    {
      name: 'a service, which has no account',
      records: [usual, later.replace('arn:aws:iam::111122223333:user/Alice', 'svc:cloudfront.amazonaws.com')],
      alerts: [],
    },
  ],
});
