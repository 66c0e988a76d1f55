/** A default that protects disks and images of a region was switched off. */
import { defineDetector } from '../../src/detector.ts';

const off = { eventSource: 'ec2.amazonaws.com', eventName: 'DisableEbsEncryptionByDefault', requestParameters: {} };

export const detector = defineDetector({
  id: 'encryption-default-disabled',
  title: 'A protection of all new disks, snapshots or images was switched off',
  description:
    'EBS encryption by default, or the block that keeps snapshots or images of a region from being made public.',
  severity: 'medium',
  severityReason: 'A fence around all that is made from now on is gone; nothing is exposed yet.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.001', version: 16 }],
  tags: ['defense-evasion', 'data-protection'],
  when: {
    event_source: 'ec2.amazonaws.com',
    event_name: ['DisableEbsEncryptionByDefault', 'DisableSnapshotBlockPublicAccess', 'DisableImageBlockPublicAccess'],
    outcome: 'success',
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} in {aws_region} from {source_address}',
  falsePositives: ['A legacy program that cannot work with encrypted disks.'],
  blindSpots: ['Single disks that are made without encryption.'],
  response: ['Switch it on again; list CreateVolume and ModifySnapshotAttribute since.'],
  examples: [
    {
      name: 'each of the calls',
      records: [
        'DisableEbsEncryptionByDefault',
        'DisableSnapshotBlockPublicAccess',
        'DisableImageBlockPublicAccess',
      ].map((eventName) => ({ ...off, eventName })),
      alerts: [
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } },
      ],
    },
    {
      name: 'encryption by default is switched off',
      records: [off],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'refused, switched on, or another service',
      records: [
        { ...off, errorCode: 'Client.UnauthorizedOperation' },
        { ...off, eventName: 'EnableEbsEncryptionByDefault' },
        { ...off, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
