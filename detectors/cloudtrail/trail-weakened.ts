/** A trail keeps running but records or protects less than before. */
import { defineDetector } from '../../src/detector.ts';

const update = (requestParameters: object) => ({
  eventSource: 'cloudtrail.amazonaws.com',
  eventName: 'UpdateTrail',
  requestParameters: { name: 'management-events', ...requestParameters },
});
const weakened = update({ isMultiRegionTrail: false });

export const detector = defineDetector({
  id: 'trail-weakened',
  title: 'A CloudTrail trail was weakened',
  description:
    'UpdateTrail took away one of: the other regions, the events of global services such as IAM, the organization, the digest files that prove the log unchanged, or the KMS key. Only what the call names is judged.',
  severity: 'high',
  severityReason: 'A quieter way to go unseen than stopping the trail, and rarely a planned change.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    all: [
      { event_source: 'cloudtrail.amazonaws.com', event_name: 'UpdateTrail', outcome: 'success' },
      {
        any: [
          { 'request_parameters.isMultiRegionTrail': false },
          { 'request_parameters.includeGlobalServiceEvents': false },
          { 'request_parameters.isOrganizationTrail': false },
          { 'request_parameters.enableLogFileValidation': false },
          { 'request_parameters.kmsKeyId': '' },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} weakened trail {request_parameters.name} in {aws_region} from {source_address}',
  falsePositives: [
    'The console sends all settings with each change: a trail that never had validation shows it as false again.',
  ],
  blindSpots: [
    'A new destination bucket: trail-destination-changed.',
    'What the trail recorded before the call is not in the event, so no comparison is made.',
  ],
  response: [
    'Compare request_parameters with the last UpdateTrail or CreateTrail of the same trail and restore it.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'the other regions are dropped',
      records: [weakened],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'global services are dropped',
      records: [update({ includeGlobalServiceEvents: false })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'the organization is dropped',
      records: [update({ isOrganizationTrail: false })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'the digest files end',
      records: [update({ enableLogFileValidation: false })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'the key is removed',
      records: [update({ kmsKeyId: '' })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'the trail is strengthened',
      records: [update({ isMultiRegionTrail: true, enableLogFileValidation: true, kmsKeyId: 'alias/trail' })],
      alerts: [],
    },
    {
      name: 'refused, made new, another service, or by an AWS service',
      records: [
        { ...weakened, errorCode: 'AccessDenied' },
        { ...weakened, eventName: 'CreateTrail' },
        { ...weakened, eventSource: 'example.amazonaws.com' },
        { ...weakened, userIdentity: { type: 'AWSService', invokedBy: 'controltower.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
