/** A trail is told to deliver to another bucket, log group or topic. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const update = {
  eventSource: 'cloudtrail.amazonaws.com',
  eventName: 'UpdateTrail',
  requestParameters: { name: 'management-events', s3BucketName: 'amzn-s3-demo-destination-bucket' },
};

export const detector = defineDetector({
  id: 'trail-destination-changed',
  title: 'A CloudTrail trail was given a destination bucket',
  description:
    'UpdateTrail with a bucket sends the log to where the caller says, and everything that watches the old bucket sees nothing more. The event does not name the old bucket, so list your own ones in own_buckets; any other is reported.',
  severity: 'medium',
  severityReason: 'Serious if the bucket is not yours, harmless if the console merely sent the form again.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    all: [
      {
        event_source: 'cloudtrail.amazonaws.com',
        event_name: 'UpdateTrail',
        outcome: 'success',
        'request_parameters.s3BucketName': { exists: true },
      },
      { not: { 'request_parameters.s3BucketName': { is: parameter('own_buckets') } } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} set the bucket of trail {request_parameters.name} to {request_parameters.s3BucketName} from {source_address}',
  parameters: {
    own_buckets: z
      .array(z.string())
      .default([])
      .describe('names of your log buckets; none are known beforehand, so each change is reported'),
  },
  falsePositives: [
    'The console sends all settings with each change, the unchanged bucket among them: name it in own_buckets.',
  ],
  blindSpots: ['A bucket of yours whose policy lets a stranger read.'],
  response: [
    'Find out whose the bucket is, and what stopped arriving in the old one.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'the trail is sent elsewhere',
      records: [update],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'the bucket is one of ours',
      records: [update],
      alerts: [],
      parameters: { own_buckets: ['amzn-s3-demo-logging-bucket', 'amzn-s3-demo-destination-bucket'] },
    },
    {
      name: 'no bucket named, refused, made new, or another service',
      records: [
        { ...update, requestParameters: { name: 'management-events', isMultiRegionTrail: true } },
        { ...update, errorCode: 'AccessDenied' },
        { ...update, eventName: 'CreateTrail' },
        { ...update, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
