/** A person terminated EC2 instances without a second factor. */
import { defineDetector } from '../../src/detector.ts';

const session = (mfaAuthenticated: string) => ({
  attributes: { mfaAuthenticated, creationDate: '2025-03-03T09:00:00Z' },
});
const user = {
  type: 'IAMUser',
  principalId: 'AIDACKCEVSQ6C2EXAMPLE',
  arn: 'arn:aws:iam::111122223333:user/Alice',
  accountId: '111122223333',
  userName: 'Alice',
};
const role = (arn: string) => ({
  type: 'AssumedRole',
  principalId: 'AROAIDPPEZS35WEXAMPLE:Alice',
  arn: 'arn:aws:sts::111122223333:assumed-role/Operators/Alice',
  accountId: '111122223333',
  sessionContext: { ...session('false'), sessionIssuer: { type: 'Role', arn, accountId: '111122223333' } },
});
const termination = {
  eventSource: 'ec2.amazonaws.com',
  eventName: 'TerminateInstances',
  requestParameters: { instancesSet: { items: [{ instanceId: 'i-1234567890abcdef0' }] } },
  userIdentity: { ...user, accessKeyId: 'ASIAIOSFODNN7EXAMPLE', sessionContext: session('false') },
};
const fromConsole = {
  ...termination,
  sessionCredentialFromConsole: 'true',
  userIdentity: role('arn:aws:iam::111122223333:role/Operators'),
};

export const detector = defineDetector({
  id: 'instance-terminated-without-mfa',
  title: 'EC2 instances were terminated without MFA',
  description:
    'Looks at those of whom AWS can know a second factor: IAM users, root, and roles that a person took on in the console. An IAM user with a long-term key carries no MFA mark at all, and that counts as without: ' +
    'whoever copies the key can do the same. Roles of machines, pipelines and IAM Identity Center are left out, because their sessions always say false: a machine has no second factor, and Identity Center asks for its own outside of AWS.',
  severity: 'medium',
  severityReason: 'Irreversible, with nothing but a password or a key between a thief and the call.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1485', version: 16 },
    { technique: 'T1078.004', version: 16 },
  ],
  tags: ['impact', 'mfa'],
  when: {
    all: [
      { event_source: 'ec2.amazonaws.com', event_name: 'TerminateInstances', outcome: 'success' },
      { any: [{ actor_type: ['user', 'root'] }, { actor_type: 'role', session_from_console: true }] },
      { not: { mfa: true } },
      { not: { session_issuer_arn: { contains: ':role/aws-reserved/sso.amazonaws.com/' } } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} terminated instances without MFA from {source_address} in {aws_region} ({count} calls)',
  falsePositives: [
    'An automation that runs as an IAM user with a long-term key: give it a role, or suppress it by principal.',
    'A console role entered through SAML, whose identity provider asked for the second factor.',
  ],
  blindSpots: [
    'Roles that a person assumes with the command line: AWS marks the session with the MFA of the AssumeRole call only.',
    'Console roles in records older than eventVersion 1.08, which do not say that they come from the console.',
  ],
  response: [
    'Find the ConsoleLogin or GetSessionToken of the same principal and see from where it came.',
    'Run the saved question logins for the principal, and instance-life for the instances.',
  ],
  examples: [
    {
      name: 'a user signed in with a password alone',
      records: [termination],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 }],
    },
    {
      name: 'a user with a long-term key, which carries no mark of MFA',
      records: [{ ...termination, userIdentity: { ...user, accessKeyId: 'AKIAIOSFODNN7EXAMPLE' } }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'a role switched to in the console',
      records: [fromConsole],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:role/Operators' } }],
    },
    {
      name: 'the user gave a second factor',
      records: [{ ...termination, userIdentity: { ...user, sessionContext: session('true') } }],
      alerts: [],
    },
    {
      name: 'the role of a machine',
      records: [{ ...fromConsole, sessionCredentialFromConsole: 'false' }],
      alerts: [],
    },
    {
      name: 'a service from the console',
      records: [{ ...fromConsole, userIdentity: { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' } }],
      alerts: [],
    },
    {
      name: 'IAM Identity Center, which asks for its own second factor',
      records: [
        {
          ...fromConsole,
          userIdentity: role(
            'arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Operators_1a2b3c4d5e6f7a8b',
          ),
        },
      ],
      alerts: [],
    },
    {
      name: 'refused, only stopped, or another service',
      records: [
        { ...termination, errorCode: 'Client.UnauthorizedOperation' },
        { ...termination, eventName: 'StopInstances' },
        { ...termination, eventSource: 'gamelift.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
