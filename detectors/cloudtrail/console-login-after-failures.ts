/** After several wrong passwords one was right. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const failure = {
  eventSource: 'signin.amazonaws.com',
  eventName: 'ConsoleLogin',
  userIdentity: { type: 'IAMUser', accountId: '111122223333', accessKeyId: '', userName: 'Alice' },
  errorMessage: 'Failed authentication',
  responseElements: { ConsoleLogin: 'Failure' },
};
const success = {
  eventSource: 'signin.amazonaws.com',
  eventName: 'ConsoleLogin',
  userIdentity: {
    type: 'IAMUser',
    principalId: 'AIDACKCEVSQ6C2EXAMPLE',
    arn: 'arn:aws:iam::111122223333:user/Alice',
    accountId: '111122223333',
    userName: 'Alice',
  },
  responseElements: { ConsoleLogin: 'Success' },
  additionalEventData: { MFAUsed: 'No' },
};

export const detector = defineDetector({
  id: 'console-login-after-failures',
  title: 'A console sign-in succeeded after several failures',
  description:
    'Guessing that ends in success: several failed console sign-ins of one user, then one that worked, within an hour.',
  severity: 'high',
  severityReason: 'If these were guesses, somebody is in.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1110', version: 16 },
    { technique: 'T1078.004', version: 16 },
  ],
  tags: ['credential-access', 'initial-access'],
  sequence: {
    steps: [
      {
        when: { event_source: 'signin.amazonaws.com', event_name: 'ConsoleLogin', outcome: 'failed' },
        atLeast: parameter('failures'),
      },
      { event_source: 'signin.amazonaws.com', event_name: 'ConsoleLogin', outcome: 'success' },
    ],
    by: ['account_id', 'user_name'],
    within: '1h',
  },
  slot: '1h',
  subject: ['account_id', 'user_name'],
  summary: '{user_name} of account {account_id} signed in from {source_ip} after failing before',
  parameters: {
    failures: z
      .int()
      .min(1)
      .default(5)
      .describe('failed sign-ins before the good one; people mistype twice or three times'),
  },
  falsePositives: ['A user who remembered the password at the sixth attempt.'],
  blindSpots: ['The root user, whose records carry no user name: root-console-login and root-console-login-failed.'],
  response: [
    'Compare source_ip of the failures with that of the success; end the sessions of the user if nobody can say.',
    'Run the saved question principal-timeline for user_name: what happened after the sign-in.',
  ],
  examples: [
    {
      name: 'five wrong passwords and a right one',
      records: [{ repeat: 5, every: '1m', record: failure }, success],
      alerts: [{ subject: { account_id: '111122223333', user_name: 'Alice' } }],
    },
    {
      name: 'the operator asks for fewer failures',
      records: [{ repeat: 2, every: '1m', record: failure }, success],
      alerts: [{ subject: { user_name: 'Alice' } }],
      parameters: { failures: 2 },
    },
    { name: 'one failure fewer', records: [{ repeat: 4, every: '1m', record: failure }, success], alerts: [] },
    { name: 'seven failures and no success', records: [{ repeat: 7, every: '1m', record: failure }], alerts: [] },
    { name: 'seven successes and no failure', records: [{ repeat: 7, every: '1m', record: success }], alerts: [] },
    { name: 'the success came first', records: [success, { repeat: 5, every: '1m', record: failure }], alerts: [] },
    {
      name: 'somebody else signs in',
      records: [
        { repeat: 5, every: '1m', record: failure },
        { ...success, userIdentity: { ...success.userIdentity, userName: 'Mateo_Jackson' } },
      ],
      alerts: [],
    },
    {
      name: 'the failures are hours old',
      records: [{ repeat: 5, every: '1h', record: failure }, success],
      alerts: [],
    },
    {
      name: 'other calls fail before',
      records: [
        { repeat: 5, every: '1m', record: { ...failure, eventName: 'CheckMfa' } },
        { repeat: 5, every: '1m', record: { ...failure, eventSource: 'example.amazonaws.com' } },
        { repeat: 5, every: '1m', record: success },
      ],
      alerts: [],
    },
    {
      name: 'other calls succeed after',
      records: [
        { repeat: 5, every: '1m', record: failure },
        { ...success, eventName: 'CheckMfa' },
        { ...success, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
