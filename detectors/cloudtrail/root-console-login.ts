/** The root user signed in to the console. */
import { defineDetector } from '../../src/detector.ts';

const root = {
  type: 'Root',
  principalId: '111122223333',
  arn: 'arn:aws:iam::111122223333:root',
  accountId: '111122223333',
};
const login = {
  eventSource: 'signin.amazonaws.com',
  eventName: 'ConsoleLogin',
  userIdentity: root,
  responseElements: { ConsoleLogin: 'Success' },
  additionalEventData: { LoginTo: 'https://console.aws.amazon.com/console/home', MobileVersion: 'No', MFAUsed: 'Yes' },
};

export const detector = defineDetector({
  id: 'root-console-login',
  title: 'The root user signed in to the console',
  description:
    'The root user may do everything, cannot be limited by a policy of its own account, and is needed for a handful of tasks a year. Each sign-in should be known beforehand.',
  severity: 'critical',
  severityReason: 'Whoever is signed in as root owns the account, and nobody has an everyday reason for it.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['root', 'initial-access'],
  when: { event_source: 'signin.amazonaws.com', event_name: 'ConsoleLogin', actor_type: 'root', outcome: 'success' },
  slot: 'event',
  subject: ['account_id'],
  summary: 'Root of account {account_id} signed in from {source_ip} (MFA used: {additional_event_data.MFAUsed})',
  falsePositives: ['One of the tasks that only root can do, such as closing the account or changing its support plan.'],
  blindSpots: [
    'Sessions that begin without the sign-in page: a root access key (root-access-key-use) or a member account entered through AssumeRoot.',
    'Sign-ins are recorded in the region of the endpoint: a trail of a single region misses the others.',
  ],
  response: [
    'Call the holder of the root mailbox. If it was not they: recover the password, remove unknown MFA devices and access keys.',
    'Read all events with actor_type root after this time.',
    'Run the saved question root-activity: what root did since.',
  ],
  examples: [
    {
      name: 'root signs in, even with MFA',
      records: [login],
      alerts: [{ subject: { account_id: '111122223333' }, count: 1 }],
    },
    {
      name: 'the password was wrong',
      records: [{ ...login, responseElements: { ConsoleLogin: 'Failure' }, errorMessage: 'Failed authentication' }],
      alerts: [],
    },
    {
      name: 'an IAM user signs in',
      records: [
        {
          ...login,
          userIdentity: { ...root, type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/Alice', userName: 'Alice' },
        },
      ],
      alerts: [],
    },
    {
      name: 'another step of the sign-in page, and the same name elsewhere',
      records: [
        { ...login, eventName: 'CheckMfa', responseElements: { CheckMfa: 'Success' } },
        { ...login, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
