/** Where in a scanner's memory everything lies: columns, dictionaries, what is gathered, and the text of log files. */
import { AppError } from '../errors.ts';
import { type ColumnBuffer, IDENTITY_BYTES } from '../format.ts';
import type { Column } from '../table.ts';

/** Bytes of a value. */
export const WIDTH: Readonly<Record<ColumnBuffer['layout'], number>> = {
  string: 16,
  timestamp: 8,
  boolean: 1,
  integer: 4,
  bigint: 8,
};
/** Between buffers: the scanner may write some bytes past the last value of one. */
const GAP_BYTES = 64;
/** A place of the hash table that finds groups. */
const GROUP_PLACE_BYTES = 16;
const PAGE_BYTES = 65_536;
/** All that a WebAssembly memory can have. */
const MAX_BYTES = 4 * 1024 ** 3;

/** Where a column's values are: a ColumnBuffer without what each window shows anew. */
type ColumnPlace = Omit<ColumnBuffer, 'repeats'>;

/** Room for the dictionary of a string column. */
interface DictionaryPlace {
  readonly codes: number;
  readonly entries: number;
  readonly places: number;
}

export interface ScannerLayout {
  readonly columns: readonly ColumnPlace[];
  /** Null for columns that are no strings. */
  readonly dictionaries: readonly (DictionaryPlace | null)[];
  readonly eventDays: number;
  readonly identities: number;
  readonly identityFlags: number;
  readonly packRows: number;
  readonly packBytes: number;
  readonly packLengths: number;
  readonly packCodes: number;
  readonly groupNumbers: number;
  readonly groupFirstRows: number;
  readonly groupPlaces: number;
  readonly textBase: number;
  readonly scratchBase: number;
}

interface LayoutOptions {
  readonly columns: readonly Column[];
  /** A multiple of 64. */
  readonly maxRows: number;
  /** Room for texts that are gathered. */
  readonly packBytes: number;
  /** Room for the text of log files; more than the largest record. */
  readonly textBytes: number;
}

/** What the module says of itself. */
interface ModuleSizes {
  readonly freeAddress: number;
  readonly dictionaryEntries: number;
  readonly dictionaryPlaces: number;
  readonly groups: number;
  readonly groupPlaces: number;
}

function layoutOf(column: Column): ColumnBuffer['layout'] {
  switch (column.type) {
    case 'VARCHAR':
      return 'string';
    case 'TIMESTAMP':
      return 'timestamp';
    case 'BOOLEAN':
      return 'boolean';
    case 'INTEGER':
      return 'integer';
    case 'BIGINT':
      return 'bigint';
    case 'VARCHAR[]':
      throw new Error(`the scanner fills no lists, and ${column.name} is one`);
  }
}

/** Gives each buffer its place after the module's own data. */
export function layOut(options: LayoutOptions, sizes: ModuleSizes): ScannerLayout {
  let free = sizes.freeAddress;
  const take = (bytes: number): number => {
    const address = Math.ceil(free / GAP_BYTES) * GAP_BYTES;
    free = address + bytes + GAP_BYTES;
    return address;
  };
  const { maxRows } = options;
  const bits = (): number => take(maxRows / 8);
  const columns = options.columns.map((column): ColumnPlace => {
    const layout = layoutOf(column);
    return { layout, data: take(maxRows * WIDTH[layout]), validity: bits() };
  });
  const dictionaries = columns.map(({ layout }): DictionaryPlace | null => {
    if (layout !== 'string') return null;
    const entries = take(sizes.dictionaryEntries * WIDTH.string);
    return { codes: take(maxRows * 2), entries, places: take(sizes.dictionaryPlaces * 2) };
  });
  const eventDays = take(maxRows * 4);
  const identities = take(maxRows * IDENTITY_BYTES);
  const identityFlags = take(maxRows);
  const packRows = take(maxRows * 4);
  const packBytes = take(options.packBytes);
  const packLengths = take(maxRows * 4);
  const packCodes = take(maxRows * 2);
  const groupNumbers = take(maxRows * 2);
  const groupFirstRows = take(sizes.groups * 4);
  const groupPlaces = take(sizes.groupPlaces * GROUP_PLACE_BYTES);
  const textBase = take(options.textBytes);
  const scratchBase = take(0);
  // Decoded texts of a window take less than its text.
  if (scratchBase + options.textBytes + PAGE_BYTES > MAX_BYTES) {
    throw new AppError(
      'config-invalid',
      `cannot decode with windows of ${options.textBytes} bytes: a scanner addresses 4 GiB in all`,
      {
        hint: 'Lower the limits for the size of a record and of a window; 1 GiB is the most that fits.',
      },
    );
  }
  return {
    columns,
    dictionaries,
    eventDays,
    identities,
    identityFlags,
    packRows,
    packBytes,
    packLengths,
    packCodes,
    groupNumbers,
    groupFirstRows,
    groupPlaces,
    textBase,
    scratchBase,
  };
}
