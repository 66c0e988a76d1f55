/** Rows grouped by their values in several string columns: each distinct combination once, and its number for each row. */
import { columnInfo, hasBit, rows } from './columns';
import { dictionaryOf } from './dictionary';
import { groupFirstRows, groupNumbers, groupPlaces } from './layout';

/** Beyond this many combinations little would be saved. */
export const MAX_GROUPS: i32 = 4096;
/** Places of the hash table: four times the groups, so that runs of taken places stay short. */
export const GROUP_PLACES: i32 = 16384;
const PLACE_BITS: i32 = 14;
/** Of a place: the combination plus 1, or 0; then the group's number. */
const PLACE_BYTES: usize = 8;
/** A dictionary's code plus 1, or 0 for no value, takes so many bits. */
const CODE_BITS: i32 = 13;

let groups: i32 = 0;

/** All rows of the window are one group; splitGroups() divides it. */
export function beginGroups(): void {
  memory.fill(groupNumbers, 0, (<usize>rows) << 1);
  store<i32>(groupFirstRows, 0);
  groups = rows > 0 ? 1 : 0;
}

/** Divides the groups by the values of a string column and returns how many there are now; 0 when that cannot be told or they are too many. */
export function splitGroups(column: i32): i32 {
  const dictionary = dictionaryOf(column);
  if (!dictionary.codes || dictionary.isGivenUp) return 0;
  // No row has a value.
  if (dictionary.size == 0) return groups;
  const validity = columnInfo(column).validity;
  const codes = dictionary.codes;
  memory.fill(groupPlaces, 0, <usize>GROUP_PLACES * PLACE_BYTES);
  let count = 0;
  for (let row: usize = 0; row < <usize>rows; row++) {
    const code: u32 = hasBit(validity, row) ? <u32>load<u16>(codes + (row << 1)) + 1 : 0;
    const key = (((<u32>load<u16>(groupNumbers + (row << 1))) << CODE_BITS) | code) + 1;
    // Multiplying by the golden ratio spreads the bits upwards.
    let place = (key * 0x9e3779b1) >> (32 - PLACE_BITS);
    while (true) {
      const at = groupPlaces + <usize>place * PLACE_BYTES;
      const taken = load<u32>(at);
      if (taken == key) {
        store<u16>(groupNumbers + (row << 1), <u16>load<u32>(at + 4));
        break;
      }
      if (taken == 0) {
        if (count == MAX_GROUPS) return 0;
        store<u32>(at, key);
        store<u32>(at + 4, <u32>count);
        store<u16>(groupNumbers + (row << 1), <u16>count);
        store<i32>(groupFirstRows + ((<usize>count) << 2), <i32>row);
        count++;
        break;
      }
      place = (place + 1) & (<u32>GROUP_PLACES - 1);
    }
  }
  groups = count;
  return count;
}
