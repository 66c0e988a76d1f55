/** Records for property tests: valid ones of every shape, and bytes that were valid ones. */
import fc from 'fast-check';
import { rawColumns } from '../../src/table.ts';
import { cloudtrailOracle, membersOf, type Oracle, rewrite } from './oracle.ts';

type Path = readonly string[];

const pathsOf = ({ format }: Oracle): readonly Path[] =>
  rawColumns(format.table).flatMap((column) => (column.raw === undefined ? [] : [column.raw.split('.')]));
const keysUnder = (paths: readonly Path[], path: Path): string[] => [
  ...new Set(
    paths
      .filter((one) => one.length > path.length && path.every((key, at) => one[at] === key))
      .map((one) => one[path.length] ?? ''),
  ),
];

/** Texts of values that parsers have got wrong. */
const SNIPPETS = [
  'null',
  'true',
  'false',
  '"true"',
  '"FALSE"',
  '""',
  '{}',
  '[]',
  '[[]]',
  '[{}]',
  '0',
  '-0',
  '-0.0',
  '1.10',
  '1e400',
  '1.5E-7',
  '1E+2',
  '12345678901234567890123',
  '9007199254740993',
  '"\\u0000"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  '"\\uD83D\\uDE00"',
  '"\\/\\b\\f\\n\\r\\t\\"\\\\"',
  '"é😀 漢字"',
  '"exactly12byt"',
  '"exactly13byte"',
  '"sixteen bytes!!!"',
  '"a \\\\\\" quote at 16"',
  '{"a" : [1 , {"b":"}]"} ] }',
  '"2024-01-02T03:04:05Z"',
  '"2024-02-30T03:04:05Z"',
  '"2024-01-02T03:04:05.123456789+05:30"',
  '"1999-01-01T00:00:00Z"',
  '"0a1b2c3d-0000-1111-2222-33334444555f"',
  '"0A1b2c3d-0000-1111-2222-33334444555f"',
  '"ec2.amazonaws.com"',
  '"aws:s3"',
  '"arn:aws:iam::111122223333:role/x"',
  '"Insights"',
  '"Insight"',
  '200',
  '200.0',
  '2e2',
  '-2147483648',
  '2147483648',
  '9223372036854775807',
  '-9223372036854775808',
  '9223372036854775808',
  '92233720368547758070',
  '1576280412771',
  '1356998399999',
  '1356998400000',
];

const spaces = fc.constantFrom('', '', '', '', ' ', '\n  ', '\t', '\r\n');

const textValue = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }).map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }).map((value) => JSON.stringify(value)) },
);
const value: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: textValue },
  { weight: 4, arbitrary: fc.constantFrom(...SNIPPETS) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 4 }).map((json) => JSON.stringify(json)) },
);

/** Keys of the record are mostly the known ones; some are written with an escape. */
function keyOf(known: readonly string[]): fc.Arbitrary<string> {
  const plain = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...known) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }) },
  );
  return fc.tuple(plain, fc.nat({ max: 40 })).map(([key, escape]) => {
    const written = JSON.stringify(key);
    const char = key.charCodeAt(0);
    return escape === 0 && /^[a-zA-Z]/.test(key)
      ? `"\\u${char.toString(16).padStart(4, '0')}${written.slice(2)}`
      : written;
  });
}

function objectOf(paths: readonly Path[], path: Path, neededKeys: readonly string[]): fc.Arbitrary<string> {
  const memberOf = (key: fc.Arbitrary<string>): fc.Arbitrary<string> =>
    key.chain((written) => {
      const name = JSON.parse(written) as string;
      const hasInner = keysUnder(paths, [...path, name]).length > 0;
      const inner = hasInner
        ? fc.oneof({ weight: 5, arbitrary: objectOf(paths, [...path, name], []) }, { weight: 1, arbitrary: value })
        : value;
      return fc.tuple(spaces, spaces, inner, spaces).map(([a, b, json, c]) => `${a}${written}${b}:${json}${c}`);
    });
  const needed = neededKeys.map((key) =>
    fc.oneof(
      { weight: 3, arbitrary: memberOf(fc.constant(JSON.stringify(key))) },
      { weight: 1, arbitrary: fc.constant(null) },
    ),
  );
  const others = fc.array(memberOf(keyOf(keysUnder(paths, path))), { maxLength: path.length === 0 ? 14 : 5 });
  return fc.tuple(spaces, fc.tuple(...needed), others, fc.nat()).map(([space, some, rest, at]) => {
    const members = some.filter((member) => member !== null);
    const cut = rest.length === 0 ? 0 : at % rest.length;
    return `{${space}${[...rest.slice(0, cut), ...members, ...rest.slice(cut)].join(',')}}`;
  });
}

/** The text of an object that may be a record of the format: any known and unknown keys in any order, also twice. */
export const recordTextOf = (oracle: Oracle): fc.Arbitrary<string> => objectOf(pathsOf(oracle), [], oracle.neededKeys);

export const recordText: fc.Arbitrary<string> = recordTextOf(cloudtrailOracle);

/** A small generator of numbers in [0, n) that a seed repeats. */
export function dice(seed: number): (n: number) => number {
  let state = seed >>> 0 || 1;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % n;
  };
}

const BYTES = Buffer.from('{}[]":,\\u \n\0\t0123456789eE+-.tfnDd\x80\xbf\xc3\xed\xff', 'latin1');

/** Changes, drops, repeats or inserts bytes, a few times. */
export function mutate(bytes: Buffer, roll: (n: number) => number): Buffer {
  let mutated = bytes;
  for (let times = 1 + roll(3); times > 0 && mutated.length > 0; times--) {
    const at = roll(mutated.length);
    const length = 1 + roll(roll(4) === 0 ? 40 : 4);
    const before = mutated.subarray(0, at);
    const rest = mutated.subarray(at);
    const piece = Buffer.from([BYTES[roll(BYTES.length)] ?? 0]);
    const ways = [
      () => [before, piece, rest.subarray(1)],
      () => [before, piece, rest],
      () => [before, rest.subarray(length)],
      () => [before, rest.subarray(0, length), rest],
      () => [before, mutated.subarray(roll(mutated.length)).subarray(0, length), rest],
    ];
    mutated = Buffer.concat((ways[roll(ways.length)] ?? (() => [mutated]))());
  }
  return mutated;
}

/** Whether DuckDB's reader and the scanner must agree on this object of CloudTrail: no repeated keys, no unpaired surrogates, no NULs, values that fit their columns, and a record. */
export function defined(text: string): boolean {
  if (
    rewrite(text) !== text ||
    /\\u0000/i.test(text) ||
    !cloudtrailOracle.isRecord(text) ||
    !cloudtrailOracle.fitsColumns(text)
  )
    return false;
  const isPlain = (json: string): boolean => {
    const members = membersOf(json.trim());
    if (members === null) return true;
    // DuckDB reads no empty key.
    return (
      new Set(members.map(({ key }) => key)).size === members.length &&
      members.every(({ key, raw }) => key !== '' && isPlain(raw))
    );
  };
  return isPlain(text);
}
