/** The bucket that holds logs loses its policy, its versions or itself. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const named = (bucketName: string) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'DeleteBucketPolicy',
  requestParameters: { bucketName, policy: '' },
});
const policy = named('acme-cloudtrail');
const versions = (Status: string) => ({
  ...policy,
  eventName: 'PutBucketVersioning',
  requestParameters: { bucketName: 'acme-cloudtrail', VersioningConfiguration: { Status } },
});

export const detector = defineDetector({
  id: 'log-bucket-tampered-with',
  title: 'The policy or the versions of a log bucket were removed',
  description:
    'Without its policy CloudTrail cannot deliver; without versions what is overwritten is gone. A bucket counts as one for logs when its name says so.',
  severity: 'high',
  severityReason: 'Ends or endangers the record of everything else, and nobody tidies log buckets up by hand.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1562.008', version: 16 },
    { technique: 'T1070', version: 16 },
  ],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    all: [
      {
        event_source: 's3.amazonaws.com',
        outcome: 'success',
        'request_parameters.bucketName': { re: parameter('bucket_names') },
      },
      {
        any: [
          { event_name: ['DeleteBucketPolicy', 'DeleteBucket'] },
          { event_name: 'PutBucketVersioning', 'request_parameters.VersioningConfiguration.Status': 'Suspended' },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} on the log bucket {request_parameters.bucketName} from {source_address}',
  parameters: {
    bucket_names: z
      .string()
      .default('(^|[-.])(cloud)?(trail|logs?|logging|audit)([-.]|$)')
      .describe('RE2 pattern of names of buckets that hold logs, in lower case as bucket names are'),
  },
  falsePositives: ['A log bucket of an environment that is taken down.'],
  blindSpots: [
    'Log buckets with unusual names: add them to bucket_names.',
    'A policy that is replaced by one that denies delivery (PutBucketPolicy). Expiry: log-bucket-lifecycle-shortened. Replication and locks: bucket-safeguard-removed.',
  ],

  response: [
    'Put the policy back: trails report the failed delivery in LatestDeliveryError.',
    'Run the saved question bucket-access for request_parameters.bucketName.',
  ],
  examples: [
    {
      name: 'each way, and each name',
      records: [
        policy,
        { ...policy, eventName: 'DeleteBucket' },
        versions('Suspended'),
        named('acme-logs'),
        named('audit-archive'),
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 },
      ],
    },
    {
      name: 'another bucket, versions switched on, another call',
      records: [
        named('amzn-s3-demo-bucket'),
        named('catalogue'),
        named('web-blog'),
        versions('Enabled'),
        { ...versions('Suspended'), eventName: 'GetBucketVersioning' },
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...policy, errorCode: 'AccessDenied' },
        { ...policy, eventName: 'GetBucketPolicy' },
        { ...policy, eventSource: 'example.amazonaws.com' },
        { ...policy, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
