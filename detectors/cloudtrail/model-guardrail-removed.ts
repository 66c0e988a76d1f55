/** The log or a guardrail of Bedrock models was removed. */
import { defineDetector } from '../../src/detector.ts';

const removal = {
  eventSource: 'bedrock.amazonaws.com',
  eventName: 'DeleteModelInvocationLoggingConfiguration',
  requestParameters: null,
};

export const detector = defineDetector({
  id: 'model-guardrail-removed',
  title: 'Logging or a guardrail of Bedrock models was removed',
  description:
    'Whoever sells access to stolen model capacity first makes sure that prompts are not recorded and not refused.',
  severity: 'medium',
  severityReason: 'Prepares expensive abuse; rarely part of daily work.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    event_source: 'bedrock.amazonaws.com',
    event_name: ['DeleteModelInvocationLoggingConfiguration', 'DeleteGuardrail'],
    outcome: 'success',
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} in {aws_region} from {source_address}',
  falsePositives: ['A trial that is taken down.'],
  blindSpots: [
    'Guardrails that are loosened (UpdateGuardrail).',
    'Calls of models in other regions, where logging never was on.',
  ],
  response: ['Restore it and count InvokeModel calls per principal since.'],
  examples: [
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
