/** A VPC endpoint held a call back. */
import { defineDetector } from '../../src/detector.ts';

const denied = {
  eventSource: 's3.amazonaws.com',
  eventName: 'PutObject',
  eventCategory: 'NetworkActivity',
  eventType: 'AwsVpceEvent',
  errorCode: 'VpceAccessDenied',
  errorMessage: 'The request was denied due to a VPC endpoint policy',
  userIdentity: { type: 'AWSAccount', principalId: 'AROAEXAMPLE:session', accountId: '444455556666' },
  vpcEndpointId: 'vpce-1234567890abcdef0',
  vpcEndpointAccountId: '111122223333',
};

export const detector = defineDetector({
  id: 'vpc-endpoint-denied',
  title: 'A call was refused by the policy of a VPC endpoint',
  description:
    'The policy of an endpoint says whose credentials and which resources may be used through it. What it refuses is mostly data on its way to a bucket of somebody else, or credentials of another account inside the own network.',
  severity: 'medium',
  severityReason: 'The fence held, and somebody tried; a policy that is too narrow for a new service looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1537', version: 16 }],
  tags: ['exfiltration'],
  when: { event_category: 'NetworkActivity', error_code: 'VpceAccessDenied' },
  slot: '1h',
  subject: ['account_id', 'principal', 'vpc_endpoint_id'],
  summary:
    '{principal} of account {user_account_id} was refused {event_name} at {vpc_endpoint_id} ({count} times in the hour)',

  falsePositives: ['A policy that forgot a bucket of AWS itself, such as those of the package mirrors.'],
  blindSpots: ['Network activity events are not logged unless the trail asks for them, service by service.'],

  response: [
    'See which instance called: flow logs of the endpoint at first_seen.',
    'Run the saved question why-denied for the principal.',
  ],
  examples: [
    {
      name: 'refused by the endpoint',
      records: [denied, denied],
      alerts: [{ subject: { account_id: '111122223333', vpc_endpoint_id: 'vpce-1234567890abcdef0' }, count: 2 }],
    },
    {
      name: 'let through, or refused by somebody else',
      records: [
        { ...denied, errorCode: undefined },
        { ...denied, errorCode: 'AccessDenied' },
        { ...denied, eventCategory: 'Data' },
      ],
      alerts: [],
    },
  ],
});
