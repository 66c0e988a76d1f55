/** Example events of published rules as log files: what they leave out is filled in, and each stands on a day and in an account of its own, so that none touches another. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { recordsOf } from '../../src/detection/example-records.ts';
import type { ExampleRecord } from '../../src/detector.ts';
import { DAY_MS } from '../../src/time.ts';

type Json = Readonly<Record<string, unknown>>;

/** A text or a number as text; of anything else nothing. */
const plain = (value: unknown): string | undefined =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;

/** One line of the file of cases. */
export interface RuleCase {
  readonly rule_id: string;
  readonly title: string;
  readonly severity: string;
  readonly test_name: string;
  readonly log_type: string;
  /** The verdict of that rule, and of no other. */
  readonly expected: boolean;
  readonly event: Json;
}

/** How often the event happens, for rules that count. */
export interface Repetition {
  readonly times: number;
  /** Paths in the event whose values become others each time, such as `requestParameters.instanceId`; those that an event has not stay away. */
  readonly vary?: readonly string[];
}

/** Which of our tables holds such events. */
const TABLE_OF: Readonly<Record<string, string>> = {
  'AWS.CloudTrail': 'cloudtrail',
  'AWS.S3ServerAccess': 's3_access',
  'AWS.WAFWebACL': 'waf',
};
export const isOurs = ({ log_type }: RuleCase): boolean => log_type in TABLE_OF;

const START_MS = Date.UTC(2025, 0, 1, 10);
/** A day between two cases, which no slot and no burst reaches over. */
const APART_MS = 2 * DAY_MS;
const FIRST_ACCOUNT = 600_000_000_000;
/** The account of records that name none. */
const USUAL_ACCOUNT = '111122223333';

/** The case in whose days this time lies. */
export const caseAt = (time: string): number => Math.floor((Date.parse(time) - START_MS) / APART_MS);

/** Writes the case with this number under `dir`. */
export function writeCase(dir: string, one: RuleCase, number: number, { times, vary = [] }: Repetition): void {
  const table = TABLE_OF[one.log_type];
  if (table === undefined) throw new Error(`no table of ours holds ${one.log_type}`);
  const startMs = START_MS + number * APART_MS;
  // S3 names its log files by time, and has no extension.
  const name = table === 's3_access' ? `2025-01-01-00-00-00-${idDigits(number, 0)}` : `${idDigits(number, 0)}.json`;
  const path = join(dir, table, name);
  mkdirSync(dirname(path), { recursive: true });
  const varied = (index: number): Json =>
    index === 0 ? one.event : vary.reduce((event, at) => changed(event, at, index), one.event);
  const record = (index: number): ExampleRecord => {
    if (table === 's3_access') return accessLine(varied(index), number, startMs);
    if (table === 'waf') return inAccount({ ...varied(index), timestamp: startMs }, number);
    return {
      ...inAccount(varied(index), number),
      eventTime: new Date(startMs).toISOString(),
      eventID: `00000000-0000-4000-8000-${idDigits(number, index)}`,
      requestID: `00000000-0000-4000-9000-${idDigits(number, index)}`,
    };
  };
  const records = recordsOf(
    { name: one.test_name, records: [{ repeat: times, every: '1s', record }], alerts: [] },
    table,
  ).map((filled) => filled.record);
  writeFileSync(
    path,
    table === 'cloudtrail'
      ? JSON.stringify({ Records: records })
      : records.map((each) => `${typeof each === 'string' ? each : JSON.stringify(each)}\n`).join(''),
  );
}

const idDigits = (number: number, index: number): string =>
  `${String(number).padStart(6, '0')}${String(index).padStart(6, '0')}`;

/** The event with another text, or a list of others, at the path. */
function changed(event: Json, path: string, index: number): Json {
  const [key = '', ...rest] = path.split('.');
  const value = event[key];
  if (value === undefined || value === null) return event;
  if (rest.length > 0) return { ...event, [key]: changed(value as Json, rest.join('.'), index) };
  const other = (text: unknown): string => `${String(text)}-${index}`;
  return { ...event, [key]: Array.isArray(value) ? value.map(other) : other(value) };
}

/** The account that keeps the record becomes one of its own, wherever it is named. */
function inAccount(event: Json, number: number): Json {
  const identity = event['userIdentity'] as Json | undefined;
  const inArn = /^arn:[^:]*:[^:]*:[^:]*:(\d{12}):/u.exec(plain(event['webaclId']) ?? '')?.[1];
  const own = plain(event['recipientAccountId']) ?? plain(identity?.['accountId']) ?? inArn ?? USUAL_ACCOUNT;
  const account = String(FIRST_ACCOUNT + number);
  const moved = JSON.parse(JSON.stringify(event).replaceAll(own, account)) as Json;
  return 'webaclId' in event ? moved : { recipientAccountId: account, ...moved };
}

/** The fields of an access log line that come after the time, in order, by their names in the cases. */
const ACCESS_FIELDS = [
  'remoteip',
  'requester',
  'requestid',
  'operation',
  'key',
  '"requesturi"',
  'httpstatus',
  'errorcode',
  'bytessent',
  'objectsize',
  'totaltime',
  'turnaroundtime',
  '"referrer"',
  '"useragent"',
  'versionid',
  'hostid',
  'signatureversion',
  'ciphersuite',
  'authenticationtype',
  'hostheader',
  'tlsversion',
] as const;
/** What the cases leave out and every request has. */
const USUAL_REQUEST: Json = { operation: 'REST.GET.OBJECT', httpstatus: 200, remoteip: '192.0.2.44' };

/** A canonical user id is 64 digits long; those of the cases were cut. */
const OWNER = '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be';

function accessLine(event: Json, number: number, startMs: number): string {
  const known: Json = { ...USUAL_REQUEST, tlsversion: event['tlsVersion'], ...event, requestid: '{id}' };
  const fields = ACCESS_FIELDS.map((name) => {
    const value = plain(known[name.replaceAll('"', '')]);
    const text = value === undefined || value === '' ? '-' : value;
    return name.startsWith('"') ? `"${text}"` : text;
  });
  const time = new Date(startMs);
  const month = time.toLocaleString('en', { month: 'short', timeZone: 'UTC' });
  const stamp = `${String(time.getUTCDate()).padStart(2, '0')}/${month}/${time.getUTCFullYear()}:${time.toISOString().slice(11, 19)} +0000`;
  return `${OWNER} ${plain(known['bucket'])}-${number} [${stamp}] ${fields.join(' ')} - -`;
}
