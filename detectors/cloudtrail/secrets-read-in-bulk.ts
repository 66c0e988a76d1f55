/** One principal reads many secrets in a short time. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const read = (index: number) => ({
  eventSource: 'secretsmanager.amazonaws.com',
  eventName: 'GetSecretValue',
  requestParameters: { secretId: `arn:aws:secretsmanager:us-east-1:111122223333:secret:service-${index}-AbCdEf` },
});

export const detector = defineDetector({
  id: 'secrets-read-in-bulk',
  title: 'Many secrets were read by one principal',
  description:
    'A program needs its own few secrets; whoever reads one after the other is collecting. Counts distinct secrets per principal in a sliding window.',
  severity: 'medium',
  severityReason: 'Passwords of many systems may be out; operators that copy secrets into Kubernetes look the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1555.006', version: 16 }],
  tags: ['credential-access'],
  when: {
    all: [
      { event_source: 'secretsmanager.amazonaws.com', event_name: 'GetSecretValue', outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('secrets'), distinct: 'request_parameters.secretId', within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} read {peak} secrets in {aws_region} from {source_address}, first {request_parameters.secretId}',
  parameters: {
    secrets: z.int().min(2).default(15).describe('distinct secrets; more than one deployment of one application needs'),
  },
  falsePositives: [
    'An operator that copies secrets, such as External Secrets: suppress its role.',
    'A pipeline that deploys many services at once.',
  ],
  blindSpots: ['Slow reading.', 'Secrets that a service hands on inside a container or a function.'],
  response: ['List the secretIds and rotate them; see where the session came from.'],
  examples: [
    {
      name: 'fifteen secrets in five minutes',
      records: [{ repeat: 15, every: '20s', record: read }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 15, peak: 15 }],
    },
    { name: 'one secret fewer', records: [{ repeat: 14, every: '20s', record: read }], alerts: [] },
    { name: 'one secret again and again', records: [{ repeat: 40, every: '5s', record: read(1) }], alerts: [] },
    { name: 'as many over a day', records: [{ repeat: 15, every: '1h', record: read }], alerts: [] },
    {
      name: 'refused reads',
      records: [
        { repeat: 15, every: '20s', record: (index) => ({ ...read(index), errorCode: 'AccessDeniedException' }) },
      ],
      alerts: [],
    },
    {
      name: 'secrets that are described',
      records: [{ repeat: 15, every: '20s', record: (index) => ({ ...read(index), eventName: 'DescribeSecret' }) }],
      alerts: [],
    },
    {
      name: 'another service',
      records: [
        { repeat: 15, every: '20s', record: (index) => ({ ...read(index), eventSource: 'example.amazonaws.com' }) },
      ],
      alerts: [],
    },
    {
      name: 'an AWS service that renews secrets',
      records: [
        {
          repeat: 15,
          every: '20s',
          record: (index) => ({ ...read(index), userIdentity: { type: 'AWSService', invokedBy: 'rds.amazonaws.com' } }),
        },
      ],
      alerts: [],
    },
    {
      name: 'just enough, over nearly all of the time',
      records: [{ repeat: 15, every: '40s', record: read }],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 15 },
      ],
    },
  ],
});
