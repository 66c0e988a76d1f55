/** What an export writes to: files below a folder or a prefix of a bucket, each of which appears whole or not at all. Keys are relative, with `/` between their parts. */

export interface TargetFile {
  readonly key: string;
  readonly sizeBytes: number;
}

/** Every method fails with AppError `target-unwritable`, naming the key; `aws-credentials` where AWS takes none. */
export interface Target {
  /** As the user wrote it. */
  readonly name: string;
  /** What other programs call a key: `s3://bucket/prefix/key`, or a file URL. */
  addressOf(key: string): string;
  /** Files whose keys begin so, in no order. */
  list(prefix: string): AsyncIterable<TargetFile>;
  /** Null where there is none. */
  readText(key: string): Promise<string | null>;
  /** The last `bytes` bytes of a file, or all of it where it has fewer. */
  readEnd(key: string, bytes: number): Promise<Uint8Array>;
  /** Puts the text in place of what is there. */
  writeText(key: string, text: string): Promise<void>;
  /** False, and nothing written, where there is a file of this key. */
  createText(key: string, text: string): Promise<boolean>;
  /** Copies a local file there. */
  writeFile(key: string, path: string): Promise<void>;
  /** A key that is not there is no error. */
  remove(key: string): Promise<void>;
  close(): void;
}
