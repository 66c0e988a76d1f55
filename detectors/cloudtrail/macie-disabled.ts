/** Macie no longer looks for sensitive data, or no longer tells. */
import { defineDetector } from '../../src/detector.ts';

const call = (eventName: string, requestParameters: object | null = null) => ({
  eventSource: 'macie2.amazonaws.com',
  eventName,
  requestParameters,
});
const off = call('DisableMacie');
const PAUSED = { status: 'PAUSED' };
const ALICE = 'arn:aws:iam::111122223333:user/Alice';

export const detector = defineDetector({
  id: 'macie-disabled',
  title: 'Macie was switched off or silenced',
  description:
    'Macie was disabled or paused, cut off from its administrator, told to stop its daily look at buckets, or given a filter that archives findings as they come.',
  severity: 'medium',
  severityReason: 'Blinds the watch over sensitive data; an account or a trial that ends looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.001', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    all: [
      { event_source: 'macie2.amazonaws.com', outcome: 'success' },
      {
        any: [
          {
            event_name: [
              'DisableMacie',
              'DisassociateFromAdministratorAccount',
              'DisassociateFromMasterAccount',
              'DisassociateMember',
              'DeleteMember',
              'DisableOrganizationAdminAccount',
            ],
          },
          { event_name: ['UpdateMacieSession', 'UpdateMemberSession'], 'request_parameters.status': 'PAUSED' },
          { event_name: 'UpdateClassificationJob', 'request_parameters.jobStatus': ['CANCELLED', 'USER_PAUSED'] },
          { event_name: 'UpdateAutomatedDiscoveryConfiguration', 'request_parameters.status': 'DISABLED' },
          {
            event_name: ['CreateFindingsFilter', 'UpdateFindingsFilter'],
            'request_parameters.action': 'ARCHIVE',
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} on Macie in {aws_region} from {source_address}',
  falsePositives: ['An account or a region that is given up.', 'A filter for a known finding.'],
  blindSpots: [
    'Buckets that are left out of a classification job.',
    'Management events of the region in question must be logged.',
  ],
  response: [
    'Enable it again; run the saved question principal-timeline for the principal to see which buckets were read meanwhile.',
    'Read the filter, and the findings that it archived.',
  ],
  examples: [
    {
      name: 'each way to switch it off',
      records: [
        off,
        call('DisassociateFromAdministratorAccount'),
        call('DisassociateFromMasterAccount'),
        call('DisassociateMember', { id: '444455556666' }),
        call('DeleteMember', { id: '444455556666' }),
        call('DisableOrganizationAdminAccount', { adminAccountId: '444455556666' }),
        call('UpdateMacieSession', PAUSED),
        call('UpdateMemberSession', PAUSED),
        call('UpdateAutomatedDiscoveryConfiguration', { status: 'DISABLED' }),
        call('CreateFindingsFilter', { action: 'ARCHIVE', name: 'quiet' }),
        call('UpdateFindingsFilter', { action: 'ARCHIVE', id: 'quiet' }),
        call('UpdateClassificationJob', { jobId: 'weekly', jobStatus: 'CANCELLED' }),
        call('UpdateClassificationJob', { jobId: 'weekly', jobStatus: 'USER_PAUSED' }),
      ],
      alerts: [{ subject: { account_id: '111122223333', principal: ALICE }, count: 13 }],
    },
    {
      name: 'switched on, or a filter that only labels',
      records: [
        call('UpdateMacieSession', { status: 'ENABLED' }),
        call('EnableMacie', PAUSED),
        call('UpdateClassificationJob', { jobId: 'weekly', jobStatus: 'RUNNING' }),
        call('CreateClassificationJob', { jobStatus: 'CANCELLED' }),
        call('UpdateAutomatedDiscoveryConfiguration', { status: 'ENABLED' }),
        call('UpdateClassificationScope', { status: 'DISABLED' }),
        call('CreateFindingsFilter', { action: 'NOOP', name: 'label' }),
        call('CreateAllowList', { action: 'ARCHIVE' }),
      ],
      alerts: [],
    },
    {
      name: 'refused, another service, or by an AWS service',
      records: [
        { ...off, errorCode: 'AccessDeniedException' },
        { ...off, eventSource: 'example.amazonaws.com' },
        { ...off, userIdentity: { type: 'AWSService', invokedBy: 'organizations.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
