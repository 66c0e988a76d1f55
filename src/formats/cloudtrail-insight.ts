/** The format `cloudtrail_insight`: files of Insights events, which CloudTrail delivers beside its log files under `CloudTrail-Insight/`. */
import type { Format } from '../format.ts';
import { cloudtrailInsightTable } from './cloudtrail-insight-table.ts';
import { beginsWithInsight, FIRST_KEY, FRAME, INSIGHT } from './cloudtrail-traits.ts';
import { createJsonDecoder, type JsonRecords } from './json-decoder.ts';
import { jsonHead } from './json-head.ts';

const RECORDS: JsonRecords = {
  table: cloudtrailInsightTable,
  kind: 'insights',
  eventTime: 'text',
  frame: FRAME,
  firstKey: FIRST_KEY,
  ownKeys: ['insightDetails'],
  needed: [INSIGHT],
  refused: [],
  aside: [],
  notRecord: {
    reason: 'not-insights-record',
    detail:
      'the object has no insightDetails, its eventCategory is not Insight and its eventType not AwsCloudTrailInsight',
  },
  foreign: {
    reason: 'not-insights',
    detail: 'nothing here is an Insights event: no list of `Records`, no insightDetails',
  },
  other: null,
};

/** `…/CloudTrail-Insight/…` and file names with `_CloudTrail-Insight_`. */
const KEY = /(?:^|[/_!])CloudTrail-Insight[/_]/;

export const cloudtrailInsightFormat: Format = {
  name: 'cloudtrail_insight',
  table: cloudtrailInsightTable,
  sniff(head, key) {
    if (beginsWithInsight(jsonHead(head) ?? '')) return 'content';
    return KEY.test(key) ? 'key' : null;
  },
  createDecoder: (limits) => createJsonDecoder(RECORDS, limits),
};
