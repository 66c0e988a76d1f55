/** Values of a CSV column, however the bytes are sliced, against a reader of whole texts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CsvColumn, type CsvValue, csvHeader } from '../../src/formats/csv-column.ts';

const LIMIT = 1000;

function read(
  text: string | Buffer,
  column = 'eventjson',
  sizes: readonly number[] = [Number.MAX_SAFE_INTEGER],
): CsvValue[] {
  const bytes = Buffer.from(text);
  const reader = new CsvColumn(csvHeader(bytes), column, LIMIT);
  const values: CsvValue[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = Math.min(bytes.length, at + (sizes[turn % sizes.length] ?? 1));
    values.push(...reader.push(bytes.subarray(at, end), end === bytes.length));
    at = end;
  }
  return values;
}
const texts = (values: readonly CsvValue[]): string[] =>
  values.map((one) => ('value' in one ? one.value.toString() : `!${one.reason}`));

describe('a CSV column', () => {
  test('with quotes, commas and line ends in its values', () => {
    const csv = 'eventID,eventJson\r\n1,"{""a"":""x, y\n""}"\r\n2,plain\r\n\r\n3,""\r\n';
    expect(texts(read(csv))).toEqual(['{"a":"x, y\n"}', 'plain', '']);
  });

  test('whose header has quotes, another case, and a byte order mark', () => {
    expect(csvHeader(Buffer.from('\ufeff"eventTime","EVENTJSON"\n'))).toEqual(['eventtime', 'eventjson']);
    expect(texts(read('\ufeff"eventTime","EVENTJSON"\n"t","v"'))).toEqual(['v']);
  });

  test('rows that are none cost only themselves', () => {
    const csv = 'eventJson,b\nx,1\nonly one\ny,2,3\n"z"z,4\n"w",5\n';
    const values = read(csv);
    expect(texts(values)).toEqual(['x', '!csv-row-invalid', '!csv-row-invalid', '!csv-row-invalid', 'w']);
    expect(values.map(({ offset }) => offset)).toEqual([12, 16, 25, 31, 38]);
    expect(values[1]).toMatchObject({
      text: Buffer.from('only one'),
      length: 8,
      detail: 'the row has 1 values, the header 2',
    });
  });

  test('a quote that nothing closes takes the rest of the file, and no more', () => {
    expect(texts(read('eventJson\nx\n"open\ny\n'))).toEqual(['x', '!csv-row-invalid']);
  });

  test('a row over the limit, between two others', () => {
    const csv = `eventJson\nx\n"${'a'.repeat(200_000)}\n"\ny\n`;
    for (const size of [7, 1000, 65_536, csv.length]) {
      const values = read(csv, 'eventjson', [size]);
      expect(texts(values)).toEqual(['x', '!record-too-large', 'y']);
      expect(values[1]).toMatchObject({ length: 200_003 });
    }
  });

  test('as it was written, however it is sliced', () => {
    const field = fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', 'ä', '{') });
    const slices = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
    const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(fc.array(fc.tuple(field, field)), slices, (rows, sizes) => {
        const csv = `id,eventJson\n${rows.map((row) => `${row.map(quoted).join(',')}\n`).join('')}`;
        expect(texts(read(csv, 'eventjson', sizes))).toEqual(rows.map(([, value]) => value));
      }),
    );
  });

  test('of any bytes: the same however they are sliced, and every row told of', () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((some) => some.map((byte) => '",\n\rab'.charCodeAt(byte % 6)));
    fc.assert(
      fc.property(bytes, fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (some, sizes) => {
        const csv = Buffer.concat([Buffer.from('eventJson,b\n'), some]);
        expect(read(csv, 'eventjson', sizes)).toEqual(read(csv));
      }),
    );
  });
});
