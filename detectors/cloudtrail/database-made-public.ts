/** A database got an address on the internet. */
import { defineDetector } from '../../src/detector.ts';

const change = {
  eventSource: 'rds.amazonaws.com',
  eventName: 'ModifyDBInstance',
  requestParameters: { dBInstanceIdentifier: 'orders', publiclyAccessible: true, applyImmediately: true },
};

export const detector = defineDetector({
  id: 'database-made-public',
  title: 'A database was made reachable from the internet',
  description:
    'publiclyAccessible gives the database a public address. Whether strangers reach it depends on its security group, and its password is then all that keeps them out. Restoring a snapshot as a public copy is the quiet form.',
  severity: 'medium',
  severityReason: 'One fence less around the data; another may still stand.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1190', version: 16 },
    { technique: 'T1537', version: 16 },
  ],
  tags: ['exfiltration', 'data-protection'],
  when: {
    all: [
      {
        event_source: 'rds.amazonaws.com',
        event_name: [
          'ModifyDBInstance',
          'CreateDBInstance',
          'CreateDBCluster',
          'RestoreDBInstanceFromDBSnapshot',
          'RestoreDBInstanceToPointInTime',
          'RestoreDBInstanceFromS3',
        ],
        outcome: 'success',
        'request_parameters.publiclyAccessible': true,
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} made {request_parameters.dBInstanceIdentifier} public ({event_name}) in {aws_region} from {source_address}',
  falsePositives: ['A database for training or a trial.'],
  blindSpots: ['A database that was public from the start because its subnet group makes it so by default.'],
  response: ['Read the security groups of the database; make it private again.'],
  examples: [
    {
      name: 'each of the calls',
      records: [
        'ModifyDBInstance',
        'CreateDBInstance',
        'CreateDBCluster',
        'RestoreDBInstanceFromDBSnapshot',
        'RestoreDBInstanceToPointInTime',
        'RestoreDBInstanceFromS3',
      ].map((eventName) => ({ ...change, eventName })),
      alerts: [
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
      ],
    },
    {
      name: 'a database is made public',
      records: [change],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a private copy of a snapshot',
      records: [
        {
          ...change,
          eventName: 'RestoreDBInstanceFromDBSnapshot',
          requestParameters: { dBInstanceIdentifier: 'orders-copy', publiclyAccessible: false },
        },
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...change, errorCode: 'DBInstanceNotFound' },
        { ...change, eventName: 'DescribeDBInstances' },
        { ...change, eventSource: 'dms.amazonaws.com' },
        { ...change, userIdentity: { type: 'AWSService', invokedBy: 'backup.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
