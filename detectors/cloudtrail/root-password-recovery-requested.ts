/** Somebody asked for a new password of the root user. */
import { defineDetector } from '../../src/detector.ts';

const request = {
  eventSource: 'signin.amazonaws.com',
  eventName: 'PasswordRecoveryRequested',
  eventType: 'AwsConsoleSignIn',
  userIdentity: {
    type: 'Root',
    principalId: '111122223333',
    arn: 'arn:aws:iam::111122223333:root',
    accountId: '111122223333',
    accessKeyId: '',
  },
  responseElements: { PasswordRecoveryRequested: 'Success' },
};

export const detector = defineDetector({
  id: 'root-password-recovery-requested',
  title: 'A new password for the root user was asked for',
  description:
    'Somebody clicked "forgot password" for the root user, and AWS sent a link to its mailbox. Whoever reads that mailbox owns the account a minute later. Only root can recover a password this way.',
  severity: 'medium',
  severityReason: 'Anybody who knows the mail address can ask; it becomes critical when the link is used.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['root', 'initial-access'],
  when: {
    all: [
      { event_source: 'signin.amazonaws.com', event_name: 'PasswordRecoveryRequested', outcome: 'success' },
      { not: { 'response_elements.PasswordRecoveryRequested': 'Failure' } },
    ],
  },
  slot: '1h',
  subject: ['account_id'],
  summary:
    'A new password for root of account {account_id} was asked for from {source_ip} with {user_agent} ({count} times in the hour)',
  falsePositives: ['The holder of the root mailbox forgot the password or follows the yearly check.'],
  blindSpots: [
    'The event stands in us-east-1 only: a trail of another single region does not have it.',
    'Recovery by a caller to AWS Support.',
  ],
  response: [
    'Ask the holder of the root mailbox, and look whether root-credentials-changed follows.',
    'Run the saved question address-activity for source_ip.',
  ],
  examples: [
    { name: 'a link is asked for', records: [request], alerts: [{ subject: { account_id: '111122223333' } }] },
    {
      name: 'it failed, by either field, or another sign-in event, or another service',
      records: [
        { ...request, responseElements: { PasswordRecoveryRequested: 'Failure' } },
        { ...request, errorMessage: 'Failed captcha' },
        { ...request, eventName: 'CheckMfa' },
        { ...request, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
