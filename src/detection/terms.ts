/** A condition as the ways in which it can hold: each a set of comparisons that hold together. What lint reasons over. */
import type { Condition, Match, ParameterRef } from '../detector.ts';

/** One comparison. */
export interface Test {
  /** Where it stands, such as `when.any[1].event_name`. */
  readonly at: string;
  /** Column or path. */
  readonly key: string;
  readonly operator: string;
  /** What it is compared with, parameters filled in. */
  readonly operand: unknown;
  /** A parameter gives it: the detector may wait for the config to name something. */
  readonly isGiven: boolean;
  /** Regardless of case. */
  readonly caseless: boolean;
  /** It must not hold. */
  readonly negated: boolean;
}

/** All of them hold. */
export type Term = readonly Test[];

/** Beyond so many ways a condition is not looked into. */
const TERMS_MAX = 4096;

/** Compared regardless of case unless a comparison says otherwise. */
const CASELESS: ReadonlySet<string> = new Set(['event_name', 'event_source']);
/** These say how the others compare. */
const MANNERS: ReadonlySet<string> = new Set(['caseless', 'part', 'unquoted']);

/** Null where there are too many. An empty list of terms: it never holds. */
export function termsOf(
  condition: Condition,
  at: string,
  parameters: Readonly<Record<string, unknown>>,
): readonly Term[] | null {
  return product(
    Object.entries(condition).map(([key, value]) => partTerms(key, value, { at, parameters, negated: false })),
  );
}

interface Place {
  readonly at: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly negated: boolean;
}

function conditionTerms(condition: Condition, place: Place): readonly Term[] | null {
  const parts = Object.entries(condition).map(([key, value]) => partTerms(key, value, place));
  return place.negated ? union(parts) : product(parts);
}

function partTerms(key: string, value: unknown, place: Place): readonly Term[] | null {
  const at = `${place.at}.${key}`;
  if (key === 'not') return conditionTerms(value as Condition, { ...place, at, negated: !place.negated });
  if (key === 'all' || key === 'any') {
    const parts = (value as readonly Condition[]).map((inner, index) =>
      conditionTerms(inner, { ...place, at: `${at}[${index}]` }),
    );
    return (key === 'all') === place.negated ? union(parts) : product(parts);
  }
  const tests = testsOf(key, value as Match, { ...place, at }).map((test) => [[test]]);
  return place.negated ? union(tests) : product(tests);
}

function testsOf(key: string, match: Match, { at, parameters, negated }: Place): readonly Test[] {
  const isOperators =
    typeof match === 'object' && match !== null && !Array.isArray(match) && !('parameter' in match && isLone(match));
  const { caseless, part, unquoted, ...operators } = (isOperators ? match : { is: match }) as Record<string, unknown>;
  const isPlain = part === undefined && unquoted === undefined;
  return Object.entries(operators)
    .filter(([operator]) => !MANNERS.has(operator))
    .map(([operator, operand]) => ({
      at,
      // A part of a value says nothing about the whole of it.
      key: isPlain ? key : `${key}#${typeof part === 'string' ? part : 'unquoted'}`,
      operator,
      operand: filled(operand, parameters),
      isGiven: isParameter(operand),
      caseless: typeof caseless === 'boolean' ? caseless : CASELESS.has(key),
      negated,
    }));
}

const isLone = (value: object): boolean => Object.keys(value).length === 1;

const isParameter = (operand: unknown): operand is ParameterRef =>
  typeof operand === 'object' && operand !== null && 'parameter' in operand;

const filled = (operand: unknown, parameters: Readonly<Record<string, unknown>>): unknown =>
  isParameter(operand) ? parameters[operand.parameter] : operand;

/** Each part holds. */
function product(parts: readonly (readonly Term[] | null)[]): readonly Term[] | null {
  let terms: readonly Term[] = [[]];
  for (const part of parts) {
    if (part === null || terms.length * part.length > TERMS_MAX) return null;
    terms = terms.flatMap((term) => part.map((other) => [...term, ...other]));
  }
  return terms;
}

/** Some part holds. */
function union(parts: readonly (readonly Term[] | null)[]): readonly Term[] | null {
  const terms: Term[] = [];
  for (const part of parts) {
    if (part === null || terms.length + part.length > TERMS_MAX) return null;
    terms.push(...part);
  }
  return terms;
}
