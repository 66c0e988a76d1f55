/** Another version of a managed policy was put in force. */
import { defineDetector } from '../../src/detector.ts';

const swap = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'SetDefaultPolicyVersion',
  requestParameters: { policyArn: 'arn:aws:iam::111122223333:policy/ReadReports', versionId: 'v1' },
};

export const detector = defineDetector({
  id: 'policy-version-swapped',
  title: 'An older version of a policy was put in force',
  description:
    'IAM keeps up to five versions of a policy. Setting an older one as default brings back whatever it allowed, without any text in the log. Pipelines write new versions and hardly ever go back.',
  severity: 'medium',
  severityReason:
    'A known way up for a user who may do just this; the effect depends on a text that the event does not hold.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098.003', version: 16 }],
  tags: ['privilege-escalation'],
  when: { event_source: 'iam.amazonaws.com', event_name: 'SetDefaultPolicyVersion', outcome: 'success' },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} put version {request_parameters.versionId} of {request_parameters.policyArn} in force from {source_address}',
  falsePositives: ['A roll-back after a bad change.'],
  blindSpots: ['A new version set as default while it is created: admin-managed-policy reads its text.'],
  response: [
    'Read the version with iam:GetPolicyVersion and who has the policy.',
    'Run the saved question iam-changes for the name in request_parameters.policyArn.',
  ],
  examples: [
    {
      name: 'the first version is back in force',
      records: [swap],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'refused, only read, or another service',
      records: [
        { ...swap, errorCode: 'AccessDenied' },
        { ...swap, eventName: 'GetPolicyVersion' },
        { ...swap, eventSource: 'iot.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
