/** A whole table leaves DynamoDB for a bucket. */
import { defineDetector } from '../../src/detector.ts';

const base = {
  eventSource: 'dynamodb.amazonaws.com',
  eventName: 'ExportTableToPointInTime',
  requestParameters: {
    tableArn: 'arn:aws:dynamodb:us-east-1:111122223333:table/shop',
    s3Bucket: 'amzn-s3-demo-bucket',
  },
};

export const detector = defineDetector({
  id: 'table-exported',
  title: 'A DynamoDB table was exported to a bucket',
  description:
    'ExportTableToPointInTime writes a whole table into a bucket, of any account that allows it, without a single read that would count against the table.',
  severity: 'medium',
  severityReason: 'A whole table on its way out; data teams do this as well, by a role of their own.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1537', version: 16 }],
  tags: ['exfiltration', 'data-protection'],
  when: {
    all: [
      { event_source: 'dynamodb.amazonaws.com', event_name: 'ExportTableToPointInTime', outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} exports {request_parameters.tableArn} to {request_parameters.s3Bucket} in {aws_region} from {source_address}',

  falsePositives: ['A nightly export for a data lake: suppress its role.'],
  blindSpots: ['Tables that are read by Scan, which is a data event.'],

  response: [
    'request_parameters.s3BucketOwner says whose bucket it is; run the saved question bucket-access for request_parameters.s3Bucket.',
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
        { ...base, eventName: 'DescribeExport' },
        { ...base, eventSource: 'example.amazonaws.com' },
        { ...base, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
