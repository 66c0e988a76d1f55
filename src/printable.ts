/** Text that came from a log, a file name or a person, made safe to print: nothing in it can move a cursor, reverse a line or become a formula. */
import type { Value } from './backend.ts';

/** Control and format characters (C0, C1, bidi overrides, zero-width, tags), lone surrogates, line and paragraph separators. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
/** The same without C0, which JSON.stringify escapes by itself and uses for its own line breaks. */
const UNPRINTABLE_IN_JSON = /[\u007f-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line: every character that a terminal would obey is written as an escape. JSON output is the exact form. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return (
      SHORT[character] ?? (code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`)
    );
  });
}

/** At most `max` UTF-16 units, cut between characters; the last one tells that something is missing. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text;
  return `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/u, '')}…`;
}

/** One printable line of at most `max` UTF-16 units, however long the text is. */
export function shown(text: string, max: number): string {
  return cut(printable(cut(text, max)), max);
}

/** For text of ours that holds line breaks: each line made printable. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/** JSON whose text holds no character that a terminal would obey; the values are the same. Integers beyond 2^53 become text. */
export function json(value: unknown, indent?: number): string {
  const text = JSON.stringify(
    value,
    (_key, item: unknown) => (typeof item === 'bigint' ? bigintValue(item) : item),
    indent,
  );
  return text.replace(UNPRINTABLE_IN_JSON, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}

function bigintValue(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value.toString();
}

/** A value as plain text, before it is made printable: null is empty, lists and objects are JSON. */
export function valueText(value: Value): string {
  if (value === null) return '';
  return typeof value === 'object' ? json(value) : String(value);
}

/** What a spreadsheet would calculate: OWASP's list of first characters, also behind spaces, which some drop; tab and CR are escaped before. */
const FORMULA = /^\s*[=+\-@|%＝＋－＠]/u;

/** One CSV field. Text that a spreadsheet would take for a formula gets a leading apostrophe; numbers stay numbers. */
export function csvField(value: Value): string {
  let text = printable(valueText(value));
  if (typeof value !== 'number' && typeof value !== 'bigint' && FORMULA.test(text)) text = `'${text}`;
  return quoted(text);
}

/** The same for a program: what begins like a formula stays as it is. */
export const csvData = (value: Value): string => quoted(printable(valueText(value)));

const quoted = (text: string): string => (/[",;]|^\s|\s$/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** One cell of a Markdown table: no pipe, backtick, bracket or tag in it has a meaning. */
export function markdownCell(value: Value): string {
  return printable(valueText(value))
    .replace(/[\\`*[\]|~]|\b_|_\b/gu, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
