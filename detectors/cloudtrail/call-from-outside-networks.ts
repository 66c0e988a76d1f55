/** A call came from an address outside the networks of the house. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const call = (sourceIPAddress: string) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'DescribeInstances',
  sourceIPAddress,
});
const stranger = call('203.0.113.99');
const OURS = { networks: ['192.0.2.0/24', '10.0.0.0/8', '2001:db8::/32'] };
const ALERT = [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }];

export const detector = defineDetector({
  id: 'call-from-outside-networks',
  title: 'A call came from outside the networks of the house',
  description:
    'Name the networks from which people and programs of yours may call; whatever comes from another address is told once an hour and principal, refused or not. Silent until networks are named. Calls that an AWS service makes for somebody have no address and are left out.',
  severity: 'medium',
  severityReason: 'You drew the line; whoever stands outside of it is a thief or a colleague on the road.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['initial-access', 'fence'],
  when: {
    all: [
      // Fakes and slips of the pen, such as 10.01.0.1, are addresses of no network.
      { source_ip: { cidr: ['0.0.0.0/0', '::/0'] } },
      { not: { source_ip: { cidr: parameter('networks') } } },
      { not: { actor_type: 'service' } },
      { not: { invoked_by: { exists: true } } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called from {source_ip}, outside the networks, first {event_name} ({outcome}) with {user_agent} ({count} calls in the hour)',
  parameters: {
    networks: z
      .array(z.string())
      .min(1)
      .default(['0.0.0.0/0', '::/0'])
      .describe(
        'networks such as 203.0.113.0/24 or 2001:db8::/32, also those of NAT gateways and VPCs; the default is every address',
      ),
  },
  falsePositives: [
    'A colleague on the road; a NAT gateway that nobody named.',
    'A vendor who enters a role from its own network.',
  ],
  blindSpots: ['A thief inside one of the networks.', 'Calls whose source is a service name or AWS Internal.'],
  response: [
    'Run the saved question address-activity for source_ip: all principals and keys that came from there.',
    'Ask the person behind session_name or user_name; otherwise deactivate access_key_id.',
  ],
  examples: [
    { name: 'a stranger', records: [stranger], alerts: ALERT, parameters: OURS },
    {
      name: 'a stranger by IPv6, refused',
      records: [{ ...call('2001:db9::7'), errorCode: 'AccessDenied' }],
      alerts: ALERT,
      parameters: OURS,
    },
    {
      name: 'from each of the networks',
      records: [call('192.0.2.7'), call('10.1.2.3'), call('2001:db8::7')],
      alerts: [],
      parameters: OURS,
    },
    { name: 'no networks are named', records: [stranger, call('2001:db9::7')], alerts: [] },
    { name: 'what is no address', records: [call('300.01.0.7')], alerts: [], parameters: OURS },
    {
      name: 'an AWS service, of its own or for somebody',
      records: [
        call('cloudformation.amazonaws.com'),
        {
          ...stranger,
          userIdentity: {
            type: 'AssumedRole',
            arn: 'arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForConfig/session',
            accountId: '111122223333',
            sessionContext: {
              sessionIssuer: {
                type: 'Role',
                arn: 'arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig',
              },
            },
          },
        },
        {
          ...stranger,
          userIdentity: {
            type: 'IAMUser',
            arn: 'arn:aws:iam::111122223333:user/Alice',
            accountId: '111122223333',
            userName: 'Alice',
            invokedBy: 'athena.amazonaws.com',
          },
        },
      ],
      alerts: [],
      parameters: OURS,
    },
  ],
});
