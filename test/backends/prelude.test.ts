/** Each macro of the prelude against the semantics that Trino documents for its function. */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PRELUDE } from '../../src/backends/prelude.ts';

let instance: DuckDBInstance;
let connection: DuckDBConnection;

beforeAll(async () => {
  instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  connection = await instance.connect();
  for (const statement of PRELUDE) await connection.run(statement);
});
afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

/** The value as JSON would show it; from a column, so that nothing is folded away before it runs. */
async function value(expression: string): Promise<unknown> {
  const reader = await connection.runAndReadAll(`SELECT ${expression} AS v`);
  return reader.getRowsJson()[0]?.[0];
}

const CASES: readonly (readonly [expression: string, expected: unknown])[] = [
  // JSON
  [`json_extract_scalar('{"a":{"b":"x"}}', '$.a.b')`, 'x'],
  [`json_extract_scalar('{"a":1}', '$.b')`, null],
  [`json_extract_scalar('{"a":null}', '$.a')`, null],
  [`json_extract_scalar('{"a":true}', '$.a')`, 'true'],
  [`json_extract_scalar('not json', '$.a')`, null],
  [`json_extract_scalar(CAST(NULL AS VARCHAR), '$.a')`, null],
  [`json_format(json_extract('{"a":[1,{"b":2}]}', '$.a'))`, '[1,{"b":2}]'],
  [`json_extract('{', '$.a')`, null],
  [`json_array_length('[1,2,3]')`, '3'],
  [`json_array_length('{"a":1}')`, null],
  [`json_array_length('nope')`, null],
  [`json_format(json_parse('[1]'))`, '[1]'],
  [`cardinality(CAST(json_extract('{"a":[1,{}]}', '$.a') AS JSON[]))`, '2'],
  [`TRY_CAST(json_extract('{"a":{"b":1}}', '$.a') AS JSON[])`, null],
  // regular expressions
  [`regexp_like('AccessDenied', 'Denied$')`, true],
  [`regexp_like('AccessDenied', '^denied')`, false],
  [`regexp_like('AccessDenied', '(?i)^access')`, true],
  [`regexp_extract('role/Admin', 'role/(.*)', 1)`, 'Admin'],
  [`regexp_extract('user/x', 'role/(.*)', 1)`, null],
  [`regexp_extract('abc123', '[0-9]+')`, '123'],
  [`regexp_extract('abc', '[0-9]+')`, null],
  [`regexp_replace('a1b2', '[0-9]')`, 'ab'],
  [`regexp_replace('a1b2', '([0-9])', '<$1>')`, 'a<1>b<2>'],
  [`regexp_split('a1b22c', '[0-9]+')`, ['a', 'b', 'c']],
  // text
  [`split_part('a,b', ',', 2)`, 'b'],
  [`split_part('a,b', ',', 3)`, null],
  [`concat('a', 'b')`, 'ab'],
  [`concat('a', NULL, 'c')`, null],
  [`concat('a', 'b', 'c', 'd', 'e', 'f')`, 'abcdef'],
  [`url_decode('a+b%20c%2B')`, 'a b c+'],
  [`from_utf8(to_utf8('é'))`, 'é'],
  // time
  [`date_diff('day', TIMESTAMP '2020-03-01 23:00:00', TIMESTAMP '2020-03-02 01:00:00')`, '0'],
  [`date_diff('hour', TIMESTAMP '2020-03-01 23:00:00', TIMESTAMP '2020-03-02 01:30:00')`, '2'],
  [`date_diff('minute', TIMESTAMP '2020-03-02 00:01:00', TIMESTAMP '2020-03-02 00:00:00')`, '-1'],
  [`date_add('minute', 5, TIMESTAMP '2020-01-01 00:00:00')`, '2020-01-01 00:05:00'],
  [`date_add('week', -1, TIMESTAMP '2020-01-08 00:00:00')`, '2020-01-01 00:00:00'],
  [`date_add('month', 1, TIMESTAMP '2020-01-31 00:00:00')`, '2020-02-29 00:00:00'],
  [`date_add('quarter', 1, TIMESTAMP '2020-01-31 00:00:00')`, '2020-04-30 00:00:00'],
  [`date_add('millisecond', 86400000, TIMESTAMP '2020-01-01 00:00:00')`, '2020-01-02 00:00:00'],
  [`try(date_add('fortnight', 1, TIMESTAMP '2020-01-01 00:00:00'))`, null],
  ['from_unixtime(1577836800)', '2020-01-01 00:00:00'],
  [`to_unixtime(TIMESTAMP '2020-01-01 00:00:00.5')`, 1577836800.5],
  [`from_unixtime(floor(to_unixtime(TIMESTAMP '2020-01-01 00:29:59') / 900) * 900)`, '2020-01-01 00:15:00'],
  [`CAST(from_iso8601_timestamp('2020-05-11T11:15:05Z') AS timestamp)`, '2020-05-11 11:15:05'],
  [`CAST(from_iso8601_timestamp('2020-05-11T11:15:05.055+01:00') AS timestamp)`, '2020-05-11 10:15:05.055'],
  [`CAST(from_iso8601_timestamp('2020-05-11') AS timestamp)`, '2020-05-11 00:00:00'],
  [`try(from_iso8601_timestamp('infinity'))`, null],
  ['from_iso8601_timestamp(CAST(NULL AS VARCHAR))', null],
  [`from_iso8601_date('2020-05-11')`, '2020-05-11'],
  [`try(from_iso8601_date('epoch'))`, null],
  [`date_format(TIMESTAMP '2022-10-20 05:10:00', '%m-%d-%Y %H')`, '10-20-2022 05'],
  [`date_format(TIMESTAMP '2022-10-20 05:06:07', '%M %e %T %W %i:%s')`, 'October 20 05:06:07 Thursday 06:07'],
  [`date_parse('2022/10/20/05', '%Y/%m/%d/%H')`, '2022-10-20 05:00:00'],
  [`date_parse('20/Oct/2022:05:06:07', '%d/%b/%Y:%H:%i:%s')`, '2022-10-20 05:06:07'],
  [`try(date_parse('2022', '%Q'))`, null],
  [`day_of_week(DATE '2020-01-05')`, '7'],
  [`day_of_month(DATE '2020-01-05')`, '5'],
  [`day_of_year(DATE '2020-02-01')`, '32'],
  [`CAST(at_timezone(from_iso8601_timestamp('2020-01-01T00:00:00Z'), 'UTC') AS timestamp)`, '2020-01-01 00:00:00'],
  ['5 / 2', 2],
  // arrays
  ['cardinality(ARRAY[1, 2])', '2'],
  ['cardinality(CAST(NULL AS INTEGER[]))', null],
  ['element_at(ARRAY[1, 2], 2)', 2],
  ['element_at(ARRAY[1, 2], 3)', null],
  ['element_at(ARRAY[1, 2], -1)', 2],
  [`array_join(ARRAY['a', NULL, 'b'], ',')`, 'a,b'],
  ['sequence(1, 3)', ['1', '2', '3']],
  ['sequence(3, 1)', ['3', '2', '1']],
  ['array_distinct(ARRAY[3, 1, 3, 2])', [3, 1, 2]],
  ['array_union(ARRAY[3, 1], ARRAY[1, 2])', [3, 1, 2]],
  ['array_sort(ARRAY[3, NULL, 1])', [1, 3, null]],
  ['arrays_overlap(ARRAY[1, 2], ARRAY[2, 3])', true],
  ['cardinality(filter(ARRAY[1, 2, 3], x -> x > 1))', '2'],
  // aggregates
  [`(SELECT every(x) FROM (VALUES (true), (false)) AS t(x))`, false],
  [`(SELECT approx_distinct(x) FROM (VALUES (1), (1), (2)) AS t(x))`, '2'],
  [`(SELECT approx_percentile(x, 0.5) FROM (VALUES (1), (2), (3)) AS t(x))`, 2],
  [`(SELECT array_agg(DISTINCT x ORDER BY x) FROM (VALUES (2), (1), (2)) AS t(x))`, [1, 2]],
  [`(SELECT count_if(x > 1) FROM (VALUES (1), (2), (3)) AS t(x))`, '2'],
  ['greatest(1, 2)', 2],
  ['greatest(1, NULL)', null],
  ['least(3, 1, 2)', 1],
  ['least(NULL, 1, 2)', null],
  // addresses
  [`CAST('10.0.0.1' AS IPADDRESS)`, '10.0.0.1'],
  [`ip_hex('192.0.2.1')`, 'c0000201'],
  [`ip_hex('256.0.2.1')`, null],
  [`ip_hex('010.0.2.1')`, null],
  [`ip_hex('s3.amazonaws.com')`, null],
  [`ip_hex('2001:DB8::1')`, '20010db8000000000000000000000001'],
  [`ip_hex('::')`, '00000000000000000000000000000000'],
  [`ip_hex('1:2:3:4:5:6:7:8')`, '00010002000300040005000600070008'],
  [`ip_hex('1:2:3:4:5:6:7')`, null],
  [`ip_hex('1::2::3')`, null],
  [`ip_hex(':::')`, null],
  [`ip_hex('1:2:3:4:5:6:7:8:9')`, null],
  [`ip_hex('1:2:3:4:5:6:7::8')`, null],
  [`ip_hex('12345::')`, null],
  [`ip_hex('::ffff:192.0.2.1')`, 'c0000201'],
  [`ip_hex('64:ff9b::192.0.2.33')`, '0064ff9b0000000000000000c0000221'],
  [`ip_hex(':')`, null],
  [`cidr_match('10.0.0.0/8', '10.255.255.255')`, true],
  [`cidr_match('10.0.0.0/8', '11.0.0.0')`, false],
  [`cidr_match('192.0.2.129/32', '192.0.2.129')`, true],
  [`cidr_match('192.0.2.128/25', '192.0.2.127')`, false],
  [`cidr_match('192.0.2.128/26', '192.0.2.191')`, true],
  [`cidr_match('192.0.2.128/26', '192.0.2.192')`, false],
  [`cidr_match('0.0.0.0/0', '203.0.113.9')`, true],
  [`cidr_match('0.0.0.0/0', '2001:db8::1')`, false],
  [`cidr_match('2001:0db8:0:0:0:ff00:0042:8329/128', '2001:db8::ff00:42:8329')`, true],
  [`cidr_match('2001:db8::/33', '2001:db8:7fff::1')`, true],
  [`cidr_match('2001:db8::/33', '2001:db8:8000::1')`, false],
  [`cidr_match('::/0', '2001:db8::1')`, true],
  [`cidr_match('::ffff:10.0.0.0/104', '10.1.2.3')`, true],
  [`cidr_match('::ffff:10.0.0.0/95', '10.1.2.3')`, null],
  [`cidr_match('10.0.0.0', '10.0.0.0')`, null],
  [`cidr_match('10.0.0.0/33', '10.0.0.0')`, null],
  [`cidr_match('10.0.0.0/8/8', '10.0.0.0')`, null],
  [`cidr_match('10.0.0.0/8', 'AWS Internal')`, null],
  [`cidr_match(CAST(NULL AS VARCHAR), '10.0.0.0')`, null],
  [`cidr_match('10.0.0.0/8', CAST(NULL AS VARCHAR))`, null],
];

describe('the prelude', () => {
  test.each(CASES)('%s', async (expression, expected) => {
    expect(await value(expression)).toEqual(expected);
  });

  test('a unit or format that is not supported fails with its name', async () => {
    await expect(value(`date_add('fortnight', 1, TIMESTAMP '2020-01-01 00:00:00')`)).rejects.toThrow(
      /unit fortnight is not supported/,
    );
    await expect(value(`date_parse('x', '%Q')`)).rejects.toThrow(/format %Q is not supported/);
  });

  test('cidr_match agrees with arithmetic over addresses of a column', async () => {
    const disagree =
      await value(`(SELECT count(*) FROM (SELECT i, bits, format('{}.{}.{}.{}', i // 16777216, i // 65536 % 256, i // 256 % 256, i % 256) AS address
      FROM (SELECT (k * 2654435761) % 4294967296 AS i, k % 33 AS bits FROM generate_series(1, 2000) AS s(k)))
      WHERE cidr_match('198.51.100.7/' || bits, address) IS DISTINCT FROM ((3325256711 >> (32 - bits)) = (i >> (32 - bits))))`);
    expect(disagree).toBe('0');
  });
});
