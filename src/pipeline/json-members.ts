/** Takes members out of JSON text and leaves every other byte as it is, numbers and duplicate keys too. */

/** The text without the members at these paths, in lower case; null when it has none of them. What is not valid JSON becomes `null`, whole. */
export function withoutMembers(text: string, paths: readonly (readonly string[])[]): string | null {
  try {
    return new Cutter(text).value(paths);
  } catch {
    return 'null';
  }
}

class Cutter {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Passes over a value; returns what is left of it where something goes. */
  value(paths: readonly (readonly string[])[]): string | null {
    this.#blanks();
    if (paths.length > 0 && this.#next === '{') return this.#object(paths);
    if (paths.length > 0 && this.#next === '[') return this.#list(paths);
    this.#skip();
    return null;
  }

  #object(paths: readonly (readonly string[])[]): string | null {
    const kept: string[] = [];
    let isCut = false;
    this.#at++;
    for (let from = this.#item(); this.#next !== '}'; from = this.#item()) {
      const key = this.#string().toLowerCase();
      this.#blanks();
      this.#at++;
      const inner = paths.filter(([name]) => name === key).map(([, ...rest]) => rest);
      const valueFrom = this.#at;
      const isGone = inner.some((rest) => rest.length === 0);
      const left = this.value(isGone ? [] : inner);
      if (isGone || left !== null) isCut = true;
      if (!isGone)
        kept.push(left === null ? this.#text.slice(from, this.#at) : `${this.#text.slice(from, valueFrom)}${left}`);
    }
    this.#at++;
    return isCut ? `{${kept.join(',')}}` : null;
  }

  #list(paths: readonly (readonly string[])[]): string | null {
    const kept: string[] = [];
    let isCut = false;
    this.#at++;
    for (let from = this.#item(); this.#next !== ']'; from = this.#item()) {
      const left = this.value(paths);
      const element = this.#text.slice(from, this.#at);
      const isGone = paths.some(([name, ...rest]) => rest.length === 0 && name === nameOf(element));
      if (isGone || left !== null) isCut = true;
      if (!isGone) kept.push(left ?? element);
    }
    this.#at++;
    return isCut ? `[${kept.join(',')}]` : null;
  }

  /** Goes to the next member or element, or to the end of what holds it, and returns where that is. */
  #item(): number {
    this.#blanks();
    if (this.#next === ',') {
      this.#at++;
      this.#blanks();
    }
    if (this.#next === undefined) throw new SyntaxError('the JSON ends too early');
    return this.#at;
  }

  #skip(): void {
    let depth = 0;
    do {
      const character = this.#next;
      if (character === undefined) throw new SyntaxError('the JSON ends too early');
      if (character === '"') this.#passString();
      else if (depth === 0 && character !== '{' && character !== '[') this.#passWord();
      else {
        if (character === '{' || character === '[') depth++;
        else if (character === '}' || character === ']') depth--;
        this.#at++;
      }
    } while (depth > 0);
  }

  #passWord(): void {
    const from = this.#at;
    while (this.#next !== undefined && !ENDS_WORD.has(this.#next)) this.#at++;
    if (this.#at === from) throw new SyntaxError('a value is missing');
  }

  #passString(): void {
    this.#at++;
    while (this.#next !== '"') {
      if (this.#next === undefined) throw new SyntaxError('a string has no end');
      this.#at += this.#next === '\\' ? 2 : 1;
    }
    this.#at++;
  }

  #string(): string {
    const from = this.#at;
    if (this.#next !== '"') throw new SyntaxError('a key is missing');
    this.#passString();
    return JSON.parse(this.#text.slice(from, this.#at)) as string;
  }

  #blanks(): void {
    while (this.#next !== undefined && BLANKS.has(this.#next)) this.#at++;
  }

  get #next(): string | undefined {
    return this.#text[this.#at];
  }
}

const BLANKS: ReadonlySet<string> = new Set([' ', '\t', '\n', '\r']);
const ENDS_WORD: ReadonlySet<string> = new Set([...BLANKS, ',', '}', ']']);

/** Headers of AWS WAF are a list of objects with a name: https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html. */
function nameOf(element: string): string | null {
  if (!element.startsWith('{')) return null;
  const { name } = JSON.parse(element) as { readonly name?: unknown };
  return typeof name === 'string' ? name.toLowerCase() : null;
}
