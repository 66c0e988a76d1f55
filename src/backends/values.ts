/** Values as they enter and leave DuckDB. */
import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { Param, Value } from '../backend.ts';
import {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  DuckDBArrayType,
  DuckDBArrayValue,
  DuckDBDecimalValue,
  DuckDBListType,
  DuckDBListValue,
  DuckDBMapType,
  DuckDBMapValue,
  DuckDBStructType,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUnionType,
  DuckDBUnionValue,
  LIST,
  listValue,
  TIMESTAMP,
  timestampValue,
  VARCHAR,
} from '../duckdb.ts';

const MICROS_PER_MS = 1000n;
const MICROS_PER_SECOND = 1_000_000n;
const NANOS_PER_MICRO = 1000n;
/** What a Date can hold, in ms either side of 1970. */
const DATE_MAX_MS = 8_640_000_000_000_000n;

/** Microseconds since 1970 as ISO 8601 in UTC, with as many digits of a second as there are. */
function isoOf(micros: bigint): string {
  const rest = ((micros % MICROS_PER_MS) + MICROS_PER_MS) % MICROS_PER_MS;
  const ms = (micros - rest) / MICROS_PER_MS;
  if (ms > DATE_MAX_MS || ms < -DATE_MAX_MS) return micros > 0n ? 'infinity' : '-infinity';
  const text = new Date(Number(ms)).toISOString();
  return rest === 0n ? text.replace('.000Z', 'Z') : text.replace('Z', `${rest.toString().padStart(3, '0')}Z`);
}

/** Beyond 2^53 a number would lie. */
function exactInteger(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** What src/backend.ts promises: plain values of JavaScript; whatever has no nearer kin is text. */
export function fromDuckdb(value: DuckDBValue | undefined, type: DuckDBType): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') return exactInteger(value);
  if (typeof value !== 'object') return value;
  if (value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue) return isoOf(value.micros);
  if (value instanceof DuckDBTimestampMillisecondsValue) return isoOf(value.millis * MICROS_PER_MS);
  if (value instanceof DuckDBTimestampSecondsValue) return isoOf(value.seconds * MICROS_PER_SECOND);
  if (value instanceof DuckDBTimestampNanosecondsValue) return isoOf(value.nanos / NANOS_PER_MICRO);
  if (value instanceof DuckDBDecimalValue) return value.toDouble();
  if (
    (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) &&
    (type instanceof DuckDBListType || type instanceof DuckDBArrayType)
  ) {
    return value.items.map((item) => fromDuckdb(item, type.valueType));
  }
  if (value instanceof DuckDBStructValue && type instanceof DuckDBStructType) {
    return Object.fromEntries(
      type.entryNames.map((name, at) => [name, fromDuckdb(value.entries[name], type.entryTypes[at] as DuckDBType)]),
    );
  }
  if (value instanceof DuckDBMapValue && type instanceof DuckDBMapType) {
    return Object.fromEntries(
      value.entries.map((entry) => [
        keyText(fromDuckdb(entry.key, type.keyType)),
        fromDuckdb(entry.value, type.valueType),
      ]),
    );
  }
  if (value instanceof DuckDBUnionValue && type instanceof DuckDBUnionType)
    return fromDuckdb(value.value, type.memberTypeForTag(value.tag));
  return String(value);
}

/** Keys of a map become names of an object. */
const keyText = (key: Value): string => (typeof key === 'object' ? JSON.stringify(key) : String(key));

/** A parameter's value and type: binding without a type would guess INTEGER for small numbers and fail on large ones. */
export function toDuckdbValue(value: Param): readonly [value: DuckDBValue, type: DuckDBType] {
  if (value === null || typeof value === 'string') return [value, VARCHAR];
  if (typeof value === 'boolean') return [value, BOOLEAN];
  if (typeof value === 'number') return Number.isSafeInteger(value) ? [BigInt(value), BIGINT] : [value, DOUBLE];
  if (value instanceof Date) return [timestampValue(BigInt(value.getTime()) * MICROS_PER_MS), TIMESTAMP];
  return [listValue([...value]), LIST(VARCHAR)];
}
