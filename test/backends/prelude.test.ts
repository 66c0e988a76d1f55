/** Each macro of the prelude against the semantics that Trino documents for its function. */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toDuckdb } from '../../src/backends/lexer.ts';
import { PRELUDE } from '../../src/backends/prelude.ts';
import { CASES, OWN_CASES } from './prelude-cases.ts';

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
  const reader = await connection.runAndReadAll(toDuckdb(`SELECT ${expression} AS v`, true).sql);
  return reader.getRowsJson()[0]?.[0];
}

describe('the prelude', () => {
  test.each([...CASES, ...OWN_CASES])('%s', async (expression, expected) => {
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
