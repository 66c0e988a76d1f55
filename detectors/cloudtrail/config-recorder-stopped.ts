/** AWS Config no longer records how resources change. */
import { defineDetector } from '../../src/detector.ts';

const stop = {
  eventSource: 'config.amazonaws.com',
  eventName: 'StopConfigurationRecorder',
  requestParameters: { configurationRecorderName: 'default' },
};

export const detector = defineDetector({
  id: 'config-recorder-stopped',
  title: 'AWS Config was stopped',
  description:
    'The recorder was stopped or deleted, or its delivery channel removed: changes to resources are no longer recorded and rules no longer judged.',
  severity: 'high',
  severityReason: 'Takes away the second witness beside CloudTrail; rare outside of a migration.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.001', version: 16 }],
  tags: ['defense-evasion'],
  when: {
    all: [
      {
        event_source: 'config.amazonaws.com',
        event_name: ['StopConfigurationRecorder', 'DeleteConfigurationRecorder', 'DeleteDeliveryChannel'],
        outcome: 'success',
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: '1h',
  subject: ['account_id', 'principal'],
  summary: '{principal} called {event_name} in {aws_region} from {source_address}',
  falsePositives: [
    'A delivery channel can only be changed while the recorder stands still: a pipeline stops and starts it.',
  ],
  blindSpots: ['A recorder that is told to leave out resource types (PutConfigurationRecorder).'],
  response: ['Start the recorder, then look at what changed meanwhile: saved question recent-changes.'],
  examples: [
    {
      name: 'the recorder is stopped and deleted, and its delivery channel as well',
      records: [
        stop,
        { ...stop, eventName: 'DeleteConfigurationRecorder' },
        { ...stop, eventName: 'DeleteDeliveryChannel' },
      ],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 3 }],
    },
    {
      name: 'refused, started, another service, or by an AWS service',
      records: [
        { ...stop, errorCode: 'AccessDenied' },
        { ...stop, eventName: 'StartConfigurationRecorder' },
        { ...stop, eventSource: 'example.amazonaws.com' },
        { ...stop, userIdentity: { type: 'AWSService', invokedBy: 'controltower.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
