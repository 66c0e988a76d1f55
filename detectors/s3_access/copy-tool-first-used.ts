/** A principal fetched objects with a tool for copying whole buckets, which it had not used before. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const read =
  '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be amzn-s3-demo-bucket [{time}] 192.0.2.44 arn:aws:iam::111122223333:user/Alice {id} REST.GET.OBJECT reports/2025.csv "GET /reports/2025.csv HTTP/1.1" 200 - 4096 4096 12 10 "-" "aws-cli/2.15.0" - s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3= SigV4 TLS_AES_128_GCM_SHA256 AuthHeader amzn-s3-demo-bucket.s3.eu-west-1.amazonaws.com TLSv1.3 - - -';
const usual = { repeat: 10, every: '1d', record: read.replace('{time}', '01/Mar/2025:08:00:00 +0000') } as const;
const copied = read.replace('{time}', '11/Mar/2025:09:00:00 +0000').replace('aws-cli/2.15.0', 'rclone/v1.68.2');

export const detector = defineDetector({
  id: 'copy-tool-first-used',
  title: 'A principal used a copying tool for the first time',
  description:
    'rclone, S3 Browser, Cyberduck and their like copy whole buckets and are what thieves of data use. Told is a principal that read a bucket with one and had not done so during the last 30 days.',
  severity: 'medium',
  severityReason: 'An unusual tool with good credentials; somebody who tidies up uses the same.',
  table: 's3_access',
  attack: [{ technique: 'T1530', version: 16 }],
  tags: ['exfiltration', 'baseline'],
  when: {
    outcome: 'success',
    is_anonymous: false,
    operation: ['REST.GET.OBJECT', 'REST.GET.BUCKET'],
    user_agent: { re: parameter('tools') },
  },
  baseline: { firstSeen: ['principal'], over: '30d' },
  slot: '1d',
  subject: ['bucket', 'principal'],
  summary: '{principal} read {bucket} with {user_agent} from {remote_ip}, for the first time in 30 days',
  parameters: {
    tools: z
      .string()
      .default(
        '(?i)rclone|s3 ?browser|cyberduck|s5cmd|s4cmd|cloudberry|msp360|winscp|transmit|mountain ?duck|dragondisk',
      )
      .describe('RE2 pattern of user agents of tools for copying whole buckets'),
  },
  falsePositives: ['Backups that were switched to such a tool.', 'A colleague who prefers windows to commands.'],
  blindSpots: [
    'The AWS CLI and SDKs, which copy as well and which everybody uses: bulk-egress.',
    'Silent until the bucket has three days of log.',
  ],
  response: ['Run the saved question egress-per-requester for the bucket: how much was fetched.'],
  examples: [
    {
      name: 'a user of the AWS CLI comes with rclone',
      records: [usual, copied],
      alerts: [{ subject: { bucket: 'amzn-s3-demo-bucket', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    { name: 'the AWS CLI', records: [usual, copied.replace('rclone/v1.68.2', 'aws-cli/2.15.0')], alerts: [] },
    {
      name: 'a backup by rclone every night',
      records: [{ ...usual, record: usual.record.replace('aws-cli/2.15.0', 'rclone/v1.68.2') }, copied],
      alerts: [],
    },
    {
      name: 'refused, stored, or by a stranger in a public bucket',
      records: [
        usual,
        copied.replace('200 -', '403 AccessDenied'),
        copied.replace('REST.GET.OBJECT', 'REST.PUT.OBJECT'),
        copied
          .replace('arn:aws:iam::111122223333:user/Alice', '-')
          .replace('= SigV4', '= -')
          .replace('AuthHeader', '-'),
      ],
      alerts: [],
    },
    {
      name: 'the same by REST.GET.BUCKET',
      records: [
        { ...usual, record: usual.record.replace('REST.GET.OBJECT', 'REST.GET.BUCKET') },
        copied.replace('REST.GET.OBJECT', 'REST.GET.BUCKET'),
      ],
      alerts: [
        { subject: { bucket: 'amzn-s3-demo-bucket', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'the first time in a while, though not in all of the history',
      records: [copied.replace(/\[[^\]]+\]/u, '[16/Feb/2025:21:00:00 +0000]'), usual, copied],
      alerts: [],
    },
  ],
});
