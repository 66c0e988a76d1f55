/** A principal starts many times as many machines or containers in an hour as it usually does. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const CALLS = [
  'RunInstances',
  'CreateFleet',
  'RequestSpotInstances',
  'RequestSpotFleet',
  'RunTask',
  'SubmitJob',
  'CreateTrainingJob',
];
const launch = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'RunInstances',
  requestParameters: { instanceType: 'm5.large' },
};
/** Ten days with two launches. */
const usual = (more: object = {}) =>
  Array.from({ length: 10 }, (_, day) => ({
    repeat: 2,
    every: '10m' as const,
    record: { ...launch, ...more, eventTime: `2025-03-${String(day + 1).padStart(2, '0')}T09:00:00Z` },
  }));
const today = (repeat: number, more: object = {}) => ({
  repeat,
  every: '20s' as const,
  record: (index: number) => ({
    ...launch,
    eventName: CALLS[index % CALLS.length],
    ...more,
    eventTime: '2025-03-11T09:00:00Z',
  }),
});
const SERVICE = { userIdentity: { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' } };
const SUBJECT = { principal: 'arn:aws:iam::111122223333:user/Alice' };

export const detector = defineDetector({
  id: 'launches-above-usual',
  title: 'A principal started far more machines than usual',
  description:
    'Calls that start instances, tasks, jobs or training per principal and hour, compared with the median of its own hours during the week before. Stolen computing power is started in number, before somebody looks.',
  severity: 'medium',
  severityReason: 'Each of them costs money until somebody stops it; a test of load looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1496.001', version: 16 }],
  tags: ['impact', 'baseline', 'insights'],
  when: { all: [{ event_name: CALLS, outcome: 'success' }, { not: { actor_type: 'service' } }] },
  baseline: { timesUsual: parameter('times'), atLeast: parameter('launches'), over: '7d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} started machines or jobs {count} times in an hour, far above its usual, first {event_name} in {aws_region} from {source_address}',
  parameters: {
    times: z
      .number()
      .min(1)
      .default(10)
      .describe('multiple of the median of the hours with launches in the week before'),
    launches: z.int().min(1).default(50).describe('calls in the hour below which nothing is said'),
  },
  falsePositives: ['A test of load, a yearly batch, a cluster that is rebuilt.'],
  blindSpots: [
    'One call that starts many (maxCount): gpu-instances-launched looks at what was started.',
    'A principal that starts as many every day; what Auto Scaling starts by its own role.',
    'Silent until the account has history.',
  ],
  response: [
    'List what runs: response_elements.instancesSet of the calls; stop what nobody knows.',
    'Run the saved question principal-timeline for the principal, and regions-in-use.',
  ],
  examples: [
    {
      name: 'fifty of all kinds, after two a day',
      records: [...usual(), today(50)],
      alerts: [{ subject: SUBJECT, count: 50 }],
    },
    { name: 'one fewer', records: [...usual(), today(49)], alerts: [] },
    {
      name: 'ten times the usual',
      records: [...usual(), today(20)],
      alerts: [{ subject: SUBJECT }],
      parameters: { launches: 5 },
    },
    { name: 'not ten times the usual', records: [...usual(), today(19)], alerts: [], parameters: { launches: 5 } },
    {
      name: 'they fail, something is stopped, or Auto Scaling is at work',
      records: [
        ...usual(),
        today(50, { errorCode: 'Client.InstanceLimitExceeded' }),
        today(50, { eventName: 'StopInstances' }),
        ...usual(SERVICE),
        today(50, SERVICE),
      ],
      alerts: [],
    },
  ],
});
