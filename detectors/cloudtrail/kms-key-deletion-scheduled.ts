/** A KMS key is to be deleted, or was made unusable. */
import { defineDetector } from '../../src/detector.ts';

const schedule = {
  eventSource: 'kms.amazonaws.com',
  eventName: 'ScheduleKeyDeletion',
  requestParameters: { keyId: '1234abcd-12ab-34cd-56ef-1234567890ab', pendingWindowInDays: 7 },
};

export const detector = defineDetector({
  id: 'kms-key-deletion-scheduled',
  title: 'A KMS key was scheduled for deletion or disabled',
  description:
    'What a deleted key encrypted is lost for good. The deletion can be cancelled for 7 to 30 days; a disabled key stops everything that needs it at once; deleting imported key material does so without delay.',
  severity: 'high',
  severityReason: 'One call can destroy all data under a key, and the clock runs.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1485', version: 16 }],
  tags: ['impact', 'data-protection'],
  when: {
    all: [
      {
        event_source: 'kms.amazonaws.com',
        event_name: ['ScheduleKeyDeletion', 'DisableKey', 'DeleteImportedKeyMaterial'],
        outcome: 'success',
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} on key {request_parameters.keyId} in {aws_region} from {source_address}',
  falsePositives: ['A test environment that is taken down with its keys.'],
  blindSpots: [
    'A key policy that locks everybody out (PutKeyPolicy).',
    'Keys in custom key stores that are disconnected.',
  ],
  response: ['CancelKeyDeletion or EnableKey, then find out what the key protects.'],
  examples: [
    {
      name: 'imported key material is deleted',
      records: [{ ...schedule, eventName: 'DeleteImportedKeyMaterial' }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a key is scheduled for deletion',
      records: [schedule],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a key is disabled',
      records: [{ ...schedule, eventName: 'DisableKey' }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'refused, cancelled, another service, or by an AWS service',
      records: [
        { ...schedule, errorCode: 'AccessDenied' },
        { ...schedule, eventName: 'CancelKeyDeletion' },
        { ...schedule, eventSource: 'example.amazonaws.com' },
        { ...schedule, userIdentity: { type: 'AWSService', invokedBy: 'kms.amazonaws.com' } },
      ],
      alerts: [],
    },
    {
      name: 'the other calls that it is about',
      records: ['DeleteImportedKeyMaterial'].map((eventName) => ({
        eventName,
        eventSource: 'kms.amazonaws.com',
        requestParameters: { keyId: '1234abcd-12ab-34cd-56ef-1234567890ab', pendingWindowInDays: 7 },
      })),
      alerts: [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
  ],
});
