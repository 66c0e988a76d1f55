/** What unwrapping does: it takes records out of the envelopes that they arrived in. */
import type { Reject } from './format.ts';

/** Records of one format, ready to be pushed to its decoder. */
export interface UnwrappedRecords {
  readonly format: string;
  /** Whole records, each with a line end behind it. */
  readonly bytes: Uint8Array;
  /** Where each record begins in `bytes`. */
  readonly starts: readonly number[];
  /** Position of each in the log file, from 0, counted over the records of all formats and rejects. */
  readonly numbers: readonly number[];
  /** For each record, the byte offset in the log file of the message, or line, that it came out of. */
  readonly offsets: readonly number[];
}

/** What came out of envelopes: records, or the reason why something gave none. */
export type Piece = UnwrappedRecords | Reject;

/** Takes the bytes of one log file, in slices that end anywhere: what comes out does not depend on where. */
export interface Unwrapper {
  /**
   * Records of many messages come together. Each piece is valid until the next one is asked for. Never throws. `isCut`, with `last`: the file broke off there, so
   * that a last line without an end is not whole.
   */
  push(bytes: Uint8Array, last: boolean, isCut?: boolean): Iterable<Piece>;
}

/** One log file after the other: an unwrapper is of no use once the next file was opened. */
export interface Envelopes {
  /**
   * Null when a log file that starts with these uncompressed bytes holds records as they are; HEAD_BYTES of them decide, or all there are. `formatOf` names the
   * format of a record, or of nothing of ours null.
   */
  open(head: Uint8Array, formatOf: (record: Uint8Array) => string | null): Unwrapper | null;
}
