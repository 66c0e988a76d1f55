/** Somebody is refused many different calls: the mark of a tool that tries every door. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const CALLS = [
  'ListUsers',
  'ListRoles',
  'ListGroups',
  'ListPolicies',
  'GetAccountSummary',
  'ListAccessKeys',
  'ListMFADevices',
  'ListSAMLProviders',
  'GetAccountPasswordPolicy',
  'ListInstanceProfiles',
];

const refused = (index: number) => ({
  eventSource: 'iam.amazonaws.com',
  eventName: CALLS[index % CALLS.length],
  errorCode: 'AccessDenied',
});

export const detector = defineDetector({
  id: 'distinct-denied-calls',
  title: 'One principal was refused many different calls',
  description:
    'A broken job is refused the same call over and over; a person or tool that enumerates permissions is refused many different ones. Counts distinct refused API names per principal in a sliding window.',
  severity: 'medium',
  severityReason: 'Variety of refusals is a stronger sign of probing than their number, yet nothing was obtained.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1526', version: 16 },
    { technique: 'T1580', version: 16 },
  ],
  tags: ['discovery'],
  when: { all: [{ outcome: 'denied' }, { not: { actor_type: 'service' } }] },
  threshold: { atLeast: parameter('calls'), distinct: 'event_name', within: '10m' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} was refused {peak} different calls from {source_ip}, first {event_name} in {aws_region}',
  parameters: {
    calls: z
      .int()
      .min(1)
      .default(10)
      .describe('distinct API names; a console page opened without permission is refused fewer than ten'),
  },
  falsePositives: [
    'A person with few permissions who browses the console: each page asks for several lists.',
    'A new security scanner whose role is still incomplete.',
  ],
  blindSpots: ['A tool that waits between its attempts.', 'Permissions that are tested with successful calls only.'],
  response: [
    'List the refused event_name values in order of time: an alphabetical or service-by-service order is a tool.',
    'Look at what the same access_key_id was allowed to do in the same hour.',
    'Run the saved question why-denied, and principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'an enumeration script runs through IAM',
      records: [{ repeat: 10, every: '10s', record: refused }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 10, peak: 10 }],
    },
    { name: 'one call fewer', records: [{ repeat: 9, every: '10s', record: refused }], alerts: [] },
    {
      name: 'a job is refused the same call fifty times',
      records: [{ repeat: 50, every: '5s', record: refused(0) }],
      alerts: [],
    },
    { name: 'the same calls over a day', records: [{ repeat: 10, every: '2h', record: refused }], alerts: [] },
    {
      name: 'the calls are allowed',
      records: [
        {
          repeat: 10,
          every: '10s',
          record: (index) => ({ eventSource: 'iam.amazonaws.com', eventName: CALLS[index] }),
        },
      ],
      alerts: [],
    },
    {
      name: 'an AWS service that lost its permissions',
      records: [
        {
          repeat: 10,
          every: '10s',
          record: (index) => ({
            ...refused(index),
            userIdentity: { type: 'AWSService', invokedBy: 'config.amazonaws.com' },
          }),
        },
      ],
      alerts: [],
    },
  ],
});
