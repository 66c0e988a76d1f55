/** What a source does: it lists log files and says where their bytes are. It knows keys, never contents. */
import type { Readable } from 'node:stream';
import type { AppError } from './errors.ts';

/** What the key of a log file tells before a byte is read. Null where the key is silent. */
export interface KeyHint {
  /** `CloudTrail`, `CloudTrail-Digest`, `CloudTrail-Insight` or another AWS service folder. */
  readonly service: string | null;
  readonly account: string | null;
  readonly region: string | null;
  /** Delivery day `YYYY-MM-DD`, from the path or from the file name. */
  readonly day: string | null;
  /**
   * The day is that of its oldest record, perhaps in another time zone, as Firehose has it; records of the next day may follow:
   * https://docs.aws.amazon.com/firehose/latest/dev/s3-prefixes.html.
   */
  readonly isOldestDay?: true;
}

/**
 * Where the bytes of a log file are. `file`: a range of a local file, which a worker reads by itself (a zip member is a range, deflated or stored).
 * `stream`: bytes that only the listing process can produce; opened once, read to its end, in the order of listing.
 * `object`: bytes that come over a network, opened in any order and several at a time. The stream repeats by itself what broke off and can be
 * fetched again; what it fails with in the end is an AppError `source-unreadable`. A raised signal ends it.
 */
export type Content =
  | {
      readonly type: 'file';
      readonly path: string;
      readonly start: number;
      readonly length: number;
      readonly method: 'stored' | 'deflate';
      /** Of the bytes that the range holds once it is inflated, as a zip states it; absent where nothing states one. */
      readonly crc32?: number;
    }
  | { readonly type: 'stream'; open(): Promise<Readable> }
  | {
      readonly type: 'object';
      open(signal: AbortSignal): Promise<Readable>;
      /** All bytes at once, in memory of their own: cheaper than a stream where they are few. Fails as the stream does. */
      read(signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
    };

/** What became of a log file: everything in it is in the store for good, from this run or an earlier one, or it could not be read. */
export type Settlement = { readonly outcome: 'stored' } | { readonly outcome: 'failed'; readonly error: string };

export interface LogFile {
  /** The name in the ledger: an absolute path, `/abs/evidence.zip!member`, or `s3://bucket/key`. */
  readonly key: string;
  /** Bytes as delivered, usually compressed. */
  readonly sizeBytes: number;
  /** Changes whenever the content may have changed: modification time in milliseconds, or the ETag. */
  readonly version: string;
  readonly hint: KeyHint;
  readonly content: Content;
  /** Called at most once, after the commit that holds the file, or when it failed. Not called for a file that an interrupted run did not settle. */
  readonly settled?: (settlement: Settlement) => void;
}

/** Only log files that may hold events of this scope; an absent bound does not prune. A key that does not tell is kept. */
export interface Scope {
  /** Event time, inclusive, in ms. Keys carry the delivery day, which is never earlier than the event's. */
  readonly fromMs?: number;
  /** Event time, exclusive, in ms. A file may be delivered later than its events: lateness widens this bound. */
  readonly toMs?: number;
  readonly accounts?: readonly string[];
  readonly regions?: readonly string[];
}

/** Something that could not be listed: it is counted and named, and the listing goes on. */
export interface ListingProblem {
  readonly key: string;
  readonly error: AppError;
}

/** How AWS is reached; what is left out comes from the environment and the files of the AWS CLI. */
export interface AwsOptions {
  readonly profile?: string;
  readonly region?: string;
  readonly endpointUrl?: string;
  /** A role to assume first. */
  readonly roleArn?: string;
  readonly externalId?: string;
  /** Whoever reads pays: required by buckets that say so. */
  readonly requestPayer?: boolean;
}

/** What listing took and left out so far, where that costs money. */
export interface ListingCosts {
  /** Requests for a page of keys. */
  readonly listRequests: number;
  /** Requests for the size of one object. */
  readonly headRequests: number;
  readonly keysListed: number;
  /** Folders that were not looked into and keys that were left out, because nothing of the scope can be in them. */
  readonly foldersPruned: number;
  readonly keysPruned: number;
}

export interface Source {
  /** As the user wrote it. */
  readonly name: string;
  /** Local paths that this source reads, absolute; the store must not lie inside one. */
  readonly paths: readonly string[];
  /** Lists until the signal is raised; what it has listed by then is still read and committed. */
  readonly endless?: boolean;
  /** Lists newest day first where keys tell the day. Repeatable, but a `stream` content can be opened once only. */
  list(scope: Scope, signal: AbortSignal): AsyncIterable<LogFile | ListingProblem>;
  /** Only where listing and reading are paid for by the request. */
  costs?(): ListingCosts;
  close(): Promise<void>;
}

export interface FolderObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** Changes with the content. */
  readonly etag: string;
}

/** What a bucket tells of its folders, for those who do not read the log files themselves. All fail with AppError `source-unreadable` and its like. */
export interface Folders {
  /** Names of the folders right below `prefix` (which ends with a slash, or is empty), without their slash, and the first keys beside them. */
  look(
    bucket: string,
    prefix: string,
    signal: AbortSignal,
  ): Promise<{ readonly folders: readonly string[]; readonly keys: readonly string[] }>;
  /** All objects whose keys begin with `prefix`: how many, and their bytes together. */
  measure(
    bucket: string,
    prefix: string,
    signal: AbortSignal,
  ): Promise<{ readonly objects: number; readonly bytes: number }>;
  /** Objects whose keys begin with `prefix` and are behind `after`, in the order of their keys, until nobody wants more. */
  objects(
    bucket: string,
    prefix: string,
    options: { readonly after?: string; readonly signal: AbortSignal },
  ): AsyncIterable<FolderObject>;
  /** Requests so far. */
  requests(): number;
  close(): void;
}
