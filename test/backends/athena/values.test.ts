/** Texts of Athena as values, by the type of their column. */
import { describe, expect, test } from 'vitest';
import { fromAthena, fromJson, typeName } from '../../../src/backends/athena/values.ts';

const CASES: readonly (readonly [type: string, text: string | undefined, value: unknown])[] = [
  ['varchar', undefined, null],
  ['varchar', '', ''],
  ['varchar', 'null', 'null'],
  ['boolean', 'true', true],
  ['boolean', 'false', false],
  ['integer', '-7', -7],
  ['bigint', '9007199254740991', 9007199254740991],
  ['bigint', '9007199254740993', 9007199254740993n],
  ['double', '1.5', 1.5],
  ['double', '1.0E-5', 0.00001],
  ['double', 'NaN', Number.NaN],
  ['double', '-Infinity', Number.NEGATIVE_INFINITY],
  ['decimal', '12.50', 12.5],
  ['date', '2026-01-31', '2026-01-31'],
  ['timestamp', '2026-01-31 23:59:59.000', '2026-01-31T23:59:59Z'],
  ['timestamp', '2026-01-31 23:59:59.120', '2026-01-31T23:59:59.120Z'],
  ['timestamp', '2026-01-31 23:59:59.123456', '2026-01-31T23:59:59.123456Z'],
  ['timestamp', '2026-01-31 23:59:59', '2026-01-31T23:59:59Z'],
  ['timestamp with time zone', '2026-01-31 23:59:59.000 UTC', '2026-01-31T23:59:59Z'],
  ['timestamp with time zone', '2026-01-31 23:59:59.000 +01:00', '2026-01-31T22:59:59Z'],
  ['json', '{"a":1}', '{"a":1}'],
  ['array', '[a, b]', '[a, b]'],
];

test.each(CASES)('%s %j', (type, text, value) => {
  expect(fromAthena(text, { name: 'c', type })).toEqual(value);
});

describe('a text that is none of its type is refused with its column', () => {
  test.each([
    ['boolean', 'yes'],
    ['bigint', '1.5'],
    ['bigint', ''],
    ['double', 'one'],
    ['date', '31.01.2026'],
    ['timestamp', '2026-01-31'],
    ['timestamp with time zone', '2026-01-31 23:59:59.000 Europe/Berlin'],
  ])('%s %j', (type, text) => {
    expect(() => fromAthena(text, { name: 'c', type })).toThrow(`the column 'c' holds '${text}', expected ${type}`);
  });
});

test('what travelled as JSON keeps numbers beyond 2^53, whatever texts beside them look like', () => {
  expect(
    fromJson(
      '["12345678901234567890", 12345678901234567890, -9007199254740993, 5, 1.5, null, true]',
      { name: 'c', type: 'varchar' },
      'JSON[]',
    ),
  ).toEqual(['12345678901234567890', 12345678901234567890n, -9007199254740993n, 5, 1.5, null, true]);
  expect(fromJson('{"a":[{"b":"c, d"}]}', { name: 'c', type: 'varchar' }, 'STRUCT(a STRUCT(b VARCHAR)[])')).toEqual({
    a: [{ b: 'c, d' }],
  });
  expect(
    fromJson(
      '{"a":{"at":"2026-03-06 08:06:00.000","said":"2026-03-06 08:06:00.000"}}',
      { name: 'c', type: 'varchar' },
      'STRUCT("a" STRUCT("at" TIMESTAMP, "said" VARCHAR))',
    ),
  ).toEqual({ a: { at: '2026-03-06T08:06:00Z', said: '2026-03-06 08:06:00.000' } });
  expect(fromJson(undefined, { name: 'c', type: 'varchar' }, 'VARCHAR[]')).toBeNull();
  expect(() => fromJson('[a', { name: 'c', type: 'varchar' }, 'VARCHAR[]')).toThrow(/expected JSON/u);
});

test('types have the names of the other backend', () => {
  const names = ['varchar', 'string', 'bigint', 'integer', 'int', 'double', 'boolean', 'timestamp', 'date', 'json'].map(
    (type) => typeName({ name: 'c', type }),
  );
  expect(names).toEqual([
    'VARCHAR',
    'VARCHAR',
    'BIGINT',
    'INTEGER',
    'INTEGER',
    'DOUBLE',
    'BOOLEAN',
    'TIMESTAMP',
    'DATE',
    'VARCHAR',
  ]);
  expect(typeName({ name: 'c', type: 'decimal', precision: 10, scale: 2 })).toBe('DECIMAL(10,2)');
});
