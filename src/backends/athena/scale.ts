/** How much of Athena a statement takes, and how a window is cut so that none is refused. */
import { DAY_MS, type Window } from '../../time.ts';
import type { LogRoot } from './ddl.ts';
import { deliveryDays } from './views.ts';

/** Of one scan: https://docs.aws.amazon.com/athena/latest/ug/service-limits.html. */
export const PARTITIONS_MAX = 1_000_000;
/** Folders of one day. */
export const partitionsPerDay = ({ template, keys }: LogRoot): number =>
  template === null ? 0 : keys.reduce((product, { values }) => product * values.length, 1);

/** Partitions that a statement reads of a folder; those of access logs in one folder are none. */
export const partitionsOf = (root: LogRoot, window: Window, latenessMs: number): number =>
  partitionsPerDay(root) * deliveryDays(window, latenessMs).count;

/**
 * Pieces of whole UTC days, one after the other, such that no statement over a piece, what lies `reachMs` before it and what is delivered `latenessMs` after it
 * reads too many partitions. One of a single day is not cut further. Slots divide the day, so the pieces give together what the window gives.
 */
export function piecesOf(
  window: Window,
  { perDay, reachMs, latenessMs }: { readonly perDay: number; readonly reachMs: number; readonly latenessMs: number },
): readonly Window[] {
  const around = Math.ceil(reachMs / DAY_MS) + Math.ceil(latenessMs / DAY_MS) + 1;
  const days = perDay === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor(PARTITIONS_MAX / perDay) - around);
  const pieces: Window[] = [];
  for (let fromMs = window.fromMs; fromMs < window.toMs; ) {
    const toMs = Math.min(window.toMs, (Math.floor(fromMs / DAY_MS) + days) * DAY_MS);
    pieces.push({ fromMs, toMs });
    fromMs = toMs;
  }
  return pieces;
}
