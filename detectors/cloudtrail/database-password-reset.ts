/** The administrator password of a database was replaced. */
import { defineDetector } from '../../src/detector.ts';

const reset = {
  eventSource: 'rds.amazonaws.com',
  eventName: 'ModifyDBInstance',
  requestParameters: { dBInstanceIdentifier: 'orders', masterUserPassword: '****', applyImmediately: true },
};

export const detector = defineDetector({
  id: 'database-password-reset',
  title: 'The administrator password of a database was replaced',
  description:
    'Who may modify a database in AWS can give it a new administrator password and read everything in it, without ever knowing the old one.',
  severity: 'medium',
  severityReason: 'A way from the account into the data; a forgotten or rotated password looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098', version: 16 }],
  tags: ['privilege-escalation', 'data-protection'],
  when: {
    all: [
      {
        event_source: 'rds.amazonaws.com',
        event_name: ['ModifyDBInstance', 'ModifyDBCluster'],
        outcome: 'success',
        'request_parameters.masterUserPassword': { exists: true },
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} replaced the administrator password of {request_parameters.dBInstanceIdentifier}{request_parameters.dBClusterIdentifier} from {source_address}',
  falsePositives: ['A rotation by hand or by a script.'],
  blindSpots: [
    'Passwords that are changed inside the database.',
    'IAM authentication (rds-db:connect), which needs no password.',
  ],
  response: ['Ask the owner of the database; look for connections from unknown addresses in its own log.'],
  examples: [
    {
      name: 'the password of a cluster',
      records: [{ ...reset, eventName: 'ModifyDBCluster' }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a new password is set',
      records: [reset],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'more storage',
      records: [{ ...reset, requestParameters: { dBInstanceIdentifier: 'orders', allocatedStorage: 100 } }],
      alerts: [],
    },
    {
      name: 'refused, created with a password, another service, or by an AWS service',
      records: [
        { ...reset, errorCode: 'AccessDenied' },
        { ...reset, eventName: 'CreateDBInstance' },
        { ...reset, eventSource: 'example.amazonaws.com' },
        { ...reset, userIdentity: { type: 'AWSService', invokedBy: 'secretsmanager.amazonaws.com' } },
      ],
      alerts: [],
    },
    {
      name: 'the other calls that it is about',
      records: ['ModifyDBCluster'].map((eventName) => ({
        eventName,
        eventSource: 'rds.amazonaws.com',
        requestParameters: { dBInstanceIdentifier: 'orders', masterUserPassword: '****', applyImmediately: true },
      })),
      alerts: [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
  ],
});
