/** Somebody tries which foundation models answer. */
import { defineDetector, parameter, z } from '../../src/detector.ts';

const CALLS = ['InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream'];
const refused = (index: number) => ({
  eventSource: 'bedrock.amazonaws.com',
  eventName: 'InvokeModel',
  errorCode: 'AccessDeniedException',
  requestParameters: { modelId: `example.model-${index}-v1:0` },
});

export const detector = defineDetector({
  id: 'models-tried-in-turn',
  title: 'Many foundation models were tried and refused',
  description:
    'With stolen keys somebody asks each model in turn, often with a request that cannot succeed, to learn which ones the account may call. Counts distinct models per principal whose call was refused or was not valid.',
  severity: 'high',
  severityReason: 'Nobody who knows his program tries model after model.',
  table: 'cloudtrail',
  attack: [
    { technique: 'T1496.004', version: 16 },
    { technique: 'T1526', version: 16 },
  ],
  tags: ['discovery', 'impact'],
  when: {
    all: [
      {
        event_source: 'bedrock.amazonaws.com',
        event_name: ['InvokeModel', 'InvokeModelWithResponseStream', 'Converse', 'ConverseStream'],
        outcome: ['denied', 'failed'],
      },
      {
        not: {
          error_code: [
            'ThrottlingException',
            'ServiceQuotaExceededException',
            'ModelNotReadyException',
            'ServiceUnavailableException',
          ],
        },
      },
      { not: { actor_type: 'service' } },
    ],
  },
  threshold: { atLeast: parameter('models'), distinct: 'request_parameters.modelId', within: '1h' },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} tried {peak} models without success in {aws_region}, first {request_parameters.modelId} ({error_code}), from {source_address}',
  parameters: {
    models: z
      .int()
      .min(2)
      .default(4)
      .describe('distinct models within an hour; a program falls back to one or two others'),
  },
  falsePositives: ['A tool that compares models in an account that may call few of them.'],
  blindSpots: ['Models that answer at the first try: model-first-invoked.'],

  response: [
    'Disable the key; run the saved question access-key-activity for access_key_id and look for calls with success.',
  ],
  examples: [
    {
      name: 'four models, by each call, refused and not valid',
      records: CALLS.map((eventName, index) => ({
        ...refused(index),
        eventName,
        errorCode: index % 2 === 0 ? 'AccessDeniedException' : 'ValidationException',
      })),
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 },
      ],
    },
    {
      name: 'refused alone',
      records: [0, 1, 2, 3].map(refused),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 }],
    },
    {
      name: 'not valid alone',
      records: [0, 1, 2, 3].map((index) => ({ ...refused(index), errorCode: 'ValidationException' })),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 4 }],
    },
    {
      name: 'three models, or one again and again',
      records: [refused(0), refused(1), refused(2), refused(2)],
      alerts: [],
    },
    { name: 'spread over a day', records: [{ repeat: 4, every: '2h', record: refused }], alerts: [] },
    {
      name: 'answered, throttled, another call, another service, or by an AWS service',
      records: [
        { errorCode: undefined },
        { errorCode: 'ThrottlingException' },
        { errorCode: 'ServiceQuotaExceededException' },
        { errorCode: 'ModelNotReadyException' },
        { errorCode: 'ServiceUnavailableException' },
        { eventName: 'GetFoundationModel' },
        { eventSource: 'example.amazonaws.com' },
        { userIdentity: { type: 'AWSService', invokedBy: 'bedrock.amazonaws.com' } },
      ].flatMap((change) => [0, 1, 2, 3].map((index) => ({ ...refused(index), ...change }))),
      alerts: [],
    },
  ],
});
