/** Reads SQL as tokens, so that parameters and array types are found outside strings, comments and quoted names. */

export type TokenKind = 'text' | 'comment' | 'quoted' | 'word' | 'parameter' | 'other';

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
}

/** Tried in this order at each place. A parameter does not follow a name, a number, a bracket or a quote: those colons are slices, struct keys and casts. */
const PATTERNS: readonly (readonly [TokenKind, RegExp])[] = [
  ['comment', /--[^\n]*/uy],
  ['text', /[eE]'(?:[^'\\]|\\[\s\S]|'')*'?/uy],
  ['text', /'(?:[^']|'')*'?/uy],
  ['text', /(\$(?:[A-Za-z_\u0080-\u{10ffff}][\w\u0080-\u{10ffff}]*)?\$)[\s\S]*?(?:\1|$)/uy],
  ['quoted', /"(?:[^"]|"")*"?/uy],
  ['parameter', /(?<![\w"'\])}:]):[A-Za-z_]\w*/uy],
  ['word', /[A-Za-z_\u0080-\u{10ffff}][\w$\u0080-\u{10ffff}]*/uy],
  ['other', /\d[\w.]*|::|\s+|[\s\S]/uy],
];

/** The tokens of a statement; joined again they are its text. */
export function tokensOf(sql: string): readonly Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < sql.length; ) {
    const token = blockComment(sql, at) ?? matchAt(sql, at);
    tokens.push(token);
    at += token.text.length;
  }
  return tokens;
}

function matchAt(sql: string, at: number): Token {
  for (const [kind, pattern] of PATTERNS) {
    pattern.lastIndex = at;
    const text = pattern.exec(sql)?.[0];
    if (text !== undefined) return { kind, text };
  }
  return { kind: 'other', text: sql.charAt(at) };
}

/** Block comments nest, as in DuckDB. */
function blockComment(sql: string, start: number): Token | null {
  if (!sql.startsWith('/*', start)) return null;
  let depth = 0;
  let at = start;
  do {
    if (sql.startsWith('/*', at)) depth += 1;
    else if (sql.startsWith('*/', at)) depth -= 1;
    else {
      at += 1;
      continue;
    }
    at += 2;
  } while (depth > 0 && at < sql.length);
  return { kind: 'comment', text: sql.slice(start, at) };
}

export interface Statement {
  readonly sql: string;
  /** Names of the parameters that it uses. */
  readonly parameters: ReadonlySet<string>;
}

/** A statement as DuckDB takes it: `:name` becomes `$name`; in portable SQL `ARRAY(T)` becomes `T[]`. */
export function toDuckdb(sql: string, portable: boolean): Statement {
  const parameters = new Set<string>();
  const tokens = tokensOf(sql).map((token) => {
    if (token.kind !== 'parameter') return token;
    parameters.add(token.text.slice(1));
    return { kind: token.kind, text: `$${token.text.slice(1)}` };
  });
  const text = portable ? arrayTypes(tokens) : tokens.map((token) => token.text).join('');
  return { sql: text, parameters };
}

const QUERY_STARTS = new Set(['select', 'with', 'values', 'from', 'table']);
/** White space and comments. */
export const isBlank = (token: Token): boolean => token.kind === 'comment' || /^\s+$/u.test(token.text);

/** `ARRAY(T)` to `T[]`, inside out; `ARRAY(SELECT …)` stays, and so does whatever has no closing bracket. */
function arrayTypes(tokens: readonly Token[]): string {
  let text = '';
  /** For each open bracket: what to append to it when it closes. */
  const open: { readonly isType: boolean }[] = [];
  for (let at = 0; at < tokens.length; at += 1) {
    const token = tokens[at] as Token;
    const bracket = token.kind === 'word' && token.text.toLowerCase() === 'array' ? nextSolid(tokens, at + 1) : -1;
    const first = bracket >= 0 && tokens[bracket]?.text === '(' ? tokens[nextSolid(tokens, bracket + 1)] : undefined;
    if (first?.kind === 'word' && !QUERY_STARTS.has(first.text.toLowerCase())) {
      open.push({ isType: true });
      at = bracket;
    } else if (token.kind === 'other' && token.text === '(') {
      open.push({ isType: false });
      text += token.text;
    } else if (token.kind === 'other' && token.text === ')') {
      text += open.pop()?.isType ? '[]' : ')';
    } else text += token.text;
  }
  return text;
}

function nextSolid(tokens: readonly Token[], from: number): number {
  for (let at = from; at < tokens.length; at += 1) if (!isBlank(tokens[at] as Token)) return at;
  return -1;
}
