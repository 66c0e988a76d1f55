/** One principal asks for the start-up scripts of many instances. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const read = (index: number) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'DescribeInstanceAttribute',
  requestParameters: { instanceId: `i-1234567890abcde${index}`, attribute: 'userData' },
});

export const detector = defineDetector({
  id: 'ec2-user-data-read-in-bulk',
  title: 'Start-up scripts of many instances were asked for',
  description:
    'User data often holds passwords and tokens. Counts distinct instances whose user data one principal asked for; refused attempts count, because they show the same intent.',
  severity: 'high',
  severityReason: 'A known way to collect credentials; nothing ordinary reads the user data of many instances.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1552.005', version: 16 }],
  tags: ['credential-access', 'discovery'],
  when: {
    all: [
      {
        event_source: 'ec2.amazonaws.com',
        event_name: 'DescribeInstanceAttribute',
        'request_parameters.attribute': 'userData',
      },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('instances'), distinct: 'request_parameters.instanceId', within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} asked for the user data of {peak} instances in {aws_region} from {source_address} (first answer: {outcome})',
  parameters: {
    instances: z
      .int()
      .min(2)
      .default(10)
      .describe('distinct instances; Terraform reads those it manages, a few at a time'),
  },
  falsePositives: ['Terraform that refreshes a large state, or a security scanner: suppress its role.'],
  blindSpots: ['Slow reading.', 'Launch templates (DescribeLaunchTemplateVersions), which hold the same scripts.'],
  response: ['If any answer was a success, change what stands in the scripts.'],
  examples: [
    {
      name: 'ten instances, all refused',
      records: [
        { repeat: 10, every: '5s', record: (index) => ({ ...read(index), errorCode: 'Client.UnauthorizedOperation' }) },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 10, peak: 10 }],
    },
    { name: 'one instance fewer', records: [{ repeat: 9, every: '5s', record: read }], alerts: [] },
    { name: 'one instance again and again', records: [{ repeat: 30, every: '5s', record: read(0) }], alerts: [] },
    { name: 'as many over a day', records: [{ repeat: 10, every: '2h', record: read }], alerts: [] },
    {
      name: 'another attribute, another call, or another service',
      records: [
        {
          repeat: 10,
          every: '5s',
          record: (index) => ({
            ...read(index),
            requestParameters: { instanceId: `i-${index}`, attribute: 'ebsOptimized' },
          }),
        },
        { repeat: 10, every: '5s', record: (index) => ({ ...read(index), eventName: 'ResetInstanceAttribute' }) },
        { repeat: 10, every: '5s', record: (index) => ({ ...read(index), eventSource: 'example.amazonaws.com' }) },
      ],
      alerts: [],
    },
    {
      name: 'an AWS service takes stock',
      records: [
        {
          repeat: 10,
          every: '5s',
          record: (index) => ({
            ...read(index),
            userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' },
          }),
        },
      ],
      alerts: [],
    },
    {
      name: 'just enough, over nearly all of the time',
      records: [
        {
          repeat: 10,
          every: '63s',
          record: (index) => ({ ...read(index), errorCode: 'Client.UnauthorizedOperation' }),
        },
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 10 },
      ],
    },
  ],
});
