/** Kinds of events beside management events, field by field after https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html. */
import { expect, it } from 'vitest';
import { decode, LOG_FILE, type Row, without } from './decode.ts';

interface EventCase {
  readonly title: string;
  readonly record: object;
  /** Columns beside those that all three have. */
  readonly row: Row;
}

const IDENTITY = { type: 'AWSAccount', principalId: 'AROAEXAMPLE:x', accountId: '444455556666' };
const COMMON = {
  eventVersion: '1.09',
  userIdentity: IDENTITY,
  eventTime: '2024-01-02T03:04:05Z',
  awsRegion: 'us-east-1',
  sourceIPAddress: '203.0.113.7',
  userAgent: 'aws-cli/2.15',
  requestID: 'r',
  eventID: '1',
  recipientAccountId: '111122223333',
};
const COMMON_ROW: Row = {
  log_file: LOG_FILE,
  record_no: 0,
  event_version: '1.09',
  user_identity: JSON.stringify(IDENTITY),
  user_type: 'AWSAccount',
  principal_id: 'AROAEXAMPLE:x',
  user_account_id: '444455556666',
  event_time: BigInt(Date.UTC(2024, 0, 2, 3, 4, 5)) * 1000n,
  aws_region: 'us-east-1',
  source_address: '203.0.113.7',
  user_agent: 'aws-cli/2.15',
  request_id: 'r',
  event_id: '1',
  account_id: '111122223333',
};

const OBJECT = [
  { type: 'AWS::S3::Object', ARN: 'arn:aws:s3:::bucket/key' },
  { accountId: '111122223333', type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::bucket' },
];
const TRANSFER = { SSEApplied: 'SSE_KMS', bytesTransferredIn: 0, bytesTransferredOut: 12.0 };
const TLS = { tlsVersion: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256', clientProvidedHostHeader: 'h' };
const ADDENDUM = {
  reason: 'UPDATED_DATA',
  updatedFields: 'responseElements, errorCode',
  originalRequestID: 'r0',
  originalEventID: 'e0',
};
const CONTEXT = { requestContext: { 'aws:SourceVpc': 'vpc-1' }, tagContext: { resourceTags: [] } };

const CASES: readonly EventCase[] = [
  {
    title: 'a data event',
    record: {
      ...COMMON,
      eventSource: 's3.amazonaws.com',
      eventName: 'GetObject',
      requestParameters: { bucketName: 'bucket', key: 'key' },
      responseElements: null,
      additionalEventData: TRANSFER,
      readOnly: true,
      resources: OBJECT,
      eventType: 'AwsApiCall',
      managementEvent: false,
      sharedEventID: 's',
      vpcEndpointId: 'vpce-1',
      eventCategory: 'Data',
      tlsDetails: TLS,
    },
    row: {
      event_source: 's3.amazonaws.com',
      event_name_raw: 'GetObject',
      request_parameters: '{"bucketName":"bucket","key":"key"}',
      additional_event_data: JSON.stringify(TRANSFER),
      read_only: true,
      resources: JSON.stringify(OBJECT),
      event_type: 'AwsApiCall',
      management_event: false,
      shared_event_id: 's',
      vpc_endpoint_id: 'vpce-1',
      event_category: 'Data',
      tls_details: JSON.stringify(TLS),
      tls_version: TLS.tlsVersion,
      tls_cipher_suite: TLS.cipherSuite,
      tls_host: 'h',
    },
  },
  {
    title: 'a network activity event',
    record: {
      ...COMMON,
      eventSource: 'kms.amazonaws.com',
      eventName: 'ListKeys',
      errorCode: 'VpceAccessDenied',
      errorMessage: 'The request was denied due to a VPC endpoint policy',
      requestParameters: null,
      responseElements: null,
      readOnly: true,
      eventType: 'AwsVpceEvent',
      managementEvent: false,
      sharedEventID: 's',
      vpcEndpointId: 'vpce-1',
      vpcEndpointAccountId: '777788889999',
      eventCategory: 'NetworkActivity',
    },
    row: {
      event_source: 'kms.amazonaws.com',
      event_name_raw: 'ListKeys',
      error_code: 'VpceAccessDenied',
      error_message: 'The request was denied due to a VPC endpoint policy',
      read_only: true,
      event_type: 'AwsVpceEvent',
      management_event: false,
      shared_event_id: 's',
      vpc_endpoint_id: 'vpce-1',
      vpc_endpoint_account_id: '777788889999',
      event_category: 'NetworkActivity',
    },
  },
  {
    title: 'an addendum to an enriched event',
    record: {
      ...COMMON,
      eventSource: 'ec2.amazonaws.com',
      eventName: 'RunInstances',
      readOnly: false,
      eventType: 'AwsApiCall',
      apiVersion: '2016-11-15',
      managementEvent: true,
      eventCategory: 'Management',
      addendum: ADDENDUM,
      eventContext: CONTEXT,
      sessionCredentialFromConsole: 'true',
      edgeDeviceDetails: { type: 'SNOWBALL' },
      serviceEventDetails: { state: 'x' },
    },
    row: {
      event_source: 'ec2.amazonaws.com',
      event_name_raw: 'RunInstances',
      read_only: false,
      event_type: 'AwsApiCall',
      api_version: '2016-11-15',
      management_event: true,
      event_category: 'Management',
      addendum: JSON.stringify(ADDENDUM),
      event_context: JSON.stringify(CONTEXT),
      session_from_console: true,
      edge_device_details: '{"type":"SNOWBALL"}',
      service_event_details: '{"state":"x"}',
    },
  },
];

it.each(CASES)('puts each field of $title into its column', async ({ record, row }) => {
  const { rows, rejects } = await decode(JSON.stringify({ Records: [record] }));
  expect(rejects).toEqual([]);
  expect(rows.map((one) => without(one, 'event_day', 'identity', 'has_identity'))).toEqual([{ ...COMMON_ROW, ...row }]);
});
