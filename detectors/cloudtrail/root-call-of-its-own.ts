/** The root user does something itself: no AWS service acts in its name. */
import { defineDetector } from '../../src/detector.ts';

const root = {
  type: 'Root',
  principalId: '111122223333',
  arn: 'arn:aws:iam::111122223333:root',
  accountId: '111122223333',
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
};
const call = {
  eventSource: 's3.amazonaws.com',
  eventName: 'PutBucketVersioning',
  eventType: 'AwsApiCall',
  userIdentity: root,
  requestParameters: { bucketName: 'amzn-s3-demo-bucket', VersioningConfiguration: { Status: 'Enabled' } },
};

export const detector = defineDetector({
  id: 'root-call-of-its-own',
  title: 'The root user made calls of its own',
  description:
    'AWS marks some of its own housekeeping with the root identity: such records name a service in invokedBy or are of the type AwsServiceEvent. What remains was done by a person or a program holding root. One alert an hour.',
  severity: 'high',
  severityReason: 'Root should be asleep; its first call of the day is either a known task or an intruder.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['root'],
  when: {
    all: [
      { actor_type: 'root' },
      { not: { invoked_by: { exists: true } } },
      { not: { event_type: 'AwsServiceEvent' } },
    ],
  },
  slot: '1h',
  subject: ['account_id'],
  summary: 'Root of account {account_id} made {count} calls, first {event_name} in {aws_region} from {source_address}',
  falsePositives: ['One of the few tasks that need root.', 'An account so young that nobody has made a role yet.'],
  blindSpots: [
    'What root lets a service do for it: the service is named in invoked_by. The call with which root told the service to do it is seen.',
  ],
  response: [
    'Read the calls of the hour in order of time, changes first (read_only = false).',
    'Run the saved question root-activity.',
  ],
  examples: [
    {
      name: 'root changes a bucket and is refused something else',
      records: [call, { ...call, eventName: 'DeleteBucket', errorCode: 'AccessDenied' }],
      alerts: [{ subject: { account_id: '111122223333' }, count: 2 }],
    },
    {
      name: 'a service acts for root',
      records: [{ ...call, userIdentity: { ...root, invokedBy: 'backup.amazonaws.com' } }],
      alerts: [],
    },
    {
      name: 'AWS notes a change of its own under the root identity',
      records: [{ ...call, eventType: 'AwsServiceEvent', eventName: 'BecameEligibleForFreeTier' }],
      alerts: [],
    },
    {
      name: 'a user does the same',
      records: [{ ...call, userIdentity: { ...root, type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/Alice' } }],
      alerts: [],
    },
  ],
});
