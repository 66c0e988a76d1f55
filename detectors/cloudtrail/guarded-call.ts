/** A call was made that the operator wants to hear of. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const deletion = {
  eventSource: 'dynamodb.amazonaws.com',
  eventName: 'DeleteTable',
  requestParameters: { tableName: 'orders' },
};

export const detector = defineDetector({
  id: 'guarded-call',
  title: 'A guarded call was made',
  description:
    'Names of calls that you want to know of each time, whoever makes them. DeleteTable is on the list from the start; add any other in the config.',
  severity: 'medium',
  severityReason: 'You asked for it.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1485', version: 16 }],
  tags: ['impact'],
  when: { all: [{ event_name: parameter('calls'), outcome: 'success' }, { not: { actor_type: 'service' } }] },
  slot: 'event',
  subject: ['account_id', 'principal', 'event_name'],
  summary: '{principal} called {event_name} ({event_source}) in {aws_region} from {source_address}',
  parameters: {
    calls: z
      .array(z.string())
      .default(['DeleteTable'])
      .describe(
        'names of API calls without date suffix, such as DeleteTable or PurgeQueue; compared regardless of case',
      ),
  },
  falsePositives: ['Whatever makes this call for a good reason: suppress it by principal.'],
  blindSpots: ['Attempts that are refused: denied-call-spike counts those.', 'Data events, unless they are logged.'],
  response: [
    'Ask the person behind session_name or user_name.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'a table is deleted',
      records: [deletion],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice', event_name: 'DeleteTable' } }],
    },
    {
      name: 'the operator guards another call, written in another case',
      records: [{ eventSource: 'sqs.amazonaws.com', eventName: 'PurgeQueue' }, deletion],
      alerts: [{ subject: { event_name: 'PurgeQueue' } }],
      parameters: { calls: ['purgequeue'] },
    },
    {
      name: 'another call, a refusal, or an AWS service',
      records: [
        { ...deletion, eventName: 'UpdateTable' },
        { ...deletion, errorCode: 'AccessDeniedException' },
        { ...deletion, userIdentity: { type: 'AWSService', invokedBy: 'dynamodb.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
