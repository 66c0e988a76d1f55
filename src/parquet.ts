/** What Parquet files are to an ingest: each row becomes a record, as JSON, and goes to a decoder as the records of log files do. */

/** The type of a column, as far as it matters to how its values are written as JSON. */
export type ParquetType =
  | { readonly kind: 'text' | 'time' | 'plain' }
  | { readonly kind: 'struct'; readonly members: readonly ParquetColumn[] }
  | { readonly kind: 'list'; readonly item: ParquetType }
  | { readonly kind: 'map'; readonly value: ParquetType };

export interface ParquetColumn {
  readonly name: string;
  readonly type: ParquetType;
}

/** How the rows of a file become records. */
export interface ParquetRecords {
  /** Null where each record tells it by itself. */
  readonly format: string | null;
  /** The record as JSON text, in DuckDB's SQL over the columns of the file; NULL where a row has none. */
  readonly sql: string;
}

/** What ends the reading of a file: there are no rows, or none behind those that came. As in Reject. */
export interface ParquetProblem {
  readonly reason: 'parquet-foreign' | 'parquet-encrypted' | 'parquet-damaged' | 'parquet-too-large' | 'truncated';
  readonly detail: string;
}

/** Says how rows with these columns become records, or for a person why they do not. Only formats/ knows. */
export type ParquetShapes = (columns: readonly ParquetColumn[]) => ParquetRecords | { readonly foreign: string };

/** Rows one behind the other; null stands for one without a record. */
export interface ParquetRows {
  readonly format: string | null;
  readonly records: readonly (Uint8Array | null)[];
}

/** A file on its way to where it can be read: that takes its end first. */
export interface ParquetFile {
  /** All bytes, in order. */
  write(bytes: Uint8Array): void;
  /** After the last of them: all rows, in their order; a problem comes last. Throws `source-unreadable`, and `store-unwritable` as write() does. */
  rows(): AsyncGenerator<ParquetRows | ParquetProblem, void, undefined>;
  /** Whatever was kept of it is gone. */
  close(): void;
}

export interface ParquetReader {
  /** `path`: the local file that has these bytes, if one has, as pathOf() writes it; otherwise they are kept in staging/ until the file is closed. */
  open(key: string, path: string | null): ParquetFile;
  close(): void;
}

export const PARQUET_MAGIC_BYTES = 4;
/** The second is that of files whose footer is encrypted: https://parquet.apache.org/docs/file-format/data-pages/encryption/. */
const MAGIC: readonly string[] = ['PAR1', 'PARE'];

/** Whether these bytes are what a Parquet file begins, and ends, with. */
export const isParquetMagic = (bytes: Uint8Array): boolean =>
  MAGIC.includes(
    Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, PARQUET_MAGIC_BYTES)).toString('latin1'),
  );
