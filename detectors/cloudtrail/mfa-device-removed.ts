/** A user lost the second factor. */
import { defineDetector } from '../../src/detector.ts';

const removal = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'DeactivateMFADevice',
  requestParameters: { userName: 'Nikki_Wolf', serialNumber: 'arn:aws:iam::111122223333:mfa/Nikki_Wolf' },
};

export const detector = defineDetector({
  id: 'mfa-device-removed',
  title: 'An MFA device was taken from a user',
  description:
    'Without its device the user opens with a password alone, and whoever did it can enrol a device of their own. Deleting the device afterwards is not reported again.',
  severity: 'medium',
  severityReason: 'A step to take over or keep a user; a lost telephone looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1556.006', version: 16 }],
  tags: ['persistence', 'mfa'],
  when: { event_source: 'iam.amazonaws.com', event_name: 'DeactivateMFADevice', outcome: 'success' },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} took the MFA device {request_parameters.serialNumber} from {request_parameters.userName}, from {source_address}',
  falsePositives: ['A new telephone.', 'A user who is being removed.'],
  blindSpots: ['Devices of IAM Identity Center and of identity providers.'],
  response: [
    'Ask the user; look for EnableMFADevice and ConsoleLogin after it.',
    'Run the saved question logins for request_parameters.userName.',
  ],
  examples: [
    {
      name: 'the device is taken away',
      records: [removal],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'refused, enrolled, or another service',
      records: [
        { ...removal, errorCode: 'AccessDenied' },
        { ...removal, eventName: 'EnableMFADevice' },
        { ...removal, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
