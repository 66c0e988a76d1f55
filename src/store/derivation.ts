/** Derived columns of a window: evaluated once per distinct combination of the values that they read, where these repeat; else left to be derived per row. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Batch } from '../format.ts';
import { type Column, derivedColumns, rawColumns, readsOf, type Table } from '../table.ts';
import { fillColumn, type NumberedTexts, registerRows, stringColumn, textFeed, VECTOR_ROWS } from './vectors.ts';

export interface Derivation {
  /** The columns that could be derived by combination, by name. */
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
  registerRows(connection, 'combinations', {
    columns: () => inputs.map(({ column }) => stringColumn(column.name)),
    fill: (chunk) => {
      if (window === null) return 0;
      let index = 0;
      let count = 0;
      for (const [at, family] of families.entries()) {
        const rows = (window.rows[at] ?? NO_ROWS).subarray(next, next + VECTOR_ROWS);
        count = Math.max(count, rows.length);
        for (const input of family.inputs)
          fillColumn(chunk, index++, window.batch, textFeed(window.batch, input.column, input.index), rows);
      }
      next += VECTOR_ROWS;
      return count;
    },
  });
  const statement = await connection.prepare(
    `SELECT ${derived.map(({ name, derive }) => `${derive} AS ${name}`).join(', ')} FROM combinations()`,
  );

  return {
    derive: async (batch) => {
      const texts = new Map<string, NumberedTexts>();
      const found = families.map((family) => combinationsOf(batch, family));
      window = { batch, rows: found.map((one) => one?.rows ?? NO_ROWS) };
      next = 0;
      const reader = await statement.runAndReadAll();
      window = null;
      const values = reader.getColumns();
      let at = 0;
      for (const [index, family] of families.entries()) {
        const combinations = found[index] ?? null;
        for (const column of family.columns) {
          if (combinations !== null) texts.set(column.name, spread(column.name, values[at] ?? [], combinations));
          at++;
        }
      }
      return texts;
    },
  };
}

const NO_ROWS = new Int32Array(0);

/** Null when the values that the family reads do not repeat enough. */
function combinationsOf(batch: Batch, family: Family): Combinations | null {
  const groups = batch.groups(family.inputs.map(({ index }) => index));
  // The decoder groups one family at a time.
  return groups === null ? null : { numbers: groups.numbers.slice(), rows: groups.firstRows.slice() };
}

/** Gives each row the value of its combination. */
function spread(name: string, derived: readonly unknown[], { numbers, rows }: Combinations): NumberedTexts {
  const values = new Map<string, number>();
  const valueOf = new Int16Array(rows.length).fill(-1);
  for (let combination = 0; combination < rows.length; combination++) {
    const value = derived[combination];
    if (typeof value !== 'string') continue;
    const known = values.get(value) ?? values.size;
    values.set(value, known);
    valueOf[combination] = known;
  }
  const rowNumbers = new Int16Array(numbers.length);
  for (let row = 0; row < numbers.length; row++) rowNumbers[row] = valueOf[numbers[row] ?? 0] ?? -1;
  return { name, values: [...values.keys()], numbers: rowNumbers };
}

/** Only texts that are derived from texts: an enumeration carries nothing else. */
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
  return families
    .map(({ columns, reads }) => ({
      columns: derivedColumns(table).filter((column) => columns.includes(column)),
      inputs: raw.flatMap((column, index) => (reads.has(column) ? [{ column, index }] : [])),
    }))
    .filter(({ columns, inputs }) =>
      [...columns, ...inputs.map(({ column }) => column)].every(({ type }) => type === 'VARCHAR'),
    );
}
