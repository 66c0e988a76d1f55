/** Whether comparisons of one value can hold together. */
import type { Column } from '../table.ts';
import type { Term, Test } from './terms.ts';

/** Why the tests of a term cannot all hold, as a sentence; null where they may. */
export function contradictionOf(
  term: Term,
  columnOf: (key: string) => Column | undefined,
): { readonly why: string; readonly at: string } | null {
  // A list that a parameter gives may wait for the config to fill it.
  const settled = term.filter((test) => !test.isGiven || !isEmpty(test.operand));
  for (const test of settled) {
    if (!test.negated && isEmpty(test.operand))
      return { at: test.at, why: `'${test.key}' is compared with an empty list` };
  }
  for (const key of new Set(settled.map((test) => test.key))) {
    // Of a list of values each test may hold of another one.
    if (key.includes('[]') || columnOf(key)?.type === 'VARCHAR[]') continue;
    const tests = settled.filter((test) => test.key === key);
    const why = contradiction(tests, columnOf(key));
    if (why !== null) return { at: tests.at(-1)?.at ?? key, why: `'${key}' ${why}` };
  }
  return null;
}

const isEmpty = (operand: unknown): boolean => Array.isArray(operand) && operand.length === 0;

function contradiction(tests: readonly Test[], column: Column | undefined): string | null {
  const isThere = tests.some(({ operator, operand, negated }) =>
    operator !== 'exists' ? !negated : operand !== negated,
  );
  const isAbsent = tests.some(({ operator, operand, negated }) => operator === 'exists' && operand === negated);
  if (isThere && isAbsent) return 'has no value and is compared with one';
  const equal = tests.filter(({ operator, negated }) => operator === 'is' && !negated);
  const others = tests.filter((test) => !equal.includes(test) && test.operator !== 'exists');
  if (equal.length > 0) {
    const isCaseless = tests.some(({ caseless }) => caseless);
    const fold = (value: string): string => (isCaseless ? value.toLowerCase() : value);
    const candidates = equal
      .map(({ operand }) => valuesOf(operand))
      .reduce((left, right) => left.filter((value) => right.some((other) => fold(other) === fold(value))));
    if (candidates.length === 0)
      return `cannot be ${equal.map(({ operand }) => textOf(operand)).join(' and ')} at once`;
    const left = candidates.filter((value) => others.every((test) => mayHold(test, value)));
    if (left.length === 0)
      return `cannot be ${candidates.map((value) => `'${value}'`).join(' or ')} and ${others.map(saying).join(' and ')}`;
    return null;
  }
  if (column?.type === 'BOOLEAN' && ['true', 'false'].every((value) => !others.every((test) => mayHold(test, value))))
    return 'can be neither true nor false';
  return emptyRange(others) ?? strangers(others);
}

/** Bounds with nothing between them. */
function emptyRange(tests: readonly Test[]): string | null {
  const bound = (operator: string): readonly number[] =>
    tests.filter((test) => test.operator === operator && !test.negated).map(({ operand }) => Number(operand));
  const low = Math.max(...bound('gt'), ...bound('gte'));
  const high = Math.min(...bound('lt'), ...bound('lte'));
  const isOpen = bound('gt').includes(low) || bound('lt').includes(high);
  return low > high || (low === high && isOpen) ? `cannot be above ${low} and below ${high}` : null;
}

/** Beginnings, or ends, of which none fits another. */
function strangers(tests: readonly Test[]): string | null {
  for (const [operator, fits] of [
    ['startswith', (a: string, b: string) => a.startsWith(b) || b.startsWith(a)],
    ['endswith', (a: string, b: string) => a.endsWith(b) || b.endsWith(a)],
  ] as const) {
    const sets = tests
      .filter((test) => test.operator === operator && !test.negated)
      .map(({ operand, caseless }) => valuesOf(operand).map((value) => (caseless ? value.toLowerCase() : value)));
    const [first, ...rest] = sets;
    if (first !== undefined && rest.some((set) => !set.some((value) => first.some((other) => fits(value, other)))))
      return `cannot have all of these ${operator === 'startswith' ? 'beginnings' : 'ends'}: ${sets.flat().join(', ')}`;
  }
  return null;
}

/** Whether a test may hold of a value; true where that cannot be told here. */
function mayHold(test: Test, value: string): boolean {
  const holds = holdsOf(test, value);
  return holds === null || holds !== test.negated;
}

/** Null where it cannot be told without an engine. */
export function holdsOf({ operator, operand, caseless }: Test, value: string): boolean | null {
  const fold = (text: string): string => (caseless ? text.toLowerCase() : text);
  const some = (test: (text: string, part: string) => boolean): boolean =>
    valuesOf(operand).some((part) => test(fold(value), fold(part)));
  switch (operator) {
    case 'is':
      return some((text, part) => text === part);
    case 'contains':
      return some((text, part) => text.includes(part));
    case 'startswith':
      return some((text, part) => text.startsWith(part));
    case 'endswith':
      return some((text, part) => text.endsWith(part));
    case 're':
      try {
        return patternOf(String(operand), caseless).test(value);
      } catch {
        return null;
      }
    case 'gt':
      return Number(value) > Number(operand);
    case 'gte':
      return Number(value) >= Number(operand);
    case 'lt':
      return Number(value) < Number(operand);
    case 'lte':
      return Number(value) <= Number(operand);
    default:
      return null;
  }
}

/** What RE2 and JavaScript share of a pattern, but for its flag. */
function patternOf(pattern: string, caseless: boolean): RegExp {
  const flag = '(?i)';
  const isFlagged = pattern.startsWith(flag);
  return new RegExp(isFlagged ? pattern.slice(flag.length) : pattern, isFlagged || caseless ? 'iu' : 'u');
}

export const valuesOf = (operand: unknown): readonly string[] =>
  (Array.isArray(operand) ? operand : [operand]).map(String);

const textOf = (operand: unknown): string =>
  valuesOf(operand)
    .map((value) => `'${value}'`)
    .join(' or ');

const WORDS: Readonly<Record<string, string>> = {
  is: 'be',
  contains: 'contain',
  startswith: 'begin with',
  endswith: 'end with',
  re: 'match',
};
const saying = ({ operator, operand, negated }: Test): string =>
  `${negated ? 'not ' : ''}${WORDS[operator] ?? operator} ${textOf(operand)}`;
