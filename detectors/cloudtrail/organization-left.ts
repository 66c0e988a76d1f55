/** Somebody tried to take an account out of its organization, or to close it. */
import { defineDetector } from '../../src/detector.ts';

const leave = { eventSource: 'organizations.amazonaws.com', eventName: 'LeaveOrganization', requestParameters: null };

export const detector = defineDetector({
  id: 'organization-left',
  title: 'Somebody tried to leave the organization or close an account',
  description:
    'Outside of the organization no service control policy, no organization trail and no central guard reaches the account any more. Attempts count, because nobody calls this by mistake.',
  severity: 'high',
  severityReason: 'Takes the account out of all central control; even a refused attempt shows intent.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1666', version: 16 }],
  tags: ['defense-evasion'],
  when: {
    all: [
      {
        event_source: 'organizations.amazonaws.com',
        event_name: ['LeaveOrganization', 'RemoveAccountFromOrganization', 'CloseAccount', 'DeleteOrganization'],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} ({outcome}) in account {account_id} from {source_address}',
  falsePositives: ['The planned end or sale of an account.'],
  blindSpots: ['An account that is closed by root on the account page of the console.'],
  response: ['Find out who holds the session; restrict the call with a service control policy.'],
  examples: [
    {
      name: 'each of the calls',
      records: ['LeaveOrganization', 'RemoveAccountFromOrganization', 'CloseAccount', 'DeleteOrganization'].map(
        (eventName) => ({ ...leave, eventName }),
      ),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 }],
    },
    {
      name: 'an attempt is refused, another succeeds',
      records: [{ ...leave, errorCode: 'AccessDenied' }, leave],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 }],
    },
    {
      name: 'somebody looks at the organization, another service, or AWS itself',
      records: [
        { ...leave, eventName: 'DescribeOrganization' },
        { ...leave, eventSource: 'example.amazonaws.com' },
        { ...leave, userIdentity: { type: 'AWSService', invokedBy: 'organizations.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
