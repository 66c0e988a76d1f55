/** A key to an API is made. */
import { defineDetector } from '../../src/detector.ts';

const base = {
  eventSource: 'apigateway.amazonaws.com',
  eventName: 'CreateApiKey',
  requestParameters: { createApiKeyInput: { name: 'partner', enabled: true } },
};

export const detector = defineDetector({
  id: 'api-key-created',
  title: 'An API key was created',
  description: 'A key of API Gateway opens the plan to which it belongs for whoever holds it, and it does not run out.',
  severity: 'low',
  severityReason: 'A way in that stays, and the ordinary way to let a customer in.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1098.001', version: 16 }],
  tags: ['persistence', 'edge'],
  when: {
    all: [
      { event_source: 'apigateway.amazonaws.com', event_name: ['CreateApiKey', 'ImportApiKeys'], outcome: 'success' },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} in {aws_region} from {source_address} ({count} in the hour)',

  falsePositives: ['A portal that makes keys for customers: suppress its role.'],
  blindSpots: ['Keys of AppSync and other services.'],

  response: ['Ask who uses it; delete it if nobody does. Run the saved question recent-changes for the principal.'],
  examples: [
    {
      name: 'made and imported',
      records: [base, { ...base, eventName: 'ImportApiKeys' }],
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 2 },
      ],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...base, errorCode: 'AccessDenied' },
        { ...base, eventName: 'GetApiKeys' },
        { ...base, eventSource: 'example.amazonaws.com' },
        { ...base, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
