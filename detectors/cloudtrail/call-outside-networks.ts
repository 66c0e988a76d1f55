/** Somebody changes something from outside the networks that are yours. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const call = (sourceIPAddress: string) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'RunInstances',
  readOnly: false,
  sourceIPAddress,
  userIdentity: {
    type: 'IAMUser',
    accountId: '111122223333',
    arn: 'arn:aws:iam::111122223333:user/Alice',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    userName: 'Alice',
  },
});
const outside = call('203.0.113.9');
const known = { addresses: { '192.0.2.10': { network: 'office' }, '2001:db8::7': { network: 'office' } } };
const alice = { principal: 'arn:aws:iam::111122223333:user/Alice' };

export const detector = defineDetector({
  id: 'call-outside-networks',
  title: 'A change was made from outside your networks',
  description:
    'You name your networks (enrichment.networks in the config), IPv4 and IPv6; changes that people and roles make from any other address are told. It is silent where no networks are configured.',
  severity: 'medium',
  severityReason: 'The credentials are good and the place is wrong: stolen, or somebody works from elsewhere.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['initial-access', 'network', 'fence'],
  when: {
    all: [
      { outcome: 'success', read_only: false, source_ip: { exists: true }, principal: { re: parameter('principals') } },
      { not: { source_network: { exists: true } } },
      { not: { vpc_endpoint_id: { exists: true } } },
      { not: { invoked_by: { exists: true } } },
    ],
  },
  slot: '6h',
  subject: ['account_id', 'principal', 'source_ip'],
  summary:
    '{principal} made {count} changes from {source_ip}, outside your networks: first {event_source} {event_name} in {aws_region}',
  parameters: {
    principals: z
      .string()
      .default('.')
      .describe('RE2 pattern of principals for which the fence holds; the default fits all'),
  },
  falsePositives: [
    'Workloads in AWS that leave by addresses which are not among the networks: name those of their NAT gateways.',
    'Somebody who works from home.',
  ],
  blindSpots: ['An intruder inside the networks.', 'Calls that only read, and calls of which no address is recorded.'],
  response: [
    'Ask the owner of the principal.',
    'List its calls from source_ip; withdraw the credentials if they were not theirs.',
  ],
  examples: [
    {
      name: 'from a foreign address',
      records: [outside, call('2001:db8:ffff::1')],
      known,
      alerts: [
        { subject: { ...alice, source_ip: '203.0.113.9' } },
        { subject: { ...alice, source_ip: '2001:db8:ffff::1' } },
      ],
    },
    { name: 'from the office, also by IPv6', records: [call('192.0.2.10'), call('2001:db8::7')], known, alerts: [] },
    {
      name: 'through an endpoint, by a service, or without an address',
      records: [
        { ...outside, vpcEndpointId: 'vpce-1234567890abcdef0' },
        { ...outside, userIdentity: { ...outside.userIdentity, invokedBy: 'autoscaling.amazonaws.com' } },
        call('cloudformation.amazonaws.com'),
      ],
      known,
      alerts: [],
    },
    {
      name: 'a principal that the fence leaves out',
      records: [outside],
      known,
      parameters: { principals: ':role/' },
      alerts: [],
    },
    {
      name: 'refused, or reading',
      records: [
        { ...outside, errorCode: 'Client.UnauthorizedOperation' },
        { ...outside, eventName: 'DescribeInstances', readOnly: true },
      ],
      known,
      alerts: [],
    },
  ],
});
