/** Somebody unlocks foundation models. */
import { defineDetector } from '../../src/detector.ts';

const base = {
  eventSource: 'bedrock.amazonaws.com',
  eventName: 'CreateFoundationModelAgreement',
  requestParameters: { modelId: 'anthropic.claude-3-haiku-20240307-v1:0' },
};

export const detector = defineDetector({
  id: 'model-access-enabled',
  title: 'Access to foundation models was enabled',
  description:
    'Models of some makers need a use case and an agreement before the account may call them. Whoever has stolen keys signs both and then sells the capacity.',
  severity: 'medium',
  severityReason: 'Costs grow without limit afterwards; a team that begins with a model does the same, once for each.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1496.004', version: 16 }],
  tags: ['impact'],
  when: {
    all: [
      {
        event_source: 'bedrock.amazonaws.com',
        event_name: [
          'CreateFoundationModelAgreement',
          'PutUseCaseForModelAccess',
          'PutFoundationModelEntitlement',
          'CreateProvisionedModelThroughput',
        ],
        outcome: 'success',
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} for {request_parameters.modelId} in {aws_region} from {source_address} ({count} calls in the hour)',

  falsePositives: ['A team that begins to use a model.'],
  blindSpots: [
    'Models that need no agreement: model-first-invoked.',
    'PutFoundationModelEntitlement was retired by AWS; older records have it.',
  ],

  response: [
    'Ask the owner of the account; run the saved question principal-timeline for calls of InvokeModel and Converse since.',
  ],
  examples: [
    {
      name: 'each step',
      records: [
        'CreateFoundationModelAgreement',
        'PutUseCaseForModelAccess',
        'PutFoundationModelEntitlement',
        'CreateProvisionedModelThroughput',
      ].map((eventName) => ({ ...base, eventName })),
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 },
      ],
    },
    {
      name: 'refused, another call, another service, or by an AWS service',
      records: [
        { ...base, errorCode: 'AccessDeniedException' },
        { ...base, eventName: 'GetFoundationModelAvailability' },
        { ...base, eventSource: 'example.amazonaws.com' },
        { ...base, userIdentity: { type: 'AWSService', invokedBy: 'cloudformation.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
