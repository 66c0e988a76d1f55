/** Routing and delivery over a real store, with destinations that fail in every way and a clock that the test moves. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Alert } from '../../src/alert.ts';
import { Dispatcher } from '../../src/pipeline/dispatch.ts';
import { noticeMessage } from '../../src/pipeline/messages.ts';
import { routeChanges, type SinkRules } from '../../src/pipeline/route.ts';
import { DeliveryError, type Message, type Sink } from '../../src/sink.ts';
import { type LocalStore, openStore } from '../../src/store/store.ts';
import { HOUR_MS, MINUTE_MS } from '../../src/time.ts';
import { FakeClock } from '../support/clock.ts';
import { ALERT } from '../support/messages.ts';

let folder: string;
let store: LocalStore;
let clock: FakeClock;
let lines: string[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trailhound-dispatch-'));
  store = await openStore(join(folder, 'store'), { create: true });
  clock = new FakeClock('2026-02-01T12:00:00Z');
  lines = [];
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true });
});

const signal = new AbortController().signal;

const alert = (id: string, change: Partial<Alert> = {}): Alert => ({
  ...ALERT,
  id: id.padStart(32, '0'),
  title: 'Root signed in',
  summary: 'root signed in',
  severity: 'high',
  count: 1,
  last_seen: '2026-02-01T11:59:00Z',
  ...change,
});

const rules = (id: string, change: Partial<SinkRules> = {}): SinkRules => ({
  id,
  minSeverity: 'low',
  detectors: null,
  accounts: null,
  updates: true,
  notices: true,
  groupBy: 'none',
  rate: null,
  dryRun: false,
  giveUpAfterMs: 7 * 24 * HOUR_MS,
  ...change,
});

/** A destination that does what it is told to for each message in turn, and takes the rest. */
class ScriptedSink implements Sink {
  readonly taken: Message[] = [];
  readonly tried: string[] = [];
  readonly #script: (Error | string)[];

  constructor(...script: (Error | string)[]) {
    this.#script = script;
  }

  async deliver(message: Message): Promise<string | null> {
    this.tried.push(message.key);
    const next = this.#script.shift();
    if (next instanceof Error) throw next;
    this.taken.push(message);
    return next ?? null;
  }

  render({ title }: Message): string {
    return `to be sent: ${title}`;
  }

  async close(): Promise<void> {}
}

const found = (...alerts: readonly Alert[]) => store.recordHunt({ alerts, withdrawn: [], seqs: [] });
const route = (sinks: readonly SinkRules[], sinceMs = 0) => routeChanges(store, sinks, () => sinceMs, clock.nowMs());
const dispatcher = (sink: Sink, own: SinkRules): Dispatcher =>
  new Dispatcher(
    { rules: own, sink },
    {
      outbox: store.outbox,
      clock,
      log: (level, event, fields) => void lines.push(`${level} ${event} ${JSON.stringify(fields)}`),
      random: () => 0.5,
    },
  );
const keys = (sink: ScriptedSink): string[] => sink.taken.map(({ key }) => key.replace(/^0+/u, ''));

describe('routing', () => {
  test('tells each destination what it asks for, once', async () => {
    await found(alert('1'), alert('2', { severity: 'low', detector: 'other', accounts: ['999988887777'] }));
    const sinks = [
      rules('all'),
      rules('severe', { minSeverity: 'high' }),
      rules('other', { detectors: ['other'] }),
      rules('account', { accounts: ['111122223333'] }),
    ];
    expect(await route(sinks)).toBe(5);
    expect(await route(sinks)).toBe(0);
    const due = async (sink: string) =>
      (await store.outbox.due(sink, clock.nowMs(), 9)).map(({ alertId }) => alertId?.at(-1));
    expect([await due('all'), await due('severe'), await due('other'), await due('account')]).toEqual([
      ['1', '2'],
      ['1'],
      ['2'],
      ['1'],
    ]);
  });

  test('tells nobody of what had happened before anybody watched, of what is suppressed, nor of later changes to whoever was not told', async () => {
    await found(alert('1'), alert('2', { status: 'suppressed' }));
    const since = Date.parse('2026-02-01T11:59:01Z');
    expect(await route([rules('all')], since)).toBe(0);
    await store.setAlertStatus([alert('1').id], 'closed', 'martha', null);
    expect(await route([rules('all')], since)).toBe(0);
    await found(alert('1', { count: 2, last_seen: '2026-02-01T12:00:00Z' }), alert('2'));
    expect(await route([rules('all')], since)).toBe(1);
    expect((await store.outbox.due('all', clock.nowMs(), 9))[0]?.message).toMatchObject({
      change: 'reopened',
      title: 'happens again: Root signed in',
    });
  });

  test('tells of updates in their order, unless a destination wants none', async () => {
    await found(alert('1'));
    await route([rules('all'), rules('first', { updates: false })]);
    await store.setAlertStatus([alert('1').id], 'acknowledged', 'martha', 'on it');
    await found(alert('1', { count: 2 }));
    await found(alert('1', { count: 3 }));
    await found(alert('1', { count: 4 }));
    await route([rules('all'), rules('first', { updates: false })]);
    const [all, first] = [new ScriptedSink('thread'), new ScriptedSink()];
    await dispatcher(all, rules('all')).drain(signal);
    await dispatcher(first, rules('first')).drain(signal);
    expect(all.taken.map(({ change, reference, text }) => [change, reference, text])).toEqual([
      ['new', null, 'root signed in'],
      ['acknowledged', 'thread', 'root signed in\nacknowledged by martha: on it'],
      ['grown', 'thread', 'root signed in'],
      ['grown', 'thread', 'root signed in'],
    ]);
    expect(keys(first)).toEqual(['1-1']);
  });
});

describe('a destination', () => {
  test('that is down delays nobody else, is asked more and more rarely, and gets everything in order', async () => {
    await found(alert('1'), alert('2'));
    await route([rules('down'), rules('up')]);
    const down = new ScriptedSink(
      new DeliveryError('sink', 'connection refused'),
      new DeliveryError('sink', 'busy', { retryAfterMs: 5 * MINUTE_MS }),
    );
    const up = new ScriptedSink();
    const slow = dispatcher(down, rules('down'));
    expect([await slow.drain(signal), await dispatcher(up, rules('up')).drain(signal)]).toEqual([0, 2]);
    expect(slow.isPaused).toBe(true);
    expect(down.tried).toHaveLength(1);
    await slow.drain(signal);
    expect(down.tried).toHaveLength(1);
    clock.advance(2000);
    await slow.drain(signal);
    clock.advance(4 * MINUTE_MS);
    await slow.drain(signal);
    expect(down.tried).toHaveLength(2);
    clock.advance(2 * MINUTE_MS);
    await slow.drain(signal);
    expect(keys(down)).toEqual(['1-1', '2-1']);
    expect((await store.outbox.counts()).map(({ sink, state, count }) => [sink, state, count])).toEqual([
      ['down', 'delivered', 2],
      ['up', 'delivered', 2],
    ]);
  });

  test('that will never take a message loses that one to the dead letters, and is sent it again when somebody asks', async () => {
    await found(alert('1'), alert('2'));
    await route([rules('picky')]);
    const picky = new ScriptedSink(new DeliveryError('message', 'too large'));
    const sending = dispatcher(picky, rules('picky'));
    await sending.drain(signal);
    expect(keys(picky)).toEqual(['2-1']);
    expect(await store.outbox.list({ states: ['dead'], limit: 9 })).toMatchObject([
      { error: 'too large', attempts: 1 },
    ]);
    expect(await store.outbox.resend({}, clock.nowMs())).toBe(1);
    await sending.drain(signal);
    expect(keys(picky)).toEqual(['2-1', '1-1']);
  });

  test('that stays down is given up on after its time, and a bug of ours after some tries', async () => {
    await found(alert('1'));
    await route([rules('gone', { giveUpAfterMs: HOUR_MS })]);
    const gone = new ScriptedSink(new DeliveryError('sink', 'no route'), new DeliveryError('sink', 'no route'));
    const sending = dispatcher(gone, rules('gone', { giveUpAfterMs: HOUR_MS }));
    await sending.drain(signal);
    clock.advance(HOUR_MS);
    await sending.drain(signal);
    expect(await store.outbox.list({ states: ['dead'], limit: 9 })).toHaveLength(1);
    await found(alert('2'));
    await route([rules('bug')]);
    const bug = new ScriptedSink(...Array.from({ length: 50 }, () => new TypeError('x is not a function')));
    const failing = dispatcher(bug, rules('bug'));
    for (let turn = 0; turn < 50; turn++) {
      await failing.drain(signal);
      clock.advance(15 * MINUTE_MS);
    }
    expect(bug.tried).toHaveLength(8);
    expect(lines.filter((line) => line.startsWith('error given up'))).toHaveLength(2);
  });

  test('gets a flood as one message that says so, and is left in peace for the rest of its span', async () => {
    const rate = { messages: 3, perMs: MINUTE_MS };
    await found(
      ...Array.from({ length: 50 }, (_, at) => alert(String(at + 1), { severity: at === 7 ? 'critical' : 'low' })),
    );
    await route([rules('people', { rate })]);
    const people = new ScriptedSink();
    const sending = dispatcher(people, rules('people', { rate }));
    await sending.drain(signal);
    expect(people.taken).toMatchObject([
      { kind: 'alerts', title: '50 alerts at once', alertsTotal: 50, severity: 'critical' },
    ]);
    expect(people.taken[0]?.text).toContain('More than 3 messages in 60 s');
    expect(people.taken[0]?.alerts).toHaveLength(20);
    await found(alert('91'), alert('92'));
    await route([rules('people', { rate })]);
    await sending.drain(signal);
    await found(alert('93'));
    await route([rules('people', { rate })]);
    await sending.drain(signal);
    expect(people.taken).toHaveLength(3);
    clock.advance(MINUTE_MS);
    await sending.drain(signal);
    expect(keys(people).slice(1)).toEqual(['91-1', '92-1', '93-1']);
  });

  test('gets what waits together grouped, and on trial gets nothing', async () => {
    const grouped = rules('grouped', { groupBy: 'detector' });
    const trial = rules('trial', { dryRun: true });
    await found(alert('1'), alert('2'), alert('3', { detector: 'other' }));
    await route([grouped, trial]);
    const sinks = [new ScriptedSink(), new ScriptedSink()] as const;
    await dispatcher(sinks[0], grouped).drain(signal);
    await dispatcher(sinks[1], trial).drain(signal);
    expect(sinks[0].taken.map(({ kind, alertsTotal }) => [kind, alertsTotal])).toEqual([
      ['alert', 1],
      ['alerts', 2],
    ]);
    expect(sinks[1].tried).toEqual([]);
    expect(lines.filter((line) => line.includes('to be sent: Root signed in'))).toHaveLength(3);
    expect((await store.outbox.counts()).find(({ sink }) => sink === 'trial')).toMatchObject({
      state: 'dry',
      count: 3,
    });
  });

  test('is told the same notice once', async () => {
    const message = noticeMessage(['silent', 's', 1], { title: 'a', text: 'b', severity: 'low' }, clock.nowMs());
    const again = noticeMessage(['silent', 's', 1], { title: 'a', text: 'c', severity: 'low' }, clock.nowMs() + 5);
    for (const one of [message, again])
      await store.outbox.queue([{ sink: 'people', alertId: null, message: one }], null);
    const people = new ScriptedSink();
    await dispatcher(people, rules('people')).drain(signal);
    expect(people.taken.map(({ text }) => text)).toEqual(['b']);
  });

  test('ends its message within seconds when the run is to end', async () => {
    await found(alert('1'));
    await route([rules('slow')]);
    const ending = new AbortController();
    const slow = new ScriptedSink();
    const deliver = slow.deliver.bind(slow);
    slow.deliver = async (message: Message) => {
      ending.abort();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return deliver(message);
    };
    const running = dispatcher(slow, rules('slow')).run(ending.signal);
    await running;
    expect((await store.outbox.counts())[0]).toMatchObject({ state: 'delivered', count: 1 });
  });
});
