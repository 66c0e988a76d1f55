/** Somebody gave another user a console password. */
import { defineDetector } from '../../src/detector.ts';

const creation = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'CreateLoginProfile',
  userIdentity: {
    type: 'IAMUser',
    principalId: 'AIDACKCEVSQ6C2EXAMPLE',
    arn: 'arn:aws:iam::111122223333:user/Alice',
    accountId: '111122223333',
    userName: 'Alice',
  },
  requestParameters: { userName: 'ci-deploy', passwordResetRequired: false },
};

export const detector = defineDetector({
  id: 'login-profile-for-another-user',
  title: 'A user was given a console password by somebody else',
  description:
    'CreateLoginProfile opens the console to a user who had only keys; UpdateLoginProfile sets a password that the caller knows. Both let the caller sign in as somebody else.',
  severity: 'medium',
  severityReason: 'A way to take over a mightier user; help desks reset passwords as well.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098', version: 16 }],
  tags: ['persistence', 'privilege-escalation'],
  when: {
    all: [
      {
        event_source: 'iam.amazonaws.com',
        event_name: ['CreateLoginProfile', 'UpdateLoginProfile'],
        outcome: 'success',
        'request_parameters.userName': { exists: true },
      },
      { not: { 'request_parameters.userName': { column: 'user_name' } } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} set a console password for {request_parameters.userName} ({event_name}) from {source_address}',
  falsePositives: ['The help desk resets a password.', 'A new colleague is set up.'],
  blindSpots: ['A user who changes the own password (ChangePassword), also when a thief does it.'],
  response: [
    'Look for a ConsoleLogin of the user after this call and compare its source_ip with that of the caller.',
    'Run the saved question logins for request_parameters.userName.',
  ],
  examples: [
    {
      name: 'a technical user gets a password',
      records: [creation],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 }],
    },
    {
      name: 'a password is replaced',
      records: [{ ...creation, eventName: 'UpdateLoginProfile' }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'Alice sets her own, by name and without',
      records: [
        { ...creation, requestParameters: { userName: 'Alice' } },
        { ...creation, requestParameters: { passwordResetRequired: false } },
      ],
      alerts: [],
    },
    {
      name: 'refused, deleted, or another service',
      records: [
        { ...creation, errorCode: 'EntityAlreadyExistsException' },
        { ...creation, eventName: 'DeleteLoginProfile' },
        { ...creation, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
