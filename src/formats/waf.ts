/** The format `waf`: AWS WAF logs, one JSON record a request, with or without line ends between them. */
import type { Format } from '../format.ts';
import { IDENTIFYING_KEYS } from './cloudtrail-traits.ts';
import { createJsonDecoder, type JsonRecords } from './json-decoder.ts';
import { jsonHead } from './json-head.ts';
import { wafTable } from './waf-table.ts';

const RECORDS: JsonRecords = {
  table: wafTable,
  kind: 'log',
  eventTime: 'milliseconds',
  frame: {},
  firstKey: 'timestamp',
  ownKeys: ['webaclId', 'terminatingRuleId'],
  needed: [{ keys: ['webaclId'] }, { keys: ['httpRequest'] }],
  refused: [{ keys: IDENTIFYING_KEYS }],
  aside: [],
  notRecord: {
    reason: 'not-waf-record',
    detail: 'the object lacks webaclId or httpRequest, or has a key of CloudTrail: eventName, eventSource, eventID',
  },
  foreign: { reason: 'not-waf', detail: 'nothing here is an AWS WAF record: no webaclId, no terminatingRuleId' },
  other: null,
};

/** `AWSLogs/<account>/WAFLogs/…`, and the buckets and streams whose names AWS WAF demands to begin so. */
const KEY = /(?:^|[/_!])WAFLogs\/|(?:^|[/_:])aws-waf-logs-/;

export const wafFormat: Format = {
  name: 'waf',
  table: wafTable,
  sniff(head, key) {
    if (/"webaclId"\s*:/.test(jsonHead(head) ?? '')) return 'content';
    return KEY.test(key) ? 'key' : null;
  },
  createDecoder: (limits) => createJsonDecoder(RECORDS, limits),
};
