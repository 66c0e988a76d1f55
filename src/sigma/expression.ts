/** The condition of a rule: names of searches joined by and, or, not, `1 of` and `all of`. */
import { placeIn, RuleProblem, type ScalarValue } from './document.ts';

export type Expression =
  | { readonly kind: 'search'; readonly name: string }
  | { readonly kind: 'not'; readonly inner: Expression }
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Expression[] };

interface Token {
  readonly text: string;
  /** In lower case. */
  readonly word: string;
  readonly offset: number;
}

const DEPTH_MAX = 100;

/** Throws `RuleProblem` with the place in the text. */
export function parseExpression(source: ScalarValue, names: readonly string[]): Expression {
  return new Parser(source, names).whole();
}

class Parser {
  readonly #source: ScalarValue;
  readonly #names: readonly string[];
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(source: ScalarValue, names: readonly string[]) {
    this.#source = source;
    this.#names = names;
    this.#tokens = [...source.text.matchAll(/[()|]|[^\s()|]+/gu)].map(({ 0: text, index }) => ({
      text,
      word: text.toLowerCase(),
      offset: index,
    }));
  }

  whole(): Expression {
    const expression = this.#any();
    const left = this.#peek();
    if (left === undefined) return expression;
    throw this.#problem(
      left,
      left.text === '|'
        ? "an aggregation after '|' is no longer part of Sigma: write a correlation rule"
        : `'${left.text}' is not expected here`,
    );
  }

  #any(): Expression {
    return this.#joined('or', 'any', () => this.#joined('and', 'all', () => this.#not()));
  }

  #joined(word: string, kind: 'all' | 'any', read: () => Expression): Expression {
    const parts = [read()];
    while (this.#peek()?.word === word) {
      this.#at += 1;
      parts.push(read());
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { kind, parts };
  }

  #not(): Expression {
    if (this.#peek()?.word !== 'not') return this.#term();
    this.#at += 1;
    this.#deeper();
    const inner = this.#not();
    this.#depth -= 1;
    return { kind: 'not', inner };
  }

  #term(): Expression {
    const token = this.#next();
    if (token.text === '(') {
      this.#deeper();
      const inner = this.#any();
      const closing = this.#next(')');
      if (closing.text !== ')') throw this.#problem(closing, `'${closing.text}' stands where ) was expected`);
      this.#depth -= 1;
      return inner;
    }
    if (this.#peek()?.word === 'of') return this.#some(token);
    if (['and', 'or', 'not', 'of', 'them', ')', '|'].includes(token.word))
      throw this.#problem(token, `'${token.text}' stands where the name of a search was expected`);
    if (!this.#names.includes(token.text))
      throw this.#problem(token, `there is no search '${token.text}': there are ${this.#names.join(', ') || 'none'}`);
    return { kind: 'search', name: token.text };
  }

  /** `1 of …`, `any of …`, `all of …`. */
  #some(count: Token): Expression {
    if (!['1', 'any', 'all'].includes(count.word))
      throw this.#problem(count, `'${count.text} of' is not part of Sigma: expected 1, any or all`);
    this.#at += 1;
    const token = this.#next('a name, or them');
    const chosen = token.word === 'them' ? /^[^_]/u : nameFilter(token.text);
    const names = this.#names.filter((name) => chosen.test(name));
    if (names.length === 0)
      throw this.#problem(token, `no search is called '${token.text}': there are ${this.#names.join(', ') || 'none'}`);
    const parts = names.map((name): Expression => ({ kind: 'search', name }));
    return { kind: count.word === 'all' ? 'all' : 'any', parts };
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #next(expected = 'the name of a search'): Token {
    const token = this.#peek();
    if (token === undefined)
      throw new RuleProblem(
        placeIn(this.#source, this.#source.text.length),
        `the condition ends where ${expected} was expected`,
      );
    this.#at += 1;
    return token;
  }

  #deeper(): void {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw new RuleProblem(this.#source.place, 'the condition is nested too deeply');
  }

  #problem({ offset }: Token, message: string): RuleProblem {
    return new RuleProblem(placeIn(this.#source, offset), message);
  }
}

/** A name in which `*` stands for any letters. */
const nameFilter = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split('*')
      .map((part) => part.replaceAll(/[\\^$.+?()[\]{}|]/gu, '\\$&'))
      .join('.*')}$`,
    'u',
  );
