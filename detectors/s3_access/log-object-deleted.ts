/** Somebody deleted delivered log files. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const deletion =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-logs [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.DELETE.OBJECT AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/03/111122223333_CloudTrail_eu-west-1_20250303T0905Z_abc.json.gz "DELETE /AWSLogs/111122223333/CloudTrail/eu-west-1/2025/03/03/111122223333_CloudTrail_eu-west-1_20250303T0905Z_abc.json.gz HTTP/1.1" 204 - - - 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-logs.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';

export const detector = defineDetector({
  id: 'log-object-deleted',
  title: 'Delivered log files were deleted',
  description:
    'AWS writes its logs below AWSLogs/. A deletion there, other than by a lifecycle rule, takes evidence away.',
  severity: 'high',
  severityReason:
    'Logs are deleted by lifecycle rules; whoever does it by hand has something to hide, or makes a bad mistake.',
  table: 's3_access',
  attack: [
    { technique: 'T1070', version: 16 },
    { technique: 'T1485', version: 16 },
  ],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    operation: ['REST.DELETE.OBJECT', 'BATCH.DELETE.OBJECT'],
    outcome: 'success',
    key: { re: parameter('keys') },
  },
  slot: '1h',
  subject: ['bucket', 'principal'],
  summary: '{principal} deleted {count} log files of {bucket} from {remote_ip}, first {key}',
  parameters: {
    keys: z
      .string()
      .default('(^|/|%2F)AWSLogs(/|%2F)')
      .describe(
        'RE2 pattern of keys of logs, as the access log writes them; AWS delivers below AWSLogs/, S3 access logs where you said',
      ),
  },
  falsePositives: ['A clean-up job where a lifecycle rule would do.'],
  blindSpots: [
    'A lifecycle rule with a short expiry: log-bucket-lifecycle-shortened.',
    'Log buckets of which no access log is kept.',
    'Logs under other prefixes: extend keys.',
  ],
  response: [
    'Where versions are kept, remove the delete markers. Check what is missing against the digests: trailhound verify.',
    'Run the saved question requester-activity for principal.',
  ],
  examples: [
    {
      name: 'a trail file, and one in a batch under a prefix',
      records: [
        deletion,
        deletion.replace('REST.DELETE', 'BATCH.DELETE').replace('OBJECT AWSLogs/', 'OBJECT org/AWSLogs/'),
      ],
      alerts: [
        { subject: { bucket: 'amzn-s3-demo-logs', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    { name: 'refused', records: [deletion.replace('204 -', '403 AccessDenied')], alerts: [] },
    {
      name: 'expired by a rule, or read',
      records: [deletion.replace('REST.DELETE', 'S3.EXPIRE'), deletion.replace('REST.DELETE', 'REST.GET')],
      alerts: [],
    },
    { name: 'another object', records: [deletion.replaceAll('AWSLogs/', 'tmp/')], alerts: [] },
  ],
});
