/** The identity of an alert: the same finding has the same id on every engine, in every run, whatever came late. */
import { createHash } from 'node:crypto';

/** Hex digits of an alert's id: 128 bits. */
const ID_DIGITS = 32;

/** The slot's start as ISO 8601 in UTC with `Z` and no fraction; for slot `event` the event itself, its time as the backend gives it. Missing values are null. */
export type AlertPlace =
  | { readonly slotStart: string }
  | {
      readonly event: {
        readonly id: string | null;
        readonly time: string;
        readonly source: string | null;
        readonly name: string | null;
      };
    };

/** First 32 hex digits of SHA-256 over JSON.stringify([detector, subject values in order, place]). Version, parameters and severity are not in it. */
export function alertId(detector: string, subject: readonly (string | null)[], place: AlertPlace): string {
  const where =
    'slotStart' in place ? place.slotStart : [place.event.id, place.event.time, place.event.source, place.event.name];
  return createHash('sha256')
    .update(JSON.stringify([detector, subject, where]))
    .digest('hex')
    .slice(0, ID_DIGITS);
}
