/** A database can be deleted, and no backup is kept. */
import { defineDetector } from '../../src/detector.ts';

const modify = (change: object) => ({
  eventSource: 'rds.amazonaws.com',
  eventName: 'ModifyDBInstance',
  requestParameters: { dBInstanceIdentifier: 'shop', ...change },
});
const backup = {
  eventSource: 'rds.amazonaws.com',
  eventName: 'DeleteDBInstanceAutomatedBackup',
  requestParameters: { dbiResourceId: 'db-EXAMPLE' },
};

export const detector = defineDetector({
  id: 'database-protection-removed',
  title: 'Deletion protection or backups of a database were switched off',
  description:
    'The step before a database is destroyed: deletion protection off, automated backups kept for no day, or those that were kept deleted.',
  severity: 'medium',
  severityReason: 'Takes the net away; test environments are taken down in the same way.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1490', version: 16 }],
  tags: ['impact', 'data-protection'],
  when: {
    all: [
      { event_source: 'rds.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: ['DeleteDBInstanceAutomatedBackup', 'DeleteDBClusterAutomatedBackup'] },
          {
            all: [
              { event_name: ['ModifyDBInstance', 'ModifyDBCluster'] },
              {
                any: [
                  { 'request_parameters.deletionProtection': false },
                  { 'request_parameters.backupRetentionPeriod': 0 },
                ],
              },
            ],
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.dBInstanceIdentifier}{request_parameters.dBClusterIdentifier}{request_parameters.dbiResourceId} in {aws_region} from {source_address}',

  falsePositives: ['A test environment that is taken down by a pipeline.'],
  blindSpots: [
    'Snapshots that are deleted: snapshots-deleted-in-bulk. The database itself: database-deleted-without-snapshot.',
    'A global cluster (ModifyGlobalCluster).',
  ],

  response: ['Switch it on again; run the saved question who-deleted for what followed.'],
  examples: [
    {
      name: 'each way',
      records: [
        modify({ deletionProtection: false }),
        { ...modify({ deletionProtection: false }), eventName: 'ModifyDBCluster' },
        modify({ backupRetentionPeriod: 0 }),
        backup,
        { ...backup, eventName: 'DeleteDBClusterAutomatedBackup' },
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 },
      ],
    },
    {
      name: 'switched on, a day is kept, another setting, another call',
      records: [
        modify({ deletionProtection: true }),
        modify({ backupRetentionPeriod: 1 }),
        modify({ allocatedStorage: 100 }),
        { ...modify({ deletionProtection: false }), eventName: 'CreateDBInstance' },
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...backup, errorCode: 'AccessDenied' },
        { ...backup, eventName: 'DescribeDBInstanceAutomatedBackups' },
        { ...backup, eventSource: 'example.amazonaws.com' },
        { ...backup, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
