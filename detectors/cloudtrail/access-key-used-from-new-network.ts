/** A long-term access key is used from a network that it was never used from. */
import { defineDetector } from '../../src/detector.ts';

const call = (sourceIPAddress: string, eventTime: string, accessKeyId = 'AKIAIOSFODNN7EXAMPLE') => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'ListBuckets',
  sourceIPAddress,
  eventTime,
  userIdentity: {
    type: 'IAMUser',
    accountId: '111122223333',
    arn: 'arn:aws:iam::111122223333:user/backup',
    accessKeyId,
    userName: 'backup',
  },
});
const usual = { repeat: 10, every: '1d', record: call('192.0.2.10', '2025-03-01T08:00:00Z') } as const;
const stranger = call('203.0.113.9', '2025-03-11T09:00:00Z');
const known = {
  addresses: {
    '192.0.2.10': { asn: 64_496, as_name: 'Example Net' },
    '192.0.2.99': { asn: 64_496, as_name: 'Example Net' },
    '203.0.113.9': { asn: 64_511, as_name: 'Example Hosting' },
  },
};

export const detector = defineDetector({
  id: 'access-key-used-from-new-network',
  title: 'An access key was used from a network that is new for it',
  description:
    'A long-term key sits in one place: a server, a pipeline, a laptop. It was used now from an autonomous system from which it had not been used in the last 30 days. It needs a database of autonomous systems (enrichment.mmdb.asn in the config) and is silent without one.',
  severity: 'medium',
  severityReason: 'This is how a leaked key shows first; a move to another provider looks the same, once.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['initial-access', 'network', 'baseline'],
  when: { access_key_id: { startswith: 'AKIA' } },
  baseline: { firstSeen: ['source_asn'], per: ['access_key_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'principal', 'access_key_id', 'source_asn'],
  summary:
    '{access_key_id} of {principal} was used from {source_ip} ({source_as_name}), a network that is new for it: {event_source} {event_name}',
  falsePositives: [
    'A person who travels with a long-term key, or works from a phone.',
    'A workload that moves to another provider: one alert for each key.',
  ],
  blindSpots: [
    'Silent without a database of autonomous systems, and for a key of less than three days.',
    'A thief in the same network, such as another customer of the same cloud.',
    'Calls that an AWS service makes with the key, of which no address is recorded.',
  ],
  response: [
    'List the calls of access_key_id from source_ip; user_agent and the calls themselves tell a stranger.',
    'Deactivate the key unless its owner knows of the move.',
  ],
  examples: [
    {
      name: 'another network after ten days',
      records: [usual, stranger],
      known,
      alerts: [
        {
          subject: { account_id: '111122223333', access_key_id: 'AKIAIOSFODNN7EXAMPLE', source_asn: '64511' },
          count: 1,
        },
      ],
    },
    {
      name: 'another address of the same network',
      records: [usual, call('192.0.2.99', '2025-03-11T09:00:00Z')],
      known,
      alerts: [],
    },
    { name: 'a key without history', records: [stranger], known, alerts: [] },
    {
      name: 'an address of which nothing is known, and a service that calls with the key',
      records: [
        usual,
        call('198.51.100.7', '2025-03-11T09:00:00Z'),
        call('athena.amazonaws.com', '2025-03-11T09:00:00Z'),
      ],
      known,
      alerts: [],
    },
    {
      name: 'a session, which lives for hours only',
      records: [
        { ...usual, record: call('192.0.2.10', '2025-03-01T08:00:00Z', 'ASIAIOSFODNN7EXAMPLE') },
        call('203.0.113.9', '2025-03-11T09:00:00Z', 'ASIAIOSFODNN7EXAMPLE'),
      ],
      known,
      alerts: [],
    },
  ],
});
