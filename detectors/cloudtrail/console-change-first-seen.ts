/** A service that is changed by code alone was changed by hand. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const change = {
  eventSource: 'rds.amazonaws.com',
  eventName: 'ModifyDBInstance',
  requestParameters: { dBInstanceIdentifier: 'shop' },
  sessionCredentialFromConsole: 'true',
  eventTime: '2025-03-11T09:00:00Z',
};
/** Ten days of looking in the console. */
const history = {
  repeat: 10,
  every: '1d',
  record: { ...change, eventName: 'DescribeDBInstances', readOnly: true, eventTime: '2025-03-01T10:00:00Z' },
} as const;

export const detector = defineDetector({
  id: 'console-change-first-seen',
  title: 'A service was changed in the console for the first time',
  description:
    'Where infrastructure is written in code, the console is for looking. Nobody had changed anything of this service in the console of the account during the last 30 days.',
  severity: 'informational',
  severityReason: 'Drift, or somebody who found credentials and clicks; worth a look beside other alerts.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1578', version: 16 }],
  tags: ['hygiene', 'baseline'],
  when: {
    all: [
      { session_from_console: true, read_only: false, outcome: 'success', management_event: true },
      { not: { event_source: { is: parameter('services') } } },
      { not: { actor_type: 'service' } },
    ],
  },
  baseline: { firstSeen: ['event_source'], per: ['account_id'], over: '30d' },
  slot: '1d',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} changed what nobody had changed in the console in 30 days: {count} calls from {source_address}, first {event_name} of {event_source}',
  parameters: {
    services: z
      .array(z.string())
      .default([
        'signin.amazonaws.com',
        'cloudshell.amazonaws.com',
        'sts.amazonaws.com',
        'health.amazonaws.com',
        'notifications.amazonaws.com',
        'resource-explorer-2.amazonaws.com',
        'support.amazonaws.com',
        'ce.amazonaws.com',
      ])
      .describe(
        'event sources of which changes by hand mean nothing: settings of the person, of the bill, of the console itself',
      ),
  },
  falsePositives: ['Repairs by hand; accounts for trials.'],
  blindSpots: [
    'Calls by the command line with the session of a console.',
    'Records from before 2023, which do not say that a session is one of the console.',
    'Silent until the account has three days of history.',
  ],

  response: ['Compare with the code; run the saved question recent-changes for the principal.'],
  examples: [
    {
      name: 'changes of two services by hand after ten days of looking',
      records: [
        history,
        change,
        { ...change, eventSource: 'lambda.amazonaws.com', eventName: 'UpdateFunctionCode20150331v2' },
      ],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    {
      name: 'a service that is changed by hand all the time',
      records: [{ repeat: 12, every: '1d', record: { ...change, eventTime: '2025-03-01T10:00:00Z' } }],
      alerts: [],
    },
    {
      name: 'each service that is left out',
      records: [
        history,
        ...[
          'signin.amazonaws.com',
          'cloudshell.amazonaws.com',
          'sts.amazonaws.com',
          'health.amazonaws.com',
          'notifications.amazonaws.com',
          'resource-explorer-2.amazonaws.com',
          'support.amazonaws.com',
          'ce.amazonaws.com',
        ].map((eventSource) => ({ ...change, eventSource })),
      ],
      alerts: [],
    },
    {
      name: 'by code, only read, refused, a data event, or by an AWS service',
      records: [
        history,
        { ...change, sessionCredentialFromConsole: undefined },
        { ...change, readOnly: true },
        { ...change, errorCode: 'AccessDenied' },
        { ...change, managementEvent: false },
        { ...change, userIdentity: { type: 'AWSService', invokedBy: 'rds.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
