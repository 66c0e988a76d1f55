/** Cron expressions: when they are due, in their zone, and what was missed. */
import { expect, test } from 'vitest';
import { Schedule } from '../../src/pipeline/schedule.ts';

const at = (text: string): number => Date.parse(text);
const iso = (times: readonly number[]): string[] => times.map((ms) => new Date(ms).toISOString());

test('tells what was missed, the newest first', () => {
  const quarter = new Schedule('*/15 * * * *', 'UTC');
  expect(iso(quarter.timesBetween(at('2026-01-01T00:00:00Z'), at('2026-01-01T00:45:00Z')))).toEqual([
    '2026-01-01T00:45:00.000Z',
    '2026-01-01T00:30:00.000Z',
    '2026-01-01T00:15:00.000Z',
  ]);
  expect(quarter.timesBetween(at('2026-01-01T00:01:00Z'), at('2026-01-01T00:02:00Z'))).toEqual([]);
  expect(quarter.timesBetween(at('2026-01-01T00:00:00Z'), at('2026-01-08T00:00:00Z'))).toHaveLength(7 * 96);
});

test('knows the hours of its zone, also where the clock is changed', () => {
  const morning = new Schedule('0 8 * * mon-fri', 'Europe/Berlin');
  expect(iso(morning.timesBetween(at('2026-03-26T12:00:00Z'), at('2026-03-31T12:00:00Z')))).toEqual([
    '2026-03-31T06:00:00.000Z',
    '2026-03-30T06:00:00.000Z',
    '2026-03-27T07:00:00.000Z',
  ]);
});

test.each([
  ['61 * * * *', 'UTC'],
  ['often', 'UTC'],
  ['* * * * *', 'Mars/Olympus'],
  ['', 'UTC'],
])('refuses %j in %s', (expression, zone) => {
  expect(() => new Schedule(expression, zone)).toThrowError(
    expect.objectContaining({ code: 'config-invalid', message: expect.stringContaining(`'${expression}'`) }),
  );
});
