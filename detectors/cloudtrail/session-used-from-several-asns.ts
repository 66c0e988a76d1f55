/** The temporary credentials of one session are used from several networks. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const call = (sourceIPAddress: string, accessKeyId = 'ASIAIOSFODNN7EXAMPLE') => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'ListBuckets',
  sourceIPAddress,
  userIdentity: {
    type: 'AssumedRole',
    principalId: 'AROAIDPPEZS35WEXAMPLE:alice',
    arn: 'arn:aws:sts::111122223333:assumed-role/Developer/alice',
    accountId: '111122223333',
    accessKeyId,
    sessionContext: {
      sessionIssuer: { type: 'Role', arn: 'arn:aws:iam::111122223333:role/Developer', accountId: '111122223333' },
    },
  },
});
const home = call('192.0.2.10');
const thief = call('203.0.113.9');
const known = {
  addresses: {
    '192.0.2.10': { asn: 64_496 },
    '192.0.2.11': { asn: 64_496 },
    '203.0.113.9': { asn: 64_511 },
  },
};

export const detector = defineDetector({
  id: 'session-used-from-several-asns',
  title: 'One session was used from several autonomous systems',
  description:
    'Temporary credentials are made for one place. The same key of a session from two autonomous systems within half an hour means that they were copied. It needs a database of autonomous systems (enrichment.mmdb.asn in the config) and is silent without one. ' +
    'Calls that AWS makes for the session do not count: they have no address, or came through a VPC endpoint.',
  severity: 'high',
  severityReason:
    'A stolen session is in use right now; a laptop that changes networks within minutes is the rare exception.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1550.001', version: 16 },
    { technique: 'T1078.004', version: 16 },
  ],
  tags: ['credential-access', 'network'],
  when: {
    all: [
      { access_key_id: { startswith: 'ASIA' } },
      { not: { vpc_endpoint_id: { exists: true } } },
      { not: { invoked_by: { exists: true } } },
    ],
  },
  threshold: { atLeast: parameter('networks'), distinct: 'source_asn', within: '30m' },
  slot: '1h',
  subject: ['account_id', 'principal', 'access_key_id'],
  summary:
    'The session {session_name} of {principal} was used from {peak} networks within 30 minutes, first from {source_ip} (AS{source_asn})',
  parameters: {
    networks: z
      .int()
      .min(2)
      .default(2)
      .describe('autonomous systems; raise it where people leave through several providers at a time'),
  },
  falsePositives: [
    'A laptop that goes from the office to a phone in the middle of its work.',
    'A company that leaves through two providers at a time.',
    'A session of the console of which AWS makes calls from its own addresses.',
  ],
  blindSpots: [
    'Silent without a database of autonomous systems.',
    'A thief in the same network, or one who begins when the owner has ended.',
    'Calls through VPC endpoints: they come from private addresses.',
  ],
  response: [
    'List the calls of access_key_id by source_ip; the stranger is the one whose user_agent and calls differ.',
    'Revoke the sessions of the role.',
  ],
  examples: [
    {
      name: 'two networks within minutes',
      records: [home, thief],
      known,
      alerts: [{ subject: { account_id: '111122223333', access_key_id: 'ASIAIOSFODNN7EXAMPLE' }, count: 2, peak: 2 }],
    },
    { name: 'two addresses of one network', records: [home, call('192.0.2.11')], known, alerts: [] },
    { name: 'an address of which nothing is known', records: [home, call('198.51.100.7')], known, alerts: [] },
    { name: 'two sessions', records: [home, call('203.0.113.9', 'ASIAI44QH8DHBEXAMPLE')], known, alerts: [] },
    {
      name: 'a long-term key',
      records: [call('192.0.2.10', 'AKIAIOSFODNN7EXAMPLE'), call('203.0.113.9', 'AKIAIOSFODNN7EXAMPLE')],
      known,
      alerts: [],
    },
    {
      name: 'through a VPC endpoint, and by a service for the session',
      records: [
        home,
        { ...thief, vpcEndpointId: 'vpce-1234567890abcdef0' },
        { ...thief, userIdentity: { ...thief.userIdentity, invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      known,
      alerts: [],
    },
    {
      name: 'the second one an hour later',
      records: [
        { ...home, eventTime: '2025-03-03T09:00:00Z' },
        { ...thief, eventTime: '2025-03-03T10:00:00Z' },
      ],
      known,
      alerts: [],
    },
  ],
});
