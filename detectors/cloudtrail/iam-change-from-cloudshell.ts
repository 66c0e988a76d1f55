/** Rights or credentials were given out from CloudShell. */
import { defineDetector } from '../../src/detector.ts';

/** Calls that make identities or credentials, or give rights. */
const GRANTS = [
  'CreateUser',
  'CreateAccessKey',
  'CreateLoginProfile',
  'UpdateLoginProfile',
  'AddUserToGroup',
  'AttachUserPolicy',
  'AttachRolePolicy',
  'AttachGroupPolicy',
  'PutUserPolicy',
  'PutRolePolicy',
  'PutGroupPolicy',
  'CreatePolicyVersion',
  'SetDefaultPolicyVersion',
  'UpdateAssumeRolePolicy',
  'CreateSAMLProvider',
  'CreateOpenIDConnectProvider',
];
const grant = {
  eventSource: 'iam.amazonaws.com',
  eventName: 'AttachUserPolicy',
  userAgent:
    'aws-cli/2.13.5 Python/3.11.4 Linux/4.14.255-314-253.539.amzn2.x86_64 exec-env/CloudShell exe/x86_64.amzn.2 prompt/off command/iam.attach-user-policy',
  requestParameters: { userName: 'Nikki_Wolf', policyArn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' },
};
const SUBJECT = { principal: 'arn:aws:iam::111122223333:user/Alice' };

export const detector = defineDetector({
  id: 'iam-change-from-cloudshell',
  title: 'Rights were given out from CloudShell',
  description:
    'CloudShell opens a shell with the rights of whoever holds the console session: an intruder who got in by the browser needs no key of their own to give out users, keys and policies. Most houses make such changes in code or in the console itself.',
  severity: 'medium',
  severityReason: 'An unusual place for such a change; some administrators do work there.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1059.009', version: 16 },
    { technique: 'T1098', version: 16 },
  ],
  tags: ['persistence', 'privilege-escalation'],
  when: {
    event_source: 'iam.amazonaws.com',
    event_name: GRANTS,
    outcome: 'success',
    user_agent: { contains: 'exec-env/CloudShell' },
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} changed IAM from CloudShell, first {event_name} for {request_parameters.userName}{request_parameters.roleName} ({count} calls in the hour)',
  falsePositives: ['An administrator who works in CloudShell: suppress by principal.'],
  blindSpots: [
    'Somebody who sets another user agent in the shell.',
    'Programs other than the AWS command line and SDKs, which do not name the environment.',
  ],
  response: [
    "Find the ConsoleLogin of the principal before it: source_ip there is the real address, that of CloudShell is AWS's own.",
    'Run the saved question iam-changes.',
  ],
  examples: [
    {
      name: 'each kind of change',
      records: GRANTS.map((eventName) => ({ ...grant, eventName })),
      alerts: [{ subject: SUBJECT, count: GRANTS.length }],
    },
    {
      name: 'elsewhere, refused, only looked at, or another service',
      records: [
        { ...grant, userAgent: 'aws-cli/2.13.5 Python/3.11.4 Linux/6.5.0 exe/x86_64.ubuntu.22' },
        { ...grant, errorCode: 'AccessDenied' },
        { ...grant, eventName: 'ListUsers' },
        { ...grant, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
