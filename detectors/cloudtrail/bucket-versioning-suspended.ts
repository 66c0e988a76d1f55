/** A bucket no longer keeps what is overwritten or deleted. */
import { defineDetector } from '../../src/detector.ts';

const put = (VersioningConfiguration: object) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'PutBucketVersioning',
  requestParameters: { bucketName: 'amzn-s3-demo-bucket', versioning: '', VersioningConfiguration },
});
const suspension = put({ Status: 'Suspended' });

export const detector = defineDetector({
  id: 'bucket-versioning-suspended',
  title: 'Versioning or MFA delete of a bucket was switched off',
  description:
    'Versions bring back what somebody overwrites or deletes; MFA delete keeps them from being deleted too. An intruder who wants ransom switches both off first.',
  severity: 'medium',
  severityReason: 'Prepares destruction; also done to save money.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1490', version: 16 }],
  tags: ['impact', 'data-protection'],
  when: {
    all: [
      { event_source: 's3.amazonaws.com', event_name: 'PutBucketVersioning', outcome: 'success' },
      {
        any: [
          { 'request_parameters.VersioningConfiguration.Status': 'Suspended' },
          { 'request_parameters.VersioningConfiguration.MfaDelete': 'Disabled' },
        ],
      },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} switched off versioning or MFA delete of {request_parameters.bucketName} from {source_address} ({count} buckets)',
  falsePositives: [
    'Housekeeping of a bucket with much rubbish.',
    'Terraform states MfaDelete = Disabled with every change of versioning.',
  ],
  blindSpots: ['A lifecycle rule that expires old versions at once.'],
  response: ['Switch it on again; look for DeleteObject and PutObject by the same principal.'],
  examples: [
    {
      name: 'versioning is suspended',
      records: [suspension],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'MFA delete is switched off',
      records: [put({ Status: 'Enabled', MfaDelete: 'Disabled' })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    { name: 'both are switched on', records: [put({ Status: 'Enabled', MfaDelete: 'Enabled' })], alerts: [] },
    {
      name: 'refused, another call, or another service',
      records: [
        { ...suspension, errorCode: 'AccessDenied' },
        { ...suspension, eventName: 'GetBucketVersioning' },
        { ...suspension, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
