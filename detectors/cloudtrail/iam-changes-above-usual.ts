/** A principal changes IAM many times as often in an hour as it usually does. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const VERBS = [
  'Add',
  'Attach',
  'Create',
  'Deactivate',
  'Delete',
  'Detach',
  'Enable',
  'Put',
  'Remove',
  'Set',
  'Update',
  'Upload',
];
const change = (index: number) => ({
  eventSource: 'iam.amazonaws.com',
  eventName: `${VERBS[index % VERBS.length]}Thing`,
});
/** Ten days with two changes. */
const usual = (more: object = {}) =>
  Array.from({ length: 10 }, (_, day) => ({
    repeat: 2,
    every: '10m' as const,
    record: { ...change(2), ...more, eventTime: `2025-03-${String(day + 1).padStart(2, '0')}T09:00:00Z` },
  }));
const today = (repeat: number, more: object = {}) => ({
  repeat,
  every: '20s' as const,
  record: (index: number) => ({ ...change(index), ...more, eventTime: '2025-03-11T09:00:00Z' }),
});
const SERVICE = { userIdentity: { type: 'AWSService', invokedBy: 'sso.amazonaws.com' } };
const SUBJECT = { principal: 'arn:aws:iam::111122223333:user/Alice' };

export const detector = defineDetector({
  id: 'iam-changes-above-usual',
  title: 'A burst of changes to IAM',
  description:
    'Changes of users, roles, keys and policies per principal and hour, compared with the median of its own hours during the week before. Whoever digs in makes many at once, and so does whoever destroys.',
  severity: 'low',
  severityReason: 'Rights move in number; a rollout of roles by Terraform does the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098', version: 16 }],
  tags: ['persistence', 'baseline', 'insights'],
  when: {
    all: [
      {
        event_source: 'iam.amazonaws.com',
        outcome: 'success',
        event_name: { re: '^(Add|Attach|Create|Deactivate|Delete|Detach|Enable|Put|Remove|Set|Update|Upload)' },
      },
      { not: { actor_type: 'service' } },
    ],
  },
  baseline: { timesUsual: parameter('times'), atLeast: parameter('changes'), over: '7d' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} changed IAM {count} times in an hour, far above its usual, first {event_name} from {source_address}',
  parameters: {
    times: z.number().min(1).default(5).describe('multiple of the median of the hours with changes in the week before'),
    changes: z
      .int()
      .min(1)
      .default(60)
      .describe('changes in the hour below which nothing is said; a stack makes some dozens'),
  },
  falsePositives: ['A rollout of roles, a new account that is set up, a clean-up of old users.'],
  blindSpots: [
    'A pipeline that makes as many every day.',
    'Silent until the account has history.',
    'Few changes that matter: the detectors of single calls see those.',
  ],
  response: ['Run the saved question iam-changes for the hour, and principal-timeline for the principal.'],
  examples: [
    {
      name: 'sixty of all kinds, after two a day',
      records: [...usual(), today(60)],
      alerts: [{ subject: SUBJECT, count: 60 }],
    },
    { name: 'one fewer', records: [...usual(), today(59)], alerts: [] },
    {
      name: 'five times the usual',
      records: [...usual(), today(10)],
      alerts: [{ subject: SUBJECT }],
      parameters: { changes: 5 },
    },
    { name: 'not five times the usual', records: [...usual(), today(9)], alerts: [], parameters: { changes: 5 } },
    {
      name: 'refused, only read, of another service, or by an AWS service',
      records: [
        ...usual(),
        today(60, { errorCode: 'AccessDenied' }),
        today(60, { eventName: 'ListUsers' }),
        today(60, { eventSource: 'ec2.amazonaws.com' }),
        ...usual(SERVICE),
        today(60, SERVICE),
      ],
      alerts: [],
    },
  ],
});
