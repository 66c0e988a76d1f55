/** What unwrapping does: it takes records out of the envelopes that they arrived in. */
import type { Reject } from './format.ts';

/** What came out of an envelope: whole records of one format, ready to be pushed to its decoder, or the reason why nothing did. */
export type Piece =
  | { readonly format: string; readonly bytes: Uint8Array; readonly offset: number }
  | Omit<Reject, 'recordNo'>;

/** Takes the bytes of one log file, in slices that end anywhere. */
export interface Unwrapper {
  /** Each piece is valid until the next one is asked for. Never throws. */
  push(bytes: Uint8Array, last: boolean): Iterable<Piece>;
}

export interface Envelopes {
  /** Null when a log file that starts with these uncompressed bytes holds records as they are. `formatOf` names the format of a record, or of nothing of ours null. */
  open(head: Uint8Array, key: string, formatOf: (record: Uint8Array) => string | null): Unwrapper | null;
}
