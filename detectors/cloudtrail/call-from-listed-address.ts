/** A call comes from an address that stands in a list of threats. */
import { defineDetector } from '../../src/detector.ts';

const call = (sourceIPAddress: string) => ({
  eventSource: 'sts.amazonaws.com',
  eventName: 'GetCallerIdentity',
  sourceIPAddress,
  userIdentity: {
    type: 'IAMUser',
    accountId: '111122223333',
    arn: 'arn:aws:iam::111122223333:user/Alice',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    userName: 'Alice',
  },
});
const known = { addresses: { '203.0.113.9': { threat: 'tor' }, '198.51.100.7': { network: 'office', threat: 'tor' } } };
const alice = { principal: 'arn:aws:iam::111122223333:user/Alice' };

export const detector = defineDetector({
  id: 'call-from-listed-address',
  title: 'Calls from an address that a list of threats names',
  description:
    'You name lists of addresses and networks that are no good (enrichment.threats in the config): exits of anonymisers, indicators of an incident, what you subscribe to. It is silent where none is configured. Refused calls count: they show that somebody has credentials and tries them. ' +
    'When a list grows, the past is judged again with it.',
  severity: 'high',
  severityReason: 'A call with valid credentials from such an address is an incident until it is explained.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1078.004', version: 16 },
    { technique: 'T1090', version: 16 },
  ],
  tags: ['initial-access', 'network', 'threat-intelligence'],
  when: {
    all: [
      { source_threat: { exists: true } },
      { not: { source_network: { exists: true } } },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1d',
  subject: ['account_id', 'principal', 'source_ip'],
  summary:
    '{principal} made {count} calls from {source_ip}, which stands in {source_threat}: first {event_source} {event_name}',
  falsePositives: [
    'A list that names addresses of clouds or of shared proxies: its age and its source tell how far to trust it.',
    'Your own test of the lists: name the address under enrichment.networks, and it is left out.',
  ],
  blindSpots: [
    'Silent where no list of threats is configured, and until networks of your own are named beside it.',
    'Addresses that nobody has listed yet: hunts over the past find them when they are.',
  ],
  response: [
    'List the calls of the principal and of source_ip.',
    'Withdraw the credentials; look for where they leaked.',
  ],
  examples: [
    {
      name: 'from an exit of an anonymiser',
      records: [call('203.0.113.9'), { ...call('203.0.113.9'), errorCode: 'AccessDenied' }],
      known,
      alerts: [{ subject: { account_id: '111122223333', ...alice, source_ip: '203.0.113.9' }, count: 2 }],
    },
    { name: 'from any other address', records: [call('192.0.2.1')], known, alerts: [] },
    { name: 'from a listed address that is known to be ours', records: [call('198.51.100.7')], known, alerts: [] },
    {
      name: 'a service-linked role',
      records: [
        {
          ...call('203.0.113.9'),
          userIdentity: {
            type: 'AssumedRole',
            sessionContext: {
              sessionIssuer: {
                type: 'Role',
                arn: 'arn:aws:iam::111122223333:role/aws-service-role/example.amazonaws.com/AWSServiceRoleForExample',
              },
            },
          },
        },
      ],
      known,
      alerts: [],
    },
  ],
});
