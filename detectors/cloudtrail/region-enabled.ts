/** A region that was off by default was switched on. */
import { defineDetector } from '../../src/detector.ts';

const enabling = {
  eventSource: 'account.amazonaws.com',
  eventName: 'EnableRegion',
  requestParameters: { RegionName: 'af-south-1' },
};

export const detector = defineDetector({
  id: 'region-enabled',
  title: 'A region was enabled',
  description:
    'Newer regions are off until somebody enables them. Nobody looks there: no guard is set up, no trail of single regions covers it.',
  severity: 'medium',
  severityReason: 'A hiding place for servers somebody else pays for; otherwise a planned step that happens once.',
  table: 'cloudtrail',
  attack: [{ technique: 'T1535', version: 16 }],
  tags: ['defense-evasion'],
  when: { event_source: 'account.amazonaws.com', event_name: 'EnableRegion', outcome: 'success' },
  slot: 'event',
  subject: ['account_id', 'principal'],
  summary:
    '{principal} enabled the region {request_parameters.RegionName} in account {account_id} from {source_address}',
  falsePositives: ['The business really goes there.'],
  blindSpots: ['Regions that are always on: region-first-used.'],
  response: [
    'If nobody knows of it, disable the region and look for resources in it.',
    'Run the saved question regions-in-use.',
  ],
  examples: [
    {
      name: 'a region is enabled',
      records: [enabling],
      alerts: [{ subject: { principal: 'arn:aws:iam::111122223333:user/Alice' } }],
    },
    {
      name: 'refused, looked at, or another service',
      records: [
        { ...enabling, errorCode: 'AccessDenied' },
        { ...enabling, eventName: 'GetRegionOptStatus' },
        { ...enabling, eventSource: 'example.amazonaws.com' },
      ],
      alerts: [],
    },
  ],
});
