/** Somebody becomes administrator of an EKS cluster. */
import { defineDetector } from '../../src/detector.ts';

const grant = (policy: string) => ({
  eventSource: 'eks.amazonaws.com',
  eventName: 'AssociateAccessPolicy',
  requestParameters: {
    name: 'shop',
    principalArn: 'arn:aws:iam::111122223333:role/Visitor',
    policyArn: `arn:aws:eks::aws:cluster-access-policy/${policy}`,
  },
});
const entry = (eventName: string, kubernetesGroups: readonly string[]) => ({
  eventSource: 'eks.amazonaws.com',
  eventName,
  requestParameters: { name: 'shop', principalArn: 'arn:aws:iam::111122223333:role/Visitor', kubernetesGroups },
});

export const detector = defineDetector({
  id: 'cluster-admin-granted',
  title: 'Administrator rights in an EKS cluster were granted',
  description:
    'An access entry with one of the policies of administrators, or in the group system:masters, gives a role or user all rights in the cluster, past its own RBAC.',
  severity: 'medium',
  severityReason:
    'Full control of a cluster and of what its pods may do; platform teams grant it when a cluster is made.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098.006', version: 16 }],
  tags: ['privilege-escalation', 'persistence'],
  when: {
    all: [
      { event_source: 'eks.amazonaws.com', outcome: 'success' },
      {
        any: [
          {
            event_name: 'AssociateAccessPolicy',
            'request_parameters.policyArn': { endswith: ['/AmazonEKSClusterAdminPolicy', '/AmazonEKSAdminPolicy'] },
          },
          {
            event_name: ['CreateAccessEntry', 'UpdateAccessEntry'],
            'request_parameters.kubernetesGroups[]': 'system:masters',
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} made {request_parameters.principalArn} administrator of cluster {request_parameters.name}{request_parameters.clusterName} in {aws_region} from {source_address}',

  falsePositives: ['A cluster that is set up by a pipeline; its creator becomes administrator by default.'],
  blindSpots: [
    'Administrators of the map aws-auth, and roles inside of Kubernetes: its audit log tells.',
    'The creator of a cluster, who needs no call.',
  ],

  response: [
    'Take the policy back (DisassociateAccessPolicy); read the audit log of the cluster for request_parameters.principalArn.',
    'Run the saved question principal-timeline for that role.',
  ],
  examples: [
    {
      name: 'each way',
      records: [
        grant('AmazonEKSClusterAdminPolicy'),
        grant('AmazonEKSAdminPolicy'),
        entry('CreateAccessEntry', ['system:masters']),
        entry('UpdateAccessEntry', ['readers', 'system:masters']),
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 },
      ],
    },
    {
      name: 'rights to read, another group',
      records: [
        grant('AmazonEKSViewPolicy'),
        { ...grant('AmazonEKSAdminPolicy'), eventName: 'ListAssociatedAccessPolicies' },
        entry('CreateAccessEntry', ['readers']),
        entry('DescribeAccessEntry', ['system:masters']),
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...grant('AmazonEKSAdminPolicy'), errorCode: 'AccessDenied' },
        { ...grant('AmazonEKSAdminPolicy'), eventName: 'DisassociateAccessPolicy' },
        { ...grant('AmazonEKSAdminPolicy'), eventSource: 'example.amazonaws.com' },
        { ...grant('AmazonEKSAdminPolicy'), userIdentity: { type: 'AWSService', invokedBy: 'eks.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
