/** One call asks for a crowd of machines. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const ask = (maxCount: number) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'RunInstances',
  requestParameters: {
    instancesSet: { items: [{ imageId: 'ami-1234567890abcdef0', minCount: 1, maxCount }] },
    instanceType: 'c7i.large',
  },
});

export const detector = defineDetector({
  id: 'many-instances-asked-for',
  title: 'Many instances were asked for in one call',
  description:
    'Stolen keys are turned into as many machines as the quota gives. Attempts that fail count: in most accounts that is how it ends. Services that launch for somebody (Auto Scaling, EMR, Batch) do not count.',
  severity: 'medium',
  severityReason: 'Expensive within minutes; a test of load may want as many.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1496.001', version: 16 }],
  tags: ['impact'],
  when: {
    all: [
      {
        event_source: 'ec2.amazonaws.com',
        event_name: 'RunInstances',
        'request_parameters.instancesSet.items[].maxCount': { gte: parameter('instances') },
      },
      { not: { error_code: 'Client.DryRunOperation' } },
      { not: { invoked_by: { exists: true } } },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1d',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} asked for {request_parameters.instancesSet.items[].maxCount} instances of {request_parameters.instanceType} in {aws_region} from {source_address} ({outcome}, {count} calls that day)',
  parameters: { instances: z.int().min(2).default(20).describe('instances in one call; people start a handful') },
  falsePositives: ['A cluster for computing that somebody starts by hand: suppress the role.'],
  blindSpots: [
    'Fleets and Spot requests (CreateFleet, RequestSpotFleet), and many calls for few machines each: calls-above-usual.',
  ],

  response: ['Terminate the instances; run the saved question regions-in-use for the principal.'],
  examples: [
    {
      name: 'twenty, with success and without',
      records: [ask(20), { ...ask(50), errorCode: 'Client.VcpuLimitExceeded' }],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    { name: 'nineteen', records: [ask(19)], alerts: [] },
    {
      name: 'for EMR, tried without effect, another call, another service, or by an AWS service',
      records: [
        {
          ...ask(20),
          userIdentity: {
            type: 'AssumedRole',
            principalId: 'AROAEXAMPLE:emr',
            arn: 'arn:aws:sts::111122223333:assumed-role/EMR/emr',
            accountId: '111122223333',
            invokedBy: 'elasticmapreduce.amazonaws.com',
          },
        },
        { ...ask(20), errorCode: 'Client.DryRunOperation' },
        { ...ask(20), eventName: 'StartInstances' },
        { ...ask(20), eventSource: 'example.amazonaws.com' },
        {
          ...ask(20),
          userIdentity: {
            type: 'AssumedRole',
            principalId: 'AROAEXAMPLE:scaling',
            arn: 'arn:aws:sts::111122223333:assumed-role/AWSServiceRoleForAutoScaling/scaling',
            accountId: '111122223333',
            sessionContext: {
              sessionIssuer: {
                type: 'Role',
                principalId: 'AROAEXAMPLE',
                arn: 'arn:aws:iam::111122223333:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling',
                accountId: '111122223333',
              },
            },
          },
        },
      ],
      alerts: [],
    },
  ],
});
