/** Random statements of the portable subset: whatever an expression, group or window of it is on DuckDB, it is on Trino. */
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend, Row } from '../../src/backend.ts';
import { createDuckdbBackend } from '../../src/backends/duckdb.ts';
import { AppError } from '../../src/errors.ts';
import type { TrinoBackend } from './client.ts';
import { openTrino, sortedRows, trinoAtHand } from './engines.ts';
import { type ExpressionType, expressions, ROWS } from './portable-sql.ts';

/** Another seed tries other statements; a difference names the one that found it. */
const SEED = Number(process.env['TRAILHOUND_TRINO_SEED'] ?? 20_251);
/** Expressions of each type. */
const RUNS = Number(process.env['TRAILHOUND_TRINO_RUNS'] ?? 60);
/** So many stand in one statement: engines take their time to begin one. */
const TOGETHER = 20;

const sample = (type: ExpressionType, numRuns: number): readonly string[] => [
  ...new Set(fc.sample(expressions[type], { numRuns, seed: SEED })),
];

describe.skipIf(trinoAtHand === null)(`of seed ${SEED}`, () => {
  let duckdb: Backend;
  let trino: TrinoBackend;
  beforeAll(async () => {
    duckdb = await createDuckdbBackend({
      tables: [],
      portable: true,
      locked: false,
      memoryLimitMb: 1024,
      threads: 2,
      tempDirectory: tmpdir(),
    });
    await duckdb.keep?.('odd', `SELECT * FROM ${ROWS} AS odd`);
    const table = `memory.default.odd_${process.pid}`;
    await openTrino().run(`CREATE TABLE ${table} AS SELECT * FROM ${ROWS} AS odd`);
    trino = openTrino().over({ relations: [{ table: { name: 'odd' }, relation: table, prune: () => null }] });
  });
  afterAll(() => duckdb.close());

  /** Rows of both, or why one of them has none. */
  async function both(sql: string): Promise<readonly [ours: readonly Row[] | string, theirs: readonly Row[] | string]> {
    const [ours, theirs] = await Promise.all(
      [duckdb, trino].map((engine) =>
        engine.query(sql).then(
          ({ rows }) => rows,
          (error: unknown) => (error instanceof AppError ? error.message : Promise.reject(error)),
        ),
      ),
    );
    return [ours ?? [], theirs ?? []];
  }

  /** Those of the expressions that differ, each with its values in the first row that tells. */
  async function different(list: readonly string[]): Promise<readonly string[]> {
    const columns = list.map((expression, at) => `try(${expression}) AS v${at}`);
    const [ours, theirs] = await both(`SELECT id, ${columns.join(',\n ')} FROM odd AS r ORDER BY id`);
    if (typeof ours !== 'string' && typeof theirs !== 'string') {
      return list.flatMap((expression, at) => {
        const [a, b] = [ours, theirs].map((rows) => rows.map((row) => sortedRows([{ v: row[`v${at}`] ?? null }])[0]));
        const first = a?.findIndex((value, row) => value !== b?.[row]) ?? -1;
        return first < 0 ? [] : [`${expression} in row ${first}: ${a?.[first]} here, ${b?.[first]} on Trino`];
      });
    }
    const [first] = list;
    if (list.length > 1) {
      const half = Math.ceil(list.length / 2);
      return [...(await different(list.slice(0, half))), ...(await different(list.slice(half)))];
    }
    // Errors of its own, which no spelling avoids.
    if (typeof theirs === 'string' && theirs.includes('GENERIC_INTERNAL_ERROR')) return [];
    return [
      `${first}: ${typeof ours === 'string' ? ours : 'rows'} here, ${typeof theirs === 'string' ? theirs : 'rows'} on Trino`,
    ];
  }

  test.each(Object.keys(expressions) as ExpressionType[])('an expression that is a %s', async (type) => {
    const all = sample(type, RUNS);
    const found: string[] = [];
    for (let first = 0; first < all.length; first += TOGETHER)
      found.push(...(await different(all.slice(first, first + TOGETHER))));
    expect(found.toSorted((a, b) => a.length - b.length)).toEqual([]);
  });

  const statements = fc
    .record({ key: expressions.text, text: expressions.text, whole: expressions.whole, flag: expressions.flag })
    .chain(({ key, text, whole, flag }) =>
      fc.constantFrom(
        `SELECT k, count(*) AS a, count(DISTINCT w) AS b, sum(w) AS c, min(t) AS d, max(t) AS e, count_if(coalesce(f, false)) AS h,
 array_agg(DISTINCT t ORDER BY t) FILTER (WHERE t IS NOT NULL) AS i, min(w) FILTER (WHERE f) AS l, max(ts) AS o, bool_or(f) AS p, every(f) AS q
 FROM (SELECT try(${key}) AS k, try(${text}) AS t, try(${whole}) AS w, try(${flag}) AS f, ts FROM odd AS r) AS e GROUP BY 1 HAVING count(*) > 0`,
        `SELECT id, row_number() OVER (PARTITION BY k ORDER BY n, id) AS a, rank() OVER (PARTITION BY g ORDER BY w) AS b,
 lag(t) OVER (PARTITION BY k ORDER BY ts, id) AS c, lead(t, 2) OVER (ORDER BY id) AS d, sum(n) OVER (PARTITION BY g ORDER BY id) AS e,
 max(ts) OVER (PARTITION BY g ORDER BY n, id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS h, count_if(coalesce(f, false)) OVER (PARTITION BY k) AS i
 FROM (SELECT try(${key}) AS k, try(${text}) AS t, try(${whole}) AS w, try(${flag}) AS f, id, g, n, ts FROM odd AS r) AS e`,
        `SELECT id, count(*) OVER (PARTITION BY k ORDER BY ts RANGE BETWEEN INTERVAL '12' HOUR PRECEDING AND CURRENT ROW) AS a,
 sum(n) OVER (PARTITION BY g ORDER BY ts RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS b, min(t) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '60' DAY PRECEDING AND CURRENT ROW) AS c
 FROM (SELECT try(${key}) AS k, try(${text}) AS t, id, g, n, ts FROM odd AS r WHERE ts IS NOT NULL) AS e`,
        `SELECT a.id, b.id AS other, a.t FROM (SELECT try(${text}) AS t, id FROM odd AS r) AS a LEFT JOIN (SELECT try(${key}) AS t, id FROM odd AS r) AS b ON b.t = a.t AND a.id < b.id
 WHERE NOT EXISTS (SELECT 1 FROM (SELECT s FROM odd AS r WHERE try(${flag})) AS x WHERE x.s = a.t)`,
        `SELECT r.id, x.item, x.place, json_extract_scalar(p.part, '$') AS part FROM (SELECT * FROM odd AS q) AS r CROSS JOIN UNNEST(r.xs) WITH ORDINALITY AS x(item, place)
 CROSS JOIN UNNEST(TRY_CAST(json_extract(r.j, '$.a') AS ARRAY(JSON))) AS p(part) WHERE coalesce(try(${flag}), true)`,
      ),
    );

  test('groups, windows, joins and elements', async () => {
    const found: string[] = [];
    for (const sql of fc.sample(statements, { numRuns: RUNS, seed: SEED })) {
      const [ours, theirs] = await both(sql);
      const [a, b] = [ours, theirs].map((rows) => (typeof rows === 'string' ? rows : sortedRows(rows).join('\n')));
      if (a !== b) found.push(`${sql}\nhere: ${a}\non Trino: ${b}`);
    }
    expect(found.toSorted((a, b) => a.length - b.length).slice(0, 3)).toEqual([]);
  });
});
