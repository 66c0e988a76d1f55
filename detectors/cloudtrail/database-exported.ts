/** The tables of a database are exported to a bucket. */
import { defineDetector } from '../../src/detector.ts';

const base = {
  eventSource: 'rds.amazonaws.com',
  eventName: 'StartExportTask',
  requestParameters: {
    exportTaskIdentifier: 'x',
    sourceArn: 'arn:aws:rds:us-east-1:111122223333:snapshot:shop',
    s3BucketName: 'amzn-s3-demo-bucket',
  },
};

export const detector = defineDetector({
  id: 'database-exported',
  title: 'A database or its snapshot was exported to a bucket',
  description:
    'StartExportTask writes all tables as Parquet into a bucket, of any account that allows it, without a connection to the database.',
  severity: 'medium',
  severityReason: 'A whole database on its way out; data teams do this as well, by a role of their own.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1537', version: 16 }],
  tags: ['exfiltration', 'data-protection'],
  when: {
    all: [
      { event_source: 'rds.amazonaws.com', event_name: 'StartExportTask', outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} exports {request_parameters.sourceArn} to {request_parameters.s3BucketName} in {aws_region} from {source_address}',

  falsePositives: ['A nightly export for a data lake: suppress its role.'],
  blindSpots: ['Shares: database-snapshot-shared. Rows that are read through a connection.'],

  response: [
    'CancelExportTask while it runs; see to whom request_parameters.s3BucketName belongs.',
    'Run the saved question bucket-access for it.',
  ],
  examples: [
    {
      name: 'an export',
      records: [base],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
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
