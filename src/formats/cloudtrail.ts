/** The format `cloudtrail`: log files with management, data and network activity events. */
import { type Format, REJECT_TEXT_BYTES } from '../format.ts';
import { cloudtrailTable } from './cloudtrail-table.ts';
import { createJsonDecoder, type JsonRecords } from './json-decoder.ts';

/** A record carries one of these, or it is none of CloudTrail's. */
const IDENTIFYING_KEYS = ['eventName', 'eventSource', 'eventID'];

const RECORDS: JsonRecords = {
  table: cloudtrailTable,
  kind: 'log',
  eventTime: 'text',
  frame: { Records: 'records', digestStartTime: 'digest', digestS3Object: 'digest' },
  firstKey: 'eventVersion',
  ownKeys: ['eventVersion', ...IDENTIFYING_KEYS],
  needed: [{ keys: IDENTIFYING_KEYS }],
  // S3 tells of new log files in records of the same shape, from `aws:s3`.
  refused: [{ texts: [{ column: 'event_source', startsWith: 'aws:' }] }],
  aside: [
    {
      keys: ['insightDetails'],
      texts: [
        { column: 'event_category', is: 'Insight' },
        { column: 'event_type', is: 'AwsCloudTrailInsight' },
      ],
    },
  ],
  notRecord: {
    reason: 'not-cloudtrail-record',
    detail: 'the object has none of eventName, eventSource and eventID, or its eventSource begins with `aws:`',
  },
  foreign: {
    reason: 'not-cloudtrail',
    detail:
      'nothing here is a CloudTrail record: no list of `Records`, no eventVersion, eventName, eventSource or eventID',
  },
  other: {
    kind: 'insights',
    reason: 'insights-record',
    one: 'an Insights event in a log file',
    before: (count) => `${count} Insights events before the first event of a log file`,
  },
};

/** What the content of CloudTrail's files shows in its first bytes. */
const SIGNATURE =
  /"(?:eventVersion|eventSource|eventName|eventID|digestStartTime|digestS3Object|insightDetails)"\s*:|^\s*\{\s*"Records"\s*:/;
/** `…/CloudTrail/…`, its digests and Insights, and file names with `_CloudTrail_`. */
const KEY = /(?:^|[/_!])CloudTrail(?:-Digest|-Insight)?[/_]/;

export const cloudtrailFormat: Format = {
  name: 'cloudtrail',
  table: cloudtrailTable,
  sniff(head, key) {
    const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, REJECT_TEXT_BYTES))
      .toString('latin1')
      .replace(/^\xef\xbb\xbf/, '');
    if (/^\s*[[{]/.test(text) && SIGNATURE.test(text)) return 'content';
    return KEY.test(key) ? 'key' : null;
  },
  createDecoder: (limits) => createJsonDecoder(RECORDS, limits),
};
