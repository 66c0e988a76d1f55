/** A principal's calls fail many times as often in an hour as they usually do. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const failure = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'DescribeInstances',
  errorCode: 'Client.InvalidInstanceID.NotFound',
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

export const detector = defineDetector({
  id: 'failed-calls-above-usual',
  title: "A principal's calls failed far more often than usual",
  description:
    'Failures other than refusals per principal and hour, compared with the median of its own hours during the week before. Somebody who guesses names of resources meets errors of every kind; refusals are counted by denied-calls-above-usual.',
  severity: 'low',
  severityReason: 'Mostly a program that broke; it tells where to look.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1580', version: 16 }],
  tags: ['baseline', 'insights', 'operations'],
  when: { all: [{ outcome: 'failed' }, { not: { actor_type: 'service' } }] },
  baseline: { timesUsual: parameter('times'), atLeast: parameter('failures'), over: '7d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{count} calls of {principal} failed in an hour, far above its usual, first {event_name} with {error_code} from {source_address}',
  parameters: {
    times: z
      .number()
      .min(1)
      .default(10)
      .describe('multiple of the median of the hours with failures in the week before'),
    failures: z.int().min(1).default(200).describe('failures in the hour below which nothing is said'),
  },
  falsePositives: ['A deployment that went wrong; a tool that asks for what does not exist, as Terraform does.'],
  blindSpots: [
    'A principal whose calls always fail.',
    'Silent until the account has history.',
    'Data events, unless they are logged.',
  ],
  response: [
    'Group the hour by event_name, error_code and source_address: saved question principal-timeline.',
    'Run the saved question errors-by-service.',
  ],
  examples: [
    {
      name: 'two hundred after five a day',
      records: [...usual(), today(200)],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 200 },
      ],
    },
    { name: 'one fewer', records: [...usual(), today(199)], alerts: [] },
    {
      name: 'ten times the usual',
      records: [...usual(), today(50)],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
      parameters: { failures: 10 },
    },
    { name: 'not ten times the usual', records: [...usual(), today(49)], alerts: [], parameters: { failures: 10 } },
    {
      name: 'refusals, calls that succeed, or an AWS service',
      records: [
        ...usual(),
        today(200, { errorCode: 'Client.UnauthorizedOperation' }),
        today(200, { errorCode: undefined }),
        ...usual(SERVICE),
        today(200, SERVICE),
      ],
      alerts: [],
    },
  ],
});
