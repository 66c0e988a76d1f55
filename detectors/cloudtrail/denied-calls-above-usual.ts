/** A principal is refused many times as often in an hour as it usually is. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const refused = { eventSource: 's3.amazonaws.com', eventName: 'GetBucketPolicy', errorCode: 'AccessDenied' };
/** Ten days with two refusals in the morning of each. */
const usual = Array.from({ length: 10 }, (_, day) => ({
  repeat: 2,
  every: '10m' as const,
  record: { ...refused, eventTime: `2025-03-${String(day + 1).padStart(2, '0')}T09:00:00Z` },
}));
const today = (repeat: number, change: object = {}) => ({
  repeat,
  every: '3m' as const,
  record: { ...refused, ...change, eventTime: '2025-03-11T09:00:00Z' },
});

export const detector = defineDetector({
  id: 'denied-calls-above-usual',
  version: 2,
  title: 'A principal was refused far more often than usual',
  description:
    'Refusals per principal and hour, compared with its own hours of four weeks that had any: with their median, with how far they usually lie from it, and with the same hour of the week. Finds slow probing below the threshold of denied-call-spike, and leaves those alone who are refused all day long.',
  severity: 'low',
  severityReason: 'Out of character, but nothing was obtained.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1580', version: 16 }],
  tags: ['discovery', 'baseline'],
  when: { all: [{ outcome: 'denied' }, { not: { actor_type: 'service' } }] },
  baseline: {
    timesUsual: parameter('times'),
    mads: parameter('mads'),
    by: 'hour-of-week',
    atLeast: parameter('refusals'),
    over: '28d',
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} was refused {count} times in an hour, far above its usual, first for {event_name} from {source_address}',
  parameters: {
    times: z.number().min(1).default(5).describe('multiple of the median of the hours of four weeks that had any'),
    mads: z
      .number()
      .positive()
      .default(5)
      .describe('median absolute deviations above that median: one whose hours differ much has to differ more'),
    refusals: z.int().min(1).default(10).describe('refusals in the hour below which nothing is said'),
  },
  falsePositives: ['A role that has just lost a permission.'],
  blindSpots: [
    'Silent until the account has three days of history.',
    'A principal that is always refused, or whose hours differ widely.',
    'A burst in the hour of the week in which one was before, for four weeks.',
  ],
  response: [
    'List event_name and error_message of the hour.',
    'Run the saved question why-denied, and principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'fifteen refusals in an hour after two a day',
      records: [...usual, today(15)],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 15 },
      ],
    },
    { name: 'below the floor', records: [...usual, today(9)], alerts: [], parameters: { times: 2 } },
    { name: 'not five times the usual', records: [...usual, today(11)], alerts: [], parameters: { times: 6 } },
    {
      name: 'as many in the same hour of the week before',
      records: [...usual, { ...today(15), record: { ...refused, eventTime: '2025-03-04T09:00:00Z' } }, today(15)],
      alerts: [],
    },
    {
      name: 'a principal whose hours differ widely',
      records: [
        ...usual.map((burst, day) => ({ ...burst, repeat: Math.min(day + 1, 9), every: '5m' as const })),
        today(15),
      ],
      alerts: [],
      parameters: { times: 2, mads: 6 },
    },
    {
      name: 'calls that are allowed or fail otherwise',
      records: [...usual, today(15, { errorCode: 'NoSuchBucket' })],
      alerts: [],
    },
    {
      name: 'an AWS service',
      records: [...usual, today(15, { userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' } })],
      alerts: [],
    },
  ],
});
