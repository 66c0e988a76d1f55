/** A CloudWatch log group forgets within days. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const put = (retentionInDays: number) => ({
  eventSource: 'logs.amazonaws.com',
  eventName: 'PutRetentionPolicy',
  requestParameters: { logGroupName: 'CloudTrail/logs', retentionInDays },
});
const short = put(1);

export const detector = defineDetector({
  id: 'log-retention-shortened',
  title: 'The retention of a log group was cut to days',
  description:
    'CloudWatch Logs deletes what is older than the retention, in silence. Set to a day or three, it destroys yesterday without a single call that says delete.',
  severity: 'low',
  severityReason: 'Destroys logs in silence; templates that save money set short retentions for chatter as well.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    all: [
      {
        event_source: 'logs.amazonaws.com',
        event_name: 'PutRetentionPolicy',
        outcome: 'success',
        'request_parameters.retentionInDays': { lte: parameter('days') },
        'request_parameters.logGroupName': { re: parameter('log_groups') },
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} keeps {request_parameters.logGroupName} for {request_parameters.retentionInDays} days from now on, in {aws_region} from {source_address}',
  parameters: {
    days: z.int().min(1).default(3).describe('days; CloudWatch Logs knows 1, 3, 5, 7 and more: a weekend is longer'),
    log_groups: z
      .string()
      .default('(?i)trail|flow|audit|vpc|waf|eks|dns|resolver|guardduty|security')
      .describe('RE2 pattern of names of log groups that are evidence'),
  },
  falsePositives: ['A log group whose events are also delivered to a bucket.'],
  blindSpots: [
    'Log groups under a name that the pattern does not know.',
    'Groups that were made with a short retention.',
  ],
  response: [
    'Set the retention back: what is older than request_parameters.retentionInDays is gone within three days.',
    'Run the saved question recent-changes for the principal.',
  ],
  examples: [
    {
      name: 'a day, and three days',
      records: [short, put(3)],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    {
      name: 'longer, or the log of a program',
      records: [put(4), { ...short, requestParameters: { logGroupName: '/aws/lambda/resize', retentionInDays: 1 } }],
      alerts: [],
    },
    {
      name: 'four days are asked for',
      records: [put(4)],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
      parameters: { days: 4 },
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...short, errorCode: 'AccessDeniedException' },
        { ...short, eventName: 'CreateLogGroup' },
        { ...short, eventSource: 'example.amazonaws.com' },
        { ...short, userIdentity: { type: 'AWSService', invokedBy: 'eks.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
