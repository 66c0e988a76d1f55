/** The console password of one user is tried again and again. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const failure = {
  eventSource: 'signin.amazonaws.com',
  eventName: 'ConsoleLogin',
  // A failed sign-in has an errorMessage and no errorCode, and its caller has no ARN.
  userIdentity: { type: 'IAMUser', accountId: '111122223333', accessKeyId: '', userName: 'Alice' },
  errorMessage: 'Failed authentication',
  responseElements: { ConsoleLogin: 'Failure' },
};

export const detector = defineDetector({
  id: 'console-login-brute-force',
  title: 'Many console sign-ins of one user failed',
  description:
    'Counts failed console sign-ins per account and user name in a sliding window, from whatever addresses they come.',
  severity: 'medium',
  severityReason: 'The guesses failed; one that succeeds is console-login-after-failures.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1110.001', version: 16 }],
  tags: ['credential-access'],
  when: { event_source: 'signin.amazonaws.com', event_name: 'ConsoleLogin', outcome: 'failed' },
  threshold: { atLeast: parameter('failures'), within: '15m' },
  slot: '1h',
  subject: ['account_id', 'user_name'],
  summary: '{count} console sign-ins as {user_name} failed in account {account_id}, first from {source_ip}',
  parameters: {
    failures: z
      .int()
      .min(1)
      .default(8)
      .describe('sign-ins; a person who forgot the password gives up or resets it before eight'),
  },
  falsePositives: ['A user whose password has expired, with a password manager that insists.'],
  blindSpots: [
    'AWS hides names it does not know as HIDDEN_DUE_TO_SECURITY_REASONS: all of them count as one user.',
    'Sign-ins through an identity provider fail there and are not in CloudTrail.',
  ],
  response: [
    'List source_ip of the failures; look for a sign-in that succeeded, from the same addresses first.',
    'Run the saved questions login-failures and logins.',
  ],
  examples: [
    {
      name: 'eight wrong passwords in four minutes',
      records: [{ repeat: 8, every: '30s', record: failure }],
      alerts: [{ subject: { account_id: '111122223333', user_name: 'Alice' }, count: 8 }],
    },
    {
      name: 'the operator asks for a lower threshold',
      records: [{ repeat: 3, every: '30s', record: failure }],
      alerts: [{ subject: { user_name: 'Alice' } }],
      parameters: { failures: 3 },
    },
    { name: 'one fewer', records: [{ repeat: 7, every: '30s', record: failure }], alerts: [] },
    { name: 'as many over four hours', records: [{ repeat: 8, every: '30m', record: failure }], alerts: [] },
    {
      name: 'as many, each another user',
      records: [
        {
          repeat: 8,
          every: '30s',
          record: (index) => ({ ...failure, userIdentity: { ...failure.userIdentity, userName: `user-${index}` } }),
        },
      ],
      alerts: [],
    },
    {
      name: 'as many sign-ins that succeed',
      records: [
        {
          repeat: 8,
          every: '30s',
          record: { ...failure, errorMessage: undefined, responseElements: { ConsoleLogin: 'Success' } },
        },
      ],
      alerts: [],
    },
    {
      name: 'other calls that fail, and the same name elsewhere',
      records: [
        { repeat: 8, every: '20s', record: { ...failure, eventName: 'CheckMfa' } },
        { repeat: 8, every: '20s', record: { ...failure, eventSource: 'example.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
