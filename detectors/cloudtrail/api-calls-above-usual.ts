/** One API is called many times as often in an hour as is usual for the account, whoever calls. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const call = { eventSource: 'ec2.amazonaws.com', eventName: 'DescribeInstances' };
/** Ten days with sixty calls within an hour of each. */
const usual = (change: object = {}) =>
  Array.from({ length: 10 }, (_, day) => ({
    repeat: 60,
    every: '30s' as const,
    record: { ...call, ...change, eventTime: `2025-03-${String(day + 1).padStart(2, '0')}T09:00:00Z` },
  }));
const today = (repeat: number, change: object = {}) => ({
  repeat,
  every: '1s' as const,
  record: (index: number) => ({
    ...call,
    userIdentity: {
      type: 'IAMUser',
      accountId: '111122223333',
      arn: `arn:aws:iam::111122223333:user/worker-${index % 20}`,
      userName: `worker-${index % 20}`,
    },
    ...change,
    eventTime: '2025-03-11T09:00:00Z',
  }),
});
const SERVICE = { userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' } };
const FEW = { calls: 600 };

export const detector = defineDetector({
  id: 'api-calls-above-usual',
  title: 'An API was called far more often than usual',
  description:
    'Calls per account, service and API in an hour, compared with the median of its hours during the week before: what CloudTrail Insights tells as a call rate, without the charge. Sees a crowd of principals or sessions each of which stays small; one principal alone is seen by calls-above-usual.',
  severity: 'low',
  severityReason: 'Volume alone is mostly a loop or a rollout; it tells where to look.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1580', version: 16 }],
  tags: ['baseline', 'insights'],
  when: { not: { actor_type: 'service' } },
  baseline: { timesUsual: parameter('times'), atLeast: parameter('calls'), over: '7d' },
  slot: '1h',
  subject: ['account_id', 'event_source', 'event_name'],
  summary:
    '{event_name} ({event_source}) was called {count} times in an hour in account {account_id}, far above its usual, first by {principal}',
  parameters: {
    times: z
      .number()
      .min(1)
      .default(10)
      .describe('multiple of the median of the hours with such calls in the week before'),
    calls: z.int().min(1).default(5000).describe('calls in the hour below which nothing is said'),
  },
  falsePositives: ['A monthly job, a migration, a new tool for the whole house.'],
  blindSpots: [
    'An API that is always busy, and a rise that is slow.',
    'Silent until the account has history.',
    'Data events, unless they are logged.',
  ],
  response: [
    'Run the saved question activity-per-hour, then group the hour by principal and user_agent.',
    'If one principal leads, run the saved question principal-timeline.',
  ],
  examples: [
    {
      name: 'ten times as often, by twenty users',
      records: [...usual(), today(600)],
      alerts: [{ subject: { account_id: '111122223333', event_name: 'DescribeInstances' }, count: 600 }],
      parameters: FEW,
    },
    { name: 'nine times', records: [...usual(), today(599)], alerts: [], parameters: { calls: 10 } },
    { name: 'ten times, but few', records: [...usual(), today(600)], alerts: [] },
    {
      name: 'spread over two APIs',
      records: [
        ...usual(),
        ...usual({ eventName: 'DescribeVpcs' }),
        today(400),
        today(400, { eventName: 'DescribeVpcs' }),
      ],
      alerts: [],
      parameters: FEW,
    },
    { name: 'an AWS service at work', records: [...usual(SERVICE), today(600, SERVICE)], alerts: [], parameters: FEW },
  ],
});
