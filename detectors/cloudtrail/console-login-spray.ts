/** One address tries the console passwords of many users. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const failure = (index: number) => ({
  eventSource: 'signin.amazonaws.com',
  eventName: 'ConsoleLogin',
  sourceIPAddress: '203.0.113.77',
  userIdentity: { type: 'IAMUser', accountId: '111122223333', accessKeyId: '', userName: `user-${index}` },
  errorMessage: 'Failed authentication',
  responseElements: { ConsoleLogin: 'Failure' },
});

export const detector = defineDetector({
  id: 'console-login-spray',
  title: 'One address failed to sign in as many users',
  description:
    'Password spraying tries one password on many users and stays below the limits of each. Counts distinct user names per address in a sliding window.',
  severity: 'medium',
  severityReason: 'The guesses failed, but nobody does this by accident.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1110.003', version: 16 }],
  tags: ['credential-access'],
  when: { event_source: 'signin.amazonaws.com', event_name: 'ConsoleLogin', outcome: 'failed' },
  threshold: { atLeast: parameter('users'), distinct: 'user_name', within: '1h' },
  slot: '1h',
  subject: ['source_ip'],
  summary: '{source_ip} failed to sign in as {peak} users of account {account_id}',
  parameters: {
    users: z
      .int()
      .min(2)
      .default(5)
      .describe('distinct user names; fewer happen behind the shared address of an office'),
  },
  falsePositives: ['A large office behind one address on the morning after all passwords expired.'],
  blindSpots: [
    'Names that do not exist are hidden by AWS and count as one.',
    'A sprayer that changes its address with each attempt.',
  ],
  response: [
    'Look for a ConsoleLogin from this source_ip that succeeded.',
    'Run the saved question address-activity for source_ip.',
  ],
  examples: [
    {
      name: 'five users from one address',
      records: [{ repeat: 5, every: '2m', record: failure }],
      alerts: [{ subject: { source_ip: '203.0.113.77' }, count: 5 }],
    },
    { name: 'one user fewer', records: [{ repeat: 4, every: '2m', record: failure }], alerts: [] },
    { name: 'one user five times', records: [{ repeat: 5, every: '2m', record: failure(0) }], alerts: [] },
    { name: 'five users over a day', records: [{ repeat: 5, every: '5h', record: failure }], alerts: [] },
    {
      name: 'five users who get in',
      records: [
        {
          repeat: 5,
          every: '2m',
          record: (index) => ({
            ...failure(index),
            errorMessage: undefined,
            responseElements: { ConsoleLogin: 'Success' },
          }),
        },
      ],
      alerts: [],
    },
    {
      name: 'other calls that fail, and the same name elsewhere',
      records: [
        { repeat: 5, every: '2m', record: (index) => ({ ...failure(index), eventName: 'CheckMfa' }) },
        { repeat: 5, every: '2m', record: (index) => ({ ...failure(index), eventSource: 'example.amazonaws.com' }) },
      ],
      alerts: [],
    },
  ],
});
