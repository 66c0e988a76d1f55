/** Logs are to be deleted after a few days. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const rule = (Days: number, Status = 'Enabled') => ({
  ID: 'expire',
  Status,
  Filter: { Prefix: '' },
  Expiration: { Days },
});
const put = (Rule: unknown, bucketName = 'amzn-s3-demo-cloudtrail-logs') => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'PutBucketLifecycle',
  requestParameters: { bucketName, lifecycle: '', LifecycleConfiguration: { Rule } },
});
const short = put(rule(1));

export const detector = defineDetector({
  id: 'log-bucket-lifecycle-shortened',
  title: 'A log bucket was told to delete its logs within days',
  description:
    'A lifecycle rule with a short expiry empties a bucket in silence and without a single DeleteObject. Only buckets whose name looks like one for logs are judged.',
  severity: 'high',
  severityReason: 'Destroys the evidence by itself, days after the intruder has gone.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1562.008', version: 16 },
    { technique: 'T1485.001', version: 16 },
  ],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    all: [
      {
        event_source: 's3.amazonaws.com',
        event_name: ['PutBucketLifecycle', 'PutBucketLifecycleConfiguration'],
        outcome: 'success',
        'request_parameters.bucketName': { contains: parameter('bucket_names') },
      },
      {
        'request_parameters.LifecycleConfiguration.Rule[].Status': 'Enabled',
        'request_parameters.LifecycleConfiguration.Rule[].Expiration.Days': { lte: parameter('days') },
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} set a short expiry on {request_parameters.bucketName} from {source_address}',
  parameters: {
    days: z
      .int()
      .min(1)
      .default(7)
      .describe('days; logs that live a week or less are gone before anybody asks for them'),
    bucket_names: z
      .array(z.string())
      .default(['trail', 'log', 'audit'])
      .describe('parts of names of buckets that hold logs, in lower case as bucket names are'),
  },
  falsePositives: ['A bucket for temporary logs.', 'A rule that expires only a prefix of the bucket.'],
  blindSpots: ['A log bucket with an unusual name: add it to bucket_names.', 'Rules that expire at a date.'],
  response: ['Remove the rule at once: what it has not yet deleted is safe.'],
  examples: [
    {
      name: 'logs live for a day',
      records: [short],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'one rule of two is short',
      records: [put([rule(400), rule(2)])],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    { name: 'logs live for two years', records: [put(rule(730)), put([rule(730), rule(400)])], alerts: [] },
    { name: 'the rule is not in force', records: [put(rule(1, 'Disabled')), put([rule(1, 'Disabled')])], alerts: [] },
    { name: 'a bucket for uploads', records: [put(rule(1), 'amzn-s3-demo-uploads')], alerts: [] },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...short, errorCode: 'AccessDenied' },
        { ...short, eventName: 'GetBucketLifecycle' },
        { ...short, eventSource: 'example.amazonaws.com' },
        { ...short, userIdentity: { type: 'AWSService', invokedBy: 'controltower.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
