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
  title: 'A principal was refused far more often than usual',
  description:
    'Refusals per principal and hour, compared with the median of its own hours during the week before. Finds slow probing below the threshold of denied-call-spike, and leaves those alone who are refused all day long.',
  severity: 'low',
  severityReason: 'Out of character, but nothing was obtained.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1580', version: 16 }],
  tags: ['discovery', 'baseline'],
  when: { all: [{ outcome: 'denied' }, { not: { actor_type: 'service' } }] },
  baseline: { timesUsual: parameter('times'), atLeast: parameter('refusals'), over: '7d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} was refused {count} times in an hour, far above its usual, first for {event_name} from {source_address}',
  parameters: {
    times: z.number().min(1).default(5).describe('multiple of the median of the hours of the week before'),
    refusals: z.int().min(1).default(10).describe('refusals in the hour below which nothing is said'),
  },
  falsePositives: ['A role that has just lost a permission.'],
  blindSpots: ['Silent until the account has history.', 'A principal that is always refused.'],
  response: [
    'List event_name and error_message of the hour.',
    'Run the saved question why-denied, and principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'fifteen refusals in an hour after two a day',
      records: [...usual, today(15)],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 15 }],
    },
    { name: 'below the floor', records: [...usual, today(9)], alerts: [], parameters: { times: 2 } },
    { name: 'not five times the usual', records: [...usual, today(11)], alerts: [], parameters: { times: 6 } },
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
