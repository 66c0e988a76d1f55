/** Globs: `*`, `?`, `[a-z]`, `[!a]`, `{a,b}`, `\` before a character to be taken as it is, and `**` for any number of folders. */
import { AppError } from '../errors.ts';

const MAGIC = /[*?[{\\]/;

export function isGlob(text: string): boolean {
  return MAGIC.test(text);
}

/** Positions in a glob's segments that a path has reached; in ascending order. */
export type Reached = readonly number[];

/**
 * A glob, matched folder by folder, so that a walk goes only where a match can be. No library: those at hand take parentheses, which are common in
 * folder names, for regular expressions, and match whole paths only. Hidden names are matched as any other: evidence may be in them.
 */
export class Glob {
  /** The folders before the first special character, as written; empty for the current folder. */
  readonly base: string;
  /** Null stands for `**`. */
  private readonly segments: readonly (RegExp | null)[];

  constructor(pattern: string) {
    const parts = pattern.split('/');
    const fixed = parts.findIndex((part) => isGlob(part));
    this.base = fixed === 0 ? '' : `${parts.slice(0, fixed).join('/')}/`;
    const tail = parts.slice(fixed).filter((part) => part !== '' && part !== '.');
    if (tail.includes('..')) {
      throw new AppError('usage-invalid', `cannot use the glob '${pattern}': '..' stands behind a special character`, {
        hint: 'Write the folder that is meant before the first of * ? [ {.',
      });
    }
    const open = tail.findIndex((part) => /\{[^}]*$/.test(part));
    if (open >= 0 && tail.slice(open + 1).some((part) => part.includes('}'))) {
      throw new AppError('usage-invalid', `cannot use the glob '${pattern}': braces hold a '/'`, {
        hint: 'Name each path by itself, or put the braces around one folder name.',
      });
    }
    try {
      this.segments = tail.map((part) => (part === '**' ? null : new RegExp(`^${translate(part)}$`, 'su')));
    } catch (cause) {
      throw new AppError('usage-invalid', `cannot use the glob '${pattern}': a range in brackets runs backwards`, {
        cause,
      });
    }
  }

  start(): Reached {
    return this.closed([0]);
  }

  /** Where `name` leads from `reached`; empty when nowhere. Links are not followed for the sake of `**`: those are the ones that loop. */
  step(reached: Reached, name: string, isLink = false): Reached {
    const next: number[] = [];
    for (const at of reached) {
      const segment = this.segments[at];
      if (segment === null && !isLink) next.push(at);
      else if (segment?.test(name) === true) next.push(at + 1);
    }
    return this.closed(next);
  }

  /** Has a path that got here matched the whole glob? */
  isMatch(reached: Reached): boolean {
    return reached.includes(this.segments.length);
  }

  /** `**` also stands for no folder at all. */
  private closed(reached: readonly number[]): Reached {
    const all = new Set<number>();
    for (let at of reached) {
      for (all.add(at); this.segments[at] === null; ) all.add(++at);
    }
    return [...all].sort((a, b) => a - b);
  }
}

/** The regular expression of one segment. What is not closed is taken as it is, as shells do. */
function translate(part: string): string {
  let pattern = '';
  for (let at = 0; at < part.length; at++) {
    const char = part[at] ?? '';
    const close = char === '[' ? part.indexOf(']', at + (/^\[[!^]/.test(part.slice(at)) ? 3 : 2)) : -1;
    const choice = char === '{' ? alternatives(part.slice(at)) : null;
    if (char === '*') pattern += '.*';
    else if (char === '?') pattern += '.';
    else if (char === '\\' && at + 1 < part.length) pattern += quote(part[++at] ?? '');
    else if (close > 0) {
      const inner = part.slice(at + 1, close).replace(/^\^/, '!');
      pattern += `[${inner.replace(/[\\\][^]/g, '\\$&').replace(/^!/, '^')}]`;
      at = close;
    } else if (choice !== null) {
      pattern += `(?:${choice.texts.map(translate).join('|')})`;
      at += choice.length - 1;
    } else pattern += quote(char);
  }
  return pattern;
}

/** The texts between the commas of `{…}` at the start of `part`, and how long that is; null when it has no comma or no end. */
function alternatives(part: string): { readonly texts: readonly string[]; readonly length: number } | null {
  const texts: string[] = [];
  let depth = 0;
  let start = 1;
  for (let at = 0; at < part.length; at++) {
    const char = part[at];
    if (char === '\\') at++;
    else if (char === '{') depth++;
    else if (char === '}') depth--;
    if ((char === ',' && depth === 1) || (char === '}' && depth === 0)) {
      texts.push(part.slice(start, at));
      start = at + 1;
    }
    if (depth === 0) return texts.length > 1 ? { texts, length: at + 1 } : null;
  }
  return null;
}

function quote(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
