/** Somebody looks how much every region would give. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const CALLS = ['GetServiceQuota', 'GetAWSDefaultServiceQuota', 'ListServiceQuotas', 'ListAWSDefaultServiceQuotas'];
const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1', 'ap-south-1', 'sa-east-1'];
const ask = (awsRegion: string) => ({
  eventSource: 'servicequotas.amazonaws.com',
  eventName: 'GetServiceQuota',
  readOnly: true,
  awsRegion,
  requestParameters: { serviceCode: 'ec2', quotaCode: 'L-1216C47A' },
});

export const detector = defineDetector({
  id: 'quotas-asked-in-many-regions',
  title: 'Service quotas were asked for in many regions',
  description:
    'Who wants to mine asks region after region how many machines the account may start. Counts distinct regions per principal; refused ones count.',
  severity: 'medium',
  severityReason:
    'A plain sign of somebody who wants capacity, and no operator works in so many regions at once; quota monitors do.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1580', version: 16 }],
  tags: ['discovery'],
  when: {
    all: [
      {
        event_source: 'servicequotas.amazonaws.com',
        event_name: [
          'GetServiceQuota',
          'GetAWSDefaultServiceQuota',
          'ListServiceQuotas',
          'ListAWSDefaultServiceQuotas',
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('regions'), distinct: 'aws_region', within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} asked for quotas in {peak} regions, first {event_name} in {aws_region}, from {source_address}',
  parameters: { regions: z.int().min(2).default(5).describe('distinct regions; companies work in two or three') },
  falsePositives: ['A monitor of quotas that looks at all regions each night: suppress its role.'],
  blindSpots: ['Quotas that are shown by the services themselves (DescribeAccountAttributes).'],

  response: [
    'Look for RunInstances and RequestServiceQuotaIncrease of the principal (saved question principal-timeline).',
  ],
  examples: [
    {
      name: 'five regions, by each call',
      records: REGIONS.map((awsRegion, index) => ({ ...ask(awsRegion), eventName: CALLS[index % CALLS.length] })),
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 },
      ],
    },
    {
      name: 'refused as well',
      records: REGIONS.map((awsRegion) => ({ ...ask(awsRegion), errorCode: 'AccessDeniedException' })),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 }],
    },
    { name: 'four regions, one twice', records: [...REGIONS.slice(1).map(ask), ask('us-west-2')], alerts: [] },
    {
      name: 'spread over an hour',
      records: [{ repeat: 5, every: '10m', record: (index: number) => ask(REGIONS[index] ?? '') }],
      alerts: [],
    },
    {
      name: 'another call, another service, or by an AWS service',
      records: [
        { eventName: 'ListServices' },
        { eventSource: 'example.amazonaws.com' },
        { userIdentity: { type: 'AWSService', invokedBy: 'trustedadvisor.amazonaws.com' } },
      ].flatMap((change) => REGIONS.map((awsRegion) => ({ ...ask(awsRegion), ...change }))),
      alerts: [],
    },
  ],
});
