/** Searches and conditions of rules: random ones match the events that a slow reading of Sigma says, and mistakes are told with their place. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend.ts';
import { portabilityFindings } from '../../src/backends/portable.ts';
import { conditionSql, parseCondition } from '../../src/detection/condition.ts';
import type { Condition } from '../../src/detector.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { loadRecords } from '../support/load-records.ts';
import { matches } from './evaluate.ts';
import { conditionOf, refusal, ruleOf } from './rules.ts';

const NAMES = ['PutObject', 'putobject', 'DeleteBucket', 'List_Things', 'CreateUser', 'ListFunctions20150331'];
const TEXTS = ['a', 'A', 'ab', 'aB', 'b*a', 'a?b', 'a\\b', 'a%b_c', '', '5', '-a', '/a', 'x "y" z', 'ünï'];

/** Records with every kind of value at the places that the rules ask for. */
const RECORDS = Array.from({ length: 40 }, (_, at): Record<string, unknown> => {
  const text = (shift: number): string => TEXTS[(at * 7 + shift) % TEXTS.length] ?? '';
  return {
    eventID: String(at).padStart(2, '0'),
    eventTime: `2025-03-03T${String(at % 24).padStart(2, '0')}:30:00Z`,
    eventSource: at % 3 === 0 ? 's3.amazonaws.com' : 'IAM.amazonaws.com',
    eventName: NAMES[at % NAMES.length],
    userIdentity: {
      type: at % 4 === 0 ? 'Root' : 'IAMUser',
      ...(at % 5 !== 0 && { userName: text(1) }),
      sessionContext: { attributes: { mfaAuthenticated: at % 2 === 0 ? 'true' : 'false' } },
    },
    sourceIPAddress: ['10.1.2.3', '192.0.2.7', 'AWS Internal', '10.255.0.1'][at % 4],
    ...(at % 3 !== 1 && { userAgent: text(3) }),
    ...(at % 4 === 1 && { errorCode: text(5) }),
    ...(at % 6 !== 2 && { readOnly: at % 2 === 0 }),
    requestParameters:
      at % 7 === 6
        ? null
        : {
            one: at % 3 === 0 ? (at % 9) - 2 : text(2),
            list: [[text(4), text(6)], text(8), [], [at, true]][at % 4],
            deep: at % 2 === 0 ? { x: [{ y: text(9) }, { y: [text(10)] }] } : { x: { y: text(11) } },
            ...(at % 5 === 0 && { none: null }),
          },
  };
});

let backend: Backend;
beforeAll(async () => {
  backend = await loadRecords(RECORDS.map((record) => ({ record })));
});
afterAll(() => backend.close());

/** For each condition the ids of the events that it matches, out of one look. */
async function found(conditions: readonly Condition[]): Promise<string[][]> {
  const context = { detector: 'test', table: cloudtrailTable, parameters: {}, lists: { bad: ['10.0.0.0/8'] } };
  const sql = conditions.map((condition) => conditionSql(parseCondition(condition, context)));
  for (const one of sql)
    expect(portabilityFindings(`SELECT event_id FROM cloudtrail WHERE ${one} ORDER BY 1`)).toEqual([]);
  const { rows } = await backend.query(
    `SELECT event_id, ${sql.map((one, at) => `${one} AS f${at}`).join(', ')} FROM cloudtrail ORDER BY event_id`,
  );
  return sql.map((_, at) => rows.filter((row) => row[`f${at}`] === true).map((row) => row['event_id'] as string));
}

const expected = (rule: string): string[] =>
  RECORDS.filter((record) => matches(rule, record)).map((record) => String(record['eventID']));

const quoted = (value: unknown): string =>
  typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);

const field = fc.constantFrom(
  'eventName',
  'eventSource',
  'userIdentity.type',
  'userIdentity.userName',
  'userIdentity.sessionContext.attributes.mfaAuthenticated',
  'sourceIPAddress',
  'userAgent',
  'errorCode',
  'readOnly',
  'requestParameters.one',
  'requestParameters.list',
  'requestParameters.deep.x.y',
  'requestParameters.none',
  'requestParameters.absent',
);
const value: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom<unknown>(...TEXTS, ...NAMES.slice(0, 5)) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<unknown>(
      'a*',
      '*b',
      '?',
      'a?*',
      '*a*',
      'a\\*',
      'b\\*a',
      'a\\?b',
      'a\\\\b',
      '*',
      'tr*',
      's3*',
      'AWS ?nternal',
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom<unknown>(null, true, false, 5, 0, -2) },
);
const list = fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }));
const texts = fc.array(fc.constantFrom(...TEXTS, 'b', '*'), { minLength: 1, maxLength: 2 });
const references = fc.constantFrom('userAgent', 'userIdentity.userName', 'errorCode', 'userIdentity.type');
const textField = field.filter((name) => name !== 'readOnly' && !name.includes('mfa'));

const line: fc.Arbitrary<readonly [string, unknown]> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(field, fc.constantFrom('', '|neq'), list)
      .map(([name, more, of]) => [`${name}${more}`, of] as const),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(field, fc.constantFrom('|contains', '|startswith', '|endswith', '|contains|all', '|endswith|neq'), texts)
      .map(([name, more, of]) => [`${name}${more}`, of] as const),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        textField.filter((name) => name !== 'eventName'),
        fc.constantFrom('|cased', '|contains|cased', '|cased|startswith'),
        texts,
      )
      .map(([name, more, of]) => [`${name}${more}`, of] as const),
  },
  { weight: 1, arbitrary: fc.tuple(field, fc.boolean()).map(([name, of]) => [`${name}|exists`, of] as const) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        textField,
        fc.constantFrom('|re', '|re|i', '|re|i|s'),
        fc.constantFrom('^a', 'B$', '^.?$', '[5x]', 'p[Uu]t|user', '^(?:a|b)', 'ob.ect$'),
      )
      .map(([name, more, of]) => [`${name}${more}`, of] as const),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('sourceIPAddress', 'userAgent'), fc.constantFrom('10.0.0.0/8', '192.0.2.7', '10.1.0.0/16'))
      .map(([name, of]) => [`${name}|cidr`, of] as const),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom('requestParameters.one', 'requestParameters.list', 'userIdentity.userName'),
        fc.constantFrom('gt', 'gte', 'lt', 'lte'),
        fc.integer({ min: -3, max: 8 }),
      )
      .map(([name, operator, of]) => [`${name}|${operator}`, of] as const),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        textField,
        fc.constantFrom(
          '|fieldref',
          '|fieldref|startswith',
          '|fieldref|endswith',
          '|fieldref|contains',
          '|fieldref|cased',
        ),
        references,
      )
      .map(([name, more, of]) => [`${name}${more}`, of] as const),
  },
);

const map = fc.array(line, { minLength: 1, maxLength: 3 }).map((lines) => new Map(lines));
const EXPRESSIONS = [
  's1',
  'not s1',
  's1 and s2 or _s3',
  's1 or s2 and not _s3',
  'not (s1 or s2)',
  '1 of s*',
  'all of s* and not _s3',
  'all of them',
  '1 of them or _s3',
  'not 1 of s* or not _s3',
];
const rule = fc
  .tuple(map, fc.array(map, { minLength: 1, maxLength: 2 }), map, fc.constantFrom(...EXPRESSIONS))
  .map(([first, second, third, expression]) => {
    const lines = (from: ReadonlyMap<string, unknown>, indent: string): string =>
      [...from]
        .map(([key, of]) => `${indent}${key}: ${Array.isArray(of) ? `[${of.map(quoted).join(', ')}]` : quoted(of)}`)
        .join('\n');
    const items = second.map((one) => `  - ${lines(one, '    ').trimStart()}`).join('\n');
    return ruleOf(`s1:\n${lines(first, '  ')}\ns2:\n${items}\n_s3:\n${lines(third, '  ')}\ncondition: ${expression}`);
  });

describe('a rule', () => {
  test('matches what a slow reading of it matches', { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(rule, { minLength: 25, maxLength: 25 }), async (rules) => {
        const detections = rules.map((one) => one.slice(one.indexOf('detection:\n') + 11).replaceAll(/^ {2}/gmu, ''));
        const ids = await found(detections.map((detection) => conditionOf(detection)));
        expect(rules.map((one, at) => [one, ids[at]])).toEqual(rules.map((one) => [one, expected(one)]));
      }),
      // Each step of shrinking asks the engine again.
      { numRuns: 12, endOnFailure: true },
    );
  });

  test.each([
    // A word anywhere in the record, and several.
    "words: ['iam.amazon', 'nowhere']\ncondition: words",
    "words:\n  '|all': ['root', 's3']\ncondition: words",
    'words: deleteb?cket\ncondition: words',
    "words:\n  '|re': 'IAM[.]'\ncondition: words",
    // Unlike values of a list.
    "s:\n  errorCode: [null, '', 'a']\ncondition: s",
    "s:\n  requestParameters.list: [5, 'true', 'ab']\ncondition: s",
    "s:\n  userAgent|windash: '-a'\ncondition: s",
    "s:\n  userAgent|windash|contains: '/a'\ncondition: s",
  ])('with %s as well', async (detection) => {
    if (detection.includes('windash')) {
      const [ids] = await found([conditionOf(detection)]);
      const dashed = RECORDS.filter(({ userAgent }) => userAgent === '-a' || userAgent === '/a');
      expect(ids).toEqual(dashed.map(({ eventID }) => eventID));
      return;
    }
    expect(await found([conditionOf(detection)])).toEqual([expected(ruleOf(detection))]);
  });

  test.each([
    ["eventName: 'ListFunctions'", ['ListFunctions20150331']],
    ["eventName: 'ListFunctions20150331'", ['ListFunctions20150331']],
    ["eventName: 'listfunctions20160101'", []],
    ["eventName|endswith: '20150331'", ['ListFunctions20150331']],
    ["eventName|re: 'Functions\\d+$'", ['ListFunctions20150331']],
    ["eventName|cased: 'putobject'", ['putobject']],
    ["eventName|cased: 'PutObject'", ['PutObject']],
  ])('with %s finds calls by their name, with and without the date of the API', async (search, names) => {
    const [ids] = await found([conditionOf(`s:\n  ${search}\ncondition: s`)]);
    const own = RECORDS.filter(({ eventName }) => names.includes(String(eventName))).map(({ eventID }) => eventID);
    expect(ids).toEqual(own);
  });

  test.each([
    ['hour: 3', (hour: number) => hour === 3],
    ['hour|gte: 22', (hour: number) => hour >= 22],
    ['minute: 30', () => true],
    ['month|lt: 3', () => false],
  ])('with eventTime|%s compares a part of the time', async (search, holds) => {
    const [ids] = await found([conditionOf(`s:\n  eventTime|${search}\ncondition: s`)]);
    expect(ids).toEqual(RECORDS.filter((_, at) => holds(at % 24)).map(({ eventID }) => eventID));
  });

  test('has encoded values worked out before any event is seen', () => {
    expect(conditionOf("s:\n  userAgent|base64offset|contains: 'http://'\ncondition: s")).toEqual({
      user_agent: { contains: ['aHR0cDovL', 'h0dHA6Ly', 'odHRwOi8v'], caseless: true },
    });
    expect(conditionOf("s:\n  userAgent|wide|base64: 'ünï'\ncondition: s")).toEqual({
      user_agent: { is: [Buffer.from('ünï', 'utf16le').toString('base64')], caseless: true },
    });
    expect(conditionOf("s:\n  userAgent|utf16be: 'hi'\ncondition: s")).toEqual({
      user_agent: { is: ['\0h\0i'], caseless: true },
    });
  });

  test('has placeholders filled in from the config, and from its lists', () => {
    expect(conditionOf("s:\n  userAgent|expand: 'x-%people%'\ncondition: s")).toEqual({
      any: [{ user_agent: { is: ['x-ann'], caseless: true } }, { user_agent: { startswith: ['x-b'], caseless: true } }],
    });
    expect(conditionOf("s:\n  sourceIPAddress|cidr|expand: '%nets%'\ncondition: s")).toEqual({
      source_address: { cidr: ['10.0.0.0/8'] },
    });
    expect(conditionOf("s:\n  sourceIPAddress|expand: '%Bad%'\ncondition: s")).toEqual({
      source_address: { list: 'bad', caseless: true },
    });
  });

  test.each([
    ['s:\n  userAgent|begins: a\ncondition: s', "8:15: there is no modifier 'begins'"],
    ["s:\n  userAgent|re: 'ab(?=c)'\ncondition: s", '8:22: cannot use the pattern'],
    ['s:\n  userAgent|re: "ab(?=c)"\ncondition: s', '8:22: cannot use the pattern'],
    ['s:\n  sourceIPAddress|cidr: 10.0.0.0/33\ncondition: s', "8:27: '10.0.0.0/33' is no network"],
    ['s:\n  userAgent|exists: maybe\ncondition: s', "8:23: 'exists' takes true or false"],
    ['s:\n  userAgent|gt: many\ncondition: s', "8:19: 'many' is no number"],
    ["s:\n  userAgent|expand: '%nobody%'\ncondition: s", '8:23: the placeholder %nobody% has no value'],
    ['s:\n  userAgent|i: a\ncondition: s', "8:5: 'i' is for 're' only"],
    ['s:\n  userAgent|re|cidr: a\ncondition: s', "8:5: 're|cidr' compare in two ways at once"],
    ["s:\n  userAgent|base64: 'a*'\ncondition: s", "8:23: 'a*' has a wildcard, which 'base64' cannot encode"],
    ["s:\n  userAgent|wide: 'ü'\ncondition: s", "8:21: 'ü' has no text in this encoding"],
    ["s:\n  eventTime: '2025-03-03'\ncondition: s", "8:5: 'eventTime' is a time"],
    ['s:\n  userAgent|hour: 3\ncondition: s', "8:5: 'userAgent' is no time"],
    ['s:\n  requestParameters.a b: x\ncondition: s', "8:5: the field 'requestParameters.a b' has the key 'a b'"],
    ['s:\n  userAgent: {a: b}\ncondition: s', "8:16: a value of 'userAgent' is no text"],
    ["s:\n  readOnly|re: 't.*'\ncondition: s", "8:5: 'readOnly' is true or false"],
    ['s:\n  userAgent|fieldref: resources.ARN\ncondition: s', "8:25: 'resources.ARN' has many values"],
    ['s:\n  userAgent|fieldref: readOnly\ncondition: s', "8:25: 'readOnly' is no text"],
    ['s: {}\ncondition: s', '7:6: a search is empty'],
    ['s:\n  userAgent: a\ncondition: s and t', "9:20: there is no search 't': there are s"],
    ['s:\n  userAgent: a\ncondition: s and', '9:19: the condition ends where'],
    ['s:\n  userAgent: a\ncondition: (s', '9:16: the condition ends where ) was expected'],
    ['s:\n  userAgent: a\ncondition: s s', "9:16: 's' is not expected here"],
    ['s:\n  userAgent: a\ncondition: 2 of s*', "9:14: '2 of' is not part of Sigma"],
    ['s:\n  userAgent: a\ncondition: all of t*', "9:21: no search is called 't*'"],
    ['s:\n  userAgent: a\ncondition: s | count() > 5', "9:16: an aggregation after '|' is no longer part of Sigma"],
    ['s:\n  userAgent: a\ntimeframe: 5m\ncondition: s', '9:3: timeframe is no longer part of Sigma'],
    ['s:\n  userAgent: a', '7:3: condition is missing'],
  ])('with %j is refused at its place', (detection, message) => {
    expect(refusal(ruleOf(detection))).toContain(message);
  });
});
