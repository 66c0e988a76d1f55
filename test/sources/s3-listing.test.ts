/** What is listed of a bucket in each layout, in which order, and what that costs in requests. */
import { beforeAll, describe, expect, test, vi } from 'vitest';
import type { Scope, Source } from '../../src/source.ts';
import { formatDay } from '../../src/time.ts';
import { objectsOf, type PeerOptions, type S3Peer } from '../support/s3-peer.ts';
import { BUCKET, CREDENTIALS, openPeerSource } from './s3-support.ts';
import { listAll, readAll } from './support.ts';

const ACCOUNTS = ['111122223333', '222233334444'] as const;
const REGIONS = ['eu-west-1', 'us-east-1'] as const;
const ORGANIZATION = 'o-exampleorgid';
const DAY_0 = Date.parse('2026-03-01') / 86_400_000;
const DAYS = Array.from({ length: 30 }, (_, index) => formatDay(DAY_0 + index));
const HASH = '0123456789ABCDEF';
const UUID = '12345678-1234-1234-1234-123456789abc';

beforeAll(() => {
  for (const [name, value] of Object.entries(CREDENTIALS)) vi.stubEnv(name, value);
});

const slashed = (day: string): string => day.replaceAll('-', '/');
const compact = (day: string): string => day.replaceAll('-', '');

/** Two files an hour, at five past and at five to the next. */
const trailKey = (account: string, region: string, day: string, time: string): string =>
  `${account}/CloudTrail/${region}/${slashed(day)}/${account}_CloudTrail_${region}_${compact(day)}T${time}Z_${HASH}.json.gz`;

function trail(above: string, days: readonly string[] = DAYS, times: readonly string[] = ['0905', '1055']): string[] {
  return ACCOUNTS.flatMap((account) =>
    REGIONS.flatMap((region) =>
      days.flatMap((day) => times.map((time) => `${above}${trailKey(account, region, day, time)}`)),
    ),
  );
}

const objects = (keys: readonly string[]) => objectsOf(Object.fromEntries(keys.map((key) => [key, key])));

interface Listing {
  readonly keys: readonly string[];
  readonly problems: readonly string[];
  readonly peer: S3Peer;
  readonly source: Source;
  readonly warnings: readonly string[];
}

async function listed(
  keys: readonly string[],
  scope: Scope = {},
  prefix = '',
  options: Partial<PeerOptions> = {},
): Promise<Listing> {
  const opened = await openPeerSource({ objects: objects(keys), ...options }, prefix);
  const { files, problems } = await listAll(opened.source, scope);
  return {
    ...opened,
    keys: files.map(({ key }) => key.slice(`s3://${BUCKET}/`.length)),
    problems: problems.map(({ error }) => error.message),
  };
}

const at = (text: string): number => Date.parse(text);

describe('layouts', () => {
  const scope: Scope = { fromMs: at('2026-03-20'), toMs: at('2026-03-21'), accounts: [ACCOUNTS[0]] };
  /** The day, and two more for late delivery. */
  const days = ['2026-03-20', '2026-03-21', '2026-03-22'];
  const wanted = (key: string): boolean =>
    key.includes(ACCOUNTS[0]) && days.some((day) => key.includes(slashed(day)) || key.includes(`/${day}-`));

  const waf = (account: string, region: string, acl: string, day: string, hour: string): string =>
    `AWSLogs/${account}/WAFLogs/${region}/${acl}/${slashed(day)}/${hour}/05/${account}_waflogs_${region}_${acl}_${compact(day)}T${hour}05Z_${HASH}.log.gz`;
  const partitioned = (account: string, day: string): string =>
    `access/${account}/us-east-1/the-bucket/${slashed(day)}/${day}-00-00-00-${HASH}`;

  const cases: readonly (readonly [name: string, keys: readonly string[]])[] = [
    ["an account's trail", trail('AWSLogs/')],
    ["an organisation's trail", trail(`AWSLogs/${ORGANIZATION}/`)],
    ['Control Tower', trail(`${ORGANIZATION}/AWSLogs/${ORGANIZATION}/`)],
    ['a prefix before AWSLogs', trail('security/trail-1/AWSLogs/')],
    ['a trail without AWSLogs', trail('')],
    [
      'WAF',
      ACCOUNTS.flatMap((account) =>
        ['cloudfront', 'us-east-1'].flatMap((region) => DAYS.map((day) => waf(account, region, 'the-acl', day, '10'))),
      ),
    ],
    [
      'access logs by account, region and bucket',
      ACCOUNTS.flatMap((account) => DAYS.map((day) => partitioned(account, day))),
    ],
  ];
  test.each(cases)('%s: everything without a scope, and of a scope only its folders', async (_name, keys) => {
    const all = await listed(keys);
    expect([...all.keys].sort()).toEqual([...keys].sort());
    expect(all.source.costs?.()).toMatchObject({
      listRequests: all.peer.counts.list,
      keysListed: keys.length,
      keysPruned: 0,
    });
    const some = await listed(keys, scope);
    expect([...some.keys].sort()).toEqual(keys.filter(wanted).sort());
    // No key of another day or account was even listed.
    expect(some.peer.counts.keysListed).toBe(some.keys.length + 1);
    expect(some.source.costs?.()).toMatchObject({ listRequests: some.peer.counts.list, keysListed: some.keys.length });
    expect(some.peer.counts.list).toBeLessThan(40);
  });

  test('folders of services without a table are left out', async () => {
    const keys = trail('AWSLogs/', DAYS.slice(0, 2));
    const foreign = DAYS.map((day) => `AWSLogs/${ACCOUNTS[0]}/elasticloadbalancing/us-east-1/${slashed(day)}/x.log.gz`);
    const { source, ...listing } = await listed([...keys, ...foreign]);
    expect([...listing.keys].sort()).toEqual([...keys].sort());
    expect(source.costs?.()).toMatchObject({ foldersPruned: 1, keysListed: keys.length });
  });

  test('an unknown layout is listed whole, with a word about what that costs', async () => {
    const keys = Array.from({ length: 40 }, (_, index) => `export/team-${index}/a/b/c/d/e/f-${index}.json`);
    const { warnings, peer, ...listing } = await listed(keys, scope);
    expect([...listing.keys].sort()).toEqual([...keys].sort());
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^s3:\/\/example-logs\/ has folders in no layout/);
    // Below five levels every key is listed, without looking into each folder.
    expect(peer.counts.list).toBeLessThan(40 * 5);
  });

  test('a prefix without a slash at its end is no folder', async () => {
    const keys = trail('AWSLogs/', DAYS.slice(0, 12));
    const above = `AWSLogs/${ACCOUNTS[0]}/CloudTrail/us-east-1/2026/03/`;
    expect((await listed(keys, {}, `${above}1`)).keys).toHaveLength(6);
    expect((await listed(keys, {}, `${above}0`)).keys).toHaveLength(18);
    expect((await listed(keys, {}, `AWSLogs/${ACCOUNTS[1]}`)).keys).toHaveLength(keys.length / 2);
  });

  test('folders of a layout of their own below an account and a region are not taken for one of S3', async () => {
    const keys = DAYS.map((day) => `${ACCOUNTS[0]}/us-east-1/cloudtrail/${day}/events.json.gz`);
    expect([...(await listed(keys, scope)).keys].sort()).toEqual(
      keys.filter((key) => days.some((day) => key.includes(day))),
    );
  });
});

describe('hours', () => {
  const day = '2026-03-20';
  test('of CloudTrail: files delivered before the window are left out, later ones to two days after', async () => {
    const keys = trail('AWSLogs/', ['2026-03-20', '2026-03-22'], ['0955', '1005', '1455']);
    const { keys: found, source } = await listed(keys, { fromMs: at(`${day}T10:00Z`), toMs: at(`${day}T12:00Z`) });
    const wanted = keys.filter((key) => !key.includes('20260320T0955') && !key.includes('20260322T1455'));
    expect([...found].sort()).toEqual(wanted.sort());
    expect(source.costs?.().keysPruned).toBe(keys.length - wanted.length);
  });

  test('of access logs that S3 partitions by event time: the name tells none', async () => {
    const key = `${ACCOUNTS[0]}/us-east-1/the-bucket/${slashed(day)}/${day}-00-00-00-${HASH}`;
    expect((await listed([key], { fromMs: at(`${day}T10:00Z`) })).keys).toEqual([key]);
  });

  test.each(['', 'aws-waf-logs-site/', 'by-firehose/'])(
    'of Firehose after "%s": an object is named by its oldest record, so the day before is read as well',
    async (above) => {
      const keys = [
        '2026/03/18/23',
        '2026/03/19/23',
        '2026/03/20/00',
        '2026/03/20/09',
        '2026/03/22/00',
        '2026/03/23/00',
      ].map((hour) => `${above}${hour}/aws-waf-logs-site-1-${hour.replaceAll('/', '-')}-58-00-${UUID}.gz`);
      const { keys: found } = await listed(keys, { fromMs: at(`${day}T00:05Z`), toMs: at('2026-03-20T12:00Z') });
      expect([...found].sort()).toEqual(keys.slice(1, 5));
    },
  );
});

describe('access logs in one folder', () => {
  const flat = (stem: string, day: string, hour: number): string =>
    `${stem}${day}-${String(hour).padStart(2, '0')}-15-30-${HASH}`;
  const hours = Array.from({ length: 24 }, (_, hour) => hour);

  test.each(['', 'access/', 'access/web-'])(
    'after "%s" are read from the first hour to two days after',
    async (stem) => {
      const keys = DAYS.flatMap((day) => hours.map((hour) => flat(stem, day, hour)));
      const { peer, ...listing } = await listed(
        keys,
        { fromMs: at('2026-03-20T10:00Z'), toMs: at('2026-03-20T12:00Z') },
        '',
        { pageKeys: 100 },
      );
      const from = keys.indexOf(flat(stem, '2026-03-20', 10));
      expect([...listing.keys].sort()).toEqual(keys.slice(from, from + 50));
      // One page to see what there is, and those that are wanted.
      expect(peer.counts.keysListed).toBeLessThanOrEqual(300 + 1);
    },
  );

  test('leave folders that sort among them where they are, each of them once', async () => {
    const days = ['2023-03-01', '2024-03-01', '2025-03-01', ...DAYS];
    const logs = days.flatMap((day) => hours.map((hour) => flat('access/', day, hour)));
    // Accounts and years begin with digits as times do.
    const folders = ['202411112222', '202611112222', '333344445555'].map(
      (account) => `access/${account}/us-east-1/the-bucket/2026/03/20/2026-03-20-00-00-00-${HASH}`,
    );
    const years = ['2023', '2024', '2025', '2026'].map((year) => `access/${year}/03/20/events.json`);
    for (const toMs of [at('2026-03-20T12:00Z'), undefined]) {
      const { keys } = await listed(
        [...logs, ...folders, ...years],
        { fromMs: at('2026-03-20T10:00Z'), ...(toMs !== undefined && { toMs }) },
        '',
        { pageKeys: 10 },
      );
      const found = (wanted: readonly string[]): string[] => keys.filter((key) => wanted.includes(key)).sort();
      expect(found(folders)).toEqual(folders);
      expect(found(years)).toEqual(['access/2026/03/20/events.json']);
      expect(new Set(keys).size).toBe(keys.length);
    }
  });

  test('cost a requester who pays nothing but requests that say so', async () => {
    const days = ['2023-03-01', '2024-03-01', ...DAYS];
    const keys = days.flatMap((day) => hours.map((hour) => flat('', day, hour)));
    const { source, peer } = await openPeerSource({ objects: objects(keys), pageKeys: 10, requesterPays: true }, '', {
      requestPayer: true,
    });
    const { files, problems } = await listAll(source, { fromMs: at('2026-03-20T10:00Z') });
    expect([files.length, problems]).toEqual([14 + 10 * 24, []]);
    expect((await readAll(source)).problems).toEqual([]);
    expect(peer.counts.get).toBe(keys.length);
  });
});

describe('order', () => {
  test('newest day first, over accounts and regions', async () => {
    const { keys, peer } = await listed(trail('AWSLogs/'));
    const days = keys.map((key) => /2026\/03\/(\d\d)/.exec(key)?.[1] ?? '');
    // Sixteen folders are listed at a time, and the four of a day may answer in any order.
    const newest = days.map((day) => Number(day));
    for (const [index, day] of newest.entries())
      expect(Math.max(...newest.slice(index))).toBeLessThanOrEqual(day + 16 / 4);
    // One page holds the month of a region: nobody asks for its days.
    const asked = peer.requests.filter(({ key }) => key.endsWith('2026/03/'));
    expect(asked).toHaveLength(ACCOUNTS.length * REGIONS.length);
  });
});

describe('pages', () => {
  test('of keys and folders are all read, in any size', async () => {
    const keys = [
      ...trail('AWSLogs/', DAYS, ['0905']),
      ...Array.from({ length: 25 }, (_, index) => `loose-${String(index).padStart(2, '0')}.json`),
    ];
    for (const pageKeys of [1, 7, 1000]) {
      expect([...(await listed(keys, {}, '', { pageKeys })).keys].sort()).toEqual([...keys].sort());
    }
  });

  test('a day of more keys than a page holds', async () => {
    const keys = Array.from(
      { length: 2500 },
      (_, index) =>
        `AWSLogs/${ACCOUNTS[0]}/CloudTrail/us-east-1/2026/03/20/${ACCOUNTS[0]}_CloudTrail_us-east-1_20260320T1005Z_${String(index).padStart(16, '0')}.json.gz`,
    );
    const { keys: found, peer } = await listed(keys, { fromMs: at('2026-03-20'), toMs: at('2026-03-21') });
    expect([...found].sort()).toEqual(keys);
    expect(peer.counts.keysListed).toBe(2501);
  });
});

describe('odd keys', () => {
  test('are listed and read by their own names', async () => {
    const keys = [
      'a b+c%20d%2F.json',
      'ключ/日本/\u{1F600}.json',
      'line\nfeed\ttab.json',
      'a//b///c.json',
      '/leading.json',
      'dots/./../up.json',
      'quote\'"<&>.json',
      '?query=1#fragment.json',
      '\u0001control.json',
      '\u{FFFD}.json',
      '-',
      'folder/file',
    ];
    const { source, ...listing } = await listed(keys);
    expect([...listing.keys].sort()).toEqual([...keys].sort());
    const { texts, problems } = await readAll(source);
    expect({ texts, problems }).toEqual({
      texts: Object.fromEntries(keys.map((key) => [`s3://${BUCKET}/${key}`, key])),
      problems: [],
    });
  });

  test('markers of folders are no log files, empty objects are', async () => {
    const { source } = await openPeerSource({
      objects: objectsOf({ 'logs/': '', 'logs/2026/': '', 'logs/empty.json': '', 'logs/kept/': 'not empty' }),
    });
    const { files } = await listAll(source);
    expect(Object.fromEntries(files.map(({ key, sizeBytes }) => [key, sizeBytes]))).toEqual({
      's3://example-logs/logs/empty.json': 0,
      's3://example-logs/logs/kept/': 9,
    });
    expect((await readAll(source)).texts).toEqual({
      's3://example-logs/logs/empty.json': '',
      's3://example-logs/logs/kept/': 'not empty',
    });
  });
});

describe('what cannot be listed', () => {
  test('is one problem, and the rest is listed', async () => {
    const keys = trail('AWSLogs/', DAYS.slice(0, 3));
    const folder = `AWSLogs/${ACCOUNTS[0]}/CloudTrail/us-east-1/2026/03/02/`;
    const scope = { fromMs: at('2026-03-01'), toMs: at('2026-03-04') };
    const { keys: found, problems } = await listed(keys, scope, '', {
      faults: [{ kind: 'denied', on: 'list', key: folder }],
    });
    expect([...found].sort()).toEqual(keys.filter((key) => !key.startsWith(folder)).sort());
    expect(problems).toEqual([`cannot list s3://example-logs/${folder}: access denied (Access Denied)`]);
  });

  test.each(['slow-down', 'reset', 'cut', 'short'] as const)('for a while (%s) is asked for again', async (kind) => {
    const keys = trail('AWSLogs/', DAYS.slice(0, 3));
    const {
      keys: found,
      problems,
      peer,
    } = await listed(keys, {}, '', {
      faults: [{ kind, on: 'list', times: 6, probability: 0.3 }],
    });
    expect([[...found].sort(), problems, peer.counts.faults]).toEqual([[...keys].sort(), [], 6]);
  });

  test('a listing that is told to stop ends', async () => {
    const { source } = await openPeerSource({ objects: objects(trail('AWSLogs/')), latencyMs: 20 });
    const controller = new AbortController();
    const listing = source.list({}, controller.signal)[Symbol.asyncIterator]();
    await listing.next();
    controller.abort();
    await expect(
      (async () => {
        while ((await listing.next()).done !== true);
      })(),
    ).rejects.toMatchObject({ code: 'interrupted' });
  });
});
