/** One principal deletes several buckets in a short time. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const deletion = (index: number) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'DeleteBucket',
  requestParameters: { bucketName: `amzn-s3-demo-bucket-${index}` },
});

export const detector = defineDetector({
  id: 'buckets-deleted-in-bulk',
  title: 'Several buckets were deleted',
  description:
    'A bucket must be empty to be deleted, so each deletion ends a longer work of destruction. Counts distinct buckets per principal in a sliding window.',
  severity: 'medium',
  severityReason: 'Data of several buckets is gone; an environment that is taken down looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1485', version: 16 }],
  tags: ['impact', 'data-protection'],
  when: {
    all: [
      { event_source: 's3.amazonaws.com', event_name: 'DeleteBucket', outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('buckets'), distinct: 'request_parameters.bucketName', within: '15m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} deleted {peak} buckets, first {request_parameters.bucketName}, from {source_address}',
  parameters: { buckets: z.int().min(2).default(5).describe('distinct buckets; more than one small stack has') },
  falsePositives: ['Terraform or a clean-up job takes an environment down.'],
  blindSpots: ['Buckets that are emptied and left, which is objects-deleted-in-bulk.'],
  response: [
    'Stop the session; what was in the buckets is in their inventory or in the log, if data events are logged.',
  ],
  examples: [
    {
      name: 'five buckets in five minutes',
      records: [{ repeat: 5, every: '1m', record: deletion }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 }],
    },
    { name: 'one bucket fewer', records: [{ repeat: 4, every: '1m', record: deletion }], alerts: [] },
    { name: 'one bucket again and again', records: [{ repeat: 9, every: '1m', record: deletion(0) }], alerts: [] },
    { name: 'as many over a day', records: [{ repeat: 5, every: '4h', record: deletion }], alerts: [] },
    {
      name: 'not empty, made, or another service',
      records: [
        { repeat: 5, every: '1m', record: (index) => ({ ...deletion(index), errorCode: 'BucketNotEmpty' }) },
        { repeat: 5, every: '1m', record: (index) => ({ ...deletion(index), eventName: 'CreateBucket' }) },
        {
          repeat: 5,
          every: '1m',
          record: (index) => ({ ...deletion(index), eventSource: 's3-outposts.amazonaws.com' }),
        },
      ],
      alerts: [],
    },
    {
      name: 'an AWS service',
      records: [
        {
          repeat: 5,
          every: '1m',
          record: (index) => ({
            ...deletion(index),
            userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' },
          }),
        },
      ],
      alerts: [],
    },
    {
      name: 'just enough, over nearly all of the time',
      records: [{ repeat: 5, every: '213s', record: deletion }],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 },
      ],
    },
  ],
});
