/** Rows grouped by their values in several columns: each distinct combination once, and its number for each row. */
import { ColumnInfo, columnInfo, hasBit, rows, SLOT_BYTES } from './columns';
import { Dictionary, dictionaryOf } from './dictionary';
import { groupFirstRows, groupNumbers, groupPlaces } from './layout';

/** Beyond this many combinations little would be saved. */
export const MAX_GROUPS: i32 = 4096;
/** Places of the hash table: four times the groups, so that runs of taken places stay short. */
export const GROUP_PLACES: i32 = 16384;
const PLACE_BITS: i32 = 14;
/** A longer search means numbers that were made to collide. */
const MAX_PROBES: i32 = 64;
/** The golden ratio: multiplying by it spreads the bits upwards. */
const GOLDEN: u64 = 0x9e3779b97f4a7c15;

/** A combination of a group and a value, and the number of the new group. */
@unmanaged
class Place {
  value: u64;
  /** The old group with a bit that tells whether there is a value, plus 1; or 0. */
  group: u32;
  number: u32;
}
const PLACE_BYTES: usize = 16;

let groups: i32 = 0;

/** All rows of the window are one group; splitGroups() divides it. */
export function beginGroups(): void {
  memory.fill(groupNumbers, 0, (<usize>rows) << 1);
  store<i32>(groupFirstRows, 0);
  groups = rows > 0 ? 1 : 0;
}

/** Divides the groups by the values of a column and returns how many there are now; 0 when that cannot be told or they are too many. */
export function splitGroups(column: i32): i32 {
  const info = columnInfo(column);
  const dictionary = dictionaryOf(column);
  if (info.width == SLOT_BYTES) {
    if (dictionary.isGivenUp) return 0;
    // No row has a value.
    if (dictionary.size == 0) return groups;
  }
  memory.fill(groupPlaces, 0, <usize>GROUP_PLACES * PLACE_BYTES);
  let count = 0;
  for (let row: usize = 0; row < <usize>rows; row++) {
    const isValid = hasBit(info.validity, row);
    const value = isValid ? valueOf(info, dictionary, row) : 0;
    const number = groupNumbers + (row << 1);
    const group = (((<u32>load<u16>(number)) << 1) | <u32>isValid) + 1;
    const place = placeOf(value, group);
    if (!place) return 0;
    if (changetype<Place>(place).group == 0) {
      if (count == MAX_GROUPS) return 0;
      changetype<Place>(place).value = value;
      changetype<Place>(place).group = group;
      changetype<Place>(place).number = <u32>count;
      store<i32>(groupFirstRows + ((<usize>count) << 2), <i32>row);
      count++;
    }
    store<u16>(number, <u16>changetype<Place>(place).number);
  }
  groups = count;
  return count;
}

/** Where the combination is, or a free place for it; 0 when the search takes too long. */
// @ts-ignore: decorator
@inline
function placeOf(value: u64, group: u32): usize {
  let at = <u32>(((value ^ ((<u64>group) << 40)) * GOLDEN) >> (64 - PLACE_BITS));
  for (let probe = 0; probe < MAX_PROBES; probe++) {
    const place = groupPlaces + <usize>at * PLACE_BYTES;
    const taken = changetype<Place>(place).group;
    if (taken == 0 || (taken == group && changetype<Place>(place).value == value)) return place;
    at = (at + 1) & (<u32>GROUP_PLACES - 1);
  }
  return 0;
}

/** Of a text its number in the dictionary, of anything else its bits. */
// @ts-ignore: decorator
@inline
function valueOf(info: ColumnInfo, dictionary: Dictionary, row: usize): u64 {
  if (info.width == SLOT_BYTES) return load<u16>(dictionary.codes + (row << 1));
  if (info.width == 8) return load<u64>(info.data + (row << 3));
  if (info.width == 4) return load<u32>(info.data + (row << 2));
  return load<u8>(info.data + row);
}
