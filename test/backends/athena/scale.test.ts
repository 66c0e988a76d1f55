/** What Athena refuses is never asked of it: partitions of a scan, and how windows are cut for them. */
import { describe, expect, test } from 'vitest';
import { PARTITIONS_MAX, partitionsOf, partitionsPerDay, piecesOf } from '../../../src/backends/athena/scale.ts';
import { DAY_MS } from '../../../src/time.ts';

const LATENESS_MS = 2 * DAY_MS;
const NOW = Date.UTC(2026, 10, 27, 2);
const organization = {
  table: 'cloudtrail',
  location: 's3://logs/AWSLogs/o-exampleorgid/',
  template: '${account}/CloudTrail/${region}/',
  keys: [
    { name: 'account', values: Array.from({ length: 400 }, (_, at) => String(100_000_000_000 + at)) },
    { name: 'region', values: Array.from({ length: 17 }, (_, at) => `region-${at}`) },
  ],
  since: '2013/11/01',
};

describe('an organisation of 400 accounts in 17 Regions', () => {
  const perDay = partitionsPerDay(organization);
  const reach = (days: number) => ({ perDay, reachMs: days * DAY_MS, latenessMs: LATENESS_MS });

  test('has 6800 folders a day', () => {
    expect(perDay).toBe(6800);
  });

  test.each([
    [1, 0, 1],
    [90, 0, 1],
    [90, 30, 1],
    [90, 60, 2],
    [365, 30, 4],
    [3650, 30, 33],
  ])(
    '%i days that reach %i days back are %i pieces, none with more partitions than a scan may have',
    (days, back, count) => {
      const window = { fromMs: NOW - days * DAY_MS, toMs: NOW };
      const pieces = piecesOf(window, reach(back));
      expect(pieces.length).toBe(count);
      const partitions = pieces.map((piece) =>
        partitionsOf(organization, { fromMs: piece.fromMs - back * DAY_MS, toMs: piece.toMs }, LATENESS_MS),
      );
      expect(Math.max(...partitions)).toBeLessThanOrEqual(PARTITIONS_MAX);
      expect(pieces[0]?.fromMs).toBe(window.fromMs);
      expect(pieces.at(-1)?.toMs).toBe(window.toMs);
      for (const [at, piece] of pieces.slice(1).entries()) {
        expect(piece.fromMs).toBe(pieces[at]?.toMs);
        expect(piece.fromMs % DAY_MS).toBe(0);
      }
    },
  );
});

test('what has no partitions is never cut', () => {
  const window = { fromMs: 0, toMs: NOW };
  expect(piecesOf(window, { perDay: 0, reachMs: 0, latenessMs: LATENESS_MS })).toEqual([window]);
});

test('a day with more partitions than a scan may have is a piece of its own', () => {
  const window = { fromMs: 0, toMs: 3 * DAY_MS };
  expect(piecesOf(window, { perDay: 2_000_000, reachMs: 0, latenessMs: LATENESS_MS }).length).toBe(3);
});
