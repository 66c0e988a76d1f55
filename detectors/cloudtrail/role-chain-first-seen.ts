/** One role's session assumed another role for the first time. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const identity = (role: string, session: string, arn = `arn:aws:iam::111122223333:role/${role}`) => ({
  type: 'AssumedRole',
  principalId: `AROAIDPPEZS35WEXAMPLE:${session}`,
  arn: `arn:aws:sts::111122223333:assumed-role/${role}/${session}`,
  accountId: '111122223333',
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  sessionContext: { sessionIssuer: { type: 'Role', arn, accountId: '111122223333' } },
});
const alice = {
  type: 'IAMUser',
  arn: 'arn:aws:iam::111122223333:user/Alice',
  accountId: '111122223333',
  userName: 'Alice',
};
const chain = (target: string, eventTime: string, session = 'deploy-17') => ({
  eventSource: 'sts.amazonaws.com',
  eventName: 'AssumeRole',
  eventTime,
  userIdentity: identity('Pipeline', session),
  requestParameters: { roleArn: `arn:aws:iam::111122223333:role/${target}`, roleSessionName: 'next' },
});
const usual = { repeat: 10, every: '1d', record: chain('Deploy', '2025-03-01T08:00:00Z') } as const;
const first = chain('Billing', '2025-03-11T09:00:00Z');

export const detector = defineDetector({
  id: 'role-chain-first-seen',
  title: 'A role was entered from another role for the first time',
  description:
    'Who holds the session of one role looks for others that it may enter: rights add up, and the trace grows longer with each step. A role that entered others on at least seven of the fourteen days before, and no more than three, entered one that it had not entered in that time. Roles that enter many, as those of pipelines for all accounts, are not judged.',
  severity: 'low',
  severityReason: 'Each new pipeline does it once; what counts is which role was reached.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1550.001', version: 16 },
    { technique: 'T1078.004', version: 16 },
  ],
  tags: ['lateral-movement', 'baseline'],
  when: {
    all: [
      {
        event_source: 'sts.amazonaws.com',
        event_name: 'AssumeRole',
        outcome: 'success',
        user_type: 'AssumedRole',
      },
      // A role that enters itself again only renews its session.
      { not: { 'request_parameters.roleArn': { column: 'principal_arn' } } },
      { not: { session_issuer_arn: { contains: ':role/aws-reserved/sso.amazonaws.com/' } } },
      { not: { actor_type: 'service' } },
    ],
  },
  baseline: {
    firstSeen: ['request_parameters.roleArn'],
    per: ['account_id', 'principal'],
    habit: { days: parameter('days'), values: parameter('roles') },
    over: '15d',
  },
  slot: '1h',
  subject: ['account_id', 'principal', 'request_parameters.roleArn'],
  summary:
    '{principal} ({session_name}) entered {request_parameters.roleArn} for the first time in 15 days, from {source_address}',
  parameters: {
    days: z
      .int()
      .min(1)
      .max(14)
      .default(7)
      .describe('days of the 14 before on which the role entered others; fewer say nothing of its habits'),
    roles: z
      .int()
      .min(1)
      .default(3)
      .describe('roles that it entered in that time; one that enters more does so by trade'),
  },
  falsePositives: ['A pipeline that deploys to a new account; a role that got a new task.'],
  blindSpots: [
    'Roles that never entered another before, or that enter many.',
    'People of IAM Identity Center who switch roles, who are left out.',
    'Roles that hide the chain behind a user in between.',
  ],
  response: [
    'Run the saved question assumed-role-chains for the whole chain, and role-assumptions for the role.',
    'Ask who owns session_name; source_identity names the person where it is set.',
  ],
  examples: [
    {
      name: 'a pipeline enters a role that it never entered',
      records: [usual, first],
      alerts: [
        {
          subject: {
            principal: 'arn:aws:iam::111122223333:role/Pipeline',
            'request_parameters.roleArn': 'arn:aws:iam::111122223333:role/Billing',
          },
          count: 1,
        },
      ],
    },
    {
      name: 'the same pair as each day, by another session',
      records: [usual, chain('Deploy', '2025-03-11T09:00:00Z', 'deploy-18')],
      alerts: [],
    },
    {
      name: 'it entered three roles, and then a fourth',
      records: [usual, chain('B', '2025-03-05T08:30:00Z'), chain('C', '2025-03-05T08:40:00Z'), first],
      alerts: [{ subject: { 'request_parameters.roleArn': 'arn:aws:iam::111122223333:role/Billing' }, count: 1 }],
    },
    {
      name: 'it entered four',
      records: [
        usual,
        chain('B', '2025-03-05T08:30:00Z'),
        chain('C', '2025-03-05T08:40:00Z'),
        chain('D', '2025-03-05T08:50:00Z'),
        first,
      ],
      alerts: [],
    },
    {
      name: 'it entered roles on seven days, and on six',
      records: [
        { repeat: 7, every: '1d', record: chain('Deploy', '2025-03-01T08:00:00Z') },
        {
          repeat: 6,
          every: '1d',
          record: { ...chain('Deploy', '2025-03-01T08:00:00Z'), recipientAccountId: '222233334444' },
        },
        chain('Billing', '2025-03-08T09:00:00Z'),
        { ...chain('Billing', '2025-03-08T09:00:00Z'), recipientAccountId: '222233334444' },
      ],
      alerts: [
        {
          subject: {
            account_id: '111122223333',
            'request_parameters.roleArn': 'arn:aws:iam::111122223333:role/Billing',
          },
        },
      ],
    },
    {
      name: 'it was there exactly fifteen days ago, or longer ago',
      records: [
        { repeat: 15, every: '1d', record: chain('Deploy', '2025-03-01T08:00:00Z') },
        chain('Billing', '2025-03-01T09:00:00Z'),
        chain('Audit', '2025-03-01T08:30:00Z'),
        chain('Billing', '2025-03-16T09:00:00Z'),
        chain('Audit', '2025-03-16T09:10:00Z'),
      ],
      alerts: [{ subject: { 'request_parameters.roleArn': 'arn:aws:iam::111122223333:role/Audit' } }],
    },
    { name: 'the first role is new itself', records: [first], alerts: [] },
    {
      name: 'the first role is new, beside one that is at work',
      records: [usual, { ...first, userIdentity: identity('Another', 'deploy-17') }],
      alerts: [],
    },
    { name: 'it renews its own session', records: [usual, chain('Pipeline', '2025-03-11T09:00:00Z')], alerts: [] },
    {
      name: 'a person of Identity Center, and a role of AWS',
      records: [
        'aws-reserved/sso.amazonaws.com/AWSReservedSSO_Operators_1a2b3c4d5e6f7a8b',
        'aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig',
      ].flatMap((path) => {
        const userIdentity = identity('Any', 'Alice', `arn:aws:iam::111122223333:role/${path}`);
        return [
          { repeat: 10, every: '1d', record: { ...usual.record, userIdentity } } as const,
          { ...first, userIdentity },
        ];
      }),
      alerts: [],
    },
    {
      name: 'a refusal, a call without a role, another call, or another service',
      records: [
        usual,
        { ...first, errorCode: 'AccessDenied' },
        { ...first, requestParameters: null },
        { ...first, eventName: 'AssumeRoot' },
        { ...first, eventSource: 'example.amazonaws.com' },
        { repeat: 10, every: '1d', record: { eventName: 'ListBuckets', eventTime: '2025-03-01T08:00:00Z' } },
      ],
      alerts: [],
    },
    {
      name: 'a user who enters a role each day, and then another one',
      records: [
        { ...usual, record: { ...usual.record, userIdentity: alice } },
        { ...first, userIdentity: alice },
      ],
      alerts: [],
    },
  ],
});
