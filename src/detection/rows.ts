/** Values of a backend's rows as what they are meant to be. */
import type { Row, Value } from '../backend.ts';

/** A value as text; null where there is none. */
export function asText(value: Value | undefined): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The items of a list as texts; none where it is no list. */
export const asTexts = (value: Value | undefined): readonly (string | null)[] =>
  Array.isArray(value) ? value.map((item: Value) => asText(item)) : [];

export const textOf = (row: Row, column: string): string => asText(row[column]) ?? '';
export const numberOf = (row: Row, column: string): number => Number(row[column] ?? 0);
export const timeMsOf = (row: Row, column: string): number => Date.parse(textOf(row, column));
