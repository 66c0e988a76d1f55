/** The credentials of one EC2 instance are used from several addresses. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const call = (sourceIPAddress: string, session = 'i-1234567890abcdef0') => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'ListBuckets',
  sourceIPAddress,
  userIdentity: {
    type: 'AssumedRole',
    principalId: `AROAIDPPEZS35WEXAMPLE:${session}`,
    arn: `arn:aws:sts::111122223333:assumed-role/WebServer/${session}`,
    accountId: '111122223333',
    accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
    sessionContext: {
      sessionIssuer: { type: 'Role', arn: 'arn:aws:iam::111122223333:role/WebServer', accountId: '111122223333' },
    },
  },
});
const instance = call('198.51.100.10');
const thief = call('203.0.113.99');

export const detector = defineDetector({
  id: 'instance-credentials-used-elsewhere',
  title: 'Credentials of an EC2 instance were used from several addresses',
  description:
    'A role session that is named after an instance belongs to that machine alone, and a machine leaves the network by one address. The same session from a second one means that somebody took the credentials away, mostly through the metadata service. ' +
    'Calls through a VPC endpoint do not count: they are the machine itself on another way out.',
  severity: 'high',
  severityReason: 'Credentials of a machine do not travel by themselves.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1552.005', version: 16 }],
  tags: ['credential-access'],
  when: {
    all: [
      { actor_type: 'role', session_name: { re: '^i-[0-9a-f]{8}([0-9a-f]{9})?$' } },
      { not: { vpc_endpoint_id: { exists: true } } },
    ],
  },
  threshold: { atLeast: parameter('addresses'), distinct: 'source_ip', within: '6h' },
  slot: '1d',
  subject: ['account_id', 'principal', 'session_name'],
  summary: 'Instance {session_name} ({principal}) called from {peak} addresses, first {source_ip}',
  parameters: {
    addresses: z
      .int()
      .min(2)
      .default(2)
      .describe('distinct addresses; raise it where machines leave through several NAT gateways'),
  },
  falsePositives: [
    'An instance behind several NAT gateways, or one that speaks both IPv4 and IPv6: raise addresses.',
    'Records of S3 from before 2020, which note the VPC endpoint in additionalEventData only.',
    'An instance that was stopped and started and got a new address within six hours.',
  ],
  blindSpots: [
    'A thief who calls before the machine itself does, or whose machine never calls: one address alone proves nothing here.',
    'Whether an address belongs to AWS is not looked up; GuardDuty (InstanceCredentialExfiltration) knows.',
    'A thief inside the same network.',
  ],
  response: [
    'List the calls of each source_ip; the stranger is the one whose user_agent and calls differ.',
    'Revoke the sessions of the role.',
    'Run the saved question instance-life for session_name, and address-activity for source_ip.',
  ],
  examples: [
    {
      name: 'the machine, then a stranger',
      records: [instance, thief],
      alerts: [
        {
          subject: { principal: 'arn:aws:iam::111122223333:role/WebServer', session_name: 'i-1234567890abcdef0' },
          count: 2,
          peak: 2,
        },
      ],
    },
    { name: 'the machine alone', records: [{ repeat: 20, every: '5m', record: instance }], alerts: [] },
    {
      name: 'through an endpoint of the network',
      records: [instance, { ...call('10.0.1.10'), vpcEndpointId: 'vpce-1234567890abcdef0' }],
      alerts: [],
    },
    { name: 'an AWS service calls for it', records: [instance, call('athena.amazonaws.com')], alerts: [] },
    {
      name: 'the addresses are a day apart',
      records: [
        { ...instance, eventTime: '2025-03-03T09:00:00Z' },
        { ...thief, eventTime: '2025-03-04T09:00:00Z' },
      ],
      alerts: [],
    },
    {
      name: 'a person who travels',
      records: [call('198.51.100.10', 'Alice'), call('203.0.113.99', 'Alice')],
      alerts: [],
    },
    {
      name: 'a service that names its sessions after instances',
      records: [instance, thief].map((record) => ({
        ...record,
        userIdentity: {
          ...record.userIdentity,
          sessionContext: {
            sessionIssuer: {
              type: 'Role',
              arn: 'arn:aws:iam::111122223333:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM',
            },
          },
        },
      })),
      alerts: [],
    },
  ],
});
