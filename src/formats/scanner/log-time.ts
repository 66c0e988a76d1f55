/** Times as web servers log them, `06/Feb/2019:00:00:38 +0000`, as microseconds since 1970 UTC. */
import {
  daysInMonth,
  daysSinceEpoch,
  MICROS_PER_DAY,
  MICROS_PER_SECOND,
  NO_TIME,
  twoDigits,
  zoneMicros,
} from './time';

export const LOG_TIME_LENGTH: usize = 26;
const SLASH: u8 = 0x2f;
const COLON: u8 = 0x3a;
const SPACE: u8 = 0x20;
const ZONE_LENGTH: usize = 5;

/** The names of the months, in order: four bytes each, the first three of them letters. */
const MONTHS: usize = memory.data<u8>([
  74, 97, 110, 0, 70, 101, 98, 0, 77, 97, 114, 0, 65, 112, 114, 0, 77, 97, 121, 0, 74, 117, 110, 0, 74, 117, 108, 0, 65,
  117, 103, 0, 83, 101, 112, 0, 79, 99, 116, 0, 78, 111, 118, 0, 68, 101, 99, 0,
]);
const THREE_LETTERS: u32 = 0xffffff;

/** 1 to 12, or 0 for what is no month. */
function monthOf(at: usize): i32 {
  const letters = load<u32>(at) & THREE_LETTERS;
  for (let month = 0; month < 12; month++) {
    if (load<u32>(MONTHS + ((<usize>month) << 2)) == letters) return month + 1;
  }
  return 0;
}

/** `DD/Mon/YYYY:HH:MM:SS ±HHMM`, of LOG_TIME_LENGTH bytes, with a day that exists; or NO_TIME. */
export function readLogTime(start: usize): i64 {
  const day = twoDigits(start);
  const month = monthOf(start + 3);
  const century = twoDigits(start + 7);
  const year = century * 100 + twoDigits(start + 9);
  const hour = twoDigits(start + 12);
  const minute = twoDigits(start + 15);
  const second = twoDigits(start + 18);
  if (month == 0 || century > 99 || year < 1 || year > 9999 || hour > 23 || minute > 59 || second > 59) return NO_TIME;
  if (load<u8>(start + 2) != SLASH || load<u8>(start + 6) != SLASH || load<u8>(start + 11) != COLON) return NO_TIME;
  if (load<u8>(start + 14) != COLON || load<u8>(start + 17) != COLON || load<u8>(start + 20) != SPACE) return NO_TIME;
  if (day < 1 || day > daysInMonth(year, month)) return NO_TIME;
  const offset = zoneMicros(start + 21, ZONE_LENGTH);
  if (offset == NO_TIME) return NO_TIME;
  return (
    <i64>daysSinceEpoch(year, month, day) * MICROS_PER_DAY +
    <i64>(hour * 3600 + minute * 60 + second) * MICROS_PER_SECOND -
    offset
  );
}
