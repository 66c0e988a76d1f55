/** A person stopped EC2 instances from the console without a second factor. */
import { defineDetector } from '../../src/detector.ts';

const session = (mfaAuthenticated: string) => ({
  attributes: { mfaAuthenticated, creationDate: '2025-03-03T09:00:00Z' },
});
const user = {
  type: 'IAMUser',
  principalId: 'AIDACKCEVSQ6C2EXAMPLE',
  arn: 'arn:aws:iam::111122223333:user/Alice',
  accountId: '111122223333',
  accessKeyId: 'ASIAIOSFODNN7EXAMPLE',
  userName: 'Alice',
};
const role = (arn: string) => ({
  type: 'AssumedRole',
  principalId: 'AROAIDPPEZS35WEXAMPLE:Alice',
  arn: 'arn:aws:sts::111122223333:assumed-role/Operators/Alice',
  accountId: '111122223333',
  sessionContext: { ...session('false'), sessionIssuer: { type: 'Role', arn, accountId: '111122223333' } },
});
const stop = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'StopInstances',
  sessionCredentialFromConsole: 'true',
  requestParameters: { instancesSet: { items: [{ instanceId: 'i-1234567890abcdef0' }] }, force: false },
  userIdentity: { ...user, sessionContext: session('false') },
};
const root = { ...user, type: 'Root', arn: 'arn:aws:iam::111122223333:root', sessionContext: session('false') };

export const detector = defineDetector({
  id: 'instance-stopped-without-mfa',
  title: 'EC2 instances were stopped without MFA',
  description:
    'Looks at sessions of the console, where AWS knows whether there was a second factor: users, root, and roles that a person took on. Programs that stop machines each evening have no second factor to give and are left out, and so is IAM Identity Center, which asks for its own outside of AWS.',
  severity: 'low',
  severityReason: 'Nothing is lost that a start does not bring back; it tells which sign-in lacks the second factor.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['impact', 'mfa', 'fence'],
  when: {
    all: [
      {
        event_source: 'ec2.amazonaws.com',
        event_name: 'StopInstances',
        outcome: 'success',
        session_from_console: true,
      },
      { actor_type: ['user', 'root', 'role'] },
      { not: { mfa: true } },
      { not: { session_issuer_arn: { contains: ':role/aws-reserved/sso.amazonaws.com/' } } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} stopped instances without MFA from {source_address} in {aws_region} ({count} calls)',
  falsePositives: ['A console role entered through SAML, whose identity provider asked for the second factor.'],
  blindSpots: [
    'Instances that are stopped with a key or by a program.',
    'Records older than eventVersion 1.08, which do not say that a session comes from the console.',
    'Instances that are terminated: instance-terminated-without-mfa.',
  ],
  response: [
    'The instances stand in request_parameters.instancesSet: saved question instance-life.',
    'Give the user a device, and ask for it in a policy (aws:MultiFactorAuthPresent).',
  ],
  examples: [
    {
      name: 'a user, root and a role, signed in with a password alone',
      records: [
        stop,
        { ...stop, userIdentity: root },
        { ...stop, userIdentity: role('arn:aws:iam::111122223333:role/Operators') },
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' } },
        { subject: { principal: 'arn:aws:iam::111122223333:root' } },
        { subject: { principal: 'arn:aws:iam::111122223333:role/Operators' } },
      ],
    },
    {
      name: 'with a second factor, or Identity Center, which asked for its own',
      records: [
        { ...stop, userIdentity: { ...user, sessionContext: session('true') } },
        {
          ...stop,
          userIdentity: role(
            'arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Operators_1a2b3c4d5e6f7a8b',
          ),
        },
      ],
      alerts: [],
    },
    {
      name: 'by a key, by a service, refused, another call, or another service',
      records: [
        { ...stop, sessionCredentialFromConsole: undefined },
        { ...stop, userIdentity: { type: 'AWSService', invokedBy: 'ssm.amazonaws.com' } },
        { ...stop, errorCode: 'Client.UnauthorizedOperation' },
        { ...stop, eventName: 'StartInstances' },
        { ...stop, eventSource: 'lightsail.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
