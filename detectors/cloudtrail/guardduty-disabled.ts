/** GuardDuty was switched off, for an account or for its members. */
import { defineDetector } from '../../src/detector.ts';

const call = (eventName: string, requestParameters: object = {}) => ({
  eventSource: 'guardduty.amazonaws.com',
  eventName,
  requestParameters: { detectorId: '12abc34d567e8fa901bc2d34e56789f0', ...requestParameters },
});

/** Calls after which an account is watched no more, or its findings reach nobody. */
const OFF = [
  'DeleteDetector',
  'StopMonitoringMembers',
  'DisassociateMembers',
  'DeleteMembers',
  'DisassociateFromMasterAccount',
  'DisassociateFromAdministratorAccount',
  'DisableOrganizationAdminAccount',
];

export const detector = defineDetector({
  id: 'guardduty-disabled',
  title: 'GuardDuty was switched off',
  description:
    'The detector was deleted or suspended, or the account was cut off from the administrator that collects its findings.',
  severity: 'high',
  severityReason: 'Blinds the guard of a region; planned changes are rare and known beforehand.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.001', version: 16 }],
  tags: ['defense-evasion'],
  when: {
    all: [
      { event_source: 'guardduty.amazonaws.com', outcome: 'success' },
      {
        any: [
          {
            event_name: OFF,
          },
          { event_name: 'UpdateDetector', 'request_parameters.enable': false },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} on GuardDuty in {aws_region} from {source_address}',
  falsePositives: ['An account or a region that is given up.'],
  blindSpots: ['A guard that runs but looks away: guardduty-blinded.'],
  response: [
    'Switch it on again and look at what the principal did before and after.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'the detector is deleted, or an account cut off in any other way',
      records: OFF.map((name) => call(name)),
      alerts: OFF.map(() => ({ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } })),
    },
    {
      name: 'the detector is suspended',
      records: [call('UpdateDetector', { enable: false })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'the detector gets another publishing frequency',
      records: [call('UpdateDetector', { findingPublishingFrequency: 'SIX_HOURS' })],
      alerts: [],
    },
    { name: 'a detector is made, not enabled', records: [call('CreateDetector', { enable: false })], alerts: [] },
    {
      name: 'refused, another service, or by an AWS service',
      records: [
        { ...call('DeleteDetector'), errorCode: 'AccessDenied' },
        { ...call('DeleteDetector'), eventSource: 'frauddetector.amazonaws.com' },
        { ...call('DeleteMembers'), userIdentity: { type: 'AWSService', invokedBy: 'organizations.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
