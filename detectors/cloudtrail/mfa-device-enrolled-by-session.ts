/** An MFA device was enrolled with temporary credentials that do not come from the console. */
import { defineDetector } from '../../src/detector.ts';

const enrolment = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'EnableMFADevice',
  userIdentity: {
    type: 'IAMUser',
    principalId: 'AIDACKCEVSQ6C2EXAMPLE',
    arn: 'arn:aws:iam::111122223333:user/Alice',
    accountId: '111122223333',
    accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
    userName: 'Alice',
    sessionContext: { attributes: { creationDate: '2025-03-03T09:00:00Z', mfaAuthenticated: 'false' } },
  },
  requestParameters: { userName: 'Alice', serialNumber: 'arn:aws:iam::111122223333:mfa/phone2' },
};
const ALERT = [{ subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } }];

export const detector = defineDetector({
  id: 'mfa-device-enrolled-by-session',
  title: 'An MFA device was enrolled with temporary credentials',
  description:
    'People enrol their device in the console. A thief who holds a session token enrols one too, and from then on passes every rule that asks for a second factor, also after the token has run out. ' +
    'Sessions of the console carry temporary keys as well; they are told apart by sessionCredentialFromConsole and by the user agent.',
  severity: 'medium',
  severityReason: 'A way to stay that looks like good behaviour; few people enrol a device from a shell.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1556.006', version: 16 }],
  tags: ['persistence', 'mfa'],
  when: {
    all: [
      {
        event_source: 'iam.amazonaws.com',
        event_name: 'EnableMFADevice',
        outcome: 'success',
        access_key_id: { startswith: 'ASIA' },
      },
      { not: { session_from_console: true } },
      { not: { user_agent: { startswith: ['Mozilla/', 'console.amazonaws.com', 'AWS Internal'] } } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} enrolled {request_parameters.serialNumber} for {request_parameters.userName} with the temporary key {access_key_id} and {user_agent}, from {source_address}',
  falsePositives: ['Somebody who takes a session token for the command line first, as aws-vault does.'],
  blindSpots: ['A device enrolled with a long-term key.', 'Devices of IAM Identity Center and of identity providers.'],
  response: [
    'Ask the user; deactivate the device if nobody knows it (DeactivateMFADevice).',
    'Run the saved question access-key-activity for access_key_id.',
  ],
  examples: [
    { name: 'from a shell, with a session token', records: [enrolment], alerts: ALERT },
    {
      name: 'in the console, as newer and as older records show it',
      records: [
        { ...enrolment, sessionCredentialFromConsole: 'true' },
        { ...enrolment, userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Firefox/148.0' },
        { ...enrolment, userAgent: 'console.amazonaws.com' },
        { ...enrolment, userAgent: 'AWS Internal' },
      ],
      alerts: [],
    },
    {
      name: 'with a long-term key, refused, only listed, or another service',
      records: [
        { ...enrolment, userIdentity: { ...enrolment.userIdentity, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' } },
        { ...enrolment, errorCode: 'AccessDenied' },
        { ...enrolment, eventName: 'ListMFADevices' },
        { ...enrolment, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
