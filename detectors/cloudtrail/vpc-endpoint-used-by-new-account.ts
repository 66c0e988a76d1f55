/** Credentials of another account are used inside the own network. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const call = (accountId: string) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'PutObject',
  eventCategory: 'NetworkActivity',
  eventType: 'AwsVpceEvent',
  userIdentity: { type: 'AWSAccount', principalId: 'AROAEXAMPLE:session', accountId },
  vpcEndpointId: 'vpce-1234567890abcdef0',
  vpcEndpointAccountId: '111122223333',
  eventTime: '2025-03-11T09:00:00Z',
});
const strange = call('444455556666');
const usual = {
  repeat: 11,
  every: '1d',
  record: { ...call('111122223333'), eventTime: '2025-03-01T10:00:00Z' },
} as const;

export const detector = defineDetector({
  id: 'vpc-endpoint-used-by-new-account',
  title: 'Credentials of a foreign account were used through a VPC endpoint',
  description:
    'Somebody inside the network calls AWS with the keys of an account to which the endpoint does not belong. Data that is written with them lands outside, where no trail of yours looks. The account was not seen at your endpoints during the last 30 days.',
  severity: 'high',
  severityReason: 'Foreign keys inside the network have hardly another purpose than to carry data out.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1537', version: 16 }],
  tags: ['exfiltration', 'baseline'],
  when: {
    all: [
      { event_category: 'NetworkActivity', vpc_endpoint_account_id: { exists: true } },
      { not: { user_account_id: { column: 'vpc_endpoint_account_id' } } },
      { not: { user_account_id: { is: parameter('known_accounts') } } },
    ],
  },
  baseline: { firstSeen: ['user_account_id'], per: ['account_id'], over: '30d' },
  slot: '1h',
  subject: ['account_id', 'user_account_id'],
  summary:
    'Keys of account {user_account_id} were used for {event_name} at {vpc_endpoint_id}, first seen in 30 days ({count} calls)',
  parameters: {
    known_accounts: z
      .array(z.string())
      .default([])
      .describe('account ids that may be used inside the network: those of your organization and of vendors'),
  },
  falsePositives: ['A sister account in a shared VPC, an agent of a vendor: add the account.'],
  blindSpots: [
    'Network activity events are not logged unless the trail asks for them, service by service.',
    'Silent until the account has three days of history.',
  ],

  response: [
    'See which instance called: flow logs of the endpoint at first_seen.',
    'Allow only your organization in the policy of the endpoint (aws:PrincipalOrgID).',
  ],
  examples: [
    {
      name: 'a stranger after ten days of the house',
      records: [usual, strange],
      alerts: [{ subject: { account_id: '111122223333', user_account_id: '444455556666' }, count: 1 }],
    },
    {
      name: 'a stranger who always comes',
      records: [{ repeat: 12, every: '1d', record: { ...strange, eventTime: '2025-03-01T10:00:00Z' } }],
      alerts: [],
    },
    {
      name: 'a known account',
      records: [usual, strange],
      alerts: [],
      parameters: { known_accounts: ['444455556666'] },
    },
    {
      name: 'the house itself, for the first time',
      records: [
        {
          repeat: 10,
          every: '1d',
          record: {
            eventSource: 'ec2.amazonaws.com',
            eventName: 'DescribeInstances',
            eventTime: '2025-03-01T10:00:00Z',
          },
        },
        call('111122223333'),
      ],
      alerts: [],
    },
    {
      name: 'the house, a caller without an account, no endpoint, another category',
      records: [
        usual,
        { ...strange, userIdentity: { type: 'AWSService', invokedBy: 's3.amazonaws.com' } },
        { ...strange, vpcEndpointAccountId: undefined },
        { ...strange, eventCategory: 'Data' },
      ],
      alerts: [],
    },
  ],
});
