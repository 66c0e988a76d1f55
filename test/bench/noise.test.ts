/** The budget for noise: what keeps it and what does not. */
import { expect, test } from 'vitest';
import { noiseOf } from '../../bench/noise.ts';
import type { Alert } from '../../src/alert.ts';

const told = (severity: Alert['severity'], count: number, detector = 'one') =>
  Array.from({ length: count }, () => ({ detector, severity }));
const MONTH = { events: 400_000, days: 30 };

test.each<[string, Parameters<typeof noiseOf>[0], readonly string[]]>([
  ['nothing is said', [], []],
  ['four of medium severity in four weeks', told('medium', 4), []],
  ['one more than events allow', told('low', 5), ['5 alerts, where 4 are allowed']],
  [
    'one more than weeks allow',
    told('medium', 5),
    ['5 alerts, where 4 are allowed', '5 alerts of medium severity or above, where 4 are allowed'],
  ],
  ['one that is high', told('high', 1), ['1 alerts of high or critical severity, where none is allowed']],
  ['one that is critical', told('critical', 1), ['1 alerts of high or critical severity, where none is allowed']],
])('%s', (_, alerts, problems) => {
  expect(noiseOf(alerts, MONTH).problems).toEqual(problems);
});

test('the loudest detector is told first', () => {
  expect(noiseOf([...told('low', 1, 'quiet'), ...told('medium', 2, 'loud')], MONTH)).toMatchObject({
    alerts: 3,
    mediumOrAbove: 2,
    highOrAbove: 0,
    byDetector: [
      { detector: 'loud', severity: 'medium', alerts: 2 },
      { detector: 'quiet', severity: 'low', alerts: 1 },
    ],
  });
});
