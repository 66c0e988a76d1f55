/** A Redshift warehouse is opened or given away. */
import { defineDetector } from '../../src/detector.ts';

const share = {
  eventSource: 'redshift.amazonaws.com',
  eventName: 'AuthorizeSnapshotAccess',
  requestParameters: { snapshotIdentifier: 'shop', accountWithRestoreAccess: '444455556666' },
};
const cluster = (eventName: string, publiclyAccessible: boolean) => ({
  eventSource: 'redshift.amazonaws.com',
  eventName,
  requestParameters: { clusterIdentifier: 'shop', publiclyAccessible },
});

export const detector = defineDetector({
  id: 'warehouse-opened',
  title: 'A Redshift cluster was made public, shared or stopped logging',
  description:
    'A snapshot or a data share that another account may use, a cluster with a public address, an audit log that ends.',
  severity: 'medium',
  severityReason: 'A warehouse holds the data of many systems; sharing with sister accounts looks the same.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1537', version: 16 },
    { technique: 'T1562.008', version: 16 },
  ],
  tags: ['exfiltration', 'data-protection'],
  when: {
    all: [
      { event_source: 'redshift.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: ['AuthorizeSnapshotAccess', 'AuthorizeDataShare', 'DisableLogging'] },
          {
            event_name: ['ModifyCluster', 'CreateCluster', 'RestoreFromClusterSnapshot'],
            'request_parameters.publiclyAccessible': true,
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.clusterIdentifier}{request_parameters.snapshotIdentifier}{request_parameters.dataShareArn} in {aws_region} from {source_address}',

  falsePositives: ['A share with a sister account.'],
  blindSpots: [
    'Redshift Serverless, which has calls of its own.',
    'What is unloaded to a bucket by SQL (UNLOAD): the audit log of the cluster tells.',
  ],

  response: [
    'Take it back (RevokeSnapshotAccess, DeauthorizeDataShare, EnableLogging); run the saved question principal-timeline.',
  ],
  examples: [
    {
      name: 'each way',
      records: [
        ...['AuthorizeSnapshotAccess', 'AuthorizeDataShare', 'DisableLogging'].map((eventName) => ({
          ...share,
          eventName,
        })),
        ...['ModifyCluster', 'CreateCluster', 'RestoreFromClusterSnapshot'].map((eventName) =>
          cluster(eventName, true),
        ),
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 6 },
      ],
    },
    {
      name: 'private, or only read',
      records: [cluster('ModifyCluster', false), cluster('DescribeClusters', true)],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...share, errorCode: 'AccessDenied' },
        { ...share, eventName: 'RevokeSnapshotAccess' },
        { ...share, eventSource: 'example.amazonaws.com' },
        { ...share, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
