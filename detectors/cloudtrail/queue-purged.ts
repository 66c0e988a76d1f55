/** A queue is emptied. */
import { defineDetector } from '../../src/detector.ts';

const base = {
  eventSource: 'sqs.amazonaws.com',
  eventName: 'PurgeQueue',
  requestParameters: { queueUrl: 'https://sqs.us-east-1.amazonaws.com/111122223333/orders' },
};

export const detector = defineDetector({
  id: 'queue-purged',
  title: 'A queue was purged',
  description: 'All messages of the queue are gone: orders, alarms, work that waits.',
  severity: 'low',
  severityReason: 'Destroys what waits; developers empty their queues as well.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1485', version: 16 }],
  tags: ['impact'],
  when: {
    all: [
      { event_source: 'sqs.amazonaws.com', event_name: 'PurgeQueue', outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} emptied {request_parameters.queueUrl} in {aws_region} from {source_address}',

  falsePositives: ['A test.'],
  blindSpots: ['Messages that are received and deleted one by one, which are data events.'],

  response: [
    'See whether request_parameters.queueUrl carries alarms or log notifications; run the saved question recent-changes.',
  ],
  examples: [
    {
      name: 'a queue is purged',
      records: [base],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...base, errorCode: 'AccessDenied' },
        { ...base, eventName: 'GetQueueAttributes' },
        { ...base, eventSource: 'example.amazonaws.com' },
        { ...base, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
