/** Sign-in of your customers becomes easier to break. */
import { defineDetector } from '../../src/detector.ts';

const update = (change: object) => ({
  eventSource: 'cognito-idp.amazonaws.com',
  eventName: 'UpdateUserPool',
  requestParameters: { userPoolId: 'us-east-1_EXAMPLE', ...change },
});
const mfa = (mfaConfiguration: string) => ({ ...update({ mfaConfiguration }), eventName: 'SetUserPoolMfaConfig' });
const identities = (allowUnauthenticatedIdentities: boolean) => ({
  eventSource: 'cognito-identity.amazonaws.com',
  eventName: 'UpdateIdentityPool',
  requestParameters: { identityPoolName: 'shop', allowUnauthenticatedIdentities },
});

export const detector = defineDetector({
  id: 'user-pool-weakened',
  title: 'A Cognito user pool was weakened',
  description:
    'The second factor of a pool was switched off, its protection against stolen passwords too, its deletion protection taken away, or an identity pool hands out AWS credentials to anybody.',
  severity: 'medium',
  severityReason: 'Affects every customer at once; pools for trials are set up like this.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1556.006', version: 16 },
    { technique: 'T1556', version: 16 },
  ],
  tags: ['credential-access', 'edge'],
  when: {
    all: [
      { outcome: 'success' },
      {
        any: [
          {
            event_source: 'cognito-idp.amazonaws.com',
            event_name: ['SetUserPoolMfaConfig', 'UpdateUserPool'],
            'request_parameters.mfaConfiguration': 'OFF',
          },
          {
            event_source: 'cognito-idp.amazonaws.com',
            event_name: 'UpdateUserPool',
            'request_parameters.userPoolAddOns.advancedSecurityMode': 'OFF',
          },
          {
            event_source: 'cognito-idp.amazonaws.com',
            event_name: 'UpdateUserPool',
            'request_parameters.deletionProtection': 'INACTIVE',
          },
          {
            event_source: 'cognito-identity.amazonaws.com',
            event_name: ['UpdateIdentityPool', 'CreateIdentityPool'],
            'request_parameters.allowUnauthenticatedIdentities': true,
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.userPoolId}{request_parameters.identityPoolName} in {aws_region} from {source_address}',

  falsePositives: [
    'A pool for trials.',
    'UpdateUserPool states all settings each time: one that was off before is stated again.',
  ],
  blindSpots: [
    'Passwords that are set for single users (AdminSetUserPassword), and triggers that let everybody pass.',
    'Roles of an identity pool: admin-policy-attached.',
  ],

  response: [
    'Compare with the UpdateUserPool before it (saved question recent-changes for request_parameters.userPoolId); switch it on again.',
  ],
  examples: [
    {
      name: 'each way',
      records: [
        mfa('OFF'),
        update({ mfaConfiguration: 'OFF' }),
        update({ userPoolAddOns: { advancedSecurityMode: 'OFF' } }),
        update({ deletionProtection: 'INACTIVE' }),
        identities(true),
        { ...identities(true), eventName: 'CreateIdentityPool' },
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 6 },
      ],
    },
    {
      name: 'strong settings',
      records: [
        mfa('ON'),
        update({
          mfaConfiguration: 'OPTIONAL',
          userPoolAddOns: { advancedSecurityMode: 'ENFORCED' },
          deletionProtection: 'ACTIVE',
        }),
        identities(false),
      ],
      alerts: [],
    },
    {
      name: 'other calls, other services',
      records: [
        ...['GetUserPoolMfaConfig', 'DescribeUserPool'].map((eventName) => ({
          ...update({
            mfaConfiguration: 'OFF',
            userPoolAddOns: { advancedSecurityMode: 'OFF' },
            deletionProtection: 'INACTIVE',
          }),
          eventName,
        })),
        {
          ...update({
            mfaConfiguration: 'OFF',
            userPoolAddOns: { advancedSecurityMode: 'OFF' },
            deletionProtection: 'INACTIVE',
          }),
          eventSource: 'example.amazonaws.com',
        },
        { ...identities(true), eventName: 'DescribeIdentityPool' },
        { ...identities(true), eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
    {
      name: 'refused, or by an AWS service',
      records: [
        { ...mfa('OFF'), errorCode: 'NotAuthorizedException' },
        { ...mfa('OFF'), userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
