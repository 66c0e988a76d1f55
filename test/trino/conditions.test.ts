/** Every operator of a condition on Trino: it matches the same events as everywhere. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { conditionSql, parseCondition } from '../../src/detection/condition.ts';
import { cloudtrailTable } from '../../src/formats/cloudtrail-table.ts';
import { CASES, context, letters, records } from '../detection/conditions.ts';
import { writeRecords } from '../support/load-records.ts';
import { type Engines, openEngines, trinoAtHand } from './engines.ts';

const dir = mkdtempSync(join(tmpdir(), 'trailhound-conditions-'));
let engines: Engines;

describe.skipIf(trinoAtHand === null)('a condition', () => {
  beforeAll(async () => {
    const segments = await writeRecords(
      dir,
      records.map(({ record }) => record),
    );
    const lists = Object.entries(context.lists).map(([name, values]) => ({ name, values }));
    engines = await openEngines('conditions', [{ table: cloudtrailTable, segments }], lists);
  });
  afterAll(async () => {
    await engines.close();
    rmSync(dir, { recursive: true });
  });

  async function matching(where: string): Promise<string> {
    const { rows } = await engines.trino.query(`SELECT event_id FROM cloudtrail WHERE ${where} ORDER BY event_id`);
    return rows.map((row) => row['event_id'] as string).join('');
  }

  test.concurrent.each(CASES)('%j', async (condition, matched) => {
    const sql = conditionSql(parseCondition(condition, context));
    expect({ matches: await matching(sql), complement: await matching(`NOT (${sql})`) }).toEqual({
      matches: matched,
      complement: letters.filter((letter) => !matched.includes(letter)).join(''),
    });
  });
});
