/** A role is assumed from a network from which nobody assumed it before. */
import { defineDetector } from '../../src/detector.ts';

const assume = (sourceIPAddress: string, eventTime: string) => ({
  eventSource: 'sts.amazonaws.com',
  eventName: 'AssumeRole',
  eventTime,
  sourceIPAddress,
  userIdentity: {
    type: 'IAMUser',
    accountId: '111122223333',
    arn: 'arn:aws:iam::111122223333:user/deploy',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    userName: 'deploy',
  },
  requestParameters: { roleArn: 'arn:aws:iam::111122223333:role/Deploy', roleSessionName: 'deploy' },
});
const usual = { repeat: 10, every: '1d', record: assume('192.0.2.10', '2025-03-01T08:00:00Z') } as const;
const stranger = assume('203.0.113.9', '2025-03-11T09:00:00Z');
const known = {
  addresses: {
    '192.0.2.10': { asn: 64_496, as_name: 'Example Net' },
    '192.0.2.99': { asn: 64_496, as_name: 'Example Net' },
    '203.0.113.9': { asn: 64_511, as_name: 'Example Hosting' },
  },
};

export const detector = defineDetector({
  id: 'role-assumed-from-new-network',
  title: 'A role was assumed from a network that is new for it',
  description:
    'Somebody assumed a role from an autonomous system from which nobody had assumed it in the last 30 days. It needs a database of autonomous systems (enrichment.mmdb.asn in the config) and is silent without one.',
  severity: 'low',
  severityReason:
    'Roles of people are entered from everywhere; beside another alert it tells where the intruder came from.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['initial-access', 'network', 'baseline'],
  when: {
    event_source: 'sts.amazonaws.com',
    event_name: ['AssumeRole', 'AssumeRoleWithSAML', 'AssumeRoleWithWebIdentity'],
    outcome: 'success',
  },
  baseline: { firstSeen: ['request_parameters.roleArn', 'source_asn'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'request_parameters.roleArn', 'source_asn'],
  summary:
    '{principal} assumed {request_parameters.roleArn} from {source_ip} ({source_as_name}), a network that is new for this role',
  falsePositives: ['People who travel or work from home.', 'A vendor that moves to another provider.'],
  blindSpots: [
    'Silent without a database of autonomous systems, and until the account has history.',
    'A caller of another account, of which this account sees no address.',
    'A thief in a network from which the role is always used.',
  ],
  response: [
    'Ask the owner of the principal.',
    'List what the session did: its access_key_id stands in response_elements.',
  ],
  examples: [
    {
      name: 'another network after ten days',
      records: [usual, stranger],
      known,
      alerts: [
        {
          subject: {
            account_id: '111122223333',
            'request_parameters.roleArn': 'arn:aws:iam::111122223333:role/Deploy',
            source_asn: '64511',
          },
        },
      ],
    },
    {
      name: 'another address of the same network',
      records: [usual, assume('192.0.2.99', '2025-03-11T09:00:00Z')],
      known,
      alerts: [],
    },
    { name: 'there is no history yet', records: [stranger], known, alerts: [] },
    { name: 'nothing is known of the address', records: [usual, stranger], alerts: [] },
    {
      name: 'refused, another call, or another service',
      records: [
        usual,
        { ...stranger, errorCode: 'AccessDenied' },
        { ...stranger, eventName: 'GetCallerIdentity' },
        { ...stranger, eventSource: 'example.amazonaws.com' },
      ],
      known,
      alerts: [],
    },
  ],
});
