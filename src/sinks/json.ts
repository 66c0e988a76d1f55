/** A message as a program reads it: one JSON object, shortened where a destination takes only so much. */
import { cut, json } from '../printable.ts';
import { DeliveryError, type Message } from '../sink.ts';

/** The object that stdout, files, queues, webhooks and commands are given; docs/destinations.md tells its members. */
export function messageObject(message: Message): Record<string, unknown> {
  const { key, kind, change, severity, title, text, at, alerts, alertsTotal, table } = message;
  return {
    schema: 1,
    key,
    kind,
    change,
    severity,
    title,
    text,
    at,
    alerts,
    alerts_total: alertsTotal,
    table: table === null ? null : { columns: table.columns, rows: table.rows, total: table.total },
  };
}

export function messageJson(message: Message, maxBytes = Number.POSITIVE_INFINITY): string {
  return fittedJson(messageObject(message), maxBytes);
}

interface Step {
  /** UTF-16 units of a text. */
  readonly text: number;
  /** Elements of a list. */
  readonly items: number;
}

/** Ever shorter; the first that fits is taken. The last keeps a message of any content below 200 kB. */
const STEPS: readonly Step[] = [
  { text: 8192, items: 1000 },
  { text: 1024, items: 100 },
  { text: 256, items: 20 },
  { text: 48, items: 3 },
];
/** Names of a mapping that are kept when it is shortened: more than an alert or a message has. */
const NAMES_MAX = 32;
/** Values that lie deeper are told as text when a message is shortened: a subject in an alert in a message still has its members. */
const DEPTH_MAX = 4;

/** One line, with `"shortened": true` where something is missing. Throws DeliveryError when nothing helps. */
export function fittedJson(value: Readonly<Record<string, unknown>>, maxBytes: number): string {
  const whole = json(wellFormed(value));
  if (Buffer.byteLength(whole) <= maxBytes) return whole;
  for (const step of STEPS) {
    const text = json(wellFormed({ ...(shortened(value, step, 0) as object), shortened: true }));
    if (Buffer.byteLength(text) <= maxBytes) return text;
  }
  throw new DeliveryError('message', `the message has more than ${maxBytes} bytes, however it is shortened`);
}

function shortened(value: unknown, step: Step, depth: number): unknown {
  if (typeof value === 'string') return cut(value, step.text);
  if (typeof value !== 'object' || value === null) return value;
  if (depth > DEPTH_MAX) return cut(json(value), step.text);
  if (Array.isArray(value)) return value.slice(0, step.items).map((item) => shortened(item, step, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, NAMES_MAX)
      .map(([name, item]) => [cut(name, step.text), shortened(item, step, depth + 1)]),
  );
}

/** Half of a character is no character: many readers of JSON refuse the whole for it. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(/\p{Cs}/gu, '\uFFFD');
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(wellFormed);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [wellFormed(name), wellFormed(item)]));
}
