/** Somebody who never did so wrote among the delivered log files. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const put =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-logs [{time}] 192.0.2.44 svc:cloudtrail.amazonaws.com {id} REST.PUT.OBJECT AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/03/a.json.gz "PUT /AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/03/a.json.gz HTTP/1.1" 200 - - 2048 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-logs.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const usual = { repeat: 20, every: '12h', record: put.replace('{time}', '01/Mar/2025:08:00:00 +0000') } as const;
const forged = put
  .replace('{time}', '11/Mar/2025:09:00:00 +0000')
  .replace('svc:cloudtrail.amazonaws.com', 'arn:aws:iam::111122223333:user/Alice');

export const detector = defineDetector({
  id: 'log-object-written',
  title: 'A log file was written by somebody who does not deliver logs',
  description:
    'Log files are written by AWS. Told is a principal that is no AWS service and had written nothing below AWSLogs/ of this bucket during the last 30 days: a file that is overwritten loses its evidence, a forged one lies.',
  severity: 'high',
  severityReason: 'What the logs say can no longer be believed without their digests.',
  table: 's3_access',
  attack: [
    { technique: 'T1565.001', version: 16 },
    { technique: 'T1070', version: 16 },
  ],
  tags: ['defense-evasion', 'log-protection', 'baseline'],
  when: {
    all: [
      {
        operation: ['REST.PUT.OBJECT', 'REST.POST.OBJECT', 'REST.COPY.OBJECT', 'REST.POST.UPLOAD'],
        outcome: 'success',
        key: { re: parameter('keys') },
      },
      { not: { requester: { startswith: 'svc:' } } },
    ],
  },
  baseline: { firstSeen: ['principal'], over: '30d' },
  slot: '1h',
  subject: ['bucket', 'principal'],
  summary: '{principal} wrote {key} to {bucket} from {remote_ip}, where it had not written for 30 days',
  parameters: {
    keys: z
      .string()
      .default('(^|/|%2F)AWSLogs(/|%2F)')
      .describe('RE2 pattern of keys of logs, as the access log writes them; AWS delivers below AWSLogs/'),
  },
  falsePositives: [
    'A move of old logs into this bucket, replication from another account.',
    'The accounts of Elastic Load Balancing, on the first day of a new load balancer.',
  ],
  blindSpots: ['Silent until the bucket has three days of log.', 'A principal that copies logs there every day.'],
  response: [
    'Check the files against the digests: trailhound verify.',
    'Run the saved question object-requests for the key: where versions are kept, the one before is the true one.',
  ],
  examples: [
    {
      name: 'after ten days of delivery a user overwrites a file',
      records: [usual, forged],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-logs', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'delivery goes on, and another service begins to deliver',
      records: [usual, put.replace('{time}', '11/Mar/2025:09:00:00 +0000').replace('cloudtrail', 'delivery.logs')],
      alerts: [],
    },
    { name: 'there is no history yet', records: [forged], alerts: [] },
    {
      name: 'a copying job that comes every day',
      records: [
        {
          ...usual,
          record: usual.record.replace('svc:cloudtrail.amazonaws.com', 'arn:aws:iam::111122223333:user/Alice'),
        },
        forged,
      ],
      alerts: [],
    },
    {
      name: 'refused, read, or another key',
      records: [
        usual,
        forged.replace('200 -', '403 AccessDenied'),
        forged.replace('REST.PUT', 'REST.GET'),
        forged.replaceAll('AWSLogs/', 'tmp/'),
      ],
      alerts: [],
    },
    {
      name: 'the same by REST.POST.OBJECT',
      records: [
        { ...usual, record: usual.record.replace('REST.PUT.OBJECT', 'REST.POST.OBJECT') },
        forged.replace('REST.PUT.OBJECT', 'REST.POST.OBJECT'),
      ],
      alerts: [
        { subject: { bucket: 'amzn-s3-demo-logs', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'the same by REST.COPY.OBJECT',
      records: [
        { ...usual, record: usual.record.replace('REST.PUT.OBJECT', 'REST.COPY.OBJECT') },
        forged.replace('REST.PUT.OBJECT', 'REST.COPY.OBJECT'),
      ],
      alerts: [
        { subject: { bucket: 'amzn-s3-demo-logs', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'the same by REST.POST.UPLOAD',
      records: [
        { ...usual, record: usual.record.replace('REST.PUT.OBJECT', 'REST.POST.UPLOAD') },
        forged.replace('REST.PUT.OBJECT', 'REST.POST.UPLOAD'),
      ],
      alerts: [
        { subject: { bucket: 'amzn-s3-demo-logs', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'the first time in a while, though not in all of the history',
      records: [forged.replace(/\[[^\]]+\]/u, '[16/Feb/2025:21:00:00 +0000]'), usual, forged],
      alerts: [],
    },
  ],
});
