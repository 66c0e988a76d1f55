/** Rows of two engines, compared column by column. */
import type { Row, Value } from '../../src/backend.ts';
import type { Table } from '../../src/table.ts';

/** JSON as a value, its members in the order of their names. What a struct has no value for is null in it, where the record just lacks it: the same to every path. */
function jsonValue(text: Value, isStruct: boolean): unknown {
  if (typeof text !== 'string') return text;
  try {
    return JSON.parse(text, (_, value: unknown) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
      const members = Object.entries(value).filter(([, member]) => !isStruct || member !== null);
      return Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)));
    });
  } catch {
    return text;
  }
}

const shown = (value: unknown): string =>
  JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? `${item}n` : item)) ?? 'undefined';

/** Rows in the order of their identities, JSON as values. */
function comparable(table: Table, rows: readonly Row[]): readonly Readonly<Record<string, unknown>>[] {
  const isStruct = new Map(
    table.columns
      .filter((column) => column.json === true)
      .map(({ name, athena }) => [name, athena?.includes('AS JSON') === true]),
  );
  const valueOf = (name: string, value: Value): unknown => {
    const struct = isStruct.get(name);
    return struct === undefined ? value : jsonValue(value, struct);
  };
  const keyOf = (row: Readonly<Record<string, unknown>>): string =>
    shown([[...table.identity.id, ...table.identity.facts].map((name) => row[name]), row]);
  return rows
    .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, valueOf(name, value)])))
    .map((row) => [keyOf(row), row] as const)
    .toSorted(([x], [y]) => (x < y ? -1 : 1))
    .map(([, row]) => row);
}

/** Whether JSON has names that differ by their case alone, of which OpenX's SerDe keeps but one. */
function repeatsName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const names = Array.isArray(value) ? [] : Object.keys(value).map((name) => name.toLowerCase());
  return new Set(names).size < names.length || Object.values(value).some(repeatsName);
}

/** By column, in how many rows it differs, and the first such values. */
export function differences(table: Table, ours: readonly Row[], theirs: readonly Row[]): unknown {
  const [left, right] = [comparable(table, ours), comparable(table, theirs)];
  const found: Record<string, { rows: number; first: unknown }> = {};
  for (const [at, row] of left.entries())
    for (const [name, value] of Object.entries(row)) {
      const other = right[at]?.[name];
      if (shown(value) === shown(other) || repeatsName(value)) continue;
      found[name] ??= { rows: 0, first: [value, other] };
      found[name].rows += 1;
    }
  return { rows: right.length, columns: found };
}
