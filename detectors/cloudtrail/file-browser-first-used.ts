/** A desktop program for files was used on buckets by somebody who never did. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const read = (userAgent: string) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'ListBuckets',
  eventTime: '2025-03-11T09:00:00Z',
  userAgent,
});
const AGENTS = [
  '[S3 Browser/10.9.9 (https://s3browser.com)]',
  'Cyberduck/9.1.0.42409 (Windows 11/10.0) (amd64)',
  'Mountain Duck/4.17.0.22690 (Windows 11/10.0)',
  'rclone/v1.69.0',
  'WinSCP/6.3.5 neon/0.33.0',
  'CloudBerry Explorer/6.4',
  'FileZilla/3.67',
];
/** Ten days of ordinary work of the same user. */
const usual = {
  repeat: 10,
  every: '1d',
  record: { eventSource: 'ec2.amazonaws.com', eventName: 'DescribeInstances', eventTime: '2025-03-01T08:00:00Z' },
} as const;

export const detector = defineDetector({
  id: 'file-browser-first-used',
  title: 'A file browser was used on buckets for the first time',
  description:
    'S3 Browser, Cyberduck, rclone and their like copy whole buckets with a few clicks, and are what thieves reach for. A principal that has been at work for days and used none of them in 30 days now does.',
  severity: 'low',
  severityReason: 'An ordinary tool in new hands; how much was read decides.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1530', version: 16 }],
  tags: ['collection', 'exfiltration', 'baseline'],
  when: { event_source: 's3.amazonaws.com', user_agent: { re: parameter('programs') } },
  baseline: { firstSeen: ['principal'], per: ['principal'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} used {user_agent} for the first time in 30 days, first {event_name} from {source_address} ({count} calls in the hour)',
  parameters: {
    programs: z
      .string()
      .default('(?i)(S3 Browser|Cyberduck|Mountain Duck|rclone|WinSCP|CloudBerry|FileZilla)')
      .describe('RE2 pattern, found anywhere in the user agent'),
  },
  falsePositives: ['A colleague who likes to work that way; a backup by rclone that is set up.'],
  blindSpots: [
    'Objects read and written, unless data events are logged; without them only the listing of buckets shows.',
    'Programs under another name, and a principal that is new itself.',
  ],
  response: [
    'Run the saved question bucket-access for the buckets, and access-key-activity for access_key_id.',
    'Sum additionalEventData.bytesTransferredOut of its GetObject events where data events are logged.',
  ],
  examples: [
    {
      name: 'each of the programs',
      records: [usual, ...AGENTS.map((agent) => read(agent))],
      alerts: [
        {
          subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' },
          count: AGENTS.length,
        },
      ],
    },
    {
      name: 'somebody who uses it each week',
      records: [usual, { ...read('rclone/v1.69.0'), eventTime: '2025-03-02T09:00:00Z' }, read('rclone/v1.69.0')],
      alerts: [],
    },
    { name: 'a principal that is new itself', records: [read('rclone/v1.69.0')], alerts: [] },
    {
      name: 'other programs, or another service',
      records: [
        usual,
        read('aws-cli/2.15.0 command/s3.ls'),
        { ...read('rclone/v1.69.0'), eventSource: 'sts.amazonaws.com', eventName: 'GetCallerIdentity' },
      ],
      alerts: [],
    },
  ],
});
