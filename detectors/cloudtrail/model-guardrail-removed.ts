/** The log or a guardrail of Bedrock models was removed. */
import { defineDetector } from '../../src/detector.ts';

const removal = {
  eventSource: 'bedrock.amazonaws.com',
  eventName: 'DeleteModelInvocationLoggingConfiguration',
  requestParameters: null,
};

const logging = (textDataDeliveryEnabled: boolean) => ({
  eventSource: 'bedrock.amazonaws.com',
  eventName: 'PutModelInvocationLoggingConfiguration',
  requestParameters: { loggingConfig: { textDataDeliveryEnabled, s3Config: { bucketName: 'amzn-s3-demo-bucket' } } },
});

export const detector = defineDetector({
  id: 'model-guardrail-removed',
  version: 2,
  title: 'Logging or a guardrail of Bedrock models was removed',
  description:
    'Whoever sells access to stolen model capacity first makes sure that prompts are not recorded and not refused.',
  severity: 'medium',
  severityReason: 'Prepares expensive abuse; rarely part of daily work.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    all: [
      { event_source: 'bedrock.amazonaws.com', outcome: 'success' },
      {
        any: [
          {
            event_name: [
              'DeleteModelInvocationLoggingConfiguration',
              'DeleteGuardrail',
              // What a guardrail is changed to is hidden in the record, so each change counts.
              'UpdateGuardrail',
              'DeleteEnforcedGuardrailConfiguration',
            ],
          },
          {
            event_name: 'PutModelInvocationLoggingConfiguration',
            'request_parameters.loggingConfig.textDataDeliveryEnabled': false,
          },
        ],
      },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} in {aws_region} from {source_address}',
  falsePositives: ['A trial that is taken down.'],
  blindSpots: [
    'What a guardrail was changed to, which CloudTrail hides.',
    'Calls of models in other regions, where logging never was on.',
  ],
  response: ['Restore it and count InvokeModel calls per principal since.'],
  examples: [
    {
      name: 'each of the calls',
      records: [
        ...[
          'DeleteModelInvocationLoggingConfiguration',
          'DeleteGuardrail',
          'UpdateGuardrail',
          'DeleteEnforcedGuardrailConfiguration',
        ].map((eventName) => ({ ...removal, eventName })),
        logging(false),
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 5 }],
    },
    {
      name: 'the text of prompts goes on being delivered, or another call',
      records: [logging(true), { ...logging(false), eventName: 'GetModelInvocationLoggingConfiguration' }],
      alerts: [],
    },
    {
      name: 'the log of prompts is switched off',
      records: [removal],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'refused, read, or another service',
      records: [
        { ...removal, errorCode: 'AccessDeniedException' },
        { ...removal, eventName: 'GetModelInvocationLoggingConfiguration' },
        { ...removal, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
    {
      name: 'the other calls that it is about',
      records: ['DeleteGuardrail'].map((eventName) => ({
        eventName,
        eventSource: 'bedrock.amazonaws.com',
        requestParameters: null,
      })),
      alerts: [
        { subject: { account_id: '111122223333', principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 },
      ],
    },
  ],
});
