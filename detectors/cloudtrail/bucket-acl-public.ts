/** The access list of a bucket or object was opened to everybody. */
import { defineDetector } from '../../src/detector.ts';

const put = (requestParameters: object) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'PutBucketAcl',
  requestParameters: { bucketName: 'amzn-s3-demo-bucket', acl: '', ...requestParameters },
});
const grant = (uri: string) => ({ Grantee: { 'xsi:type': 'Group', URI: uri }, Permission: 'READ' });
const list = (Grant: unknown) => ({ AccessControlPolicy: { AccessControlList: { Grant } } });
const ALL_USERS = 'http://acs.amazonaws.com/groups/global/AllUsers';
const OPEN = ['public-read', 'public-read-write', 'authenticated-read'];
const canned = put({ 'x-amz-acl': 'public-read' });

export const detector = defineDetector({
  id: 'bucket-acl-public',
  title: 'An S3 access list was opened to everybody',
  description:
    'A canned list (public-read and its like) or a grant to the group of all users. The group of authenticated users means anybody with an AWS account, and counts as everybody.',
  severity: 'high',
  severityReason: 'Data may be on the internet from this moment on, unless Block Public Access holds it back.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1530', version: 16 },
    { technique: 'T1537', version: 16 },
  ],
  tags: ['exfiltration', 'data-protection'],
  when: {
    all: [
      {
        event_source: 's3.amazonaws.com',
        event_name: ['PutBucketAcl', 'PutObjectAcl', 'CreateBucket'],
        outcome: 'success',
      },
      {
        any: [
          { 'request_parameters.x-amz-acl[]': OPEN },
          {
            'request_parameters.AccessControlPolicy.AccessControlList.Grant[].Grantee.URI': {
              startswith: 'http://acs.amazonaws.com/groups/global/',
            },
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} opened {request_parameters.bucketName} to everybody ({event_name}) from {source_address}',
  falsePositives: ['A bucket that serves a public web site.'],
  blindSpots: [
    'Access lists of objects, unless data events are logged.',
    'Grants given in the headers x-amz-grant-*.',
    'Whether Block Public Access makes the list void.',
  ],
  response: [
    'Set the list back to private, switch Block Public Access on, and read the S3 access log for what was fetched.',
  ],
  examples: [
    {
      name: 'each of the calls and lists',
      records: [
        ...['PutBucketAcl', 'PutObjectAcl', 'CreateBucket'].map((eventName) => ({ ...canned, eventName })),
        ...OPEN.map((acl) => put({ 'x-amz-acl': acl })),
        put({ 'x-amz-acl': 'authenticated-read' }),
      ],
      alerts: [
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
      ],
    },
    {
      name: 'a canned list',
      records: [canned],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a canned list as older records hold headers',
      records: [put({ 'x-amz-acl': ['public-read-write'] })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a single grant',
      records: [put(list(grant(ALL_USERS)))],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a grant among others',
      records: [
        put(
          list([
            { Grantee: { 'xsi:type': 'CanonicalUser', ID: '1234' }, Permission: 'FULL_CONTROL' },
            grant(ALL_USERS),
          ]),
        ),
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'private lists and the group that delivers access logs',
      records: [
        put({ 'x-amz-acl': 'private' }),
        put({ 'x-amz-acl': ['private'] }),
        put(list(grant('http://acs.amazonaws.com/groups/s3/LogDelivery'))),
        put(list([grant('http://acs.amazonaws.com/groups/s3/LogDelivery')])),
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...canned, errorCode: 'AccessDenied' },
        { ...canned, eventName: 'GetBucketAcl' },
        { ...canned, eventSource: 'example.amazonaws.com' },
        { ...canned, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
    {
      name: 'the other calls that it is about',
      records: ['PutObjectAcl', 'CreateBucket'].map((eventName) => ({
        eventName,
        eventSource: 's3.amazonaws.com',
        requestParameters: { bucketName: 'amzn-s3-demo-bucket', acl: '', 'x-amz-acl': 'public-read' },
      })),
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } },
      ],
    },
  ],
});
