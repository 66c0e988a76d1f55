/** What keys tell, what scope does with it, and names of arbitrary bytes. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { folderInScope, fsPath, inScope, keyOf, parseFolder, parseKey, pathOf } from '../src/keys.ts';
import type { KeyHint, Scope } from '../src/source.ts';

const ACCOUNT = '123456789012';

function hint(service: string | null, account: string | null, region: string | null, day: string | null): KeyHint {
  return { service, account, region, day };
}

describe('parseKey', () => {
  const cases: readonly (readonly [key: string, expected: KeyHint])[] = [
    [
      `/a/AWSLogs/${ACCOUNT}/CloudTrail/us-east-1/2024/05/07/${ACCOUNT}_CloudTrail_us-east-1_20240507T0005Z_Mx7aBcDe.json.gz`,
      hint('CloudTrail', ACCOUNT, 'us-east-1', '2024-05-07'),
    ],
    [
      `AWSLogs/o-exampleorgid/${ACCOUNT}/CloudTrail/eu-west-1/2024/12/31/x.json.gz`,
      hint('CloudTrail', ACCOUNT, 'eu-west-1', '2024-12-31'),
    ],
    [
      `o-exampleorgid/AWSLogs/o-exampleorgid/${ACCOUNT}/CloudTrail-Insight/us-gov-west-1/2024/02/29/x`,
      hint('CloudTrail-Insight', ACCOUNT, 'us-gov-west-1', '2024-02-29'),
    ],
    [
      `s3://bucket/prefix/AWSLogs/${ACCOUNT}/CloudTrail-Digest/us-east-1/2024/05/07/x`,
      hint('CloudTrail-Digest', ACCOUNT, 'us-east-1', '2024-05-07'),
    ],
    [
      `AWSLogs/${ACCOUNT}/CloudTrail-Lake/Query/2024/05/07/0123abcd/result_1.csv.gz`,
      hint('CloudTrail-Lake', null, null, null),
    ],
    [`/a/CloudTrail/us-east-1/2024/05/07/x.json.gz`, hint('CloudTrail', null, 'us-east-1', '2024-05-07')],
    [`/a/${ACCOUNT}/CloudTrail/us-east-1/2024/05/07/x.json.gz`, hint('CloudTrail', ACCOUNT, 'us-east-1', '2024-05-07')],
    [
      `AWSLogs/${ACCOUNT}/Config/us-east-1/2024/5/7/ConfigHistory/x.json.gz`,
      hint('Config', ACCOUNT, 'us-east-1', '2024-05-07'),
    ],
    [
      `${ACCOUNT}_CloudTrail_ap-southeast-2_20240507T2355Z_abc.json.gz`,
      hint('CloudTrail', ACCOUNT, 'ap-southeast-2', '2024-05-07'),
    ],
    [
      `${ACCOUNT}_CloudTrail-Digest_us-east-1_my_trail_us-east-1_20240507T010203Z.json.gz`,
      hint('CloudTrail-Digest', ACCOUNT, 'us-east-1', '2024-05-07'),
    ],
    [`evidence.zip!${ACCOUNT}_CloudTrail-Insight_us-east-1_20240507T0102Z_x.json.gz`, hint(null, null, null, null)],
    [
      `/a/${ACCOUNT}_CloudTrail-Insight_us-east-1_20240507T0102Z_x.json.gz`,
      hint('CloudTrail-Insight', ACCOUNT, 'us-east-1', '2024-05-07'),
    ],
    // A file keeps its own day in a folder of another.
    [
      `/a/2024/06/01/${ACCOUNT}_CloudTrail_us-east-1_20240507T0005Z_x.json.gz`,
      hint('CloudTrail', ACCOUNT, 'us-east-1', '2024-05-07'),
    ],
    ['/logs/2024/05/07/x.json', hint(null, null, null, '2024-05-07')],
    ['/logs/2024-05-07/x.json', hint(null, null, null, '2024-05-07')],
    ['/logs/dt=2024-05-07/x.json', hint(null, null, null, '2024-05-07')],
    ['/2020-01-01/logs/2024-05-07/x.json', hint(null, null, null, '2024-05-07')],
    ['/logs/2024-05-07.json', hint(null, null, null, null)],
    ['/logs/2024/05/x.json', hint(null, null, null, null)],
    ['/logs/2024/02/30/x.json', hint(null, null, null, null)],
    [`AWSLogs/${ACCOUNT}/CloudTrail/us-east-1/2024/13/07/x`, hint('CloudTrail', ACCOUNT, 'us-east-1', null)],
    [`AWSLogs/${ACCOUNT}/CloudTrail/moon/2024/05/07/x`, hint('CloudTrail', ACCOUNT, null, '2024-05-07')],
    [`${ACCOUNT}_CloudTrail_us-east-1_20241399T0005Z_x.json.gz`, hint('CloudTrail', ACCOUNT, 'us-east-1', null)],
    ['/AWSLogs/x', hint(null, null, null, null)],
    ['x', hint(null, null, null, null)],
    ['', hint(null, null, null, null)],
  ];
  test.each(cases)('reads %s', (key, expected) => {
    expect(parseKey(key)).toEqual(expected);
  });

  test('dates above what the user named are not deliveries, AWS layouts are', () => {
    const above = '/cases/2024-06-01/';
    expect(parseKey(`${above}x.json`, above.length).day).toBeNull();
    expect(parseKey(`${above}2024/05/07/x.json`, above.length).day).toBe('2024-05-07');
    const day = `/AWSLogs/${ACCOUNT}/CloudTrail/us-east-1/2024/05/07/`;
    expect(parseKey(`${day}x.json`, day.length).day).toBe('2024-05-07');
  });

  test('a folder tells the first and last day below it', () => {
    const days = (path: string) => {
      const { first, last, exact } = parseFolder(path);
      return [first, last, exact];
    };
    const region = `AWSLogs/${ACCOUNT}/CloudTrail/us-east-1`;
    expect(
      [`${region}/2024/02/07`, `${region}/2024/02`, `${region}/2024`, region, '/logs/2023/12', '/logs'].map(days),
    ).toEqual([
      ['2024-02-07', '2024-02-07', true],
      ['2024-02-01', '2024-02-29', true],
      ['2024-01-01', '2024-12-31', true],
      [null, null, true],
      ['2023-12-01', '2023-12-31', false],
      [null, null, false],
    ]);
  });
});

describe('inScope', () => {
  const day = hint('CloudTrail', ACCOUNT, 'us-east-1', '2024-05-07');
  const ms = (text: string) => Date.parse(text);
  const cases: readonly (readonly [name: string, scope: Scope, expected: boolean])[] = [
    ['no bound', {}, true],
    ['from within the day', { fromMs: ms('2024-05-07T23:59:59.999Z') }, true],
    ['from the end of the day', { fromMs: ms('2024-05-08T00:00:00Z') }, false],
    ['to before the day, within the lateness', { toMs: ms('2024-05-05T00:00:00.001Z') }, true],
    ['to before the lateness', { toMs: ms('2024-05-05T00:00:00Z') }, false],
    ['its account', { accounts: ['999999999999', ACCOUNT] }, true],
    ['another account', { accounts: ['999999999999'] }, false],
    ['its region', { regions: ['us-east-1'] }, true],
    ['another region', { regions: ['us-east-2'] }, false],
    ['lists that name nothing', { accounts: [], regions: [] }, true],
  ];
  test.each(cases)('%s', (_name, scope, expected) => {
    expect(inScope(day, scope)).toBe(expected);
    expect(folderInScope(parseFolder(`AWSLogs/${ACCOUNT}/CloudTrail/us-east-1/2024/05/07`), scope)).toBe(expected);
    expect(inScope(hint(null, null, null, null), scope)).toBe(true);
  });

  test('a folder outside AWS layouts is never pruned as a whole', () => {
    expect(folderInScope(parseFolder('/logs/2020/01/01'), { fromMs: ms('2024-01-01') })).toBe(true);
  });

  test('lateness can be given', () => {
    expect(inScope(day, { toMs: ms('2024-05-01') }, 7 * 86_400_000)).toBe(true);
  });
});

describe('names of arbitrary bytes', () => {
  test.each([
    ['plain.json.gz', 'plain.json.gz'],
    ['ключ 100%.json', 'ключ 100%.json'],
    ['a%20b%3A%2Fc', 'a%20b%3A%2Fc'],
    ['a%FFb', 'a%25FFb'],
    ['a%25b', 'a%2525b'],
    ['line\nfeed \u001b[31m \' " ..', 'line\nfeed \u001b[31m \' " ..'],
  ])('the key of %j is %j', (name, key) => {
    expect(keyOf(pathOf(Buffer.from(name)))).toBe(key);
    expect(fsPath(pathOf(Buffer.from(name)))).toBe(name);
  });

  test('bytes that are no UTF-8 are percent-encoded in the key', () => {
    const path = pathOf(Buffer.from([0x61, 0xff, 0xc3, 0xa9, 0xe2, 0x82, 0x2e]));
    expect(keyOf(path)).toBe('a%FFé%E2%82.');
  });

  test('no byte of any name is lost, and no two names share a key', () => {
    const name = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 12 }),
      fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
      fc.stringMatching(/^[%25FA8]{1,8}$/).map((text) => Buffer.from(text)),
    );
    const seen = new Map<string, string>();
    fc.assert(
      fc.property(name, (bytes) => {
        const path = pathOf(Buffer.from(bytes));
        expect(Buffer.from(fsPath(path))).toEqual(Buffer.from(bytes));
        expect(Buffer.from(keyOf(path)).toString()).toBe(keyOf(path));
        const latin1 = Buffer.from(bytes).toString('latin1');
        expect(seen.get(keyOf(path)) ?? latin1).toBe(latin1);
        seen.set(keyOf(path), latin1);
      }),
      { numRuns: 2000 },
    );
  });
});
