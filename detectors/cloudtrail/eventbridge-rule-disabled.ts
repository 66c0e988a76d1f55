/** An EventBridge rule no longer fires. */
import { defineDetector } from '../../src/detector.ts';

const off = {
  eventSource: 'events.amazonaws.com',
  eventName: 'DisableRule',
  requestParameters: { name: 'security-findings-to-chat', eventBusName: 'default' },
};

export const detector = defineDetector({
  id: 'eventbridge-rule-disabled',
  version: 2,
  title: 'An EventBridge rule was disabled or deleted',
  description:
    'Many alarms and automatic answers hang on a rule. Disabling it silences them while everything behind looks intact.',
  severity: 'low',
  severityReason: 'Rules come and go with every application; the name says whether it mattered.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.001', version: 16 }],
  tags: ['defense-evasion'],
  when: {
    all: [
      {
        event_source: 'events.amazonaws.com',
        event_name: ['DisableRule', 'DeleteRule', 'RemoveTargets'],
        outcome: 'success',
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.name}{request_parameters.rule} in {aws_region} from {source_address}',
  falsePositives: ['Deployments that replace their rules.'],
  blindSpots: ['A rule whose pattern is changed so that nothing matches (PutRule).'],
  response: ['If the rule carries alarms, enable it and look at what happened meanwhile.'],
  examples: [
    {
      name: 'each of the calls',
      records: ['DisableRule', 'DeleteRule', 'RemoveTargets'].map((eventName) => ({ ...off, eventName })),
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 }],
    },
    {
      name: 'a rule is disabled',
      records: [off],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'refused, enabled, a rule of IoT, or by an AWS service',
      records: [
        { ...off, errorCode: 'AccessDeniedException' },
        { ...off, eventName: 'EnableRule' },
        { ...off, eventName: 'DeleteRule', eventSource: 'elasticloadbalancing.amazonaws.com' },
        { ...off, userIdentity: { type: 'AWSService', invokedBy: 'autoscaling.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
