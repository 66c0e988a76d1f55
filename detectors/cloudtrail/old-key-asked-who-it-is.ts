/** A long-term key that has been at work for days asks for the first time whose it is. */
import { defineDetector, z } from '../../src/detector.ts';

const question = {
  eventSource: 'sts.amazonaws.com',
  eventName: 'GetCallerIdentity',
  eventTime: '2025-03-11T09:00:00Z',
  sourceIPAddress: '203.0.113.99',
};
/** Ten days of the key's ordinary work. */
const usual = {
  repeat: 10,
  every: '1d',
  record: { eventSource: 's3.amazonaws.com', eventName: 'PutBucketTagging', eventTime: '2025-03-01T08:00:00Z' },
} as const;
const callerWith = (accessKeyId: string) => ({
  type: 'IAMUser',
  principalId: 'AIDACKCEVSQ6C2EXAMPLE',
  arn: 'arn:aws:iam::111122223333:user/Alice',
  accountId: '111122223333',
  accessKeyId,
  userName: 'Alice',
});

export const detector = defineDetector({
  id: 'old-key-asked-who-it-is',
  title: 'A key that was long at work asked whose it is',
  description:
    'GetCallerIdentity is the first thing that anybody does who found a key, because it always works and tells account and user. Programs that call it do so from their first day. A long-term key that was at work on at least seven of the last fourteen days with no more than eight kinds of calls, without ever asking, and then asks, has changed hands.',
  severity: 'low',
  severityReason: 'One harmless call, and the earliest sign of a leaked key; a person at the shell does it too.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1087.004', version: 16 }],
  tags: ['discovery', 'baseline'],
  when: { access_key_id: { startswith: 'AKIA' } },
  sql: `-- One row per key and hour in which a key with few habits asked whose it is, which it had not asked in 14 days.
WITH calls AS (
  SELECT date_trunc('hour', c.event_time) AS slot, c.account_id, c.principal, c.access_key_id, c.event_source, c.event_name
  FROM cloudtrail AS c
  GROUP BY 1, 2, 3, 4, 5, 6
), asked AS (
  SELECT m.slot, m.account_id, m.principal, m.access_key_id,
    lag(m.slot) OVER (PARTITION BY m.account_id, m.access_key_id ORDER BY m.slot, m.principal) AS last_slot
  FROM calls AS m
  WHERE m.event_source = 'sts.amazonaws.com' AND m.event_name = 'GetCallerIdentity'
), known AS (
  SELECT a.slot, a.account_id, a.principal, a.access_key_id
  FROM asked AS a
  JOIN calls AS h ON h.account_id = a.account_id AND h.access_key_id = a.access_key_id AND h.slot < a.slot AND h.slot >= a.slot - INTERVAL '14' DAY
  WHERE a.last_slot IS NULL OR a.last_slot < a.slot - INTERVAL '14' DAY
  GROUP BY 1, 2, 3, 4
  HAVING count(DISTINCT date_trunc('day', h.slot)) >= :days AND count(DISTINCT concat(h.event_source, ' ', h.event_name)) <= :kinds
)
SELECT k.slot, k.account_id, k.principal, k.access_key_id, min(c.principal_arn) AS principal_arn, min(c.aws_region) AS aws_region,
  min(c.source_ip) AS source_ip, min(c.source_address) AS source_address, min(c.user_agent) AS user_agent, min(c.event_time) AS first_seen,
  max(c.event_time) AS last_seen, count(*) AS count, ARRAY[min(c.event_id)] AS event_ids
FROM known AS k
JOIN cloudtrail AS c ON c.account_id = k.account_id AND c.principal = k.principal AND c.access_key_id = k.access_key_id
  AND date_trunc('hour', c.event_time) = k.slot
WHERE c.event_source = 'sts.amazonaws.com' AND c.event_name = 'GetCallerIdentity'
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4`,
  lookback: '14d',
  slot: '1h',
  subject: ['account_id', 'principal', 'access_key_id'],
  summary:
    '{principal} asked whose key {access_key_id} is, for the first time in 14 days, from {source_address} with {user_agent}',
  parameters: {
    days: z
      .int()
      .min(1)
      .max(14)
      .default(7)
      .describe('days of the last 14 on which the key was at work; fewer say nothing of its habits'),
    kinds: z.int().min(1).default(8).describe('kinds of calls in that time; more means a person or a pipeline'),
  },
  falsePositives: ['A person who tries the own key at the shell; a new version of a program that asks at its start.'],
  blindSpots: [
    'Keys that ask every day, as those of Terraform do.',
    'A key that is hardly used, or of a person who makes many kinds of calls.',
    'Questions that AWS does not record: an error message of SNS or DynamoDB tells the account as well.',
  ],
  response: [
    'Compare source_address and user_agent with the days before: saved question access-key-activity.',
    'If they differ, deactivate access_key_id.',
  ],
  examples: [
    {
      name: 'the key of a program asks after ten days, from elsewhere',
      records: [usual, question],
      alerts: [{ subject: { access_key_id: 'AKIAIOSFODNN7EXAMPLE' }, count: 1 }],
    },
    {
      name: 'a program that asks each day',
      records: [{ repeat: 11, every: '1d', record: { ...question, eventTime: '2025-03-01T09:00:00Z' } }],
      alerts: [],
    },
    {
      name: 'it knew eight kinds of calls',
      records: [
        usual,
        {
          repeat: 7,
          every: '1m',
          record: (index) => ({ ...usual.record, eventName: `GetThing${index}`, eventTime: '2025-03-05T09:00:00Z' }),
        },
        question,
      ],
      alerts: [{ subject: { access_key_id: 'AKIAIOSFODNN7EXAMPLE' } }],
    },
    {
      name: 'it knew nine',
      records: [
        usual,
        {
          repeat: 8,
          every: '1m',
          record: (index) => ({ ...usual.record, eventName: `GetThing${index}`, eventTime: '2025-03-05T09:00:00Z' }),
        },
        question,
      ],
      alerts: [],
    },
    {
      name: 'after seven days of work, and after six',
      records: [
        { ...usual, repeat: 7 },
        { ...usual, repeat: 6, record: { ...usual.record, userIdentity: callerWith('AKIAI44QH8DHBEXAMPLE') } },
        { ...question, eventTime: '2025-03-08T09:00:00Z' },
        { ...question, eventTime: '2025-03-08T09:00:00Z', userIdentity: callerWith('AKIAI44QH8DHBEXAMPLE') },
      ],
      alerts: [{ subject: { access_key_id: 'AKIAIOSFODNN7EXAMPLE' } }],
    },
    {
      name: 'it asked exactly fourteen days ago',
      records: [
        { ...usual, repeat: 15 },
        { ...question, eventTime: '2025-03-01T09:00:00Z' },
        { ...question, eventTime: '2025-03-15T09:00:00Z' },
      ],
      alerts: [],
    },
    {
      name: 'it asked longer ago',
      records: [
        { ...usual, repeat: 15 },
        { ...question, eventTime: '2025-03-01T08:00:00Z' },
        { ...question, eventTime: '2025-03-15T09:00:00Z' },
      ],
      alerts: [{ subject: { access_key_id: 'AKIAIOSFODNN7EXAMPLE' } }],
    },
    {
      name: 'a new key',
      records: [usual, { ...question, userIdentity: callerWith('AKIAI44QH8DHBEXAMPLE') }],
      alerts: [],
    },
    {
      name: 'temporary credentials with as long a history',
      records: [
        { ...usual, record: { ...usual.record, userIdentity: callerWith('ASIAIOSFODNN7EXAMPLE') } },
        { ...question, userIdentity: callerWith('ASIAIOSFODNN7EXAMPLE') },
      ],
      alerts: [],
    },
    {
      name: 'another question, or another service',
      records: [
        usual,
        { ...question, eventName: 'GetAccessKeyInfo' },
        { ...question, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
