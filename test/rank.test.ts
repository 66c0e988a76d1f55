/** Rank: what comes first, why, and that it depends on nothing but the alerts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Alert } from '../src/alert.ts';
import { type Rank, ranksOf, rankText } from '../src/rank.ts';
import { DAY_MS, formatTime, HOUR_MS, MINUTE_MS } from '../src/time.ts';

const START = Date.parse('2026-03-06T08:00:00Z');
const ALICE = 'arn:aws:iam::111122223333:user/alice';

let made = 0;
/** An alert so long after START. */
function alert(afterMs: number, change: Partial<Alert> = {}): Alert {
  made += 1;
  const at = formatTime(START + afterMs);
  const principal = change.principal_arn ?? ALICE;
  return {
    schema: 1,
    id: made.toString(16).padStart(32, '0'),
    detector: 'trail-logging-stopped',
    detector_version: 1,
    title: 'CloudTrail logging was stopped',
    severity: 'medium',
    status: 'open',
    subject: { account_id: '111122223333', principal },
    summary: '',
    count: 1,
    peak: null,
    first_seen: at,
    last_seen: at,
    window: { from: at, to: at },
    account_id: '111122223333',
    region: 'us-east-1',
    accounts: ['111122223333'],
    regions: ['us-east-1'],
    source_ips: ['198.51.100.7'],
    principal_arn: principal,
    attack: [],
    event_ids: [],
    event_ids_total: 1,
    parameters: {},
    suppressed_by: null,
    new: false,
    coverage: null,
    context: null,
    ...change,
  };
}

const by = (name: string): Partial<Alert> => ({ principal_arn: `arn:aws:iam::111122223333:user/${name}` });
const of = (detector: string, technique?: string): Partial<Alert> => ({
  detector,
  ...(technique !== undefined && { attack: [{ technique, version: 16 }] }),
});
const rankOf = (one: Alert | undefined, alerts: readonly Alert[]): Rank => {
  const rank = ranksOf(alerts).find(({ alert_id }) => alert_id === one?.id);
  if (rank === undefined) throw new Error('it has no rank');
  return rank;
};

test('an alert alone has the points of its severity, of its rarity and of being new', () => {
  const one = alert(0, { severity: 'high' });
  expect(ranksOf([one])).toEqual([
    { alert_id: one.id, place: 1, points: 70, severity: 40, rarity: 20, news: 10, habit: 0, chain: 0, told: 0 },
  ]);
});

test.each<[string, Alert['severity'], number]>([
  ['informational', 'informational', 0],
  ['low', 'low', 10],
  ['medium', 'medium', 25],
  ['critical', 'critical', 55],
])('severity: %s', (_, severity, points) => {
  expect(rankOf(...((one) => [one, [one]] as const)(alert(0, { severity }))).severity).toBe(points);
});

describe('rarity', () => {
  const many = (count: number, everyMs: number) =>
    Array.from({ length: count }, (_, at) => alert(at * everyMs, by(`user-${at}`)));

  test.each([
    [1, 20],
    [2, 16],
    [4, 12],
    [32, 0],
    [100, 0],
  ])('of %i principals of a detector within days: %i points', (count, points) => {
    const alerts = many(count, MINUTE_MS);
    expect(rankOf(alerts[0], alerts).rarity).toBe(points);
  });

  test('a detector that says the same of one principal again and again is rare all the same: that is a habit', () => {
    const alerts = [...Array.from({ length: 40 }, (_, at) => alert(at * HOUR_MS, by('scanner'))), alert(1, by('mary'))];
    expect([alerts[0], alerts.at(-1)].map((one) => rankOf(one, alerts).rarity)).toEqual([16, 16]);
  });

  test('what is farther away than fifteen days does not count, on either side', () => {
    const alerts = [alert(0, by('a')), alert(15 * DAY_MS, by('b')), alert(30 * DAY_MS + 1, by('c'))];
    expect(alerts.map((one) => rankOf(one, alerts).rarity)).toEqual([16, 16, 20]);
  });

  test('what was suppressed or withdrawn counts for nobody', () => {
    const one = alert(0);
    const others = [alert(1, { status: 'suppressed' }), alert(2, { status: 'withdrawn' })];
    expect(rankOf(one, [one, ...others])).toMatchObject({ rarity: 20, habit: 0, chain: 0 });
    const weightier = alert(3, { status: 'suppressed', severity: 'critical' });
    expect(rankOf(one, [one, weightier]).told).toBe(0);
    expect(ranksOf([one, ...others])).toHaveLength(3);
  });
});

describe('news', () => {
  test('are the first alert of a detector about a principal of which it is silent for fifteen days before and after', () => {
    const alerts = [
      alert(0),
      alert(DAY_MS),
      alert(2 * DAY_MS, by('bob')),
      alert(2 * DAY_MS, of('guardduty-disabled')),
      alert(18 * DAY_MS),
      alert(18 * DAY_MS + 1),
    ];
    expect(alerts.map((one) => rankOf(one, alerts).news)).toEqual([0, 0, 10, 10, 10, 0]);
  });

  test('are told apart by the subject where there is no principal', () => {
    const about = (address: string): Partial<Alert> => ({
      subject: { source_ip: address },
      principal_arn: null,
    });
    const alerts = [alert(0, about('198.51.100.1')), alert(1, about('198.51.100.2')), alert(2, about('198.51.100.1'))];
    expect(alerts.map((one) => rankOf(one, alerts).news)).toEqual([10, 10, 0]);
  });
});

describe('a chain', () => {
  const chain = (...detectors: string[]) => detectors.map((name, at) => alert(at * MINUTE_MS, of(name)));

  test.each([
    [1, 0],
    [2, 5],
    [3, 10],
    [4, 15],
    [6, 15],
  ])('of %i detectors: %i points', (count, points) => {
    const alerts = chain(...Array.from({ length: count }, (_, at) => `detector-${at}`));
    expect(rankOf(alerts[0], alerts).chain).toBe(points);
  });

  test('through three tactics has ten more', () => {
    const alerts = [alert(0, of('one', 'T1078.004')), alert(1, of('two', 'T1562.008')), alert(2, of('three', 'T1537'))];
    expect(rankOf(alerts[0], alerts).chain).toBe(20);
  });

  test('is of one principal, and of a few hours', () => {
    const alerts = [alert(0, of('one')), alert(1, { ...of('two'), ...by('bob') }), alert(7 * HOUR_MS, of('three'))];
    expect(alerts.map((one) => rankOf(one, alerts).chain)).toEqual([0, 0, 0]);
  });
});

describe('a habit', () => {
  test.each([
    ['once a week', [0, 7, 14], -8],
    ['on two days', [0, 1], -5],
    ['every day', Array.from({ length: 31 }, (_, day) => day), -20],
    ['thirty times on one day', Array.from({ length: 30 }, () => 0), 0],
  ])('%s', (_, days, points) => {
    const alerts = days.map((day) => alert(day * DAY_MS));
    expect(rankOf(alerts[Math.floor(alerts.length / 2)], alerts).habit).toBe(points);
  });

  test('is of one detector and one principal, and of fifteen days on either side', () => {
    const alerts = [
      alert(0),
      alert(DAY_MS, by('bob')),
      alert(2 * DAY_MS, of('guardduty-disabled')),
      alert(17 * DAY_MS),
      alert(3 * DAY_MS, { status: 'suppressed' }),
    ];
    expect(rankOf(alerts[0], alerts).habit).toBe(0);
  });

  test('adds to no chain, while what an intruder does on three days does', () => {
    const daily = (days: number) =>
      Array.from({ length: days }, (_, day) => [
        alert(day * DAY_MS, of('role-created', 'T1078.004')),
        alert(day * DAY_MS + 1, of('policy-attached', 'T1562.008')),
        alert(day * DAY_MS + 2, of('group-opened', 'T1537')),
      ]).flat();
    const three = daily(3);
    expect(rankOf(three[0], three).chain).toBe(20);
    const thirty = daily(30);
    expect(rankOf(thirty[0], thirty).chain).toBe(0);
    const odd = alert(10 * DAY_MS + 3, of('flow-logs-deleted'));
    expect(rankOf(odd, [...thirty, odd]).chain).toBe(0);
    expect(rankOf(thirty[30], [...thirty, odd]).chain).toBe(5);
  });
});

describe('what stands above tells already', () => {
  const told = (alerts: readonly Alert[]): readonly number[] =>
    ranksOf(alerts)
      .map((rank) => rank.told)
      .toSorted((a, b) => b - a);

  test('of an incident: each further alert gives way, three times at most, and the points for the chain count once', () => {
    const alerts = Array.from({ length: 6 }, (_, at) => alert(at * MINUTE_MS, of(`detector-${at}`)));
    expect(told(alerts)).toEqual([0, -25, -35, -45, -45, -45]);
  });

  test('of a detector: each further alert gives way, whomever it is about', () => {
    const alerts = Array.from({ length: 4 }, (_, at) => alert(at * DAY_MS, by(`user-${at}`)));
    expect(told(alerts)).toEqual([0, -10, -20, -30]);
  });

  test('what is of the same incident and the same detector gives way once', () => {
    const alerts = [alert(0), alert(MINUTE_MS)];
    expect(told(alerts)).toEqual([0, -10]);
  });
});

test('one odd call of medium severity stands on the first page of a month in which more severe detectors speak every day', () => {
  const accounts = ['a', 'b', 'c', 'd', 'e'];
  const pipeline = accounts.flatMap((account) =>
    Array.from({ length: 30 }, (_, day) => [
      alert(day * DAY_MS, {
        ...of('admin-policy-attached', 'T1098.003'),
        ...by(`${account}-pipeline`),
        severity: 'high',
      }),
      alert(day * DAY_MS + 1, { ...of('group-opened', 'T1562.007'), ...by(`${account}-pipeline`), severity: 'high' }),
      alert(day * DAY_MS + 2, { ...of('user-created', 'T1136.003'), ...by(`${account}-pipeline`), severity: 'low' }),
    ]).flat(),
  );
  const root = accounts.flatMap((account) =>
    Array.from({ length: 4 }, (_, week) =>
      alert(week * 7 * DAY_MS, { ...of('root-console-login'), ...by(`${account}-root`), severity: 'critical' }),
    ),
  );
  const odd = alert(20 * DAY_MS, { ...of('flow-logs-deleted', 'T1562.008'), ...by('mary') });
  expect(rankOf(odd, [...pipeline, ...root, odd]).place).toBeLessThanOrEqual(3);
});

test('an attack of several steps stands above the daily noise of higher severity', () => {
  const noise = Array.from({ length: 200 }, (_, at) =>
    alert(at * HOUR_MS, { ...of('attack-tool-user-agent', 'T1078.004'), ...by('scanner'), severity: 'high' }),
  );
  const attack = [
    alert(50 * HOUR_MS, { ...of('access-key-for-another-user', 'T1098.001'), ...by('mallory') }),
    alert(51 * HOUR_MS, { ...of('flow-logs-deleted', 'T1562.008'), ...by('mallory') }),
    alert(52 * HOUR_MS, { ...of('snapshot-shared', 'T1537'), ...by('mallory') }),
  ];
  const alerts = [...noise, ...attack];
  const first = ranksOf(alerts).map(({ alert_id }) => alert_id);
  // Of the noise one stands among them, which tells of all.
  expect(attack.map(({ id }) => first.indexOf(id) + 1).toSorted((one, other) => one - other)).toEqual([1, 2, 4]);
});

test('neither the order of the alerts nor that they were ranked before changes a rank', () => {
  const anyAlert = fc
    .record({
      hours: fc.integer({ min: 0, max: 2000 }),
      detector: fc.constantFrom('a', 'b', 'c'),
      name: fc.constantFrom('alice', 'bob'),
      severity: fc.constantFrom<Alert['severity']>('low', 'medium', 'high'),
      status: fc.constantFrom<Alert['status']>('open', 'closed', 'suppressed', 'withdrawn'),
    })
    .map(({ hours, detector, name, severity, status }) =>
      alert(hours * HOUR_MS, { ...of(detector), ...by(name), severity, status }),
    );
  const shuffled = fc
    .array(anyAlert, { maxLength: 40 })
    .chain((alerts) => fc.tuple(fc.constant(alerts), fc.shuffledSubarray(alerts, { minLength: alerts.length })));
  fc.assert(
    fc.property(shuffled, ([alerts, others]) => {
      const ranks = ranksOf(alerts);
      expect(ranksOf(others)).toEqual(ranks);
      expect(ranks.map(({ place }) => place)).toEqual(ranks.map((_, at) => at + 1));
      for (const { points, severity, rarity, news, habit, chain, told } of ranks)
        expect(points).toBe(severity + rarity + news + habit + chain + told);
    }),
  );
});

test('a rank is told with its reasons', () => {
  const told = { place: 3, of: 51, points: 80, severity: 40, rarity: 20, news: 10, habit: -5, chain: 25, told: -10 };
  expect(rankText(told)).toBe(
    '3 of 51: 80 points (severity 40, rare 20, new here 10, a habit -5, part of a chain 25, told by others -10)',
  );
  expect(rankText({ ...told, rarity: 0, news: 0, habit: 0, chain: 0, told: 0, points: 40 })).toBe(
    '3 of 51: 40 points (severity 40)',
  );
});
