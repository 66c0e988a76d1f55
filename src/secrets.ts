/** Secrets in text: found by the names that stand before them, and masked before the text leaves in an alert, a message, a listing or a report. */

export interface Mask {
  /** Masks every secret in a text. Linear in its length, whatever it holds. Masked again, a text that nobody made up stays as it is. */
  text(text: string): string;
  /** The same for the value of a column, path or key: masked whole when this is the name of a secret. */
  named(name: string, text: string): string;
  /** Every text inside of lists and objects, by its key. */
  value<T>(value: T): T;
}

const MASKED = '****';
/** Percent-encoded, once or more: keys of S3 access logs are encoded twice. */
const encoded = (hex: string): string => `%(?:25){0,4}${hex}`;

/**
 * Words of a name; between them may stand a hyphen, an underscore or nothing, and before the first one whatever it likes: `set-cookie`, `masterUserPassword`.
 * Headers and parameters of requests: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html,
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html,
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-authenticate-users.html; of calls:
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_Credentials.html, https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutSecretValue.html.
 */
const NAMES: readonly string[] = [
  'amz signature',
  'amz credential',
  'security token',
  'session token',
  'secret access key',
  'secret key',
  'access token',
  'refresh token',
  'id token',
  'auth token',
  'bearer token',
  'csrf token',
  'signin token',
  'identity token',
  'oidc data',
  'saml assertion',
  'saml response',
  'x api key',
  'customer key',
  'client secret',
  'secret string',
  'secret binary',
  'private key',
  'key material',
  'password',
  'passwd',
  'passphrase',
];
/** Headers whose value has blanks, commas and equals signs: without quotes it ends with its line. */
const LINE_NAMES: readonly string[] = ['cookie', 'authorization'];
/** Words of everyday speech, and of JSON that is no secret: names only where an equals sign follows, as in a query string. */
const PARAMETER_NAMES: readonly string[] = ['credential', 'signature', 'token', 'secret', 'jwt', 'pwd'];

/** What shows where a name begins: also an encoded character and the escape of a line break end in letters or digits. */
const START = `(?<=^|[^\\w-]|${encoded('[0-9a-f]{2}')}|\\\\[nrt])`;
const BLANKS = '\\s{0,16}';
const QUOTE = `\\\\*["']`;

const ASSIGNED = new RegExp(
  `(?<close>${QUOTE})?${BLANKS}(?<sign>[:=>]|${encoded('3[ad]')})${BLANKS}(?<open>${QUOTE})?`,
  'iuy',
);
/** AWS WAF writes each header as an object: https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html. */
const PAIRED = new RegExp(
  `${QUOTE}${BLANKS},${BLANKS}${QUOTE}value${QUOTE}${BLANKS}:${BLANKS}(?<open>${QUOTE})`,
  'iuy',
);
const TAG_START = /</gu;
const QUOTES = /\\*["']/gu;
const LINE_END = new RegExp(`[\\r\\n]|\\\\[rn]|${QUOTE}${BLANKS}(?:[,:}\\]]|$)`, 'gu');
const WORD_END = /[\s&"'<>\\]|[,;)\]}](?=[\s"'\\]|$)/gu;
const ENCODED_END = new RegExp(`${WORD_END.source}|${encoded('(?:20|22|26|0[ad])')}`, 'giu');
const BRACKETS = /\\*["']|[[\]{}]/gu;

/** Not masked: what says by itself that there is nothing to see. CloudTrail writes the second one. */
const EMPTY = /^(?:null|true|false|-|HIDDEN_DUE_TO_SECURITY_REASONS|\**)$/iu;
/** A scheme of RFC 9110, or AWS's own, says how somebody signed and no more. */
const SCHEME = /^(?:AWS4-HMAC-SHA256|AWS4-ECDSA-P256-SHA256|AWS|Basic|Bearer|Digest|Negotiate|Token)(?=\s)/iu;
const SCHEME_LENGTH = 32;
/** The kind of an access key: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids. */
const KEY_KIND = /^A[KS]IA(?=[A-Z0-9*])/u;

/** Secrets that are known without a name: session tokens of AWS, JSON web tokens, values behind their scheme. */
const BARE = new RegExp(
  [
    '(?<![\\w/+=-])(?:IQoJ|FwoGZX|FQoGZX|AQoD|AQoE)[\\w/+=%-]{60,}',
    '(?<![\\w.-])eyJ[\\w-]{8,}[.][\\w-]{8,}(?:[.][\\w-]*)?',
    '(?<=(?<!\\w)(?:Bearer|Basic)(?: |%20))[\\w.~+/=-]{16,}',
  ].join('|'),
  'gu',
);

interface Found {
  readonly from: number;
  readonly to: number;
}

/** A mask that knows further names of headers, parameters or members. */
export function createMask(further: readonly string[]): Mask {
  const own = further.map((name) => name.replaceAll(/[.*+?^${}()|[\]\\/]/gu, String.raw`\$&`));
  const names = [
    `(?<line>${LINE_NAMES.join('|')})`,
    ...NAMES.map((name) => name.replaceAll(' ', `(?:[-_]|${encoded('2d')})?`)),
    ...(own.length === 0 ? [] : [`${START}(?:${own.join('|')})`]),
  ];
  const isSecret = new RegExp(`(?:${names.join('|')})$`, 'iu');
  const inText = new RegExp([...names, `(?<parameter>${START}(?:${PARAMETER_NAMES.join('|')}))`].join('|'), 'giu');

  const text = (whole: string): string => {
    const values = new Values(whole);
    let masked = '';
    let done = 0;
    let open: Found | null = null;
    const close = (): void => {
      if (open === null) return;
      masked += whole.slice(done, open.from) + hidden(whole.slice(open.from, open.to));
      done = open.to;
    };
    inText.lastIndex = 0;
    for (let match = inText.exec(whole); match !== null; match = inText.exec(whole)) {
      const { line, parameter } = match.groups ?? {};
      const found = values.after(inText.lastIndex, line !== undefined, parameter !== undefined);
      // Another name may begin inside of this one, or in what was taken for its value.
      inText.lastIndex = match.index + 1;
      if (found === null) continue;
      if (open !== null && found.from <= open.to) open = { from: open.from, to: Math.max(open.to, found.to) };
      else {
        close();
        open = found;
      }
      if (open.to === whole.length) break;
    }
    close();
    return (masked + whole.slice(done)).replace(BARE, MASKED);
  };
  const named = (name: string, value: string): string => (isSecret.test(name) ? hidden(value) : text(value));
  const value = (name: string, item: unknown): unknown => {
    if (typeof item === 'string') return named(name, item);
    if (Array.isArray(item)) return item.map((one) => value(name, one));
    if (typeof item !== 'object' || item === null) return item;
    return Object.fromEntries(Object.entries(item).map(([key, one]) => [text(key), value(key, one)]));
  };
  return { text, named, value: <T>(item: T) => value('', item) as T };
}

/** Knows AWS's secrets and those of HTTP. */
export const defaultMask: Mask = createMask([]);

function hidden(value: string): string {
  if (EMPTY.test(value)) return value;
  const [scheme] = SCHEME.exec(value) ?? [];
  if (scheme !== undefined) return `${scheme} ${MASKED}`;
  return `${KEY_KIND.exec(value)?.[0] ?? ''}${MASKED}`;
}

/** The values of one text. What has no end goes to the end of the text. */
class Values {
  readonly #text: string;
  /** By what was looked for, the last stretch that was seen to hold none of it before its end: names inside of values look for the same ends again. */
  readonly #ends = new Map<string, Found>();

  constructor(text: string) {
    this.#text = text;
  }

  /** The value of the name that ends here; null when there is none. */
  after(at: number, isLine: boolean, isParameter: boolean): Found | null {
    const text = this.#text;
    PAIRED.lastIndex = at;
    const paired = isParameter ? null : PAIRED.exec(text);
    if (paired !== null) return this.#quoted(PAIRED.lastIndex, paired.groups?.['open'] ?? '');
    ASSIGNED.lastIndex = at;
    const { sign = '', close, open } = ASSIGNED.exec(text)?.groups ?? {};
    const from = ASSIGNED.lastIndex;
    const isEquals = sign === '=' || /d$/iu.test(sign);
    if (sign === '' || (isParameter && !isEquals)) return null;
    if (sign === '>') return close === undefined ? this.#until(TAG_START, from) : null;
    if (open !== undefined) return this.#quoted(from, open);
    if (text[from] === '[' || text[from] === '{') return this.#search('[', from + 1, () => endOfBracket(text, from));
    if (isLine && (!isEquals || SCHEME.test(text.slice(from, from + SCHEME_LENGTH))))
      return this.#until(LINE_END, from);
    return this.#until(sign.startsWith('%') ? ENCODED_END : WORD_END, from);
  }

  #until(pattern: RegExp, from: number): Found {
    return this.#search(pattern.source, from, () => {
      pattern.lastIndex = from;
      return pattern.exec(this.#text)?.index ?? this.#text.length;
    });
  }

  #quoted(from: number, open: string): Found {
    return this.#search(open, from, () => endOfQuoted(this.#text, from, open));
  }

  #search(what: string, from: number, find: () => number): Found {
    const seen = this.#ends.get(what);
    const to = seen !== undefined && from >= seen.from && from <= seen.to ? seen.to : find();
    this.#ends.set(what, { from: seen?.to === to ? seen.from : from, to });
    return { from, to };
  }
}

/** Where a text in quotes ends. Quotes inside of it have more backslashes before them than the first one has, where the whole is JSON in JSON as well. */
function endOfQuoted(text: string, from: number, open: string): number {
  const mark = open.slice(-1);
  QUOTES.lastIndex = from;
  for (let match = QUOTES.exec(text); match !== null; match = QUOTES.exec(text)) {
    const [quote] = match;
    const isEscapedBackslash = open.length === 1 && quote.length % 2 === 1;
    if (quote.endsWith(mark) && (quote.length <= open.length || isEscapedBackslash))
      return match.index + Math.max(0, quote.length - open.length);
  }
  return text.length;
}

/** Where the list or object that begins here closes. */
function endOfBracket(text: string, from: number): number {
  let depth = 0;
  BRACKETS.lastIndex = from;
  for (let match = BRACKETS.exec(text); match !== null; match = BRACKETS.exec(text)) {
    const [mark] = match;
    if (mark === '[' || mark === '{') depth++;
    else if (mark === ']' || mark === '}') {
      if (--depth === 0) return match.index;
    } else {
      QUOTES.lastIndex = endOfQuoted(text, BRACKETS.lastIndex, mark);
      BRACKETS.lastIndex = QUOTES.exec(text) === null ? text.length : QUOTES.lastIndex;
    }
  }
  return text.length;
}
