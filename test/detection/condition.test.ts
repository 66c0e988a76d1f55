/** Conditions: what each operator means, that nothing in a value becomes SQL, and that mistakes are named. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend.ts';
import {
  conditionSql,
  leavesOf,
  mutants,
  necessarySql,
  parseCondition,
  textLiteral,
  valueSql,
} from '../../src/detection/condition.ts';
import { type Condition, type Match, parameter } from '../../src/detector.ts';
import { AppError } from '../../src/errors.ts';
import { loadRecords } from '../support/load-records.ts';
import { CASES, context, letters, records } from './conditions.ts';

let backend: Backend;
beforeAll(async () => {
  backend = await loadRecords(records);
  await backend.keep?.(
    'list_long',
    `SELECT value FROM UNNEST(ARRAY[${context.lists['long']?.map((name) => `'${name}'`).join(', ')}]) AS t(value)`,
  );
});
afterAll(() => backend.close());

async function matching(where: string): Promise<string> {
  const { rows } = await backend.query(`SELECT event_id FROM cloudtrail WHERE ${where} ORDER BY event_id`);
  return rows.map((row) => row['event_id'] as string).join('');
}

describe('a condition', () => {
  test.each(CASES)('%j', async (condition, matched) => {
    const node = parseCondition(condition, context);
    const sql = conditionSql(node);
    const isPlain = (column: { readonly json?: boolean }): boolean => column.json !== true;
    const necessary = necessarySql(node, isPlain);
    expect({
      matches: await matching(sql),
      complement: await matching(`NOT (${sql})`),
      // What a scan filters by first loses nothing.
      lost: await matching(`(${sql}) AND NOT (${necessary})`),
    }).toEqual({
      matches: matched,
      complement: letters.filter((letter) => !matched.includes(letter)).join(''),
      lost: '',
    });
  });

  test.each(CASES)('%j holds only where its traces stand', async (condition) => {
    for (const { sql, traces, columns } of leavesOf(parseCondition(condition, context))) {
      const looks = [...(traces ?? []), '\\u'].map((trace) => `strpos(${columns[0]?.name}, ${textLiteral(trace)}) > 0`);
      if (traces !== null) expect(await matching(`${sql} AND NOT (${looks.join(' OR ')})`)).toBe('');
    }
  });

  test('of JSON has traces that are looked for first', () => {
    const tracesOf = (condition: Condition) => leavesOf(parseCondition(condition, context)).map(({ traces }) => traces);
    expect(tracesOf({ 'request_parameters.a.b': 'Plain-text_1' })).toEqual([['Plain-text_1']]);
    expect(tracesOf({ 'resources[].type': ['AWS::S3::Bucket', 'x'] })).toEqual([['AWS::S3::Bucket', 'x']]);
    for (const other of [
      'with"quote',
      'a/slash',
      '10',
      '',
      '1e5',
      ['a', 'b', 'c', 'd'],
      10,
      true,
      { re: 'x' },
      { contains: 'X', caseless: true },
    ])
      expect(tracesOf({ 'request_parameters.member.b': other as Match })).toEqual([['member']]);
    expect(tracesOf({ 'request_parameters.member': { exists: false } })).toEqual([['member']]);
    for (const none of [
      { 'resources[].ARN': '1' },
      { user_name: 'a' },
      { 'request_parameters.a/b': '5' },
      { request_parameters: { contains: 'a' } },
    ])
      expect(tracesOf(none)).toEqual([null]);
  });

  test('that contradicts itself, or says nothing, is known for it before any event is read', () => {
    const sql = (condition: Condition): string => conditionSql(parseCondition(condition, context));
    const inside: Condition = { source_ip: { cidr: ['0.0.0.0/0', '::/0'] } };
    expect(sql({ all: [{ user_name: 'a' }, { all: [inside, { not: inside }] }] })).toBe('false');
    expect(sql({ all: [{ aws_region: { exists: true } }, { not: { aws_region: { startswith: '' } } }] })).toBe('false');
    expect(sql({ any: [{ user_name: 'a' }, inside, { any: [{ not: inside }] }] })).toBe('true');
    expect(sql({ all: [{ any: [] }, { user_name: 'a' }] })).toBe('false');
    expect(sql({ all: [{ user_name: 'a' }, { all: [] }, { user_name: 'a' }] })).toBe(`(${sql({ user_name: 'a' })})`);
    // What is unknown to a scan contradicts nothing.
    const json: Condition = { 'request_parameters.bucketName': 'a' };
    const node = parseCondition({ all: [json, { not: json }, { user_name: 'a' }] }, context);
    expect(necessarySql(node, (column) => column.json !== true)).toBe(`(${sql({ user_name: 'a' })})`);
  });

  test('takes the network of an address for a value of its own', async () => {
    const network = valueSql('source_ip.network', context);
    const of = async (address: string): Promise<unknown> =>
      (await backend.query(`SELECT ${network} AS network FROM (SELECT '${address}' AS source_ip) AS one`)).rows[0]?.[
        'network'
      ];
    expect(await Promise.all(['192.0.2.44', '2001:DB8:1::7', '2001:db8::', '::1', '::ffff:192.0.2.1'].map(of))).toEqual(
      ['192.0', '2001:DB8', '2001:db8', ':', ':'],
    );
    expect(await Promise.all(['cloudformation.amazonaws.com', 'AWS Internal', ''].map(of))).toEqual([null, null, null]);
  });

  test.each([
    [{ event_nam: 'x' }, /no column 'event_nam'.*event_name/u],
    [{ 'event_name.a': 'x' }, /event_name, which holds no JSON/u],
    [{ "request_parameters.a'b": 'x' }, /not a plain key/u],
    [{ 'request_parameters.a..b': 'x' }, /not a plain key/u],
    [{ 'request_parameters.a[0]': 'x' }, /not a plain key/u],
    [{ user_name: {} }, /says nothing/u],
    [{ user_name: { begins: 'x' } }, /unknown operator 'begins'/u],
    [{ user_name: { contains: 5 } }, /'contains' with 5/u],
    [{ user_name: { contains: [] } }, /expected a text/u],
    [{ user_name: { re: '(?<=x)y' } }, /look-around/u],
    [{ user_name: { re: '(a)\\1' } }, /back-reference/u],
    [{ source_ip: { cidr: '10.0.0.0/33' } }, /'10.0.0.0\/33'.*not a network/u],
    [{ source_ip: { cidr: 'x' } }, /not a network/u],
    [{ read_only: 'true' }, /read_only.*expected true or false/u],
    [{ read_only: { contains: 'x' } }, /holds no text/u],
    [{ record_no: '5' }, /expected a number/u],
    [{ record_no: { gt: '5' } }, /expected a number/u],
    [{ event_time: '2025-01-01' }, /window/u],
    [{ read_only: { gt: 1 } }, /holds no number/u],
    [{ user_name: { is: 'x', caseless: 'yes' } }, /'caseless'.*true or false/u],
    [{ event_time: { part: 'second', is: 1 } }, /expected one of minute/u],
    [{ user_name: { part: 'hour', is: 1 } }, /'user_name' is no time/u],
    [{ event_time: { part: 'hour', contains: '1' } }, /'contains' does not compare/u],
    [{ event_time: { part: 'hour', is: '1' } }, /expected a number/u],
    [{ user_name: { contains: 'x', unquoted: true } }, /'unquoted'.*JSON column/u],
    [{ user_name: { caseless: true } }, /says nothing/u],
    [{ user_name: { column: { name: 'user_type', at: 'middle' } } }, /expected the name of a column, or/u],
    [{ 'user_name[]': 'x' }, /user_name, which holds no JSON/u],
    [{ user_name: { list: 'constructor' } }, /no list 'constructor'/u],
    [{ user_name: { list: 'worse' } }, /no list 'worse'/u],
    [{ user_name: { column: 'nothing' } }, /no column 'nothing'/u],
    [{ user_name: { column: 'request_parameters.a[]' } }, /many values/u],
    [{ user_name: parameter('missing') }, /parameter 'missing'/u],
    [{ all: { user_name: 'x' } }, /expected a list/u],
    [{ not: null }, /expected an object/u],
  ] as readonly (readonly [unknown, RegExp])[])('%j is refused', (condition, message) => {
    let error: unknown;
    try {
      parseCondition(condition as Condition, context);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(AppError);
    const { code, message: text, hint } = error as AppError;
    expect({ code, text: `${text} ${hint ?? ''}` }).toEqual({
      code: 'detector-invalid',
      text: expect.stringMatching(message),
    });
    expect(text).toContain('test-detector');
  });

  test('keeps the manner of comparing when a leaf beside it is left out', () => {
    expect(mutants({ user_name: { startswith: 'a', endswith: 'b', caseless: true } })).toEqual([
      {
        leaf: '{"user_name":{"startswith":"a","caseless":true}}',
        condition: { all: [{ user_name: { endswith: 'b', caseless: true } }] },
      },
      {
        leaf: '{"user_name":{"endswith":"b","caseless":true}}',
        condition: { all: [{ user_name: { startswith: 'a', caseless: true } }] },
      },
    ]);
  });

  test('is known by each of its leaves', () => {
    const condition: Condition = {
      event_name: 'x',
      any: [
        { user_name: 'a' },
        { not: { all: [{ read_only: true }, { outcome: { contains: 'd', startswith: 'e' } }] } },
      ],
    };
    expect(mutants(condition).map(({ leaf, condition: rest }) => [leaf, rest])).toEqual([
      [
        '{"event_name":"x"}',
        {
          all: [
            {
              any: [
                { user_name: 'a' },
                { not: { all: [{ read_only: true }, { outcome: { contains: 'd', startswith: 'e' } }] } },
              ],
            },
          ],
        },
      ],
      [
        '{"user_name":"a"}',
        {
          all: [
            { event_name: 'x' },
            { any: [{ not: { all: [{ read_only: true }, { outcome: { contains: 'd', startswith: 'e' } }] } }] },
          ],
        },
      ],
      [
        'not {"read_only":true}',
        {
          all: [
            { event_name: 'x' },
            { any: [{ user_name: 'a' }, { not: { all: [{ outcome: { contains: 'd', startswith: 'e' } }] } }] },
          ],
        },
      ],
      [
        'not {"outcome":{"contains":"d"}}',
        {
          all: [
            { event_name: 'x' },
            {
              any: [
                { user_name: 'a' },
                { not: { all: [{ read_only: true }, { all: [{ outcome: { startswith: 'e' } }] }] } },
              ],
            },
          ],
        },
      ],
      [
        'not {"outcome":{"startswith":"e"}}',
        {
          all: [
            { event_name: 'x' },
            {
              any: [
                { user_name: 'a' },
                { not: { all: [{ read_only: true }, { all: [{ outcome: { contains: 'd' } }] }] } },
              ],
            },
          ],
        },
      ],
    ]);
  });
});
