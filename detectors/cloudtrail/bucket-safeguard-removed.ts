/** A bucket lost its encryption, its replica, its policy against strangers or its lock. */
import { defineDetector } from '../../src/detector.ts';

const call = (eventName: string, more: object = {}) => ({
  eventSource: 's3.amazonaws.com',
  eventName,
  requestParameters: { bucketName: 'amzn-s3-demo-bucket', ...more },
});
const removal = call('DeleteBucketReplication', { replication: '' });
const lock = (configuration: object) =>
  call('PutBucketObjectLockConfiguration', { 'object-lock': '', ObjectLockConfiguration: configuration });

export const detector = defineDetector({
  id: 'bucket-safeguard-removed',
  title: 'Replication, encryption or the lock of a bucket was removed',
  description:
    'What brings data back after its destruction is taken away before it: the copy in another bucket, the rule of encryption with an own key, the retention that a locked bucket gives to new objects. Legal holds and retentions of single objects count where data events are logged.',
  severity: 'medium',
  severityReason: 'A step towards destruction or ransom; whoever tidies a bucket up takes it as well.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1490', version: 16 },
    { technique: 'T1562.001', version: 16 },
  ],
  tags: ['impact', 'log-protection', 'data-protection'],
  when: {
    all: [
      { event_source: 's3.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: ['DeleteBucketReplication', 'DeleteBucketEncryption'] },
          {
            all: [
              { event_name: 'PutBucketObjectLockConfiguration' },
              { not: { 'request_parameters.ObjectLockConfiguration.Rule': { exists: true } } },
            ],
          },
          { event_name: 'PutObjectLegalHold', 'request_parameters.LegalHold.Status': 'OFF' },
          {
            event_name: ['PutObjectRetention', 'DeleteObject', 'DeleteObjects'],
            'request_parameters.x-amz-bypass-governance-retention': { exists: true },
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.bucketName} from {source_address} ({count} calls in the hour)',
  falsePositives: [
    'A bucket that is moved or taken down by a pipeline.',
    'Default encryption set back to keys of S3 (DeleteBucketEncryption): objects stay encrypted, only no longer with your key.',
  ],
  blindSpots: [
    'Versioning: bucket-versioning-suspended. Expiry: log-bucket-lifecycle-shortened. Access log: bucket-logging-removed.',
    'Legal holds and retentions of objects, unless data events of the bucket are logged.',
    'A replication rule that is disabled in a new configuration (PutBucketReplication).',
  ],
  response: [
    'Put it back; run the saved question bucket-access for request_parameters.bucketName, and look for deletions.',
  ],
  examples: [
    {
      name: 'replication, encryption and the default retention are removed',
      records: [removal, call('DeleteBucketEncryption', { encryption: '' }), lock({ ObjectLockEnabled: 'Enabled' })],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 },
      ],
    },
    {
      name: 'locks of objects are lifted or passed by',
      records: [
        call('PutObjectLegalHold', { key: 'a', LegalHold: { Status: 'OFF' } }),
        call('PutObjectRetention', { key: 'a', 'x-amz-bypass-governance-retention': 'true' }),
        call('DeleteObject', { key: 'a', 'x-amz-bypass-governance-retention': 'true' }),
        call('DeleteObjects', { 'x-amz-bypass-governance-retention': 'true' }),
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 }],
    },
    {
      name: 'a retention is set, a hold is laid, an object without a lock goes',
      records: [
        lock({ ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 90 } } }),
        call('PutObjectLegalHold', { key: 'a', LegalHold: { Status: 'ON' } }),
        call('GetObjectLegalHold', { key: 'a', LegalHold: { Status: 'OFF' } }),
        call('PutObjectRetention', { key: 'a', Retention: { Mode: 'GOVERNANCE' } }),
        call('DeleteObject', { key: 'a' }),
        call('PutObject', { key: 'a', 'x-amz-bypass-governance-retention': 'true' }),
      ],
      alerts: [],
    },
    {
      name: 'refused, read, another service, or by an AWS service',
      records: [
        { ...removal, errorCode: 'AccessDenied' },
        { ...removal, eventName: 'GetBucketReplication' },
        { ...removal, eventSource: 'example.amazonaws.com' },
        { ...removal, userIdentity: { type: 'AWSService', invokedBy: 'backup.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
