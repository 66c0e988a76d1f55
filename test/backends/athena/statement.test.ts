/** Portable SQL as Athena gets it: values as literals, each logical table pruned, names that are none left alone. */
import { describe, expect, test } from 'vitest';
import type { Param } from '../../../src/backend.ts';
import { type StatementOptions, TEXT_BYTES_MAX, toAthena } from '../../../src/backends/athena/statement.ts';
import { cloudtrailTable } from '../../../src/formats/cloudtrail-table.ts';
import { wafTable } from '../../../src/formats/waf-table.ts';

const SCOPE = { fromMs: Date.UTC(2026, 0, 1), toMs: Date.UTC(2026, 0, 2) };
const options = (part: Partial<StatementOptions> = {}): StatementOptions => ({
  params: {},
  relations: [
    {
      table: cloudtrailTable,
      relation: '"db"."cloudtrail"',
      prune: ({ fromMs, toMs }) => `day BETWEEN ${fromMs / 86_400_000} AND ${toMs / 86_400_000}`,
    },
    { table: wafTable, relation: '(SELECT 1 AS x)', prune: () => null },
  ],
  lists: [
    { name: 'bad', values: ['ann', "o'hara", 'nul\0'] },
    { name: 'empty', values: [] },
  ],
  scope: null,
  ...part,
});

/** What stands for each table. */
const CLOUDTRAIL = '(SELECT * FROM "db"."cloudtrail" AS whole)';
const PRUNED = '(SELECT * FROM "db"."cloudtrail" AS whole WHERE day BETWEEN 20454 AND 20455)';
const WAF = '(SELECT * FROM (SELECT 1 AS x) AS whole)';

describe('a logical table', () => {
  test.each([
    ['by its name', 'SELECT 1 FROM cloudtrail', `SELECT 1 FROM ${CLOUDTRAIL} AS cloudtrail`],
    ['in any case and in quotes', 'select 1 from "CloudTrail"', `select 1 from ${CLOUDTRAIL} AS cloudtrail`],
    ['under an alias', 'SELECT c.x FROM cloudtrail c', `SELECT c.x FROM ${CLOUDTRAIL} c`],
    ['under an alias with AS', 'SELECT c.x FROM cloudtrail AS c', `SELECT c.x FROM ${CLOUDTRAIL} AS c`],
    ['under a quoted alias', 'SELECT 1 FROM cloudtrail "c"', `SELECT 1 FROM ${CLOUDTRAIL} "c"`],
    ['of the schema', 'SELECT 1 FROM main.cloudtrail', `SELECT 1 FROM ${CLOUDTRAIL} AS cloudtrail`],
    [
      'of the schema, with comments inside',
      'SELECT 1 FROM main -- x\n . /* y */ cloudtrail z WHERE true',
      `SELECT 1 FROM ${CLOUDTRAIL} z WHERE true`,
    ],
    [
      'before a clause',
      'SELECT 1 FROM cloudtrail WHERE a = 1 GROUP BY 1',
      `SELECT 1 FROM ${CLOUDTRAIL} AS cloudtrail WHERE a = 1 GROUP BY 1`,
    ],
    [
      'in a join and a list',
      'SELECT 1 FROM cloudtrail a JOIN waf ON true, waf AS w CROSS JOIN UNNEST(sequence(1, 2)) AS t(x), LATERAL (SELECT 1 FROM waf) AS l',
      `SELECT 1 FROM ${CLOUDTRAIL} a JOIN ${WAF} AS waf ON true, ${WAF} AS w CROSS JOIN UNNEST(sequence(1, 2)) AS t(x), LATERAL (SELECT 1 FROM ${WAF} AS waf) AS l`,
    ],
    [
      'in brackets of a join',
      'SELECT 1 FROM (cloudtrail CROSS JOIN (waf w)) WHERE a IN (b, c)',
      `SELECT 1 FROM (${CLOUDTRAIL} AS cloudtrail CROSS JOIN (${WAF} w)) WHERE a IN (b, c)`,
    ],
    [
      'in a sub-select and both sides of a UNION',
      'SELECT a, b FROM (SELECT a, waf FROM waf) AS s WHERE EXISTS (SELECT 1 FROM cloudtrail) UNION ALL SELECT x, cloudtrail FROM waf ORDER BY 1, cloudtrail',
      `SELECT a, b FROM (SELECT a, waf FROM ${WAF} AS waf) AS s WHERE EXISTS (SELECT 1 FROM ${CLOUDTRAIL} AS cloudtrail) UNION ALL SELECT x, cloudtrail FROM ${WAF} AS waf ORDER BY 1, cloudtrail`,
    ],
    [
      'but not what only looks like one',
      "SELECT extract(hour FROM cloudtrail), trim(BOTH 'x' FROM waf), 'FROM cloudtrail' -- FROM waf\nFROM other WHERE a IS DISTINCT FROM waf AND b IS NOT DISTINCT FROM waf",
      "SELECT extract(hour FROM cloudtrail), trim(BOTH 'x' FROM waf), 'FROM cloudtrail' -- FROM waf\nFROM other WHERE a IS DISTINCT FROM waf AND b IS NOT DISTINCT FROM waf",
    ],
  ])('%s', (_, sql, expected) => {
    expect(toAthena(sql, options())).toBe(expected);
  });

  test('is read only where the scope lies', () => {
    expect(toAthena('SELECT 1 FROM cloudtrail, waf;\n', options({ scope: SCOPE }))).toBe(
      `SELECT 1 FROM ${PRUNED} AS cloudtrail, ${WAF} AS waf`,
    );
  });
});

describe('a common table expression of the name of a table', () => {
  test.each([
    [
      'hides it, and may read it by its schema',
      'WITH cloudtrail AS (SELECT * FROM main.cloudtrail WHERE a), x AS (SELECT 1 FROM cloudtrail) SELECT 1 FROM cloudtrail, x',
      `WITH cloudtrail AS (SELECT * FROM ${CLOUDTRAIL} AS cloudtrail WHERE a), x AS (SELECT 1 FROM cloudtrail) SELECT 1 FROM cloudtrail, x`,
    ],
    [
      'does not hide it before it, nor inside itself',
      'WITH x (a, b) AS (SELECT 1, 2 FROM waf), waf AS NOT MATERIALIZED (SELECT 1 FROM waf) SELECT 1 FROM waf',
      `WITH x (a, b) AS (SELECT 1, 2 FROM ${WAF} AS waf), waf AS NOT MATERIALIZED (SELECT 1 FROM ${WAF} AS waf) SELECT 1 FROM waf`,
    ],
    [
      'hides it inside itself where it is recursive',
      'WITH RECURSIVE waf (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM waf) SELECT n FROM waf',
      'WITH RECURSIVE waf (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM waf) SELECT n FROM waf',
    ],
    [
      'does not hide it outside of its own query',
      'SELECT 1 FROM (WITH waf AS (SELECT 1 AS x) SELECT x FROM waf) AS w, waf',
      `SELECT 1 FROM (WITH waf AS (SELECT 1 AS x) SELECT x FROM waf) AS w, ${WAF} AS waf`,
    ],
  ])('%s', (_, sql, expected) => {
    expect(toAthena(sql, options())).toBe(expected);
  });
});

test.each<readonly [value: Param, literal: string]>([
  ["o'hara", "'o''hara'"],
  ['a\0b', "('a' || chr(0) || 'b')"],
  ["'; DROP TABLE x --", "'''; DROP TABLE x --'"],
  [5, 'CAST(5 AS bigint)'],
  [-5, 'CAST(-5 AS bigint)'],
  [0.5, "CAST('0.5' AS double)"],
  [1e21, "CAST('1e+21' AS double)"],
  [true, 'true'],
  [null, 'CAST(NULL AS varchar)'],
  [new Date('2026-01-02T03:04:05.678Z'), "TIMESTAMP '2026-01-02 03:04:05.678'"],
  [['a', "b'c"], "ARRAY['a', 'b''c']"],
  [[], 'CAST(ARRAY[] AS ARRAY(varchar))'],
])('the value %o is a literal', (value, literal) => {
  expect(toAthena("SELECT :x AS a, ':x' AS b, f(:x, 1) -- :x\nLIMIT 1", options({ params: { x: value } }))).toBe(
    `SELECT ${literal} AS a, ':x' AS b, f(${literal}, 1) -- :x\nLIMIT 1`,
  );
});

test('a number that limits the rows stands bare', () => {
  expect(toAthena('SELECT 1 LIMIT :top', options({ params: { top: 10 } }))).toBe('SELECT 1 LIMIT 10');
});

test('comments in brackets go, since those of Trino do not nest', () => {
  expect(toAthena('SELECT/* a /* FROM waf */ b */1 -- c /* d', options())).toBe('SELECT 1 -- c /* d');
});

test('a value that is not given is named, whatever an object inherits', () => {
  expect(() => toAthena('SELECT :constructor', options())).toThrow(':constructor');
});

test('a list is a relation of one column', () => {
  expect(toAthena('SELECT value FROM list_bad WHERE EXISTS (SELECT 1 FROM list_empty)', options())).toBe(
    "SELECT value FROM (SELECT value FROM (VALUES ('ann'), ('o''hara'), (('nul' || chr(0) || ''))) AS listed (value)) AS list_bad" +
      ' WHERE EXISTS (SELECT 1 FROM (SELECT CAST(NULL AS varchar) AS value WHERE false) AS list_empty)',
  );
});

describe('cidr_match', () => {
  const address = (text: string): string => `TRY_CAST(replace(${text}, '%', ' ') AS IPADDRESS)`;
  test.each([
    ["cidr_match('10.0.0.0/8', source_ip)", `contains('10.0.0.0/8', ${address('source_ip')})`],
    [
      "CIDR_MATCH ( '2001:db8::/32' , json_extract_scalar(x, '$.a') )",
      `(contains('2001:db8::/32', ${address("json_extract_scalar(x, '$.a')")}) AND NOT contains('::ffff:0.0.0.0/96', ${address("json_extract_scalar(x, '$.a')")}))`,
    ],
    ["cidr_match('::ffff:10.0.0.0/104', a)", `contains('10.0.0.0/8', ${address('a')})`],
    ["cidr_match('10.1.2.3/8', a)", `contains('10.0.0.0/8', ${address('a')})`],
    ['cidr_match(:net, a)', `contains('10.0.0.0/8', ${address('a')})`],
    ["cidr_match('::ffff:a00:0/95', a)", 'CAST(NULL AS boolean)'],
    ["cidr_match('10.0.0.0', a)", 'CAST(NULL AS boolean)'],
    ["cidr_match('10.0.0.0/33', a)", 'CAST(NULL AS boolean)'],
    ["cidr_match('10.0.0.0/08', a)", 'CAST(NULL AS boolean)'],
    ["f(cidr_match('10.0.0.0/8', g(a, :net)), 1)", `f(contains('10.0.0.0/8', ${address("g(a, '10.0.0.0/8')")}), 1)`],
  ])('%s', (sql, expected) => {
    expect(toAthena(`SELECT ${sql}, 2`, options({ params: { net: '10.0.0.0/8' } }))).toBe(`SELECT ${expected}, 2`);
  });
});

test.each([
  ['^a$', '^a\\z'],
  ['a\\$[$]', 'a\\$[$]'],
  ['(?m)^a$', '(?m)^a$'],
  ['[[][^]]*', '[\\[][^\\]]*'],
  ['[]a][&&b]', '[\\]a][\\&\\&b]'],
  ['[[:alpha:]x[:^digit:]]', '[[:alpha:]x[:^digit:]]'],
  ['[\\]$]', '[\\]$]'],
  ['(?P<n>x)(?i:y)', '(?<n>x)(?i:y)'],
  ['\\Q$[\\E$', '\\Q$[\\E\\z'],
  ["it''s 😀$", "it''s 😀\\z"],
])('the pattern %s is %s to Trino', (re2, joni) => {
  expect(toAthena(`SELECT regexp_replace(a, '${re2}', f('$1', 2)), x`, options())).toBe(
    `SELECT regexp_replace(a, '${joni}', f('$1', 2)), x`,
  );
});

test.each([
  ['$.a.b_1[0].c', '$.a.b_1[0].c'],
  ['$.x-amz-acl.a[0]', '$["x-amz-acl"].a[0]'],
  ['$.a."b c".d:e/@f', '$.a["b c"]["d:e/@f"]'],
  ['$', '$'],
])('the path %s is %s to Trino', (path, said) => {
  expect(toAthena(`SELECT json_extract_scalar(json_extract(a, '${path}'), '${path}')`, options())).toBe(
    `SELECT json_extract_scalar(json_extract(a, '${said}'), '${said}')`,
  );
});

test('a pattern that is no literal, and a call without one, stay', () => {
  const sql = "SELECT regexp_like( a , b), regexp_like(a), regexp_count(a, '$')";
  expect(toAthena(sql, options())).toBe(sql);
});

test('a text that Athena would refuse for its length is refused here', () => {
  const text = 'x'.repeat(TEXT_BYTES_MAX - 9);
  expect(toAthena(`SELECT '${text}'`, options())).toHaveLength(TEXT_BYTES_MAX);
  expect(() => toAthena(`SELECT '${text}x'`, options())).toThrow(`has ${TEXT_BYTES_MAX + 1} bytes`);
});

describe("what stands beside columns of CloudTrail Lake's queries", () => {
  test.each([
    ["eventTime > '2023-01-01 00:00:00'", "eventTime > TIMESTAMP '2023-01-01 00:00:00'"],
    ["l.eventtime>='2023-01-01T01:02:03Z'", "l.eventtime>=TIMESTAMP '2023-01-01 01:02:03'"],
    ['"eventTime" <> \'2023-01-01\'', '"eventTime" <> TIMESTAMP \'2023-01-01 00:00:00\''],
    [
      "eventTime NOT BETWEEN '2023-01-01' AND '2023-01-02 03:04'",
      "eventTime NOT BETWEEN TIMESTAMP '2023-01-01 00:00:00' AND TIMESTAMP '2023-01-02 03:04:00'",
    ],
    ['sessionCredentialFromConsole = true', "sessionCredentialFromConsole = 'true'"],
    ['readOnly = true', 'readOnly = true'],
    ["event_time > '2023-01-01 00:00:00'", "event_time > '2023-01-01 00:00:00'"],
    ["eventName = '2023-01-01'", "eventName = '2023-01-01'"],
    ["eventTime > '2023'", "eventTime > '2023'"],
    ["eventTime > TIMESTAMP '2023-01-01 00:00:00'", "eventTime > TIMESTAMP '2023-01-01 00:00:00'"],
  ])('%s', (sql, expected) => {
    expect(toAthena(`SELECT 1 FROM t WHERE ${sql}`, options())).toBe(`SELECT 1 FROM t WHERE ${expected}`);
  });
});
