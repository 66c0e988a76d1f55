/** The format `cloudtrail`: log files with management, data and network activity events. */
import { type Format, HEAD_BYTES } from '../format.ts';
import { cloudtrailTable } from './cloudtrail-table.ts';
import { beginsWithInsight, FIRST_KEY, FRAME, IDENTIFYING_KEYS, INSIGHT } from './cloudtrail-traits.ts';
import { createJsonDecoder, type JsonRecords } from './json-decoder.ts';
import { jsonHead } from './json-head.ts';

const RECORDS: JsonRecords = {
  table: cloudtrailTable,
  kind: 'log',
  eventTime: 'text',
  frame: FRAME,
  firstKey: FIRST_KEY,
  ownKeys: [FIRST_KEY, ...IDENTIFYING_KEYS],
  needed: [{ keys: IDENTIFYING_KEYS }],
  // S3 tells of new log files in records of the same shape, from `aws:s3`.
  refused: [{ texts: [{ column: 'event_source', startsWith: 'aws:' }] }],
  aside: [INSIGHT],
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
  /"(?:eventVersion|eventSource|eventName|eventID|digestStartTime|digestS3Object)"\s*:|^\s*\{\s*"Records"\s*:/;
/**
 * What AWS delivers is a document in one line, and begins so. Notifications of S3, which have the same shape, have versions from 2 on, and Insights events no
 * identity.
 */
const DELIVERED = /^\{"Records":\[\{"eventVersion":"1\.\d+","userIdentity":/;
const DELIVERED_BYTES = 64;
const NEWLINE = 0x0a;
/** `…/CloudTrail/…`, its digests, and file names with `_CloudTrail_`. */
const KEY = /(?:^|[/_!])CloudTrail(?:-Digest)?[/_]/;

export const cloudtrailFormat: Format = {
  name: 'cloudtrail',
  table: cloudtrailTable,
  sniff(head, key) {
    const text = jsonHead(head);
    // Files of Insights events have a format of their own.
    if (text !== null && beginsWithInsight(text)) return null;
    if (text !== null && SIGNATURE.test(text)) return 'content';
    return KEY.test(key) ? 'key' : null;
  },
  isAsDelivered(bytes) {
    const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES));
    return DELIVERED.test(head.toString('latin1', 0, DELIVERED_BYTES)) && !head.includes(NEWLINE);
  },
  createDecoder: (limits) => createJsonDecoder(RECORDS, limits),
};
