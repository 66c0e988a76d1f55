/** What the prelude makes of an expression is what Trino makes of it. */
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backend.ts';
import { createDuckdbBackend } from '../../src/backends/duckdb.ts';
import { CASES } from '../backends/prelude-cases.ts';
import type { TrinoBackend } from './client.ts';
import { openTrino, trinoAtHand } from './engines.ts';

describe.skipIf(trinoAtHand === null)('the prelude', () => {
  let duckdb: Backend;
  let trino: TrinoBackend;
  beforeAll(async () => {
    duckdb = await createDuckdbBackend({
      tables: [],
      portable: true,
      locked: false,
      memoryLimitMb: 256,
      threads: 1,
      tempDirectory: tmpdir(),
    });
    trino = openTrino();
  });
  afterAll(() => duckdb.close());

  test.concurrent.each(CASES)('%s', async (expression) => {
    const sql = `SELECT ${expression} AS v`;
    const [ours, theirs] = await Promise.all([duckdb, trino].map((engine) => engine.query(sql)));
    expect(theirs?.rows).toEqual(ours?.rows);
  });
});
