/** Members go, and every other byte stays. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { withoutMembers } from '../../src/pipeline/json-members.ts';

describe('without its members', () => {
  test.each<readonly [string, string, readonly string[], string | null]>([
    ['an object', '{"a":1, "B" : {"x":[1.10,2]} ,"c":-0}', ['b'], '{"a":1,"c":-0}'],
    ['its only member', '{ "a" : "}" }', ['a'], '{}'],
    ['every one of a name', '{"a":1,"b":2,"a":3}', ['a'], '{"b":2}'],
    ['a name in escapes', '{"\\u0061":1,"b":2}', ['a'], '{"b":2}'],
    ['a path', '{"c":{"Token":"x\\"","k":1e400},"token":1}', ['c', 'token'], '{"c":{"k":1e400},"token":1}'],
    ['lists', '{"c":[{"t":1,"u":2}, [{"t":3}],4]}', ['c', 't'], '{"c":[{"u":2},[{}],4]}'],
    [
      'headers',
      '[{"name":"Host","value":"h"},{"name":"COOKIE","value":"x"}]',
      ['cookie'],
      '[{"name":"Host","value":"h"}]',
    ],
    ['nothing', '{"a":{"b":1},"c":[1,2]}', ['b'], null],
    ['no object', '"text"', ['a'], null],
    ['what breaks off', '{"a":{"b":', ['a', 'b'], 'null'],
    ['what is no JSON', '{a:1}', ['a'], 'null'],
  ])('%s', (_, text, path, left) => {
    expect(withoutMembers(text, [path])).toBe(left);
  });

  test('any JSON is what a parser makes of it', () => {
    const key = fc.constantFrom('a', 'b', 'A', 'name', 'x"\\');
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, true, 1.5, '', 'a', '}]"\\'),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(
        value,
        fc.array(fc.constantFrom('a', 'b', 'name'), { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        (item, path, isSpaced) => {
          const text = JSON.stringify(item, null, isSpaced ? 1 : 0);
          const left = withoutMembers(text, [path]);
          expect(JSON.parse(left ?? text)).toEqual(without(item, path));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

/** The same over parsed values. */
function without(item: unknown, path: readonly string[]): unknown {
  const [name, ...rest] = path;
  if (Array.isArray(item)) {
    return item.filter((one) => rest.length > 0 || nameOf(one) !== name).map((one) => without(one, path));
  }
  if (typeof item !== 'object' || item === null) return item;
  return Object.fromEntries(
    Object.entries(item).flatMap(([key, one]) => {
      if (key.toLowerCase() !== name) return [[key, one]];
      return rest.length === 0 ? [] : [[key, without(one, rest)]];
    }),
  );
}

function nameOf(item: unknown): string | null {
  if (typeof item !== 'object' || item === null || Array.isArray(item) || !('name' in item)) return null;
  return typeof item.name === 'string' ? item.name.toLowerCase() : null;
}
