/** Hunting over windows and over what is new: nothing twice, nothing missed, late data, withdrawals, suppressions, parameters. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Alert } from '../../src/alert.ts';
import { createEngine } from '../../src/detection/planner.ts';
import { type Detector, type DetectorSpec, defineDetector, parameter, z } from '../../src/detector.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import {
  analyzeHunt,
  explainHunt,
  type HuntDeps,
  type HuntOptions,
  huntNew,
  huntWindow,
} from '../../src/pipeline/hunt.ts';
import { DAY_MS, HOUR_MS } from '../../src/time.ts';
import { MemoryStore } from '../support/memory-store.ts';
import { STREAM_START_MS, type StreamEvent } from '../support/streams.ts';

const detector = (part: Partial<DetectorSpec>): Detector =>
  defineDetector({
    id: 'test-detector',
    title: 'Test',
    description: 'Test.',
    severity: 'low',
    severityReason: 'Test.',
    table: 'cloudtrail',
    attack: [{ technique: 'T1580', version: 16 }],
    subject: ['principal'],
    summary: '{principal} called {event_name} {count} times from {source_ip}{aws_region}',
    falsePositives: [],
    blindSpots: [],
    examples: [],
    ...part,
  });

const single = detector({ id: 'single', when: { outcome: 'denied' }, slot: 'event' });
const burst = detector({
  id: 'burst',
  when: { outcome: 'denied' },
  threshold: { atLeast: parameter('calls'), within: '10m' },
  parameters: { calls: z.int().min(1).default(3).describe('calls; a test') },
});
const first = detector({
  id: 'first',
  when: { outcome: 'denied' },
  baseline: { firstSeen: ['event_name'], over: '5d' },
  slot: '1d',
});
const all = [single, burst, first];

let number = 0;
const event = (t: number, part: Partial<StreamEvent> = {}): StreamEvent => ({
  id: `e${String((number += 1)).padStart(6, '0')}`,
  t,
  principal: 'ann',
  name: 'A',
  account: '111111111111',
  ip: '192.0.2.1',
  outcome: 'denied',
  ...part,
});

const LONG_AFTER_MS = STREAM_START_MS + 1000 * DAY_MS;
const depsOf = (store: MemoryStore, nowMs = LONG_AFTER_MS): HuntDeps => ({
  store,
  tables: [{ table: cloudtrailTable, engine: createEngine(cloudtrailTable) }],
  openBackend: store.openBackend,
  nowMs: () => nowMs,
});
const optionsOf = (part: Partial<HuntOptions> = {}): HuntOptions => ({
  detectors: all,
  parameters: {},
  lists: {},
  suppressions: [],
  ...part,
});

const outline = (alerts: readonly Alert[]): unknown[] =>
  alerts
    .filter(({ status }) => status !== 'withdrawn')
    .map(({ id, count, peak, first_seen, last_seen, event_ids }) => ({
      id,
      count,
      peak,
      first_seen,
      last_seen,
      event_ids,
    }))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));

describe('a hunt over a window', () => {
  test('makes alerts out of findings', async () => {
    const store = new MemoryStore();
    store.commit([
      event(0, { id: 'x1' }),
      event(60, { id: 'x2' }),
      event(120, { id: 'x3', account: '222222222222', ip: null }),
    ]);
    const { alerts } = await huntWindow(
      depsOf(store),
      optionsOf({ detectors: [burst], parameters: { burst: { calls: 2 } } }),
      {},
    );
    expect(alerts).toEqual([
      {
        schema: 1,
        id: expect.stringMatching(/^[0-9a-f]{32}$/u),
        detector: 'burst',
        detector_version: 1,
        title: 'Test',
        severity: 'low',
        status: 'open',
        subject: { principal: 'ann' },
        summary: 'ann called A 3 times from 192.0.2.1',
        count: 3,
        peak: 3,
        first_seen: '2025-03-03T00:00:00Z',
        last_seen: '2025-03-03T00:02:00Z',
        window: { from: '2025-03-03T00:00:00Z', to: '2025-03-03T01:00:00Z' },
        account_id: null,
        region: null,
        accounts: ['111111111111', '222222222222'],
        regions: [],
        source_ips: ['192.0.2.1'],
        principal_arn: null,
        context: null,
        attack: [{ technique: 'T1580', version: 16 }],
        event_ids: ['x1', 'x2', 'x3'],
        event_ids_total: 3,
        parameters: { calls: 2 },
        suppressed_by: null,
        new: true,
        coverage: null,
      },
    ]);
  });

  test('finds the same again, known by then, and keeps what a person decided', async () => {
    const store = new MemoryStore();
    store.commit([event(0)]);
    const one = await huntWindow(depsOf(store), optionsOf(), {});
    const id = one.alerts[0]?.id ?? '';
    store.known.set(id, { ...(store.known.get(id) as Alert), status: 'acknowledged' });
    const two = await huntWindow(depsOf(store), optionsOf(), {});
    expect(two.alerts.map((alert) => [alert.id, alert.new, alert.status])).toEqual([[id, false, 'acknowledged']]);
    expect(await huntNew(depsOf(store), optionsOf(), 'all')).toEqual({ alerts: [], notes: [] });
  });

  test('is cut to its bounds', async () => {
    const store = new MemoryStore();
    store.commit([event(0), event(3600), event(7200)]);
    const { alerts } = await huntWindow(depsOf(store), optionsOf({ detectors: [single] }), {
      fromMs: STREAM_START_MS + 1,
      toMs: STREAM_START_MS + 2 * HOUR_MS,
    });
    expect(alerts.map(({ first_seen }) => first_seen)).toEqual(['2025-03-03T01:00:00Z']);
    // A part is not the whole: what is new is still to be judged.
    expect((await huntNew(depsOf(store), optionsOf({ detectors: [single] }), 'event')).alerts.length).toBe(3);
  });

  test('of an empty store finds nothing', async () => {
    expect(await huntWindow(depsOf(new MemoryStore()), optionsOf(), {})).toEqual({ alerts: [], notes: [] });
  });

  test('is interrupted by its signal, and records nothing', async () => {
    const store = new MemoryStore();
    store.commit([event(0)]);
    await expect(huntWindow(depsOf(store), optionsOf({ signal: AbortSignal.abort() }), {})).rejects.toMatchObject({
      code: 'interrupted',
    });
    expect(store.known.size).toBe(0);
  });

  test('passes on why a detector is silent', async () => {
    const store = new MemoryStore();
    store.commit([event(0)]);
    const { notes } = await huntWindow(depsOf(store), optionsOf(), {});
    expect(notes).toEqual(['detector first: silent, account 111111111111 has only 1.0 of 3 days of history']);
  });

  test('explains its statements', async () => {
    const store = new MemoryStore();
    store.commit([event(0)]);
    const statements = await explainHunt(depsOf(store), optionsOf(), {});
    expect(statements.map(({ title, detectors }) => [title, detectors])).toEqual([
      [expect.stringContaining('kept'), ['single', 'burst']],
      ['single', ['single']],
      ['burst', ['burst']],
      // It reads days, the others minutes.
      [expect.stringContaining('kept'), ['first']],
      ['first', ['first']],
    ]);
    expect(statements[0]?.columns).toContain('outcome');
    expect(statements[0]?.columns).not.toContain('request_parameters');
    expect(statements[1]?.columns).toEqual([]);
  });

  test('counts the days before once, and explains and finds the same', async () => {
    const store = new MemoryStore();
    for (let day = 0; day < 6; day += 1)
      store.commit([event(day * 86_400), event(day * 86_400 + 7, { name: day === 5 ? 'new' : 'A' })]);
    const window = { fromMs: STREAM_START_MS + 5 * DAY_MS };
    const options = optionsOf({ detectors: [first] });
    const titles = async (): Promise<readonly string[]> =>
      (await analyzeHunt(depsOf(store), options, window)).map(({ title }) => title);
    expect((await titles()).filter((title) => title.includes('counts for first'))).toHaveLength(2);
    expect((await titles()).filter((title) => title.includes('counts for first'))).toEqual([]);
    expect(store.known.size).toBe(0);
    const explained = await explainHunt(depsOf(store), options, window);
    expect(explained.map(({ title }) => title)).toEqual([
      'counts for first',
      'counts for first',
      expect.stringContaining('kept'),
      'first',
    ]);
    const { alerts } = await huntWindow(depsOf(store), options, window);
    expect(alerts.map(({ summary }) => summary)).toEqual(['ann called new 1 times from 192.0.2.1']);
  });
});

describe('a hunt over what is new', () => {
  const days = fc.array(
    fc.record({
      t: fc.integer({ min: 0, max: 9 * 86_400 - 1 }),
      principal: fc.constantFrom('ann', 'bob'),
      name: fc.constantFrom('A', 'B', 'C'),
      burst: fc.boolean(),
      part: fc.integer({ min: 0, max: 3 }),
    }),
    { maxLength: 40, size: 'max' },
  );

  test('commit by commit, in any order, ends with the alerts of one hunt over everything', async () => {
    await fc.assert(
      fc.asyncProperty(days, async (rows) => {
        const parts: StreamEvent[][] = [[], [], [], []];
        for (const { t, principal, name, burst: isBurst, part } of rows) {
          for (let at = 0; at < (isBurst ? 4 : 1); at += 1)
            parts[(part + at) % 4]?.push(event(t + at * 60, { principal, name }));
        }
        const store = new MemoryStore();
        const told: string[] = [];
        for (const part of parts.filter((events) => events.length > 0)) {
          store.commit(part);
          for (const mode of ['event', 'all'] as const) {
            const { alerts } = await huntNew(depsOf(store), optionsOf(), mode);
            told.push(...alerts.filter((alert) => alert.new).map(({ id }) => id));
          }
        }
        // Nothing is told as new twice.
        expect(new Set(told).size).toBe(told.length);
        const whole = new MemoryStore();
        whole.commit(parts.flat());
        await huntNew(depsOf(whole), optionsOf(), 'all');
        expect(outline([...store.known.values()])).toEqual(outline([...whole.known.values()]));
      }),
      { numRuns: 8 },
    );
  });

  test('finds while it goes on what a replay of its days finds afterwards', async () => {
    const usual = detector({
      id: 'usual',
      when: { outcome: 'denied' },
      baseline: { timesUsual: 1.5, mads: 1, by: 'hour-of-week', atLeast: 2, over: '7d' },
      slot: '6h',
    });
    const DAYS = 9;
    const detectors = [single, burst, first, usual];
    const delivered = fc.array(
      fc.record({
        t: fc.integer({ min: 0, max: DAYS * 86_400 - 1 }),
        delay: fc.integer({ min: 0, max: 2400 }),
        name: fc.constantFrom('A', 'B', 'C', 'D'),
        principal: fc.constantFrom('ann', 'bob'),
      }),
      { minLength: 60, maxLength: 90, size: 'max' },
    );
    let judged = 0;
    await fc.assert(
      fc.asyncProperty(delivered, async (stream) => {
        const events = stream.map(({ delay, ...part }) => ({ at: part.t + delay, event: event(part.t, part) }));
        const live = new MemoryStore();
        const whole = new MemoryStore();
        whole.commit(events.map((one) => one.event));
        const TURN = 86_400;
        for (let now = TURN; now <= (DAYS + 1) * TURN; now += TURN) {
          const landed = events.filter(({ at }) => at >= now - TURN && at < now).map((one) => one.event);
          if (landed.length > 0) live.commit(landed);
          await huntNew(depsOf(live, STREAM_START_MS + now * 1000), optionsOf({ detectors }), 'all');
        }
        const known = [...live.known.values()];
        expect(known.filter(({ status }) => status === 'withdrawn')).toEqual([]);
        for (let day = 5; day < DAYS; day += 1) {
          const [fromMs, toMs] = [STREAM_START_MS + day * DAY_MS, STREAM_START_MS + (day + 1) * DAY_MS];
          const { alerts } = await huntWindow(depsOf(whole), optionsOf({ detectors }), { fromMs, toMs });
          judged += alerts.filter(({ detector: id }) => id === 'usual' || id === 'first').length;
          const then = known.filter(
            ({ window }) => Date.parse(window.from) >= fromMs && Date.parse(window.from) < toMs,
          );
          expect(outline(alerts)).toEqual(outline(then));
        }
      }),
      // The first is the same in every run, lest chance bring none that anything is found in.
      { numRuns: 2, examples: fc.sample(fc.tuple(delivered), { seed: 1, numRuns: 1 }) },
    );
    expect(judged).toBeGreaterThan(0);
  });

  test('a first sight that late data refutes is withdrawn', async () => {
    const store = new MemoryStore();
    store.commit([event(0, { outcome: 'success' }), event(5 * 86_400, { name: 'B' })]);
    const before = await huntNew(depsOf(store), optionsOf({ detectors: [first] }), 'all');
    expect(before.alerts.map(({ status }) => status)).toEqual(['open']);
    store.commit([event(4 * 86_400, { name: 'B', principal: 'bob' })]);
    const after = await huntNew(depsOf(store), optionsOf({ detectors: [first] }), 'all');
    expect(after.alerts.map(({ status, subject, new: isNew }) => [status, subject['principal'], isNew])).toEqual([
      ['open', 'bob', true],
      ['withdrawn', 'ann', false],
    ]);
    expect([...store.known.values()].map(({ status, subject }) => [subject['principal'], status])).toEqual([
      ['ann', 'withdrawn'],
      ['bob', 'open'],
    ]);
  });

  test('a slot that is still open is judged later, without any new commit', async () => {
    const store = new MemoryStore();
    store.commit([event(0, { outcome: 'success' }), event(5 * 86_400, { name: 'B' })]);
    const end = STREAM_START_MS + 6 * DAY_MS;
    expect((await huntNew(depsOf(store, end), optionsOf({ detectors: [first] }), 'all')).alerts).toEqual([]);
    expect((await huntNew(depsOf(store, end + HOUR_MS), optionsOf({ detectors: [first] }), 'all')).alerts.length).toBe(
      1,
    );
    expect((await huntNew(depsOf(store, end + 2 * HOUR_MS), optionsOf({ detectors: [first] }), 'all')).alerts).toEqual(
      [],
    );
  });

  test('other values of a parameter are judged afresh', async () => {
    const store = new MemoryStore();
    store.commit([event(0), event(1)]);
    const options = optionsOf({ detectors: [burst] });
    expect((await huntNew(depsOf(store), options, 'all')).alerts).toEqual([]);
    expect(
      (await huntNew(depsOf(store), { ...options, parameters: { burst: { calls: 2 } } }, 'all')).alerts.length,
    ).toBe(1);
  });

  test.each([
    [{ calls: 0 }, /cannot use 0 for the parameter 'calls' of the detector 'burst'/u],
    [{ call: 5 }, /no parameter 'call'/u],
  ])('the parameters %j are refused', async (given, message) => {
    await expect(
      huntNew(depsOf(new MemoryStore()), optionsOf({ parameters: { burst: given } }), 'all'),
    ).rejects.toMatchObject({ code: 'config-invalid', message: expect.stringMatching(message) });
  });
});

describe('a suppression', () => {
  const base = { id: 1, detector: null, reason: 'Test.', owner: 'me', until: null };
  test.each([
    [{ where: { principal: 'ann' } }, 'suppressed'],
    [{ where: { principal: 'a*' } }, 'suppressed'],
    [{ where: { principal: 'a' } }, 'open'],
    [{ where: { principal: 'list:ours' } }, 'suppressed'],
    [{ where: { principal: 'list:none' } }, 'open'],
    [{ where: { source_ips: '192.0.2.0/24' } }, 'suppressed'],
    [{ where: { source_ip: '198.51.100.0/24' } }, 'open'],
    [{ where: { account_id: '111111111111' } }, 'suppressed'],
    [{ where: { event_name: 'A' } }, 'suppressed'],
    [{ where: { event_name: 'B' } }, 'open'],
    [{ where: { aws_region: 'us-east-1' } }, 'open'],
    [{ where: { nonsense: '*' } }, 'open'],
    [{ where: { principal: 'ann', event_name: 'B' } }, 'open'],
    [{ where: {} }, 'open'],
    [{ where: {}, detector: 'single' }, 'suppressed'],
    [{ where: { principal: 'ann' }, detector: 'burst' }, 'open'],
    [{ where: { principal: 'ann' }, until: new Date(LONG_AFTER_MS).toISOString() }, 'open'],
    [{ where: { principal: 'ann' }, until: new Date(LONG_AFTER_MS + 1).toISOString() }, 'suppressed'],
  ] as readonly (readonly [
    { readonly where: Record<string, string>; readonly detector?: string; readonly until?: string },
    string,
  ])[])('%j leaves the alert %s', async (part, status) => {
    const store = new MemoryStore();
    store.commit([event(0)]);
    store.kept.push({ ...base, ...part });
    const { alerts } = await huntWindow(
      depsOf(store),
      optionsOf({ detectors: [single], lists: { ours: ['bob', 'ann'] } }),
      {},
    );
    expect(alerts.map((alert) => alert.status)).toEqual([status]);
  });

  test('of one value does not cover an alert of several', async () => {
    const store = new MemoryStore();
    store.commit([event(0), event(1), event(2, { ip: '203.0.113.9', name: 'B' })]);
    const conditions: readonly Record<string, string>[] = [{ source_ips: '192.0.2.0/24' }, { event_name: 'A' }];
    for (const where of conditions) {
      const { alerts } = await huntWindow(
        depsOf(store),
        optionsOf({ detectors: [burst], suppressions: [{ ...base, where }] }),
        {},
      );
      expect(alerts.map((alert) => alert.status)).toEqual(['open']);
    }
  });
});

test('what a log says cannot act in a summary', async () => {
  const store = new MemoryStore();
  store.commit([event(0, { principal: `\u001b[31mroot\u202e\n${'x'.repeat(300)}`, ip: null })]);
  const { alerts } = await huntWindow(depsOf(store), optionsOf({ detectors: [single] }), {});
  expect(alerts[0]?.summary).toBe(`\\u{1b}[31mroot\\u{202e}\\u{a}${'x'.repeat(189)}… called A 1 times from -`);
});
