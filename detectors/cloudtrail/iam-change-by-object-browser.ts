/** A program for browsing buckets changed users or rights. */
import { defineDetector } from '../../src/detector.ts';

const change = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'CreateUser',
  userAgent: '[S3 Browser/10.9.9 (https://s3browser.com)]',
  requestParameters: { userName: 'Nikki_Wolf' },
};

export const detector = defineDetector({
  id: 'iam-change-by-object-browser',
  title: 'S3 Browser changed users or rights',
  description:
    'S3 Browser is a desktop program for files in buckets that can also make users, keys and passwords. One group of thieves (GUI-vil) works with little else: a leaked key is opened in it, a user and a password are made, and machines follow.',
  severity: 'high',
  severityReason: 'Nobody manages identities with a file browser but those who found a key.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1098', version: 16 },
    { technique: 'T1136.003', version: 16 },
  ],
  tags: ['persistence'],
  when: {
    all: [
      { event_source: 'iam.amazonaws.com', outcome: 'success', user_agent: { contains: 'S3 Browser' } },
      { event_name: { re: '^(Add|Attach|Create|Put|Update)' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} changed IAM with {user_agent}, first {event_name} for {request_parameters.userName}, from {source_address} ({count} calls in the hour)',
  falsePositives: ['Somebody who manages the users of buckets in this program.'],
  blindSpots: ['The same done with another program.', 'Reading of users and roles, which it does by itself.'],
  response: [
    'Deactivate access_key_id, then the users and keys that were made: saved question iam-changes.',
    'Run the saved question access-key-activity for access_key_id.',
  ],
  examples: [
    {
      name: 'a user, a password, a key, a policy and a group',
      records: ['CreateUser', 'UpdateLoginProfile', 'PutUserPolicy', 'AttachUserPolicy', 'AddUserToGroup'].map(
        (eventName) => ({ ...change, eventName }),
      ),
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 },
      ],
    },
    {
      name: 'only reading, refused, in a bucket, or with another program',
      records: [
        { ...change, eventName: 'ListUsers' },
        { ...change, errorCode: 'AccessDenied' },
        { ...change, eventSource: 's3.amazonaws.com', eventName: 'PutBucketAcl' },
        { ...change, userAgent: 'aws-cli/2.15.0' },
      ],
      alerts: [],
    },
  ],
});
