/** A table can no longer be brought back. */
import { defineDetector } from '../../src/detector.ts';

const backup = {
  eventSource: 'dynamodb.amazonaws.com',
  eventName: 'DeleteBackup',
  requestParameters: { backupArn: 'arn:aws:dynamodb:us-east-1:111122223333:table/shop/backup/01234567890123-12345678' },
};
const recovery = (pointInTimeRecoveryEnabled: boolean) => ({
  ...backup,
  eventName: 'UpdateContinuousBackups',
  requestParameters: { tableName: 'shop', pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled } },
});
const protection = (deletionProtectionEnabled: boolean) => ({
  ...backup,
  eventName: 'UpdateTable',
  requestParameters: { tableName: 'shop', deletionProtectionEnabled },
});

export const detector = defineDetector({
  id: 'table-protection-removed',
  title: 'Backups or protection of a DynamoDB table were removed',
  description:
    'A backup of a table was deleted, its point-in-time recovery or its deletion protection switched off: the step before the table goes.',
  severity: 'medium',
  severityReason: 'Takes the net away; test environments are taken down in the same way.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1490', version: 16 }],
  tags: ['impact', 'data-protection'],
  when: {
    all: [
      { event_source: 'dynamodb.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: 'DeleteBackup' },
          {
            event_name: 'UpdateContinuousBackups',
            'request_parameters.pointInTimeRecoverySpecification.pointInTimeRecoveryEnabled': false,
          },
          { event_name: 'UpdateTable', 'request_parameters.deletionProtectionEnabled': false },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.tableName}{request_parameters.backupArn} in {aws_region} from {source_address}',

  falsePositives: ['A test environment that is taken down; a script that keeps the last ten backups.'],
  blindSpots: [
    'The table itself: guarded-call names DeleteTable.',
    'Items that are deleted one by one, which are data events.',
  ],

  response: ['Switch it on again; run the saved question who-deleted for what followed.'],
  examples: [
    {
      name: 'each way',
      records: [backup, recovery(false), protection(false)],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 },
      ],
    },
    {
      name: 'switched on, or another call',
      records: [
        recovery(true),
        protection(true),
        { ...recovery(false), eventName: 'DescribeContinuousBackups' },
        { ...protection(false), eventName: 'CreateTable' },
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...backup, errorCode: 'AccessDenied' },
        { ...backup, eventName: 'CreateBackup' },
        { ...backup, eventSource: 'example.amazonaws.com' },
        { ...backup, userIdentity: { type: 'AWSService', invokedBy: 'backup.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
