/** Which regular expressions both engines understand alike: the subset that RE2 shares with Trino's. */

/** What is wrong with a pattern, and at which character. */
export interface PatternProblem {
  readonly offset: number;
  readonly reason: string;
}

/** RE2 takes no more. */
const REPEAT_MAX = 1000;
const DEPTH_MAX = 100;
const PLAIN_ESCAPES = /^[\^$.*+?()[\]{}|\\/"'`~!@#%&=\-_:;,<> ]$/u;
const CLASS_ESCAPES = /^[dDwWsS]$/u;
const CONTROL_ESCAPES = /^[tnrf]$/u;
const ANCHOR_ESCAPES = /^[bBAz]$/u;

const LACKING: readonly (readonly [start: RegExp, what: string])[] = [
  [/^\(\?<?[=!]/u, 'look-around, which RE2 has not: say it with a second search and `not`'],
  [/^\(\?>/u, 'an atomic group, which RE2 has not'],
  [/^\(\?\(/u, 'a condition, which RE2 has not'],
  [/^\(\?(?:[|#R&'\d]|P[=>])/u, 'a group that RE2 has not'],
  [/^\(\?</u, 'a named group without P: write (?P<'],
];

/** Null where it can be used. */
export function patternProblem(pattern: string): PatternProblem | null {
  const letters = pattern;
  let at = 0;
  let depth = 0;
  let canRepeat = false;
  const problem = (offset: number, reason: string): PatternProblem => ({ offset, reason });
  while (at < letters.length) {
    const rest = letters.slice(at);
    const letter = letters[at] ?? '';
    if (letter === '\\') {
      const found = escapeProblem(rest);
      if (found.reason !== null) return problem(at, found.reason);
      canRepeat = !/^\\[bBAz]/u.test(rest);
      at += found.length;
    } else if (letter === '[') {
      const found = classProblem(rest);
      if (found.reason !== null) return problem(at + found.length, found.reason);
      canRepeat = true;
      at += found.length;
    } else if (letter === '(') {
      const lacking = LACKING.find(([start]) => start.test(rest));
      if (lacking !== undefined) return problem(at, `it has ${lacking[1]}`);
      const [flags = ''] = /^\(\?(?:[ims]*(?:-[ims]+)?[:)]|P<\w+>)/u.exec(rest) ?? [];
      if (rest.startsWith('(?') && flags === '') return problem(at, 'it has flags other than i, m and s');
      const opens = !flags.endsWith(')');
      if (opens) depth += 1;
      if (depth > DEPTH_MAX) return problem(at, 'its groups are nested too deeply');
      canRepeat = false;
      at += flags === '' ? 1 : flags.length;
    } else if (letter === ')') {
      if (depth === 0) return problem(at, 'it closes a group that is not open');
      depth -= 1;
      canRepeat = true;
      at += 1;
    } else if (letter === '*' || letter === '+' || letter === '?') {
      const found = repeatProblem(rest, 1, canRepeat);
      if (found.reason !== null) return problem(at, found.reason);
      canRepeat = false;
      at += found.length;
    } else if (letter === '{') {
      const [counts = ''] = /^\{\d+(?:,\d*)?\}/u.exec(rest) ?? [];
      if (counts === '') return problem(at, 'it has a brace that is no count: write \\{');
      const [least = 0, most = least] = [...counts.matchAll(/\d+/gu)].map(([number]) => Number(number));
      if (least > REPEAT_MAX || most > REPEAT_MAX)
        return problem(at, `it repeats over ${REPEAT_MAX} times, which RE2 refuses`);
      if (most < least) return problem(at, 'it has a count whose end is before its begin');
      const found = repeatProblem(rest, counts.length, canRepeat);
      if (found.reason !== null) return problem(at, found.reason);
      canRepeat = false;
      at += found.length;
    } else {
      canRepeat = letter !== '|' && letter !== '^' && letter !== '$';
      at += 1;
    }
  }
  return depth > 0 ? problem(letters.length, 'it has a group that is not closed') : null;
}

interface Read {
  readonly length: number;
  readonly reason: string | null;
}

function repeatProblem(rest: string, length: number, canRepeat: boolean): Read {
  if (!canRepeat) return { length, reason: 'it repeats nothing' };
  const next = rest[length] ?? '';
  if (next === '+') return { length, reason: 'it has a possessive quantifier, which RE2 has not' };
  return { length: next === '?' ? length + 1 : length, reason: null };
}

function escapeProblem(rest: string): Read {
  const [, letter = ''] = Array.from(rest);
  if (letter === '') return { length: 1, reason: 'it ends with a backslash' };
  if (/^[1-9k]$/u.test(letter)) return { length: 2, reason: 'it has a back-reference, which RE2 has not' };
  const [code = ''] =
    /^\\x(?:[0-9a-f]{2}|\{[0-9a-f]{1,6}\})/iu.exec(rest) ?? /^\\[pP](?:[A-Z]|\{\^?[A-Z]\w*\})/u.exec(rest) ?? [];
  if (code !== '') return { length: code.length, reason: null };
  const isKnown = [PLAIN_ESCAPES, CLASS_ESCAPES, CONTROL_ESCAPES, ANCHOR_ESCAPES].some((known) => known.test(letter));
  return {
    length: 1 + letter.length,
    reason: isKnown ? null : `it has \\${letter}, which the engines do not read alike`,
  };
}

/** Of a class in brackets; `length` up to what is wrong, or all of it. */
function classProblem(rest: string): Read {
  let at = rest.startsWith('[^') ? 2 : 1;
  // A bracket that comes first is a letter.
  if (rest[at] === ']') return { length: at, reason: 'it has a class that begins with ]: write \\]' };
  while (at < rest.length) {
    const letter = rest[at] ?? '';
    if (letter === ']') return { length: at + 1, reason: null };
    if (letter === '[') {
      const [named = ''] = /^\[:\^?\w+:\]/u.exec(rest.slice(at)) ?? [];
      at += named === '' ? 1 : named.length;
    } else if (letter === '\\') {
      const found = escapeProblem(rest.slice(at));
      if (found.reason !== null) return { length: at, reason: found.reason };
      at += found.length;
    } else {
      const range = /^([^\\[\]])-([^\\[\]])/u.exec(rest.slice(at));
      if (range !== null && (range[1] ?? '') > (range[2] ?? ''))
        return { length: at, reason: 'it has a range that runs backwards' };
      at += range === null ? 1 : range[0].length;
    }
  }
  return { length: 0, reason: 'it has a class that is not closed' };
}
