/** Texts of rules: wildcards and escapes, encodings, dashes; and which regular expressions may be used. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend.ts';
import { base64Anywhere, comparison, dashVariants, encode, fits, parsePattern } from '../../src/sigma/pattern.ts';
import { patternProblem } from '../../src/sigma/regex.ts';
import { openStreamBackend } from '../support/streams.ts';

describe('a text', () => {
  test.each([
    ['plain', 'is', 'plain'],
    ['', 'is', ''],
    ['*a', 'endswith', 'a'],
    ['a*', 'startswith', 'a'],
    ['*a*', 'contains', 'a'],
    ['**a**', 'contains', 'a'],
    ['*', 'like', '*'],
    ['a*b', 'like', 'a*b'],
    ['a?', 'like', 'a?'],
    // A backslash is itself unless a wildcard or a backslash follows.
    ['C:\\Windows', 'is', 'C:\\Windows'],
    ['C:\\\\Windows', 'is', 'C:\\Windows'],
    ['a\\*', 'is', 'a*'],
    ['a\\?b*', 'startswith', 'a?b'],
    ['a\\\\*', 'startswith', 'a\\'],
    ['a\\\\\\*', 'is', 'a\\*'],
    ['a\\\\\\', 'is', 'a\\\\'],
    ['a\\\\\\\\', 'is', 'a\\\\'],
    ['a\\\\\\*b*c', 'like', 'a\\\\\\*b*c'],
    ['end\\', 'is', 'end\\'],
  ])('%s is told by %s', (text, operator, value) => {
    expect(comparison(parsePattern(text))).toEqual({ operator, value });
  });

  test('fits what its wildcards leave open', () => {
    const fit = (pattern: string): string[] =>
      ['true', 'false', 'TRUE', 't'].filter((text) => fits(parsePattern(pattern), text));
    expect({ 'tr*': fit('tr*'), '????': fit('????'), 't.ue': fit('t.ue'), '*': fit('*') }).toEqual({
      'tr*': ['true', 'TRUE'],
      '????': ['true', 'TRUE'],
      't.ue': [],
      '*': ['true', 'false', 'TRUE', 't'],
    });
  });

  test('has the Base64 that it has anywhere in others', () => {
    // The figures of the Sigma project's own example.
    expect(base64Anywhere(Buffer.from('http://'))).toEqual(['aHR0cDovL', 'h0dHA6Ly', 'odHRwOi8v']);
    for (const text of ['a', 'ab', 'abc', 'foo bar', 'ünï']) {
      const parts = base64Anywhere(Buffer.from(text));
      for (const before of ['', 'x', 'xy', 'xyz', '\u00e9']) {
        const whole = Buffer.from(`${before}${text}zz`).toString('base64');
        expect(
          parts.filter((part) => whole.includes(part)),
          `${text} after '${before}'`,
        ).not.toEqual([]);
      }
    }
  });

  test.each([
    ['wide', '63006d006400'],
    ['utf16le', '63006d006400'],
    ['utf16be', '0063006d0064'],
    ['utf16', 'fffe63006d006400'],
  ] as const)('is encoded by %s', (encoding, hex) => {
    expect(encode('cmd', encoding).toString('hex')).toBe(hex);
  });

  test('has every dash in place of each that begins a word', () => {
    expect(dashVariants('run -f a-b')).toEqual(['run -f a-b', 'run /f a-b', 'run –f a-b', 'run —f a-b', 'run ―f a-b']);
    expect(dashVariants('-a -b')).toHaveLength(25);
    expect(dashVariants('-a -b -c -d -e')).toBeNull();
  });
});

const USABLE = [
  'a.c',
  '^(?:Put|Delete)[A-Z]\\w+$',
  '.+:assumed-role/aws:.+',
  '(?i)abc(?-i)d',
  '[^a-z\\d_.-]{2,5}?',
  'a{3}b{2,}c*?',
  '\\bx\\B\\.\\\\\\/\\-',
  '[[:alpha:]]+[\\w]',
  '\\x41\\x{1F600}\\pL\\p{Greek}',
  'a|b|',
  '()',
  '(a(b(c)))\\t\\n',
  '[a-]',
  'x{1000}',
  '(?P<name>a)[a&&b][a[b]',
];
const REFUSED: readonly (readonly [string, number, string])[] = [
  ['ab(?=c)', 2, 'look-around'],
  ['(?<!x)y', 0, 'look-around'],
  ['(?>a)', 0, 'atomic'],
  ['(a)\\1', 3, 'back-reference'],
  ['(?<n>a)\\k<n>', 0, 'named group'],
  ['(?P=n)', 0, 'group that RE2 has not'],
  ['a++', 1, 'possessive'],
  ['a{2}+', 1, 'possessive'],
  ['(?x)a', 0, 'flags'],
  ['(a', 2, 'not closed'],
  ['a)', 1, 'not open'],
  ['*a', 0, 'repeats nothing'],
  ['a**', 2, 'repeats nothing'],
  ['[a-z', 0, 'not closed'],
  ['[z-a]', 1, 'backwards'],
  ['x{1001}', 1, 'over 1000'],
  ['x{3,1}', 1, 'end is before its begin'],
  ['x{,3}', 1, 'no count'],
  ['a\\', 1, 'ends with a backslash'],
  ['\\Zend', 0, '\\Z'],
  ['\\hx', 0, '\\h'],
];

describe('a regular expression', () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await openStreamBackend();
  });
  afterAll(() => backend.close());

  test('of the subset is taken by the engine', async () => {
    for (const pattern of USABLE) {
      expect(patternProblem(pattern), pattern).toBeNull();
      const { rows } = await backend.query(`SELECT regexp_like('abc', '${pattern.replaceAll("'", "''")}') AS ok`);
      expect(typeof rows[0]?.['ok'], pattern).toBe('boolean');
    }
  });

  test.each(REFUSED)('%s is refused at %d', (pattern, offset, reason) => {
    expect(patternProblem(pattern)).toEqual({ offset, reason: expect.stringContaining(reason) });
  });
});
