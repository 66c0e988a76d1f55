/** An IAM user was created. */
import { defineDetector } from '../../src/detector.ts';

const creation = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'CreateUser',
  requestParameters: { userName: 'Nikki_Wolf', path: '/' },
};

export const detector = defineDetector({
  id: 'iam-user-created',
  title: 'An IAM user was created',
  description:
    'Users with long-term credentials should be few, and where people come through an identity provider there is no reason for a new one.',
  severity: 'low',
  severityReason: 'Ordinary administration in many accounts; a record to look things up in.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1136.003', version: 16 }],
  tags: ['persistence'],
  when: { event_source: 'iam.amazonaws.com', event_name: 'CreateUser', outcome: 'success' },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} created the user {request_parameters.userName} from {source_address}',
  falsePositives: ['Each new colleague or service user.'],
  blindSpots: ['Users of IAM Identity Center and of identity providers.'],
  response: [
    'See what the user was given next: access key, password, policies.',
    'Run the saved question iam-changes for request_parameters.userName.',
  ],
  examples: [
    {
      name: 'a user is created',
      records: [creation],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'refused, deleted, or a user of a cache',
      records: [
        { ...creation, errorCode: 'AccessDenied' },
        { ...creation, eventName: 'DeleteUser' },
        { ...creation, eventSource: 'elasticache.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
