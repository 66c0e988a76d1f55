/** A file system is deleted. */
import { defineDetector } from '../../src/detector.ts';

const efs = {
  eventSource: 'elasticfilesystem.amazonaws.com',
  eventName: 'DeleteFileSystem',
  requestParameters: { fileSystemId: 'fs-1234567890abcdef0' },
};
const fsx = {
  eventSource: 'fsx.amazonaws.com',
  eventName: 'DeleteFileSystem',
  requestParameters: { fileSystemId: 'fs-1234567890abcdef0' },
};

export const detector = defineDetector({
  id: 'file-system-deleted',
  title: 'A file system or its backup was deleted',
  description:
    'EFS and FSx keep the files of many machines. Deleted, a file system of EFS is gone at once; FSx keeps a last backup unless told otherwise.',
  severity: 'medium',
  severityReason: 'Destroys shared data; environments are taken down in the same way.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1485', version: 16 }],
  tags: ['impact'],
  when: {
    all: [
      {
        any: [
          { event_source: 'elasticfilesystem.amazonaws.com', event_name: 'DeleteFileSystem' },
          { event_source: 'fsx.amazonaws.com', event_name: ['DeleteFileSystem', 'DeleteVolume', 'DeleteBackup'] },
        ],
      },
      { outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.fileSystemId}{request_parameters.volumeId}{request_parameters.backupId} in {aws_region} from {source_address}',

  falsePositives: ['A test environment that is taken down; a script that keeps the last ten backups.'],
  blindSpots: ['Files that are deleted inside the file system.'],

  response: ['Look for backups: backup-deleted tells whether they went first.', 'Run the saved question who-deleted.'],
  examples: [
    {
      name: 'each kind',
      records: [
        efs,
        ...['DeleteFileSystem', 'DeleteVolume', 'DeleteBackup'].map((eventName) => ({ ...fsx, eventName })),
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 },
      ],
    },
    {
      name: 'another service or call',
      records: [
        { ...fsx, eventSource: 'example.amazonaws.com' },
        { ...fsx, eventName: 'DescribeFileSystems' },
        { ...efs, eventName: 'DeleteMountTarget' },
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...efs, errorCode: 'AccessDenied' },
        { ...efs, eventName: 'CreateFileSystem' },
        { ...efs, eventSource: 'example.amazonaws.com' },
        { ...efs, userIdentity: { type: 'AWSService', invokedBy: 'backup.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
