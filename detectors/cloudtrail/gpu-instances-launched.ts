/** Somebody launches, or tries to launch, instances with graphics processors. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const launch = (instanceType: string) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'RunInstances',
  requestParameters: {
    instancesSet: { items: [{ imageId: 'ami-1234567890abcdef0', minCount: 1, maxCount: 10 }] },
    instanceType,
  },
});

export const detector = defineDetector({
  id: 'gpu-instances-launched',
  title: 'Somebody launched GPU instances',
  description:
    'Stolen credentials are turned into mined coins or rented computing on the most expensive machines. Attempts that fail for lack of quota count: in most accounts that is how it ends. One alert a day and principal.',
  severity: 'medium',
  severityReason: 'Costs thousands a day if it is theft; machine learning does the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1496.001', version: 16 }],
  tags: ['impact'],
  when: {
    all: [
      {
        event_source: 'ec2.amazonaws.com',
        event_name: 'RunInstances',
        'request_parameters.instanceType': { re: parameter('types') },
      },
      { not: { error_code: 'Client.DryRunOperation' } },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1d',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} asked for {request_parameters.instanceType} instances in {aws_region} from {source_address} ({outcome}, {count} calls that day)',
  parameters: {
    types: z
      .string()
      .default('^(p[2-9]|g[3-9]|trn|inf|dl|vt)[a-z0-9]*[.]')
      .describe('RE2 pattern of instance types; the default are the families with accelerators'),
  },
  falsePositives: ['Machine learning and rendering: suppress their roles.'],
  blindSpots: [
    'Types chosen by a launch template, a fleet or a Spot request.',
    'Mining on ordinary machines, in containers or functions.',
  ],
  response: ['Terminate the instances; look at the same principal in all regions.'],
  examples: [
    {
      name: 'two attempts, the first without quota',
      records: [{ ...launch('p3.16xlarge'), errorCode: 'Client.VcpuLimitExceeded' }, launch('g5g.metal')],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    {
      name: 'the operator watches other types',
      records: [launch('x2idn.32xlarge')],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
      parameters: { types: '^x' },
    },
    { name: 'ordinary machines', records: [launch('t3.micro'), launch('m5.large')], alerts: [] },
    {
      name: 'a trial without launch, another call, another service, or by an AWS service',
      records: [
        { ...launch('p3.2xlarge'), errorCode: 'Client.DryRunOperation' },
        { ...launch('p3.2xlarge'), eventName: 'DescribeInstanceTypeOfferings' },
        { ...launch('p3.2xlarge'), eventSource: 'example.amazonaws.com' },
        { ...launch('p3.2xlarge'), userIdentity: { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
