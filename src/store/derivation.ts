/** Derived columns of a window: evaluated once per distinct combination of the values that they read, where these repeat; else once per row. */
import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import type { Batch } from '../format.ts';
import { type Column, derivedColumns, rawColumns, readsOf, type Table } from '../table.ts';
import type { NumberedTexts } from './encoder/columns.ts';
import { fillValues, registerValues, VECTOR_ROWS } from './vectors.ts';

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

/** A string slot begins with its length. */
const SLOT_WORDS = 4;
/** Deriving takes about twelve times the memory of the texts: so many bytes of them at once, or one giant. */
const SLICE_BYTES = 4 * 1024 * 1024;
/** And so many of them: a statement takes some milliseconds by itself, a window has rarely more combinations. */
const SLICE_ROWS = 2 * VECTOR_ROWS;

/** The connection must know the macros that the derivations are written in. */
export async function createDerivation(connection: DuckDBConnection, table: Table): Promise<Derivation> {
  const families = familiesOf(table);
  const inputs = families.flatMap((family) => family.inputs);
  const derived = families.flatMap(({ columns }) => columns);
  /** What is derived next: of each family the rows that have its combinations, and how many of them the engine was given. */
  let slice: { readonly batch: Batch | null; readonly rows: readonly Int32Array[] } = { batch: null, rows: [] };
  let given = 0;

  // Beside each other, the families need one statement; where one has fewer combinations than another, its last rows have no values.
  registerValues(connection, 'combinations', {
    columns: inputs.map(({ column }) => column),
    fill: (chunk) => {
      const { batch, rows } = slice;
      const next = rows.map((numbers) => numbers.subarray(given, given + VECTOR_ROWS));
      given += VECTOR_ROWS;
      const most = Math.max(...next.map(({ length }) => length));
      if (batch === null || most === 0) return 0;
      let index = 0;
      for (const [at, family] of families.entries()) {
        const numbers = next[at] ?? NO_ROWS;
        batch.select(numbers);
        for (const input of family.inputs) fillValues(chunk, index++, batch, input.index, numbers);
      }
      return most;
    },
  });
  // All values of a column come as one text, the JSON of their list: taking them one by one costs more than deriving them.
  const statement = await connection.prepare(
    `SELECT ${derived.map(({ name }) => `CAST(to_json(list(${name})) AS VARCHAR)`).join(', ')} FROM (SELECT ${derived.map(asText).join(', ')} FROM (SELECT ${derived.map(({ name, derive }) => `${derive} AS ${name}`).join(', ')} FROM combinations()))`,
  );

  return {
    derive: async (batch) => {
      const found = families.map((family) => combinationsOf(batch, family));
      const values: (string | null)[][] = derived.map(() => []);
      const most = Math.max(...found.map(({ rows }) => rows.length));
      for (let from = 0; from < most; ) {
        const to = endOfSlice(batch, families, found, from, most);
        slice = { batch, rows: found.map(({ rows }) => rows.subarray(from, to)) };
        given = 0;
        const [row = []] = (await statement.runAndReadAll()).getRows();
        for (const [at, column] of values.entries()) for (const value of listOf(row[at])) column.push(value);
        from = to;
      }
      const texts = new Map<string, NumberedTexts>();
      let at = 0;
      for (const [index, family] of families.entries()) {
        for (const { name } of family.columns)
          texts.set(name, spread(values[at++] ?? [], found[index] ?? NO_COMBINATIONS));
      }
      return texts;
    },
  };
}

/** Up to SLICE_ROWS combinations of SLICE_BYTES together; at least one, however large it is. */
function endOfSlice(
  batch: Batch,
  families: readonly Family[],
  found: readonly Combinations[],
  from: number,
  most: number,
): number {
  const texts = families.flatMap(({ inputs }, at) =>
    inputs
      .filter(({ column }) => column.type === 'VARCHAR')
      .map(({ index }) => ({
        rows: found[at]?.rows ?? NO_ROWS,
        slots: new Uint32Array(batch.memory, batch.columns[index]?.data ?? 0, batch.rows * SLOT_WORDS),
      })),
  );
  const end = Math.min(from + SLICE_ROWS, most);
  let bytes = 0;
  for (let at = from; at < end; at++) {
    for (const { rows, slots } of texts) {
      const row = rows[at];
      // A slot without a value holds the length of an older one: then the slice is shorter than it could be.
      if (row !== undefined) bytes += slots[row * SLOT_WORDS] ?? 0;
    }
    if (bytes > SLICE_BYTES && at > from) return at;
  }
  return end;
}

const NO_ROWS = new Int32Array(0);
const NO_COMBINATIONS: Combinations = { numbers: new Uint16Array(0), rows: NO_ROWS };

/** Values come out of the engine as texts, lists as JSON. */
function asText({ name, type }: Column): string {
  if (type === 'VARCHAR') return name;
  return `CAST(${type === 'VARCHAR[]' ? `to_json(${name})` : name} AS VARCHAR) AS ${name}`;
}

/** Each row is a combination of its own when the values that the family reads hardly repeat. */
function combinationsOf(batch: Batch, family: Family): Combinations {
  const groups = batch.groups(family.inputs.map(({ index }) => index));
  // The decoder groups one family at a time.
  if (groups !== null) return { numbers: groups.numbers.slice(), rows: groups.firstRows.slice() };
  const rows = Int32Array.from({ length: batch.rows }, (_, row) => row);
  return { numbers: Uint16Array.from(rows), rows };
}

/** Of no rows there is no list. */
function listOf(value: DuckDBValue | undefined): readonly (string | null)[] {
  return typeof value === 'string' ? (JSON.parse(value) as readonly (string | null)[]) : [];
}

/** Gives each row the value of its combination. */
function spread(derived: readonly (string | null)[], { numbers, rows }: Combinations): NumberedTexts {
  const values = new Map<string, number>();
  const valueOf = new Int32Array(rows.length).fill(-1);
  for (let combination = 0; combination < rows.length; combination++) {
    const value = derived[combination];
    if (value === null || value === undefined) continue;
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
    inputs: raw.flatMap((column, index) => (reads.has(column) ? [{ column, index }] : [])),
  }));
}
