/** The body of a webhook as its owner wrote it: placeholders take values of a message, and no value becomes structure. */

import type { Value } from '../backend.ts';
import { cut, json, shown, valueText } from '../printable.ts';
import { DeliveryError } from '../sink.ts';

/** `{{alert.subject.principal}}` */
const PLACEHOLDER = /\{\{\s*([A-Za-z0-9_.]+)\s*\}\}/gu;
const ONLY_PLACEHOLDER = new RegExp(`^${PLACEHOLDER.source}$`, 'u');
/** The first names of a path that there are; `alert` is the first of `alerts`. */
const ROOTS = [
  'key',
  'kind',
  'change',
  'severity',
  'title',
  'text',
  'at',
  'alert',
  'alerts',
  'alerts_total',
  'table',
] as const;
/** Of one value in a body. */
const VALUE_MAX = 8192;

/** JSON, or text that is none. */
export type Template = { readonly json: unknown } | { readonly text: string };

/** What is wrong with it, or null. */
export function templateProblem(body: unknown): string | null {
  const template = parseTemplate(body);
  if (template === null)
    return 'expected a text, a mapping or a list; a text that begins with { or [ must be JSON, with placeholders within its texts';
  if ('json' in template && hasPlaceholderName(template.json)) return 'expected placeholders in values, not in names';
  const wrong = [...JSON.stringify(template).matchAll(/\{\{.*?\}\}/gu)]
    .map(([whole]) => whole)
    .find((whole) => !isKnown(whole));
  return wrong === undefined
    ? null
    : `expected placeholders such as {{alert.title}} that begin with one of ${ROOTS.join(', ')}`;
}

function hasPlaceholderName(part: unknown): boolean {
  if (typeof part !== 'object' || part === null) return false;
  return Object.entries(part).some(([name, item]) => name.includes('{{') || hasPlaceholderName(item));
}

function isKnown(placeholder: string): boolean {
  const [, path = ''] = ONLY_PLACEHOLDER.exec(placeholder) ?? [];
  return (ROOTS as readonly string[]).includes(path.split('.')[0] ?? '');
}

export function parseTemplate(body: unknown): Template | null {
  if (typeof body === 'object' && body !== null) return { json: body };
  if (typeof body !== 'string') return null;
  if (!/^\s*[[{](?!\{)/u.test(body)) return { text: body };
  try {
    return { json: JSON.parse(body) };
  } catch {
    return null;
  }
}

/** `object` is a message as messageObject() gives it. Throws DeliveryError above `maxBytes`. */
export function fillTemplate(template: Template, object: Readonly<Record<string, unknown>>, maxBytes: number): string {
  const { alerts } = object;
  const values = { ...object, alert: Array.isArray(alerts) ? alerts[0] : undefined };
  const body =
    'json' in template
      ? json(filled(template.json, values))
      : template.text.replace(PLACEHOLDER, (_whole, path: string) =>
          shown(valueText(valueAt(values, path)), VALUE_MAX),
        );
  if (Buffer.byteLength(body) > maxBytes)
    throw new DeliveryError('message', `the body has more than ${maxBytes} bytes`);
  return body;
}

/** A text that is one placeholder becomes the value itself: a number, a list, null where there is none. */
function filled(part: unknown, values: unknown): unknown {
  if (typeof part === 'string') {
    const [, only] = ONLY_PLACEHOLDER.exec(part) ?? [];
    if (only !== undefined) return valueAt(values, only);
    return part.replace(PLACEHOLDER, (_whole, path: string) => cut(valueText(valueAt(values, path)), VALUE_MAX));
  }
  if (Array.isArray(part)) return part.map((item) => filled(item, values));
  if (typeof part !== 'object' || part === null) return part;
  return Object.fromEntries(Object.entries(part).map(([name, item]) => [name, filled(item, values)]));
}

function valueAt(values: unknown, path: string): Value {
  let value = values;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null;
    value = Reflect.get(value, name);
  }
  return (value ?? null) as Value;
}
