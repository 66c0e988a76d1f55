/** A pattern of RE2, as portable SQL has it, in the words of Trino's engine (Joni with Java's syntax). */

/**
 * Three things are said otherwise there: `$` also stands before a last line feed, so the end of the text is `\z`; `[` and `&&` inside a class begin and join classes;
 * a named group has no P.
 */
export function joniPattern(pattern: string): string {
  let text = '';
  let isClass = false;
  const isByLine = /\(\?[a-z]*m/u.test(pattern);
  for (let at = 0; at < pattern.length; ) {
    const [token, replacement] = isClass ? inClass(pattern, at) : outside(pattern, at, isByLine);
    // The first bracket of a class stands for itself.
    if (isClass && token === ']') isClass = false;
    else if (!isClass && token.startsWith('[')) isClass = true;
    text += replacement;
    at += token.length;
  }
  return text;
}

type Piece = readonly [token: string, replacement: string];

const same = (token: string): Piece => [token, token];

function outside(pattern: string, at: number, isByLine: boolean): Piece {
  const rest = pattern.slice(at);
  const [escape] = /^\\(?:Q[\s\S]*?(?:\\E|$)|[\s\S])/u.exec(rest) ?? [];
  if (escape !== undefined) return same(escape);
  if (rest.startsWith('$') && !isByLine) return ['$', '\\z'];
  if (rest.startsWith('(?P<')) return ['(?P<', '(?<'];
  const [open, negation = '', bracket = ''] = /^\[(\^?)(\]?)/u.exec(rest) ?? [];
  if (open !== undefined) return [open, `[${negation}${bracket === '' ? '' : '\\]'}`];
  return same(String.fromCodePoint(rest.codePointAt(0) ?? 0));
}

function inClass(pattern: string, at: number): Piece {
  const rest = pattern.slice(at);
  const [whole] = /^(?:\\[\s\S]|\[:\^?[a-z]+:\])/u.exec(rest) ?? [];
  if (whole !== undefined) return same(whole);
  if (rest.startsWith('[') || rest.startsWith('&')) return [rest.charAt(0), `\\${rest.charAt(0)}`];
  return same(String.fromCodePoint(rest.codePointAt(0) ?? 0));
}
