/** What the JSON scanner shares with the JavaScript side besides layout.ts: the known keys, and what they tell of a record. */

/** Kinds of keys: what becomes of their value. Those from KIND_RECORDS on belong to no column. */
export const KIND_TEXT: i32 = 0;
export const KIND_TIMESTAMP: i32 = 1;
export const KIND_EVENT_TIME: i32 = 2;
export const KIND_BOOLEAN: i32 = 3;
export const KIND_JSON: i32 = 4;
export const KIND_OBJECT: i32 = 5;
/** The event time as milliseconds since 1970. */
export const KIND_EVENT_MILLIS: i32 = 6;
export const KIND_INTEGER: i32 = 7;
export const KIND_LONG: i32 = 8;
export const KIND_RECORDS: i32 = 9;
export const KIND_DIGEST: i32 = 10;
/** Tells something by its flags only. */
export const KIND_MARK: i32 = 11;

/** Seen in a file, even in a broken record, the key makes it one of the format. */
export const FLAG_OWN: i32 = 1;
/** A record begins with this key. */
export const FLAG_BEGINS: i32 = 2;
/** Flags from this one on are marks: a record has those of its keys and of the tests that it passes. */
export const FIRST_MARK: i32 = 256;

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
/** For each context the number of the key that holds its object. */
export const contextKeys: usize = memory.data(CONTEXTS);
export let contextCount: i32 = 0;
/** One bit a context: members without a column go to `extra`; those of other contexts are in the raw text of an object around them. */
export let keptContexts: u32 = 0;

// The hash: multipliers of three bytes of the key, and how far from its end the middle one lies. Found by the JavaScript side so that no two keys of a context collide.
export let hashFirst: u32 = 0;
export let hashLast: u32 = 0;
export let hashMiddle: u32 = 0;
export let hashBack: usize = 0;

/** Texts of columns that give a record marks: TEXT_TEST_BYTES each, a TextTest and 32 bytes of text, zero-padded. */
export const TEXT_TEST_BYTES: i32 = 48;
export const textTests: usize = memory.data(8 * TEXT_TEST_BYTES, 16);
export let testCount: i32 = 0;

// A record has all of the needed marks and none of the refused ones; with one of these it belongs to another table.
export let neededMarks: u32 = 0;
export let refusedMarks: u32 = 0;
export let asideMarks: u32 = 0;
