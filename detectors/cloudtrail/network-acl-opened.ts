/** A network access list lets everybody in. */
import { defineDetector } from '../../src/detector.ts';

const entry = (change: object = {}) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'CreateNetworkAclEntry',
  requestParameters: {
    networkAclId: 'acl-1234567890abcdef0',
    ruleNumber: 90,
    egress: false,
    ruleAction: 'allow',
    aclProtocol: '-1',
    cidrBlock: '0.0.0.0/0',
    ...change,
  },
});

export const detector = defineDetector({
  id: 'network-acl-opened',
  title: 'A network access list was opened to the world',
  description:
    'An inbound rule that allows any address. Network lists stand before security groups; the default list of a VPC is open, so this matters where somebody had closed one.',
  severity: 'low',
  severityReason: 'Part of setting up many a VPC; security groups still stand behind it.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.007', version: 16 }],
  tags: ['defense-evasion'],
  when: {
    all: [
      {
        event_source: 'ec2.amazonaws.com',
        event_name: ['CreateNetworkAclEntry', 'ReplaceNetworkAclEntry'],
        outcome: 'success',
        'request_parameters.egress': false,
        'request_parameters.ruleAction': 'allow',
      },
      {
        any: [{ 'request_parameters.cidrBlock': '0.0.0.0/0' }, { 'request_parameters.ipv6CidrBlock': '::/0' }],
      },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} opened {request_parameters.networkAclId} to the world in {aws_region} from {source_address}',
  falsePositives: ['A public subnet is set up.'],
  blindSpots: ['A range that is nearly the world, such as 0.0.0.0/1.'],
  response: ['See what lies in the subnets of the list, and which security groups protect it.'],
  examples: [
    {
      name: 'an entry is replaced',
      records: [{ ...entry(), eventName: 'ReplaceNetworkAclEntry' }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 }],
    },
    {
      name: 'anybody may come in over IPv4',
      records: [entry()],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 }],
    },
    {
      name: 'anybody may come in over IPv6',
      records: [entry({ cidrBlock: undefined, ipv6CidrBlock: '::/0' })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 }],
    },
    {
      name: 'one network, outbound, or denied',
      records: [entry({ cidrBlock: '198.51.100.0/24' }), entry({ egress: true }), entry({ ruleAction: 'deny' })],
      alerts: [],
    },
    {
      name: 'refused, deleted, or another service',
      records: [
        { ...entry(), errorCode: 'Client.UnauthorizedOperation' },
        { ...entry(), eventName: 'DeleteNetworkAclEntry' },
        { ...entry(), eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
    {
      name: 'the other calls that it is about',
      records: ['ReplaceNetworkAclEntry'].map((eventName) => ({
        eventName,
        eventSource: 'ec2.amazonaws.com',
        requestParameters: {
          networkAclId: 'acl-1234567890abcdef0',
          ruleNumber: 90,
          egress: false,
          ruleAction: 'allow',
          aclProtocol: '-1',
          cidrBlock: '0.0.0.0/0',
        },
      })),
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
  ],
});
