/** A database snapshot was shared with another account or with everybody. */
import { defineDetector } from '../../src/detector.ts';

const share = {
  eventSource: 'rds.amazonaws.com',
  eventName: 'ModifyDBSnapshotAttribute',
  requestParameters: {
    dBSnapshotIdentifier: 'before-release',
    attributeName: 'restore',
    valuesToAdd: ['444455556666'],
  },
};

export const detector = defineDetector({
  id: 'database-snapshot-shared',
  title: 'A database snapshot was shared',
  description:
    'Whoever may restore a snapshot has the whole database, with an administrator password of their choice. The same call takes shares back; only adding counts.',
  severity: 'high',
  severityReason: 'A whole database leaves the account in one call that moves no data.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1537', version: 16 }],
  tags: ['exfiltration', 'data-protection'],
  when: {
    all: [
      {
        event_source: 'rds.amazonaws.com',
        event_name: ['ModifyDBSnapshotAttribute', 'ModifyDBClusterSnapshotAttribute'],
        outcome: 'success',
        'request_parameters.valuesToAdd[]': { exists: true },
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} shared {request_parameters.dBSnapshotIdentifier}{request_parameters.dBClusterSnapshotIdentifier} with {request_parameters.valuesToAdd[]} from {source_address}',
  falsePositives: ['Backups that are kept in an account of their own: suppress the role that shares them.'],
  blindSpots: ['Exports to S3 (StartExportTask) and copies of a shared key.'],
  response: ['Take the share back; whoever restored it did so in their own account, out of sight.'],
  examples: [
    {
      name: 'shared with an account',
      records: [share],
      alerts: [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a cluster snapshot is shared with everybody',
      records: [
        {
          ...share,
          eventName: 'ModifyDBClusterSnapshotAttribute',
          requestParameters: {
            dBClusterSnapshotIdentifier: 'before-release',
            attributeName: 'restore',
            valuesToAdd: ['all'],
          },
        },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'the share is taken back',
      records: [
        {
          ...share,
          requestParameters: {
            dBSnapshotIdentifier: 'before-release',
            attributeName: 'restore',
            valuesToRemove: ['444455556666'],
          },
        },
      ],
      alerts: [],
    },
    {
      name: 'refused, only read, another service, or by an AWS service',
      records: [
        { ...share, errorCode: 'AccessDenied' },
        { ...share, eventName: 'DescribeDBSnapshotAttributes' },
        { ...share, eventSource: 'example.amazonaws.com' },
        { ...share, userIdentity: { type: 'AWSService', invokedBy: 'backup.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
