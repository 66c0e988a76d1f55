/** Backups, or the vault that keeps them, were deleted or unlocked. */
import { defineDetector } from '../../src/detector.ts';

const deletion = {
  eventSource: 'backup.amazonaws.com',
  eventName: 'DeleteRecoveryPoint',
  requestParameters: {
    backupVaultName: 'daily',
    recoveryPointArn: 'arn:aws:ec2:us-east-1::snapshot/snap-1234567890abcdef0',
  },
};

export const detector = defineDetector({
  id: 'backup-deleted',
  title: 'Backups were deleted',
  description:
    'Extortionists destroy the backups before the data. Recovery points that have served their time are deleted by AWS itself; a person or a role that does so is unusual.',
  severity: 'high',
  severityReason: 'Takes away the way back; what follows is often the destruction itself.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1490', version: 16 }],
  tags: ['impact', 'data-protection'],
  when: {
    all: [
      {
        event_source: 'backup.amazonaws.com',
        event_name: [
          'DeleteRecoveryPoint',
          'DeleteBackupVault',
          'DeleteBackupVaultLockConfiguration',
          'DeleteBackupPlan',
        ],
        outcome: 'success',
      },
      { not: { actor_type: 'service' } },
      { not: { event_type: 'AwsServiceEvent' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.backupVaultName} in {aws_region} from {source_address} ({count} calls in the hour)',
  falsePositives: ['A plan or a vault of a test environment that is taken down.'],
  blindSpots: ['Backups outside of AWS Backup: snapshots-deleted-in-bulk, database-deleted-without-snapshot.'],
  response: ['Lock the remaining vaults; find out what else the session does.'],
  examples: [
    {
      name: 'each of the calls',
      records: [
        'DeleteRecoveryPoint',
        'DeleteBackupVault',
        'DeleteBackupVaultLockConfiguration',
        'DeleteBackupPlan',
      ].map((eventName) => ({ ...deletion, eventName })),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 }],
    },
    {
      name: 'recovery points are deleted by hand',
      records: [deletion, deletion],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 }],
    },
    {
      name: 'refused, read, another service, or by AWS when their time is over',
      records: [
        { ...deletion, errorCode: 'AccessDeniedException' },
        { ...deletion, eventName: 'DescribeRecoveryPoint' },
        { ...deletion, eventSource: 'example.amazonaws.com' },
        { ...deletion, userIdentity: { type: 'AWSService', invokedBy: 'backup.amazonaws.com' } },
        { ...deletion, eventType: 'AwsServiceEvent' },
      ],
      alerts: [],
    },
  ],
});
