/** AWS found an access key in public and put its user into quarantine. */
import { defineDetector } from '../../src/detector.ts';

const attachment = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'AttachUserPolicy',
  userIdentity: { type: 'AWSService', invokedBy: 'iam.amazonaws.com' },
  requestParameters: { userName: 'ci-deploy', policyArn: 'arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3' },
};

export const detector = defineDetector({
  id: 'quarantine-policy-attached',
  title: 'AWS put a user with a leaked key into quarantine',
  description:
    'When AWS finds an access key in public, for example in a repository, it attaches a policy named AWSCompromisedKeyQuarantine to the user. The policy forbids some costly and dangerous calls, not all of them: the key still works for the rest.',
  severity: 'critical',
  severityReason: 'The one case where a call of AWS itself is the alarm: the key is in strangers’ hands.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1552.001', version: 16 }],
  tags: ['credential-access'],
  when: {
    event_source: 'iam.amazonaws.com',
    event_name: ['AttachUserPolicy', 'AttachRolePolicy', 'AttachGroupPolicy'],
    outcome: 'success',
    'request_parameters.policyArn': { contains: ':policy/AWSCompromisedKeyQuarantine' },
  },
  slot: 'event',
  subject: ['account_id', 'request_parameters.userName'],
  summary:
    '{request_parameters.policyArn} was attached to {request_parameters.userName} by {principal}: a key of it is public',
  falsePositives: ['Somebody tries out the policy.'],
  blindSpots: ['Keys that AWS did not find.'],
  response: [
    'Deactivate all keys of the user, then list everything they did, from the day the key leaked.',
    'Run the saved question principal-timeline for request_parameters.userName, and access-keys.',
  ],
  examples: [
    {
      name: 'AWS attaches the policy',
      records: [attachment],
      alerts: [{ subject: { 'request_parameters.userName': 'ci-deploy' }, count: 1 }],
    },
    {
      name: 'a second look attaches another policy',
      records: [
        {
          ...attachment,
          requestParameters: { userName: 'ci-deploy', policyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' },
        },
      ],
      alerts: [],
    },
    {
      name: 'it fails, it is taken off again, or another service',
      records: [
        { ...attachment, errorCode: 'LimitExceededException' },
        { ...attachment, eventName: 'DetachUserPolicy' },
        { ...attachment, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
