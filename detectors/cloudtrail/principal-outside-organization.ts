/** Somebody of an account that is none of ours did something here. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const caller = (accountId: string) => ({ type: 'AWSAccount', principalId: 'AIDACKCEVSQ6C2EXAMPLE', accountId });
const call = (accountId: string) => ({
  eventSource: 's3.amazonaws.com',
  eventName: 'ListObjects',
  userIdentity: caller(accountId),
  requestParameters: { bucketName: 'amzn-s3-demo-bucket' },
});
const stranger = call('999999999999');
const OURS = { accounts: ['111122223333', '222233334444'] };

export const detector = defineDetector({
  id: 'principal-outside-organization',
  title: 'Somebody outside the organization made a call here',
  description:
    'Name the accounts of your organization and of your vendors; a call by a principal of any other account that succeeds is told once an hour. Silent until accounts are named. AWS services have no account of their own in the record, or are known as services, and are left out.',
  severity: 'high',
  severityReason: 'You named all who may come; this one came through a policy that is open to it.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1199', version: 16 },
    { technique: 'T1078.004', version: 16 },
  ],
  tags: ['initial-access', 'fence'],
  when: {
    all: [
      { outcome: 'success', user_account_id: { re: '^[0-9]{12}$' } },
      { not: { user_account_id: { startswith: parameter('accounts') } } },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'user_account_id'],
  summary:
    'Account {user_account_id}, which is none of ours, called {event_name} ({event_source}) in account {account_id} from {source_address} ({count} calls in the hour)',
  parameters: {
    accounts: z
      .array(z.string())
      .min(1)
      .default([''])
      .describe(
        'account ids, 12 digits, of the organization and of all who may call from outside; the default is everybody',
      ),
  },
  falsePositives: [
    'A vendor or a new account that nobody put on the list.',
    'Readers of a bucket that is public on purpose.',
  ],
  blindSpots: [
    'Callers without an account: anonymous requests to S3 (ANONYMOUS_PRINCIPAL) are not judged here.',
    'Reads of objects, unless data events are logged.',
  ],
  response: [
    'Run the saved question cross-account-callers.',
    'Find the policy that let it in: that of the resource in resource_arns, or the trust policy of the role.',
  ],
  examples: [
    {
      name: 'a stranger',
      records: [stranger],
      alerts: [{ subject: { account_id: '111122223333', user_account_id: '999999999999' }, count: 1 }],
      parameters: OURS,
    },
    {
      name: 'our own, and a sister account',
      records: [call('111122223333'), call('222233334444')],
      alerts: [],
      parameters: OURS,
    },
    { name: 'no accounts are named', records: [stranger], alerts: [] },
    {
      name: 'a refusal, an anonymous reader, or an AWS service',
      records: [
        { ...stranger, errorCode: 'AccessDenied' },
        call('anonymous'),
        {
          ...stranger,
          userIdentity: { type: 'AWSService', accountId: '999999999999', invokedBy: 'delivery.logs.amazonaws.com' },
        },
      ],
      alerts: [],
      parameters: OURS,
    },
  ],
});
