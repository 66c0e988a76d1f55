/** Block Public Access was switched off for a whole account. */
import { defineDetector } from '../../src/detector.ts';

const put = (settings: object) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'PutAccountPublicAccessBlock',
  requestParameters: {
    accountId: '111122223333',
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      IgnorePublicAcls: true,
      BlockPublicPolicy: true,
      RestrictPublicBuckets: true,
      ...settings,
    },
  },
});
const removal = {
  eventSource: 's3.amazonaws.com',
  eventName: 'DeleteAccountPublicAccessBlock',
  requestParameters: { accountId: '111122223333' },
};

export const detector = defineDetector({
  id: 'account-public-access-block-removed',
  title: 'Block Public Access was switched off for an account',
  description:
    'The settings of the account override those of every bucket in it. One was switched off, or all deleted.',
  severity: 'high',
  severityReason: 'All buckets of the account lose their last fence at once; hardly ever a planned step.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1530', version: 16 }],
  tags: ['data-protection'],
  when: {
    all: [
      { event_source: 's3.amazonaws.com', outcome: 'success' },
      {
        any: [
          { event_name: 'DeleteAccountPublicAccessBlock' },
          {
            all: [
              { event_name: 'PutAccountPublicAccessBlock' },
              {
                any: [
                  { 'request_parameters.PublicAccessBlockConfiguration.BlockPublicAcls': false },
                  { 'request_parameters.PublicAccessBlockConfiguration.IgnorePublicAcls': false },
                  { 'request_parameters.PublicAccessBlockConfiguration.BlockPublicPolicy': false },
                  { 'request_parameters.PublicAccessBlockConfiguration.RestrictPublicBuckets': false },
                ],
              },
            ],
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} for account {account_id} from {source_address}',
  falsePositives: ['An account that is made for public content.'],
  blindSpots: ['Which buckets become public by it: that depends on their policies and lists.'],
  response: ['Switch it on again, then look for PutBucketPolicy and PutBucketAcl meanwhile.'],
  examples: [
    {
      name: 'the settings are deleted',
      records: [removal],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'one of the four is switched off, in four calls',
      records: [
        put({ BlockPublicAcls: false }),
        put({ IgnorePublicAcls: false }),
        put({ BlockPublicPolicy: false }),
        put({ RestrictPublicBuckets: false }),
      ],
      alerts: [
        { subject: { account_id: '111122223333' }, count: 1 },
        { subject: { account_id: '111122223333' }, count: 1 },
        { subject: { account_id: '111122223333' }, count: 1 },
        { subject: { account_id: '111122223333' }, count: 1 },
      ],
    },
    { name: 'everything is blocked', records: [put({})], alerts: [] },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...removal, errorCode: 'AccessDenied' },
        { ...put({ BlockPublicAcls: false }), eventName: 'PutBucketPublicAccessBlock' },
        { ...removal, eventSource: 'example.amazonaws.com' },
        { ...removal, userIdentity: { type: 'AWSService', invokedBy: 'organizations.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
