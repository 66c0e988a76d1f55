/** What a hunt over an archive has still to judge. No commit tells it of new data: every stretch of time that became due is kept until it was judged, however often that fails. */
import { DAY_MS, joinedAcross, type Window } from '../time.ts';

export interface Backlog {
  /** The time of the schedule that was taken up last. */
  readonly dueMs: number;
  /** Apart from each other, in order of time. */
  readonly open: readonly Window[];
  /** So much an ordinary run judges. */
  readonly usualMs: number;
  /** Nothing is tried before the next time of the schedule. */
  readonly waits: boolean;
  /** Why something of it could not be judged; null where nothing failed. */
  readonly failed: string | null;
  /** Once, nothing of it was open. */
  readonly caughtUp: boolean;
}

/** Long stretches are judged in pieces, the newest first. Each piece reads anew what its detectors look back on, a month at most. */
const PIECE_MS = 30 * DAY_MS;

/** A hunt that nobody watched before. At its first time it judges from then on, at the least what every run does. */
export const begun = (fromMs: number, nowMs: number): Backlog => ({
  dueMs: nowMs,
  open: fromMs < nowMs ? [{ fromMs, toMs: nowMs }] : [],
  usualMs: 0,
  waits: true,
  failed: null,
  caughtUp: false,
});

/**
 * With what became due at these times, newest first, one at least. `windowMs`: so much before each of them; null for all since the time before, and `backMs` before that, for
 * log files that came late.
 */
export function takenUp(
  backlog: Backlog,
  times: readonly number[],
  { windowMs, backMs }: { readonly windowMs: number | null; readonly backMs: number },
): Backlog {
  const [newest = backlog.dueMs, before = backlog.dueMs] = times;
  const windows =
    windowMs === null
      ? [{ fromMs: backlog.dueMs - backMs, toMs: newest }]
      : times.map((dueMs) => ({ fromMs: dueMs - windowMs, toMs: dueMs }));
  return {
    ...backlog,
    dueMs: newest,
    open: joinedAcross(
      [...backlog.open, ...windows].toSorted((a, b) => a.fromMs - b.fromMs),
      0,
    ),
    usualMs: windowMs ?? newest - before + backMs,
    waits: false,
  };
}

/**
 * What is open, newest first. Where something failed, in pieces as long as an ordinary run, a day at least: a limit on what may be scanned lets these through, and what was
 * missed cannot keep the newest from being judged.
 */
export function piecesOf({ open, usualMs, failed }: Backlog): readonly Window[] {
  const lengthMs = Math.max(usualMs, failed === null ? PIECE_MS : DAY_MS);
  const pieces: Window[] = [];
  for (const { fromMs: firstMs, toMs: lastMs } of open.toReversed()) {
    for (let toMs = lastMs; toMs > firstMs; ) {
      // No slot of a day is cut.
      const cutMs = Math.floor((toMs - lengthMs) / DAY_MS) * DAY_MS;
      const fromMs = toMs - firstMs <= lengthMs ? firstMs : Math.max(firstMs, cutMs);
      pieces.push({ fromMs, toMs });
      toMs = fromMs;
    }
  }
  return pieces;
}

/** Without one of its pieces. */
export function judged(backlog: Backlog, piece: Window): Backlog {
  const open = backlog.open.flatMap(({ fromMs, toMs }) =>
    piece.fromMs < fromMs || piece.toMs > toMs
      ? [{ fromMs, toMs }]
      : [
          { fromMs, toMs: piece.fromMs },
          { fromMs: piece.toMs, toMs },
        ].filter((rest) => rest.fromMs < rest.toMs),
  );
  return { ...backlog, open, caughtUp: backlog.caughtUp || open.length === 0 };
}
