/** One error of one API comes many times as often in an hour as is usual for the account. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const failure = {
  eventSource: 'dynamodb.amazonaws.com',
  eventName: 'DescribeTable',
  errorCode: 'ResourceNotFoundException',
};
/** Ten days with five of them. */
const usual = (change: object = {}) =>
  Array.from({ length: 10 }, (_, day) => ({
    repeat: 5,
    every: '1m' as const,
    record: { ...failure, ...change, eventTime: `2025-03-${String(day + 1).padStart(2, '0')}T09:00:00Z` },
  }));
const today = (repeat: number, change: object = {}) => ({
  repeat,
  every: '10s' as const,
  record: { ...failure, ...change, eventTime: '2025-03-11T09:00:00Z' },
});
const SERVICE = { userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' } };
const FEW = { errors: 50 };

export const detector = defineDetector({
  id: 'api-errors-above-usual',
  title: 'An error of an API came far more often than usual',
  description:
    'Errors per account, API and error code in an hour, compared with the median of their hours during the week before: what CloudTrail Insights tells as an error rate, without the charge. Refusals count here too, so that a crowd of sessions which are refused a little each is seen.',
  severity: 'low',
  severityReason: 'Mostly something that broke; a key that is being tried out looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1580', version: 16 }],
  tags: ['baseline', 'insights', 'operations'],
  when: { all: [{ error_code: { exists: true } }, { not: { actor_type: 'service' } }] },
  baseline: { timesUsual: parameter('times'), atLeast: parameter('errors'), over: '7d' },
  slot: '1h',
  subject: ['account_id', 'event_source', 'event_name', 'error_code'],
  summary:
    '{event_name} ({event_source}) failed {count} times in an hour with {error_code} in account {account_id}, far above its usual, first for {principal}',
  parameters: {
    times: z
      .number()
      .min(1)
      .default(10)
      .describe('multiple of the median of the hours with such errors in the week before'),
    errors: z
      .int()
      .min(1)
      .default(200)
      .describe('errors in the hour below which nothing is said; a retry loop makes some dozens'),
  },
  falsePositives: ['A rollout that went wrong; a resource that was deleted and is still asked for.'],
  blindSpots: [
    'An error that comes all day long.',
    'Silent until the account has history.',
    'Data events, unless they are logged.',
  ],
  response: [
    'Run the saved question errors-by-service, then read error_message.',
    'For refusals run the saved question why-denied.',
  ],
  examples: [
    {
      name: 'ten times as often',
      records: [...usual(), today(50)],
      alerts: [
        {
          subject: { account_id: '111122223333', event_name: 'DescribeTable', error_code: 'ResourceNotFoundException' },
          count: 50,
        },
      ],
      parameters: FEW,
    },
    { name: 'not quite', records: [...usual(), today(49)], alerts: [], parameters: { errors: 10 } },
    { name: 'ten times, but few', records: [...usual(), today(50)], alerts: [] },
    {
      name: 'two hundred of an error that is new',
      records: [...usual({ errorCode: 'ValidationException' }), today(200)],
      alerts: [{ subject: { error_code: 'ResourceNotFoundException' }, count: 200 }],
    },
    { name: 'one fewer', records: [...usual({ errorCode: 'ValidationException' }), today(199)], alerts: [] },
    {
      name: 'calls that succeed, or an AWS service',
      records: [...usual(), today(200, { errorCode: undefined }), ...usual(SERVICE), today(200, SERVICE)],
      alerts: [],
    },
  ],
});
