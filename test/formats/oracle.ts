/** What a row of a table of JSON records should hold, told by JSON.parse and plain TypeScript: slow, and written apart from the scanner. */
import { createHash } from 'node:crypto';
import type { Format } from '../../src/format.ts';
import { cloudtrailFormat } from '../../src/formats/cloudtrail.ts';
import { cloudtrailInsightFormat } from '../../src/formats/cloudtrail-insight.ts';
import { wafFormat } from '../../src/formats/waf.ts';
import { type Column, rawColumns } from '../../src/table.ts';
import { DAY_MS } from '../../src/time.ts';
import { DELIVERED_DAY, INGESTED_AT_MS, LOG_FILE, type Row, type Value } from './decode.ts';

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

const firstOf = (members: readonly Member[] | null, key: string): string | undefined =>
  members?.find((member) => member.key === key)?.raw;

function rawAt(record: readonly Member[], path: readonly string[]): string | undefined {
  let members: readonly Member[] | null = record;
  let raw: string | undefined;
  for (const key of path) {
    raw = firstOf(members, key);
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
function identityOf(ids: readonly Value[], facts: readonly Value[]): string {
  const bytes = Buffer.alloc(24);
  const [leading = '', ...others] = ids;
  if (leading !== '') {
    const isUuid = others.length === 0 && UUID.test(String(leading));
    const id = isUuid ? Buffer.from(String(leading).replaceAll('-', ''), 'hex') : digest(ids.join('\x1f'));
    bytes.writeBigUInt64LE(id.readBigUInt64BE(8), 0);
    bytes.writeBigUInt64LE(id.readBigUInt64BE(0), 8);
  }
  digest(facts.join('\x1f')).copy(bytes, 16, 8, 16);
  return bytes.toString('hex');
}

interface Shape {
  /** Whether event_time is milliseconds since 1970, not a text. */
  readonly hasMillis: boolean;
  readonly isRecord: (record: readonly Member[]) => boolean;
  /** Keys that a record needs, so that most of the generated ones are records. */
  readonly neededKeys: readonly string[];
  /** Keys that make an object at the top of a file something else than a record. */
  readonly frameKeys: readonly string[];
  /** What is before and after the records of a file. */
  readonly frame: readonly [before: string, after: string];
  /** A record whose id is `neighbour`, and the column of that. */
  readonly neighbour: string;
  readonly idColumn: string;
}

export interface Oracle extends Omit<Shape, 'isRecord'> {
  readonly format: Format;
  /** Objects that have no column of their own: what is unknown in them goes to `extra`, under their key. */
  readonly keptKeys: ReadonlySet<string>;
  /** The row of a record whose text JSON.parse accepts as an object; `extra` apart, as the members that it should hold. */
  expectedRow(original: string, recordNo: number): { row: Row; extra: Member[] };
  /** Whether the object is a record of the format, by its keys. */
  isRecord(text: string): boolean;
  /** Whether each value has the type of its column: then nothing known goes to `extra`, and no text is written anew by a reader of JSON. */
  fitsColumns(text: string): boolean;
}

const WHOLE_NUMBER = /^-?(?:0|[1-9]\d*)$/;
const MICROS_PER_MS = 1000n;

function integerOf(raw: string, bits: number): bigint | null {
  if (!WHOLE_NUMBER.test(raw)) return null;
  const value = BigInt(raw);
  return BigInt.asIntN(bits, value) === value ? value : null;
}

/** The value that a column should have, or null when what is written does not fit it. */
function valueOf({ name, type, json }: Column, raw: string, hasMillis: boolean): Value | null {
  if (json === true) return raw;
  const value: unknown = JSON.parse(raw);
  const inTime = (time: bigint | null): bigint | null =>
    time === null || (name === 'event_time' && (time < EARLIEST || time > LATEST)) ? null : time;
  switch (type) {
    case 'BOOLEAN': {
      const literal = typeof value === 'string' ? value.toLowerCase() : String(value);
      return (literal === 'true' || literal === 'false') && typeof value !== 'object' ? literal === 'true' : null;
    }
    case 'TIMESTAMP': {
      if (name !== 'event_time' || !hasMillis) return inTime(typeof value === 'string' ? timeOf(value) : null);
      const millis = integerOf(raw, 64);
      return inTime(millis === null ? null : millis * MICROS_PER_MS);
    }
    case 'INTEGER':
    case 'BIGINT': {
      const whole = integerOf(raw, type === 'INTEGER' ? 32 : 64);
      return whole === null ? null : Number(whole);
    }
    case 'VARCHAR':
      return typeof value === 'string' ? value : raw;
    case 'VARCHAR[]':
      throw new Error(`${name} is a list`);
  }
}

function createOracle(format: Format, shape: Shape): Oracle {
  const { table } = format;
  const fields = rawColumns(table).flatMap((column) =>
    column.raw === undefined ? [] : [{ ...column, path: column.raw.split('.') }],
  );
  const topKeys = new Set(fields.map(({ path }) => path[0] ?? ''));
  const keptKeys = new Set([...topKeys].filter((key) => !fields.some(({ raw }) => raw === key)));
  const isKnown = (path: string): boolean =>
    fields.some(({ raw }) => raw === path || raw?.startsWith(`${path}.`) === true);

  /** Members of an object that have no column: unknown ones, repeats, and those that do not fit. */
  const leftOf = (members: readonly Member[], prefix: string, unfit: ReadonlySet<string>): Member[] => {
    const seen = new Set<string>();
    return members.filter(({ key }) => {
      const isRepeat = seen.has(key);
      seen.add(key);
      const path = `${prefix}${key}`;
      return !isKnown(path) || isRepeat || unfit.has(path);
    });
  };

  const expectedRow: Oracle['expectedRow'] = (original, recordNo) => {
    const text = rewrite(original);
    const record = membersOf(text) ?? [];
    const row: Row = { log_file: LOG_FILE, record_no: recordNo };
    const unfit = new Set<string>();
    for (const column of fields) {
      const raw = rawAt(record, column.path);
      if (raw === undefined || raw === 'null') continue;
      const value = valueOf(column, raw, shape.hasMillis);
      if (value === null) unfit.add(column.path.join('.'));
      else row[column.name] = value;
    }
    const kept = [...keptKeys].map((key) => ({ key, raw: firstOf(record, key) ?? 'null' }));
    for (const { key, raw } of kept) if (raw !== 'null' && membersOf(raw) === null) unfit.add(key);
    const extra = leftOf(record, '', unfit);
    for (const { key, raw } of kept) {
      const left = leftOf(membersOf(raw) ?? [], `${key}.`, unfit);
      const members = left.map((member) => `${JSON.stringify(member.key)}:${member.raw}`);
      if (left.length > 0) extra.push({ key, raw: `{${members.join(',')}}` });
    }
    if (text !== original) extra.push({ key: 'trailhound_rewritten', raw: '"lone surrogate"' });
    const time = row['event_time'];
    row['event_day'] = typeof time === 'bigint' ? Number(time / MICROS_PER_DAY) : DELIVERED_DAY;
    const ids = table.identity.id.map((name) => row[name] ?? '');
    row['has_identity'] = ids[0] !== '';
    row['identity'] = identityOf(
      ids,
      table.identity.facts.map((name) => row[name] ?? ''),
    );
    return { row, extra };
  };

  return {
    ...shape,
    format,
    keptKeys,
    expectedRow,
    isRecord: (text) => shape.isRecord(membersOf(rewrite(text)) ?? []),
    fitsColumns: (text) => {
      const record = membersOf(text) ?? [];
      if (expectedRow(text, 0).extra.some(({ key }) => topKeys.has(key))) return false;
      return fields.every(({ path, json, type }) => {
        const raw = rawAt(record, path);
        return json === true || type !== 'VARCHAR' || raw === undefined || raw === 'null' || raw.startsWith('"');
      });
    },
  };
}

const hasKey = (record: readonly Member[], key: string): boolean => firstOf(record, key) !== undefined;
/** The text that a column takes of a member. */
const textOf = (record: readonly Member[], key: string): string => {
  const raw = firstOf(record, key) ?? '';
  return raw.startsWith('"') ? (JSON.parse(raw) as string) : raw;
};

const isInsight = (record: readonly Member[]): boolean =>
  hasKey(record, 'insightDetails') ||
  textOf(record, 'eventCategory') === 'Insight' ||
  textOf(record, 'eventType') === 'AwsCloudTrailInsight';

export const cloudtrailOracle = createOracle(cloudtrailFormat, {
  hasMillis: false,
  isRecord: (record) =>
    ['eventName', 'eventSource', 'eventID'].some((key) => hasKey(record, key)) &&
    !textOf(record, 'eventSource').startsWith('aws:') &&
    !isInsight(record),
  neededKeys: [],
  frameKeys: ['Records', 'digestStartTime', 'digestS3Object', 'insightDetails'],
  frame: ['{"Records":[', ']}'],
  neighbour: '{"eventVersion":"1.08","eventID":"neighbour","userAgent":"a text of some length"}',
  idColumn: 'event_id',
});

export const insightOracle = createOracle(cloudtrailInsightFormat, {
  hasMillis: false,
  isRecord: isInsight,
  neededKeys: ['insightDetails'],
  frameKeys: ['Records', 'digestStartTime', 'digestS3Object'],
  frame: ['{"Records":[', ']}'],
  neighbour: '{"eventVersion":"1.08","eventID":"neighbour","insightDetails":{"state":"a text of some length"}}',
  idColumn: 'event_id',
});

export const wafOracle = createOracle(wafFormat, {
  hasMillis: true,
  isRecord: (record) =>
    hasKey(record, 'webaclId') &&
    hasKey(record, 'httpRequest') &&
    !['eventName', 'eventSource', 'eventID'].some((key) => hasKey(record, key)),
  neededKeys: ['webaclId', 'httpRequest'],
  frameKeys: [],
  frame: ['[', ']'],
  neighbour: '{"timestamp":1576280412771,"webaclId":"a text of some length","httpRequest":{"requestId":"neighbour"}}',
  idColumn: 'request_id',
});
