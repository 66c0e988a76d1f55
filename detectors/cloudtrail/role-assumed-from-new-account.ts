/** A role was assumed from an AWS account that never did so before. */
import { defineDetector } from '../../src/detector.ts';

const assume = (accountId: string, eventTime: string) => ({
  eventSource: 'sts.amazonaws.com',
  eventName: 'AssumeRole',
  eventTime,
  // In the record of the called account the caller of another account is an AWSAccount without name.
  userIdentity: { type: 'AWSAccount', principalId: 'AIDACKCEVSQ6C2EXAMPLE', accountId },
  requestParameters: { roleArn: 'arn:aws:iam::111122223333:role/Auditor', roleSessionName: 'audit' },
});
const usual = { repeat: 10, every: '1d', record: assume('222233334444', '2025-03-01T08:00:00Z') } as const;
const stranger = assume('444455556666', '2025-03-11T09:00:00Z');

export const detector = defineDetector({
  id: 'role-assumed-from-new-account',
  title: 'A role was assumed from an account never seen before',
  description:
    'Somebody of another AWS account entered a role here, and that account had not entered any during the last 30 days. A stolen or opened trust shows itself like this.',
  severity: 'medium',
  severityReason: 'Somebody from outside is in; new vendors and sister accounts arrive the same way.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1199', version: 16 },
    { technique: 'T1078.004', version: 16 },
  ],
  tags: ['initial-access', 'baseline'],
  when: {
    all: [
      {
        event_source: 'sts.amazonaws.com',
        event_name: 'AssumeRole',
        outcome: 'success',
      },
      { not: { user_account_id: { column: 'account_id' } } },
    ],
  },
  baseline: { firstSeen: ['user_account_id'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'user_account_id'],
  summary:
    'Account {user_account_id} assumed {request_parameters.roleArn} for the first time in 30 days, from {source_address}',
  falsePositives: ['A new vendor, a new account of the organization, an audit once a year.'],
  blindSpots: [
    'Silent until the account has history.',
    'An account that comes in regularly and was itself broken into.',
  ],
  response: [
    'Find the call that let the account in: UpdateAssumeRolePolicy or CreateRole of that role.',
    'Run the saved questions cross-account-callers and role-assumptions for request_parameters.roleArn.',
  ],
  examples: [
    {
      name: 'a stranger after ten days of a known account',
      records: [usual, stranger],
      alerts: [{ subject: { account_id: '111122223333', user_account_id: '444455556666' } }],
    },
    { name: 'there is no history yet', records: [stranger], alerts: [] },
    {
      name: 'from inside the account, or by an AWS service, which has no account',
      records: [
        usual,
        {
          ...stranger,
          userIdentity: { type: 'IAMUser', accountId: '111122223333', arn: 'arn:aws:iam::111122223333:user/Alice' },
        },
        { ...stranger, userIdentity: { type: 'AWSService', invokedBy: 'ec2.amazonaws.com' } },
      ],
      alerts: [],
    },
    {
      name: 'refused, another call, or another service',
      records: [
        usual,
        { ...stranger, errorCode: 'AccessDenied' },
        { ...stranger, eventName: 'GetCallerIdentity' },
        { ...stranger, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
