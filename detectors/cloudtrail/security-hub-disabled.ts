/** Security Hub was switched off. */
import { defineDetector } from '../../src/detector.ts';

const off = { eventSource: 'securityhub.amazonaws.com', eventName: 'DisableSecurityHub', requestParameters: null };

/** Calls after which findings are no longer collected, or reach nobody. */
const OFF = [
  'DisableSecurityHub',
  'DisableSecurityHubV2',
  'DisassociateFromAdministratorAccount',
  'DisassociateFromMasterAccount',
  'DisassociateMembers',
  'DeleteMembers',
];

export const detector = defineDetector({
  id: 'security-hub-disabled',
  title: 'Security Hub was switched off',
  description:
    'Security Hub collects the findings of GuardDuty, Inspector, Macie and others. Switched off, or cut off from its administrator, findings are no longer seen where people look.',
  severity: 'high',
  severityReason: 'Silences all other guards at once; rare and known beforehand.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.001', version: 16 }],
  tags: ['defense-evasion'],
  when: {
    all: [
      {
        event_source: 'securityhub.amazonaws.com',
        event_name: OFF,
        outcome: 'success',
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} on Security Hub in {aws_region} from {source_address}',
  falsePositives: ['An account or a region that is given up.'],
  blindSpots: ['Findings that are suppressed: security-findings-suppressed.', 'Controls that are switched off.'],
  response: [
    'Switch it on again; read the findings of the services behind it directly.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'Security Hub is disabled, or an account cut off in any other way',
      records: OFF.map((eventName) => ({ ...off, eventName })),
      alerts: OFF.map(() => ({ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } })),
    },
    {
      name: 'refused, enabled, another service, or by an AWS service',
      records: [
        { ...off, errorCode: 'InvalidAccessException' },
        { ...off, eventName: 'EnableSecurityHub' },
        { ...off, eventName: 'DeleteMembers', eventSource: 'detective.amazonaws.com' },
        { ...off, userIdentity: { type: 'AWSService', invokedBy: 'organizations.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
