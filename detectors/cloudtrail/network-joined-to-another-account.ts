/** A network is joined to that of another AWS account. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const ask = (peerOwnerId: string | undefined) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'CreateVpcPeeringConnection',
  requestParameters: { vpcId: 'vpc-1234567890abcdef0', peerVpcId: 'vpc-0fedcba0987654321', peerOwnerId },
});
const accept = (ownerId: string | undefined) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'AcceptVpcPeeringConnection',
  requestParameters: { vpcPeeringConnectionId: 'pcx-1234567890abcdef0' },
  responseElements: { vpcPeeringConnection: { requesterVpcInfo: { ownerId, vpcId: 'vpc-0fedcba0987654321' } } },
});
const attachment = (eventName: string) => ({ eventSource: 'ec2.amazonaws.com', eventName });

export const detector = defineDetector({
  id: 'network-joined-to-another-account',
  title: 'A network was joined to that of another account',
  description:
    'A peering was asked for with a VPC of another account, or a peering or attachment that another account asked for was accepted. Through it that account reaches the machines inside.',
  severity: 'medium',
  severityReason:
    'A door between two accounts, of which the other one may be a stranger; sister accounts do this once each.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1199', version: 16 }],
  tags: ['persistence', 'edge'],
  when: {
    all: [
      { event_source: 'ec2.amazonaws.com', outcome: 'success' },
      {
        any: [
          {
            all: [
              { event_name: 'CreateVpcPeeringConnection', 'request_parameters.peerOwnerId': { exists: true } },
              { not: { 'request_parameters.peerOwnerId': { column: 'account_id' } } },
              { not: { 'request_parameters.peerOwnerId': { is: parameter('known_accounts') } } },
            ],
          },
          {
            all: [
              {
                event_name: 'AcceptVpcPeeringConnection',
                'response_elements.vpcPeeringConnection.requesterVpcInfo.ownerId': { exists: true },
              },
              { not: { 'response_elements.vpcPeeringConnection.requesterVpcInfo.ownerId': { column: 'account_id' } } },
              {
                not: {
                  'response_elements.vpcPeeringConnection.requesterVpcInfo.ownerId': {
                    is: parameter('known_accounts'),
                  },
                },
              },
            ],
          },
          {
            event_name: [
              'AcceptTransitGatewayPeeringAttachment',
              'AcceptTransitGatewayVpcAttachment',
              'AcceptVpcEndpointConnections',
            ],
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} for {request_parameters.vpcId}{request_parameters.vpcPeeringConnectionId} in {aws_region} from {source_address}',
  parameters: {
    known_accounts: z
      .array(z.string())
      .default([])
      .describe('account ids that networks may be joined to: those of your organization'),
  },
  falsePositives: ['Sister accounts: add them.'],
  blindSpots: [
    'Shares by Resource Access Manager, and VPN connections.',
    'Whether routes and security groups let anything through.',
  ],

  response: [
    'Find out whose the account is; delete the peering, then read the flow logs of the VPC since first_seen.',
    'Run the saved question recent-changes for routes that lead to it.',
  ],
  examples: [
    {
      name: 'asked for, accepted, attached',
      records: [
        ask('444455556666'),
        accept('444455556666'),
        ...[
          'AcceptTransitGatewayPeeringAttachment',
          'AcceptTransitGatewayVpcAttachment',
          'AcceptVpcEndpointConnections',
        ].map(attachment),
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 },
      ],
    },
    {
      name: 'within the account',
      records: [ask('111122223333'), ask(undefined), accept('111122223333'), accept(undefined)],
      alerts: [],
    },
    {
      name: 'a known account',
      records: [ask('444455556666'), accept('444455556666')],
      alerts: [],
      parameters: { known_accounts: ['444455556666'] },
    },
    {
      name: 'other calls that name the same',
      records: [
        { ...ask('444455556666'), eventName: 'DescribeVpcPeeringConnections' },
        { ...accept('444455556666'), eventName: 'DeleteVpcPeeringConnection' },
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...ask('444455556666'), errorCode: 'AccessDenied' },
        { ...ask('444455556666'), eventName: 'RejectVpcPeeringConnection' },
        { ...ask('444455556666'), eventSource: 'example.amazonaws.com' },
        { ...ask('444455556666'), userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
