/** A database was deleted and no last snapshot taken. */
import { defineDetector } from '../../src/detector.ts';

const deletion = {
  eventSource: 'rds.amazonaws.com',
  eventName: 'DeleteDBInstance',
  requestParameters: { dBInstanceIdentifier: 'orders', skipFinalSnapshot: true, deleteAutomatedBackups: true },
};

export const detector = defineDetector({
  id: 'database-deleted-without-snapshot',
  title: 'A database was deleted without a final snapshot',
  description:
    'RDS offers a last snapshot with each deletion. Declined, the data is gone once the automated backups are.',
  severity: 'high',
  severityReason: 'Often beyond repair; only test databases are thrown away like this.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1485', version: 16 }],
  tags: ['impact', 'data-protection'],
  when: {
    all: [
      {
        event_source: 'rds.amazonaws.com',
        event_name: ['DeleteDBInstance', 'DeleteDBCluster'],
        outcome: 'success',
        'request_parameters.skipFinalSnapshot': true,
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} deleted {request_parameters.dBInstanceIdentifier}{request_parameters.dBClusterIdentifier} in {aws_region} without a snapshot, from {source_address}',
  falsePositives: [
    'Test databases.',
    'The instances of an Aurora cluster, which never have a snapshot of their own: the cluster keeps the data.',
  ],
  blindSpots: ['Tables that are dropped inside the database.'],
  response: ['Look for automated backups that are retained, and for older snapshots.'],
  examples: [
    {
      name: 'a cluster is thrown away',
      records: [{ ...deletion, eventName: 'DeleteDBCluster' }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a database is thrown away',
      records: [deletion],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a last snapshot is taken',
      records: [{ ...deletion, requestParameters: { dBInstanceIdentifier: 'orders', skipFinalSnapshot: false } }],
      alerts: [],
    },
    {
      name: 'refused, stopped, another service, or by an AWS service',
      records: [
        { ...deletion, errorCode: 'InvalidDBInstanceStateFault' },
        { ...deletion, eventName: 'StopDBInstance' },
        { ...deletion, eventSource: 'example.amazonaws.com' },
        { ...deletion, userIdentity: { type: 'AWSService', invokedBy: 'rds.amazonaws.com' } },
      ],
      alerts: [],
    },
    {
      name: 'the other calls that it is about',
      records: ['DeleteDBCluster'].map((eventName) => ({
        eventName,
        eventSource: 'rds.amazonaws.com',
        requestParameters: { dBInstanceIdentifier: 'orders', skipFinalSnapshot: true, deleteAutomatedBackups: true },
      })),
      alerts: [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
  ],
});
