/** Time as trailhound speaks it: UTC, half-open windows, slots cut from the epoch. */
import { AppError } from './errors.ts';

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Half-open [fromMs, toMs) of event time, in milliseconds since 1970 UTC. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Windows in order of their beginnings as one where no more than so much lies between them. */
export function joinedAcross(sorted: readonly Window[], gapMs: number): readonly Window[] {
  const joined: Window[] = [];
  for (const window of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && window.fromMs - last.toMs <= gapMs)
      joined[joined.length - 1] = { fromMs: last.fromMs, toMs: Math.max(last.toMs, window.toMs) };
    else joined.push(window);
  }
  return joined;
}

/** `30s`, `15m`, `12h`, `7d`, `2w`. */
export type Duration = `${number}${'s' | 'm' | 'h' | 'd' | 'w'}`;

const UNIT_MS: Readonly<Record<string, number>> = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS, w: 7 * DAY_MS };

/** Milliseconds of a duration. Throws `time-invalid` when `text` is none. */
export function durationMs(text: string): number {
  const match = /^(\d{1,6})([smhdw])$/.exec(text);
  const unit = UNIT_MS[match?.[2] ?? ''];
  if (match === null || unit === undefined) {
    throw new AppError(
      'time-invalid',
      `cannot read the span '${text}': expected a number and a unit, such as 30m, 12h, 7d or 2w`,
    );
  }
  return Number(match[1]) * unit;
}

const ISO = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/;

/**
 * Milliseconds of a point in time as a person writes it: ISO 8601 (no zone means UTC, a date means its 00:00Z), `now`, or a span ago
 * (`12h`, `T-7d`). Throws `time-invalid`, naming the value and what is expected.
 */
export function parseTime(text: string, nowMs: number): number {
  const trimmed = text.trim();
  if (trimmed.toLowerCase() === 'now') return nowMs;
  const ago = /^(?:T-)?(\d{1,6}[smhdw])$/i.exec(trimmed);
  if (ago?.[1] !== undefined) return nowMs - durationMs(ago[1].toLowerCase());
  const iso = ISO.exec(trimmed);
  if (iso !== null) {
    const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = iso;
    const offset = zone === 'Z' ? 'Z' : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
    const ms = Date.parse(
      `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}${offset}`,
    );
    // Date.parse rolls 31 February over to March; the day must survive.
    const sameDay = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day);
    if (!Number.isNaN(ms) && sameDay) return ms;
  }
  throw new AppError(
    'time-invalid',
    `cannot read the time '${text}': expected ISO 8601 such as 2026-01-31 or 2026-01-31T12:00Z, now, or a span ago such as 12h or 7d`,
  );
}

/** ISO 8601 in UTC with seconds; milliseconds only where there are some. */
export function formatTime(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}

/** `YYYY-MM-DD` of a day counted from 1970-01-01. */
export function formatDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}

/** Days since 1970-01-01 of `YYYY-MM-DD`. */
export function dayOf(text: string): number {
  return Math.floor(Date.parse(`${text}T00:00:00Z`) / DAY_MS);
}

/** Start of the slot that holds `ms`; slots are cut from the epoch, never from data. */
export function slotStart(ms: number, slotMs: number): number {
  return Math.floor(ms / slotMs) * slotMs;
}
