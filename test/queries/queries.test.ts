/** Saved questions: each says what it answers, is portable, and runs over an empty and over a filled table. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend.ts';
import { createDuckdbBackend } from '../../src/backends/duckdb.ts';
import { toDuckdb } from '../../src/backends/lexer.ts';
import { parseQuery, queryValues } from '../../src/query.ts';
import type { Segment } from '../../src/store.ts';
import { ASKED, clock, ids, load, QUERIED, valuesOf, writeEvents } from './events.ts';

const dir = mkdtempSync(join(tmpdir(), 'trailhound-queries-'));
let empty: Backend;
let filled: Backend;

beforeAll(async () => {
  const segments = await writeEvents(dir);
  const backend = (all: readonly Segment[]) =>
    createDuckdbBackend({
      tables: QUERIED.map((table) => ({
        table,
        segments: all.filter((segment) => segment.table === table.name),
      })),
      portable: true,
      locked: true,
      memoryLimitMb: 256,
      threads: 1,
      tempDirectory: dir,
    });
  empty = await backend([]);
  filled = await backend(segments);
});

afterAll(async () => {
  await empty.close();
  await filled.close();
  rmSync(dir, { recursive: true });
});

/** What both engines know, and a name that DuckDB's parser gives to an operator or a clause. */
const PORTABLE_FUNCTIONS = new Set(
  (
    'array_agg array_join cidr_match coalesce concat count count_if count_star date_add date_trunc json_extract_scalar lower ' +
    'max min regexp_like starts_with strpos sum - + * / ~~'
  ).split(' '),
);

/** Why a statement would not run on Athena, by the rules of docs/detector-sql.md, as DuckDB's own syntax tree shows them. */
async function notPortable(sql: string): Promise<string[]> {
  const problems: string[] = [];
  const code = sql.replaceAll(/'(?:[^']|'')*'|--[^\n]*/gu, "''");
  for (const refused of [
    '::',
    '->',
    'ILIKE',
    'QUALIFY',
    '//',
    'EXCLUDE',
    'DISTINCT ON',
    'SEMI JOIN',
    'ANTI JOIN',
    'GROUP BY ALL',
    '[',
  ]) {
    if (code.includes(refused)) problems.push(refused);
  }
  const { sql: bound } = toDuckdb(sql, true);
  const instance = await DuckDBInstance.create();
  const connection = await instance.connect();
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR)', [bound]);
  connection.closeSync();
  instance.closeSync();
  const local = new Set(
    QUERIED.flatMap(({ columns }) => columns)
      .filter(({ athena }) => athena === null)
      .map(({ name }) => name),
  );
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const child of Object.values(value)) visit(child);
    const node = value as Readonly<Record<string, unknown>>;
    const name = node['function_name'];
    if (typeof name === 'string' && name !== '' && !PORTABLE_FUNCTIONS.has(name)) problems.push(`${name}()`);
    const columns = node['type'] === 'COLUMN_REF' ? (node['column_names'] as string[]) : [];
    problems.push(...columns.filter((column) => local.has(column)));
  };
  visit(JSON.parse(String(reader.getRows()[0]?.[0])));
  return problems;
}

describe('the saved questions', () => {
  test('are at least twenty-two, and each has a value here by which it finds something', () => {
    expect(ids.length).toBeGreaterThanOrEqual(22);
    expect(Object.keys(ASKED).toSorted()).toEqual(ids.toSorted());
  });
});

describe.each(ids)('the question %s', (id) => {
  const query = load(id);

  test('uses each of its parameters', () => {
    const unused = query.parameters.filter(({ name }) => !new RegExp(`:${name}\\b`, 'u').test(query.sql));
    expect(unused).toEqual([]);
  });

  test('answers nothing from an empty table', async () => {
    expect((await empty.query(query.sql, await valuesOf(query))).rows).toEqual([]);
  });

  test('finds what it asks for', async () => {
    const { rows } = await filled.query(query.sql, await valuesOf(query));
    expect(JSON.stringify(rows)).toContain(ASKED[id]?.finds);
  });

  test('keeps to what Athena understands', async () => {
    expect(await notPortable(query.sql)).toEqual([]);
  });

  test('orders its rows', () => {
    expect(query.sql).toMatch(/\nORDER BY /);
  });
});

test.each([
  ["SELECT event_name FROM cloudtrail WHERE getenv('X') = 'x'", ['getenv()']],
  ['SELECT log_file FROM cloudtrail', ['log_file']],
  ["SELECT request_parameters->>'a' FROM cloudtrail", ['->']],
  ['SELECT event_time::DATE FROM cloudtrail', ['::']],
])('the check of portability finds what is wrong with %s', async (sql, expected) => {
  expect(await notPortable(sql)).toEqual(expect.arrayContaining(expected));
});

describe('a question that leaves the window', () => {
  test('of the events finds none of them', async () => {
    for (const id of ids) {
      const query = load(id);
      if (!query.parameters.some(({ name }) => name === 'to')) continue;
      const values = await queryValues(query, { ...ASKED[id]?.values, to: '2026-01-01' }, clock);
      expect([id, (await filled.query(query.sql, values)).rows]).toEqual([id, []]);
    }
  });
});

describe('a header', () => {
  const good =
    '-- title: A?\n-- description: One row per a.\n-- parameters:\n--   n: { type: integer, default: 3, doc: "A number." }\nSELECT :n AS n';

  test('is read', () => {
    expect(parseQuery('a', good, 'a.sql')).toEqual({
      id: 'a',
      title: 'A?',
      description: 'One row per a.',
      parameters: [{ name: 'n', type: 'integer', default: '3', doc: 'A number.' }],
      sql: 'SELECT :n AS n',
      file: 'a.sql',
    });
  });

  test.each([
    ['without a comment', 'SELECT 1'],
    ['without a title', '-- description: One row per a.\nSELECT 1'],
    ['with another description', '-- title: A?\n-- description: Rows.\nSELECT 1'],
    ['with an unknown type', good.replace('integer', 'float')],
    ['with an unknown key', good.replace('doc:', 'docs:')],
    ['that is no YAML', '-- title: [\nSELECT 1'],
  ])('%s is refused, naming the file', (_, text) => {
    expect(() => parseQuery('a', text, 'a.sql')).toThrow(
      expect.objectContaining({ code: 'sql-invalid', message: expect.stringContaining('a.sql') }),
    );
  });

  test.each([
    ['an unknown parameter', { x: '1' }, "has no parameter 'x'"],
    ['no number', { n: 'many' }, "cannot use 'many' for the parameter 'n'"],
    ['a number beyond what is exact', { n: '9007199254740993' }, "cannot use '9007199254740993'"],
  ])('given %s says so', async (_, given, message) => {
    await expect(queryValues(parseQuery('a', good, 'a.sql'), given, clock)).rejects.toThrow(message);
  });

  test('without a needed value says which', async () => {
    await expect(queryValues(load('who-deleted'), {}, clock)).rejects.toThrow(
      "the question 'who-deleted' needs a value for 'name'",
    );
  });
});
