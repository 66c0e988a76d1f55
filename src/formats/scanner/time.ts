/** ISO 8601 times as microseconds since 1970 UTC. */

export const MICROS_PER_DAY: i64 = 86_400_000_000;
export const MICROS_PER_SECOND: i64 = 1_000_000;
/** 2013-01-01, the year of CloudTrail's first release: nothing is older. */
export const EARLIEST_TIME: i64 = 15_706 * MICROS_PER_DAY;
/** What readTime() returns for a text that is no time. */
export const NO_TIME: i64 = i64.MIN_VALUE;

/** Length of `YYYY-MM-DDTHH:MM:SS`, after which come a fraction and the zone. */
const SECONDS_LENGTH: usize = 19;
const DASH: u8 = 0x2d;
const COLON: u8 = 0x3a;
const POINT: u8 = 0x2e;
const PLUS: u8 = 0x2b;
const LETTER_T: u8 = 0x54;
const LETTER_Z: u8 = 0x5a;

// @ts-ignore: decorator
@inline
export function isDigit(at: usize): bool {
  return <u32>load<u8>(at) - 0x30 < 10;
}

/** Two digits as a number, or a number over 99 where they are none. */
// @ts-ignore: decorator
@inline
export function twoDigits(at: usize): i32 {
  return isDigit(at) && isDigit(at + 1) ? (<i32>load<u8>(at) - 0x30) * 10 + <i32>load<u8>(at + 1) - 0x30 : 1000;
}

export function daysInMonth(year: i32, month: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** Days since 1970-01-01, by counting years from March so that the leap day is the last of its year. */
export function daysSinceEpoch(year: i32, month: i32, day: i32): i32 {
  const marchYear = month > 2 ? year : year - 1;
  const marchMonth = month > 2 ? month - 3 : month + 9;
  // Days before the month: 31, 30, 31, 30, 31 repeat, which (153 * m + 2) / 5 counts.
  const dayOfYear = (153 * marchMonth + 2) / 5 + day - 1;
  // 719468 days lie between 0000-03-01 and 1970-01-01.
  return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468;
}

/** `YYYY-MM-DDTHH:MM:SS[.fraction](Z|±HH[:]MM)` with a day that exists, or NO_TIME. Digits below a microsecond are cut. */
export function readTime(start: usize, length: usize): i64 {
  if (length <= SECONDS_LENGTH) return NO_TIME;
  const century = twoDigits(start);
  const year = century * 100 + twoDigits(start + 2);
  const month = twoDigits(start + 5);
  const day = twoDigits(start + 8);
  const hour = twoDigits(start + 11);
  const minute = twoDigits(start + 14);
  const second = twoDigits(start + 17);
  if (century > 99 || year < 1 || year > 9999 || month < 1 || month > 12 || hour > 23 || minute > 59 || second > 59)
    return NO_TIME;
  if (load<u8>(start + 4) != DASH || load<u8>(start + 7) != DASH || load<u8>(start + 10) != LETTER_T) return NO_TIME;
  if (load<u8>(start + 13) != COLON || load<u8>(start + 16) != COLON) return NO_TIME;
  if (day < 1 || day > daysInMonth(year, month)) return NO_TIME;

  let micros =
    <i64>daysSinceEpoch(year, month, day) * MICROS_PER_DAY +
    <i64>(hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND;
  const end = start + length;
  let at = start + SECONDS_LENGTH;
  if (load<u8>(at) == POINT) {
    at++;
    if (!(at < end && isDigit(at))) return NO_TIME;
    let unit = MICROS_PER_SECOND / 10;
    for (; at < end && isDigit(at); at++) {
      micros += <i64>(load<u8>(at) - 0x30) * unit;
      unit /= 10;
    }
  }
  if (at + 1 == end && load<u8>(at) == LETTER_Z) return micros;
  const offset = zoneMicros(at, end - at);
  return offset == NO_TIME ? NO_TIME : micros - offset;
}

/** Offset of `±HH:MM` or `±HHMM`, or NO_TIME. */
export function zoneMicros(at: usize, length: usize): i64 {
  const hasColon = length == 6 && load<u8>(at + 3) == COLON;
  if (length != 5 && !hasColon) return NO_TIME;
  const sign = load<u8>(at);
  if (sign != PLUS && sign != DASH) return NO_TIME;
  const hours = twoDigits(at + 1);
  const minutes = twoDigits(at + (hasColon ? 4 : 3));
  if (hours > 23 || minutes > 59) return NO_TIME;
  const micros = <i64>(hours * 60 + minutes) * 60 * MICROS_PER_SECOND;
  return sign == DASH ? -micros : micros;
}
