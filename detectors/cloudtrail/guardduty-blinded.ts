/** GuardDuty keeps running but was told what to overlook. */
import { defineDetector } from '../../src/detector.ts';

const call = (eventName: string, requestParameters: object) => ({
  eventSource: 'guardduty.amazonaws.com',
  eventName,
  requestParameters: { detectorId: '12abc34d567e8fa901bc2d34e56789f0', ...requestParameters },
});

const ALERT = { subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } };

export const detector = defineDetector({
  id: 'guardduty-blinded',
  version: 2,
  title: 'GuardDuty was told to overlook something',
  description:
    'A list of trusted addresses or domains silences every finding about them; a filter that archives hides findings as they come; without its publishing destination findings are not kept.',
  severity: 'medium',
  severityReason: 'A quiet way past the guard; tuning it looks the same.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1562.001', version: 16 }],
  tags: ['defense-evasion'],
  when: {
    all: [
      { event_source: 'guardduty.amazonaws.com', outcome: 'success' },
      {
        any: [
          {
            event_name: [
              'CreateIPSet',
              'UpdateIPSet',
              'CreateTrustedEntitySet',
              'UpdateTrustedEntitySet',
              'DeletePublishingDestination',
            ],
          },
          { event_name: ['CreateFilter', 'UpdateFilter'], 'request_parameters.action': 'ARCHIVE' },
        ],
      },
    ],
  },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} called {event_name} ({request_parameters.name}) on GuardDuty in {aws_region} from {source_address}',
  falsePositives: ['Somebody tunes GuardDuty: a scanner on the list, a filter for a known finding.'],
  blindSpots: ['Findings that are archived one by one (ArchiveFindings).'],
  response: [
    'Read the list or the filter, and the findings it has hidden since.',
    'Run the saved question principal-timeline for the principal.',
  ],
  examples: [
    {
      name: 'a trusted list is laid down or changed, and the destination of findings deleted',
      records: [
        call('CreateIPSet', { name: 'office', location: 's3://amzn-s3-demo-bucket/list.txt', activate: true }),
        call('UpdateIPSet', {}),
        call('CreateTrustedEntitySet', {}),
        call('UpdateTrustedEntitySet', {}),
        call('DeletePublishingDestination', {}),
      ],
      alerts: Array.from({ length: 5 }, () => ALERT),
    },
    {
      name: 'a filter archives findings',
      records: [
        call('CreateFilter', { name: 'noise', action: 'ARCHIVE' }),
        call('UpdateFilter', { filterName: 'noise', action: 'ARCHIVE' }),
      ],
      alerts: [ALERT, ALERT],
    },
    { name: 'a filter only sorts', records: [call('CreateFilter', { name: 'noise', action: 'NOOP' })], alerts: [] },
    {
      name: 'refused, other calls, or a filter of another service',
      records: [
        { ...call('CreateIPSet', {}), errorCode: 'AccessDenied' },
        call('ListIPSets', {}),
        call('GetFilter', { action: 'ARCHIVE' }),
        { ...call('CreateFilter', { action: 'ARCHIVE' }), eventSource: 'inspector2.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
