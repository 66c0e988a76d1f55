/** Conditions: what each operator means, that nothing in a value becomes SQL, and that mistakes are named. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend.ts';
import {
  type ConditionContext,
  conditionSql,
  mutants,
  necessarySql,
  parseCondition,
} from '../../src/detection/condition.ts';
import { type Condition, parameter } from '../../src/detector.ts';
import { AppError } from '../../src/errors.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { loadRecords } from '../support/load-records.ts';

const context: ConditionContext = {
  detector: 'test-detector',
  table: cloudtrailTable,
  parameters: { least: 5, names: ['ann', 'bob'], one: 'ann' },
  lists: {
    bad: ['192.0.2.7', '10.0.0.0/8', 'AKIAIOSFODNN7EXAMPLE', 'putobject'],
    empty: [],
    long: Array.from({ length: 1500 }, (_, at) => `name-${at}`),
  },
};

/** One event per letter; a condition is told by the letters that it matches. */
const RECORDS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  a: {
    eventSource: 's3.amazonaws.com',
    eventName: 'PutObject',
    sourceIPAddress: '192.0.2.7',
    readOnly: false,
    requestParameters: {
      bucketName: 'logs',
      size: 7,
      big: '1e3',
      flag: true,
      list: ['x', 'y'],
      tags: [{ k: 'team', v: 'red' }],
      'x-amz-acl': 'public-read',
      empty: null,
    },
    resources: [{ ARN: 'arn:aws:s3:::logs' }, { ARN: 'arn:aws:s3:::logs/key' }],
  },
  b: {
    eventSource: 'S3.amazonaws.com',
    eventName: 'putObject',
    sourceIPAddress: '10.1.2.3',
    readOnly: true,
    requestParameters: {
      bucketName: "o'hara",
      size: '5',
      list: 'x',
      tags: { k: 'team', v: 'blue' },
      nested: { items: [{ ranges: { items: [{ cidrIp: '0.0.0.0/0' }] } }] },
    },
  },
  c: {
    eventSource: 'iam.amazonaws.com',
    eventName: 'CreateUser',
    sourceIPAddress: 'AWS Internal',
    readOnly: null,
    requestParameters: 'a text',
    userIdentity: { type: 'IAMUser', userName: 'ann', accessKeyId: 'AKIAIOSFODNN7EXAMPLE' },
  },
  d: {
    eventSource: 'iam.amazonaws.com',
    eventName: 'ListUsers20150331',
    userAgent: 'nul\0inside',
    sourceIPAddress: '2001:db8::1',
    requestParameters: null,
    userIdentity: { type: 'IAMUser', userName: 'name-1200' },
  },
};

let backend: Backend;
beforeAll(async () => {
  const entries = Object.entries(RECORDS);
  backend = await loadRecords(
    entries.map(([id, record]) => ({
      record: {
        eventTime: '2025-03-03T10:00:00Z',
        eventID: id,
        userIdentity: { type: 'IAMUser', userName: 'x' },
        ...record,
      },
    })),
  );
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

const CASES: readonly (readonly [condition: Condition, letters: string])[] = [
  [{ event_name: 'putobject' }, 'ab'],
  [{ event_name: ['PUTOBJECT', 'createUser'], event_source: 'S3.AMAZONAWS.COM' }, 'ab'],
  [{ event_name: { startswith: 'LIST' } }, 'd'],
  [{ user_agent: 'nul\0inside' }, 'd'],
  [{ user_agent: ["it's\0", 'nul\0inside'] }, 'd'],
  [{ event_name: { contains: ['user'] } }, 'cd'],
  [{ event_name: { re: '^put' } }, 'ab'],
  [{ event_name: { endswith: 'OBJECT' } }, 'ab'],
  [{ user_name: 'Ann' }, ''],
  [{ user_name: 'ann' }, 'c'],
  [{ user_name: parameter('one') }, 'c'],
  [{ user_name: parameter('names') }, 'c'],
  [{ read_only: true }, 'b'],
  [{ not: { read_only: true } }, 'acd'],
  [{ read_only: { exists: true } }, 'ab'],
  [{ read_only: { exists: false } }, 'cd'],
  [{ 'request_parameters.bucketName': "o'hara" }, 'b'],
  [{ 'request_parameters.bucketName': "' OR true --" }, ''],
  [{ 'request_parameters.bucketName': { contains: "'" } }, 'b'],
  [{ 'request_parameters.bucketName': { startswith: 'lo' } }, 'a'],
  [{ 'request_parameters.bucketName': { endswith: 'ogs' } }, 'a'],
  [{ 'request_parameters.bucketName': { endswith: 'a longer text than the value' } }, ''],
  [{ 'request_parameters.bucketName': { endswith: '' } }, 'ab'],
  [{ 'request_parameters.bucketName': { contains: '%' } }, ''],
  [{ 'request_parameters.size': 7 }, 'a'],
  [{ 'request_parameters.size': ['7', 5] }, 'ab'],
  [{ 'request_parameters.size': { gte: parameter('least') } }, 'ab'],
  [{ 'request_parameters.size': { gt: 5 } }, 'a'],
  [{ 'request_parameters.size': { lt: 7, gt: 4 } }, 'b'],
  [{ 'request_parameters.size': { lte: -1 } }, ''],
  [{ 'request_parameters.big': { gte: 1000 } }, 'a'],
  [{ 'request_parameters.flag': true }, 'a'],
  [{ 'request_parameters.flag': { exists: true } }, 'a'],
  [{ 'request_parameters.empty': { exists: true } }, ''],
  [{ 'request_parameters.empty': { exists: false } }, 'abcd'],
  [{ 'request_parameters.nested': { exists: true } }, 'b'],
  [{ 'request_parameters.x-amz-acl': { re: '^public' } }, 'a'],
  [{ 'request_parameters.x-amz-acl': { re: '^publics?-re' } }, 'a'],
  [{ 'request_parameters.x-amz-acl': { re: '^privates|^public' } }, 'a'],
  // Any element; a lone value in place of the array counts as its only element.
  [{ 'request_parameters.list[]': 'y' }, 'a'],
  [{ 'request_parameters.list[]': 'x' }, 'ab'],
  [{ 'request_parameters.list[]': { exists: true } }, 'ab'],
  [{ not: { 'request_parameters.list[]': 'y' } }, 'bcd'],
  [{ 'request_parameters.tags[].v': ['red', 'blue'] }, 'ab'],
  [{ 'request_parameters.tags[].v': 'blue' }, 'b'],
  [{ 'request_parameters.nested.items[].ranges.items[].cidrIp': '0.0.0.0/0' }, 'b'],
  [{ request_parameters: { contains: 'bucketName' } }, 'ab'],
  [{ request_parameters: { exists: true } }, 'abc'],
  [{ resource_arns: { endswith: '/key' } }, 'a'],
  [{ resource_arns: { exists: true } }, 'a'],
  [{ resource_arns: 'arn:aws:s3:::logs' }, 'a'],
  [{ source_ip: { cidr: ['10.0.0.0/8', '192.0.2.0/24'] } }, 'ab'],
  [{ source_ip: { cidr: '2001:db8::/32' } }, 'd'],
  [{ not: { source_ip: { cidr: '10.0.0.0/8' } } }, 'acd'],
  [{ source_ip: { list: 'bad' } }, 'ab'],
  [{ access_key_id: { list: 'bad' } }, 'c'],
  [{ event_name: { list: 'bad' } }, 'ab'],
  [{ user_name: { list: 'long' } }, 'd'],
  [{ user_name: { list: 'empty' } }, ''],
  [{ 'request_parameters.list[]': { list: 'long' } }, ''],
  [{ event_name: { column: 'event_name_raw' } }, 'abc'],
  [{ user_name: { column: 'user_type' } }, ''],
  [{ record_no: [0, 3] }, 'ad'],
  [{ record_no: { gt: 1, lt: 3 } }, 'c'],
  [{ all: [{ event_source: 'iam.amazonaws.com' }, { any: [{ user_name: 'ann' }, { user_name: 'bob' }] }] }, 'c'],
  [{ any: [{ user_name: 'ann' }, { not: { event_source: 'iam.amazonaws.com' } }] }, 'abc'],
  [{ all: [] }, 'abcd'],
  [{ any: [] }, ''],
  [{ not: { all: [{ event_source: 'iam.amazonaws.com' }, { 'request_parameters.size': 7 }] } }, 'abcd'],
];

describe('a condition', () => {
  test.each(CASES)('%j', async (condition, letters) => {
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
      matches: letters,
      complement: Object.keys(RECORDS)
        .filter((letter) => !letters.includes(letter))
        .join(''),
      lost: '',
    });
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
