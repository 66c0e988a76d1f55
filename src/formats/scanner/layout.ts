/** What every scanner shares with the JavaScript side: tables and settings that it fills in before the first byte is scanned. */

/** By number of column: a ColumnInfo. */
export const columnInfos: usize = memory.data(256 * 16, 8);
/** By number of column: a Dictionary. */
export const dictionaryInfos: usize = memory.data(256 * 32, 8);

/** Columns of the identity, those of the id before those of the facts: the column's number and its IDENTITY_ kind, a byte each. */
export const identityColumns: usize = memory.data(64);
export const IDENTITY_TEXT: i32 = 0;
export const IDENTITY_LONG: i32 = 1;
export const IDENTITY_INTEGER: i32 = 2;
export let idCount: i32 = 0;
export let factCount: i32 = 0;

// Numbers of the columns that every scanner itself reads or fills.
export let logFileColumn: i32 = 0;
export let recordNoColumn: i32 = 0;
export let eventTimeColumn: i32 = 0;
export let extraColumn: i32 = 0;
export let columnCount: i32 = 0;

// Per row, beside the columns.
export let eventDays: usize = 0;
export let identities: usize = 0;
export let identityFlags: usize = 0;

// Rows whose values are gathered: their numbers; room for their texts, how many bytes it has, and the length of each text; and the number of each row's text.
export let packRows: usize = 0;
export let packBytes: usize = 0;
export let packRoom: usize = 0;
export let packLengths: usize = 0;
export let packCodes: usize = 0;

// Rows grouped by several columns: each row's group, each group's first row, and a hash table for finding groups.
export let groupNumbers: usize = 0;
export let groupFirstRows: usize = 0;
export let groupPlaces: usize = 0;

export let maxRows: i32 = 0;
/** A record over this many bytes becomes a reject. */
export let recordLimit: usize = 0;
/** Where the text of log files begins. */
export let textBase: usize = 0;
/** Where decoded strings begin: after the room for text. */
export let scratchBase: usize = 0;

// The current log file.
export let logFile: i64 = 0;
export let deliveredDay: i32 = 0;
/** Event times after this are absurd; microseconds. */
export let latestTime: i64 = 0;
