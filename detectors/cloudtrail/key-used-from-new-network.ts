/** A long-term key that always called from one place called from another. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const call = (sourceIPAddress: string, eventTime: string, change: object = {}) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'ListBuckets',
  eventTime,
  sourceIPAddress,
  ...change,
});
const callerWith = (accessKeyId: string, more: object = {}) => ({
  userIdentity: {
    type: 'IAMUser',
    principalId: 'AIDACKCEVSQ6C2EXAMPLE',
    arn: 'arn:aws:iam::111122223333:user/Alice',
    accountId: '111122223333',
    accessKeyId,
    userName: 'Alice',
    ...more,
  },
});
const daily = (repeat: number, record: ReturnType<typeof call>) => ({ repeat, every: '1d', record }) as const;
/** Seven days from one network. */
const usual = daily(7, call('192.0.2.44', '2025-03-01T08:00:00Z'));
const stranger = call('203.0.113.99', '2025-03-08T09:00:00Z');
const ALERT = [{ subject: { access_key_id: 'AKIAIOSFODNN7EXAMPLE' }, count: 1 }];

export const detector = defineDetector({
  id: 'key-used-from-new-network',
  title: 'A key that stays in its place was used from elsewhere',
  description:
    'A long-term key that was at work on at least seven of the fourteen days before, from one or two networks only (the first half of an IPv4 address, the first two groups of an IPv6 one), called from another one. Keys of servers stay where they are; keys of people who travel have seen more networks and are not judged.',
  severity: 'medium',
  severityReason: 'The key of a server has been copied, or the server has moved.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['initial-access', 'baseline'],
  when: {
    all: [
      { access_key_id: { startswith: 'AKIA' } },
      { not: { vpc_endpoint_id: { exists: true } } },
      { not: { invoked_by: { exists: true } } },
    ],
  },
  baseline: {
    firstSeen: ['source_ip.network'],
    per: ['account_id', 'access_key_id'],
    habit: { days: parameter('days'), values: parameter('networks') },
    over: '15d',
  },
  slot: '1h',
  subject: ['account_id', 'principal', 'access_key_id', 'source_ip.network'],
  summary:
    '{access_key_id} of {principal}, so far used from one place, called {event_name} from {source_ip} with {user_agent} ({count} calls in the hour)',
  parameters: {
    days: z
      .int()
      .min(3)
      .max(14)
      .default(7)
      .describe('days of the 14 before on which the key was at work; fewer say nothing of its place'),
    networks: z.int().min(1).default(2).describe('networks of these days; a key that has seen more travels'),
  },
  falsePositives: ['A server that moved; an office with a new provider: one alert for each key.'],
  blindSpots: [
    'Keys of people who travel, and keys that are hardly used.',
    'A thief in the same network, for example of the same cloud: which provider an address belongs to needs enrichment of addresses.',
    'Calls through a VPC endpoint, whose addresses are private.',
  ],
  response: [
    'Compare what it did from source_ip with what it always did: saved question access-key-activity.',
    'If nobody moved the server, deactivate access_key_id.',
  ],
  examples: [
    { name: 'from elsewhere, after a week in one place', records: [usual, stranger], alerts: ALERT },
    {
      name: 'from elsewhere, after a week in two places, by IPv6',
      records: [
        usual,
        daily(2, call('2001:db8::7', '2025-03-05T08:00:00Z')),
        call('2001:db9::7', '2025-03-08T09:00:00Z'),
      ],
      alerts: ALERT,
    },
    {
      name: 'a key that has seen three networks',
      records: [
        usual,
        call('198.51.100.7', '2025-03-02T08:00:00Z'),
        call('2001:db8::7', '2025-03-03T08:00:00Z'),
        stranger,
      ],
      alerts: [],
    },
    {
      name: 'another address of the same network, by IPv4 and by IPv6',
      records: [
        usual,
        daily(2, call('2001:db8:1::7', '2025-03-05T08:00:00Z')),
        call('192.0.9.9', '2025-03-08T09:00:00Z'),
        call('2001:db8:2::7', '2025-03-08T09:00:00Z'),
      ],
      alerts: [],
    },
    {
      name: 'from two other places in one hour, and by two names of one user: each is told',
      records: [
        usual,
        stranger,
        { ...stranger, sourceIPAddress: '198.18.0.1' },
        {
          ...stranger,
          ...callerWith('AKIAIOSFODNN7EXAMPLE', { arn: 'arn:aws:iam::111122223333:user/Alicia', userName: 'Alicia' }),
        },
      ],
      alerts: [
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice', 'source_ip.network': '203.0' }, count: 1 },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice', 'source_ip.network': '198.18' }, count: 1 },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alicia', 'source_ip.network': '203.0' }, count: 1 },
      ],
    },
    {
      name: 'in two accounts that it works in, and in one that it never worked in',
      records: [
        usual,
        { ...usual, record: { ...usual.record, recipientAccountId: '222233334444' } },
        stranger,
        { ...stranger, recipientAccountId: '222233334444' },
        { ...stranger, recipientAccountId: '333344445555' },
      ],
      alerts: [
        { subject: { account_id: '111122223333' }, count: 1 },
        { subject: { account_id: '222233334444' }, count: 1 },
      ],
    },
    { name: 'six days only', records: [daily(6, call('192.0.2.44', '2025-03-02T08:00:00Z')), stranger], alerts: [] },
    {
      name: 'seven days, but the first of them lie behind the fourteen',
      records: [daily(7, call('192.0.2.44', '2025-03-01T08:00:00Z')), call('203.0.113.99', '2025-03-16T09:00:00Z')],
      alerts: [],
    },
    {
      name: 'the second place was last seen exactly fifteen days ago',
      records: [
        daily(15, call('192.0.2.44', '2025-03-01T08:00:00Z')),
        call('203.0.113.99', '2025-03-01T09:00:00Z'),
        call('203.0.113.99', '2025-03-16T09:00:00Z'),
      ],
      alerts: [],
    },
    {
      name: 'the second place was last seen longer ago',
      records: [
        daily(15, call('192.0.2.44', '2025-03-01T08:00:00Z')),
        call('203.0.113.99', '2025-03-01T08:00:00Z'),
        call('203.0.113.99', '2025-03-16T09:00:00Z'),
      ],
      alerts: ALERT,
    },
    {
      name: 'another key of the same user, temporary credentials, an endpoint, or a service for it',
      records: [
        usual,
        { ...stranger, ...callerWith('AKIAI44QH8DHBEXAMPLE') },
        { ...stranger, vpcEndpointId: 'vpce-1234567890abcdef0', sourceIPAddress: '10.1.2.3' },
        { ...stranger, ...callerWith('AKIAIOSFODNN7EXAMPLE', { invokedBy: 'cloudformation.amazonaws.com' }) },
        { ...stranger, sourceIPAddress: 'cloudformation.amazonaws.com' },
        daily(7, call('192.0.2.44', '2025-03-01T08:00:00Z', callerWith('ASIAIOSFODNN7EXAMPLE'))),
        { ...stranger, ...callerWith('ASIAIOSFODNN7EXAMPLE') },
        daily(7, call('192.0.2.44', '2025-03-01T08:00:00Z', callerWith('ASIAAKIAFODNEXAMPLE'))),
        { ...stranger, ...callerWith('ASIAAKIAFODNEXAMPLE') },
      ],
      alerts: [],
    },
  ],
});
