/** Values as Athena answers them: text, to be read by the type of the column. */
import { randomUUID } from 'node:crypto';
import type { Value } from '../../backend.ts';
import { AppError } from '../../errors.ts';

/** A column of a result: https://docs.aws.amazon.com/athena/latest/APIReference/API_ColumnInfo.html. */
export interface AthenaColumn {
  readonly name: string;
  /** `varchar`, `bigint`, `timestamp`, `array`, … without what an array is of. */
  readonly type: string;
  readonly precision?: number;
  readonly scale?: number;
}

/** Athena's names of types as the other backend has them. */
const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'VARCHAR',
  char: 'VARCHAR',
  json: 'VARCHAR',
  int: 'INTEGER',
  real: 'FLOAT',
  varbinary: 'BLOB',
  'timestamp with time zone': 'TIMESTAMP WITH TIME ZONE',
};

export function typeName({ type, precision, scale }: AthenaColumn): string {
  const lower = type.toLowerCase();
  if (lower === 'decimal' && precision !== undefined) return `DECIMAL(${precision},${scale ?? 0})`;
  return TYPE_NAMES[lower] ?? lower.toUpperCase();
}

const INTEGER = /^-?\d+$/u;
const DECIMAL = /^-?\d+(?:[.]\d+)?(?:E-?\d+)?$/iu;
const DATE = /^-?\d{4,}-\d\d-\d\d$/u;
const TIMESTAMP = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:[.](\d{1,12}))?$/u;
const ZONED = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:[.](\d{1,12}))? (\S+)$/u;

/** What src/backend.ts promises of a value; undefined is Athena's NULL. Throws `query-failed` where a text is none of its type. */
export function fromAthena(text: string | undefined, column: AthenaColumn): Value {
  if (text === undefined) return null;
  const value = read(text, column.type.toLowerCase());
  if (value !== undefined) return value;
  throw new AppError(
    'query-failed',
    `cannot read what Athena answered: the column '${column.name}' holds '${text.slice(0, 100)}', expected ${column.type}`,
    { hint: 'CAST the column to VARCHAR to see it as it is.' },
  );
}

/** Undefined where the text is none of the type. */
function read(text: string, type: string): Value | undefined {
  switch (type) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'int':
    case 'bigint':
      return INTEGER.test(text) ? exactInteger(BigInt(text)) : undefined;
    case 'real':
    case 'float':
    case 'double':
      if (text === 'NaN' || text === 'Infinity' || text === '-Infinity') return Number(text);
      return DECIMAL.test(text) ? Number(text) : undefined;
    case 'decimal':
      return DECIMAL.test(text) ? Number(text) : undefined;
    case 'date':
      return DATE.test(text) ? text : undefined;
    case 'timestamp':
      return isoOf(TIMESTAMP.exec(text));
    case 'timestamp with time zone':
      return zonedIsoOf(ZONED.exec(text));
    default:
      return text;
  }
}

/** Beyond 2^53 a number would lie. */
function exactInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** ISO 8601 with as many digits of a second as there are, in steps of three. */
function isoOf(match: RegExpExecArray | null): string | undefined {
  if (match === null) return undefined;
  const [, day = '', time = '', fraction = ''] = match;
  const digits = fraction.replace(/0+$/u, '').slice(0, 6);
  const padded = digits === '' ? '' : `.${digits.padEnd(digits.length > 3 ? 6 : 3, '0')}`;
  return `${day}T${time}${padded}Z`;
}

/** Only UTC and offsets: the names of other zones need rules that change. */
function zonedIsoOf(match: RegExpExecArray | null): string | undefined {
  const zone = match?.[4] ?? '';
  const offset = /^(?:UTC|Z)$/u.test(zone) ? '+00:00' : /^[+-]\d\d:\d\d$/u.test(zone) ? zone : null;
  const local = isoOf(match);
  if (offset === null || local === undefined) return undefined;
  if (offset === '+00:00') return local;
  const ms = Date.parse(local.replace('Z', offset));
  return Number.isNaN(ms) ? undefined : new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** A list, row or map that travelled as JSON: see transported() of backend.ts. Throws `query-failed`. */
export function fromJson(text: string | undefined, column: AthenaColumn, typed: string): Value {
  if (text === undefined) return null;
  try {
    const times = new Set([...typed.matchAll(TIME_MEMBER)].map(([, name = '']) => name.toLowerCase()));
    return plain(JSON.parse(text.replaceAll(LONG_INTEGER, quoteLong)), typed.startsWith('TIMESTAMP'), times);
  } catch (cause) {
    throw new AppError(
      'query-failed',
      `cannot read what Athena answered: the column '${column.name}' holds '${text.slice(0, 100)}', expected JSON`,
      { cause },
    );
  }
}

/** In the type of a row, a member that is a time. */
const TIME_MEMBER = /"?(\w+)"? TIMESTAMP\b/gu;
/** A text, or a whole number that JSON.parse would round. */
const LONG_INTEGER = /("(?:[^"\\]|\\.)*")|(?<![\d.eE+-])(-?\d{16,})(?![\d.eE])/gu;
/** Drawn anew each time, so that no text of a log can begin so. */
const LONG = `${randomUUID()}:`;
const quoteLong = (whole: string, text: string | undefined, digits: string | undefined): string =>
  text === undefined && digits !== undefined ? JSON.stringify(`${LONG}${digits}`) : whole;

/** `times`: names of members that are times. */
function plain(value: unknown, isTime: boolean, times: ReadonlySet<string>): Value {
  if (Array.isArray(value)) return value.map((item) => plain(item, isTime, times));
  if (typeof value === 'string') {
    if (value.startsWith(LONG)) return exactInteger(BigInt(value.slice(LONG.length)));
    return isTime ? (isoOf(TIMESTAMP.exec(value)) ?? value) : value;
  }
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, plain(member, times.has(name.toLowerCase()), times)]),
    );
  return value as Value;
}
