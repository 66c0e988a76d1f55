/** The rules for the passwords of IAM users were loosened or removed. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const update = (requestParameters: object) => ({
  eventSource: 'iam.amazonaws.com',
  eventName: 'UpdateAccountPasswordPolicy',
  requestParameters: { minimumPasswordLength: 14, requireSymbols: true, ...requestParameters },
});

export const detector = defineDetector({
  id: 'password-policy-weakened',
  title: 'The password policy of the account was weakened',
  description: 'The policy was deleted, which leaves the default of eight characters, or set to a short minimum.',
  severity: 'medium',
  severityReason: 'Opens the door to guessing; no password has been guessed yet.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1556', version: 16 }],
  tags: ['defense-evasion'],
  when: {
    all: [
      { event_source: 'iam.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: 'DeleteAccountPasswordPolicy' },
          {
            event_name: 'UpdateAccountPasswordPolicy',
            'request_parameters.minimumPasswordLength': { lt: parameter('minimum_length') },
          },
        ],
      },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} weakened the password policy of account {account_id} ({event_name}) from {source_address}',
  parameters: {
    minimum_length: z
      .int()
      .min(6)
      .max(128)
      .default(14)
      .describe('characters; the CIS AWS Foundations Benchmark asks for 14'),
  },
  falsePositives: ['An account where nobody signs in with a password and nobody minds.'],
  blindSpots: ['Policies of IAM Identity Center and of identity providers.'],
  response: [
    'Restore the policy and list new passwords since (ChangePassword, UpdateLoginProfile).',
    'Run the saved question iam-changes.',
  ],
  examples: [
    {
      name: 'the policy is deleted',
      records: [{ ...update({}), eventName: 'DeleteAccountPasswordPolicy', requestParameters: null }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'six characters are enough',
      records: [update({ minimumPasswordLength: 6 })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'thirteen characters are one too few',
      records: [update({ minimumPasswordLength: 13 })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    { name: 'a good policy is set', records: [update({ minimumPasswordLength: 14 })], alerts: [] },
    {
      name: 'the operator is content with eight',
      records: [update({ minimumPasswordLength: 8 })],
      alerts: [],
      parameters: { minimum_length: 8 },
    },
    {
      name: 'refused, another call, or another service',
      records: [
        { ...update({ minimumPasswordLength: 6 }), errorCode: 'AccessDenied' },
        { ...update({ minimumPasswordLength: 6 }), eventName: 'GetAccountPasswordPolicy' },
        { ...update({ minimumPasswordLength: 6 }), eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
