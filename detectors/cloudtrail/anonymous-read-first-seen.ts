/** A bucket is read without credentials that was not before. */
import { defineDetector } from '../../src/detector.ts';

const anonymous = { type: 'AWSAccount', principalId: '', accountId: 'ANONYMOUS_PRINCIPAL' };
const fresh = {
  eventSource: 's3.amazonaws.com',
  eventName: 'GetObject',
  requestParameters: { bucketName: 'amzn-s3-demo-bucket', key: 'a' },
  userIdentity: anonymous,
  eventTime: '2025-03-11T09:00:00Z',
};
/** Ten days of other events, so that the account has a history. */
const history = {
  repeat: 10,
  every: '1d',
  record: { eventSource: 'ec2.amazonaws.com', eventName: 'DescribeInstances', eventTime: '2025-03-01T10:00:00Z' },
} as const;

export const detector = defineDetector({
  id: 'anonymous-read-first-seen',
  title: 'A bucket was read without credentials for the first time',
  description:
    'CloudTrail names the caller ANONYMOUS_PRINCIPAL. No such read of this bucket succeeded during the last 30 days: it became public, and somebody noticed.',
  severity: 'medium',
  severityReason: 'What was private is read by strangers; a new public site begins in the same way.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1530', version: 16 }],
  tags: ['collection', 'data-protection', 'baseline'],
  when: {
    event_source: 's3.amazonaws.com',
    event_name: ['GetObject', 'ListObjects', 'ListObjectVersions', 'GetObjectAcl', 'GetBucketAcl'],
    outcome: 'success',
    user_account_id: 'ANONYMOUS_PRINCIPAL',
  },
  baseline: { firstSeen: ['request_parameters.bucketName'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'request_parameters.bucketName'],
  summary:
    'Somebody without credentials called {event_name} on {request_parameters.bucketName} from {source_address}; nobody had in 30 days',

  falsePositives: ['A bucket that begins to serve a public site.'],
  blindSpots: ['Silent until the account has three days of history.', 'Buckets whose data events are not logged.'],
  needsDataEvents: 'AWS::S3::Object',
  response: [
    'Look for PutBucketPolicy, PutBucketAcl and public access blocks of the bucket (saved question bucket-access).',
  ],
  examples: [
    {
      name: 'each way to read, in a bucket that was private',
      records: [
        history,
        ...['GetObject', 'ListObjects', 'ListObjectVersions', 'GetObjectAcl', 'GetBucketAcl'].map((eventName) => ({
          ...fresh,
          eventName,
        })),
      ],
      alerts: [
        { subject: { account_id: '111122223333', 'request_parameters.bucketName': 'amzn-s3-demo-bucket' }, count: 5 },
      ],
    },
    {
      name: 'a public site',
      records: [{ repeat: 12, every: '1d', record: { ...fresh, eventTime: '2025-03-01T10:00:00Z' } }],
      alerts: [],
    },
    {
      name: 'with credentials, refused, written, or another service',
      records: [
        history,
        { ...fresh, userIdentity: { type: 'AWSAccount', principalId: 'AIDAEXAMPLE', accountId: '444455556666' } },
        { ...fresh, errorCode: 'AccessDenied' },
        { ...fresh, eventName: 'PutObject' },
        { ...fresh, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
