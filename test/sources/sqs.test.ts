/** A queue as a source, over a queue in memory that misbehaves as SQS may: what was not stored is not deleted, whatever comes. */
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { LogFile, Settlement } from '../../src/source.ts';
import { Deliveries } from '../../src/sources/deliveries.ts';
import { BATCH_MAX, type Message, parseQueueUrl, type Queue, type Refused } from '../../src/sources/queue.ts';
import { Roots, rootOf } from '../../src/sources/reconcile.ts';
import { queueSource } from '../../src/sources/sqs.ts';

const KEYS = ['AWSLogs/1.gz', 'AWSLogs/2.gz', 'AWSLogs/3.gz', 'a+b/', 'AWSLogs/111122223333/Config/eu-west-1/x.gz'];
const put = (key: string, etag: string, eventName = 'ObjectCreated:Put') => ({
  eventSource: 'aws:s3',
  eventName,
  s3: { bucket: { name: 'logs' }, object: { key: encodeURIComponent(key), size: 9, eTag: etag } },
});
const body = (...records: readonly object[]): string => JSON.stringify({ Records: records });

/** At-least-once, in any order; a message that is not deleted comes again. */
class MemoryQueue implements Queue {
  readonly name = 'sqs://memory';
  readonly deleted = new Set<string>();
  readonly hidden: { readonly ids: readonly string[]; readonly seconds: number }[] = [];
  closed = false;
  #waiting: Message[];
  readonly #refuse: () => 'no' | 'once' | 'final' | 'throw';

  constructor(
    bodies: readonly { id: string; body: string }[],
    refuse: () => 'no' | 'once' | 'final' | 'throw' = () => 'no',
  ) {
    this.#waiting = bodies.map(({ id, body: text }, at) => ({
      id,
      body: text,
      receipt: `${id}-${at}`,
      md5: id,
      receives: 1,
    }));
    this.#refuse = refuse;
  }

  async receive(): Promise<readonly Message[]> {
    await sleep(0);
    return this.#waiting.splice(0, BATCH_MAX);
  }

  hide(messages: readonly Message[], seconds: number): Promise<readonly Refused[]> {
    this.hidden.push({ ids: messages.map(({ id }) => id), seconds });
    return Promise.resolve([]);
  }

  delete(messages: readonly Message[]): Promise<readonly Refused[]> {
    if (this.#refuse() === 'throw') return Promise.reject(Object.assign(new Error('reset'), { name: 'ECONNRESET' }));
    const refused = messages.flatMap((message) => {
      const why = this.#refuse();
      if (why === 'no' || why === 'throw') this.deleted.add(message.id);
      return why === 'no' || why === 'throw' ? [] : [{ message, reason: why, final: why === 'final' }];
    });
    return Promise.resolve(refused);
  }

  close(): void {
    this.closed = true;
  }
}

interface Drained {
  readonly listed: readonly string[];
  readonly problems: readonly string[];
}

/** Lists until the queue is empty; each file is settled some time later as `outcome` says. */
async function drain(
  queue: Queue,
  outcome: (key: string) => Settlement['outcome'],
  reconcileDays: number | null = null,
): Promise<Drained> {
  const warnings: string[] = [];
  const options = { once: true, reconcileDays, roots: [] };
  const source = queueSource('sqs://memory', queue, { region: 'eu-west-1' }, options, (text) => warnings.push(text));
  const listed: string[] = [];
  const problems: string[] = [];
  const pending: (() => void)[] = [];
  for await (const found of source.list({}, new AbortController().signal)) {
    if ('error' in found) problems.push(found.error.message);
    else {
      listed.push(found.key);
      const settled = (): void =>
        found.settled?.(outcome(found.key) === 'stored' ? { outcome: 'stored' } : { outcome: 'failed', error: 'x' });
      if (listed.length % 3 === 0) settled();
      else pending.push(settled);
    }
  }
  for (const settle of pending) settle();
  await source.close();
  return { listed, problems: [...problems, ...warnings] };
}

test('a message is deleted if and only if all that it names was stored, and poison never is', async () => {
  const record = fc.record({
    key: fc.constantFrom(...KEYS),
    etag: fc.constantFrom('aa', 'bb'),
    event: fc.constantFrom('ObjectCreated:Put', 'ObjectCreated:CompleteMultipartUpload', 'ObjectRemoved:Delete'),
  });
  const text = fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .array(record, { minLength: 1, maxLength: 4 })
        .map((records) => body(...records.map(({ key, etag, event }) => put(key, etag, event)))),
    },
    fc.string(),
    fc.json(),
    fc.constant('{"Event":"s3:TestEvent"}'),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(8), text), { maxLength: 40 }),
      fc.uniqueArray(fc.constantFrom(...KEYS), { maxLength: 2 }),
      fc.infiniteStream(fc.nat(30).map((at) => (at === 0 ? ('once' as const) : ('no' as const)))),
      async (sent, failing, refusals) => {
        // The same id again is the same message, delivered twice.
        const bodies = new Map<string, string>();
        for (const [id, message] of sent) if (!bodies.has(`m${id}`)) bodies.set(`m${id}`, message);
        const deliveries = sent.map(([id]) => ({ id: `m${id}`, body: bodies.get(`m${id}`) ?? '' }));
        const queue = new MemoryQueue(deliveries, () => refusals.next().value ?? 'no');
        const { listed } = await drain(queue, (key) =>
          failing.some((one) => key === `s3://logs/${one}`) ? 'failed' : 'stored',
        );
        const expected = [...bodies].filter(([, message]) => isHarmless(message, failing)).map(([id]) => id);
        expect([...queue.deleted].sort()).toEqual(expected.sort());
        for (const key of listed) expect(key).toMatch(/^s3:\/\/logs\/AWSLogs\/\d\.gz$/);
        expect(queue.closed).toBe(true);
      },
    ),
    { numRuns: 100 },
  );
});

/** Told apart in another way than the source does: what is written here is all that it may delete. */
function isHarmless(message: string, failing: readonly string[]): boolean {
  if (message === '{"Event":"s3:TestEvent"}') return true;
  if (!message.startsWith('{"Records":[{"eventSource":"aws:s3"')) return false;
  const { Records: records } = JSON.parse(message) as { Records: ReturnType<typeof put>[] };
  return records.every(({ eventName, s3 }) => {
    const key = decodeURIComponent(s3.object.key);
    return eventName.startsWith('ObjectRemoved') || !failing.includes(key) || !/^AWSLogs\/\d\.gz$/.test(key);
  });
}

test('an object that several messages name is read once, in flight and lately stored', async () => {
  const messages = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id, body: body(put('AWSLogs/1.gz', 'aa')) }));
  const queue = new MemoryQueue([...messages, { id: 'f', body: body(put('AWSLogs/1.gz', 'bb')) }]);
  const { listed } = await drain(queue, () => 'stored');
  expect(listed).toEqual(['s3://logs/AWSLogs/1.gz', 's3://logs/AWSLogs/1.gz']);
  expect([...queue.deleted].sort()).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
});

test('a poison message is named once, however often it comes', async () => {
  const queue = new MemoryQueue([1, 2, 3].map(() => ({ id: 'p', body: 'hello' })));
  const { problems } = await drain(queue, () => 'stored');
  expect(problems).toEqual(['cannot use message p of sqs://memory: it is not JSON']);
});

test('a record is a log file of its own, its content the body as it is', async () => {
  const text =
    '{"detail-type":"AWS API Call via CloudTrail","region":"eu-west-1","detail":{"eventName":"ü","eventSource":"s3.amazonaws.com"}}';
  const queue = new MemoryQueue([{ id: 'r', body: text }]);
  const source = queueSource(
    'sqs://memory',
    queue,
    {},
    { once: true, reconcileDays: null, roots: [] },
    () => undefined,
  );
  const files: LogFile[] = [];
  let content = '';
  for await (const found of source.list({}, new AbortController().signal)) {
    if ('error' in found || found.content.type !== 'object') continue;
    files.push(found);
    for await (const chunk of await found.content.open(new AbortController().signal)) content += String(chunk);
    found.settled?.({ outcome: 'stored' });
  }
  await source.close();
  expect(files).toMatchObject([
    {
      key: 'sqs://memory#r',
      sizeBytes: Buffer.byteLength(text),
      version: 'r',
      hint: { region: 'eu-west-1', service: 'CloudTrail' },
    },
  ]);
  expect([content, [...queue.deleted]]).toEqual([text, ['r']]);
});

test('a signal ends the listing, and gives back at once what was not listed', async () => {
  const queue = new MemoryQueue(
    [1, 2, 3, 4].map((at) => ({ id: `m${at}`, body: body(put(`AWSLogs/${at}.gz`, 'aa')) })),
  );
  const abort = new AbortController();
  const source = queueSource(
    'sqs://memory',
    queue,
    { region: 'eu-west-1' },
    { once: false, reconcileDays: null, roots: [] },
    () => undefined,
  );
  const listed: LogFile[] = [];
  for await (const found of source.list({}, abort.signal)) {
    if (!('error' in found)) listed.push(found);
    abort.abort();
  }
  listed[0]?.settled?.({ outcome: 'stored' });
  await source.close();
  expect([listed.length, [...queue.deleted]]).toEqual([1, ['m1']]);
  expect(queue.hidden).toEqual([{ ids: ['m2', 'm3', 'm4'], seconds: 0 }]);
});

describe('deliveries', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const message = (id: string, receipt = id): Message => ({ id, receipt, body: 'x', md5: id, receives: 1 });
  const file = (key: string): LogFile => ({
    key,
    sizeBytes: 1,
    version: 'v',
    hint: { service: null, account: null, region: null, day: null },
    content: { type: 'stream', open: () => Promise.reject(new Error('not read')) },
  });

  test('are hidden again as long as work lasts, and no longer', async () => {
    const queue = new MemoryQueue([]);
    const deliveries = new Deliveries(
      queue,
      () => undefined,
      () => undefined,
    );
    const [listed] = deliveries.take(message('a'), [file('k')]);
    await vi.advanceTimersByTimeAsync(300_000);
    expect(queue.hidden.length).toBeGreaterThanOrEqual(5);
    expect(new Set(queue.hidden.map(({ ids, seconds }) => `${ids.join()} ${seconds}`))).toEqual(new Set(['a 120']));
    listed?.settled?.({ outcome: 'stored' });
    await vi.advanceTimersByTimeAsync(0);
    const before = queue.hidden.length;
    await vi.advanceTimersByTimeAsync(300_000);
    await deliveries.close();
    expect([queue.hidden.length - before, [...queue.deleted]]).toEqual([0, ['a']]);
  });

  test('are deleted with the receipt that came last', async () => {
    const queue = new MemoryQueue([]);
    const deletes: string[] = [];
    const recorded: Queue = {
      name: queue.name,
      receive: () => queue.receive(),
      hide: (...args) => queue.hide(...args),
      delete: (messages) => {
        deletes.push(...messages.map(({ receipt }) => receipt));
        return queue.delete(messages);
      },
      close: () => queue.close(),
    };
    const deliveries = new Deliveries(
      recorded,
      () => undefined,
      () => undefined,
    );
    const [listed] = deliveries.take(message('a', 'first'), [file('k')]);
    expect(deliveries.take(message('a', 'second'), [file('k')])).toEqual([]);
    listed?.settled?.({ outcome: 'stored' });
    await deliveries.close();
    expect(deletes).toEqual(['second']);
  });

  test('that cannot be deleted are told at the end: stale ones as a warning, others as an error', async () => {
    const warnings: string[] = [];
    const stale = new Deliveries(
      new MemoryQueue([], () => 'final'),
      (text) => warnings.push(text),
      () => undefined,
    );
    stale.take(message('a'), []);
    await stale.close();
    expect(warnings).toEqual([
      '1 messages of sqs://memory had become visible again: they come once more, and are recognised',
    ]);
    const refused = new Deliveries(
      new MemoryQueue([], () => 'throw'),
      () => undefined,
      () => undefined,
    );
    refused.take(message('a'), []);
    const closed = refused.close().then(
      () => 'closed',
      (error: Error) => error.message,
    );
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await closed).toBe(
      'cannot delete 1 messages of sqs://memory: cannot delete messages of sqs://memory: no answer (ECONNRESET)',
    );
  });

  test('a file that no message names is not read beside one that does', () => {
    const deliveries = new Deliveries(
      new MemoryQueue([]),
      () => undefined,
      () => undefined,
    );
    deliveries.take(message('a'), [file('k')]);
    expect([deliveries.adopt(file('k')), deliveries.adopt(file('l'))?.key, deliveries.adopt(file('l'))]).toEqual([
      null,
      'l',
      null,
    ]);
    expect(deliveries.take(message('b'), [file('l')])).toEqual([]);
  });
});

test.each([
  ['sqs://logs', 'logs', null, null, null],
  ['sqs://logs.fifo', 'logs.fifo', null, null, null],
  ['sqs://arn:aws:sqs:eu-west-1:111122223333:logs', 'logs', '111122223333', 'eu-west-1', null],
  ['sqs://arn:aws-us-gov:sqs:us-gov-west-1:111122223333:logs', 'logs', '111122223333', 'us-gov-west-1', null],
  [
    'sqs://https://sqs.eu-west-1.amazonaws.com/111122223333/logs',
    'logs',
    '111122223333',
    'eu-west-1',
    'https://sqs.eu-west-1.amazonaws.com/111122223333/logs',
  ],
  [
    'sqs://sqs.cn-north-1.amazonaws.com.cn/111122223333/logs',
    'logs',
    '111122223333',
    'cn-north-1',
    'https://sqs.cn-north-1.amazonaws.com.cn/111122223333/logs',
  ],
  [
    'sqs://https://eu-west-1.queue.amazonaws.com/111122223333/logs',
    'logs',
    '111122223333',
    'eu-west-1',
    'https://eu-west-1.queue.amazonaws.com/111122223333/logs',
  ],
  ['sqs://http://127.0.0.1:9324/queue/logs', 'logs', null, null, 'http://127.0.0.1:9324/queue/logs'],
])('%s names a queue', (url, name, account, region, address) => {
  expect(parseQueueUrl(url)).toEqual({ name, account, region, url: address });
});

test.each([
  'sqs://',
  'sqs://a b',
  'sqs://arn:aws:sns:eu-west-1:111122223333:logs',
  'sqs://arn:aws:sqs:eu-west-1:1:logs',
  'sqs://https://host/1/2/3/logs',
  `sqs://${'x'.repeat(81)}`,
])('%s names none', (url) => {
  expect(() => parseQueueUrl(url)).toThrow(`cannot read '${url}': expected the name, URL or ARN of a queue`);
});

test.each([
  ['AWSLogs/111122223333/CloudTrail/eu-west-1/2026/03/01/x.json.gz', 'AWSLogs/'],
  ['org/prefix/AWSLogs/o-abc/111122223333/CloudTrail/x.json.gz', 'org/prefix/AWSLogs/'],
  ['access/2026-03-01-10-20-30-0123456789ABCDEF', 'access/'],
  ['access/site-2026-03-01-10-20-30-0123456789ABCDEF', 'access/site-'],
  ['2026-03-01-10-20-30-0123456789ABCDEF', ''],
  [
    'access/111122223333/eu-west-1/site/2026/03/01/2026-03-01-10-20-30-0123456789ABCDEF',
    'access/111122223333/eu-west-1/site/',
  ],
  ['aws-waf-logs-x/2026/03/01/10/x.gz', 'aws-waf-logs-x/'],
  ['dt=2026-03-01/x', ''],
  ['logs/mine/x.json', 'logs/mine/'],
  ['x.json', null],
])('log files like %s lie under %j', (key, root) => {
  expect(rootOf(key)).toBe(root);
});

test('roots leave out what lies below others, and are bounded', () => {
  const roots = new Roots(['s3://b', 's3://c/x/AWSLogs/']);
  roots.addKey('b', 'AWSLogs/1');
  roots.addKey('c', 'AWSLogs/1');
  roots.addKey('c', 'x/AWSLogs/1');
  expect(roots.urls).toEqual(['s3://b/', 's3://c/x/AWSLogs/', 's3://c/AWSLogs/']);
  const added = Array.from({ length: 300 }, (_, at) => roots.addKey(`bucket-${at}`, 'AWSLogs/1'));
  expect([added.filter(Boolean).length, roots.urls.length]).toEqual([253, 256]);
});
