/** Password, mail address, access key or MFA of the root user changed. */
import { defineDetector } from '../../src/detector.ts';

const root = {
  type: 'Root',
  principalId: '111122223333',
  arn: 'arn:aws:iam::111122223333:root',
  accountId: '111122223333',
};
const password = {
  eventSource: 'signin.amazonaws.com',
  eventName: 'PasswordUpdated',
  userIdentity: root,
  responseElements: { PasswordUpdated: 'Success' },
};
const key = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'CreateAccessKey',
  userIdentity: root,
  requestParameters: null,
  responseElements: { accessKey: { accessKeyId: 'AKIAI44QH8DHBEXAMPLE', status: 'Active' } },
};
const mfaRemoved = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'DeactivateMFADevice',
  userIdentity: root,
  requestParameters: { serialNumber: 'arn:aws:iam::111122223333:mfa/root-account-mfa-device' },
};

export const detector = defineDetector({
  id: 'root-credentials-changed',
  version: 2,
  title: 'Credentials of the root user were changed',
  description:
    'A new password, mail address, access key or the loss of the MFA device is how somebody who got in as root stays in and locks the owner out. A call that names a user concerns that user and not root; CreateLoginProfile without one is how a session of AssumeRoot gives a member account a root password again.',
  severity: 'critical',
  severityReason: 'The last step before the account is lost.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1098.001', version: 16 },
    { technique: 'T1531', version: 16 },
  ],
  tags: ['root', 'persistence'],
  when: {
    all: [
      { actor_type: 'root', outcome: 'success' },
      {
        any: [
          {
            event_source: 'signin.amazonaws.com',
            event_name: ['PasswordUpdated', 'EmailUpdated', 'PasswordRecoveryCompleted'],
          },
          {
            all: [
              {
                event_source: 'iam.amazonaws.com',
                event_name: ['CreateAccessKey', 'CreateLoginProfile', 'DeactivateMFADevice'],
              },
              { not: { 'request_parameters.userName': { exists: true } } },
            ],
          },
        ],
      },
      {
        not: {
          any: [{ 'response_elements.PasswordUpdated': 'Failure' }, { 'response_elements.EmailUpdated': 'Failure' }],
        },
      },
    ],
  },
  slot: 'event',
  subject: ['account_id'],
  summary: '{event_name} for root of account {account_id} from {source_ip}',
  falsePositives: ['A planned hand-over of the root credentials.'],
  blindSpots: ['Changes that AWS Support makes after a request by telephone.'],
  response: [
    'Run the saved question root-activity for the account.',
    'Confirm with the holder of the root mailbox at once; if nobody knows of it, open a case with AWS Support.',
  ],
  examples: [
    { name: 'the password is changed', records: [password], alerts: [{ subject: { account_id: '111122223333' } }] },
    {
      name: 'the mail address is changed',
      records: [{ ...password, eventName: 'EmailUpdated', responseElements: { EmailUpdated: 'Success' } }],
      alerts: [{ subject: { account_id: '111122223333' } }],
    },
    { name: 'root makes itself an access key', records: [key], alerts: [{ subject: { account_id: '111122223333' } }] },
    { name: 'root takes off its MFA', records: [mfaRemoved], alerts: [{ subject: { account_id: '111122223333' } }] },
    {
      name: 'a root session makes a root password in a member account, and another recovers it',
      records: [
        { ...key, eventName: 'CreateLoginProfile' },
        {
          ...password,
          eventName: 'PasswordRecoveryCompleted',
          responseElements: { PasswordRecoveryCompleted: 'Success' },
        },
      ],
      alerts: [{ subject: { account_id: '111122223333' } }, { subject: { account_id: '111122223333' } }],
    },
    {
      name: 'the changes fail',
      records: [
        { ...password, responseElements: { PasswordUpdated: 'Failure' } },
        { ...password, eventName: 'EmailUpdated', responseElements: { EmailUpdated: 'Failure' } },
        { ...key, errorCode: 'LimitExceededException' },
      ],
      alerts: [],
    },
    {
      name: 'root makes a key for a user',
      records: [{ ...key, requestParameters: { userName: 'Alice' } }],
      alerts: [],
    },
    {
      name: 'a user makes a key, and changes the own password',
      records: [
        { ...key, userIdentity: { ...root, type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/Alice' } },
        { ...password, userIdentity: { ...root, type: 'IAMUser', arn: 'arn:aws:iam::111122223333:user/Alice' } },
      ],
      alerts: [],
    },
    {
      name: 'root reads, or calls of that name at another service',
      records: [
        { ...password, eventName: 'CheckMfa' },
        { ...key, eventName: 'ListAccessKeys' },
        { ...password, eventSource: 'example.amazonaws.com' },
        { ...key, eventSource: 'lightsail.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
