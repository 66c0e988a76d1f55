/** A trail is told to leave out management events, or the changes among them. */
import { defineDetector } from '../../src/detector.ts';

const put = (requestParameters: object) => ({
  eventSource: 'cloudtrail.amazonaws.com',
  eventName: 'PutEventSelectors',
  requestParameters: { trailName: 'management-events', ...requestParameters },
});
const selector = (readWriteType: string, includeManagementEvents: boolean) => ({
  readWriteType,
  includeManagementEvents,
  dataResources: [],
  excludeManagementEventSources: [],
});
const advanced = (category: string) => ({
  name: 'selector',
  fieldSelectors: [{ field: 'eventCategory', equals: [category] }],
});
const cut = put({ eventSelectors: [selector('All', false)] });

export const detector = defineDetector({
  id: 'event-selectors-cut',
  title: 'A trail was told to leave out management events',
  description:
    'The trail goes on and looks healthy, but no selector of it records management events any more, or only the reading ones. Basic and advanced selectors are both understood.',
  severity: 'high',
  severityReason: 'Hides every change in the account while the trail shows as logging.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.008', version: 16 }],
  tags: ['defense-evasion', 'log-protection'],
  when: {
    all: [
      { event_source: 'cloudtrail.amazonaws.com', event_name: 'PutEventSelectors', outcome: 'success' },
      {
        any: [
          {
            all: [
              { 'request_parameters.eventSelectors[].includeManagementEvents': false },
              { not: { 'request_parameters.eventSelectors[].includeManagementEvents': true } },
            ],
          },
          {
            all: [
              { 'request_parameters.eventSelectors[].readWriteType': 'ReadOnly' },
              { not: { 'request_parameters.eventSelectors[].readWriteType': ['All', 'WriteOnly'] } },
            ],
          },
          {
            all: [
              { 'request_parameters.advancedEventSelectors[].fieldSelectors[].field': 'eventCategory' },
              { not: { 'request_parameters.advancedEventSelectors[].fieldSelectors[].equals[]': 'Management' } },
            ],
          },
        ],
      },
      { not: { actor_type: 'service' } },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} cut the event selectors of trail {request_parameters.trailName} in {aws_region} from {source_address}',
  falsePositives: ['A second trail that is meant for data events only, beside one that keeps the management events.'],
  blindSpots: [
    'Advanced selectors that keep the category but exclude sources or names with notEquals.',
    'Whether another trail still records what this one leaves out.',
  ],
  response: [
    'Read the selectors of all trails of the account and restore the management events.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'management events are switched off',
      records: [cut],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'only reading calls are kept',
      records: [put({ eventSelectors: [selector('ReadOnly', true)] })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'advanced selectors without the management category',
      records: [put({ advancedEventSelectors: [advanced('Data')] })],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'another selector of the trail still records everything',
      records: [
        put({ eventSelectors: [selector('All', false), selector('All', true)] }),
        put({ eventSelectors: [selector('ReadOnly', true), selector('WriteOnly', true)] }),
        put({ eventSelectors: [selector('ReadOnly', true), selector('All', true)] }),
        put({ advancedEventSelectors: [advanced('Data'), advanced('Management')] }),
      ],
      alerts: [],
    },
    {
      name: 'everything is recorded',
      records: [
        put({ eventSelectors: [selector('All', true)] }),
        put({ advancedEventSelectors: [advanced('Management')] }),
      ],
      alerts: [],
    },
    {
      name: 'refused, only read, another service, or by an AWS service',
      records: [
        { ...cut, errorCode: 'AccessDenied' },
        { ...cut, eventName: 'GetEventSelectors' },
        { ...cut, eventSource: 'example.amazonaws.com' },
        { ...cut, userIdentity: { type: 'AWSService', invokedBy: 'controltower.amazonaws.com' } },
      ],
      alerts: [],
    },
  ],
});
