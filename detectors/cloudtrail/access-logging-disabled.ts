/** A load balancer, an API or a firewall no longer writes down who comes. */
import { defineDetector } from '../../src/detector.ts';

const balancer = (key: string, value: string) => ({
  eventSource: 'elasticloadbalancing.amazonaws.com',
  eventName: 'ModifyLoadBalancerAttributes',
  requestParameters: {
    loadBalancerArn: 'arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/shop/0123456789abcdef',
    attributes: [
      { key: 'deletion_protection.enabled', value: 'true' },
      { key, value },
    ],
  },
});
const classic = (enabled: boolean) => ({
  eventSource: 'elasticloadbalancing.amazonaws.com',
  eventName: 'ModifyLoadBalancerAttributes',
  requestParameters: { loadBalancerName: 'shop', loadBalancerAttributes: { accessLog: { enabled } } },
});
const firewall = (loggingConfiguration: object) => ({
  eventSource: 'network-firewall.amazonaws.com',
  eventName: 'UpdateLoggingConfiguration',
  requestParameters: { firewallName: 'edge', loggingConfiguration },
});
const off = balancer('access_logs.s3.enabled', 'false');

export const detector = defineDetector({
  id: 'access-logging-disabled',
  title: 'The access log of a load balancer or a firewall was switched off',
  description:
    'Access logs of load balancers and the logs of AWS Network Firewall tell who came and what was held back. The setting was switched off, or left without a destination.',
  severity: 'low',
  severityReason: 'Hides who comes in; tools that make load balancers state it for each that never logged.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    all: [
      {
        any: [
          {
            all: [
              { event_source: 'elasticloadbalancing.amazonaws.com', event_name: 'ModifyLoadBalancerAttributes' },
              {
                any: [
                  {
                    request_parameters: {
                      re: '"key" *: *"(access_logs[.]s3|connection_logs[.]s3)[.]enabled" *, *"value" *: *"false"',
                    },
                  },
                  { 'request_parameters.loadBalancerAttributes.accessLog.enabled': false },
                ],
              },
            ],
          },
          {
            all: [
              {
                event_source: 'network-firewall.amazonaws.com',
                event_name: 'UpdateLoggingConfiguration',
                'request_parameters.loggingConfiguration': { exists: true },
              },
              { not: { 'request_parameters.loggingConfiguration.logDestinationConfigs[].logType': { exists: true } } },
            ],
          },
        ],
      },
      { outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} switched off the log of {request_parameters.loadBalancerArn}{request_parameters.loadBalancerName}{request_parameters.firewallName} in {aws_region} from {source_address}',
  falsePositives: [
    'The load balancer controller of Kubernetes and Terraform state all attributes with every change, also those that were off before.',
  ],
  blindSpots: [
    'Access logs of CloudFront and API Gateway, which are part of larger settings.',
    'AWS WAF: web-acl-removed. Buckets: bucket-logging-removed. VPCs: flow-logs-deleted.',
  ],
  response: ['Switch it on again; run the saved question principal-timeline for what the principal did before.'],
  examples: [
    {
      name: 'access and connection logs of a load balancer, a classic one, a firewall',
      records: [
        off,
        balancer('connection_logs.s3.enabled', 'false'),
        classic(false),
        firewall({ logDestinationConfigs: [] }),
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 },
      ],
    },
    {
      name: 'switched on, another setting, a destination that stays',
      records: [
        balancer('access_logs.s3.enabled', 'true'),
        balancer('deletion_protection.enabled', 'false'),
        classic(true),
        firewall({ logDestinationConfigs: [{ logType: 'FLOW', logDestinationType: 'S3' }] }),
        { ...firewall({}), requestParameters: { firewallName: 'edge' } },
      ],
      alerts: [],
    },
    {
      name: 'another call, another service',
      records: [
        { ...off, eventName: 'ModifyTargetGroupAttributes' },
        { ...off, eventSource: 'example.amazonaws.com' },
        { ...firewall({ logDestinationConfigs: [] }), eventName: 'DescribeLoggingConfiguration' },
        { ...firewall({ logDestinationConfigs: [] }), eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
    {
      name: 'refused, or by an AWS service',
      records: [
        { ...off, errorCode: 'AccessDenied' },
        { ...off, userIdentity: { type: 'AWSService', invokedBy: 'eks.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
