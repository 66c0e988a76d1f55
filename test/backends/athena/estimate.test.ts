/** What a window costs, told before it is spent. */
import { describe, expect, test } from 'vitest';
import { billedBytes, ScanMeter, scanDollars } from '../../../src/backends/athena/cost.ts';
import { bytesPerDay, estimateTable, tagOf } from '../../../src/backends/athena/estimate.ts';
import { cloudtrailTable } from '../../../src/formats/cloudtrail-table.ts';
import { parseBytes } from '../../../src/size.ts';
import type { Folders } from '../../../src/source.ts';
import { DAY_MS } from '../../../src/time.ts';

const { signal } = new AbortController();
const LATENESS_MS = 2 * DAY_MS;
const WINDOW = { fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2026, 0, 2) };

/** Folders of which each holds as many objects of 1 MB as a rule says. */
function foldersOf(objectsIn: (place: string) => number): Folders & { readonly measured: string[] } {
  const measured: string[] = [];
  return {
    measured,
    look: async () => ({ folders: [], keys: [] }),
    measure: async (bucket, prefix) => {
      const place = `s3://${bucket}/${prefix}`;
      measured.push(place);
      const objects = objectsIn(place);
      return { objects, bytes: objects * 1_000_000 };
    },
    objects: () => {
      throw new Error('an estimate lists no keys');
    },
    requests: () => measured.length,
    close: () => undefined,
  };
}

const rootOf = (accounts: number, regions: number) => ({
  table: 'cloudtrail',
  location: 's3://logs/AWSLogs/',
  template: '${account}/CloudTrail/${region}/',
  keys: [
    { name: 'account', values: Array.from({ length: accounts }, (_, at) => String(100_000_000_000 + at)) },
    { name: 'region', values: Array.from({ length: regions }, (_, at) => `r-${at}`) },
  ],
  since: '2013/11/01',
});
const table = (accounts: number, regions: number) => ({ table: cloudtrailTable, roots: [rootOf(accounts, regions)] });

describe('a list of the log files', () => {
  test('is that of every folder where they are few', async () => {
    const folders = foldersOf((place) => (place.includes('/r-0/2026/01/01/') ? 2 : 1));
    const estimate = await estimateTable(table(2, 2), WINDOW, { folders, latenessMs: LATENESS_MS, signal });
    expect(estimate).toEqual({
      table: 'cloudtrail',
      days: 3,
      lateDays: 2,
      partitions: 12,
      listed: 12,
      objects: 14,
      bytes: 14_000_000,
      uncertainty: 0,
      requests: { list: 12, get: 14, decrypt: 14 },
      dollars: {
        scan: scanDollars(14_000_000),
        requests: expect.closeTo((12 * 0.005) / 1000 + (14 * 0.0004) / 1000, 10),
        decrypt: expect.closeTo((14 * 0.03) / 10_000, 10),
      },
    });
    expect(folders.measured.toSorted()[0]).toBe('s3://logs/AWSLogs/100000000000/CloudTrail/r-0/2026/01/01/');
    expect(new Set(folders.measured).size).toBe(12);
  });

  test('is that of a thousand spread over an organisation, and says how far it may be off', async () => {
    // Half of the accounts have nothing; Regions differ by tenfold.
    const objectsIn = (place: string): number => {
      const [, account = '', region = ''] = /\/(\d{12})\/CloudTrail\/r-(\d+)\//u.exec(place) ?? [];
      return Number(account) % 2 === 0 ? 0 : region === '0' ? 10 : 1;
    };
    const folders = foldersOf(objectsIn);
    const window = { fromMs: WINDOW.fromMs, toMs: WINDOW.fromMs + 90 * DAY_MS };
    const { partitions, listed, bytes, uncertainty, requests } = await estimateTable(table(400, 17), window, {
      folders,
      latenessMs: LATENESS_MS,
      signal,
    });
    const truth = 200 * (10 + 16) * 92 * 1_000_000;
    expect([partitions, requests.list >= partitions]).toEqual([6800 * 92, true]);
    expect(listed).toBeLessThanOrEqual(1000);
    expect(listed).toBeGreaterThan(900);
    expect(uncertainty).toBeGreaterThan(0);
    expect(Math.abs(bytes - truth)).toBeLessThan(3 * uncertainty);
    expect(uncertainty).toBeLessThan(truth / 5);
  });
});

test('earlier statements tell what a day of a table holds, from those of one table', () => {
  const text = (days: Record<string, number>): string => `${tagOf(new Map(Object.entries(days)))}\nSELECT 1`;
  const rates = bytesPerDay([
    { text: text({ cloudtrail: 4 }), scannedBytes: 400 },
    { text: text({ cloudtrail: 1 }), scannedBytes: 1 },
    { text: text({ cloudtrail: 1, waf: 1 }), scannedBytes: 5 },
    { text: 'SELECT \'-- trailhound {"waf":1}\'', scannedBytes: 5 },
    { text: '-- trailhound {"waf":\nSELECT 1', scannedBytes: 5 },
  ]);
  expect([...rates]).toEqual([['cloudtrail', 100]]);
});

test('ten megabytes are billed at least, whole megabytes beyond, nothing for nothing', () => {
  expect([0, 1, 10_000_000, 10_000_001, 1e12].map(billedBytes)).toEqual([0, 10_000_000, 10_000_000, 11_000_000, 1e12]);
  expect(scanDollars(1e12)).toBe(5);
});

test('a statement that failed or took an earlier result costs nothing, one that was cancelled does', () => {
  const meter = new ScanMeter(null);
  for (const outcome of ['failed', 'reused', 'cancelled', 'done'] as const) meter.end(outcome, 20_000_000, outcome);
  expect([meter.statements, meter.reused, meter.scannedBytes, meter.billedBytes]).toEqual([
    4, 1, 40_000_000, 40_000_000,
  ]);
});

test.each([
  ['50GB', 50e9],
  ['1.5 TB', 1.5e12],
  ['500mb', 500e6],
  ['1000', 1000],
])('the size %s', (text, bytes) => {
  expect(parseBytes(text, '--max-scan')).toBe(bytes);
});

test.each(['', '0', '-1GB', '5 parsecs', '1e9', 'GB'])('no size: %j', (text) => {
  expect(() => parseBytes(text, '--max-scan')).toThrow(
    `cannot use '${text}' for --max-scan: expected a size such as 500MB, 50GB or 1TB`,
  );
});
