/** One role's session assumed another role for the first time. */
import { defineDetector, z } from '../../src/detector.ts';

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
    'Who holds the session of one role looks for others that it may enter: rights add up, and the trace grows longer with each step. A role that entered others on at least seven of the last fourteen days, and no more than three, entered one that it had not entered in that time. Roles that enter many, as those of pipelines for all accounts, are not judged.',
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
  sql: `-- One row per role, target and hour in which a role that enters few others entered one that it had not entered in 14 days.
WITH chains AS (
  SELECT date_trunc('hour', c.event_time) AS slot, c.account_id, c.principal, json_extract_scalar(c.request_parameters, '$.roleArn') AS role_arn,
    min(c.principal_arn) AS principal_arn, min(c.session_name) AS session_name, min(c.aws_region) AS aws_region, min(c.source_ip) AS source_ip,
    min(c.source_address) AS source_address, min(c.event_time) AS first_seen, max(c.event_time) AS last_seen, count(*) AS calls,
    array_agg(c.event_id ORDER BY c.event_time, c.event_id) AS event_ids
  FROM cloudtrail AS c
  GROUP BY 1, 2, 3, 4
), steps AS (
  SELECT m.*, lag(m.slot) OVER (PARTITION BY m.account_id, m.principal, m.role_arn ORDER BY m.slot) AS last_slot
  FROM chains AS m
), fresh AS (
  SELECT s.*
  FROM steps AS s
  WHERE s.role_arn IS NOT NULL AND (s.last_slot IS NULL OR s.last_slot < s.slot - INTERVAL '14' DAY)
), known AS (
  SELECT f.slot, f.account_id, f.principal, f.role_arn, count(DISTINCT h.role_arn) AS roles, count(DISTINCT date_trunc('day', h.slot)) AS days
  FROM fresh AS f
  JOIN chains AS h ON h.account_id = f.account_id AND h.principal = f.principal AND h.slot < f.slot AND h.slot >= f.slot - INTERVAL '14' DAY
  GROUP BY 1, 2, 3, 4
)
SELECT f.slot, f.account_id, f.principal, f.role_arn, f.principal_arn, f.session_name, f.aws_region, f.source_ip, f.source_address, f.first_seen, f.last_seen,
  f.calls AS count, f.event_ids
FROM fresh AS f
JOIN known AS k ON k.slot = f.slot AND k.account_id = f.account_id AND k.principal = f.principal AND k.role_arn = f.role_arn
WHERE k.days >= :days AND k.roles <= :roles
ORDER BY 1, 2, 3, 4`,
  lookback: '14d',
  slot: '1h',
  subject: ['account_id', 'principal', 'role_arn'],
  summary: '{principal} ({session_name}) entered {role_arn} for the first time in 14 days, from {source_address}',
  parameters: {
    days: z
      .int()
      .min(1)
      .max(14)
      .default(7)
      .describe('days of the last 14 on which the role entered others; fewer say nothing of its habits'),
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
    'Run the saved question assumed-role-chains for the whole chain, and role-assumptions for role_arn.',
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
            role_arn: 'arn:aws:iam::111122223333:role/Billing',
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
      alerts: [{ subject: { role_arn: 'arn:aws:iam::111122223333:role/Billing' }, count: 1 }],
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
      alerts: [{ subject: { account_id: '111122223333', role_arn: 'arn:aws:iam::111122223333:role/Billing' } }],
    },
    {
      name: 'it was there exactly fourteen days ago, or longer ago',
      records: [
        { repeat: 15, every: '1d', record: chain('Deploy', '2025-03-01T08:00:00Z') },
        chain('Billing', '2025-03-01T09:00:00Z'),
        chain('Audit', '2025-03-01T08:30:00Z'),
        chain('Billing', '2025-03-15T09:00:00Z'),
        chain('Audit', '2025-03-15T09:10:00Z'),
      ],
      alerts: [{ subject: { role_arn: 'arn:aws:iam::111122223333:role/Audit' } }],
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
