/** One role's session assumed another role for the first time. */
import { defineDetector } from '../../src/detector.ts';

const identity = (role: string, session: string, arn = `arn:aws:iam::111122223333:role/${role}`) => ({
  type: 'AssumedRole',
  principalId: `AROAIDPPEZS35WEXAMPLE:${session}`,
  arn: `arn:aws:sts::111122223333:assumed-role/${role}/${session}`,
  accountId: '111122223333',
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  sessionContext: { sessionIssuer: { type: 'Role', arn, accountId: '111122223333' } },
});
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
    'Who holds the session of one role looks for others that it may enter: rights add up, and the trace grows longer with each step. Pairs of roles that chain every day are known; this pair has not been seen in 30 days, while the first role itself is well known.',
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
  baseline: { firstSeen: ['request_parameters.roleArn'], per: ['principal'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal', 'request_parameters.roleArn'],
  summary:
    '{principal} ({session_name}) entered {request_parameters.roleArn} for the first time in 30 days, from {source_address}',
  falsePositives: ['A pipeline that deploys to a new account; a role that got a new task.'],
  blindSpots: [
    'Roles that were not at work for three days before: a new role may enter anything.',
    'People of IAM Identity Center who switch roles, who are left out.',
    'Roles that hide the chain behind a user in between.',
  ],
  response: [
    'Run the saved question assumed-role-chains for the whole chain, and role-assumptions for request_parameters.roleArn.',
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
    { name: 'the first role is new itself', records: [first], alerts: [] },
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
      name: 'a user, a refusal, a call without a role, another call, or another service',
      records: [
        usual,
        { ...first, errorCode: 'AccessDenied' },
        { ...first, requestParameters: null },
        { ...first, eventName: 'AssumeRoot' },
        { ...first, eventSource: 'example.amazonaws.com' },
        { repeat: 10, every: '1d', record: { eventName: 'ListBuckets', eventTime: '2025-03-01T08:00:00Z' } },
        {
          ...first,
          userIdentity: {
            type: 'IAMUser',
            arn: 'arn:aws:iam::111122223333:user/Alice',
            accountId: '111122223333',
            userName: 'Alice',
          },
        },
      ],
      alerts: [],
    },
  ],
});
