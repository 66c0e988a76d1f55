/** Derived columns of a window: evaluated once per distinct combination of the values that they read, where these repeat; else once per row. */
import type { DuckDBConnection, DuckDBDataChunk, DuckDBValue } from '@duckdb/node-api';
import type { Batch } from '../format.ts';
import { type Column, derivedColumns, rawColumns, readsOf, type Table } from '../table.ts';
import type { NumberedTexts } from './encoder/columns.ts';
import { fillTexts, registerTexts, VECTOR_ROWS } from './vectors.ts';

export interface Derivation {
  /** The derived columns, by name. */
  derive(batch: Batch): Promise<ReadonlyMap<string, NumberedTexts>>;
}

/** Derived columns that read the same raw columns, or each other. */
interface Family {
  readonly columns: readonly Column[];
  readonly inputs: readonly { readonly column: Column; readonly index: number }[];
}

/** Combinations of a window: per row the number of its own, and for each a row that has it. */
interface Combinations {
  readonly numbers: Uint16Array;
  readonly rows: Int32Array;
}

/** The connection must know the macros that the derivations are written in. */
export async function createDerivation(connection: DuckDBConnection, table: Table): Promise<Derivation> {
  const families = familiesOf(table);
  const inputs = families.flatMap((family) => family.inputs);
  const derived = families.flatMap(({ columns }) => columns);
  let window: { readonly batch: Batch; readonly rows: readonly Int32Array[] } | null = null;
  let next = 0;

  // Beside each other, the families need one statement; where one has fewer combinations than another, its last rows have no values.
  registerTexts(connection, 'combinations', {
    columns: inputs.map(({ column }) => column.name),
    fill: (chunk) => {
      if (window === null) return 0;
      let index = 0;
      let count = 0;
      for (const [at, family] of families.entries()) {
        const rows = (window.rows[at] ?? NO_ROWS).subarray(next, next + VECTOR_ROWS);
        count = Math.max(count, rows.length);
        window.batch.select(rows);
        for (const input of family.inputs) fillTexts(chunk, index++, window.batch, input.index, rows);
      }
      next += VECTOR_ROWS;
      return count;
    },
  });
  const statement = await connection.prepare(
    `SELECT ${derived.map(asText).join(', ')} FROM (SELECT ${derived.map(({ name, derive }) => `${derive} AS ${name}`).join(', ')} FROM combinations())`,
  );

  return {
    derive: async (batch) => {
      const texts = new Map<string, NumberedTexts>();
      const found = families.map((family) => combinationsOf(batch, family));
      window = { batch, rows: found.map(({ rows }) => rows) };
      next = 0;
      const chunks = await (await statement.run()).fetchAllChunks();
      window = null;
      let at = 0;
      for (const [index, family] of families.entries()) {
        const combinations = found[index] ?? NO_COMBINATIONS;
        for (const { name } of family.columns)
          texts.set(name, spread(firstValues(chunks, at++, combinations.rows.length), combinations));
      }
      return texts;
    },
  };
}

const NO_ROWS = new Int32Array(0);
const NO_COMBINATIONS: Combinations = { numbers: new Uint16Array(0), rows: NO_ROWS };

/** Values come out of the engine as texts, lists as JSON. */
const asText = ({ name, type }: Column): string =>
  type === 'VARCHAR[]' ? `CAST(to_json(${name}) AS VARCHAR) AS ${name}` : name;

/** Each row is a combination of its own when the values that the family reads hardly repeat. */
function combinationsOf(batch: Batch, family: Family): Combinations {
  const groups = batch.groups(family.inputs.map(({ index }) => index));
  // The decoder groups one family at a time.
  if (groups !== null) return { numbers: groups.numbers.slice(), rows: groups.firstRows.slice() };
  const rows = Int32Array.from({ length: batch.rows }, (_, row) => row);
  return { numbers: Uint16Array.from(rows), rows };
}

/** The first `count` values of a column: those after them belong to no combination of its family. */
function firstValues(chunks: readonly DuckDBDataChunk[], column: number, count: number): readonly DuckDBValue[] {
  const values: DuckDBValue[] = [];
  for (const chunk of chunks) {
    if (values.length >= count) break;
    chunk.appendColumnValues(column, values);
  }
  return values;
}

/** Gives each row the value of its combination. */
function spread(derived: readonly DuckDBValue[], { numbers, rows }: Combinations): NumberedTexts {
  const values = new Map<string, number>();
  const valueOf = new Int32Array(rows.length).fill(-1);
  for (let combination = 0; combination < rows.length; combination++) {
    const value = derived[combination];
    if (typeof value !== 'string') continue;
    const known = values.get(value) ?? values.size;
    values.set(value, known);
    valueOf[combination] = known;
  }
  const rowNumbers = new Int32Array(numbers.length);
  for (let row = 0; row < numbers.length; row++) rowNumbers[row] = valueOf[numbers[row] ?? 0] ?? -1;
  return { values: [...values.keys()], numbers: rowNumbers };
}

function familiesOf(table: Table): readonly Family[] {
  const raw = rawColumns(table);
  const families: { columns: Column[]; reads: Set<Column> }[] = [];
  for (const column of derivedColumns(table)) {
    const reads = new Set(readsOf(column, table));
    const related = families.filter((family) =>
      [...reads].some((read) => family.reads.has(read) || family.columns.includes(read)),
    );
    const family = {
      columns: [...related.flatMap(({ columns }) => columns), column],
      reads: new Set([...related.flatMap((one) => [...one.reads]), ...reads]),
    };
    families.splice(0, families.length, ...families.filter((one) => !related.includes(one)), family);
  }
  return families.map(({ columns, reads }) => ({
    columns: derivedColumns(table).filter((column) => columns.includes(column)),
    inputs: raw.flatMap((column, index) => (reads.has(column) ? [{ column: asInput(column), index }] : [])),
  }));
}

function asInput(column: Column): Column {
  if (column.type !== 'VARCHAR') throw new Error(`a derivation reads ${column.name}, which is no text`);
  return column;
}
