/** A subnet gets a way to the internet. */
import { defineDetector } from '../../src/detector.ts';

const attach = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'AttachInternetGateway',
  requestParameters: { internetGatewayId: 'igw-1234567890abcdef0', vpcId: 'vpc-1234567890abcdef0' },
};
const route = (more: object) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'CreateRoute',
  requestParameters: { routeTableId: 'rtb-1234567890abcdef0', gatewayId: 'igw-1234567890abcdef0', ...more },
});
const block = (InternetGatewayBlockMode: string) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'ModifyVpcBlockPublicAccessOptions',
  requestParameters: { ModifyVpcBlockPublicAccessOptionsRequest: { InternetGatewayBlockMode } },
});

export const detector = defineDetector({
  id: 'internet-route-added',
  title: 'A way to the internet was opened for a network',
  description:
    'An internet gateway was attached, a default route to one was added, or the block on public access of VPCs was switched off. Machines in the subnet become reachable as far as their security groups allow.',
  severity: 'low',
  severityReason: 'Part of every new network; in one that was closed it opens the door.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.007', version: 16 }],
  tags: ['defense-evasion', 'edge'],
  when: {
    all: [
      { event_source: 'ec2.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: ['AttachInternetGateway', 'CreateVpcBlockPublicAccessExclusion'] },
          {
            all: [
              { event_name: ['CreateRoute', 'ReplaceRoute'], 'request_parameters.gatewayId': { startswith: 'igw-' } },
              {
                any: [
                  { 'request_parameters.destinationCidrBlock': '0.0.0.0/0' },
                  { 'request_parameters.destinationIpv6CidrBlock': '::/0' },
                ],
              },
            ],
          },
          {
            event_name: 'ModifyVpcBlockPublicAccessOptions',
            'request_parameters.ModifyVpcBlockPublicAccessOptionsRequest.InternetGatewayBlockMode': 'off',
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.routeTableId}{request_parameters.vpcId} in {aws_region} from {source_address} ({count} calls in the hour)',

  falsePositives: ['A public subnet is set up: the infrastructure pipeline does that now and then.'],
  blindSpots: ['Ways through NAT gateways, peerings and transit gateways, which lead out but not in.'],

  response: ['If nobody meant it, delete the route; run the saved question security-group-changes for the same hour.'],
  examples: [
    {
      name: 'a gateway, default routes of both kinds, the block switched off',
      records: [
        attach,
        { ...attach, eventName: 'CreateVpcBlockPublicAccessExclusion' },
        route({ destinationCidrBlock: '0.0.0.0/0' }),
        { ...route({ destinationIpv6CidrBlock: '::/0' }), eventName: 'ReplaceRoute' },
        block('off'),
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 },
      ],
    },
    {
      name: 'another target, another destination, the block switched on',
      records: [
        route({ destinationCidrBlock: '0.0.0.0/0', gatewayId: 'vgw-1234567890abcdef0' }),
        route({ destinationCidrBlock: '10.0.0.0/8' }),
        { ...route({ destinationCidrBlock: '0.0.0.0/0' }), eventName: 'DeleteRoute' },
        block('block-ingress'),
        { ...block('off'), eventName: 'DescribeVpcBlockPublicAccessOptions' },
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...attach, errorCode: 'AccessDenied' },
        { ...attach, eventName: 'DetachInternetGateway' },
        { ...attach, eventSource: 'example.amazonaws.com' },
        { ...attach, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
