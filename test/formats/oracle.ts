/** What a row of `cloudtrail` should hold, told by JSON.parse and plain TypeScript: slow, and written apart from the scanner. */
import { createHash } from 'node:crypto';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { rawColumns } from '../../src/table.ts';
import { DAY_MS } from '../../src/time.ts';
import { DELIVERED_DAY, INGESTED_AT_MS, LOG_FILE, type Row, type Value } from './decode.ts';

const FIELDS = rawColumns(cloudtrailTable).flatMap((column) =>
  column.raw === undefined ? [] : [{ ...column, path: column.raw.split('.') }],
);
const TOP_KEYS = new Set(FIELDS.map(({ path }) => path[0] ?? ''));
const TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d+))?(?:Z|([+-])(\d{2}):?(\d{2}))$/;
const EARLIEST = BigInt(Date.UTC(2013, 0, 1)) * 1000n;
const LATEST = BigInt(INGESTED_AT_MS + DAY_MS) * 1000n;
const MICROS_PER_DAY = BigInt(DAY_MS) * 1000n;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

export interface Member {
  readonly key: string;
  /** The value as it is written. */
  readonly raw: string;
}

/** Position after the JSON value at `start` of a valid text. */
function valueEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; ) {
    const char = text[at] ?? '';
    if (char === '"') {
      at++;
      while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
      at++;
      if (depth === 0) return at;
    } else if (char === '{' || char === '[') {
      depth++;
      at++;
    } else if (char === '}' || char === ']') {
      if (depth === 0) return at;
      depth--;
      at++;
      if (depth === 0) return at;
    } else if (depth === 0 && /[\s,]/.test(char)) return at;
    else at++;
  }
  return text.length;
}

const skipSpace = (text: string, at: number): number => {
  while (/\s/.test(text[at] ?? '')) at++;
  return at;
};

/** The members of a valid JSON object in order, repeats and all; null when the text is no object. */
export function membersOf(text: string): Member[] | null {
  if (text[0] !== '{') return null;
  const members: Member[] = [];
  let at = skipSpace(text, 1);
  while (text[at] !== '}') {
    if (text[at] === ',') at = skipSpace(text, at + 1);
    const keyEnd = valueEnd(text, at);
    const key = JSON.parse(text.slice(at, keyEnd)) as string;
    const start = skipSpace(text, skipSpace(text, keyEnd) + 1);
    const end = valueEnd(text, start);
    members.push({ key, raw: text.slice(start, end) });
    at = skipSpace(text, end);
  }
  return members;
}

const first = (members: readonly Member[] | null, key: string): string | undefined =>
  members?.find((member) => member.key === key)?.raw;

function rawAt(record: readonly Member[], path: readonly string[]): string | undefined {
  let members: readonly Member[] | null = record;
  let raw: string | undefined;
  for (const key of path) {
    raw = first(members, key);
    if (raw === undefined) return undefined;
    members = membersOf(raw);
  }
  return raw;
}

/** Microseconds since 1970, or null when the text is no ISO 8601 time with a day that exists. */
function timeOf(text: string): bigint | null {
  const parts = TIME.exec(text);
  if (parts === null) return null;
  const [, year, month, day, hour, minute, second, fraction = '', sign = '+', zoneHour = '0', zoneMinute = '0'] = parts;
  const date = new Date(0);
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  if (
    date.getUTCFullYear() !== Number(year) ||
    date.getUTCMonth() !== Number(month) - 1 ||
    date.getUTCDate() !== Number(day)
  )
    return null;
  if (Number(year) < 1 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return null;
  if (Number(zoneHour) > 23 || Number(zoneMinute) > 59) return null;
  const offset = (sign === '-' ? -1 : 1) * (Number(zoneHour) * 60 + Number(zoneMinute));
  const seconds = date.getTime() / 1000 + Number(hour) * 3600 + (Number(minute) - offset) * 60 + Number(second);
  return BigInt(seconds) * 1_000_000n + BigInt(fraction.padEnd(6, '0').slice(0, 6));
}

/** Rewrites unpaired surrogate escapes. */
export function rewrite(text: string): string {
  const escapes =
    /\\(?:(u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(u[dD][89a-fA-F][0-9a-fA-F]{2})|[^])/g;
  return text.replace(escapes, (whole, _pair, lone) => (lone === undefined ? whole : '\\ufffd'));
}

function digest(text: string): Buffer {
  return createHash('md5').update(text).digest();
}

/** The 24 bytes of Batch.identity. */
function identityOf(eventId: Value | undefined, facts: readonly Value[]): string {
  const bytes = Buffer.alloc(24);
  if (eventId !== undefined && eventId !== '') {
    const id = UUID.test(String(eventId))
      ? Buffer.from(String(eventId).replaceAll('-', ''), 'hex')
      : digest(String(eventId));
    bytes.writeBigUInt64LE(id.readBigUInt64BE(8), 0);
    bytes.writeBigUInt64LE(id.readBigUInt64BE(0), 8);
  }
  digest(facts.join('\x1f')).copy(bytes, 16, 8, 16);
  return bytes.toString('hex');
}

/** The row of a record whose text JSON.parse accepts as an object; `extra` apart, as the members that it should hold. */
export function expectedRow(original: string, recordNo: number): { row: Row; extra: Member[] } {
  const text = rewrite(original);
  const record = membersOf(text) ?? [];
  const row: Row = { log_file: LOG_FILE, record_no: recordNo };
  const unfit = new Set<string>();
  for (const { name, type, json, path } of FIELDS) {
    const raw = rawAt(record, path);
    if (raw === undefined || raw === 'null') continue;
    const value: unknown = JSON.parse(raw);
    if (json === true) row[name] = raw;
    else if (type === 'BOOLEAN') {
      const literal = typeof value === 'string' ? value.toLowerCase() : String(value);
      const isBoolean = (literal === 'true' || literal === 'false') && typeof value !== 'object';
      if (isBoolean) row[name] = literal === 'true';
      else unfit.add(path.join('.'));
    } else if (type === 'TIMESTAMP') {
      const time = typeof value === 'string' ? timeOf(value) : null;
      if (time !== null && (name !== 'event_time' || (time >= EARLIEST && time <= LATEST))) row[name] = time;
      else unfit.add(path.join('.'));
    } else row[name] = typeof value === 'string' ? value : raw;
  }
  const seen = new Set<string>();
  const extra = record.filter(({ key }) => {
    const isRepeat = seen.has(key);
    seen.add(key);
    return !TOP_KEYS.has(key) || isRepeat || unfit.has(key);
  });
  if (text !== original) extra.push({ key: 'trailhound_rewritten', raw: '"lone surrogate"' });
  const time = row['event_time'];
  row['event_day'] = typeof time === 'bigint' ? Number(time / MICROS_PER_DAY) : DELIVERED_DAY;
  row['has_identity'] = row['event_id'] !== undefined && row['event_id'] !== '';
  row['identity'] = identityOf(row['event_id'], [
    time ?? '',
    row['event_source'] ?? '',
    row['event_name_raw'] ?? '',
    row['account_id'] ?? '',
  ]);
  return { row, extra };
}

/** Whether the object is a record of CloudTrail, by its keys. */
export function isRecord(text: string): boolean {
  const record = membersOf(rewrite(text)) ?? [];
  const source = first(record, 'eventSource');
  const value: unknown = source === undefined ? undefined : JSON.parse(source);
  const isNotification = (typeof value === 'string' ? value : (source ?? '')).startsWith('aws:');
  return ['eventName', 'eventSource', 'eventID'].some((key) => first(record, key) !== undefined) && !isNotification;
}

/** Whether each value has the type of its column: then nothing known goes to `extra`, and no text is written anew by a reader of JSON. */
export function fitsColumns(text: string): boolean {
  const record = membersOf(text) ?? [];
  const { extra } = expectedRow(text, 0);
  if (extra.some(({ key }) => TOP_KEYS.has(key))) return false;
  return FIELDS.every(({ path, json, type }) => {
    const raw = rawAt(record, path);
    return json === true || type !== 'VARCHAR' || raw === undefined || raw === 'null' || raw.startsWith('"');
  });
}
