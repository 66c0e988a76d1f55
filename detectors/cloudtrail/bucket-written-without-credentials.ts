/** Somebody without credentials writes or deletes in a bucket. */
import { defineDetector } from '../../src/detector.ts';

const anonymous = { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' };
const write = {
  eventSource: 's3.amazonaws.com',
  eventName: 'PutObject',
  requestParameters: { bucketName: 'amzn-s3-demo-bucket', key: 'a' },
  userIdentity: anonymous,
};

export const detector = defineDetector({
  id: 'bucket-written-without-credentials',
  title: 'Objects were written or deleted without credentials',
  description:
    'CloudTrail names the caller ANONYMOUS_PRINCIPAL. A bucket that lets strangers write serves malware, is filled at your cost, or is emptied.',
  severity: 'high',
  severityReason: 'The bucket is open for writing to the internet, and somebody has found out.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1530', version: 16 },
    { technique: 'T1565.001', version: 16 },
  ],
  tags: ['impact', 'data-protection'],
  when: {
    event_source: 's3.amazonaws.com',
    event_name: [
      'PutObject',
      'DeleteObject',
      'DeleteObjects',
      'CopyObject',
      'CreateMultipartUpload',
      'PutObjectAcl',
      'PutBucketAcl',
      'PutBucketPolicy',
    ],
    outcome: 'success',
    user_account_id: 'ANONYMOUS_PRINCIPAL',
  },
  slot: '1h',
  subject: ['account_id', 'request_parameters.bucketName'],
  summary:
    'Somebody without credentials called {event_name} on {request_parameters.bucketName} from {source_address} ({count} calls in the hour)',

  falsePositives: ['A drop box that is meant to be open; a form that uploads without signing.'],
  blindSpots: ['Buckets whose data events are not logged: the S3 access log has anonymous-object-write as well.'],
  needsDataEvents: 'AWS::S3::Object',
  response: [
    'Switch Block Public Access on; restore from versions.',
    'Run the saved question address-activity for source_address.',
  ],
  examples: [
    {
      name: 'each way to write',
      records: [
        'PutObject',
        'DeleteObject',
        'DeleteObjects',
        'CopyObject',
        'CreateMultipartUpload',
        'PutObjectAcl',
        'PutBucketAcl',
        'PutBucketPolicy',
      ].map((eventName) => ({ ...write, eventName })),
      alerts: [
        { subject: { account_id: '111122223333', 'request_parameters.bucketName': 'amzn-s3-demo-bucket' }, count: 8 },
      ],
    },
    {
      name: 'with credentials, refused, read, or another service',
      records: [
        { ...write, userIdentity: { type: 'AWSAccount', principalId: 'AIDAEXAMPLE', accountId: '444455556666' } },
        { ...write, errorCode: 'AccessDenied' },
        { ...write, eventName: 'GetObject' },
        { ...write, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
