/** One principal deletes objects in great number. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const deletion = {
  eventSource: 's3.amazonaws.com',
  eventName: 'DeleteObject',
  requestParameters: { bucketName: 'amzn-s3-demo-bucket', key: 'reports/2025.csv' },
};
const many = (change: object = {}) => ({ repeat: 500, every: '1s' as const, record: { ...deletion, ...change } });

export const detector = defineDetector({
  id: 'objects-deleted-in-bulk',
  title: 'Objects were deleted in great number',
  description:
    'Counts DeleteObject and DeleteObjects calls per principal in a sliding window. One DeleteObjects call takes up to a thousand objects with it.',
  severity: 'medium',
  severityReason: 'Destroys data if it was not meant; clean-up jobs do it every night.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1485', version: 16 }],
  tags: ['impact', 'data-protection'],
  when: {
    all: [
      { event_source: 's3.amazonaws.com', event_name: ['DeleteObject', 'DeleteObjects'], outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('calls'), within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} made {count} calls that delete objects, first in {request_parameters.bucketName}, from {source_address}',
  parameters: {
    calls: z
      .int()
      .min(1)
      .default(500)
      .describe('calls in ten minutes; applications that tidy up after themselves stay below'),
  },
  falsePositives: ['A job that empties a bucket: suppress its role.'],
  blindSpots: [
    'A few calls of DeleteObjects with a thousand objects each.',
    'A lifecycle rule that expires everything.',
  ],
  needsDataEvents: 'AWS::S3::Object',
  response: ['Where versions are kept, deleted objects come back by removing the delete markers.'],
  examples: [
    {
      name: 'many at once in each call',
      records: [many({ eventName: 'DeleteObjects' })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 500 }],
    },
    {
      name: 'five hundred calls in eight minutes',
      records: [many()],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 500 },
      ],
    },
    { name: 'one call fewer', records: [{ ...many(), repeat: 499 }], alerts: [] },
    { name: 'as many over a day', records: [{ ...many(), every: '2m' }], alerts: [] },
    {
      name: 'refused, written, another service, or by an AWS service',
      records: [
        many({ errorCode: 'AccessDenied' }),
        many({ eventName: 'PutObject' }),
        many({ eventSource: 'example.amazonaws.com' }),
        many({ userIdentity: { type: 'AWSService', invokedBy: 's3.amazonaws.com' } }),
      ],
      alerts: [],
    },
    {
      name: 'many at a time',
      records: [many({ eventName: 'DeleteObjects' })],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 500 },
      ],
    },
  ],
});
