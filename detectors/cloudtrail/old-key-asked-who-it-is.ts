/** A long-term key that has been at work for days asks for the first time whose it is. */
import { defineDetector } from '../../src/detector.ts';

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
    'GetCallerIdentity is the first thing that anybody does who found a key, because it always works and tells account and user. Programs that call it do so from their first day. A long-term key that was at work for days without ever asking, and then asks, has changed hands.',
  severity: 'low',
  severityReason: 'One harmless call, and the earliest sign of a leaked key; a person at the shell does it too.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1087.004', version: 16 }],
  tags: ['discovery', 'baseline'],
  when: {
    event_source: 'sts.amazonaws.com',
    event_name: 'GetCallerIdentity',
    access_key_id: { startswith: 'AKIA' },
  },
  baseline: { firstSeen: ['access_key_id'], per: ['access_key_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal', 'access_key_id'],
  summary:
    '{principal} asked whose key {access_key_id} is, for the first time in 30 days, from {source_address} with {user_agent}',
  falsePositives: ['A person who tries the own key at the shell; a new version of a program that asks at its start.'],
  blindSpots: [
    'Keys that ask every day, as those of Terraform do.',
    'A key that has been at work for less than three days, or is never used.',
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
