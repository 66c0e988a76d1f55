/** Texts of a Sigma rule: wildcards, escapes, and the modifiers that turn one text into others before anything is compared. */

/** `*` or `?`. */
export interface Wildcard {
  readonly wildcard: '*' | '?';
}
export type Pattern = readonly (string | Wildcard)[];

export const ANY: Wildcard = { wildcard: '*' };

/** Reads wildcards and their escapes: a backslash counts as itself unless `*`, `?` or a backslash follows. */
export function parsePattern(text: string): Pattern {
  const parts: (string | Wildcard)[] = [];
  let plain = '';
  const flush = () => {
    if (plain !== '') parts.push(plain);
    plain = '';
  };
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? '';
    const next = text[at + 1] ?? '';
    if (letter === '\\' && next !== '' && '*?\\'.includes(next)) {
      plain += next;
      at += 1;
    } else if (letter === '*' || letter === '?') {
      flush();
      parts.push({ wildcard: letter });
    } else {
      plain += letter;
    }
  }
  flush();
  return parts;
}

const isAny = (part: string | Wildcard | undefined): boolean => typeof part === 'object' && part.wildcard === '*';

/** Without a `*` beside another. */
const tidy = (pattern: Pattern): Pattern => pattern.filter((part, at) => !(isAny(part) && isAny(pattern[at - 1])));

/** The text where it has no wildcard, else null. */
export function plainText(pattern: Pattern): string | null {
  return pattern.every((part) => typeof part === 'string') ? pattern.join('') : null;
}

export const literals = (pattern: Pattern): string => pattern.filter((part) => typeof part === 'string').join('\0');

/** How a pattern is told in our conditions: by the cheapest operator that says it. */
export function comparison(pattern: Pattern): {
  readonly operator: 'is' | 'contains' | 'startswith' | 'endswith' | 'like';
  readonly value: string;
} {
  const parts = tidy(pattern);
  const whole = plainText(parts);
  if (whole !== null) return { operator: 'is', value: whole };
  const [first, second, third, ...more] = parts;
  if (typeof first === 'string' && isAny(second) && parts.length === 2) return { operator: 'startswith', value: first };
  if (isAny(first) && typeof second === 'string') {
    if (parts.length === 2) return { operator: 'endswith', value: second };
    if (isAny(third) && more.length === 0) return { operator: 'contains', value: second };
  }
  const value = parts.map((part) => (typeof part === 'string' ? part.replaceAll(/[*?\\]/gu, '\\$&') : part.wildcard));
  return { operator: 'like', value: value.join('') };
}

const escaped = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/gu, '\\$&');

/** Whether a whole text fits: for what can be decided before any event is seen. */
export function fits(pattern: Pattern, text: string): boolean {
  const source = pattern.map((part) => (typeof part === 'string' ? escaped(part) : part.wildcard === '*' ? '.*' : '.'));
  return new RegExp(`^${source.join('')}$`, 'isu').test(text);
}

const DASHES = ['-', '/', '–', '—', '―'];
/** So many texts at most come out of one. */
const VARIANTS_MAX = 1000;

/** The text with each dash that begins a word as every other dash; null where those are too many. */
export function dashVariants(text: string): readonly string[] | null {
  const places = [...text.matchAll(/(?<![\p{L}\p{N}_])[-/–—―](?=[\p{L}\p{N}_])/gu)].map(({ index }) => index);
  if (DASHES.length ** places.length > VARIANTS_MAX) return null;
  return places.reduce<readonly string[]>(
    (texts, place) => texts.flatMap((one) => DASHES.map((dash) => one.slice(0, place) + dash + one.slice(place + 1))),
    [text],
  );
}

const ENCODINGS = {
  wide: { bytes: (text: string) => Buffer.from(text, 'utf16le') },
  utf16le: { bytes: (text: string) => Buffer.from(text, 'utf16le') },
  utf16be: { bytes: (text: string) => Buffer.from(text, 'utf16le').swap16() },
  utf16: { bytes: (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]) },
} as const;
export type Encoding = keyof typeof ENCODINGS;
export const isEncoding = (name: string): name is Encoding => Object.hasOwn(ENCODINGS, name);
export const encode = (text: string, encoding: Encoding): Buffer => ENCODINGS[encoding].bytes(text);

/** What stays the same of the Base64 of bytes that stand anywhere in others: one text for each of the three places in a group of three bytes. */
export function base64Anywhere(bytes: Buffer): readonly string[] {
  // Letters that also hold bits of what stands before or behind.
  const [before, behind] = [
    [0, 2, 3],
    [0, 3, 2],
  ];
  return [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return text.slice(before?.[shift] ?? 0, text.length - (behind?.[(bytes.length + shift) % 3] ?? 0));
  });
}
