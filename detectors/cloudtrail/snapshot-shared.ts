/** An EBS snapshot was shared with another account or with everybody. */
import { defineDetector } from '../../src/detector.ts';

const share = (createVolumePermission: object) => ({
  eventSource: 'ec2.amazonaws.com',
  eventName: 'ModifySnapshotAttribute',
  requestParameters: {
    snapshotId: 'snap-1234567890abcdef0',
    attributeType: 'CREATE_VOLUME_PERMISSION',
    createVolumePermission,
  },
});
const toAccount = share({ add: { items: [{ userId: '444455556666' }] } });

export const detector = defineDetector({
  id: 'snapshot-shared',
  title: 'An EBS snapshot was shared',
  description:
    'Whoever may use a snapshot can make a volume of it and read the disk at leisure in an account of their own. The same call takes shares back; only adding counts.',
  severity: 'high',
  severityReason: 'A whole disk leaves the account in one call that moves no data.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1537', version: 16 }],
  tags: ['exfiltration', 'data-protection'],
  when: {
    all: [
      { event_source: 'ec2.amazonaws.com', event_name: 'ModifySnapshotAttribute', outcome: 'success' },
      {
        any: [
          { 'request_parameters.createVolumePermission.add.items[].userId': { exists: true } },
          { 'request_parameters.createVolumePermission.add.items[].group': 'all' },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} shared {request_parameters.snapshotId} with {request_parameters.createVolumePermission.add.items[].userId}{request_parameters.createVolumePermission.add.items[].group} from {source_address}',
  falsePositives: ['Backups that are kept in an account of their own: suppress the role that shares them.'],
  blindSpots: [
    'Copies made with CreateSnapshot blocks (ebs:GetSnapshotBlock), which are data events.',
    'Encrypted snapshots also need a grant on their key.',
  ],
  response: [
    'Take the share back; SharedSnapshotVolumeCreated tells whether somebody has already made a volume of it.',
  ],
  examples: [
    {
      name: 'shared with an account',
      records: [toAccount],
      alerts: [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'shared with everybody',
      records: [share({ add: { items: [{ group: 'all' }] } })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'shares are taken back',
      records: [
        share({ remove: { items: [{ userId: '444455556666' }] } }),
        share({ remove: { items: [{ group: 'all' }] } }),
      ],
      alerts: [],
    },
    {
      name: 'refused, only read, another service, or by an AWS service',
      records: [
        { ...toAccount, errorCode: 'Client.UnauthorizedOperation' },
        { ...toAccount, eventName: 'DescribeSnapshotAttribute' },
        { ...toAccount, eventSource: 'example.amazonaws.com' },
        { ...toAccount, userIdentity: { type: 'AWSService', invokedBy: 'dlm.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
