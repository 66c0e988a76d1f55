/** What the store holds of a day, read for admission: the ids of its events, with or without what says whether records are the same. */
import type { DuckDBConnection } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { DuckDBInstance } from '../duckdb.ts';
import type { Segment } from '../store.ts';
import type { Table } from '../table.ts';
import { formatDay } from '../time.ts';
import type { StoredDays } from './admission.ts';
import type { Catalog } from './catalog.ts';
import type { StorePaths } from './files.ts';
import { IdFilter } from './id-filter.ts';
import { identityQuery, idQuery } from './identity.ts';
import { liveSegments } from './lake.ts';
import { sqlList } from './parquet.ts';
import { type Chunk, VECTOR_ROWS, words32 } from './vectors.ts';

/** Days of fewer rows are read at once with all that is compared; of more than so many, not even the ids alone fit into memory. */
const FILTER_ROWS_MIN = 100_000;
const FILTER_ROWS_MAX = 4_000_000;
/** Beside the threads' own instances. */
const MEMORY_LIMIT = '128MB';
/** Words of a row in Batch.identity: four of the id, two of the facts. */
const WORDS = 6;
const ID_WORDS = 4;

/** `hasDay`: whether there is any segment of a table's day. */
export function createStoredDays(
  catalog: Catalog,
  paths: StorePaths,
  tables: readonly Table[],
  hasDay: (table: string, eventDate: string) => boolean,
): StoredDays & { close(): void } {
  let reader: { readonly instance: DuckDBInstance; readonly connection: DuckDBConnection } | null = null;

  const connect = async (): Promise<DuckDBConnection> => {
    if (reader === null) {
      const instance = await DuckDBInstance.create(':memory:', {
        memory_limit: MEMORY_LIMIT,
        threads: '1',
        preserve_insertion_order: 'false',
        temp_directory: paths.staging,
      });
      reader = { instance, connection: await instance.connect() };
    }
    return reader.connection;
  };

  const segmentsOf = async (name: string, day: number): Promise<{ table: Table; segments: readonly Segment[] }> => {
    const table = tables.find((one) => one.name === name);
    if (table === undefined) throw new Error(`the store was opened without the table ${name}`);
    const eventDate = formatDay(day);
    if (!hasDay(name, eventDate)) return { table, segments: [] };
    const all = await catalog.read((session) => liveSegments(session, paths, name));
    return { table, segments: all.filter((segment) => segment.eventDate === eventDate) };
  };

  async function* chunksOf(sql: string): AsyncGenerator<{ chunk: Chunk; rows: number }> {
    const result = await (await connect()).stream(sql);
    for (;;) {
      const chunk = await result.fetchChunk();
      if (chunk === null || chunk.rowCount === 0) return;
      yield { chunk: chunk.chunk, rows: chunk.rowCount };
    }
  }

  return {
    identities: async function* (name, day) {
      const { table, segments } = await segmentsOf(name, day);
      if (segments.length === 0) return;
      for await (const { chunk, rows } of chunksOf(identityQuery(table, listOf(segments)))) {
        const facts = words32(duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk, 1), rows * 8));
        const words = new Int32Array(rows * WORDS);
        copyIds(chunk, rows, words, WORDS);
        for (let row = 0; row < rows; row++) {
          words[row * WORDS + 4] = facts[row * 2] ?? 0;
          words[row * WORDS + 5] = facts[row * 2 + 1] ?? 0;
        }
        yield { words, rows };
      }
    },

    ids: async (name, day) => {
      const { table, segments } = await segmentsOf(name, day);
      const expected = segments.reduce((sum, segment) => sum + segment.rows, 0);
      if (expected < FILTER_ROWS_MIN || expected > FILTER_ROWS_MAX) return null;
      const filter = new IdFilter(expected);
      const words = new Int32Array(VECTOR_ROWS * ID_WORDS);
      for await (const { chunk, rows } of chunksOf(idQuery(table, listOf(segments)))) {
        copyIds(chunk, rows, words, ID_WORDS);
        for (let row = 0; row < rows; row++) filter.add(words, row * ID_WORDS);
      }
      return filter;
    },

    close: () => {
      reader?.connection.closeSync();
      reader?.instance.closeSync();
    },
  };
}

const listOf = (segments: readonly Segment[]): string => sqlList(segments.map(({ path }) => path));

/** The UUIDs in a chunk's first column as the words of Batch.identity, `step` words a row. */
function copyIds(chunk: Chunk, rows: number, words: Int32Array, step: number): void {
  const ids = words32(duckdb.vector_get_data(duckdb.data_chunk_get_vector(chunk, 0), rows * 16));
  for (let row = 0; row < rows; row++) {
    for (let word = 0; word < 4; word++) words[row * step + word] = ids[row * 4 + word] ?? 0;
    // DuckDB keeps a UUID's highest bit flipped, so that signed order is the order of the text.
    words[row * step + 3] = (words[row * step + 3] ?? 0) ^ 0x80000000;
  }
}
