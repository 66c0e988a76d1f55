/** An IAM user signed in to the console with nothing but a password. */
import { defineDetector } from '../../src/detector.ts';

const alice = {
  type: 'IAMUser',
  principalId: 'AIDACKCEVSQ6C2EXAMPLE',
  arn: 'arn:aws:iam::111122223333:user/Alice',
  accountId: '111122223333',
  userName: 'Alice',
};
const login = {
  eventSource: 'signin.amazonaws.com',
  eventName: 'ConsoleLogin',
  userIdentity: alice,
  responseElements: { ConsoleLogin: 'Success' },
  additionalEventData: { LoginTo: 'https://console.aws.amazon.com/console/home', MobileVersion: 'No', MFAUsed: 'No' },
};

export const detector = defineDetector({
  id: 'console-login-without-mfa',
  title: 'An IAM user signed in to the console without MFA',
  description:
    'A password alone opens this user. Only IAM users are judged: sign-ins through SAML or IAM Identity Center always say MFAUsed = No, because the second factor was asked for elsewhere.',
  severity: 'medium',
  severityReason:
    'A weakness in every case and the usual way in with a phished password, but mostly the rightful owner.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['initial-access', 'mfa'],
  when: {
    event_source: 'signin.amazonaws.com',
    event_name: 'ConsoleLogin',
    outcome: 'success',
    user_type: 'IAMUser',
    'additional_event_data.MFAUsed': 'No',
  },
  slot: '1d',
  subject: ['account_id', 'principal'],
  summary: '{principal} signed in to the console without MFA from {source_ip} ({count} times that day)',
  falsePositives: ['Users in an account where MFA is not enforced: enforce it, or suppress them by principal.'],
  blindSpots: ['Whether an identity provider asked for a second factor.', 'Sessions made with access keys.'],
  response: [
    'Ask the user; compare source_ip and user_agent with the sign-ins before.',
    'Run the saved question logins for the principal.',
  ],
  examples: [
    {
      name: 'a user signs in with a password',
      records: [login],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 }],
    },
    {
      name: 'the user gave a second factor',
      records: [{ ...login, additionalEventData: { ...login.additionalEventData, MFAUsed: 'Yes' } }],
      alerts: [],
    },
    {
      name: 'a federated sign-in, which never tells',
      records: [
        {
          ...login,
          userIdentity: {
            type: 'AssumedRole',
            principalId: 'AROAIDPPEZS35WEXAMPLE:Mateo_Jackson',
            arn: 'arn:aws:sts::111122223333:assumed-role/Operators/Mateo_Jackson',
            accountId: '111122223333',
          },
          additionalEventData: { SamlProviderArn: 'arn:aws:iam::111122223333:saml-provider/IdP', MFAUsed: 'No' },
        },
      ],
      alerts: [],
    },
    {
      name: 'the password was wrong, another step, or the same name elsewhere',
      records: [
        { ...login, responseElements: { ConsoleLogin: 'Failure' }, errorMessage: 'Failed authentication' },
        { ...login, eventName: 'SwitchRole', responseElements: { SwitchRole: 'Success' } },
        { ...login, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
