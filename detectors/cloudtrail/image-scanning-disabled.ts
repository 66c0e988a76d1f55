/** Images are no longer scanned. */
import { defineDetector } from '../../src/detector.ts';

const scan = (scanOnPush: boolean) => ({
  eventSource: 'ecr.amazonaws.com',
  eventName: 'PutImageScanningConfiguration',
  requestParameters: { repositoryName: 'shop', imageScanningConfiguration: { scanOnPush } },
});
const base = scan(false);

export const detector = defineDetector({
  id: 'image-scanning-disabled',
  title: 'Scanning of container images was switched off',
  description: 'ECR looks for known weaknesses when an image is pushed. Switched off, a poisoned image passes unseen.',
  severity: 'low',
  severityReason: 'Hides weaknesses; Inspector may scan the same images already.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.001', version: 16 }],
  tags: ['defense-evasion'],
  when: {
    all: [
      {
        event_source: 'ecr.amazonaws.com',
        event_name: 'PutImageScanningConfiguration',
        outcome: 'success',
        'request_parameters.imageScanningConfiguration.scanOnPush': false,
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} switched off scanning of {request_parameters.repositoryName} in {aws_region} from {source_address}',

  falsePositives: ['Scanning that moves to Inspector (PutRegistryScanningConfiguration).'],
  blindSpots: ['Repositories that never scanned.'],

  response: ['Switch it on again, then scan what was pushed since (saved question recent-changes).'],
  examples: [
    {
      name: 'switched off',
      records: [base],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    { name: 'switched on', records: [scan(true)], alerts: [] },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...base, errorCode: 'AccessDenied' },
        { ...base, eventName: 'GetRepositoryPolicy' },
        { ...base, eventSource: 'example.amazonaws.com' },
        { ...base, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
