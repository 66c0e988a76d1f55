/** Correlations of rules over random streams, against counting by hand: those that the engine does by itself, and those that become SQL. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend.ts';
import { portabilityFindings } from '../../src/backends/portable.ts';
import { createEngine } from '../../src/detection/planner.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { DAY_MS, HOUR_MS } from '../../src/time.ts';
import { fill, openStreamBackend, STREAM_START_MS, type StreamEvent } from '../support/streams.ts';
import { load, refusal } from './rules.ts';

const engine = createEngine(cloudtrailTable);
let backend: Backend;
beforeAll(async () => {
  backend = await openStreamBackend();
});
afterAll(() => backend.close());

const base = (name: string, call = name.toUpperCase()): string =>
  `title: ${name}\nname: ${name}\nid: 00000000-0000-4000-8000-00000000000${name}\nlogsource: {product: aws, service: cloudtrail}\ndetection:\n  s:\n    eventName: ${call}\n  condition: s\n`;
const PARTS = ['a', 'b', 'c'].map((name) => base(name)).join('---\n');
const correlation = (lines: string, more = ''): string =>
  `${PARTS}---\ntitle: Together\nid: together\nlevel: high\n${more}correlation:\n${lines.replaceAll(/^/gmu, '  ')}\n`;

function detectorOf(text: string) {
  const { rules, reports } = load({ 'rules.yml': text });
  const found = rules.find(({ detector }) => detector.id === 'sigma-together')?.detector;
  if (found === undefined) throw new Error(JSON.stringify(reports, null, 1));
  return found;
}

/** What a correlation makes of a stream, by hand: at which events it holds. */
interface Case {
  readonly name: string;
  readonly lines: string;
  readonly isSql: boolean;
  readonly withinMs: number;
  /** How far back evidence may lie. */
  readonly reachMs?: number;
  readonly calls: readonly string[];
  readonly group: (event: StreamEvent) => string | null;
  readonly holds: (last: StreamEvent, before: readonly StreamEvent[]) => boolean;
}

const MINUTE = 60;
const names = (events: readonly StreamEvent[]): ReadonlySet<string | null> => new Set(events.map(({ name }) => name));
const inOrder = (
  last: StreamEvent,
  before: readonly StreamEvent[],
  wanted: readonly string[],
  seconds: number,
): boolean => {
  const walk = (at: number, from: number): boolean =>
    at === wanted.length - 1
      ? last.name === wanted[at] && last.t >= from
      : before.some(
          (event) =>
            event.name === wanted[at] && event.t >= from && event.t > last.t - seconds && walk(at + 1, event.t),
        );
  return walk(0, Number.NEGATIVE_INFINITY);
};

const CASES: readonly Case[] = [
  {
    name: 'event_count',
    lines:
      'type: event_count\nrules: [a, b]\ngroup-by: [userIdentity.userName, sourceIPAddress]\ntimespan: 10m\ncondition: {gte: 3}'.replace(
        'userIdentity.userName, sourceIPAddress',
        'principal, source_ip',
      ),
    isSql: false,
    withinMs: 600_000,
    calls: ['A', 'B'],
    group: ({ principal, ip }) => (principal === null || ip === null ? null : `${principal} ${ip}`),
    holds: (_, before) => before.length >= 3,
  },
  {
    name: 'event_count within bounds',
    lines: 'type: event_count\nrules: [a, b]\ngroup-by: [principal]\ntimespan: 10m\ncondition: {gt: 1, lte: 3}',
    isSql: true,
    withinMs: 600_000,
    calls: ['A', 'B'],
    group: ({ principal }) => principal,
    holds: (_, before) => before.length > 1 && before.length <= 3,
  },
  {
    name: 'value_count',
    lines:
      'type: value_count\nrules: [a, b, c]\ngroup-by: [principal]\ntimespan: 15m\ncondition: {field: source_ip, gt: 1}',
    isSql: false,
    withinMs: 900_000,
    calls: ['A', 'B', 'C'],
    group: ({ principal }) => principal,
    holds: (last, before) => last.ip !== null && new Set(before.flatMap(({ ip }) => ip ?? [])).size > 1,
  },
  {
    name: 'value_count of two fields',
    lines:
      'type: value_count\nrules: [a, b, c]\ngroup-by: [principal]\ntimespan: 15m\ncondition: {field: [source_ip, recipientAccountId], gte: 3}',
    isSql: true,
    withinMs: 900_000,
    calls: ['A', 'B', 'C'],
    group: ({ principal }) => principal,
    holds: (last, before) =>
      last.ip !== null &&
      new Set(before.flatMap(({ ip, account }) => (ip === null ? [] : `${ip} ${account}`))).size >= 3,
  },
  {
    name: 'value_sum',
    lines:
      'type: value_sum\nrules: [a, b]\ngroup-by: [principal]\ntimespan: 10m\ncondition: {field: recipientAccountId, gt: 400000000000}',
    isSql: true,
    withinMs: 600_000,
    calls: ['A', 'B'],
    group: ({ principal }) => principal,
    holds: (_, before) => before.reduce((sum, { account }) => sum + Number(account), 0) > 400_000_000_000,
  },
  {
    name: 'temporal',
    lines: 'type: temporal\nrules: [a, b, c]\ngroup-by: [principal]\ntimespan: 20m',
    isSql: true,
    withinMs: 1_200_000,
    calls: ['A', 'B', 'C'],
    group: ({ principal }) => principal,
    holds: (_, before) => names(before).size === 3,
  },
  {
    name: 'temporal of some',
    lines: 'type: temporal\nrules: [a, b, c]\ngroup-by: [principal]\ntimespan: 20m\ncondition: {gte: 2}',
    isSql: true,
    withinMs: 1_200_000,
    calls: ['A', 'B', 'C'],
    group: ({ principal }) => principal,
    holds: (_, before) => names(before).size >= 2,
  },
  {
    name: 'temporal_ordered',
    lines: 'type: temporal_ordered\nrules: [c, a, b]\ngroup-by: [principal]\ntimespan: 30m',
    isSql: false,
    withinMs: 1_800_000,
    calls: ['A', 'B', 'C'],
    group: ({ principal }) => principal,
    holds: (last, before) => inOrder(last, before, ['C', 'A', 'B'], 30 * MINUTE),
  },
  {
    name: 'temporal_ordered with an alias',
    lines:
      'type: temporal_ordered\nrules: [a, b]\ngroup-by: [who]\ntimespan: 30m\naliases:\n  who: {a: principal, b: source_ip}',
    isSql: true,
    withinMs: 1_800_000,
    calls: ['A', 'B'],
    group: ({ name, principal, ip }) => (name === 'A' ? principal : ip),
    holds: (last, before) => inOrder(last, before, ['A', 'B'], 30 * MINUTE),
  },
];

const stream = (isAliased: boolean): fc.Arbitrary<StreamEvent[]> =>
  fc
    .array(
      fc.record({
        t: fc.oneof(fc.integer({ min: 0, max: 3 * 3600 }), fc.integer({ min: 3300, max: 4200 })),
        principal: fc.constantFrom('ann', 'bob', null),
        name: fc.constantFrom('A', 'B', 'C', 'D', null),
        account: fc.constantFrom('111111111111', '222222222222'),
        ip: isAliased ? fc.constantFrom('ann', 'bob', null) : fc.constantFrom('192.0.2.1', '192.0.2.2', null),
        outcome: fc.constant<StreamEvent['outcome']>('success'),
      }),
      { maxLength: 60, size: 'max' },
    )
    .map((rows) => rows.map((row, at) => ({ ...row, id: `e${String(at).padStart(4, '0')}` })));

/** A stream that every case finds something in, whatever chance brings besides. */
const burst = (isAliased: boolean): StreamEvent[] =>
  Array.from({ length: 24 }, (_, at) => ({
    id: `e${String(at).padStart(4, '0')}`,
    t: 3500 + at * 10,
    principal: 'ann',
    name: ['C', 'A', 'B'][at % 3] ?? null,
    account: at % 2 === 0 ? '111111111111' : '222222222222',
    ip: isAliased ? 'ann' : at % 4 < 2 ? '192.0.2.1' : '192.0.2.2',
    outcome: 'success',
  }));

/** Group, slot, number of events and the first of them, for each finding. */
function byHand(one: Case, events: readonly StreamEvent[]): string[] {
  const own = events.filter(({ name }) => name !== null && one.calls.includes(name));
  const groups = new Map<string, StreamEvent[]>();
  for (const event of own) {
    const group = one.group(event);
    if (group !== null) groups.set(group, [...(groups.get(group) ?? []), event]);
  }
  const seconds = one.withinMs / 1000;
  return [...groups].flatMap(([group, members]) => {
    const hot = members.filter((last) =>
      one.holds(
        last,
        members.filter(({ t }) => t > last.t - seconds && t <= last.t),
      ),
    );
    const slots = new Set(hot.map(({ t }) => Math.floor(t / 3600)));
    return [...slots].map((slot) => {
      const times = hot.filter(({ t }) => Math.floor(t / 3600) === slot).map(({ t }) => t);
      const evidence = members.filter(({ t }) => t > Math.min(...times) - seconds && t <= Math.max(...times));
      return `${group} ${slot} ${evidence.length} ${Math.min(...evidence.map(({ t }) => t))}`;
    });
  });
}

const WINDOW = { fromMs: STREAM_START_MS, toMs: STREAM_START_MS + 6 * HOUR_MS };

async function hunted(text: string, events: readonly StreamEvent[]): Promise<string[]> {
  await fill(backend, events);
  const detector = detectorOf(text);
  const [result] = await engine.run(backend, {
    tasks: [{ detector, parameters: {}, window: WINDOW }],
    lists: {},
    columns: [],
    nowMs: STREAM_START_MS + 100 * DAY_MS,
  });
  return (result?.findings ?? []).map(
    ({ subject, window, count, firstSeen }) =>
      `${Object.values(subject).join(' ')} ${(Date.parse(window.from) - STREAM_START_MS) / HOUR_MS} ${count} ${(Date.parse(firstSeen) - STREAM_START_MS) / 1000}`,
  );
}

describe('a correlation', () => {
  test.each(CASES)('$name holds where counting by hand says so', async (one) => {
    const text = correlation(one.lines);
    const detector = detectorOf(text);
    expect(detector.sql !== undefined).toBe(one.isSql);
    expect(portabilityFindings(detector.sql ?? 'SELECT 1')).toEqual([]);
    const isAliased = one.name.includes('alias');
    expect(byHand(one, burst(isAliased))).not.toEqual([]);
    await fc.assert(
      fc.asyncProperty(stream(isAliased), async (events) => {
        expect((await hunted(text, events)).toSorted()).toEqual(byHand(one, events).toSorted());
      }),
      { numRuns: 12, examples: [[burst(isAliased)]] },
    );
  });

  test('of correlations: many refusals, then a success', async () => {
    const text = `${PARTS}---\ntitle: Many\nname: many\ncorrelation:\n  type: event_count\n  rules: [a]\n  group-by: [principal, source_ip]\n  timespan: 10m\n  condition: {gte: 3}\n---\ntitle: Together\nid: together\ncorrelation:\n  type: temporal_ordered\n  rules: [many, b]\n  group-by: [principal]\n  timespan: 5m\n`;
    const event = (t: number, name: string, principal = 'ann'): StreamEvent => ({
      id: `${name}${t}`,
      t,
      principal,
      name,
      account: '111111111111',
      ip: '192.0.2.1',
      outcome: 'success',
    });
    const tries = [0, 60, 120].map((t) => event(t, 'A'));
    const late = [0, 60, 700].map((t) => event(t, 'A', 'bob'));
    expect(await hunted(text, [...tries, event(300, 'B')])).toEqual(['ann 0 4 0']);
    // Too late after the last of them, and too few within the time.
    expect(await hunted(text, [...tries, event(500, 'B')])).toEqual([]);
    expect(await hunted(text, [...late, event(710, 'B', 'bob')])).toEqual([]);
  });

  test('takes the level of its rules where it has none, and they are no detectors of their own', () => {
    const text = correlation('type: event_count\nrules: [a]\ngroup-by: [principal]\ntimespan: 2h\ncondition: {gte: 3}')
      .replace('level: high\n', '')
      .replace('title: a\n', 'title: a\nlevel: critical\n');
    const { rules, reports } = load({ 'rules.yml': text });
    expect(rules.map(({ detector }) => [detector.id, detector.severity, detector.slot])).toEqual([
      ['sigma-00000000-0000-4000-8000-00000000000b', 'medium', 'event'],
      ['sigma-00000000-0000-4000-8000-00000000000c', 'medium', 'event'],
      ['sigma-together', 'critical', '6h'],
    ]);
    expect(reports.map(({ title, status, reason }) => [title, status, reason])).toContainEqual([
      'a',
      'part',
      'a correlation is made of it',
    ]);
    const generating = text.replace('  timespan', '  generate: true\n  timespan');
    expect(load({ 'rules.yml': generating }).rules).toHaveLength(4);
  });

  test.each([
    [
      'type: value_avg\nrules: [a]\ngroup-by: [principal]\ntimespan: 1h\ncondition: {field: x, gt: 1}',
      "32:9: the correlation 'value_avg' is not supported: an average falls",
    ],
    ['type: value_percentile\nrules: [a]\ntimespan: 1h', "32:9: the correlation 'value_percentile' is not supported"],
    ['type: often\nrules: [a]\ntimespan: 1h', "32:9: there is no correlation 'often'"],
    ['type: event_count\nrules: [d]\ntimespan: 1h\ncondition: {gte: 1}', "33:11: there is no rule 'd'"],
    ['type: event_count\nrules: [a]\ncondition: {gte: 1}', '32:3: the correlation has no timespan'],
    ['type: event_count\nrules: [a]\ntimespan: 1y\ncondition: {gte: 1}', "34:13: timespan is '1y'"],
    ['type: event_count\nrules: [a]\ntimespan: 1h', "32:3: the correlation 'event_count' has no condition"],
    ['type: event_count\nrules: [a]\ntimespan: 1h\ncondition: {about: 1}', "35:15: there is no comparison 'about'"],
    [
      'type: value_count\nrules: [a]\ntimespan: 1h\ncondition: {gte: 1}',
      "35:14: the correlation 'value_count' needs a field",
    ],
    [
      'type: temporal_ordered\nrules: [a, b]\ntimespan: 1h\ncondition: {gte: 1}',
      "35:14: the correlation 'temporal_ordered' is about all",
    ],
    [
      'type: event_count\nrules: [a, b]\ngroup-by: [who]\ntimespan: 1h\ncondition: {gte: 1}\naliases: {who: {a: principal}}',
      "34:14: the alias 'who' tells no field for the rule '00000000-0000-4000-8000-00000000000b'",
    ],
    ['type: event_count\nrules: [together]\ntimespan: 1h\ncondition: {gte: 1}', 'it correlates itself'],
  ])('with %j is refused at its place', (lines, message) => {
    expect(refusal(correlation(lines))).toContain(message);
  });
});
