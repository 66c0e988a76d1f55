/** Tables: aligned and unwrapped in a pipe, fitted to a terminal. */
import stringWidth from 'string-width';
import { describe, expect, test } from 'vitest';
import { renderTable } from '../src/text-table.ts';

const columns = [{ title: 'name' }, { title: 'n', align: 'right' as const }, { title: 'text' }];
const plain = (text: string) => text;

describe('a table', () => {
  test('in a pipe is as wide as it needs, with no space at the ends of lines', () => {
    const text = renderTable(
      columns,
      [
        ['a', '1', 'x'.repeat(100)],
        ['bbb', '1000', ''],
      ],
      { width: null, head: plain },
    );
    expect(text).toBe(`name     n  text\na        1  ${'x'.repeat(100)}\nbbb   1000\n`);
  });

  test.each([40, 80, 200])('fits a terminal of %i columns and loses no word', (width) => {
    const words = Array.from({ length: 40 }, (_, index) => `word${index}`);
    const text = renderTable(columns, [['a', '1', words.join(' ')]], { width, head: plain });
    for (const line of text.split('\n')) expect(stringWidth(line)).toBeLessThanOrEqual(width);
    for (const word of words) expect(text).toContain(word);
  });

  test('counts wide characters as two columns', () => {
    const text = renderTable(
      [{ title: 'a' }, { title: 'b' }],
      [
        ['山田', 'x'],
        ['ab', 'y'],
      ],
      { width: null, head: null },
    );
    expect(text).toBe('山田  x\nab    y\n');
  });

  test('with more columns than a terminal can hold prints one value a line', () => {
    const many = Array.from({ length: 20 }, (_, index) => ({ title: `column${index}` }));
    const text = renderTable(many, [many.map((_, index) => `a value of column ${index}`)], { width: 80, head: plain });
    expect(text.split('\n').slice(0, 2)).toEqual(['column0   a value of column 0', 'column1   a value of column 1']);
  });

  test('whose cells are long identifiers breaks them inside', () => {
    const text = renderTable([{ title: 'a' }, { title: 'b' }], [['x'.repeat(50), 'y'.repeat(50)]], {
      width: 60,
      head: null,
    });
    expect(text.match(/x/g)).toHaveLength(50);
    expect(text.match(/y/g)).toHaveLength(50);
  });
});
