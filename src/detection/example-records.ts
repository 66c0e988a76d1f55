/** The records of an example as AWS would have written them: what it leaves out is filled in. */
import type { Example, ExampleRecord } from '../detector.ts';
import { durationMs, SECOND_MS } from '../time.ts';

export interface FilledRecord {
  /** The table that it goes to. */
  readonly table: string;
  readonly record: ExampleRecord;
  /** Null where its time is not readable, on purpose. */
  readonly timeMs: number | null;
}

type JsonRecord = Exclude<ExampleRecord, string>;

/** A call of the IAM user Alice, in the form of the AWS documentation's sample records. */
const ORDINARY_CALL: JsonRecord = {
  eventVersion: '1.11',
  userIdentity: {
    type: 'IAMUser',
    principalId: 'AIDACKCEVSQ6C2EXAMPLE',
    arn: 'arn:aws:iam::111122223333:user/Alice',
    accountId: '111122223333',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    userName: 'Alice',
  },
  awsRegion: 'us-east-1',
  sourceIPAddress: '192.0.2.44',
  userAgent: 'aws-cli/2.15.0',
  requestParameters: null,
  responseElements: null,
  readOnly: false,
  eventType: 'AwsApiCall',
  managementEvent: true,
  recipientAccountId: '111122223333',
  eventCategory: 'Management',
};

/** A page that somebody looks at, and that no rule minds. */
const ORDINARY_REQUEST: JsonRecord = {
  formatVersion: 1,
  webaclId: 'arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/shop/11111111-2222-3333-4444-555555555555',
  terminatingRuleId: 'Default_Action',
  terminatingRuleType: 'REGULAR',
  action: 'ALLOW',
  terminatingRuleMatchDetails: [],
  httpSourceName: 'ALB',
  httpSourceId: '111122223333-app/shop/0123456789abcdef',
  ruleGroupList: [],
  rateBasedRuleList: [],
  nonTerminatingMatchingRules: [],
  requestHeadersInserted: null,
  responseCodeSent: null,
};
const ORDINARY_HTTP: JsonRecord = {
  clientIp: '192.0.2.44',
  country: 'DE',
  headers: [
    { name: 'host', value: 'shop.example.com' },
    { name: 'user-agent', value: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/148.0' },
  ],
  uri: '/index.html',
  args: '',
  httpVersion: 'HTTP/2.0',
  httpMethod: 'GET',
};

/** Where a stream begins that names no time. */
const START_MS = Date.UTC(2025, 2, 3, 10);
/** From one record to the next where neither says when it happened. */
const STEP_MS = SECOND_MS;

/** Of so many one sees what all are like. */
const SAMPLES = 3;

type Entry = Example['records'][number];
type Repeated = Extract<Entry, { readonly repeat: number }>;
const isRepeated = (entry: Entry): entry is Repeated =>
  typeof entry === 'object' && 'repeat' in entry && 'every' in entry && 'record' in entry;

/** `table`: the detector's own; records of another one show by what they hold. */
export function recordsOf(example: Example, table: string): readonly FilledRecord[] {
  const filled: FilledRecord[] = [];
  let nextMs = START_MS;
  for (const entry of example.records) {
    const { repeat, every, record } = isRepeated(entry)
      ? entry
      : { repeat: 1, every: `${STEP_MS / SECOND_MS}s`, record: entry };
    const recordAt = (index: number): ExampleRecord => (typeof record === 'function' ? record(index) : record);
    const writtenMs = writtenTime(recordAt(0));
    const startMs = writtenMs ?? nextMs;
    const stepMs = durationMs(every);
    for (let index = 0; index < repeat; index += 1) {
      // A time that is meant to be unreadable stays as it is.
      const timeMs = Number.isNaN(startMs) ? null : startMs + index * stepMs;
      filled.push(fill(recordAt(index), tableOf(recordAt(index), table), filled.length + 1, timeMs));
    }
    if (!Number.isNaN(startMs)) nextMs = startMs + (repeat - 1) * stepMs + STEP_MS;
  }
  return filled;
}

/** What the records of an example look like: of many at a distance the first few. */
export function samplesOf(example: Example, table: string): readonly FilledRecord[] {
  const records = example.records.map((entry) =>
    isRepeated(entry) ? { ...entry, repeat: Math.min(entry.repeat, SAMPLES) } : entry,
  );
  return recordsOf({ ...example, records }, table);
}

function tableOf(record: ExampleRecord, table: string): string {
  if (typeof record === 'string') return 's3_access';
  if ('insightDetails' in record) return 'cloudtrail_insight';
  return 'eventSource' in record || 'eventName' in record ? 'cloudtrail' : table;
}

/** A time as access logs have it. */
const WRITTEN = /\[(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}:\d{2}:\d{2}) ([+-]\d{4})\]/u;

/** The time that an example gives; NaN for one that is no time, null where it gives none. */
function writtenTime(record: ExampleRecord): number | null {
  if (typeof record === 'string') {
    const written = WRITTEN.exec(record);
    return written === null
      ? null
      : Date.parse(`${written[1]} ${written[2]} ${written[3]} ${written[4]} ${written[5]}`);
  }
  const { eventTime, timestamp } = record;
  if (typeof timestamp === 'number') return timestamp;
  return typeof eventTime === 'string' ? Date.parse(eventTime) : null;
}

function fill(record: ExampleRecord, table: string, number: number, timeMs: number | null): FilledRecord {
  const digits = String(number).padStart(12, '0');
  if (typeof record === 'string') {
    const time = timeMs === null ? '-' : accessTime(timeMs);
    return {
      table,
      timeMs,
      record: record
        .replace(WRITTEN, `[${time}]`)
        .replaceAll('{time}', time)
        .replaceAll('{id}', `EXAMPLE0${digits.slice(-8)}`),
    };
  }
  if (table === 'waf') {
    const http = (record['httpRequest'] ?? {}) as JsonRecord;
    const httpRequest = { ...ORDINARY_HTTP, requestId: `1-11111111-${digits.padStart(24, '0')}`, ...http };
    return {
      table,
      timeMs,
      record: { ...ORDINARY_REQUEST, ...record, timestamp: timeMs ?? record['timestamp'], httpRequest },
    };
  }
  return {
    table,
    timeMs,
    record: {
      ...ORDINARY_CALL,
      eventID: `11111111-1111-4111-8111-${digits}`,
      requestID: `22222222-2222-4222-8222-${digits}`,
      ...record,
      eventTime: timeMs === null ? record['eventTime'] : new Date(timeMs).toISOString().replace('.000Z', 'Z'),
    },
  };
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `06/Feb/2025:00:00:38 +0000`, as access logs have it. */
function accessTime(timeMs: number): string {
  const [year = '', month = '', day = ''] = new Date(timeMs).toISOString().slice(0, 10).split('-');
  return `${day}/${MONTHS[Number(month) - 1]}/${year}:${new Date(timeMs).toISOString().slice(11, 19)} +0000`;
}
