/** A call to IAM was so long that CloudTrail left out what it said. */
import { defineDetector } from '../../src/detector.ts';

const hidden = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'PutRolePolicy',
  requestParameters: { reason: 'requestParameters too large', omitted: true, originalSize: 131072, arn: null },
};

export const detector = defineDetector({
  id: 'request-parameters-hidden',
  title: 'CloudTrail left out the parameters of a call to IAM',
  description:
    'Records have a greatest size. A policy document padded with blanks exceeds it, and CloudTrail then notes only that parameters were too large: what was allowed, and to whom, is not in the log.',
  severity: 'high',
  severityReason: 'Honest policies are far below the limit; padding serves to hide.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion'],
  when: {
    all: [
      { event_source: 'iam.amazonaws.com', 'request_parameters.omitted': true },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} ({outcome}) with parameters too large to be logged, from {source_address}',
  falsePositives: ['A tool that writes very long policies with many lines.'],
  blindSpots: ['Other services, where large requests are ordinary.'],
  response: [
    'Read the policy from IAM itself, at once: GetRolePolicy, GetUserPolicy, GetPolicyVersion.',
    'Run the saved question iam-changes for the role or user.',
  ],
  examples: [
    {
      name: 'a padded policy',
      records: [hidden],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'an ordinary policy, another service, or an AWS service',
      records: [
        { ...hidden, requestParameters: { roleName: 'Builder', policyName: 'inline', policyDocument: '{}' } },
        { ...hidden, eventSource: 'cloudformation.amazonaws.com' },
        { ...hidden, userIdentity: { type: 'AWSService', invokedBy: 'sso.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
