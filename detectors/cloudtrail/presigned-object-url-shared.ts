/** One presigned URL is used from many addresses. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const fetch = {
  eventSource: 's3.amazonaws.com',
  eventName: 'GetObject',
  readOnly: true,
  requestParameters: {
    bucketName: 'amzn-s3-demo-bucket',
    key: 'reports/2025.csv',
    'X-Amz-Date': '20250303T095900Z',
    'X-Amz-Expires': '604800',
  },
  additionalEventData: { AuthenticationMethod: 'QueryString', SignatureVersion: 'SigV4' },
};

export const detector = defineDetector({
  id: 'presigned-object-url-shared',
  title: 'A presigned URL was used from many addresses (data events)',
  description:
    'Whoever holds a presigned URL has the rights of its signer until it runs out. CloudTrail shows such requests as AuthenticationMethod QueryString. A URL is told apart by its object, its key and the second in which it was signed.',
  severity: 'medium',
  severityReason: 'The object is out; what it is worth the key tells.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1530', version: 16 }],
  tags: ['exfiltration', 'data-protection'],
  when: {
    event_source: 's3.amazonaws.com',
    event_name: 'GetObject',
    outcome: 'success',
    'additional_event_data.AuthenticationMethod': 'QueryString',
    'request_parameters.X-Amz-Date': { exists: true },
  },
  threshold: { atLeast: parameter('addresses'), distinct: 'source_ip', within: '1d' },
  slot: '1d',
  subject: [
    'account_id',
    'principal',
    'request_parameters.bucketName',
    'request_parameters.key',
    'request_parameters.X-Amz-Date',
  ],
  summary:
    'A URL for {request_parameters.key} of {request_parameters.bucketName}, signed by {principal}, was used from {peak} addresses, first {source_ip}',
  parameters: {
    addresses: z
      .int()
      .min(2)
      .default(5)
      .describe('distinct addresses in a day; a telephone on the move has two or three'),
  },
  falsePositives: [
    'A URL that is meant for many, in a newsletter or on a page.',
    'Providers that send each request from another address.',
  ],
  blindSpots: [
    'URLs with signatures of version 2, and those of CloudFront.',
    'Buckets whose data events are not logged: presigned-url-shared reads the S3 access log.',
  ],
  needsDataEvents: 'AWS::S3::Object',
  response: [
    'A presigned URL ends with the credentials that signed it: withdraw the session of access_key_id.',
    'Run the saved question object-requests for the key.',
  ],
  examples: [
    {
      name: 'passed on to five addresses',
      records: [
        {
          repeat: 5,
          every: '10m',
          record: (index: number) => ({ ...fetch, sourceIPAddress: `198.51.100.${index + 1}` }),
        },
      ],
      alerts: [{ subject: { account_id: '111122223333', 'request_parameters.key': 'reports/2025.csv' }, count: 5 }],
    },
    {
      name: 'four addresses, one of them again and again',
      records: [
        {
          repeat: 9,
          every: '10m',
          record: (index: number) => ({ ...fetch, sourceIPAddress: `198.51.100.${Math.min(index, 3) + 1}` }),
        },
      ],
      alerts: [],
    },
    {
      name: 'a URL for each visitor',
      records: [
        {
          repeat: 9,
          every: '10m',
          record: (index: number) => ({
            ...fetch,
            sourceIPAddress: `198.51.100.${index + 1}`,
            requestParameters: { ...fetch.requestParameters, 'X-Amz-Date': `20250303T10000${index}Z` },
          }),
        },
      ],
      alerts: [],
    },
    {
      name: 'signed in the header, no date, refused, another call, another service',
      records: [
        { additionalEventData: { AuthenticationMethod: 'AuthHeader' } },
        { requestParameters: { bucketName: 'amzn-s3-demo-bucket', key: 'reports/2025.csv' } },
        { errorCode: 'AccessDenied' },
        { eventName: 'HeadObject' },
        { eventSource: 'example.amazonaws.com' },
      ].flatMap((change) =>
        Array.from({ length: 5 }, (_, index) => ({ ...fetch, ...change, sourceIPAddress: `198.51.100.${index + 1}` })),
      ),
      alerts: [],
    },
  ],
});
