/** CloudTrail stops recording: what an intruder does first to go unseen. */
import { defineDetector } from '../../src/detector.ts';

const stop = {
  eventSource: 'cloudtrail.amazonaws.com',
  eventName: 'StopLogging',
  requestParameters: { name: 'management-events' },
};

export const detector = defineDetector({
  id: 'trail-logging-stopped',
  title: 'CloudTrail logging was stopped',
  description:
    'StopLogging and DeleteTrail end the delivery of a trail. The call itself is the last thing that trail records. Event data stores of CloudTrail Lake can be stopped and deleted likewise.',
  severity: 'critical',
  severityReason: 'From here on the account is dark; there is hardly an innocent reason outside of a migration.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    all: [
      {
        event_source: 'cloudtrail.amazonaws.com',
        event_name: ['StopLogging', 'DeleteTrail', 'StopEventDataStoreIngestion', 'DeleteEventDataStore'],
        outcome: 'success',
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} on {request_parameters.name}{request_parameters.eventDataStore} in {aws_region} from {source_address}',
  falsePositives: ['A trail that is replaced by an organization trail.'],
  blindSpots: [
    'A bucket that can no longer be written to stops delivery just as well and shows no such call.',
    'A trail of another region or account that was never collected.',
  ],
  response: [
    'Start the trail again, then list all calls of the same access_key_id before and after.',
    'What happened while it was off is still in the event history of the console, for 90 days, management events only.',
    'Run the saved question access-key-activity for access_key_id.',
  ],
  examples: [
    {
      name: 'an intruder stops the trail',
      records: [stop],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' }, count: 1 }],
    },
    {
      name: 'an intruder deletes the trail',
      records: [{ ...stop, eventName: 'DeleteTrail' }],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    { name: 'the call is refused', records: [{ ...stop, errorCode: 'AccessDenied' }], alerts: [] },
    { name: 'the trail does not exist', records: [{ ...stop, errorCode: 'TrailNotFoundException' }], alerts: [] },
    { name: 'the trail is started', records: [{ ...stop, eventName: 'StartLogging' }], alerts: [] },
    {
      name: 'a call of that name at another service',
      records: [{ ...stop, eventSource: 'example.amazonaws.com' }],
      alerts: [],
    },
    {
      name: 'an AWS service retires its own trail',
      records: [{ ...stop, userIdentity: { type: 'AWSService', invokedBy: 'cloudtrail.amazonaws.com' } }],
      alerts: [],
    },
  ],
});
