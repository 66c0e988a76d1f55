/** What a format does: it turns the bytes of a log file into rows, column by column, and into rejects. */
import type { Table } from './table.ts';

/** A record that could not be decoded. It is counted and kept, never thrown away. */
export interface Reject {
  /** Position of the record in its log file, from 0, counted over rows and rejects alike. */
  readonly recordNo: number;
  /** Byte offset in the uncompressed log file. */
  readonly offset: number;
  /** Bytes that the reject stands for; more than `text` holds when it was cut. */
  readonly length: number;
  /** A stable kebab-case reason, for example `json-invalid`, `record-too-large`. */
  readonly reason: string;
  /** What exactly was wrong, for a person. */
  readonly detail: string;
  /** The first REJECT_TEXT_BYTES bytes of the record as delivered. */
  readonly text: Uint8Array;
}

/** Enough to see what a record was; a store must not grow by what it could not read. */
export const REJECT_TEXT_BYTES = 65_536;

/** So many of a log file's first bytes tell what it is, or all of them where there are fewer. */
export const HEAD_BYTES = 65_536;

/** What the content of a log file turned out to be. `empty` holds no record, `other` is no log of this format. */
export type ContentKind = 'log' | 'digest' | 'insights' | 'empty' | 'other';

/** Where the values of one raw column lie in the batch's memory. Offsets are bytes from the start of `Batch.memory`. */
export interface ColumnBuffer {
  /**
   * `string`: 16 bytes a row, as DuckDB's string_t: u32 length; up to 12 bytes inline and zero-padded; longer ones 4 bytes of prefix, then the u64
   * offset of the text in `Batch.memory`. `timestamp`: i64 microseconds since 1970 UTC. `boolean`: 1 byte. `integer`: i32. `bigint`: i64.
   */
  readonly layout: 'string' | 'timestamp' | 'boolean' | 'integer' | 'bigint';
  readonly data: number;
  /** One bit a row, least significant first, 1 = has a value; whole 8-byte words. */
  readonly validity: number;
  /** Only for `string`: whether the decoder found that few values repeat, so that packRepeated() can be asked. */
  readonly repeats: boolean;
}

/** Texts of some of the selected rows, one behind the other. */
export interface PackedTexts {
  /** They belong to the rows in [from, to) of the selection. */
  readonly from: number;
  readonly to: number;
  readonly bytes: Uint8Array;
  /** Bytes of each text; rows without a value have none. */
  readonly lengths: Int32Array;
}

/** Values of the selected rows by their numbers. */
export interface PackedRepeated {
  /** For each row with a value its number. */
  readonly codes: Uint16Array;
  /** How many values there are; they are numbered in the order in which they occur. */
  readonly size: number;
  /** Each value behind its length in bytes, a little-endian u32. */
  readonly texts: Uint8Array;
}

/** Rows by their values in several columns. Valid until the next groups() or push(). */
export interface RowGroups {
  /** Per row the number of its group. */
  readonly numbers: Uint16Array;
  /** Per group a row that is in it. */
  readonly firstRows: Int32Array;
}

/** Per row of Batch.identity. */
export const IDENTITY_BYTES = 24;

/** A window of decoded rows. Valid until the decoder's next push() or reset(). */
export interface Batch {
  readonly rows: number;
  /** Ask for it anew after a call: it may have grown, and the old one is detached then. */
  readonly memory: ArrayBuffer;
  /** One per raw column of the table, in its order. */
  readonly columns: readonly ColumnBuffer[];
  /** Selects the rows that the next two gather. */
  select(rows: Int32Array): void;
  /** Texts of a string column, about 1 MiB at a time. Each part is valid until anything else is gathered. */
  packTexts(column: number): Iterable<PackedTexts>;
  /** Values of a string column that repeat. Valid until anything else is gathered. */
  packRepeated(column: number): PackedRepeated;
  /** Groups rows that agree in all these columns. Null when the texts of one hardly repeat, or when the groups are too many to save anything. */
  groups(columns: readonly number[]): RowGroups | null;
  /** Per row the UTC day of event_date, in days since 1970-01-01. */
  readonly eventDay: Int32Array;
  /**
   * Per row IDENTITY_BYTES, little-endian: u64 low half and u64 high half of the id (a lone UUID's 128 bits as a number; of any other id its MD5),
   * then u64 of the facts beside it (identityQuery() in store/identity.ts). Two rows are the same record when all 24 bytes are equal.
   */
  readonly identity: Uint8Array;
  /** Per row 1 when the record carries an id. Records without one are never merged. */
  readonly hasIdentity: Uint8Array;
}

export interface FileContext {
  /** The ledger's id of the log file; becomes the column `log_file`. */
  readonly logFile: number;
  /** UTC day of delivery, in days since 1970-01-01: the event_date of records without a usable time. */
  readonly deliveredDay: number;
  /** Our clock at ingest, in milliseconds: times more than a day later are absurd. */
  readonly ingestedAtMs: number;
  /**
   * Its bytes are records that came out of envelopes, each with a line end behind it: then each is a row or a reject by itself, told at once, and none speaks for
   * the file.
   */
  readonly isUnwrapped?: boolean;
}

/** What one log file held, told when its last byte was pushed. */
export interface FileOutcome {
  readonly kind: ContentKind;
  /** Rows and rejects together. */
  readonly recordsIn: number;
  /** Those that takeRejects() did not give before. */
  readonly rejects: readonly Reject[];
}

/**
 * Decodes one log file after the other into the current window. Not re-entrant; one per thread.
 * Order of calls: begin, push … push(last), end, begin … ; whenever push returns `full`, or roomBytes() is too small for the next file, the caller takes
 * batch() and calls reset(), in the middle of a file too.
 */
export interface Decoder {
  readonly table: Table;
  /** Rows that a window holds at most. */
  readonly maxRows: number;
  begin(file: FileContext): void;
  /**
   * Copies `bytes` (at most roomBytes() of them) and decodes every complete record. `more`: all of it was decoded or is kept as an incomplete tail; push on.
   * `full`: the window has no room for further rows or bytes; take batch(), reset(), then push again (an empty array if nothing new was read).
   * With `last`, an incomplete tail is damage: a reject. `more` then means that the file is finished and end() may be called. With `isCut` as well, the file broke
   * off there: a tail that would be a record, did the file end as it should, is incomplete too.
   */
  push(bytes: Uint8Array, last: boolean, isCut?: boolean): 'more' | 'full';
  /** Rejects of the current file since the last call, so that a file of nothing else does not fill the memory. */
  takeRejects(): readonly Reject[];
  /** Bytes that push() can take now. At least 1 MiB after reset(), once push() has answered `more`: until then what it was given waits to be decoded. */
  roomBytes(): number;
  end(): FileOutcome;
  /** Rows decoded since the last reset(). */
  batch(): Batch;
  /** Starts an empty window; keeps the incomplete tail of the current file. */
  reset(): void;
}

/** Limits that bound memory whatever comes; all in bytes. */
export interface DecodeLimits {
  /** A record over this size becomes a reject. Default 32 MiB. */
  readonly recordBytes: number;
  /** Text that a window holds at most. Default 64 MiB. */
  readonly windowBytes: number;
}

export interface Format {
  readonly name: string;
  readonly table: Table;
  /** What says that a file which starts with these uncompressed bytes is of this format: the bytes, which decide; only its key; or nothing. */
  sniff(head: Uint8Array, key: string): 'content' | 'key' | null;
  /** Whether they begin just as the files that the service itself delivers: then nothing further is asked, and no envelope looked for. */
  isAsDelivered?(head: Uint8Array): boolean;
  createDecoder(limits: DecodeLimits): Promise<Decoder>;
}
