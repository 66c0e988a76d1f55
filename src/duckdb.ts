/** DuckDB's API, for the store and the backends. */
import { createRequire } from 'node:module';

// Importing a CommonJS package, Node first reads all of its files for the names that they export: 120 ms at every start.
const api = createRequire(import.meta.url)('@duckdb/node-api') as typeof import('@duckdb/node-api');

export type DuckDBInstance = import('@duckdb/node-api').DuckDBInstance;

export const {
  BIGINT,
  BOOLEAN,
  DOUBLE,
  DuckDBArrayType,
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDataChunk,
  DuckDBDecimalValue,
  DuckDBInstance,
  DuckDBListType,
  DuckDBListValue,
  DuckDBMapType,
  DuckDBMapValue,
  DuckDBStructType,
  DuckDBStructValue,
  DuckDBTableFunction,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBUnionType,
  DuckDBUnionValue,
  LIST,
  listValue,
  TIMESTAMP,
  timestampValue,
  VARCHAR,
} = api;
