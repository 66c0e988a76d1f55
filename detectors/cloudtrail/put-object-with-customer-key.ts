/** Objects are written with a key that AWS does not keep: the mark of ransom in S3. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const put = (index: number) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'PutObject',
  requestParameters: { bucketName: 'amzn-s3-demo-bucket', key: `reports/${index}.csv` },
  additionalEventData: { SignatureVersion: 'SigV4', SSEApplied: 'SSE_C' },
});

export const detector = defineDetector({
  id: 'put-object-with-customer-key',
  title: 'Objects were encrypted with a key that only the caller has',
  description:
    'With SSE-C the caller brings the key and S3 forgets it. Extortionists overwrite or copy objects this way and sell the key. Judged by SSEApplied, and by the request header in records that lack it.',
  severity: 'high',
  severityReason: 'If it is ransom, the data is already lost; few applications use SSE-C, and those are known.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1486', version: 16 }],
  tags: ['impact', 'data-protection'],
  when: {
    all: [
      {
        event_source: 's3.amazonaws.com',
        event_name: ['PutObject', 'CopyObject', 'CreateMultipartUpload'],
        outcome: 'success',
      },
      {
        any: [
          { 'additional_event_data.SSEApplied': 'SSE_C' },
          { 'request_parameters.x-amz-server-side-encryption-customer-algorithm': { exists: true } },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('objects'), within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} wrote {count} objects with a key of its own, first to {request_parameters.bucketName} from {source_address}',
  parameters: {
    objects: z.int().min(1).default(5).describe('objects; enough to leave out a trial, few enough to be early'),
  },
  falsePositives: ['An application that was built on SSE-C: suppress it by principal.'],
  blindSpots: ['Writing with a KMS key of a foreign account has the same effect and is not seen here.'],
  needsDataEvents: 'AWS::S3::Object',
  response: ['Block SSE-C with a bucket policy at once, cut the session off, restore earlier versions.'],
  examples: [
    {
      name: 'the first parts of large objects',
      records: [
        { repeat: 5, every: '20s', record: (index) => ({ ...put(index), eventName: 'CreateMultipartUpload' }) },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 }],
    },
    {
      name: 'five objects are overwritten within two minutes',
      records: [{ repeat: 5, every: '20s', record: put }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 }],
    },
    {
      name: 'objects are copied, in records that know only the header',
      records: [
        {
          repeat: 5,
          every: '20s',
          record: {
            ...put(0),
            eventName: 'CopyObject',
            requestParameters: {
              bucketName: 'amzn-s3-demo-bucket',
              key: 'a',
              'x-amz-server-side-encryption-customer-algorithm': 'AES256',
            },
            additionalEventData: { SignatureVersion: 'SigV4' },
          },
        },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    { name: 'one object fewer', records: [{ repeat: 4, every: '20s', record: put }], alerts: [] },
    { name: 'as many over a day', records: [{ repeat: 5, every: '4h', record: put }], alerts: [] },
    {
      name: 'objects with a key of KMS',
      records: [{ repeat: 5, every: '20s', record: { ...put(0), additionalEventData: { SSEApplied: 'SSE_KMS' } } }],
      alerts: [],
    },
    {
      name: 'refused writes',
      records: [{ repeat: 5, every: '20s', record: { ...put(0), errorCode: 'AccessDenied' } }],
      alerts: [],
    },
    {
      name: 'only read',
      records: [{ repeat: 5, every: '20s', record: { ...put(0), eventName: 'HeadObject' } }],
      alerts: [],
    },
    {
      name: 'another service',
      records: [{ repeat: 5, every: '20s', record: { ...put(0), eventSource: 'example.amazonaws.com' } }],
      alerts: [],
    },
    {
      name: 'an AWS service',
      records: [
        {
          repeat: 5,
          every: '20s',
          record: { ...put(0), userIdentity: { type: 'AWSService', invokedBy: 'datasync.amazonaws.com' } },
        },
      ],
      alerts: [],
    },
    {
      name: 'the same by CreateMultipartUpload',
      records: [
        { repeat: 5, every: '20s', record: (index) => ({ ...put(index), eventName: 'CreateMultipartUpload' }) },
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 },
      ],
    },
    {
      name: 'just enough, over nearly all of the time',
      records: [{ repeat: 5, every: '142s', record: put }],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 },
      ],
    },
  ],
});
