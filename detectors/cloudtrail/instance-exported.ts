/** A machine or an image is exported to a bucket. */
import { defineDetector } from '../../src/detector.ts';

const base = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'CreateInstanceExportTask',
  requestParameters: {
    instanceId: 'i-1234567890abcdef0',
    targetEnvironment: 'vmware',
    exportToS3: { s3Bucket: 'amzn-s3-demo-bucket' },
  },
};

export const detector = defineDetector({
  id: 'instance-exported',
  title: 'An instance or image was exported to a bucket',
  description:
    'The whole disk becomes a file in a bucket, from where it can be fetched without any further trace in EC2.',
  severity: 'medium',
  severityReason: 'A whole machine on its way out; migrations do the same, once.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1537', version: 16 }],
  tags: ['exfiltration', 'data-protection'],
  when: {
    all: [
      {
        event_source: 'ec2.amazonaws.com',
        event_name: ['CreateInstanceExportTask', 'ExportImage', 'CreateStoreImageTask'],
        outcome: 'success',
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} for {request_parameters.instanceId}{request_parameters.imageId} in {aws_region} from {source_address}',

  falsePositives: ['A migration, or a pipeline that builds images for another cloud: suppress its role.'],
  blindSpots: [
    'Shares: image-shared and snapshot-shared. Blocks that are read from a snapshot (GetSnapshotBlock), which are data events.',
  ],

  response: [
    'The destination stands in request_parameters; run the saved question bucket-access for that bucket.',
    'Cancel the task (CancelExportTask) while it runs.',
  ],
  examples: [
    {
      name: 'each kind of export',
      records: ['CreateInstanceExportTask', 'ExportImage', 'CreateStoreImageTask'].map((eventName) => ({
        ...base,
        eventName,
      })),
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 },
      ],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...base, errorCode: 'AccessDenied' },
        { ...base, eventName: 'DescribeExportTasks' },
        { ...base, eventSource: 'example.amazonaws.com' },
        { ...base, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
