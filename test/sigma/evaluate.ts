/** A slow reading of Sigma over raw records, made without a look at how rules are compiled. */
import { parse } from 'yaml';

type Json = Readonly<Record<string, unknown>>;

export function matches(rule: string, record: Json): boolean {
  const { detection } = parse(rule) as { detection: Json };
  const { condition, ...searches } = detection;
  const words = (condition as string)
    .replaceAll(/(\(|\))/gu, ' $1 ')
    .trim()
    .split(/\s+/u);
  const holds = (name: string): boolean => search(searches[name], record);
  let at = 0;
  const joined = (word: string, read: () => boolean): boolean[] => {
    const parts = [read()];
    while (words[at] === word) {
      at += 1;
      parts.push(read());
    }
    return parts;
  };
  const either = (): boolean => joined('or', both).some(Boolean);
  const both = (): boolean => joined('and', term).every(Boolean);
  const term = (): boolean => {
    const word = words[at] ?? '';
    at += 1;
    if (word === 'not') return !term();
    if (word === '(') {
      const inner = either();
      at += 1;
      return inner;
    }
    if (words[at] !== 'of') return holds(word);
    const pattern = words[at + 1] ?? '';
    at += 2;
    const chosen = pattern === 'them' ? /^[^_]/u : new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'u');
    const names = Object.keys(searches).filter((name) => chosen.test(name));
    return word === 'all' ? names.every(holds) : names.some(holds);
  };
  return either();
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function search(value: unknown, record: Json): boolean {
  if (Array.isArray(value)) return value.some((one) => search(one, record));
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).every(([key, one]) => item(key, one, record));
  return item('', value, record);
}

function item(key: string, value: unknown, record: Json): boolean {
  const [field = '', ...modifiers] = key.split('|');
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const test = (one: unknown): boolean => compare(field, modifiers, one, record);
  const joined = modifiers.includes('all') ? values.every(test) : values.some(test);
  return modifiers.includes('neq') ? !joined : joined;
}

function compare(field: string, modifiers: readonly string[], value: unknown, record: Json): boolean {
  const has = (modifier: string): boolean => modifiers.includes(modifier);
  const found = field === '' ? everything(record) : valuesAt(record, field.split('.'));
  if (has('exists')) return found.length > 0 === value;
  if (value === null) return found.length === 0;
  if (has('cidr')) return found.some((text) => inNetwork(text, textOf(value)));
  for (const [name, holds] of Object.entries({
    gt: (a: number, b: number) => a > b,
    gte: (a: number, b: number) => a >= b,
    lt: (a: number, b: number) => a < b,
    lte: (a: number, b: number) => a <= b,
  }))
    if (has(name)) return found.some((text) => /^-?\d+([.]\d+)?$/u.test(text) && holds(Number(text), Number(value)));
  if (has('re')) {
    const flags = ['i', 'm', 's'].filter(has).join('');
    return found.some((text) => new RegExp(textOf(value), `u${flags}`).test(text));
  }
  const fold = (text: string): string => (has('cased') ? text : text.toLowerCase());
  if (has('fieldref')) {
    const [other] = valuesAt(record, textOf(value).split('.'));
    if (other === undefined) return false;
    const right = fold(other);
    return found.some((text) => {
      const left = fold(text);
      if (has('startswith')) return left.startsWith(right);
      if (has('endswith')) return left.endsWith(right);
      return has('contains') ? left.includes(right) : left === right;
    });
  }
  const isLoose = has('contains') || field === '';
  if (typeof value === 'number' && !isLoose && !has('startswith') && !has('endswith'))
    return found.some((text) => /^-?\d+([.]\d+)?$/u.test(text) && Number(text) === value);
  let source = '';
  const text = textOf(value);
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? '';
    const next = text[at + 1] ?? '';
    if (letter === '\\' && ['*', '?', '\\'].includes(next)) {
      source += `\\u{${next.codePointAt(0)?.toString(16)}}`;
      at += 1;
    } else if (letter === '*') source += '.*';
    else if (letter === '?') source += '.';
    else source += `\\u{${letter.codePointAt(0)?.toString(16)}}`;
  }
  if (isLoose || has('endswith')) source = `.*${source}`;
  if (isLoose || has('startswith')) source = `${source}.*`;
  const pattern = new RegExp(`^${source}$`, has('cased') ? 'su' : 'isu');
  return found.some((one) => pattern.test(one));
}

/** Texts of a field: of each element of a list; of an object its JSON. */
function valuesAt(value: unknown, path: readonly string[]): readonly string[] {
  if (value === null || value === undefined) return [];
  if (path[0] === 'eventName' && typeof value === 'object') {
    const name = (value as Json)['eventName'];
    // As the column has it: without the date of the API, and with a capital at its head.
    return typeof name === 'string'
      ? [name.replace(/20\d{6}$/u, '').replace(/^./u, (letter) => letter.toUpperCase())]
      : [];
  }
  if (Array.isArray(value)) return value.flatMap((one) => valuesAt(one, path));
  const [first, ...rest] = path;
  if (first === undefined) return [textOf(value)];
  return typeof value === 'object' ? valuesAt((value as Json)[first], rest) : [];
}

/** The texts of the record: its members' own, and JSON of what is deeper. */
const everything = (record: Json): readonly string[] =>
  Object.entries(record).flatMap(([key, value]) =>
    value === null || typeof value === 'boolean' || key === 'eventTime' ? [] : [textOf(value)],
  );

function inNetwork(text: string, network: string): boolean {
  const number = (address: string): number | null =>
    /^(\d{1,3}[.]){3}\d{1,3}$/u.test(address)
      ? address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0)
      : null;
  const [base = '', bits = '32'] = network.split('/');
  const [address, first] = [number(text), number(base)];
  if (address === null || first === null) return false;
  const size = 2 ** (32 - Number(bits));
  return Math.floor(address / size) === Math.floor(first / size);
}
