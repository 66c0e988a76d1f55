/** The engine against brute force: thresholds, sequences and baselines over random streams, whatever the order, cut in halves, and with a part that comes late. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend.ts';
import { alertId } from '../../src/detection/identity.ts';
import { createEngine } from '../../src/detection/planner.ts';
import { type Detector, type DetectorSpec, defineDetector, parameterValues } from '../../src/detector.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import type { Finding } from '../../src/hunt.ts';
import { DAY_MS, durationMs, formatTime, HOUR_MS, type Window } from '../../src/time.ts';
import { fill, openStreamBackend, STREAM_START_MS, type StreamEvent, timeOf } from '../support/streams.ts';

const engine = createEngine(cloudtrailTable);
const RUNS = { numRuns: 15 };

let backend: Backend;
beforeAll(async () => {
  backend = await openStreamBackend();
});
afterAll(() => backend.close());

const detector = (part: Partial<DetectorSpec>): Detector =>
  defineDetector({
    id: 'test-detector',
    title: 'Test',
    description: 'Test.',
    severity: 'low',
    severityReason: 'Test.',
    table: 'cloudtrail',
    attack: [],
    subject: ['principal'],
    summary: '{principal} {event_name}',
    falsePositives: [],
    blindSpots: [],
    examples: [],
    ...part,
  });

/** What a finding comes down to. */
const outline = (findings: readonly Finding[]): unknown[] =>
  findings
    .map(({ id, subject, window, count, peak, firstSeen, lastSeen, eventIds }) => ({
      id,
      subject,
      from: window.from,
      count,
      peak,
      firstSeen,
      lastSeen,
      eventIds,
    }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));

const LONG_AFTER_MS = STREAM_START_MS + 1000 * DAY_MS;

async function hunt(
  one: Detector,
  events: readonly StreamEvent[],
  window: Window,
  options: { readonly inline?: boolean; readonly nowMs?: number } = {},
): Promise<readonly Finding[]> {
  await fill(backend, events);
  // Without a place to keep rows, as on an engine that has none.
  const inline: Backend = {
    name: backend.name,
    query: (sql, params) => backend.query(sql, params),
    stream: (sql, params) => backend.stream(sql, params),
    interrupt: () => backend.interrupt(),
    close: () => backend.close(),
  };
  const task = { detector: one, parameters: parameterValues(one, {}), window };
  const request = { tasks: [task], lists: {}, columns: [], nowMs: options.nowMs ?? LONG_AFTER_MS };
  const [result] = await engine.run(options.inline === true ? inline : backend, request);
  return result?.findings ?? [];
}

const byTime = (a: StreamEvent, b: StreamEvent): number => a.t - b.t || (a.id < b.id ? -1 : 1);

/** A finding by its definition: the subject's events in (or from) the range, first and last, the first twenty ids. */
function expected(
  subject: string | null,
  slotMs: number,
  events: readonly StreamEvent[],
  peak: number | null,
): unknown {
  const sorted = events.toSorted(byTime);
  const from = formatTime(slotMs);
  return {
    id: alertId('test-detector', [subject], { slotStart: from }),
    subject: { principal: subject },
    from,
    count: sorted.length,
    peak,
    firstSeen: formatTime(timeOf(sorted[0] as StreamEvent)),
    lastSeen: formatTime(timeOf(sorted.at(-1) as StreamEvent)),
    eventIds: sorted.slice(0, 20).map(({ id }) => id),
  };
}

const sortedById = (values: readonly unknown[]): unknown[] =>
  values.toSorted((a, b) => ((a as { id: string }).id < (b as { id: string }).id ? -1 : 1));

function groups<T>(values: readonly T[], keyOf: (value: T) => unknown): T[][] {
  const found = new Map<string, T[]>();
  for (const value of values) {
    const key = JSON.stringify(keyOf(value));
    found.set(key, [...(found.get(key) ?? []), value]);
  }
  return [...found.values()];
}

test('a detector that concerns more events than fit into memory at once finds the same, part by part', async () => {
  const known = cloudtrailTable.columns.map(({ name, type }) => {
    const value = {
      event_id: "'e' || i",
      event_time: `make_timestamp(${STREAM_START_MS * 1000} + i * 2000000)`,
      event_name: "'A'",
      principal: "'p' || (i % 3)",
      account_id: "'111111111111'",
    }[name];
    return `CAST(${value ?? 'NULL'} AS ${type}) AS ${name}`;
  });
  const rows = `SELECT ${known.join(', ')} FROM (SELECT CAST(range AS BIGINT) AS i FROM range(250000)) AS r`;
  await backend.keep?.('cloudtrail', `SELECT *, CAST(event_time AS DATE) AS event_date FROM (${rows}) AS rows`);
  const one = detector({ when: { event_name: 'A' }, slot: '1d' });
  const window = { fromMs: STREAM_START_MS, toMs: STREAM_START_MS + 10 * DAY_MS };
  const task = { detector: one, parameters: {}, window };
  const [result] = await engine.run(backend, { tasks: [task], lists: {}, columns: [], nowMs: LONG_AFTER_MS });
  const counts = (result?.findings ?? []).map(
    ({ subject, window: { from }, count }) => `${from} ${String(subject['principal'])} ${count}`,
  );
  const perDay = DAY_MS / 2000;
  const expectedCounts = Array.from({ length: 6 }, (_, day) =>
    [0, 1, 2].map((rest) => {
      const [first, end] = [day * perDay, Math.min((day + 1) * perDay, 250_000)];
      const count = Array.from({ length: end - first }, (__, at) => first + at).filter((at) => at % 3 === rest).length;
      return `${formatTime(STREAM_START_MS + day * DAY_MS)} p${rest} ${count}`;
    }),
  ).flat();
  expect(counts.toSorted()).toEqual(expectedCounts.toSorted());
});

const HOURS = 12;
const events = (spanSeconds: number, maxLength: number): fc.Arbitrary<StreamEvent[]> =>
  fc
    .array(
      fc.record({
        t: fc.oneof(
          { weight: 3, arbitrary: fc.integer({ min: 0, max: spanSeconds - 1 }) },
          { weight: 2, arbitrary: fc.integer({ min: 3500, max: 3700 }) },
        ),
        principal: fc.constantFrom('ann', 'bob', null),
        name: fc.constantFrom('A', 'B', 'C', 'D', null),
        account: fc.constantFrom('111111111111', '222222222222'),
        ip: fc.constantFrom('192.0.2.1', '192.0.2.2', null),
        outcome: fc.constantFrom<StreamEvent['outcome']>('success', 'denied', 'denied'),
      }),
      { maxLength, size: 'max' },
    )
    .map((rows) => rows.map((row, at) => ({ ...row, id: `e${String(at).padStart(5, '0')}` })));

const WHOLE: Window = { fromMs: STREAM_START_MS, toMs: STREAM_START_MS + HOURS * HOUR_MS };
const HALF_MS = STREAM_START_MS + 6 * HOUR_MS;

/** Four checks that hold for every detector which late data cannot refute. */
async function holds(one: Detector, stream: readonly StreamEvent[], brute: readonly unknown[]): Promise<void> {
  const whole = outline(await hunt(one, stream, WHOLE));
  expect(whole).toEqual(brute);
  expect(outline(await hunt(one, stream.toReversed(), WHOLE, { inline: true }))).toEqual(whole);
  const halves = [
    ...(await hunt(one, stream, { ...WHOLE, toMs: HALF_MS })),
    ...(await hunt(one, stream, { ...WHOLE, fromMs: HALF_MS })),
  ];
  expect(outline(halves)).toEqual(whole);
  const early = await hunt(
    one,
    stream.filter((_, at) => at % 5 !== 0),
    WHOLE,
  );
  const ids = new Set((whole as { id: string }[]).map(({ id }) => id));
  expect(early.filter(({ id }) => !ids.has(id))).toEqual([]);
}

describe('a threshold', () => {
  const WITHIN = 600;
  for (const distinct of [undefined, 'event_name'] as const) {
    for (const slot of ['15m', '1h', '6h'] as const) {
      const slotLength = { '15m': 0.25, '1h': 1, '6h': 6 }[slot] * HOUR_MS;
      const atLeast = distinct === undefined ? 4 : 3;
      const one = detector({
        when: { outcome: 'denied' },
        threshold: { atLeast, within: '10m', ...(distinct !== undefined && { distinct }) },
        slot,
      });
      const brute = (stream: readonly StreamEvent[]): unknown[] =>
        groups(
          stream.filter(({ outcome }) => outcome === 'denied'),
          ({ principal }) => principal,
        ).flatMap((own) => {
          const live = (at: StreamEvent): number => {
            const seen = own.filter(({ t }) => t > at.t - WITHIN && t <= at.t);
            return distinct === undefined
              ? seen.length
              : new Set(seen.map(({ name }) => name).filter((name) => name !== null)).size;
          };
          const counted = distinct === undefined ? own : own.filter(({ name }) => name !== null);
          const hot = counted.filter((event) => live(event) >= atLeast);
          return groups(hot, (event) => Math.floor(timeOf(event) / slotLength)).map((burst) => {
            const times = burst.map(({ t }) => t);
            const evidence = own.filter(({ t }) => t > Math.min(...times) - WITHIN && t <= Math.max(...times));
            const slotMs = Math.floor(timeOf(burst[0] as StreamEvent) / slotLength) * slotLength;
            return expected(own[0]?.principal ?? null, slotMs, evidence, Math.max(...burst.map(live)));
          });
        });
      test(`of ${distinct === undefined ? 'events' : 'distinct values'} in slots of ${slot}`, async () => {
        await fc.assert(
          fc.asyncProperty(events(HOURS * 3600, 120), async (stream) => holds(one, stream, sortedById(brute(stream)))),
          RUNS,
        );
      });
    }
  }

  test('is found across the border of two slots, as two alerts where both are hot', async () => {
    const one = detector({ when: { outcome: 'denied' }, threshold: { atLeast: 3, within: '10m' } });
    const stream = [3595, 3596, 3597, 3601, 3602].map(
      (t, at): StreamEvent => ({
        id: `e${at}`,
        t,
        principal: 'ann',
        name: 'A',
        account: '1',
        ip: null,
        outcome: 'denied',
      }),
    );
    const found = await hunt(one, stream, WHOLE);
    expect(found.map(({ window, count, peak }) => [window.from, count, peak])).toEqual([
      ['2025-03-03T00:00:00Z', 3, 3],
      ['2025-03-03T01:00:00Z', 5, 5],
    ]);
  });

  test('of distinct names cannot be reached where events have fewer', async () => {
    const stream = Array.from(
      { length: 40 },
      (_, at): StreamEvent => ({
        id: `e${at}`,
        t: at,
        principal: 'ann',
        name: `N${at % 5}`,
        account: '1',
        ip: null,
        outcome: 'denied',
      }),
    );
    const threshold = (atLeast: number) =>
      detector({ when: { outcome: 'denied' }, threshold: { atLeast, distinct: 'event_name', within: '10m' } });
    expect(await hunt(threshold(5), stream, WHOLE)).toHaveLength(1);
    expect(await hunt(threshold(6), stream, WHOLE)).toHaveLength(0);
  });

  test('concerns so many events that it runs on its own, and finds the same', async () => {
    // A stream of 24,000 denied calls in which two subjects burst; the rest stay one below the threshold.
    const quiet = Array.from(
      { length: 24_000 },
      (_, at): StreamEvent => ({
        id: `q${String(at).padStart(6, '0')}`,
        t: (at * 977) % (HOURS * 3600),
        principal: `p${at % 2400}`,
        name: `N${at % 3}`,
        account: '1',
        ip: null,
        outcome: 'denied',
      }),
    );
    const burst = (principal: string | null, start: number): StreamEvent[] =>
      Array.from({ length: 30 }, (_, at) => ({
        id: `${principal}${String(at).padStart(3, '0')}`,
        t: start + at * 7,
        principal,
        name: `B${at}`,
        account: '1',
        ip: null,
        outcome: 'denied' as const,
      }));
    const stream = [...quiet, ...burst('ann', 3500), ...burst(null, 5000)];
    for (const distinct of [{}, { distinct: 'event_name' }]) {
      const one = detector({ when: { outcome: 'denied' }, threshold: { atLeast: 25, within: '10m', ...distinct } });
      const found = await hunt(one, stream, WHOLE);
      expect(
        found
          .map(({ subject, window, count, peak }) => [subject['principal'], window.from, count, peak])
          .toSorted(([a], [b]) => String(a).localeCompare(String(b))),
      ).toEqual([
        ['ann', '2025-03-03T01:00:00Z', 30, 30],
        [null, '2025-03-03T01:00:00Z', 30, 30],
      ]);
    }
  });
});

describe('a plain condition', () => {
  test('in slots is one alert per subject and slot', async () => {
    const one = detector({ when: { outcome: 'denied' }, slot: '1h' });
    await fc.assert(
      fc.asyncProperty(events(HOURS * 3600, 60), async (stream) => {
        const brute = groups(
          stream.filter(({ outcome }) => outcome === 'denied'),
          (event) => [event.principal, Math.floor(timeOf(event) / HOUR_MS)],
        ).map((own) =>
          expected(own[0]?.principal ?? null, Math.floor(timeOf(own[0] as StreamEvent) / HOUR_MS) * HOUR_MS, own, null),
        );
        await holds(one, stream, sortedById(brute));
      }),
      RUNS,
    );
  });

  test('of slot event is one alert per event, under an identity of its own', async () => {
    const one = detector({ when: { outcome: 'denied' }, slot: 'event' });
    await fc.assert(
      fc.asyncProperty(events(HOURS * 3600, 60), async (stream) => {
        const found = await hunt(one, stream, WHOLE);
        const brute = stream
          .filter(({ outcome }) => outcome === 'denied')
          .map((event) =>
            alertId('test-detector', [event.principal], {
              event: { id: event.id, time: formatTime(timeOf(event)), source: null, name: event.name },
            }),
          );
        expect(found.map(({ id }) => id).toSorted()).toEqual(brute.toSorted());
      }),
      RUNS,
    );
  });
});

describe('a pattern or a name in any case', () => {
  const stream = (names: number): readonly StreamEvent[] =>
    Array.from({ length: names + 2 }, (_, at) => ({
      id: `e${String(at).padStart(5, '0')}`,
      t: at,
      principal: 'ann',
      name: at < names ? `Make${at}` : at === names ? "Take'It" : null,
      account: '111111111111',
      ip: at === 0 ? '192.0.2.7' : at === 1 ? '2001:db8::1' : at === 2 ? 'ec2.amazonaws.com' : null,
      outcome: 'success',
    }));
  const CASES: readonly (readonly [condition: NonNullable<DetectorSpec['when']>, found: (names: number) => number])[] =
    [
      [{ event_name: { re: '^make[0-9]+$' } }, (names) => names],
      [{ not: { event_name: { re: '^make' } } }, () => 2],
      [{ event_name: ['MAKE0', "take'it"] }, () => 2],
      [{ event_name: { re: 'nothing' } }, () => 0],
      [{ not: { event_name: 'nothing' } }, (names) => names + 2],
      [{ source_ip: { cidr: '192.0.2.0/24' } }, () => 1],
      [{ source_ip: { cidr: ['192.0.2.0/24', '2001:db8::/32'] } }, () => 2],
      [{ not: { source_ip: { cidr: ['192.0.2.0/24', '198.51.100.0/24'] } } }, (names) => names + 1],
      // Together these are so many tests of a column that it is looked at.
      [{ any: Array.from({ length: 12 }, (_, at) => ({ source_ip: { startswith: `${at}.` } })) }, () => 0],
      [{ any: Array.from({ length: 12 }, (_, at) => ({ source_ip: { endswith: `.${at}` } })) }, () => 1],
      [{ any: Array.from({ length: 12 }, (_, at) => ({ source_ip: { contains: `${at}.` } })) }, () => 2],
      [{ all: Array.from({ length: 12 }, (_, at) => ({ not: { source_ip: { contains: `x${at}` } } })) }, (n) => n + 2],
      [
        { any: [{ source_ip: { exists: false } }, ...Array.from({ length: 11 }, (_, at) => ({ source_ip: `${at}` }))] },
        (names) => names - 1,
      ],
    ];

  test.each([3, 60, 6000])('is found whether its column has few values or many: %i', async (names) => {
    const counts = [];
    for (const [when] of CASES) {
      const one = detector({ when, slot: '1d', subject: ['account_id'] });
      const found = await hunt(one, stream(names), WHOLE);
      counts.push(found.reduce((sum, { count }) => sum + count, 0));
    }
    expect(counts).toEqual(CASES.map(([, count]) => count(names)));
  });
});

test('a member of JSON is found however its name is written, and missed where it is missing', async () => {
  const texts = ['{"name":"x"}', '{"\\u006eame":"x"}', '{"other":"x"}', '{"deep":{"name":"x"}}', '{"name":null}'];
  const stream = [...texts, null].map(
    (_, at): StreamEvent => ({
      id: `e${at}`,
      t: at,
      principal: 'ann',
      name: 'A',
      account: '1',
      ip: null,
      outcome: 'success',
    }),
  );
  await fill(backend, stream);
  const value = `CASE event_id ${texts.map((text, at) => `WHEN 'e${at}' THEN '${text}'`).join(' ')} END`;
  const columns = cloudtrailTable.columns.map(({ name }) =>
    name === 'request_parameters' ? `${value} AS request_parameters` : name,
  );
  await backend.keep?.('cloudtrail', `SELECT ${columns.join(', ')}, event_date FROM main.cloudtrail`);
  const conditions: readonly NonNullable<DetectorSpec['when']>[] = [
    { 'request_parameters.name': 'x' },
    { 'request_parameters.name': { contains: ['x', 'y'] } },
    { not: { 'request_parameters.name': 'x' } },
    { 'request_parameters.name': { exists: false } },
    { 'request_parameters.deep.name': { re: '^x' } },
  ];
  const tasks = conditions.map((when, at) => ({
    detector: detector({ id: `one-${at}`, when, slot: '1d' }),
    parameters: {},
    window: WHOLE,
  }));
  const results = await engine.run(backend, { tasks, lists: {}, columns: [], nowMs: LONG_AFTER_MS });
  expect(results.map(({ findings }) => findings[0]?.eventIds)).toEqual([
    ['e0', 'e1'],
    ['e0', 'e1'],
    ['e2', 'e3', 'e4', 'e5'],
    ['e2', 'e3', 'e4', 'e5'],
    ['e3'],
  ]);
});

test('a wide scan that would be too long is several, with the same findings', async () => {
  const stream = Array.from(
    { length: 40 },
    (_, at): StreamEvent => ({
      id: `e${String(at).padStart(2, '0')}`,
      t: at,
      principal: 'ann',
      name: `N${at}`,
      account: '1',
      ip: null,
      outcome: 'denied',
    }),
  );
  await fill(backend, stream);
  const long = 'x'.repeat(8000);
  const tasks = stream.map(({ name }, at) => ({
    detector: detector({
      id: `one-${at}`,
      when: { event_name: name ?? '', not: { 'request_parameters.name': long } },
      slot: at % 2 === 0 ? 'event' : '1h',
    }),
    parameters: {},
    window: WHOLE,
  }));
  const request = { tasks, lists: {}, columns: [], nowMs: LONG_AFTER_MS };
  const lengths: number[] = [];
  const results = await engine.run(backend, { ...request, onStatement: ({ sql }) => lengths.push(sql.length) });
  expect(Math.max(...lengths)).toBeLessThanOrEqual(200_000);
  expect(
    engine.explain(request).filter(({ title }) => title.includes('kept as main.hunt_events')).length,
  ).toBeGreaterThan(1);
  expect(results.map(({ findings }) => findings.map(({ eventIds }) => eventIds))).toEqual(
    stream.map(({ id }) => [[id]]),
  );
});

describe('a sequence', () => {
  const WITHIN = 900;
  /** Events of each step; an event that fits several is, among events of its own second, taken for the last of them. */
  const chains = (
    own: readonly StreamEvent[],
    fits: readonly ((event: StreamEvent) => boolean)[],
    atLeast: readonly number[],
  ): StreamEvent[] => {
    const rows = fits.flatMap((fit, step) =>
      own.filter(fit).map((event) => ({
        event,
        step,
        rank: fits.findLastIndex((other) => other(event)) === step ? step : 1000 + step,
      })),
    );
    const before = (a: (typeof rows)[number], b: (typeof rows)[number]): number =>
      a.event.t - b.event.t || a.rank - b.rank || (a.event.id < b.event.id ? -1 : 1);
    const sorted = rows.toSorted(before);
    /** Whether the steps up to `step` can be walked with events of [start, at], ending at `at`; returns the latest start. */
    const walk = (step: number, at: number): number => {
      const needed = atLeast[step] ?? 1;
      const same = sorted.slice(0, at + 1).flatMap((row, index) => (row.step === step ? [index] : []));
      const first = same.at(-needed);
      if (first === undefined) return Number.NEGATIVE_INFINITY;
      if (step === 0) return sorted[first]?.event.t ?? 0;
      let best = Number.NEGATIVE_INFINITY;
      for (let index = 0; index < first; index += 1)
        if (sorted[index]?.step === step - 1) best = Math.max(best, walk(step - 1, index));
      return best;
    };
    const last = fits.length - 1;
    return sorted.flatMap((row, at) => (row.step === last && walk(last, at) > row.event.t - WITHIN ? [row.event] : []));
  };
  const steps: readonly {
    readonly name: string;
    readonly conditions: readonly Record<string, string>[];
    readonly atLeast: readonly number[];
  }[] = [
    { name: 'of two steps', conditions: [{ event_name: 'A' }, { event_name: 'B' }], atLeast: [1, 1] },
    { name: 'with several of the first', conditions: [{ outcome: 'denied' }, { outcome: 'success' }], atLeast: [3, 1] },
    {
      name: 'whose steps an event may share',
      conditions: [{ outcome: 'denied' }, { event_name: 'A' }],
      atLeast: [2, 2],
    },
    {
      name: 'of three steps',
      conditions: [{ event_name: 'A' }, { outcome: 'denied' }, { event_name: 'C' }],
      atLeast: [1, 2, 1],
    },
  ];
  test.each(steps)('$name', async ({ conditions, atLeast }) => {
    const one = detector({
      sequence: {
        steps: conditions.map((when, at) => (atLeast[at] === 1 ? when : { when, atLeast: atLeast[at] ?? 1 })),
        by: ['principal', 'source_ip'],
        within: '15m',
      },
      slot: '1h',
    });
    const fits = conditions.map(
      (condition) => (event: StreamEvent) =>
        Object.entries(condition).every(([key, value]) => (key === 'outcome' ? event.outcome : event.name) === value),
    );
    await fc.assert(
      fc.asyncProperty(events(2 * 3600, 60), async (stream) => {
        const whole = groups(
          stream.filter(({ principal, ip }) => principal !== null && ip !== null),
          ({ principal, ip }) => [principal, ip],
        ).flatMap((own) =>
          groups(chains(own, fits, atLeast), (event) => Math.floor(timeOf(event) / HOUR_MS)).map((hot) => {
            const times = hot.map(({ t }) => t);
            const slot = Math.floor(timeOf(hot[0] as StreamEvent) / HOUR_MS) * HOUR_MS;
            const evidence = own.filter(
              (event) =>
                fits.some((fit) => fit(event)) &&
                event.t > Math.min(...times) - WITHIN &&
                event.t <= Math.max(...times),
            );
            return { principal: own[0]?.principal ?? null, slot, evidence };
          }),
        );
        // One subject may have walked the steps from several addresses: that is one alert.
        const brute = groups(whole, ({ principal, slot }) => [principal, slot]).map((same) =>
          expected(
            same[0]?.principal ?? null,
            same[0]?.slot ?? 0,
            same.flatMap(({ evidence }) => evidence),
            null,
          ),
        );
        await holds(one, stream, sortedById(brute));
      }),
      RUNS,
    );
  });
});

describe('a baseline', () => {
  const DAYS = 12;
  const slotOf = (event: StreamEvent): number => Math.floor(timeOf(event) / DAY_MS) * DAY_MS;
  const days: fc.Arbitrary<StreamEvent[]> = events(DAYS * 86_400, 60);
  const window: Window = { fromMs: STREAM_START_MS, toMs: STREAM_START_MS + DAYS * DAY_MS };
  const OVER_MS = 5 * DAY_MS;
  const WARM_UP_MS = 3 * DAY_MS;
  const isRipe = (stream: readonly StreamEvent[], account: string, slot: number): boolean =>
    stream.some(
      (event) => event.account === account && timeOf(event) >= slot - OVER_MS && timeOf(event) < slot - WARM_UP_MS,
    );

  const firstSeen = detector({
    when: { outcome: 'denied' },
    baseline: { firstSeen: ['event_name'], over: '5d' },
    slot: '1d',
    subject: ['principal'],
  });
  const bruteFirst = (stream: readonly StreamEvent[]): unknown[] => {
    const denied = stream.filter(({ outcome, name }) => outcome === 'denied' && name !== null);
    const fresh = denied.filter((event) => {
      const slot = slotOf(event);
      const before = denied.some(
        (other) =>
          other.name === event.name &&
          other.account === event.account &&
          timeOf(other) >= slot - OVER_MS &&
          timeOf(other) < slot,
      );
      return !before && isRipe(stream, event.account, slot);
    });
    return groups(fresh, (event) => [event.principal, slotOf(event)]).map((own) =>
      expected(own[0]?.principal ?? null, slotOf(own[0] as StreamEvent), own, null),
    );
  };
  test('of first sights, equal to its definition, in any order and by halves', async () => {
    await fc.assert(
      fc.asyncProperty(days, async (stream) => {
        const found = outline(await hunt(firstSeen, stream, window));
        expect(found).toEqual(sortedById(bruteFirst(stream)));
        expect(outline(await hunt(firstSeen, stream.toReversed(), window, { inline: true }))).toEqual(found);
        const middle = STREAM_START_MS + 6 * DAY_MS;
        const halves = [
          ...(await hunt(firstSeen, stream, { ...window, toMs: middle })),
          ...(await hunt(firstSeen, stream, { ...window, fromMs: middle })),
        ];
        expect(outline(halves)).toEqual(found);
      }),
      RUNS,
    );
  });

  test.each([
    { slot: '1d' as const, atLeast: 2, over: '5d' as const },
    { slot: '6h' as const, habit: { days: 2, values: 2 }, over: '4d' as const },
    { slot: '1d' as const, habit: { days: 1, values: 3 }, atLeast: 2, over: '3d' as const },
  ])('of first sights of who has a habit, equal to its definition: %o', async ({ slot: length, ...part }) => {
    const spec = detector({
      when: { outcome: 'denied' },
      baseline: { firstSeen: ['event_name', 'source_ip'], per: ['principal'], ...part },
      slot: length,
      subject: ['principal'],
    });
    const [overMs, slotMs] = [durationMs(part.over), durationMs(length)];
    const slot = (event: StreamEvent): number => Math.floor(timeOf(event) / slotMs) * slotMs;
    const valueOf = ({ name, ip }: StreamEvent): string => JSON.stringify([name, ip]);
    const brute = (stream: readonly StreamEvent[]): unknown[] => {
      const denied = stream.filter(({ outcome, name, ip }) => outcome === 'denied' && name !== null && ip !== null);
      const fresh = denied.filter((event) => {
        const before = denied.filter((other) => other.principal === event.principal && timeOf(other) < slot(event));
        if (before.some((other) => valueOf(other) === valueOf(event) && timeOf(other) >= slot(event) - overMs))
          return false;
        if (part.habit === undefined) return hasPast(stream, event, slot(event));
        const known = before.filter((other) => slotOf(other) < slotOf(event) && slotOf(other) > slotOf(event) - overMs);
        return (
          new Set(known.map(slotOf)).size >= part.habit.days && new Set(known.map(valueOf)).size <= part.habit.values
        );
      });
      return groups(fresh, (event) => [event.principal, slot(event)]).flatMap((own) => {
        const peak = new Set(own.map(valueOf)).size;
        return peak < (part.atLeast ?? 1)
          ? []
          : [expected(own[0]?.principal ?? null, slot(own[0] as StreamEvent), own, part.atLeast ? peak : null)];
      });
    };
    const hasPast = (stream: readonly StreamEvent[], { principal }: StreamEvent, at: number): boolean =>
      stream.some(
        (event) => event.principal === principal && timeOf(event) >= at - overMs && timeOf(event) < at - WARM_UP_MS,
      );
    const streams = events(DAYS * 86_400, 200);
    // The same in every run, lest chance bring none that anything is found in.
    const steady = fc.sample(streams, { seed: 1, numRuns: 6 });
    expect(steady.flatMap(brute)).not.toEqual([]);
    await fc.assert(
      fc.asyncProperty(streams, async (stream) => {
        const found = outline(await hunt(spec, stream, window));
        expect(found).toEqual(sortedById(brute(stream)));
        const middle = STREAM_START_MS + 6 * DAY_MS + (slotMs % DAY_MS);
        const halves = [
          ...(await hunt(spec, stream.toReversed(), { ...window, toMs: middle }, { inline: true })),
          ...(await hunt(spec, stream, { ...window, fromMs: middle })),
        ];
        expect(outline(halves)).toEqual(found);
      }),
      { ...RUNS, examples: steady.map((stream) => [stream]) },
    );
  });

  const middle = (values: readonly number[]): number => {
    const sorted = values.toSorted((a, b) => a - b);
    return sorted[Math.floor((sorted.length + 1) / 2) - 1] ?? 0;
  };
  const WEEK_MS = 7 * DAY_MS;
  test.each([
    { over: '5d' as const },
    { over: '5d' as const, mads: 2 },
    { over: '7d' as const, by: 'hour-of-week' as const },
    { over: '7d' as const, by: 'hour-of-week' as const, mads: 1.5 },
  ])('of what is usual, equal to its definition: %o', async (part) => {
    const usual = detector({
      when: { outcome: 'denied' },
      baseline: { timesUsual: 1.5, atLeast: 2, ...part },
      slot: '1d',
      subject: ['principal'],
    });
    const overMs = part.over === '5d' ? 5 * DAY_MS : WEEK_MS;
    await fc.assert(
      fc.asyncProperty(days, async (stream) => {
        const denied = stream.filter(({ outcome }) => outcome === 'denied');
        const slots = groups(denied, (event) => [event.principal, slotOf(event)]);
        const brute = slots.flatMap((own) => {
          const [first] = own as [StreamEvent];
          const slot = slotOf(first);
          const before = slots.filter(
            ([other]) =>
              other !== undefined &&
              other.principal === first.principal &&
              slotOf(other) >= slot - overMs &&
              slotOf(other) < slot,
          );
          const isAbove = (those: readonly (readonly StreamEvent[])[]): boolean => {
            const counts = those.map((other) => other.length);
            const median = middle(counts);
            const spread = middle(counts.map((count) => Math.abs(count - median)));
            return own.length >= 1.5 * median && own.length >= median + (part.mads ?? 0) * spread;
          };
          const weekly = before.filter(([other]) => (slot - slotOf(other as StreamEvent)) % WEEK_MS === 0);
          const account = own.map((event) => event.account).toSorted()[0] ?? '';
          const hasHistory = stream.some(
            (event) => event.account === account && timeOf(event) >= slot - overMs && timeOf(event) < slot - WARM_UP_MS,
          );
          return own.length >= 2 && isAbove(before) && (part.by === undefined || isAbove(weekly)) && hasHistory
            ? [expected(first.principal, slot, own, null)]
            : [];
        });
        expect(outline(await hunt(usual, stream, window))).toEqual(sortedById(brute));
      }),
      RUNS,
    );
  });

  test('judges a slot an hour after its end, not before', async () => {
    const event = (t: number, principal: string): StreamEvent => ({
      id: `e${t}`,
      t,
      principal,
      name: principal,
      account: '1',
      ip: null,
      outcome: 'denied',
    });
    const stream = [event(0, 'old'), event(5 * 86_400 + 10, 'new')];
    const end = STREAM_START_MS + 6 * DAY_MS;
    expect(await hunt(firstSeen, stream, window, { nowMs: end + HOUR_MS - 1 })).toEqual([]);
    expect((await hunt(firstSeen, stream, window, { nowMs: end + HOUR_MS })).map(({ subject }) => subject)).toEqual([
      { principal: 'new' },
    ]);
  });

  test('stays silent without history, and says so', async () => {
    await fill(backend, [
      { id: 'a', t: 0, principal: 'ann', name: 'A', account: '111111111111', ip: null, outcome: 'denied' },
    ]);
    const [result] = await engine.run(backend, {
      tasks: [
        { detector: firstSeen, parameters: {}, window: { fromMs: STREAM_START_MS, toMs: STREAM_START_MS + DAY_MS } },
      ],
      lists: {},
      columns: [],
      nowMs: LONG_AFTER_MS,
    });
    expect(result).toMatchObject({
      findings: [],
      notes: ['detector test-detector: silent, account 111111111111 has only 1.0 of 3 days of history'],
    });
  });
});

describe('detectors of SQL', () => {
  const one = detector({
    sql: `-- One row per principal and hour.
      SELECT principal, date_trunc('hour', event_time) AS slot, count(*) AS count, min(event_time) AS first_seen, max(event_time) AS last_seen,
        array_agg(event_id ORDER BY event_time, event_id) AS event_ids, min(event_name) AS event_name
      FROM cloudtrail WHERE outcome = 'denied' GROUP BY 1, 2 HAVING count(*) >= :least ORDER BY 1, 2`,
    parameters: {},
  });

  test('see what their condition leaves, also where that is so much that they read it for themselves', async () => {
    const stream = Array.from(
      { length: 24_000 },
      (_, at): StreamEvent => ({
        id: `e${String(at).padStart(6, '0')}`,
        t: Math.floor(at / 8),
        principal: at % 2 ? 'ann' : 'bob',
        name: 'A',
        account: '1',
        ip: null,
        outcome: at % 8 === 0 ? 'success' : 'denied',
      }),
    );
    await fill(backend, stream);
    const conditioned = { ...one, when: { outcome: 'denied' } };
    const [result] = await engine.run(backend, {
      tasks: [{ detector: conditioned, parameters: { least: 10_000 }, window: WHOLE }],
      lists: {},
      columns: [],
      nowMs: LONG_AFTER_MS,
    });
    expect(result?.findings.map(({ subject, count }) => [subject['principal'], count])).toEqual([['ann', 12_000]]);
  });

  test('see the window, with or without a condition beside them', async () => {
    const stream = Array.from(
      { length: 12 },
      (_, at): StreamEvent => ({
        id: `e${at}`,
        t: at * 600,
        principal: at % 2 ? 'ann' : 'bob',
        name: 'A',
        account: '1',
        ip: null,
        outcome: at < 10 ? 'denied' : 'success',
      }),
    );
    await fill(backend, stream);
    const window = { fromMs: STREAM_START_MS + HOUR_MS, toMs: STREAM_START_MS + 2 * HOUR_MS };
    const conditioned = { ...one, when: { outcome: 'denied', principal: 'ann' } };
    const results = await engine.run(backend, {
      tasks: [one, conditioned].map((each) => ({ detector: each, parameters: { least: 2 }, window })),
      lists: {},
      columns: ['event_name', 'nothing'],
      nowMs: LONG_AFTER_MS,
    });
    expect(
      results.map(({ findings }) =>
        findings.map(({ subject, count, texts, columns, window: slot }) => [subject, count, texts, columns, slot.from]),
      ),
    ).toEqual([
      [
        [{ principal: 'ann' }, 2, { principal: 'ann', event_name: 'A' }, { event_name: 'A' }, '2025-03-03T01:00:00Z'],
        [{ principal: 'bob' }, 2, { principal: 'bob', event_name: 'A' }, { event_name: 'A' }, '2025-03-03T01:00:00Z'],
      ],
      [[{ principal: 'ann' }, 2, { principal: 'ann', event_name: 'A' }, { event_name: 'A' }, '2025-03-03T01:00:00Z']],
    ]);
  });

  test('that give too few columns are refused by name', async () => {
    await fill(backend, [{ id: 'a', t: 0, principal: 'ann', name: 'A', account: '1', ip: null, outcome: 'denied' }]);
    const poor = { ...one, sql: 'SELECT principal, event_time AS first_seen FROM cloudtrail' };
    await expect(
      engine.run(backend, {
        tasks: [{ detector: poor, parameters: {}, window: WHOLE }],
        lists: {},
        columns: [],
        nowMs: LONG_AFTER_MS,
      }),
    ).rejects.toMatchObject({
      code: 'detector-invalid',
      message: expect.stringContaining("'last_seen'"),
    });
  });
});

test('a hunt explains its statements without running any', () => {
  const tasks = [
    detector({ when: { outcome: 'denied' }, slot: 'event' }),
    detector({ when: { outcome: 'denied' }, threshold: { atLeast: 3, within: '10m' } }),
  ].map((one) => ({ detector: one, parameters: {}, window: WHOLE }));
  const statements = engine.explain({ tasks, lists: {}, columns: [], nowMs: LONG_AFTER_MS });
  expect(statements.length).toBe(3);
  expect(statements.every(({ sql }) => /^(SELECT|WITH) /u.test(sql))).toBe(true);
});

describe('on a backend that keeps no rows', () => {
  const tasks = [
    detector({ id: 'one', when: { outcome: 'denied' }, slot: 'event' }),
    detector({
      id: 'two',
      when: { event_name: 'A' },
      slot: 'event',
      subject: ['source_ip'],
      summary: '{source_ip} {event_id}',
    }),
    detector({ id: 'many', when: { outcome: 'denied' }, threshold: { atLeast: 3, within: '10m' } }),
    detector({ id: 'each', when: { event_name: 'B' }, slot: '1h' }),
  ].map((one) => ({ detector: one, parameters: {}, window: WHOLE }));
  const request = { tasks, lists: {}, columns: ['event_name'], nowMs: LONG_AFTER_MS };
  const stream = (count: number, outcome: StreamEvent['outcome']): StreamEvent[] =>
    Array.from({ length: count }, (_, at) => ({
      id: `e${at}`,
      t: at * 60,
      principal: 'ann',
      name: at % 3 === 0 ? 'A' : 'B',
      account: '1',
      ip: '192.0.2.1',
      outcome,
    }));
  const recording = (asked: { sql: string; window: Window | undefined }[]): Backend => ({
    name: 'athena',
    query: (sql, params, reading) => {
      asked.push({ sql, window: reading?.window });
      return backend.query(sql, params);
    },
    stream: (sql, params) => backend.stream(sql, params),
    interrupt: () => backend.interrupt(),
    close: () => backend.close(),
  });
  const byText = (a: string, b: string): number => (a < b ? -1 : 1);

  test('a hunt asks what it explains, and nothing first: one statement for all of slot event, one for each other', async () => {
    await fill(backend, stream(8, 'success'));
    const asked: { sql: string; window: Window | undefined }[] = [];
    await engine.run(recording(asked), request);
    const explained = engine.explain(request, { keeps: false });
    expect(explained.map(({ title }) => title)).toEqual(['one, two', 'each', 'many']);
    expect(asked.map(({ sql }) => sql).toSorted(byText)).toEqual(explained.map(({ sql }) => sql).toSorted(byText));
  });

  test('each statement tells what it reads, evidence only where it lies', async () => {
    await fill(backend, stream(8, 'denied'));
    const asked: { sql: string; window: Window | undefined }[] = [];
    await engine.run(recording(asked), request);
    const evidence = asked.filter(({ sql }) => sql.includes('WITH hot '));
    expect(new Set(asked.filter((one) => !evidence.includes(one)).map(({ window }) => JSON.stringify(window)))).toEqual(
      new Set([JSON.stringify(WHOLE), JSON.stringify({ fromMs: WHOLE.fromMs - 600_000, toMs: WHOLE.toMs })]),
    );
    expect(evidence.map(({ window }) => window)).toEqual([
      { fromMs: timeOf({ t: 120 - 600 }), toMs: timeOf({ t: 420 }) + 1 },
    ]);
  });

  test('the findings are those of a backend that keeps them', async () => {
    await fill(backend, stream(40, 'denied'));
    const kept = await engine.run(backend, request);
    expect(kept.map(({ findings }) => findings.length)).toEqual([40, 14, 1, 1]);
    const found = (results: typeof kept): unknown[] =>
      results.map(({ findings, notes, judged }) => [findings.toSorted((a, b) => byText(a.id, b.id)), notes, judged]);
    expect(found(await engine.run(recording([]), request))).toEqual(found(kept));
  });

  test('more detectors than fit into one statement are judged by several', async () => {
    await fill(backend, stream(2, 'denied'));
    const long = Array.from({ length: 60 }, (_, at) => ({
      detector: detector({
        id: `long-${at}`,
        when: { user_agent: Array.from({ length: 100 }, (_1, n) => `${'x'.repeat(60)}${n}`), outcome: 'denied' },
        slot: 'event',
      }),
      parameters: {},
      window: WHOLE,
    }));
    const statements = engine.explain({ ...request, tasks: long }, { keeps: false });
    expect(statements.length).toBeGreaterThan(1);
    expect(statements.every(({ sql }) => sql.length < 250_000)).toBe(true);
    expect(statements.flatMap(({ title }) => title.split(', '))).toEqual(long.map(({ detector: { id } }) => id));
  });
});
