/** The role for emergencies is used. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const assume = (role: string) => ({
  eventSource: 'sts.amazonaws.com',
  eventName: 'AssumeRole',
  requestParameters: { roleArn: `arn:aws:iam::111122223333:role/${role}`, roleSessionName: 'alice' },
});
const login = (userName: string) => ({
  eventSource: 'signin.amazonaws.com',
  eventName: 'ConsoleLogin',
  responseElements: { ConsoleLogin: 'Success' },
  userIdentity: {
    type: 'IAMUser',
    principalId: 'AIDAEXAMPLE',
    arn: `arn:aws:iam::111122223333:user/${userName}`,
    accountId: '111122223333',
    userName,
  },
});

export const detector = defineDetector({
  id: 'break-glass-role-used',
  title: 'A break-glass role or user was used',
  description:
    'Accounts keep a role or user with all rights for the day on which nothing else works. Its use is rare and everybody should hear of it.',
  severity: 'medium',
  severityReason: 'Rare, powerful, and announced when it is meant.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1078.004', version: 16 }],
  tags: ['privilege-escalation'],
  when: {
    all: [
      {
        any: [
          {
            event_source: 'sts.amazonaws.com',
            event_name: 'AssumeRole',
            'request_parameters.roleArn': { re: parameter('names') },
          },
          {
            event_source: 'signin.amazonaws.com',
            event_name: ['ConsoleLogin', 'SwitchRole'],
            principal_arn: { re: parameter('names') },
          },
        ],
      },
      { outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} used the break-glass access ({event_name}) from {source_address}',
  parameters: {
    names: z
      .string()
      .default('(?i)break[-_]?glass|emergency|fire[-_]?call')
      .describe('RE2 pattern of ARNs of the roles and users that are kept for emergencies'),
  },
  falsePositives: ['The yearly exercise.'],
  blindSpots: ['A role under another name: say it in names.', 'A session that goes on after its hour.'],

  response: [
    'Ask the person behind session_name; run the saved question principal-timeline for the role since first_seen.',
  ],
  examples: [
    {
      name: 'assumed, switched to, logged in with',
      records: [
        assume('BreakGlass'),
        assume('prod-break-glass-admin'),
        assume('emergency_access'),
        assume('FireCall'),
        login('break_glass'),
        { ...login('break_glass'), eventName: 'SwitchRole', responseElements: { SwitchRole: 'Success' } },
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 },
        { subject: { principal: 'arn:aws:iam::111122223333:user/break_glass' }, count: 2 },
      ],
    },
    {
      name: 'another role, another user, another call',
      records: [
        assume('Deployer'),
        assume('GlassFactory'),
        login('Alice'),
        { ...assume('BreakGlass'), eventName: 'AssumeRoleWithSAML' },
        { ...assume('BreakGlass'), eventSource: 'example.amazonaws.com' },
        { ...login('break_glass'), eventName: 'CheckMfa' },
        { ...login('break_glass'), eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
    {
      name: 'refused, or by an AWS service',
      records: [
        { ...assume('BreakGlass'), errorCode: 'AccessDenied' },
        { ...assume('BreakGlass'), userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' } },
        { ...login('break_glass'), responseElements: { ConsoleLogin: 'Failure' } },
      ],
      alerts: [],
    },
  ],
});
