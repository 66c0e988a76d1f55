/** What a hunt over an archive has still to judge. */
import { expect, test } from 'vitest';
import { type Backlog, begun, judged, piecesOf, takenUp } from '../../src/pipeline/backlog.ts';
import { DAY_MS, HOUR_MS, type Window } from '../../src/time.ts';

const at = (text: string): number => Date.parse(`2026-${text}Z`);
const span = (from: string, to: string): Window => ({ fromMs: at(from), toMs: at(to) });
const DAILY = { windowMs: null, backMs: 2 * DAY_MS };

const began = begun(at('03-01T10:00'), at('03-01T10:00'));

test('a hunt that nobody watched before waits for its first time, and then judges from then on', () => {
  expect(began).toMatchObject({ waits: true, caughtUp: false, open: [] });
  const first = takenUp(began, [at('03-02T02:00')], DAILY);
  expect(first).toMatchObject({ waits: false, dueMs: at('03-02T02:00'), open: [span('02-27T10:00', '03-02T02:00')] });
  expect(judged(first, span('02-27T10:00', '03-02T02:00'))).toMatchObject({ open: [], caughtUp: true });
});

test('without a window each time judges from the one before, and so much before that', () => {
  const idle: Backlog = { ...began, dueMs: at('03-05T02:00'), open: [], waits: true, caughtUp: true };
  const due = takenUp(idle, [at('03-08T02:00'), at('03-07T02:00'), at('03-06T02:00')], DAILY);
  expect(due.open).toEqual([span('03-03T02:00', '03-08T02:00')]);
  expect(due.usualMs).toBe(3 * DAY_MS);
});

test('with a window each time that was missed judges its own, and what they share once', () => {
  const idle: Backlog = { ...began, dueMs: at('03-05T02:00'), open: [], waits: true, caughtUp: true };
  const times = [at('03-08T02:00'), at('03-07T02:00'), at('03-06T02:00')];
  expect(takenUp(idle, times, { windowMs: 6 * HOUR_MS, backMs: 0 }).open).toEqual([
    span('03-05T20:00', '03-06T02:00'),
    span('03-06T20:00', '03-07T02:00'),
    span('03-07T20:00', '03-08T02:00'),
  ]);
  expect(takenUp(idle, times, { windowMs: 2 * DAY_MS, backMs: 0 }).open).toEqual([span('03-04T02:00', '03-08T02:00')]);
});

test('months are cut into pieces of whole days, the newest first', () => {
  const backlog = takenUp(begun(at('01-01T06:00'), at('03-10T06:00')), [at('03-11T02:00')], DAILY);
  expect(piecesOf(backlog)).toEqual([
    span('02-09T00:00', '03-11T02:00'),
    span('01-10T00:00', '02-09T00:00'),
    span('01-01T06:00', '01-10T00:00'),
  ]);
});

test('after a failure a piece is as long as an ordinary run, so that the newest is let through by a limit that lets one through', () => {
  const backlog = takenUp({ ...began, failed: 'the limit' }, [at('03-08T02:00'), at('03-07T02:00')], DAILY);
  const pieces = piecesOf(backlog);
  expect(pieces).toEqual([
    span('03-05T00:00', '03-08T02:00'),
    span('03-02T00:00', '03-05T00:00'),
    span('02-27T10:00', '03-02T00:00'),
  ]);
  const rest = judged(backlog, pieces[0] as Window);
  expect(rest).toMatchObject({ open: [span('02-27T10:00', '03-05T00:00')], caughtUp: false });
  // What failed stays open however often.
  expect(takenUp(rest, [at('03-09T02:00')], DAILY).open).toEqual([
    span('02-27T10:00', '03-05T00:00'),
    span('03-06T02:00', '03-09T02:00'),
  ]);
});

test.each([1, 7, 31, 400])('pieces of %i days are all that is open, and none of it twice', (days) => {
  for (const failed of [null, 'a failure']) {
    const backlog = {
      ...takenUp(begun(at('03-01T10:07') - days * DAY_MS, at('03-01T10:07')), [at('03-02T03:00')], DAILY),
      failed,
    };
    const pieces = piecesOf(backlog).toReversed();
    expect(pieces[0]?.fromMs).toBe(at('03-01T10:07') - Math.max(days, 2) * DAY_MS);
    for (const [index, { fromMs, toMs }] of pieces.entries()) {
      expect(fromMs).toBeLessThan(toMs);
      expect(pieces[index + 1]?.fromMs ?? at('03-02T03:00')).toBe(toMs);
    }
    let left: Backlog = backlog;
    for (const piece of pieces) left = judged(left, piece);
    expect(left.open).toEqual([]);
  }
});
