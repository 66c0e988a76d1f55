/** Somebody tried to sign in to the console as root and failed. */
import { defineDetector } from '../../src/detector.ts';

const root = {
  type: 'Root',
  principalId: '111122223333',
  arn: 'arn:aws:iam::111122223333:root',
  accountId: '111122223333',
};
const failure = {
  eventSource: 'signin.amazonaws.com',
  eventName: 'ConsoleLogin',
  userIdentity: root,
  errorMessage: 'Failed authentication',
  responseElements: { ConsoleLogin: 'Failure' },
};

export const detector = defineDetector({
  id: 'root-console-login-failed',
  title: 'A console sign-in as root failed',
  description:
    'Somebody knows the mail address of the root user and tries its password or second factor. Root signs in so rarely that a single failure is worth knowing.',
  severity: 'medium',
  severityReason: 'Nothing was obtained, but root is the one password nobody should be typing.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1110', version: 16 }],
  tags: ['root', 'credential-access'],
  when: { event_source: 'signin.amazonaws.com', event_name: 'ConsoleLogin', actor_type: 'root', outcome: 'failed' },
  slot: '1h',
  subject: ['account_id'],
  summary: 'A sign-in as root of account {account_id} failed {count} times from {source_ip}',
  falsePositives: ['The holder of the root password mistypes it before a planned task.'],
  blindSpots: ['Attempts with an unknown mail address reach no account and are logged nowhere.'],
  response: [
    'Ask the holder of the root mailbox; look for a successful sign-in (root-console-login) after it.',
    'Run the saved question address-activity for source_ip.',
  ],
  examples: [
    {
      name: 'a wrong password for root',
      records: [failure, failure],
      alerts: [{ subject: { account_id: '111122223333' }, count: 2 }],
    },
    {
      name: 'root signs in',
      records: [{ ...failure, errorMessage: undefined, responseElements: { ConsoleLogin: 'Success' } }],
      alerts: [],
    },
    {
      name: 'a user mistypes a password',
      records: [{ ...failure, userIdentity: { type: 'IAMUser', accountId: '111122223333', userName: 'Alice' } }],
      alerts: [],
    },
    {
      name: 'another call of root fails, and the same name elsewhere',
      records: [
        { ...failure, eventName: 'ListBuckets', errorCode: 'InternalError' },
        { ...failure, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
