/** Access logging of a bucket was switched off. */
import { defineDetector } from '../../src/detector.ts';

const off = {
  eventSource: 's3.amazonaws.com',
  eventName: 'PutBucketLogging',
  requestParameters: {
    bucketName: 'amzn-s3-demo-bucket',
    logging: '',
    BucketLoggingStatus: { xmlns: 'http://s3.amazonaws.com/doc/2006-03-01/' },
  },
};

export const detector = defineDetector({
  id: 'bucket-logging-removed',
  title: 'Access logging of a bucket was switched off',
  description:
    'The access log is often the only record of who read what. PutBucketLogging without a target switches it off.',
  severity: 'medium',
  severityReason: 'Hides the reading that may follow; rarely part of daily work.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    all: [
      {
        event_source: 's3.amazonaws.com',
        event_name: 'PutBucketLogging',
        outcome: 'success',
        'request_parameters.BucketLoggingStatus': { exists: true },
      },
      { not: { 'request_parameters.BucketLoggingStatus.LoggingEnabled': { exists: true } } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} switched off access logging of {request_parameters.bucketName} from {source_address}',
  falsePositives: ['A bucket that is about to be deleted by a pipeline.'],
  blindSpots: ['A log that is sent to another bucket.'],
  response: ['Switch it on again; look at data events of the bucket meanwhile, if there are any.'],
  examples: [
    {
      name: 'logging is switched off',
      records: [off],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'logging is switched on',
      records: [
        {
          ...off,
          requestParameters: {
            bucketName: 'amzn-s3-demo-bucket',
            BucketLoggingStatus: {
              LoggingEnabled: { TargetBucket: 'amzn-s3-demo-logging-bucket', TargetPrefix: 'logs/' },
            },
          },
        },
      ],
      alerts: [],
    },
    {
      name: 'refused, read, another service, or a record without the setting',
      records: [
        { ...off, errorCode: 'AccessDenied' },
        { ...off, eventName: 'GetBucketLogging' },
        { ...off, eventSource: 'example.amazonaws.com' },
        { ...off, requestParameters: { bucketName: 'amzn-s3-demo-bucket' } },
      ],
      alerts: [],
    },
  ],
});
