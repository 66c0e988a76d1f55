/** Somebody made an access key for a user other than themselves. */
import { defineDetector } from '../../src/detector.ts';

const alice = {
  type: 'IAMUser',
  principalId: 'AIDACKCEVSQ6C2EXAMPLE',
  arn: 'arn:aws:iam::111122223333:user/Alice',
  accountId: '111122223333',
  userName: 'Alice',
};
const creation = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'CreateAccessKey',
  userIdentity: alice,
  requestParameters: { userName: 'Mateo_Jackson' },
  responseElements: { accessKey: { userName: 'Mateo_Jackson', accessKeyId: 'AKIAI44QH8DHBEXAMPLE', status: 'Active' } },
};

export const detector = defineDetector({
  id: 'access-key-for-another-user',
  title: 'An access key was made for another user',
  description:
    'The key works until somebody deletes it, whatever happens to the credentials it was made with, and its calls carry the name of the other user. Making a key for oneself is ordinary and left out.',
  severity: 'medium',
  severityReason: 'A standard way to stay in; administrators and pipelines do it for service users as well.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098.001', version: 16 }],
  tags: ['persistence'],
  when: {
    all: [
      {
        event_source: 'iam.amazonaws.com',
        event_name: 'CreateAccessKey',
        outcome: 'success',
        'request_parameters.userName': { exists: true },
      },
      { not: { 'request_parameters.userName': { column: 'user_name' } } },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} made key {response_elements.accessKey.accessKeyId} for {request_parameters.userName} from {source_address}',
  falsePositives: ['An administrator or Terraform that sets up a service user.', 'A rotation script.'],
  blindSpots: ['A key that an intruder makes for the very user whose credentials were stolen.'],
  response: [
    'List all events with the new access_key_id; deactivate it if nobody asked for it.',
    'Run the saved question access-key-activity for response_elements.accessKey.accessKeyId.',
  ],
  examples: [
    {
      name: 'Alice makes a key for Mateo',
      records: [creation],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 }],
    },
    {
      name: 'a role makes a key for a user',
      records: [
        {
          ...creation,
          userIdentity: {
            type: 'AssumedRole',
            principalId: 'AROAIDPPEZS35WEXAMPLE:Alice',
            arn: 'arn:aws:sts::111122223333:assumed-role/Operators/Alice',
            accountId: '111122223333',
            sessionContext: { sessionIssuer: { type: 'Role', arn: 'arn:aws:iam::111122223333:role/Operators' } },
          },
        },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:role/Operators' } }],
    },
    {
      name: 'Alice makes a key for herself, by name and without',
      records: [
        { ...creation, requestParameters: { userName: 'Alice' } },
        { ...creation, requestParameters: null },
      ],
      alerts: [],
    },
    {
      name: 'refused, deleted, another service, or by an AWS service',
      records: [
        { ...creation, errorCode: 'AccessDenied' },
        { ...creation, eventName: 'DeleteAccessKey' },
        { ...creation, eventSource: 'example.amazonaws.com' },
        { ...creation, userIdentity: { type: 'AWSService', invokedBy: 'ses.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
