/** One principal deletes many snapshots or images in a short time. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const deletion = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'DeleteSnapshot',
  requestParameters: { snapshotId: 'snap-1234567890abcdef0' },
};

export const detector = defineDetector({
  id: 'snapshots-deleted-in-bulk',
  title: 'Many snapshots or images were deleted',
  description:
    'Counts deletions of EBS and database snapshots and of machine images per principal in a sliding window.',
  severity: 'medium',
  severityReason: 'Destroys the way back; clean-up scripts do it too.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1490', version: 16 }],
  tags: ['impact', 'data-protection'],
  when: {
    all: [
      {
        any: [
          { event_source: 'ec2.amazonaws.com', event_name: ['DeleteSnapshot', 'DeregisterImage'] },
          { event_source: 'rds.amazonaws.com', event_name: ['DeleteDBSnapshot', 'DeleteDBClusterSnapshot'] },
        ],
      },
      { outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('deletions'), within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} deleted {count} snapshots or images in {aws_region} from {source_address}',
  parameters: {
    deletions: z.int().min(2).default(20).describe('calls; more than a person cleans up by hand in ten minutes'),
  },
  falsePositives: ['A retention script: suppress its role.'],
  blindSpots: ['Snapshots that Data Lifecycle Manager deletes because somebody shortened its policy.'],
  response: ['Look in the recycle bin of EBS; stop the session; see what else it deleted.'],
  examples: [
    {
      name: 'images and snapshots of clusters',
      records: [
        {
          repeat: 20,
          every: '12s',
          record: (index) =>
            index % 2
              ? { ...deletion, eventName: 'DeregisterImage' }
              : { ...deletion, eventSource: 'rds.amazonaws.com', eventName: 'DeleteDBClusterSnapshot' },
        },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 20 }],
    },
    {
      name: 'twenty snapshots of disks and databases in four minutes',
      records: [
        {
          repeat: 20,
          every: '12s',
          record: (index) =>
            index % 2 ? deletion : { ...deletion, eventSource: 'rds.amazonaws.com', eventName: 'DeleteDBSnapshot' },
        },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 20 }],
    },
    { name: 'one fewer', records: [{ repeat: 19, every: '12s', record: deletion }], alerts: [] },
    { name: 'as many over a day', records: [{ repeat: 20, every: '1h', record: deletion }], alerts: [] },
    {
      name: 'refused',
      records: [{ repeat: 20, every: '9s', record: { ...deletion, errorCode: 'Client.UnauthorizedOperation' } }],
      alerts: [],
    },
    {
      name: 'snapshots that are made',
      records: [
        { repeat: 20, every: '9s', record: { ...deletion, eventName: 'CreateSnapshot' } },
        {
          repeat: 20,
          every: '9s',
          record: { ...deletion, eventSource: 'rds.amazonaws.com', eventName: 'CreateDBSnapshot' },
        },
      ],
      alerts: [],
    },
    {
      name: 'snapshots of other services',
      records: [
        { repeat: 20, every: '9s', record: { ...deletion, eventSource: 'elasticache.amazonaws.com' } },
        {
          repeat: 20,
          every: '9s',
          record: { ...deletion, eventSource: 'example.amazonaws.com', eventName: 'DeleteDBSnapshot' },
        },
      ],
      alerts: [],
    },
    {
      name: 'AWS deletes what has served its time',
      records: [
        {
          repeat: 20,
          every: '9s',
          record: { ...deletion, userIdentity: { type: 'AWSService', invokedBy: 'dlm.amazonaws.com' } },
        },
      ],
      alerts: [],
    },
    {
      name: 'just enough, over nearly all of the time',
      records: [
        {
          repeat: 20,
          every: '30s',
          record: (index) =>
            index % 2 ? deletion : { ...deletion, eventSource: 'rds.amazonaws.com', eventName: 'DeleteDBSnapshot' },
        },
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 20 },
      ],
    },
    {
      name: 'images and snapshots of clusters',
      records: [
        { repeat: 10, every: '9s', record: { ...deletion, eventName: 'DeregisterImage' } },
        {
          repeat: 10,
          every: '9s',
          record: { ...deletion, eventSource: 'rds.amazonaws.com', eventName: 'DeleteDBClusterSnapshot' },
        },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 20 }],
    },
  ],
});
