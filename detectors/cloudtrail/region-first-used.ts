/** Something is made in a region where the account had nothing. */
import { defineDetector } from '../../src/detector.ts';

const launch = (awsRegion: string, eventTime: string) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'RunInstances',
  eventTime,
  awsRegion,
  readOnly: false,
  requestParameters: { instanceType: 'm5.large' },
});
const usual = { repeat: 10, every: '1d', record: launch('us-east-1', '2025-03-01T08:00:00Z') } as const;
const first = launch('ap-south-1', '2025-03-11T09:00:00Z');

const WORDS = [
  'Create',
  'Run',
  'Launch',
  'Start',
  'Allocate',
  'Import',
  'Register',
  'Request',
  'Restore',
  'Copy',
  'Enable',
  'Purchase',
];

export const detector = defineDetector({
  id: 'region-first-used',
  title: 'Something was made in a region for the first time',
  description:
    'A call that creates, launches or enables something succeeded in a region where this account had made nothing during the last 30 days. Intruders go where nobody looks. Reading is left out, because the console and scanners read everywhere; so is the chatter of agents and of data events.',
  severity: 'medium',
  severityReason:
    'Regions do not come into use by accident, and what runs there costs money unseen; a planned step looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1535', version: 16 }],
  tags: ['defense-evasion', 'baseline'],
  when: {
    all: [
      {
        outcome: 'success',
        event_name: { re: '^(Create|Run|Launch|Start|Allocate|Import|Register|Request|Restore|Copy|Enable|Purchase)' },
      },
      // Records up to eventVersion 1.05 mostly do not say whether a call reads.
      { not: { any: [{ read_only: true }, { event_category: 'Data' }] } },
      { not: { actor_type: 'service' } },
    ],
  },
  // Where little is made, three days do not show all regions that are in use.
  baseline: { firstSeen: ['aws_region'], per: ['account_id'], over: '30d', warmUp: '4d' },
  slot: '1h',
  subject: ['account_id', 'aws_region'],
  summary:
    '{principal} was the first to make something in {aws_region}: {event_name} from {source_address} ({count} calls in the hour)',
  falsePositives: ['The business really goes there.', 'A baseline is rolled out to all regions: one alert for each.'],
  blindSpots: [
    'Silent until the account has four days of history.',
    'Regions that a trail of a single region does not record.',
  ],
  response: [
    'Run the saved question regions-in-use, and principal-timeline for the principal.',
    'Look for running instances in aws_region.',
  ],
  examples: [
    {
      name: 'a server in a new region after ten days in another',
      records: [usual, first],
      alerts: [{ subject: { account_id: '111122223333', aws_region: 'ap-south-1' }, count: 1 }],
    },
    {
      name: 'every word for making something',
      records: [
        usual,
        {
          repeat: WORDS.length,
          every: '1m',
          record: (index) => ({ ...first, eventName: `${WORDS[index]}Thing` }),
        },
      ],
      alerts: [{ subject: { aws_region: 'ap-south-1' }, count: WORDS.length }],
    },
    { name: 'the region is the usual one', records: [usual, { ...first, awsRegion: 'us-east-1' }], alerts: [] },
    { name: 'there is no history yet', records: [first], alerts: [] },
    {
      name: 'there are not quite four days of history',
      records: [{ repeat: 4, every: '1d', record: launch('us-east-1', '2025-03-07T10:00:00Z') }, first],
      alerts: [],
    },
    {
      name: 'refused, only read, a sign-in, an object written, or an AWS service',
      records: [
        usual,
        { ...first, errorCode: 'Client.UnauthorizedOperation' },
        { ...first, readOnly: true },
        {
          ...first,
          eventSource: 'signin.amazonaws.com',
          eventName: 'ConsoleLogin',
          responseElements: { ConsoleLogin: 'Success' },
        },
        { ...first, eventSource: 's3.amazonaws.com', eventName: 'CopyObject', eventCategory: 'Data' },
        { ...first, userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
