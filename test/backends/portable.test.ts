/** The portability lint: what it refuses and where, what it lets pass, and that everything which comes along passes. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { portabilityFindings, refuseUnportable } from '../../src/backends/portable.ts';
import type { Detector } from '../../src/detector.ts';
import { parseQuery } from '../../src/query.ts';

const root = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const REFUSED: readonly (readonly [sql: string, found: string, instead: RegExp])[] = [
  ["SELECT a FROM t WHERE a ILIKE '%x'", 'ILIKE', /lower\(x\) LIKE/],
  ['SELECT a FROM t QUALIFY row_number() OVER (ORDER BY a) = 1', 'QUALIFY', /row_number/],
  ['SELECT a::VARCHAR FROM t', '::', /CAST/],
  ["SELECT a ->> '$.b' FROM t", '->>', /json_extract_scalar/],
  ["SELECT a -> '$.b' FROM t", '->', /json_extract\(/],
  ['SELECT 5 // 2', '//', /a \/ b/],
  ['SELECT 2 ** 3', '**', /power/],
  ['SELECT a FROM t WHERE a == 1', '==', /=/],
  ["SELECT a FROM t WHERE a ~ 'x'", '~', /regexp_like/],
  ["SELECT a FROM t WHERE a !~ 'x'", '!~', /NOT regexp_like/],
  ['SELECT a & 1 FROM t', '&', /bitwise/],
  ['SELECT a, count(*) FROM t GROUP BY ALL', 'GROUP … ALL', /GROUP BY 1, 2/],
  ['SELECT a FROM t ORDER BY ALL', 'ORDER … ALL', /ORDER BY 1, 2/],
  ['SELECT DISTINCT ON (a) a, b FROM t', 'DISTINCT … ON', /row_number/],
  ['SELECT * EXCLUDE (a) FROM t', '* EXCLUDE', /one by one/],
  ['SELECT t.* REPLACE (1 AS a) FROM t', '* REPLACE', /one by one/],
  ['SELECT a FROM t ANTI JOIN u ON t.a = u.a', 'ANTI … JOIN', /NOT EXISTS/],
  ['SELECT a FROM t SEMI JOIN u ON t.a = u.a', 'SEMI … JOIN', /EXISTS/],
  ['FROM t SELECT a', 'FROM at the beginning', /SELECT/],
  ['SELECT a FROM t LIMIT 3 OFFSET 4', 'LIMIT before OFFSET', /OFFSET m LIMIT n/],
  ['SELECT l[1] FROM t', 'l[…]', /element_at/],
  ['SELECT split(a, b)[1] FROM t', ')[…]', /element_at/],
  ['SELECT [1, 2] AS l', '[…]', /ARRAY/],
  ["SELECT {'a': 1} AS s", '{…}', /ROW/],
  ['SELECT t + INTERVAL 10 MINUTE FROM u', 'INTERVAL 10 MINUTE', /'10' MINUTE/],
  ["SELECT t + INTERVAL '10 minutes' FROM u", "INTERVAL '10 minutes' FROM", /SECOND, MINUTE/],
  ["SELECT t + INTERVAL '10' MINUTES FROM u", "INTERVAL '10' MINUTES", /SECOND, MINUTE/],
  ['SELECT CAST(a AS TEXT) FROM t', 'the type TEXT', /VARCHAR/],
  ['SELECT TRY_CAST(a AS HUGEINT) FROM t', 'the type HUGEINT', /BIGINT/],
  ['SELECT string_agg(a) FROM t', 'string_agg()', /array_join/],
  ['SELECT approx_distinct(a) FROM t', 'approx_distinct()', /count\(DISTINCT/],
  ["SELECT strftime(a, '%Y') FROM t", 'strftime()', /date_format/],
  ['SELECT greetest(a, b) FROM t', 'greetest()', /Did you mean 'greatest'/],
  ["SELECT a FROM read_csv('x')", 'read_csv()', /no read_csv/],
  ["SELECT a FROM t WHERE regexp_like(a, '(?!x)y')", "'(?!x)y'", /RE2/],
  ["SELECT regexp_replace(a, '(x)\\1', '') FROM t", "'(x)\\1'", /RE2/],
  [`SELECT json_extract_scalar(a, '$["b c"]') FROM t`, `'$["b c"]'`, /keys and numbers/],
  ["SELECT json_extract(a, '$.items[*].x') FROM t", "'$.items[*].x'", /keys and numbers/],
  ["SELECT E'a\\n' AS a", "E'a\\n'", /single quotes/],
  ['SELECT $$a$$ AS a', '$$a$$', /single quotes/],
];

const PASSED: readonly string[] = [
  'WITH recent AS (SELECT a FROM t), named (x, y) AS (SELECT 1, 2) SELECT r.a FROM recent AS r WHERE r.a IN (SELECT n.x FROM named AS n)',
  "SELECT p.item FROM t CROSS JOIN UNNEST(CAST(json_extract(t.j, '$.ipPermissions.items') AS ARRAY(JSON))) AS p(item)",
  "SELECT cardinality(filter(l, x -> x = 'a')) > 0 FROM t",
  "SELECT a || '//' || 'b::c ILIKE' FROM t -- ILIKE :: [1]\nWHERE a <> '->>'",
  'SELECT "qualify", t."group" FROM t ORDER BY 1 NULLS LAST',
  'SELECT t.glob, qualify, pivot FROM t WHERE qualify = 1',
  "SELECT date_add('minute', -5, event_time) FROM t WHERE event_time >= TIMESTAMP '2026-01-01 00:00:00' - INTERVAL '10' MINUTE",
  'SELECT count(*) FILTER (WHERE a > 1) AS n, sum(b) OVER (PARTITION BY a ORDER BY b RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) AS s FROM t GROUP BY 1',
  'SELECT CAST(a AS DECIMAL(10, 2)), TRY_CAST(b AS TIMESTAMP), ARRAY[1, 2] FROM t WHERE c = :name OFFSET 2 LIMIT 1',
  "SELECT regexp_replace(a, '(?i)^(x+)-([0-9]+)$', '$1') FROM t WHERE regexp_like(a, 'x|y')",
  `SELECT json_extract_scalar(j, '$.items[0].x'), json_extract_scalar(j, '$."b c"') FROM t`,
  'SELECT v.a FROM (VALUES (1), (2)) AS v(a)',
  'SELECT element_at(resources, 1).arn, userIdentity.arn FROM lake',
];

describe('the portability lint', () => {
  test.each(REFUSED)('refuses %s', (sql, found, instead) => {
    const findings = portabilityFindings(sql);
    expect(findings.map((one) => one.found)).toEqual([found]);
    expect(findings[0]?.instead).toMatch(instead);
  });

  test.each(PASSED)('lets pass %s', (sql) => {
    expect(portabilityFindings(sql)).toEqual([]);
  });

  test('tells line and column of each place', () => {
    const findings = portabilityFindings("/* one\n two */ SELECT a,\n  b::DATE\nFROM t WHERE c ILIKE 'x'");
    expect(findings.map(({ line, column, found }) => [line, column, found])).toEqual([
      [3, 4, '::'],
      [4, 16, 'ILIKE'],
    ]);
  });

  test('refuses with the first place, the count of the others, and the other spelling', () => {
    expect(() => refuseUnportable("SELECT a::DATE FROM t WHERE b ILIKE 'x'")).toThrow(
      expect.objectContaining({
        code: 'sql-invalid',
        message: 'cannot run the statement on both engines: line 1, column 9: ::, and 1 more',
        hint: 'Write CAST(x AS …). docs/detector-sql.md has the subset.',
      }),
    );
  });
});

describe('what comes along is portable', () => {
  test.each(readdirSync(root('queries')))('queries/%s', (name) => {
    const { sql } = parseQuery(name, readFileSync(root(`queries/${name}`), 'utf8'), name);
    expect(portabilityFindings(sql)).toEqual([]);
  });

  test.each(['cloudtrail', 's3_access', 'waf'])('detectors/%s', async (table) => {
    for (const name of readdirSync(root(`detectors/${table}`))) {
      const { detector } = (await import(root(`detectors/${table}/${name}`))) as { readonly detector: Detector };
      expect([name, portabilityFindings(detector.sql ?? 'SELECT 1')]).toEqual([name, []]);
    }
  });
});
