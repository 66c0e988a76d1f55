/** What both sides of the scanner share: tables that the JavaScript side fills in before the first byte is scanned, and the numbers in them. */

/** Kinds of keys: what becomes of their value. Frame kinds belong to the document, not to the table. */
export const KIND_TEXT: i32 = 0;
export const KIND_TIMESTAMP: i32 = 1;
export const KIND_EVENT_TIME: i32 = 2;
export const KIND_BOOLEAN: i32 = 3;
export const KIND_JSON: i32 = 4;
export const KIND_OBJECT: i32 = 5;
export const KIND_RECORDS: i32 = 6;
export const KIND_DIGEST: i32 = 7;
export const KIND_INSIGHT: i32 = 8;

/** The record carries one of these keys, or it is none of CloudTrail's. */
export const FLAG_IDENTIFIES: i32 = 1;
/** Seen in a file, even in a broken record, the key makes it a CloudTrail log. */
export const FLAG_SUGGESTS: i32 = 2;

/** A key of kind object whose raw text has no column. */
export const NO_COLUMN: i32 = 255;

/** The context of a record's own keys; nested objects with known keys have the numbers after it. */
export const CONTEXT_RECORD: i32 = 0;
const CONTEXTS: i32 = 16;
/** Size of a context's hash table; a key's number is one byte, 0 stands for an unknown key. */
const KEY_SLOTS: i32 = 256;
/** Bytes of the text of a key; longer keys are unknown. */
export const KEY_BYTES: i32 = 32;

/** For each context the number of the key at its hash. */
export const keyTable: usize = memory.data(CONTEXTS * KEY_SLOTS);
/** By number of key: a KeyInfo. */
export const keyInfos: usize = memory.data(KEY_SLOTS * 8);
/** By number of key: its text, zero-padded. */
export const keyTexts: usize = memory.data(KEY_SLOTS * KEY_BYTES, 16);
/** By number of column: a ColumnInfo. */
export const columnInfos: usize = memory.data(256 * 8, 8);
/** By number of column: a Dictionary. */
export const dictionaryInfos: usize = memory.data(256 * 32, 8);

// Multipliers of the hash: found by the JavaScript side so that no two keys of a context collide.
export let hashFirst: u32 = 0;
export let hashLast: u32 = 0;
export let hashMiddle: u32 = 0;

// Numbers of the columns that the scanner itself reads or fills.
export let logFileColumn: i32 = 0;
export let recordNoColumn: i32 = 0;
export let eventIdColumn: i32 = 0;
export let eventTimeColumn: i32 = 0;
export let eventSourceColumn: i32 = 0;
export let eventNameColumn: i32 = 0;
export let accountIdColumn: i32 = 0;
export let eventTypeColumn: i32 = 0;
export let eventCategoryColumn: i32 = 0;
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
