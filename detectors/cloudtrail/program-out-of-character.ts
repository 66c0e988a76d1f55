/** A principal that always made the same few calls made others. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const call = (eventName: string, eventTime: string, change: object = {}) => ({
  eventSource: 's3.amazonaws.com',
  eventName,
  eventTime,
  ...change,
});
const daily = (repeat: number, record: ReturnType<typeof call>) => ({ repeat, every: '1d', record }) as const;
/** Ten days of a program that lists and fetches. */
const usual = daily(10, call('ListBuckets', '2025-03-01T08:00:00Z'));
const strange = (count: number, eventTime: string, change: object = {}) => ({
  repeat: count,
  every: '1m' as const,
  record: (index: number) =>
    call(['GetBucketPolicy', 'GetBucketAcl', 'PutBucketPolicy', 'DeleteBucket'][index] ?? 'Other', eventTime, change),
});
const NOW = '2025-03-11T09:00:00Z';
const SUBJECT = { principal: 'arn:aws:iam::111122223333:user/Alice' };

export const detector = defineDetector({
  id: 'program-out-of-character',
  title: 'A program made calls that it never made',
  description:
    'A program does what it was written for: the same few calls every day. A principal that was at work on at least ten of the fourteen days before with no more than eight kinds of calls made three or more kinds within an hour that it had not made in that time, refused ones included. People, pipelines and consoles know far more kinds and are not judged.',
  severity: 'medium',
  severityReason: 'Either a new version or new hands; its credentials are being tried out.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1078.004', version: 16 },
    { technique: 'T1526', version: 16 },
  ],
  tags: ['discovery', 'baseline'],
  when: { all: [{ not: { actor_type: 'service' } }, { not: { invoked_by: { exists: true } } }] },
  baseline: {
    firstSeen: ['event_source', 'event_name'],
    per: ['account_id', 'principal'],
    atLeast: parameter('new_kinds'),
    habit: { days: parameter('days'), values: parameter('kinds') },
    over: '15d',
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal}, which always made the same few kinds of calls, made {peak} others within an hour, first {event_name} from {source_address}',
  parameters: {
    new_kinds: z.int().min(1).default(3).describe('new kinds of calls within an hour; one or two come with an update'),
    kinds: z
      .int()
      .min(1)
      .default(8)
      .describe('kinds of calls in the 14 days before; more means a person or a pipeline'),
    days: z.int().min(3).max(14).default(10).describe('days at work of the 14 before; fewer say nothing of its habits'),
  },
  falsePositives: ['A new version of the program; a person who did one thing for weeks and now works.'],
  blindSpots: [
    'Principals with many habits, or at work on fewer days.',
    'A thief who makes the same calls as the program.',
    'Data events, unless they are logged.',
  ],
  response: [
    'Compare source_address and user_agent with the days before: saved question access-key-activity.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'three new kinds, one of them refused',
      records: [usual, strange(2, NOW), call('PutBucketPolicy', '2025-03-11T09:30:00Z', { errorCode: 'AccessDenied' })],
      alerts: [{ subject: SUBJECT, count: 3, peak: 3 }],
    },
    {
      name: 'it knew eight kinds',
      records: [
        usual,
        { repeat: 7, every: '1m', record: (index) => call(`GetThing${index}`, '2025-03-05T08:30:00Z') },
        strange(3, NOW),
      ],
      alerts: [{ subject: SUBJECT, count: 3 }],
    },
    {
      name: 'it knew nine kinds',
      records: [
        usual,
        { repeat: 8, every: '1m', record: (index) => call(`GetThing${index}`, '2025-03-05T08:30:00Z') },
        strange(3, NOW),
      ],
      alerts: [],
      parameters: { new_kinds: 3 },
    },
    {
      name: 'calls of the same names to another service',
      records: [
        ...['GetBucketPolicy', 'GetBucketAcl', 'PutBucketPolicy'].map((name) =>
          daily(10, call(name, '2025-03-01T08:00:00Z')),
        ),
        strange(3, NOW, { eventSource: 'example.amazonaws.com' }),
      ],
      alerts: [{ subject: SUBJECT, count: 3 }],
    },
    {
      name: 'in two accounts that it works in, and in one that it never worked in',
      records: [
        usual,
        daily(10, call('ListBuckets', '2025-03-01T08:00:00Z', { recipientAccountId: '222233334444' })),
        strange(3, NOW),
        strange(3, NOW, { recipientAccountId: '222233334444' }),
        strange(3, NOW, { recipientAccountId: '333344445555' }),
      ],
      alerts: [
        { subject: { ...SUBJECT, account_id: '111122223333' }, count: 3 },
        { subject: { ...SUBJECT, account_id: '222233334444' }, count: 3 },
      ],
    },
    { name: 'two new kinds', records: [usual, strange(2, NOW)], alerts: [] },
    {
      name: 'three in two hours',
      records: [usual, strange(2, NOW), call('PutBucketPolicy', '2025-03-11T10:00:00Z')],
      alerts: [],
    },
    {
      name: 'nine days of work',
      records: [daily(9, call('ListBuckets', '2025-03-01T08:00:00Z')), strange(3, NOW)],
      alerts: [],
    },
    {
      name: 'ten days, one of them behind the fourteen',
      records: [daily(10, call('ListBuckets', '2025-02-24T08:00:00Z')), strange(3, NOW)],
      alerts: [],
    },
    {
      name: 'ten days, the first of them exactly fourteen days ago',
      records: [daily(10, call('ListBuckets', '2025-02-25T09:00:00Z')), strange(3, NOW)],
      alerts: [{ subject: SUBJECT, count: 3 }],
    },
    {
      name: 'kinds that it made exactly fifteen days ago',
      records: [
        { repeat: 1, every: '1m', record: call('GetBucketPolicy', '2025-02-24T09:00:00Z') },
        usual,
        strange(3, NOW),
      ],
      alerts: [],
    },
    {
      name: 'a kind that it made longer ago',
      records: [call('GetBucketPolicy', '2025-02-24T08:59:00Z'), usual, strange(3, NOW)],
      alerts: [{ subject: SUBJECT, count: 3 }],
    },
    {
      name: 'another principal, a service for it, or a role of AWS',
      records: [
        usual,
        strange(3, NOW, {
          userIdentity: {
            type: 'IAMUser',
            arn: 'arn:aws:iam::111122223333:user/Bob',
            accountId: '111122223333',
            userName: 'Bob',
          },
        }),
        strange(3, NOW, {
          userIdentity: {
            type: 'IAMUser',
            arn: 'arn:aws:iam::111122223333:user/Alice',
            accountId: '111122223333',
            userName: 'Alice',
            invokedBy: 'cloudformation.amazonaws.com',
          },
        }),
        ...['2025-03-01', 'new'].map((day) => {
          const userIdentity = {
            type: 'AssumedRole',
            accountId: '111122223333',
            arn: 'arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForX/session',
            sessionContext: {
              sessionIssuer: {
                type: 'Role',
                arn: 'arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX',
              },
            },
          };
          return day === 'new'
            ? strange(3, NOW, { userIdentity })
            : daily(10, call('ListBuckets', `${day}T08:00:00Z`, { userIdentity }));
        }),
      ],
      alerts: [],
    },
  ],
});
