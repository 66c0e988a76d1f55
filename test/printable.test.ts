/** What leaves the process can neither move a cursor nor become a formula or markup. */
import { describe, expect, test } from 'vitest';
import { csvData, csvField, json, markdownCell, printable } from '../src/printable.ts';

describe('printable', () => {
  test.each([
    ['a colour sequence', '\u001b[31mred', '\\x1b[31mred'],
    ['a title sequence', '\u001b]0;x\u0007', '\\x1b]0;x\\x07'],
    ['the eight-bit CSI', '\u009b2J', '\\x9b2J'],
    ['a carriage return that hides the line', 'evil\rgood', 'evil\\rgood'],
    ['a line break', 'a\nb', 'a\\nb'],
    ['a bidi override', 'user\u202egpj.exe', 'user\\u{202e}gpj.exe'],
    ['an isolate', '\u2066x\u2069', '\\u{2066}x\\u{2069}'],
    ['a zero-width space', 'ad\u200bmin', 'ad\\u{200b}min'],
    ['a tag character', 'a\u{e0041}', 'a\\u{e0041}'],
    ['a lone surrogate', 'a\ud800b', 'a\\u{d800}b'],
    ['a NUL', 'a\0b', 'a\\x00b'],
    ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
    ['text of any script', 'Zoë 山田 🦊', 'Zoë 山田 🦊'],
  ])('%s is written as an escape', (_, text, expected) => {
    expect(printable(text)).toBe(expected);
  });
});

describe('json', () => {
  test('keeps the value and holds no character that a terminal obeys', () => {
    const value = { a: '\u001b[31m\u009b\u202e\u2028\u{e0041}\u007f', list: ['x\ty'] };
    const text = json(value, 2);
    expect(text.replaceAll('\n', '')).toMatch(/^[\x20-\x7e]*$/);
    expect(JSON.parse(text)).toEqual(value);
  });

  test('writes integers that a number cannot hold as text, others as numbers', () => {
    expect(json({ small: 7n, big: 2n ** 60n })).toBe('{"small":7,"big":"1152921504606846976"}');
  });
});

describe('a CSV field', () => {
  test.each([
    ['a formula', '=1+1', "'=1+1"],
    ['a formula in full width', '＝1+1', "'＝1+1"],
    ['a command', '@SUM(A1)', "'@SUM(A1)"],
    ['text that starts with a minus', '-2+3', "'-2+3"],
    ['text that starts with a plus', '+1', "'+1"],
    ['a tab before a formula', '\t=1', '\\t=1'],
    ['a CR before a formula', '\r=1', '\\r=1'],
    ['spaces before a formula', ' =1', "' =1"],
    ['a negative number', -2, '-2'],
    ['a bigint', -(2n ** 60n), '-1152921504606846976'],
    ['a comma', 'a,b', '"a,b"'],
    ['a quote', 'a"b', '"a""b"'],
    ['a formula with a quote', '="a"', `"'=""a"""`],
    ['null', null, ''],
    ['a list', ['a', 'b'], '"[""a"",""b""]"'],
  ])('of %s', (_, value, expected) => {
    expect(csvField(value)).toBe(expected);
  });

  test('of data for a program has no apostrophe, and nothing that a terminal obeys all the same', () => {
    expect([csvData('=1+1'), csvData('\u001b[2J,"')]).toEqual(['=1+1', '"\\x1b[2J,"""']);
  });
});

describe('a Markdown cell', () => {
  test.each([
    ['a pipe', 'a|b', 'a\\|b'],
    ['an escaped pipe', 'a\\|b', 'a\\\\\\|b'],
    ['a tag', '<img src=x>', '&lt;img src=x&gt;'],
    ['a link', '[x](javascript:y)', '\\[x\\](javascript:y)'],
    ['a line break', 'a\nb', 'a\\nb'.replaceAll('\\', '\\\\')],
  ])('of %s', (_, value, expected) => {
    expect(markdownCell(value)).toBe(expected);
  });
});
