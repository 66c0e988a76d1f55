/** Somebody who never did so reads the delivered log files. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const read =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-logs [{time}] 192.0.2.44 arn:aws:sts::111122223333:assumed-role/etl/nightly {id} REST.GET.OBJECT AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/03/a.json.gz "GET /AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/03/a.json.gz HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-logs.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const usual = { repeat: 10, every: '1d', record: read.replace('{time}', '01/Mar/2025:08:00:00 +0000') } as const;
const curious = read
  .replace('{time}', '11/Mar/2025:09:00:00 +0000')
  .replace('sts::111122223333:assumed-role/etl/nightly', 'iam::111122223333:user/Alice');

export const detector = defineDetector({
  id: 'log-object-read-by-new-principal',
  title: 'Log files were read by somebody who had not read them before',
  description:
    'Logs tell an intruder who works here, with which keys and from where, and what was noticed. Told is a principal that read below AWSLogs/ of this bucket and had not done so during the last 30 days.',
  severity: 'medium',
  severityReason: 'Few read logs, mostly the same; a colleague who looks into something does as well.',
  table: 's3_access',
  attack: [
    { technique: 'T1530', version: 16 },
    { technique: 'T1580', version: 16 },
  ],
  tags: ['discovery', 'log-protection', 'baseline'],
  when: {
    all: [
      { operation: 'REST.GET.OBJECT', outcome: 'success', key: { re: parameter('keys') } },
      { not: { requester: { startswith: 'svc:' } } },
    ],
  },
  baseline: { firstSeen: ['principal'], over: '30d' },
  slot: '1d',
  subject: ['bucket', 'principal'],
  summary:
    '{principal} read log files of {bucket} for the first time in 30 days: {key} from {remote_ip} with {user_agent}',
  parameters: {
    keys: z
      .string()
      .default('(^|/|%2F)AWSLogs(/|%2F)')
      .describe('RE2 pattern of keys of logs, as the access log writes them; AWS delivers below AWSLogs/'),
  },
  falsePositives: ['A new tool that analyses logs, this one too.', 'Somebody who looks into an outage.'],
  blindSpots: [
    'Silent until the bucket has three days of log.',
    'Reading through Athena by a principal that always does so.',
  ],
  response: ['Run the saved question requester-activity for principal.'],
  examples: [
    {
      name: 'a user reads after ten days of the nightly job',
      records: [usual, curious],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-logs', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    { name: 'the nightly job', records: [usual, read.replace('{time}', '11/Mar/2025:09:00:00 +0000')], alerts: [] },
    { name: 'there is no history yet', records: [curious], alerts: [] },
    {
      name: 'refused, listed, another key, or by an AWS service',
      records: [
        usual,
        curious.replace('200 -', '403 AccessDenied'),
        curious.replace('REST.GET', 'REST.HEAD'),
        curious.replaceAll('AWSLogs/', 'tmp/'),
        curious.replace('arn:aws:iam::111122223333:user/Alice', 'svc:example.amazonaws.com'),
      ],
      alerts: [],
    },
  ],
});
