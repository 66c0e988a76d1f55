/** A principal makes many times as many calls in an hour as it usually does. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const call = { eventSource: 'ec2.amazonaws.com', eventName: 'DescribeInstances' };
/** Ten days with a hundred calls within an hour of each. */
const usual = Array.from({ length: 10 }, (_, day) => ({
  repeat: 100,
  every: '30s' as const,
  record: { ...call, eventTime: `2025-03-${String(day + 1).padStart(2, '0')}T09:00:00Z` },
}));
const today = (repeat: number, record = call) => ({
  repeat,
  every: '1s' as const,
  record: { ...record, eventTime: '2025-03-11T09:00:00Z' },
});
const ALERT = [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2000 }];

export const detector = defineDetector({
  id: 'calls-above-usual',
  title: 'A principal called far more often than usual',
  description:
    'Calls per principal and hour, compared with the median of its own hours during the week before. What a metric filter in CloudWatch would count, for every principal at once.',
  severity: 'low',
  severityReason: 'Volume alone is mostly a loop that went wild; it tells where to look.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1580', version: 16 }],
  tags: ['baseline'],
  when: { not: { actor_type: 'service' } },
  baseline: { timesUsual: parameter('times'), atLeast: parameter('calls'), over: '7d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} made {count} calls in an hour, far above its usual, first {event_name} from {source_address}',
  parameters: {
    times: z.number().min(1).default(10).describe('multiple of the median of the busy hours of the week before'),
    calls: z
      .int()
      .min(1)
      .default(1000)
      .describe('calls in the hour below which nothing is said, however quiet the week was'),
  },
  falsePositives: ['A monthly job, a migration, a loop without pause.'],
  blindSpots: [
    'A principal that is always busy.',
    'Silent until the account has history.',
    'Data events, unless they are logged.',
  ],
  response: [
    'Group the hour by event_name and source_address and compare it with the day before.',
    'Run the saved question activity-per-hour for the principal.',
  ],
  examples: [
    { name: 'two thousand calls after a hundred each day', records: [...usual, today(2000)], alerts: ALERT },
    { name: 'as many as nine times the usual', records: [...usual, today(900)], alerts: [] },
    { name: 'ten times the usual, but few', records: [...usual, today(1000)], alerts: [], parameters: { calls: 1001 } },
    {
      name: 'more than the floor, but not ten times the usual',
      records: [...usual, today(1500)],
      alerts: [],
      parameters: { times: 20 },
    },
    {
      name: 'an AWS service at work',
      records: [
        ...usual.map((burst) => ({
          ...burst,
          record: { ...burst.record, userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' } },
        })),
        today(2000, {
          ...call,
          userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' },
        } as typeof call),
      ],
      alerts: [],
    },
  ],
});
