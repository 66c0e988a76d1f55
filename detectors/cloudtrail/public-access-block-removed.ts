/** Block Public Access was switched off for a bucket. */
import { defineDetector } from '../../src/detector.ts';

const put = (settings: object) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'PutBucketPublicAccessBlock',
  requestParameters: {
    bucketName: 'amzn-s3-demo-bucket',
    publicAccessBlock: '',
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
      ...settings,
    },
  },
});
const removal = {
  eventSource: 's3.amazonaws.com',
  eventName: 'DeleteBucketPublicAccessBlock',
  requestParameters: { bucketName: 'amzn-s3-demo-bucket', publicAccessBlock: '' },
};

export const detector = defineDetector({
  id: 'public-access-block-removed',
  title: 'Block Public Access was switched off for a bucket',
  description:
    'The four settings keep a bucket private whatever its policy and lists say. One of them was switched off, or the whole block deleted: the step before a bucket is opened.',
  severity: 'medium',
  severityReason: 'Nothing is public yet; opening the bucket itself is bucket-policy-public or bucket-acl-public.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1530', version: 16 }],
  tags: ['data-protection'],
  when: {
    all: [
      { event_source: 's3.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: 'DeleteBucketPublicAccessBlock' },
          {
            all: [
              { event_name: 'PutBucketPublicAccessBlock' },
              {
                any: [
                  { 'request_parameters.PublicAccessBlockConfiguration.BlockPublicAcls': false },
                  { 'request_parameters.PublicAccessBlockConfiguration.IgnorePublicAcls': false },
                  { 'request_parameters.PublicAccessBlockConfiguration.BlockPublicPolicy': false },
                  { 'request_parameters.PublicAccessBlockConfiguration.RestrictPublicBuckets': false },
                ],
              },
            ],
          },
        ],
      },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.bucketName} from {source_address} ({count} calls in the hour)',
  falsePositives: [
    'A bucket that serves a public web site is set up.',
    'A bucket is about to be deleted by a pipeline.',
  ],
  blindSpots: ['Buckets made before April 2023 may never have had the block.'],
  response: ['Look for PutBucketPolicy and PutBucketAcl on the same bucket afterwards.'],
  examples: [
    {
      name: 'the block is deleted',
      records: [removal],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'lists may be public again',
      records: [put({ BlockPublicAcls: false })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'public lists count again',
      records: [put({ IgnorePublicAcls: false })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'policies may be public again',
      records: [put({ BlockPublicPolicy: false })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'public policies count again',
      records: [put({ RestrictPublicBuckets: false })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    { name: 'everything is blocked', records: [put({})], alerts: [] },
    {
      name: 'refused, another call, or another service',
      records: [
        { ...removal, errorCode: 'AccessDenied' },
        { ...put({ BlockPublicAcls: false }), eventName: 'CreateAccessPoint' },
        { ...removal, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
